// POST /api/v2/batch at the query Worker: what a batch is, what is read for it, and what becomes of what is too large.
// That its answers are those of its questions alone is shown with random ones in test/answers/batch.test.ts.

import { beforeEach, expect, test } from "vitest";
import { encodeLogged } from "../../../core/archive/bundle.ts";
import type { ArchivedEvent } from "../../../core/archive/file.ts";
import { bundleKey } from "../../../core/archive/object-key.ts";
import { partitionsOf } from "../../../core/counting/placement.ts";
import { BATCH_QUESTIONS_MAX } from "../../../core/limits.ts";
import { DAY_MS, dateOf, dayAt } from "../../../core/time.ts";
import { encodeParquet } from "../../../storage/archive/parquet.ts";
import { notePlaces } from "../../../storage/ledger/places.ts";
import { writeRollups } from "../../../storage/ledger/rollup-write.ts";
import { eventOf } from "../../support/events.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../../support/query-worker.ts";
import { rowOf } from "../../support/rollup-rows.ts";

const today = dayAt("UTC", Date.now());
const WEEK = [dateOf(today - 6), dateOf(today)];
const MERCHANT = 1;
let worker: QueryWorker;
let shop: { readonly id: string; readonly api_key: string };
let partition: string;

beforeEach(async () => {
  worker = startQueryWorker();
  const body = { name: "Shop", time_zone: "UTC", currency: "EUR" };
  shop = (await worker.ask("POST", "/api/v1/merchants", { token: ADMIN_TOKEN, body })).body;
  partition = partitionsOf({ merchant: MERCHANT }, { poolSize: 4, regions: [] })[0] as string;
});

const FILTERS = [["is_not", "event:page", ["/hidden"]]];
const PANELS = {
  top: { metrics: ["visitors", "pageviews"] },
  graph: { metrics: ["visitors"], dimensions: ["time:day"] },
  pages: { metrics: ["visitors", "pageviews"], dimensions: ["event:page"] },
  countries: { metrics: ["visitors"], dimensions: ["visit:country"] },
  browsers: { metrics: ["visitors"], dimensions: ["visit:browser"] },
  sources: { metrics: ["visitors"], dimensions: ["visit:source"], pagination: { limit: 9 } },
  entries: { metrics: ["visits"], dimensions: ["visit:entry_page"] },
};
const REPORT_PANELS = {
  way: { kind: "funnel", steps: ["/a", "/b"].map((page) => ({ filters: [["is", "event:page", [page]]] })) },
  back: { kind: "retention" },
  paths: { kind: "paths", depth: 2 },
};

const batch = (change: object = {}, given: { token?: string; headers?: Record<string, string> } = {}) =>
  worker.ask("POST", "/api/v2/batch", {
    token: shop.api_key,
    ...given,
    body: { site_id: shop.id, date_range: WEEK, filters: FILTERS, questions: PANELS, ...change },
  });

async function alone(question: object, { token = shop.api_key, date_range = WEEK as unknown } = {}) {
  const { kind = "query", filters = [], ...own } = question as { kind?: string; filters?: readonly unknown[] };
  const body = { ...own, site_id: shop.id, date_range, filters: [...FILTERS, ...filters] };
  return (await worker.ask("POST", `/api/v2/${kind}`, { token, body })).body;
}

const seen = (position: number, day: number): ArchivedEvent => {
  const visitor = `${position % 7}`.padStart(16, "0");
  const page = ["/a", "/b", "/c"][position % 3] as string;
  const at = { timestamp: day * DAY_MS + position * 1_000, id: `event ${day} ${position}`, merchant: MERCHANT };
  return { partition, position, event: eventOf({ ...at, visitor, url: `https://shop.example${page}` }) };
};

/** Some events of yesterday in the archive, and some of today in the partition's log. */
async function fill(): Promise<void> {
  const rows = Array.from({ length: 20 }, (_, index) => seen(index + 1, today - 1));
  const file = { date: dateOf(today - 1), partition, first: 1, rows };
  worker.objects.set(bundleKey(file), encodeParquet(file));
  await notePlaces(worker.db, { day: today - 1, partition, merchants: [MERCHANT] });
  const logged = [21, 22, 23].map((position) => {
    const { event } = seen(position, today);
    return { position, row: encodeLogged({ day: dayAt("UTC", event.timestamp), late: false, event }) };
  });
  worker.recent.set(partition, logged);
}

/** Without the instant, which goes on between two requests. */
const dated = (answer: { meta: object }) => ({ ...answer, meta: { ...answer.meta, as_of: "then" } });

