// Segments: filters saved by name, named in questions, reports and share links of their merchant, and of no other.

import { beforeEach, expect, test } from "vitest";
import { SEGMENTS_COUNT_MAX, SEGMENTS_NAMED_MAX } from "../../../core/limits.ts";
import { withSegments } from "../../../core/query/segment.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../../support/query-worker.ts";

let worker: QueryWorker;
let shop: { readonly id: string; readonly api_key: string };
let other: { readonly id: string; readonly api_key: string };

const PRESS = [["is", "event:page", ["/press"]]];
const as = (token: string, method: string, path: string, body?: unknown) => worker.ask(method, path, { token, body });
const admin = (method: string, path: string, body?: unknown) =>
  as(ADMIN_TOKEN, method, `/api/v1/merchants/${shop.id}${path}`, body);
const save = async (body: object) =>
  (await admin("POST", "/segments", { name: "Press", filters: PRESS, ...body })).body;
const asking = (token: string, site_id: string, filters: unknown, path = "query") =>
  as(token, "POST", `/api/v2/${path}`, {
    site_id,
    date_range: "day",
    filters,
    ...(path === "query" && { metrics: ["pageviews"] }),
  });

beforeEach(async () => {
  worker = startQueryWorker();
  const make = async (name: string) =>
    (await as(ADMIN_TOKEN, "POST", "/api/v1/merchants", { name, time_zone: "UTC", currency: "EUR" })).body;
  shop = await make("Shop");
  other = await make("Other");
  worker.seePages(1, { "/press": 3, "/": 50 });
});

test("[SEG-1] a segment is saved, listed, changed and deleted; its name is the merchant's own", async () => {
  const segment = await save({});
  expect(segment).toEqual({
    id: expect.stringMatching(/^seg_/),
    name: "Press",
    filters: PRESS,
    created_at: expect.any(String),
    updated_at: segment.created_at,
  });
  expect((await admin("POST", "/segments", { name: "Press", filters: PRESS })).status).toBe(409);
  const root = [["is", "event:page", ["/"]]];
  const changed = await admin("PATCH", `/segments/${segment.id}`, { name: "Root", filters: root });
  expect([changed.status, changed.body]).toMatchObject([200, { id: segment.id, name: "Root", filters: root }]);
  const second = await save({});
  expect((await admin("PATCH", `/segments/${second.id}`, { name: "Root" })).status).toBe(409);
  expect((await admin("PATCH", `/segments/${second.id}`, { name: "Press" })).status).toBe(200);
  expect((await admin("GET", "/segments")).body.segments.map(({ name }: { name: string }) => name).sort()).toEqual([
    "Press",
    "Root",
  ]);
  expect((await admin("DELETE", `/segments/${second.id}`)).body).toEqual({ id: second.id, deleted: true });
  expect((await admin("DELETE", `/segments/${second.id}`)).status).toBe(404);
});

test.each([
  [[], "no filters"],
  [[["is", "segment", ["Press"]]], "another segment"],
  [[["not", ["is", "segment", ["Press"]]]], "another segment inside"],
  [[["is", "event:pages", ["/"]]], "no dimension"],
  [[["is", "event:page", ["x".repeat(4_096)]]], "too long"],
])("[SEG-2] %j are no filters of a segment: %s", async (filters) => {
  expect(await admin("POST", "/segments", { name: "x", filters })).toMatchObject({
    status: 400,
    body: { error: { code: "invalid_field", field: "filters" } },
  });
});

test("[SEG-3] a question names a segment by id or name and gets its filters in that place", async () => {
  const { id } = await save({});
  for (const [filters, pageviews] of [
    [[["is", "segment", [id]]], 3],
    [[["is", "segment", ["Press"]]], 3],
    [[["and", [["is", "segment", ["Press"]]]]], 3],
  ] as const) {
    const { status, body } = await asking(shop.api_key, shop.id, filters);
    expect([status, body.results, body.meta.sources.from]).toEqual([
      200,
      [{ metrics: [pageviews], dimensions: [] }],
      "rollups",
    ]);
  }
  const { body } = await asking(shop.api_key, shop.id, [["is", "segment", ["Press"]]]);
  expect(body.query.filters).toEqual(PRESS);
  for (const path of ["retention", "paths"])
    expect((await asking(shop.api_key, shop.id, [["is", "segment", ["Press"]]], path)).body.query.filters).toEqual(
      PRESS,
    );
  const steps = [{ filters: [["is", "segment", ["Press"]]] }, { filters: PRESS }];
  const funnel = { site_id: shop.id, date_range: "day", steps };
  expect((await as(shop.api_key, "POST", "/api/v2/funnel", funnel)).status).toBe(200);
});

