// The OpenAPI document: valid, complete, made of the tables that validate, and good enough to generate a client from
// that the compiler holds to it.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseFunnel } from "../../../core/query/funnel.ts";
import { parsePaths } from "../../../core/query/path.ts";
import { parseQuestion } from "../../../core/query/question.ts";
import { parseRealtime } from "../../../core/query/realtime.ts";
import { parseRetention } from "../../../core/query/retention.ts";
import { buildClient } from "../../../scripts/build-client.ts";
import { app as collectorApp } from "../../../workers/collector/app.ts";
import { OPERATIONS, ROUTES } from "../../../workers/query/api.ts";
import { QUESTION_ROUTES, app as queryApp } from "../../../workers/query/app.ts";
import { parseFields } from "../../../workers/query/field.ts";
import { templated } from "../../../workers/query/openapi/operation-text.ts";
import { EMBED_PATH, PAGE_PATHS } from "../../../workers/query/page.ts";
import { DOCUMENT, validatorAt } from "../../support/documented.ts";
import { hostileObject, hostileValue } from "../../support/hostile.ts";
import { ADMIN_TOKEN, startQueryWorker } from "../../support/query-worker.ts";

const ROOT = join(import.meta.dirname, "../../..");
const operations = Object.values(DOCUMENT.paths).flatMap((methods) => Object.values(methods));

test("[OPE-1] the document is OpenAPI 3.1 by a validator of somebody else's, and names each operation once", async () => {
  const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(DOCUMENT)));
  expect(errors ?? []).toEqual([]);
  expect(valid).toBe(true);
  const ids = operations.map(({ operationId }) => operationId);
  expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
});

test("[OPE-1] every route is in it, and nothing else", () => {
  const routes = ROUTES.map(({ method, path }) => `${method} ${path}`);
  expect(routes).toHaveLength(new Set(routes).size);
  const questions = QUESTION_ROUTES.map(([path]) => path);
  expect(questions.filter((path) => DOCUMENT.paths[path]?.["post"] === undefined)).toEqual([]);
  const names = JSON.stringify(DOCUMENT).match(/#\/components\/schemas\/(\w+)/g) ?? [];
  const used = new Set(names.map((name) => name.slice(name.lastIndexOf("/") + 1)));
  expect(Object.keys(DOCUMENT.components["schemas"] ?? {}).filter((name) => !used.has(name))).toEqual([]);
});

/** What a router answers: method and path as the document has them. Refusals of other methods are not among it. */
function routesOf({ routes }: { readonly routes: readonly { readonly method: string; readonly path: string }[] }) {
  const own = routes.filter(({ method }) => method !== "ALL").map(({ method, path }) => [method, path] as const);
  return new Set(own.map(([method, path]) => `${method} ${templated(path)}`));
}

test("[OPE-8] every route of both Workers is in the document, and the document has no other", () => {
  const [query, collector] = [routesOf(queryApp), routesOf(collectorApp)];
  const documented = Object.entries(DOCUMENT.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { servers }]) => ({ name: `${method.toUpperCase()} ${path}`, servers })),
  );
  expect([...collector].filter((name) => name !== "GET /health").sort()).toEqual(
    documented.flatMap(({ name, servers }) => (servers === undefined ? [] : [name])).sort(),
  );
  // What a browser shows is no operation.
  const pages = new Set(
    ["/", ...PAGE_PATHS, EMBED_PATH, "/assets/*", "/notice/:token"].map((path) => `GET ${templated(path)}`),
  );
  pages.add("POST /notice/{token}");
  expect([...query].filter((name) => !pages.has(name)).sort()).toEqual(
    documented.flatMap(({ name, servers }) => (servers === undefined ? [name] : [])).sort(),
  );
  expect([query.size > 50, collector.size > 40, collector.has("GET /health")]).toEqual([true, true, true]);
});

