// Share links: who has one sees one merchant's numbers, with the link's filters on every question, and nothing else.

import { beforeEach, expect, test } from "vitest";
import { SHARE_FILTERS_DEPTH_MAX } from "../../../core/limits.ts";
import { comparisonsOf, withoutGoals } from "../../../core/query/filter.ts";
import { planQuestion } from "../../../core/query/plan.ts";
import { parseQuestion } from "../../../core/query/question.ts";
import { resolveRange } from "../../../core/query/range.ts";
import { hashKey } from "../../../storage/directory/credential.ts";
import { GUARDED_ROUTES } from "../../../workers/query/api.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../../support/query-worker.ts";

let worker: QueryWorker;
let shop: { readonly id: string; readonly tracking_id: string };
let other: { readonly id: string };

const as = (token: string, method: string, path: string, body?: unknown) => worker.ask(method, path, { token, body });
const share = async (body: object) =>
  (await as(ADMIN_TOKEN, "POST", `/api/v1/merchants/${shop.id}/shares`, { name: "For the press", ...body })).body;
const asking = (token: string, site_id: string, more: object = {}) =>
  as(token, "POST", "/api/v2/query", { site_id, metrics: ["pageviews"], date_range: "day", ...more });

beforeEach(async () => {
  worker = startQueryWorker();
  const make = async (name: string) =>
    (await as(ADMIN_TOKEN, "POST", "/api/v1/merchants", { name, time_zone: "UTC", currency: "EUR" })).body;
  shop = await make("Shop");
  other = await make("Other");
});

test("[SHR-1] a link asks about its merchant, under any of its names, and about no other", async () => {
  const { token, id } = await share({});
  expect(token).toMatch(/^ffs_[\w-]{43}$/);
  for (const name of [shop.id, shop.tracking_id]) expect((await asking(token, name)).status).toBe(200);
  const wrong = [await asking(token, other.id), await asking(`ffs_${"A".repeat(43)}`, shop.id)];
  expect(new Set(wrong.map(({ status, body }) => `${status} ${JSON.stringify(body)}`))).toEqual(
    new Set([expect.stringMatching(/^401 .*Invalid API key or site ID/)]),
  );
  expect((await as(token, "GET", "/api/v1/shared")).body).toEqual({
    id,
    name: "For the press",
    site_id: shop.id,
    time_zone: "UTC",
    currency: "EUR",
    filters: [],
  });
});

test("[SHR-6] a link may be framed by the origins that it names, of which no text makes anything but an origin", async () => {
  const origins = ["https://blog.example", "https://a-b.shop.example:8443"];
  const made = await share({ embed_origins: origins });
  expect(made.embed_origins).toEqual(origins);
  const policyOf = async (id: string) =>
    (await worker.open(`/embed/${id}`, {})).headers
      .get("content-security-policy")
      ?.match(/frame-ancestors ([^;]*)/)?.[1];
  expect(await policyOf(made.id)).toBe(origins.join(" "));
  expect(await policyOf((await share({})).id)).toBe("'none'");
  expect(await policyOf("shr_none")).toBe("'none'");
  const ends = new Date(Date.now() + 60_000).toISOString();
  const ending = await share({ embed_origins: origins, expires_at: ends });
  expect(await policyOf(ending.id)).toBe(origins.join(" "));
  await worker.db.prepare("UPDATE shares SET expires_at = 1 WHERE expires_at IS NOT NULL").run();
  expect(await policyOf(ending.id)).toBe("'none'");
  await as(ADMIN_TOKEN, "DELETE", `/api/v1/merchants/${shop.id}/shares/${made.id}`);
  expect(await policyOf(made.id)).toBe("'none'");
  for (const wrong of [
    "https://a.example;sandbox",
    "https://a.example, https://b.example",
    "https://a.example/",
    "https://a.example/path",
    "https://*.example",
    "https://A.example",
    "http://a.example",
    "https://a.example:0",
    "https://a.example\n",
    "https://",
    "*",
    "'self'",
    "",
    7,
    null,
  ]) {
    const refused = await share({ embed_origins: [wrong] });
    expect(refused.error, String(wrong)).toMatchObject({ code: "invalid_field", field: "embed_origins" });
  }
  for (const wrong of [
    origins[0],
    {},
    [origins[0], origins[0]],
    Array.from({ length: 11 }, (_, n) => `https://a${n}.example`),
  ])
    expect((await share({ embed_origins: wrong })).error).toMatchObject({ field: "embed_origins" });
});

test("[SHR-1] a link opens nothing of the admin API", async () => {
  const { token } = await share({});
  for (const { method, path } of GUARDED_ROUTES) {
    const own = path.replace(":id", shop.id).replace(/:\w+_id/, "x");
    expect((await as(token, method, own)).status, `${method} ${path}`).toBe(401);
  }
});

