// Questions that are answered from events, at the query Worker: what is read, what is too much, and what is left out.

import { beforeEach, expect, test } from "vitest";
import { encodeLogged } from "../../../core/archive/bundle.ts";
import type { ArchivedEvent } from "../../../core/archive/file.ts";
import { bundleKey } from "../../../core/archive/object-key.ts";
import { partitionsOf } from "../../../core/counting/placement.ts";
import type { RollupRow } from "../../../core/counting/rollup-row.ts";
import { JOB_KEPT_MS, JOB_STALE_MS, SCAN_BYTES_MAX, SCAN_EVENTS_MAX } from "../../../core/limits.ts";
import { DAY_MS, dateOf, dayAt } from "../../../core/time.ts";
import { driveQuestions } from "../../../queues/question.ts";
import { encodeParquet } from "../../../storage/archive/parquet.ts";
import { createErasure, markTold } from "../../../storage/ledger/erasure.ts";
import { notePlaces } from "../../../storage/ledger/places.ts";
import { writeRollups } from "../../../storage/ledger/rollup-write.ts";
import { eventOf } from "../../support/events.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../../support/query-worker.ts";
import { rowOf } from "../../support/rollup-rows.ts";

const today = dayAt("UTC", Date.now());
const MERCHANT = 1;
let worker: QueryWorker;
let shop: { readonly id: string; readonly api_key: string };
/** The one pool partition that merchant 1 is in. */
let partition: string;

beforeEach(async () => {
  worker = startQueryWorker();
  const body = { name: "Shop", time_zone: "UTC", currency: "EUR" };
  shop = (await worker.ask("POST", "/api/v1/merchants", { token: ADMIN_TOKEN, body })).body;
  partition = partitionsOf({ merchant: MERCHANT }, { poolSize: 4, regions: [] })[0] as string;
});

const ask = (change: object = {}, path = "/api/v2/query") =>
  worker.ask("POST", path, {
    token: shop.api_key,
    body: {
      site_id: shop.id,
      metrics: ["visitors", "pageviews"],
      date_range: "day",
      filters: [["is_not", "event:page", ["/hidden"]]],
      ...change,
    },
  });

const seen = (position: number, changes: object = {}, day = today): ArchivedEvent => {
  const facts = { merchant: MERCHANT, timestamp: day * DAY_MS + position, id: `event ${position}` };
  return { partition, position, event: eventOf({ ...facts, ...changes }) };
};

function archive(rows: readonly ArchivedEvent[], day = today): void {
  const file = { date: dateOf(day), partition, first: rows[0]?.position ?? 0, rows };
  worker.objects.set(bundleKey(file), encodeParquet(file));
}

function keepRecent(rows: readonly ArchivedEvent[]): void {
  const logged = rows.map(({ position, event }) => ({
    position,
    row: encodeLogged({ day: dayAt("UTC", event.timestamp), late: false, event }),
  }));
  worker.recent.set(partition, logged);
}

const counted = (day: number) => ({ ...rowOf({ bucket: day, partition, seen: { pageviews: 1 } }), merchant: MERCHANT });

test("[SCN-5] what is in the log and in the archive counts once, what is in one of them too", async () => {
  const rows = [1, 2, 3, 4].map((position) => seen(position, { visitor: `000000000000000${position}` }));
  archive(rows.slice(0, 3));
  keepRecent(rows.slice(1));
  const { body } = await ask();
  expect(body.results).toEqual([{ metrics: [4, 4], dimensions: [] }]);
  expect(body.meta).toMatchObject({ visitors: { exact: true }, sources: { from: "archive", rows: 0, objects: 1 } });
});

/** Says where rows of rollups were counted from: there something lies in the archive. */
async function note(rows: readonly RollupRow[]): Promise<void> {
  for (const { merchant, day, partition: name } of rows)
    await notePlaces(worker.db, { day, partition: name, merchants: [merchant] });
}

async function store(rows: readonly RollupRow[]): Promise<void> {
  await writeRollups(worker.db, rows);
  await note(rows);
}