describe("[OPE-2] the documented fields are those that the handler knows", () => {
  test.each(
    ROUTES.flatMap(({ method, path, query, body, personal }) => {
      const table = query ?? body;
      return table === undefined ? [] : [[method, path, Object.keys(table), personal, query !== undefined] as const];
    }),
  )("%s %s", async (method, path, fields, personal, isQuery) => {
    const worker = startQueryWorker();
    const made = await worker.ask("POST", "/api/v1/merchants", {
      token: ADMIN_TOKEN,
      body: { name: "A", time_zone: "UTC", currency: "EUR" },
    });
    const named = path.replace(":id", made.body.id).replace(/:\w+/, "1") + (isQuery ? "?nonsense=1" : "");
    const headers = { origin: "http://localhost" };
    const body = isQuery ? {} : { body: { nonsense: 1 } };
    const reply = await worker.ask(method, named, { token: ADMIN_TOKEN, ...body, headers });
    if (personal && reply.status === 409) return; // for whoever came by a session
    expect(reply.body.error, JSON.stringify(reply.body)).toMatchObject({ code: "unknown_field", field: "nonsense" });
    expect(reply.body.error.message.split("known: ")[1]).toBe(`${fields.join(", ")}.`);
  });
});

const tables = [...OPERATIONS].flatMap(([route, { query, body }]) => {
  const isQuery = query !== undefined;
  return Object.entries(query ?? body ?? {}).map(([name, field]) => [route, name, { field, isQuery }] as const);
});

describe("[OPE-9] an operation's examples name each of its fields, and are taken by them and by the schema", () => {
  const sending = ROUTES.filter(({ query, body }) => query !== undefined || body !== undefined);
  test.each(sending.map((route) => [route.id, route] as const))("%s", (_, { method, path, query, body, examples }) => {
    const table = query ?? body ?? {};
    const named = new Set((examples ?? []).flatMap((example) => Object.keys(example)));
    expect([...named].sort()).toEqual(Object.keys(table).sort());
    for (const example of examples ?? []) {
      const sent = query === undefined ? example : Object.fromEntries(new URLSearchParams(example as never));
      expect(parseFields(sent, table)).toMatchObject({ ok: true });
      for (const [name, value] of Object.entries(example)) {
        const validate = validatorOf(`${method} ${path}`, name, query !== undefined);
        expect([name, value, validate(value)]).toEqual([name, value, true]);
      }
    }
    expect(DOCUMENT.paths[templated(path)]?.[method.toLowerCase()]?.requestBody?.content["application/json"]).toEqual(
      body === undefined ? undefined : { schema: expect.anything(), example: examples?.[0] },
    );
  });
});

test("[OPE-3] whatever a field takes fits its schema", () => {
  const plausible = fc.constantFrom<unknown>(
    "2026-11-21",
    "2027-01-31T12:00:00Z",
    "Europe/Berlin",
    "EUR",
    "shop.example",
    "a@b.example",
    "pool-3",
    "true",
    "a".repeat(16),
    "read",
    "owner",
    "csv",
    "verify",
    "current",
    "mer_aaaaaaaaaaaaaaaaaaaaaaaa",
    null,
    365,
    5,
    "7",
    [["is", "event:page", ["/"]]],
    ["page"],
    { goals: [] },
  );
  let taken = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...tables),
      fc.oneof(plausible, hostileValue),
      ([route, name, { field, isQuery }], value) => {
        // In a query string everything is text.
        const given = isQuery && typeof value !== "string" ? JSON.stringify(value) : value;
        // Whether an object is rules is judged by the rules' own parser, which says which of them is wrong.
        if (field.expected === "rules" || field.parse(given) === undefined) return;
        taken += 1;
        const validate = validatorOf(route, name, isQuery);
        const { type } = field.schema as { type?: unknown };
        // A parameter is text on the wire; a number of a body may be one as well.
        const asNumber = type === "integer" ? Number(given) : given;
        const typed = type === "boolean" ? given === "true" : asNumber;
        expect([route, name, typed, validate(typed)]).toEqual([route, name, typed, true]);
      },
    ),
    { numRuns: 5_000 },
  );
  expect(taken).toBeGreaterThan(200);
});