test("[SHR-2] a link's filters hold in every question and report, whatever else it asks", async () => {
  const filters = [["is", "event:page", ["/press"]]];
  const { token } = await share({ filters });
  worker.seePages(1, { "/press": 3, "/": 50 });
  for (const [more, metrics] of [
    [{}, [[3]]],
    [{ filters: [] }, [[3]]],
    [{ dimensions: ["event:page"] }, [[3]]],
    [{ filters: [["is", "event:page", ["/"]]] }, [[0]]],
  ] as const) {
    const { status, body } = await asking(token, shop.id, more);
    expect([status, body.results?.map((result: { metrics: unknown }) => result.metrics)]).toEqual([200, metrics]);
    expect(body.query.filters).toEqual([...filters, ...("filters" in more ? more.filters : [])]);
  }
  for (const more of [{ filters: null }, { filters: {} }, { filters: "none" }])
    expect(await asking(token, shop.id, more)).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/^#\/filters/) },
    });
  for (const path of ["retention", "paths"]) {
    const body = { site_id: shop.id, date_range: "7d" };
    expect((await as(token, "POST", `/api/v2/${path}`, body)).body.query.filters).toEqual(filters);
  }
  expect((await as(token, "GET", "/api/v1/shared")).body.filters).toEqual(filters);
});

test("[SHR-2] conversions are compared with those whom the link shows, also where its filters are about goals", () => {
  const fixed = [["is", "event:props:plan", ["pro"]]];
  const question = { site_id: "x", metrics: ["conversion_rate"], date_range: "7d", dimensions: ["event:goal"] };
  const parsed = parseQuestion({ ...question, filters: [["is", "event:goal", ["Pay"]]] }, fixed);
  if (!parsed.ok) throw new Error(parsed.rejection.message);
  const left = comparisonsOf(withoutGoals(parsed.value.filter)).map(({ attribute }) => attribute.question);
  expect(left).toEqual(["event:props:plan"]);
  const byGoal = parseQuestion(question, [["is", "event:goal", ["Pay"]]]);
  if (!byGoal.ok) throw new Error(byGoal.rejection.message);
  const range = resolveRange(byGoal.value.dateRange, { zones: [{ from: 0, zone: "UTC" }], now: Date.now() });
  const plan = range.ok ? planQuestion(byGoal.value, range.value, [{ from: 0, zone: "UTC" }]) : range;
  expect(plan).toMatchObject({ ok: true, value: { source: "archive" } });
});

test("[SHR-3] a link that was revoked or has ended opens nothing, at once", async () => {
  const path = `/api/v1/merchants/${shop.id}/shares`;
  const made = await share({});
  const short = await share({ expires_at: new Date(Date.now() + 60_000).toISOString() });
  for (const { token } of [made, short]) expect((await asking(token, shop.id)).status).toBe(200);
  expect((await as(ADMIN_TOKEN, "DELETE", `${path}/${made.id}`)).body).toEqual({ id: made.id, revoked: true });
  await worker.db.prepare("UPDATE shares SET expires_at = 1").run();
  for (const { token } of [made, short]) {
    expect((await asking(token, shop.id)).status).toBe(401);
    expect((await as(token, "GET", "/api/v1/shared")).status).toBe(401);
  }
  expect((await as(ADMIN_TOKEN, "DELETE", `/api/v1/merchants/${other.id}/shares/${short.id}`)).status).toBe(404);
  expect((await as(ADMIN_TOKEN, "DELETE", `${path}/shr_none`)).status).toBe(404);
});

test("[SHR-3] a link is shown once, and lists and the log of acts do not open anything", async () => {
  const { token, id } = await share({});
  const list = (await as(ADMIN_TOKEN, "GET", `/api/v1/merchants/${shop.id}/shares`)).body;
  expect(list.shares).toMatchObject([{ id, name: "For the press", filters: [], expires_at: null }]);
  const log = (await as(ADMIN_TOKEN, "GET", "/api/v1/audit")).body;
  expect(log.audit[0]).toMatchObject({ act: "share.create", target: id });
  for (const text of [JSON.stringify(list), JSON.stringify(log)])
    for (const form of [token, hashKey(token)]) expect(text).not.toContain(form);
});

const deep = (levels: number): unknown => (levels === 0 ? "x" : [deep(levels - 1)]);
const REFUSED: readonly (readonly [what: string, body: object, field: string])[] = [
  ["filters that are no list", { filters: {} }, "filters"],
  ["filters that are too long", { filters: [["is", "event:page", ["x".repeat(5_000)]]] }, "filters"],
  ["filters that no question could have", { filters: [["is", "visit:name", ["x"]]] }, "filters"],
  ["filters that nest too deep", { filters: deep(SHARE_FILTERS_DEPTH_MAX + 1) }, "filters"],
  ["an end that is past", { expires_at: "2020-01-01T00:00:00Z" }, "expires_at"],
  ["no name", { name: "" }, "name"],
];
test.each(REFUSED)("[SHR-4] %s: refused by name", async (_, body, field) => {
  expect(await as(ADMIN_TOKEN, "POST", `/api/v1/merchants/${shop.id}/shares`, { name: "x", ...body })).toMatchObject({
    status: 400,
    body: { error: { field } },
  });
});

test("[SHR-4] a merchant has at most 100 links", async () => {
  await worker.db
    .prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
       INSERT INTO shares (id, merchant, name, hash, hint, filters, created_at) SELECT 'shr_' || i, 1, 'x', 'h' || i, 'ffs_', '[]', 0 FROM n`,
    )
    .run();
  const path = `/api/v1/merchants/${shop.id}/shares`;
  expect((await as(ADMIN_TOKEN, "POST", path, { name: "one more" })).status).toBe(409);
});