test("[SCN-5] [GAP-1] a Day is looked for in the archive where something was archived, counted or not; neighbours' rows do not count", async () => {
  archive([seen(1), seen(2, { merchant: 2 })]);
  archive([seen(3, {}, today - 1)], today - 1);
  expect((await ask({ date_range: "7d" })).body.results[0].metrics).toEqual([0, 0]);
  await note([counted(today - 1)]);
  const { body } = await ask({ date_range: "7d" });
  expect(body.results[0].metrics).toEqual([1, 1]);
  expect(body.meta.sources).toMatchObject({ rows: 1, objects: 1 });
});

test("[SCN-5] who is to be erased, and is still in the archive, is left out", async () => {
  const stays = seen(2, { visitor: "00000000000000bb" });
  archive([seen(1, { visitor: "00000000000000aa" }), stays]);
  keepRecent([seen(3, { visitor: "00000000000000aa" })]);
  const now = Date.now() + 1_000;
  const common = {
    id: "ers_1",
    merchant: MERCHANT,
    kind: "visitor",
    visitor: "00000000000000aa",
    createdAt: now,
  } as const;
  const erasure = { ...common, fromDay: today, toDay: today + 1 };
  const made = await createErasure(worker.db, { erasure, partitions: [partition], openDays: [today] });
  await markTold(worker.db, { erasure: made, partition, position: 4 });
  expect((await ask()).body.results[0].metrics).toEqual([1, 1]);
});

/** A page view on each of so many Days, some in the archive and some only in the log. */
async function fillDays(count: number): Promise<void> {
  const days = Array.from({ length: count }, (_, index) => today - index);
  await store(days.map(counted));
  const rows = days.map((day, index) => {
    const url = `https://shop.example/${index % 3}`;
    return seen(index + 1, { visitor: `00000000000000a${index % 7}`, url, timestamp: day * DAY_MS + index }, day);
  });
  for (const [index, row] of rows.entries()) if (index > 2) archive([row], today - index);
  keepRecent(rows.slice(0, 5));
}

const large = { date_range: "all", dimensions: ["event:page"], metrics: ["visitors", "pageviews", "percentage"] };

test("[JOB-1] what is too large for a request becomes a job; its answer is that of one request, and is kept", async () => {
  await fillDays(230);
  const { status, headers, body } = await ask(large);
  expect([status, body.state, body.parts]).toEqual([202, "running", { all: 12, done: 0 }]);
  const path = headers.get("location") ?? "";
  expect(path).toBe(`/api/v2/queries/${body.id}`);
  const get = (token = shop.api_key) => worker.ask("GET", `${path}?site_id=${shop.id}`, { token });
  expect((await get()).body).toEqual(body);
  expect(await worker.deliver()).toBe(0);
  const done = await get();
  expect(done.status).toBe(200);
  expect(done.body.results).toEqual([
    { metrics: [7, 77, 100], dimensions: ["/0"] },
    { metrics: [7, 77, 100], dimensions: ["/1"] },
    { metrics: [7, 76, 100], dimensions: ["/2"] },
  ]);
  expect(done.body.meta).toMatchObject({ visitors: { exact: true }, sources: { from: "archive" } });
  expect([...worker.objects.keys()].filter((key) => key.startsWith("answers/"))).toEqual([
    `answers/${body.id}/answer.json`,
  ]);
  // Once more changes nothing.
  worker.questions.push({ job: body.id, part: 3, merchant: 1 });
  await worker.deliver();
  expect((await get()).body).toEqual(done.body);
});

test("[JOB-2] nobody but who asked sees it: not another merchant, not who has another link", async () => {
  await fillDays(210);
  const { body } = await ask(large);
  const other = await worker.ask("POST", "/api/v1/merchants", {
    token: ADMIN_TOKEN,
    body: { name: "Other", time_zone: "UTC", currency: "EUR" },
  });
  const path = `/api/v2/queries/${body.id}?site_id=${shop.id}`;
  expect((await worker.ask("GET", path, { token: other.body.api_key })).status).toBe(401);
  const asOther = `/api/v2/queries/${body.id}?site_id=${other.body.id}`;
  expect((await worker.ask("GET", asOther, { token: other.body.api_key })).status).toBe(404);
  expect((await worker.ask("GET", path, { token: "nonsense" })).status).toBe(401);
  const unknown = `/api/v2/queries/qry_x?site_id=${shop.id}`;
  expect((await worker.ask("GET", unknown, { token: shop.api_key })).status).toBe(404);
  expect((await worker.ask("GET", "/api/v2/queries/qry_x", { token: shop.api_key })).status).toBe(400);
  const share = await worker.ask("POST", `/api/v1/merchants/${shop.id}/shares`, {
    token: ADMIN_TOKEN,
    body: { name: "x", filters: [["is", "event:page", ["/0"]]] },
  });
  expect((await worker.ask("GET", path, { token: share.body.token })).status).toBe(404);
});