test("[BAT-1] [BAT-2] each question has the answer that it has alone, or its own refusal", async () => {
  await fill();
  const own = { ...PANELS, ...REPORT_PANELS, a: { metrics: ["visitors"], filters: [["is", "event:page", ["/a"]]] } };
  const wrong = { typo: { metrics: ["visitor"] }, none: {}, report: { kind: "paths", depth: 99 } };
  const { status, body, headers } = await batch({ questions: { ...own, ...wrong } });
  expect([status, headers.get("cache-control")]).toEqual([200, "no-store"]);
  expect(Object.keys(body.answers)).toEqual(Object.keys({ ...own, ...wrong }));
  for (const [name, question] of Object.entries(own)) {
    expect(body.answers[name].meta.as_of).toBe(body.as_of);
    const single = await alone(question);
    const { remembered: _, ...sources } = single.meta.sources;
    expect(JSON.stringify(dated(body.answers[name])), name).toBe(
      JSON.stringify(dated({ ...single, meta: { ...single.meta, sources } })),
    );
  }
  for (const [name, question] of Object.entries(wrong)) expect(body.answers[name]).toEqual(await alone(question));
  expect(body.answers.top.results[0].metrics[1]).toBe(23);
});

test("[BAT-3] partitions are asked once, and objects of the archive read once, for all questions", async () => {
  await fill();
  const asked = async (questions: object) => {
    worker.counted.live = worker.counted.recent = worker.counted.gets = 0;
    expect((await batch({ questions })).status).toBe(200);
    return { ...worker.counted };
  };
  const one = await asked({ pages: PANELS.pages });
  expect(one).toEqual({ live: expect.any(Number), recent: 1, gets: expect.any(Number), present: 0 });
  expect(one.gets).toBeGreaterThan(0);
  expect(await asked(PANELS)).toEqual(one);
});

test("[BAT-1] what is no batch is refused as a whole", async () => {
  const refused: readonly (readonly [change: object, error: string])[] = [
    [{ questions: {} }, "#/questions: Expected a minimum of 1"],
    [{ questions: [] }, "#/questions: Type mismatch. Expected Object but got Array."],
    [{ questions: { "a b": PANELS.top } }, '#/questions: Invalid name "a b".'],
    [{ questions: { [`${"x".repeat(41)}`]: PANELS.top } }, "#/questions: Invalid name"],
    [{ questions: { a: [] } }, "#/questions/a: Type mismatch."],
    [{ questions: { a: { ...PANELS.top, date_range: "day" } } }, "#/questions/a/date_range: All questions"],
    [{ questions: { a: { ...PANELS.top, site_id: "x" } } }, "#/questions/a/site_id: All questions"],
    [{ questions: { a: { kind: "realtime" } } }, '#/questions/a/kind: Invalid kind "realtime"'],
    [{ questions: { a: { kind: "toString" } } }, '#/questions/a/kind: Invalid kind "toString"'],
    [{ metrics: [] }, "#/metrics: Schema does not allow additional properties."],
    [{ filters: 1 }, "#/filters: Type mismatch."],
    [{ include: [] }, "#/include: Type mismatch."],
    [{ if_version: 1 }, "#/if_version: Type mismatch."],
    [{ date_range: undefined }, "#: Required property date_range"],
  ];
  for (const [change, error] of refused) {
    const { status, body } = await batch(change);
    expect([status, body.error]).toEqual([400, expect.stringContaining(error)]);
  }
  const many = Array.from({ length: BATCH_QUESTIONS_MAX + 1 }, (_, index) => [`q${index}`, PANELS.top]);
  const { status, body } = await batch({ questions: Object.fromEntries(many) });
  expect([status, body.field]).toEqual([400, "questions"]);
  expect((await batch({ questions: Object.fromEntries(many.slice(1)) })).status).toBe(200);
  expect((await batch({}, { token: "nonsense" })).status).toBe(401);
});

test("[BAT-4] whoever has the version is told that nothing changed, and gets answers once something has", async () => {
  await fill();
  const first = await batch();
  expect(first.body.version).toMatch(/^[0-9a-f]{32}$/);
  const same = await batch({ if_version: first.body.version });
  expect(same.body).toEqual({ as_of: expect.any(String), version: first.body.version, unchanged: true });
  const { row } = { row: encodeLogged({ day: today, late: false, event: seen(24, today).event }) };
  worker.recent.set(partition, [...(worker.recent.get(partition) ?? []), { position: 24, row }]);
  const other = await batch({ if_version: first.body.version });
  expect(other.body.answers.top.results[0].metrics[1]).toBe(24);
  expect(other.body.version).not.toBe(first.body.version);
});

