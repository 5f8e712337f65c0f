// The generated client against the running Workers, and what they answer against the document. All other end-to-end
// tests hold their answers against it as well (test/support/services.ts).

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildClient, clientOf } from "../../scripts/build-client.ts";
import type { Runtime } from "../../scripts/runtime.ts";
import { DOCUMENT, expectDocumented } from "../support/documented.ts";
import { CHROME } from "../support/events.ts";
import { type Client, type Merchant, SECRETS, startServices } from "../support/services.ts";

let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };
let shop: Merchant;
const BUILD = join(import.meta.dirname, "../../.build");
mkdirSync(BUILD, { recursive: true });
const folder = mkdtempSync(join(BUILD, "client-"));

beforeAll(async () => {
  services = await startServices();
  shop = await services.client.createMerchant();
  const page = { tracking_id: shop.tracking_id, visitor_id: "v", user_agent: CHROME };
  const events = [
    { ...page, url: "https://shop.example/" },
    { ...page, url: "https://shop.example/cart" },
    { ...page, name: "Purchase", url: "https://shop.example/thanks", revenue: { amount: 5, currency: "EUR" } },
  ];
  expect((await services.client.send(events)).body.accepted).toBe(3);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await services?.stop();
});

type Called = "query" | "createStream" | "listStreams" | "exportEvents" | "listKeys";
const filters = [["is", "event:page", ["/"]]];
const steps = [{ filters }, { filters: [["is", "event:page", ["/cart"]]] }];
const METRICS = ["visitors", "total_revenue"];
const include = { comparisons: { mode: "previous_period" }, total_rows: true, time_labels: true };

test.each([
  ["query", { metrics: METRICS, date_range: "day", dimensions: ["visit:source"] }],
  ["query", { metrics: METRICS, date_range: "day", dimensions: ["time:hour"], include }],
  ["query", { metrics: ["visitors", "scroll_depth"], date_range: "day", dimensions: ["event:page"], filters }],
  ["query", { metrics: ["nonsense"], date_range: "day" }],
  ["funnel", { date_range: "day", steps }],
  ["retention", { date_range: "7d" }],
  ["paths", { date_range: "day" }],
  ["realtime", {}],
  ["realtime", { nonsense: 1 }],
] as const)("[OPE-6] POST /api/v2/%s %j", async (name, body) => {
  const { client } = services;
  const path = `/api/v2/${name}`;
  const response = await fetch(client.queryUrl + path, {
    method: "POST",
    headers: { authorization: `Bearer ${shop.api_key}` },
    body: JSON.stringify({ site_id: shop.id, ...body }),
  });
  expectDocumented({ method: "POST", path }, { status: response.status, body: await response.json() });
});

test.each(["stats", "pageviews", "metrics", "active", "nonsense"])(
  "[OPE-6] GET /api/websites/…/%s as Umami's client has it",
  async (read) => {
    const range = read === "active" ? "" : `?startAt=${Date.now() - 3_600_000}&endAt=${Date.now()}&type=path`;
    const asked = read === "metrics" ? range : range.replace("&type=path", "&compare=prev");
    const path = `/api/websites/${shop.tracking_id}/${read}${asked}`;
    const headers = { authorization: `Bearer ${shop.api_key}` };
    const response = await fetch(services.client.queryUrl + path, { headers });
    expect(response.status).toBe(read === "nonsense" ? 404 : 200);
    if (read !== "nonsense") expectDocumented({ method: "GET", path }, { status: 200, body: await response.json() });
  },
);

test("[OPE-4] the reference is a page of the query Worker, and its bare address is no operation", async () => {
  const reference = await fetch(`${services.client.queryUrl}/api/reference`);
  expect(await reference.text()).toContain("<h1>Footfall: API reference</h1>");
  expect((await fetch(services.client.queryUrl, { method: "POST" })).status).toBe(405);
});

test.each([
  ["GET", "/api/v1/merchants/mer_nobody", 404],
  ["POST", "/api/v1/merchants", 400],
  ["GET", "/api/v1/archive/days", 400],
  ["PUT", "/api/v1/session/password", 409],
])("[OPE-6] %s %s is refused in the one shape", async (method, path, status) => {
  const init = { method, headers: { authorization: `Bearer ${SECRETS.ADMIN_TOKEN}` } };
  const response = await fetch(services.client.queryUrl + path, init);
  expect(response.status).toBe(status);
  expectDocumented({ method, path }, { status, body: await response.json() });
});

test("[OPE-5] npm run build:client makes the same client of a running deployment", async () => {
  const script = ["--import", "./scripts/node-version.mjs", "scripts/build-client.ts", services.client.queryUrl];
  const { stdout } = await promisify(execFile)(process.execPath, script);
  expect(readFileSync(stdout.trim(), "utf8")).toBe(clientOf(DOCUMENT));
});

test("[OPE-5] [OPE-6] the generated client asks, changes, exports and is refused", async () => {
  const { createClient, ApiError } = (await import(buildClient(DOCUMENT, join(folder, "client.ts")))) as {
    // biome-ignore lint/suspicious/noExplicitAny: the compiler checks answers in test/workers/query/openapi.test.ts
    createClient: (options: object) => Record<Called, (...given: readonly unknown[]) => Promise<any>>;
    ApiError: new () => Error & { readonly status: number };
  };
  const { client } = services;
  const api = createClient({ baseUrl: client.queryUrl, token: SECRETS.ADMIN_TOKEN });
  const asking = createClient({ baseUrl: client.queryUrl, token: shop.api_key });
  const question = { site_id: shop.id, metrics: ["visitors"], date_range: "day" };
  expect((await asking.query(question)).results).toEqual([{ metrics: [1], dimensions: [] }]);
  const sent: [string, RequestInit][] = [];
  const seen = (url: string, init: RequestInit): Promise<Response> => {
    sent.push([url, init]);
    return fetch(url, init);
  };
  const patient = createClient({ baseUrl: client.queryUrl, token: shop.api_key, fetch: seen });
  await patient.query(question, { Prefer: "wait=5", format: "json" });
  expect(sent[0]?.[0]).toBe(`${client.queryUrl}/api/v2/query?format=json`);
  expect(sent[0]?.[1].headers).toMatchObject({ Prefer: "wait=5" });
  const made = await api.createStream({ name: "app" }, { id: shop.id });
  expect((await api.listStreams({ id: shop.id, limit: 1, after: 1 })).streams).toEqual([made]);
  const { text } = (await api.exportEvents({ id: shop.id, from: "2026-01-01", to: "2026-01-02" })) as Response;
  expect(typeof text).toBe("function");
  const refused = await asking.listKeys({ id: shop.id }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ApiError);
  expect((refused as { status: number }).status).toBe(403);
});