test("[JOB-3] a part that fails is tried again; one that goes on failing ends its job with a reason", async () => {
  await fillDays(210);
  const first = await ask(large);
  worker.broken = true;
  const path = (id: string) => `/api/v2/queries/${id}?site_id=${shop.id}`;
  const failing = worker.deliver();
  await failing;
  worker.broken = false;
  const { status, body } = await worker.ask("GET", path(first.body.id), { token: shop.api_key });
  expect([status, body.error]).toEqual([400, "The query could not be answered. Ask again."]);
});

test("[JOB-3] a lost message is sent again by the cron, and old answers are forgotten", async () => {
  await fillDays(210);
  const { body } = await ask(large);
  worker.questions.splice(0);
  const drive = (now: number) => driveQuestions({ ...worker.deps(), now: () => now });
  await drive(Date.now());
  expect(worker.questions).toEqual([]);
  await drive(Date.now() + JOB_STALE_MS + 1_000);
  expect(worker.questions).toHaveLength(11);
  await worker.deliver();
  const path = `/api/v2/queries/${body.id}?site_id=${shop.id}`;
  expect((await worker.ask("GET", path, { token: shop.api_key })).status).toBe(200);
  await drive(Date.now() + JOB_KEPT_MS + 1_000);
  expect((await worker.ask("GET", path, { token: shop.api_key })).status).toBe(404);
  expect([...worker.objects.keys()].filter((key) => key.startsWith("answers/"))).toEqual([]);
});

test("[JOB-4] who would wait gets the answer itself, or where it will be", async () => {
  await fillDays(210);
  const headers = { prefer: "respond-async, wait=5" };
  const body = { site_id: shop.id, filters: [["is_not", "event:page", ["/x"]]], ...large };
  const asked = worker.ask("POST", "/api/v2/query", { token: shop.api_key, body, headers });
  const delivering = setInterval(() => void worker.deliver(), 50);
  const { status, body: answer } = await asked;
  clearInterval(delivering);
  expect([status, answer.results?.length]).toEqual([200, 3]);
  const soon = await worker.ask("POST", "/api/v2/query", { token: shop.api_key, body, headers: { prefer: "wait=0" } });
  expect(soon.status).toBe(202);
});

test("[JOB-5] a merchant has five under way at most", async () => {
  await fillDays(210);
  for (let number = 0; number < 5; number++) expect((await ask(large)).status).toBe(202);
  const { status, body, headers } = await ask(large);
  expect([status, body.code, body.error]).toEqual([
    429,
    "rate_limited",
    expect.stringContaining("5 large queries are under way"),
  ]);
  expect(headers.get("retry-after")).toBe("10");
});

test("[JOB-5] of a range of more (Day, partition)s none is left out: it is refused, also where a Day has moved", async () => {
  const days = Array.from({ length: 68 }, (_, index) => today - 70 + index);
  const own = Array.from({ length: 64 }, (_, index) => `merchant-${MERCHANT}-${index}`);
  const rows = days.flatMap((day) => own.map((name) => ({ ...counted(day), partition: name })));
  await store(rows);
  const [first, last] = [days[2] as number, days[63] as number];
  // In the range are 62 times 64, fewer than a job may have. Those near it are looked up as well.
  const question = { ...large, date_range: [dateOf(first), dateOf(last)] };
  const past = [{ zone: "Asia/Tokyo", from: first * DAY_MS, to: (first + 1) * DAY_MS, days: [first - 1, first + 2] }];
  const move = worker.db.prepare("UPDATE merchants SET past_zones = ? WHERE number = ?");
  await move.bind(JSON.stringify(past), MERCHANT).run();
  const { status, body } = await ask(question);
  expect([status, body.error ?? body.parts]).toEqual([400, expect.stringContaining("more than 4000")]);
  const fewer = await ask({ ...question, date_range: [dateOf(first), dateOf(last - 4)] });
  expect([fewer.status, fewer.body.parts]).toEqual([202, { all: 58, done: 0 }]);
});