test("[BAT-5] as lines answers come as they are ready, those of rollups first, and a line ends them", async () => {
  await fill();
  const questions = { pages: PANELS.pages, top: { metrics: ["pageviews"] } };
  const asked = {
    site_id: shop.id,
    date_range: WEEK,
    questions: { ...questions, pages: { ...PANELS.pages, filters: FILTERS } },
  };
  const text = await worker.text("POST", "/api/v2/batch", {
    token: shop.api_key,
    body: asked,
    headers: { accept: "application/x-ndjson" },
  });
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(lines.map(({ name }) => name)).toEqual(["top", "pages", undefined]);
  const { body } = await batch({ filters: undefined, questions: asked.questions });
  expect(dated(lines[1].answer)).toEqual(dated({ ...body.answers.pages, meta: { ...body.answers.pages.meta } }));
  expect(lines[2]).toEqual({ as_of: expect.any(String), version: body.version });
});

test("[BAT-6] questions that are too large become one job, the others are answered at once", async () => {
  const counted = (day: number) => ({
    ...rowOf({ bucket: day, partition, seen: { pageviews: 1 } }),
    merchant: MERCHANT,
  });
  const days = Array.from({ length: 210 }, (_, index) => today - 209 + index);
  await writeRollups(worker.db, days.map(counted));
  for (const day of days) await notePlaces(worker.db, { day, partition, merchants: [MERCHANT] });
  await fill();
  const date_range = [dateOf(today - 209), dateOf(today)];
  const questions = {
    fast: { metrics: ["pageviews"] },
    slow: { metrics: ["visitors", "pageviews"], dimensions: ["event:page"], filters: FILTERS },
    other: { metrics: ["visitors"], dimensions: ["visit:browser"], filters: FILTERS },
    ...REPORT_PANELS,
  };
  const { body } = await batch({ date_range, filters: [], questions });
  expect(body.answers.fast.results).toEqual([{ metrics: [210], dimensions: [] }]);
  const { id } = body.answers.slow;
  const running = { id, state: "running", parts: { all: 11, done: 0 } };
  expect(body.answers).toMatchObject({ slow: running, other: running, way: running, back: running, paths: running });
  expect([body.version, worker.questions.length]).toEqual([null, 11]);
  expect(await worker.deliver()).toBe(0);
  const done = await worker.ask("GET", `/api/v2/queries/${id}?site_id=${shop.id}`, { token: shop.api_key });
  expect(Object.keys(done.body.answers).sort()).toEqual(["back", "other", "paths", "slow", "way"]);
  for (const [name, question] of Object.entries(questions).filter(([one]) => one !== "fast")) {
    const { kind = "query", ...own } = question as { kind?: string };
    const sent = { ...own, site_id: shop.id, date_range };
    const single = await worker.ask("POST", `/api/v2/${kind}`, { token: shop.api_key, body: sent });
    await worker.deliver();
    const its = await worker.ask("GET", `/api/v2/queries/${single.body.id}?site_id=${shop.id}`, {
      token: shop.api_key,
    });
    expect(done.body.answers[name].results, name).toEqual(its.body.results);
    expect(done.body.answers[name].query, name).toEqual(its.body.query);
  }
});

test("[BAT-1] [SHR-2] a share link's filters hold for every question of a batch", async () => {
  await fill();
  const share = await worker.ask("POST", `/api/v1/merchants/${shop.id}/shares`, {
    token: ADMIN_TOKEN,
    body: { name: "x", filters: [["is", "event:page", ["/a"]]] },
  });
  const token = share.body.token;
  const { body } = await batch({ questions: { ...PANELS, ...REPORT_PANELS } }, { token });
  for (const [name, question] of Object.entries({ ...PANELS, ...REPORT_PANELS }))
    expect(dated(body.answers[name]), name).toEqual(dated(await alone(question, { token })));
  expect(body.answers.pages.results.map(({ dimensions }: { dimensions: string[] }) => dimensions)).toEqual([["/a"]]);
});

test("[BAT-1] a question that fails leaves the others, and no zero stands in its place", async () => {
  await fill();
  worker.broken = true;
  const { status, body } = await batch({ questions: { top: PANELS.top, wrong: {} } });
  expect([status, body.answers.top.code, body.answers.wrong.code]).toEqual([200, "unavailable", "missing_field"]);
  expect(body.version).toBeNull();
});