function validatorOf(route: string, name: string, isQuery: boolean) {
  const [method = "", path = ""] = route.split(" ");
  const templated = path.replace(/:(\w+)/g, "{$1}");
  const operation = DOCUMENT.paths[templated]?.[method.toLowerCase()];
  const place = isQuery
    ? ["parameters", String(operation?.parameters?.findIndex((one) => one.name === name)), "schema"]
    : ["requestBody", "content", "application/json", "schema", "properties", name];
  const parts = [templated, method.toLowerCase(), ...place].map((part) =>
    encodeURIComponent(part.replaceAll("/", "~1")),
  );
  return validatorAt(`#/paths/${parts.join("/")}`);
}

const QUESTION = {
  site_id: "x",
  metrics: ["visitors", "total_revenue"],
  date_range: "7d",
  dimensions: ["time:day", "visit:source", "event:props:plan"],
  filters: [
    ["is", "event:page", ["/"], { case_sensitive: false }],
    [
      "or",
      [
        ["contains", "visit:source", ["g"]],
        ["not", ["matches", "event:page", ["^/a"]]],
      ],
    ],
    ["has_done", ["is", "event:name", ["Purchase"]]],
  ],
  order_by: [["visitors", "desc"]],
  include: { time_labels: true, comparisons: { mode: "custom", date_range: ["2026-01-01", "2026-01-02"] } },
  pagination: { limit: 10, offset: 5 },
  accuracy: "exact",
};
const STEPS = [{ name: "a", filters: [["is", "event:page", ["/"]]] }, { filters: [["is", "event:page", ["/b"]]] }];
const REPORT = { site_id: "x", date_range: ["2026-01-01", "2026-01-31"], filters: [["is", "event:page", ["/"]]] };