const step = (page: string) => ({ filters: [["is", "event:page", [page]]] });
const days40 = { date_range: [dateOf(today - 39), dateOf(today)] };
const report = { metrics: undefined, filters: undefined, ...days40 };
const KINDS: readonly (readonly [what: string, path: string, question: object])[] = [
  ["a question", "query", { ...large, ...days40 }],
  [
    "a comparison",
    "query",
    {
      ...large,
      date_range: [dateOf(today - 19), dateOf(today)],
      include: { comparisons: { mode: "previous_period" }, total_rows: true },
    },
  ],
  [
    "a comparison with a range that overlaps",
    "query",
    {
      dimensions: ["event:page", "time:day"],
      date_range: [dateOf(today - 29), dateOf(today - 2)],
      include: { comparisons: { mode: "custom", date_range: [dateOf(today - 36), dateOf(today - 9)] } },
    },
  ],
  [
    "a funnel",
    "funnel",
    { ...report, steps: [step("/0"), step("/1"), step("/0"), step("/2")], window_seconds: 31 * 86_400 },
  ],
  ["retention", "retention", report],
  ["paths", "paths", { ...report, depth: 2, filters: [["is_not", "event:page", ["/2"]]] }],
];

test.each(KINDS)(
  "[JOB-6] as a job, %s is answered as in a request, whatever is delivered twice or fails",
  async (...asked) => {
    const [, path, question] = asked;
    await fillDays(40);
    const inRequest = await ask(question, `/api/v2/${path}`);
    expect(inRequest.status).toBe(200);
    // Rollups that say there are more events than a request may count.
    const many = { ...counted(today - 5), version: 9 };
    await store([{ ...many, counts: { ...many.counts, events: SCAN_EVENTS_MAX + 1 } }]);
    const { status, headers, body } = await ask(question, `/api/v2/${path}`);
    expect([status, body.state]).toEqual([202, "running"]);
    expect(body.parts.all).toBeGreaterThan(1);
    const parts = [...worker.questions];
    worker.questions.push(...parts);
    worker.failing = 3;
    expect(await worker.deliver()).toBe(3);
    worker.questions.push(...parts.reverse());
    await worker.deliver();
    const get = (siteId: string, token: string) =>
      worker.ask("GET", `${headers.get("location")}?site_id=${siteId}`, { token });
    const done = await get(shop.id, shop.api_key);
    expect(done.status).toBe(200);
    expect(done.body.results).toEqual(inRequest.body.results);
    expect(done.body.results.length).toBeGreaterThan(0);
    expect(done.body.query).toEqual(inRequest.body.query);
    const { as_of, sources, ...meta } = done.body.meta;
    expect(inRequest.body.meta).toMatchObject(meta);
    expect([typeof as_of, sources.from]).toEqual(["string", "archive"]);
    const other = await worker.ask("POST", "/api/v1/merchants", {
      token: ADMIN_TOKEN,
      body: { name: "Other", time_zone: "UTC", currency: "EUR" },
    });
    expect((await get(other.body.id, other.body.api_key)).status).toBe(404);
  },
);

test("[JOB-6] a comparison of which one range alone is too large, or deleted, is a job of both, or refused", async () => {
  await fillDays(40);
  const many = { ...counted(today - 15), version: 9 };
  await store([{ ...many, counts: { ...many.counts, events: SCAN_EVENTS_MAX + 1 } }]);
  const compared = {
    date_range: [dateOf(today - 9), dateOf(today)],
    include: { comparisons: { mode: "previous_period" } },
  };
  const { status, body } = await ask(compared);
  expect([status, body.parts]).toEqual([202, { all: 1, done: 0 }]);
  const patch = { token: ADMIN_TOKEN, body: { retention_days: 30 } };
  await worker.ask("PATCH", `/api/v1/merchants/${shop.id}`, patch);
  const further = { ...compared, date_range: [dateOf(today - 19), dateOf(today)] };
  const refused = await ask(further);
  expect([refused.status, refused.body.error]).toEqual([400, expect.stringContaining("are deleted")]);
});