test.each([
  [[["is", "segment", ["None"]]], /#\/filters\/0: There is no segment "None"/],
  [[["or", [["is", "segment", ["None"]]]]], /There is no segment "None"/],
  [[["contains", "segment", ["Press"]]], /Invalid filter/],
  [[["is", "segment", []]], /Invalid filter/],
  [[["is", "segment", "Press"]], /Invalid filter/],
  [[["is", "segment", ["Press"], {}]], /Invalid filter/],
  [[["is", "segment", Array(SEGMENTS_NAMED_MAX + 1).fill("Press")]], /At most 20 segments/],
  [Array(SEGMENTS_NAMED_MAX + 1).fill(["is", "segment", ["Press"]]), /At most 20 segments/],
])("[SEG-3] %j is refused", async (filters, error) => {
  await save({});
  expect(await asking(shop.api_key, shop.id, filters)).toMatchObject({
    status: 400,
    body: { error: expect.stringMatching(error) },
  });
});

test.each([
  [[["is", "segment", ["a"]]], ["A", "B"]],
  [[["is_not", "segment", ["a"]]], [["not", ["and", ["A", "B"]]]]],
  [
    [["is", "segment", ["a", "c"]]],
    [
      [
        "or",
        [
          ["and", ["A", "B"]],
          ["and", ["C"]],
        ],
      ],
    ],
  ],
  [
    [["not", ["is", "segment", ["c"]]], "X"],
    [["not", ["and", ["C"]]], "X"],
  ],
  [[["or", [["is", "segment", ["a"]], "X"]]], [["or", [["and", ["A", "B"]], "X"]]]],
  [[["has_done", ["is", "segment", ["c"]]]], [["has_done", ["and", ["C"]]]]],
  [[["is", "event:page", ["segment"]]], [["is", "event:page", ["segment"]]]],
  [[["contains", "event:page", ["is", "segment", "a"]]], [["contains", "event:page", ["is", "segment", "a"]]]],
])("[SEG-3] %j comes to %j", (filters, filled) => {
  const saved: Readonly<Record<string, readonly unknown[]>> = { a: ["A", "B"], c: ["C"] };
  expect(withSegments(filters, (name) => saved[name])).toEqual({ ok: true, value: filled });
});

test("[SEG-4] a segment is nobody else's: another merchant neither sees, names, changes nor deletes it", async () => {
  const { id } = await save({});
  const theirs = `/api/v1/merchants/${other.id}/segments`;
  for (const name of [id, "Press"])
    expect(await asking(other.api_key, other.id, [["is", "segment", [name]]])).toMatchObject({
      status: 400,
      body: { error: expect.stringMatching(/There is no segment/) },
    });
  expect((await as(ADMIN_TOKEN, "GET", theirs)).body.segments).toEqual([]);
  expect((await as(ADMIN_TOKEN, "PATCH", `${theirs}/${id}`, { name: "Mine" })).status).toBe(404);
  expect((await as(ADMIN_TOKEN, "DELETE", `${theirs}/${id}`)).status).toBe(404);
  expect((await as(ADMIN_TOKEN, "POST", theirs, { name: "Press", filters: PRESS })).status).toBe(201);
  expect((await admin("GET", "/segments")).body.segments).toHaveLength(1);
});

test("[SEG-5] a share link that names a segment shows what the segment is now, and keeps it from being deleted", async () => {
  const { id } = await save({});
  const link = (await admin("POST", "/shares", { name: "x", filters: [["is", "segment", ["Press"]]] })).body;
  expect(link.filters).toEqual([["is", "segment", [id]]]);
  expect((await asking(link.token, shop.id, [])).body.results[0].metrics).toEqual([3]);
  expect((await asking(link.token, shop.id, [["is", "event:page", ["/"]]])).body.results[0].metrics).toEqual([0]);
  expect((await admin("DELETE", `/segments/${id}`)).status).toBe(409);
  await admin("PATCH", `/segments/${id}`, { name: "Start", filters: [["is", "event:page", ["/"]]] });
  expect((await asking(link.token, shop.id, [])).body.results[0].metrics).toEqual([50]);
  expect(await admin("POST", "/shares", { name: "x", filters: [["is", "segment", ["Gone"]]] })).toMatchObject({
    status: 400,
    body: { error: { field: "filters" } },
  });
  // As if it had been deleted while the link was made: the link opens nothing.
  await worker.db.prepare("DELETE FROM segments").run();
  expect((await asking(link.token, shop.id, [])).status).toBe(403);
  await admin("DELETE", `/shares/${link.id}`);
});

test("[SEG-6] a merchant has a hundred segments at most, and none once it is erased", async () => {
  for (let made = 0; made < SEGMENTS_COUNT_MAX; made++) await save({ name: `segment ${made}` });
  expect((await admin("POST", "/segments", { name: "more", filters: PRESS })).status).toBe(409);
  const { status } = await as(ADMIN_TOKEN, "DELETE", `/api/v1/merchants/${shop.id}`);
  expect(status).toBe(202);
  expect((await worker.db.prepare("SELECT id FROM segments").all()).results).toEqual([]);
});