describe("[OPE-3] whatever a question's parser takes fits the schema", () => {
  test.each([
    ["Question", parseQuestion, QUESTION],
    ["FunnelQuestion", parseFunnel, { ...REPORT, steps: STEPS, window_seconds: 60 }],
    ["RetentionQuestion", parseRetention, REPORT],
    ["PathsQuestion", parsePaths, { ...REPORT, depth: 3, limit: 5 }],
    ["RealtimeQuestion", parseRealtime, { site_id: "x", filters: [] }],
  ] as const)("%s", (name, parse, plausible) => {
    const validate = validatorAt(`#/components/schemas/${name}`);
    expect([parse(plausible).ok, validate(plausible), validate.errors]).toEqual([true, true, null]);
    fc.assert(
      fc.property(hostileObject(plausible), (body) => {
        const read = parse(body);
        if (read.ok && (body as { site_id?: unknown }).site_id !== "")
          expect([body, validate(body)]).toEqual([body, true]);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    { metrics: ["nonsense"] },
    { metrics: [] },
    { dimensions: ["nonsense"] },
    { date_range: "tomorrow" },
    { filters: [["is", "nonsense", ["x"]]] },
    { filters: [["like", "event:page", ["x"]]] },
    { include: { everything: true } },
    { pagination: { limit: 0 } },
    { accuracy: "roughly" },
    { nonsense: 1 },
  ])("and what the schema refuses the parser refuses: %j", (change) => {
    const body = { ...QUESTION, ...change };
    expect([validatorAt("#/components/schemas/Question")(body), parseQuestion(body).ok]).toEqual([false, false]);
  });
});

test.each([
  [{ metrics: ["baa"] }, "invalid_field", "metrics/0"],
  [{ date_range: undefined }, "missing_field", "date_range"],
  [{ filters: [["is"]] }, "invalid_field", "filters/0"],
  [{ metrics: ["percentage"], dimensions: [] }, "invalid_field", "metrics"],
  [{ pagination: { limit: 0 } }, "invalid_field", "pagination/limit"],
  [{ site_id: undefined }, "missing_field", "site_id"],
  [{ site_id: "nobody.example" }, "unauthorized", undefined],
])("[OPE-7] a question with %j is refused with a code and its place", async (change, code, field) => {
  const worker = startQueryWorker();
  const made = { name: "A", time_zone: "UTC", currency: "EUR" };
  const { body: shop } = await worker.ask("POST", "/api/v1/merchants", { token: ADMIN_TOKEN, body: made });
  const body = { site_id: shop.id, metrics: ["visitors"], date_range: "day", ...change };
  const reply = await worker.ask("POST", "/api/v2/query", { token: shop.api_key, body });
  expect(reply.body).toEqual({ error: expect.any(String), code, ...(field !== undefined && { field }) });
});

test("[OPE-4] the document and the reference are served to everybody; the page runs nothing and shows every operation", async () => {
  const { app } = await import("../../../workers/query/app.ts");
  const env = { DIRECTORY: {}, LEDGER_0: {}, POOL_SIZE: "1", TRACKING_SECRET: "s", ADMIN_TOKEN, RATE_LIMITS: "off" };
  const context = { waitUntil: () => {} } as unknown as ExecutionContext;
  const document = await app.request("/api/openapi.json", {}, env, context);
  expect(await document.json()).toEqual(JSON.parse(JSON.stringify(DOCUMENT)));
  const page = await app.request("/api/reference", {}, env, context);
  const policy = page.headers.get("content-security-policy") ?? "";
  expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+';/);
  const html = await page.text();
  expect(html).not.toMatch(/<script|\son\w+=|=\s*["']?https?:|url\(/);
  for (const { operationId } of operations) expect(html).toContain(`id="${operationId}"`);
  expect(ROUTES.length).toBeGreaterThan(100);
});

const PROGRAM = `import { ApiError, type Answer, createClient } from "./client.ts";

const api = createClient({ baseUrl: process.env["API"] ?? "", token: process.env["TOKEN"] ?? "" });
const made = await api.createMerchant({ name: "Harbour Coffee", time_zone: "Europe/Vienna", currency: "EUR" });
const key = await api.createKey({ name: "dashboard", scope: "read" }, { id: made.id });
const asking = createClient({ baseUrl: process.env["API"] ?? "", token: key.api_key });
const answer: Answer | { readonly state: "running" } = await asking.query({
  site_id: made.id, metrics: ["visitors"], date_range: "7d", dimensions: ["visit:source"],
});
const { keys, next } = await api.listKeys({ id: made.id, limit: 10 });
const text: string | null = next;
// @ts-expect-error: there is no such metric
const wrongMetric = () => asking.query({ site_id: made.id, metrics: ["visitorz"], date_range: "7d" });
// @ts-expect-error: a merchant has a currency
const missing = () => api.createMerchant({ name: "x", time_zone: "UTC" });
// @ts-expect-error: keys have no secret in a list
const secret = () => keys[0]?.api_key;
const refused = await api.getMerchant({ id: "mer_nobody" }).catch((error: unknown) => error instanceof ApiError && error.status);
console.log(JSON.stringify({ results: "results" in answer, keys: keys.length, text, refused }), typeof wrongMetric, typeof missing, typeof secret);
`;

test("[OPE-5] a client is generated from it, and the compiler holds a program to it", () => {
  mkdirSync(join(ROOT, ".build"), { recursive: true });
  const folder = mkdtempSync(join(ROOT, ".build/client-"));
  try {
    buildClient(DOCUMENT, join(folder, "client.ts"));
    writeFileSync(join(folder, "program.ts"), PROGRAM);
    const compilerOptions = {
      noEmit: true,
      rootDir: ".",
      types: ["node"],
      incremental: false,
      composite: false,
      emitDeclarationOnly: false,
    };
    const config = { extends: "../../tsconfig.base.json", compilerOptions, include: ["*.ts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    execFileSync(join(ROOT, "node_modules/.bin/tsc"), ["-p", folder], { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    throw new Error((error as { stdout?: string }).stdout ?? String(error));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