test("[SCN-6] bytes are known before they are read", async () => {
  const file = { date: dateOf(today), partition, first: 1, rows: [] };
  worker.objects.set(bundleKey(file), new Uint8Array(SCAN_BYTES_MAX + 1));
  await store([counted(today)]);
  const now = { metrics: undefined, filters: undefined, date_range: undefined };
  const { status, body } = await ask(now, "/api/v2/realtime");
  expect([status, body.error]).toEqual([400, expect.stringMatching(/^#\/date_range: The query needs more than 40 MB/)]);
  expect((await ask()).status).toBe(202);
  expect((await ask({ metrics: undefined, filters: undefined }, "/api/v2/paths")).status).toBe(202);
  expect((await ask({ filters: [] })).status).toBe(200);
});

test("[SCN-6] while the archive is too far behind there is no answer, and no half of one", async () => {
  worker.isBehind = true;
  expect((await ask()).status).toBe(503);
  expect((await ask({ filters: [] })).status).toBe(200);
});

test("[SCN-6] Days whose events are deleted by retention are refused, and from when there are events is said", async () => {
  const patched = await worker.ask("PATCH", `/api/v1/merchants/${shop.id}`, {
    token: ADMIN_TOKEN,
    body: { retention_days: 30 },
  });
  expect(patched.status).toBe(200);
  expect((await ask({ date_range: "30d" })).status).toBe(200);
  const { status, body } = await ask({ date_range: "91d" });
  expect([status, body.error]).toEqual([
    400,
    expect.stringContaining(`Events before ${dateOf(today - 30)} are deleted`),
  ]);
});

test("[SCN-6] regular expressions that take too long are stopped", async () => {
  const rows = Array.from({ length: 400 }, (_, position) =>
    seen(position + 1, { url: `https://shop.example/${"a".repeat(1_900)}${position}` }),
  );
  archive(rows);
  keepRecent(rows.slice(0, 1));
  const { status, body } = await ask({ filters: [["matches", "event:page", [`(${"a?".repeat(160)})*b`]]] });
  expect([status, body.error]).toEqual([
    400,
    expect.stringMatching(/^#\/filters\/0: The query needs more than \d+ steps/),
  ]);
});

test("[RPT-5] reports are asked like questions, with the same key, of the same events", async () => {
  const now = Date.now();
  const rows = ["/a", "/b"].map((page, index) =>
    seen(index + 1, { timestamp: now - 60_000 + index, url: `https://shop.example${page}` }),
  );
  archive(rows);
  keepRecent(rows);
  const day = dateOf(dayAt("UTC", now - 60_000));
  const common = { metrics: undefined, filters: undefined, date_range: [day, dateOf(today)] };
  const funnel = await ask({ ...common, steps: [step("/a"), step("/b")] }, "/api/v2/funnel");
  expect(funnel.body).toMatchObject({
    results: [
      { name: "Step 1", visitors: 1 },
      { name: "Step 2", visitors: 1, conversion_rate: 100 },
    ],
    meta: { sources: { from: "archive", objects: 1 } },
    query: { steps: ["Step 1", "Step 2"], window_seconds: 86_400 },
  });
  const paths = await ask(common, "/api/v2/paths");
  expect(paths.body.results).toEqual([{ pages: ["/a", "/b"], visits: 1 }]);
  const retention = await ask(common, "/api/v2/retention");
  expect(retention.body.results).toMatchObject([{ visitors: 1 }]);
  const realtime = await ask({ ...common, date_range: undefined }, "/api/v2/realtime");
  expect(realtime.body.results).toMatchObject({ visitors: 1 });
  expect((await ask({ ...common, steps: [] }, "/api/v2/funnel")).status).toBe(400);
  expect((await worker.ask("POST", "/api/v2/funnel", { body: { site_id: shop.id } })).status).toBe(401);
});
