// What rollups cannot tell: values that a cut took, and goals that are younger than the Day. Each answer is compared
// with that of the same question put so that it is counted from events alone, and it is said which Days were.

import { beforeAll, describe, expect, test } from "vitest";
import { SEAL_AFTER_MS } from "../../../core/limits.ts";
import { zeroMeter } from "../../../core/meter.ts";
import { parseQuestion } from "../../../core/query/question.ts";
import { NO_RULES, type Rules } from "../../../core/rules.ts";
import { DAY_MS, dateOf } from "../../../core/time.ts";
import { live } from "../../../durable-objects/live.ts";
import { recentEvents } from "../../../durable-objects/recent.ts";
import type { Merchant } from "../../../storage/directory/merchants.ts";
import { readSettings } from "../../../storage/directory/settings.ts";
import { packDay } from "../../../storage/ledger/pack.ts";
import { driveJob } from "../../../storage/replay-drive.ts";
import { BucketMemory } from "../../../workers/query/bucket-memory.ts";
import type { Deps } from "../../../workers/query/deps.ts";
import { execute } from "../../../workers/query/execute.ts";
import { backfillGoals } from "../../../workers/query/goals.ts";
import { ScanMemory } from "../../../workers/query/scan-memory.ts";
import { RollupTurn, TurnMemory } from "../../../workers/query/turn.ts";
import { settingsOf, TUESDAY } from "../../support/events.ts";
import { memoryArchive } from "../../support/memory-bucket.ts";
import { valueFrom } from "../../support/questions.ts";
import { ReplayedWorld } from "../../support/replayed-world.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const date = (back: number) => dateOf(DAY - back);
/** Days on which more pages were seen than a rollup keeps. */
const CUT = [0, 3];
const PAGES = 530;

/** Five Days, two of them cut, sealed unless it is said: page n is seen by visitor n; "/" by all, "/p7" twice. */
async function shop({ isSealed = true } = {}): Promise<ReplayedWorld> {
  const world = new ReplayedWorld([settingsOf("UTC", { merchant: 1 })]);
  const visitor = (number: number) => number.toString(16).padStart(4, "0").repeat(4);
  for (let back = 4; back >= 0; back--) {
    const timestamp = TUESDAY - back * DAY_MS;
    const seen = (page: string, who: number, changes: object = {}) => ({
      ...{ merchant: 1, id: `${back}${page}${who}`, visitor: visitor(who), timestamp, name: "pageview" },
      ...{ url: `https://shop.example${page}`, ...changes },
    });
    const pages = CUT.includes(back) ? PAGES : 9;
    const events = Array.from({ length: pages }, (_, index) =>
      // Numbers of three digits: the last ones are cut, for all have one visitor.
      seen(`/p${String(index).padStart(3, "0")}`, 100 + index),
    );
    events.push(seen("/", 1), seen("/", 2), seen("/p007", 3), seen("/p007", 3, { id: `again ${back}` }));
    events.push(seen("/pay", 1, { name: "purchase", timestamp: timestamp + 1, revenue: 50_000 }));
    events.push(seen("/p529", 5, { timestamp: timestamp + 3_600_000 }));
    for (let start = 0; start < events.length; start += 100) await world.send(events.slice(start, start + 100));
  }
  await world.settle();
  if (isSealed) await world.sealAt(DAY * DAY_MS + SEAL_AFTER_MS, 5);
  return world;
}

function depsOf(world: ReplayedWorld): Deps {
  const { partition } = world.it;
  const later: Promise<void>[] = [];
  return {
    ...world.replayDeps(),
    bucket: memoryArchive(world.objects),
    buckets: new BucketMemory(),
    scans: new ScanMemory(),
    turns: new TurnMemory(),
    rollupTurn: new RollupTurn({ turns: new TurnMemory(), now: () => Date.now() }),
    meter: zeroMeter(),
    later: (_: string, work: Promise<void>) => void later.push(work),
    waitForLater: () => Promise.all(later),
    partition: () => ({
      live: async (request: Parameters<typeof live>[1]) => live(partition, request),
      recentEvents: async (request: Parameters<typeof recentEvents>[1]) => recentEvents(partition, request),
      status: async () => ({ archivedPosition: 1e9 }),
      unpublished: async () => [],
    }),
  } as unknown as Deps;
}

async function ask(world: ReplayedWorld, asked: object, fixed: readonly unknown[] = [], deps = depsOf(world)) {
  const settings = await readSettings(world.d1, 1);
  const { retentionDays = null, past: pastZones = [] } = settings ?? {};
  const merchant = {
    ...settings,
    number: 1,
    pastZones,
    retentionDays,
    currencies: [],
    imported: [],
  } as unknown as Merchant;
  const body = { site_id: "x", metrics: ["visitors", "pageviews"], date_range: [date(4), date(0)], ...asked };
  const answered = await execute(valueFrom(parseQuestion(body, fixed)), merchant, deps);
  if (!answered.ok) throw new Error(answered.rejection.message);
  return answered.value;
}

/** What rollups do not answer, so that everything comes from events. */
const NOTHING_LESS = ["not", ["is", "event:name", ["nothing of the kind"]]];
async function fromEvents(world: ReplayedWorld, asked: object) {
  const { filters = [] } = asked as { readonly filters?: readonly unknown[] };
  const answered = await ask(world, { ...asked, filters: [...filters, NOTHING_LESS] });
  expect(answered.meta.sources.from).toBe("archive");
  return answered;
}

const cutDays = (...back: readonly number[]) => back.map((one) => ({ dates: [date(one), date(one)], why: "cut" }));
const hourDays = (first: number, last: number) => [{ dates: [date(first), date(last)], why: "hours" }];
const goalDays = (first: number, last: number) => [{ dates: [date(first), date(last)], why: "goals" }];
const page = (operator: string, ...values: readonly string[]) => ({ filters: [[operator, "event:page", values]] });
const byPage = { dimensions: ["event:page"] };

let world: ReplayedWorld;
beforeAll(async () => {
  world = await shop();
}, 120_000);

describe("values beyond a cut", () => {
  const CASES: readonly (readonly [what: string, asked: object, days: readonly object[] | undefined])[] = [
    ["a page that every Day names", page("is", "/p007"), undefined],
    ["a page that cut Days do not name", page("is", "/p528"), cutDays(3, 0)],
    ["a page that nobody saw", page("is", "/nothing"), cutDays(3, 0)],
    ["a page of which one Day alone is asked", { ...page("is", "/p528"), date_range: [date(3), date(2)] }, cutDays(3)],
    ["a page on Days that were not cut", { ...page("is", "/p528"), date_range: [date(2), date(1)] }, undefined],
    ["several pages, all named", { ...page("is", "/", "/p007"), ...byPage }, undefined],
    ["several pages, one not named", { ...page("is", "/", "/p528"), ...byPage }, cutDays(3, 0)],
    [
      "whatever the case",
      { filters: [["is", "event:page", ["/P007"], { case_sensitive: false }]], ...byPage },
      cutDays(3, 0),
    ],
    ["a part of a page", { ...page("contains", "/p52"), ...byPage }, cutDays(3, 0)],
    ["a pattern", { ...page("matches", "^/p52\\d$"), ...byPage }, cutDays(3, 0)],
    ["what is shown for what was cut", page("is", "(other)"), cutDays(3, 0)],
    ["a part of that", { ...page("contains", "other"), ...byPage }, cutDays(3, 0)],
    ["by Day", { ...page("is", "/p528"), dimensions: ["time:day"] }, cutDays(3, 0)],
    ["by Day and page", { ...page("is", "/p528", "/p001"), dimensions: ["time:day", "event:page"] }, cutDays(3, 0)],
    [
      "by hour, of which a closed Day has only totals",
      { ...page("is", "/p528"), dimensions: ["time:hour"], date_range: [date(3), date(-1)] },
      hourDays(3, 0),
    ],
    [
      "part of a closed Day",
      { ...page("is", "/p528"), date_range: [`${date(3)}T10:00:00Z`, `${date(-1)}T12:00:00Z`] },
      hourDays(3, 0),
    ],
    [
      "of an entry page",
      { filters: [["is", "visit:entry_page", ["/p528"]]], metrics: ["visits", "bounce_rate"] },
      cutDays(3, 0),
    ],
    [
      "visits by page",
      { ...page("is", "/p528"), ...byPage, metrics: ["pageviews", "visits", "bounces", "visit_duration"] },
      cutDays(3, 0),
    ],
    [
      "in a filter that is in another",
      { filters: [["and", [["and", [["is", "event:page", ["/p528"]]]]]]] },
      cutDays(3, 0),
    ],
  ];

  test.each(CASES)("[QRY-29] %s", async (_, asked, days) => {
    const answered = await ask(world, asked);
    expect(answered.results).toEqual((await fromEvents(world, asked)).results);
    expect(answered.meta.sources.days_from_events).toEqual(days);
    expect(answered.meta.cut).toBeUndefined();
    if (days === undefined) expect(answered.meta.sources).toMatchObject({ from: "rollups", objects: 0 });
  });

  test.each([
    { dimensions: ["time:hour"], date_range: [date(3), date(2)] },
    { date_range: [`${date(3)}T10:00:00Z`, `${date(2)}T12:00:00Z`] },
  ])("[BLK-8] %j of closed Days alone: no rollup is read for more than totals", async (asked) => {
    const answered = await ask(world, { ...page("is", "/p528"), ...asked });
    const all = await fromEvents(world, { ...page("is", "/p528"), ...asked });
    expect(answered.results).toEqual(all.results);
    expect(answered.meta.sources).toEqual(all.meta.sources);
  });

  test("[QRY-29] of open Days, by hour and in part, the Day that was cut alone", async () => {
    const open = await shop({ isSealed: false });
    for (const asked of [
      { ...page("is", "/p528"), dimensions: ["time:hour"], date_range: [date(1), date(0)] },
      { ...page("is", "/p528"), date_range: [`${date(1)}T10:00:00Z`, `${date(0)}T12:00:00Z`] },
    ]) {
      const answered = await ask(open, asked);
      expect(answered.results).toEqual((await fromEvents(open, asked)).results);
      expect(answered.meta.sources.days_from_events).toEqual(cutDays(0));
    }
  });

  test.each([
    [page("is_not", "/p528")],
    [page("contains_not", "/p52")],
    [page("matches_not", "^/p52\\d$")],
    [{ filters: [["not", ["is", "event:page", ["/p528"]]]] }],
    [{ filters: [["or", [["is", "event:page", ["/p528"]]]]] }],
    [{ filters: [["has_done", ["is", "event:page", ["/p528"]]]] }],
  ])("[QRY-29] %j leaves out nothing: it is of all events", async (asked) => {
    const answered = await ask(world, { ...asked, dimensions: ["event:page"], pagination: { limit: 10_000 } });
    expect(answered.meta.sources.from).toBe("archive");
    expect(answered.results.some(({ dimensions }) => dimensions[0] === "(other)")).toBe(false);
  });

  test("[QRY-29] a share link's filter, too", async () => {
    const fixed = [["is", "event:page", ["/p528"]]];
    expect((await ask(world, { metrics: ["pageviews"] }, fixed)).results[0]?.metrics).toEqual([CUT.length]);
  });

  test("[QRY-29] a Day whose rollup names the value stays with it: of five Days two are read", async () => {
    const { meta, results } = await ask(world, { ...page("is", "/p528"), metrics: ["pageviews"] });
    expect(results[0]?.metrics).toEqual([CUT.length]);
    // Five rollups, and once more those of the Days between the two, to find where events are.
    expect(meta.sources).toMatchObject({ from: "both", rows: 5 + 4, days_from_events: cutDays(3, 0) });
    const [all, two] = [(await fromEvents(world, page("is", "/p528"))).meta.sources, meta.sources];
    expect(Number(two.objects) / Number(all.objects)).toBeCloseTo(2 / 5, 1);
  });

  test("[QRY-19] by page and without a filter the rest is (other), and nothing is read for it", async () => {
    const { meta, results } = await ask(world, { ...byPage, metrics: ["pageviews"] });
    expect(meta).toMatchObject({ cut: { buckets: 2, value: "(other)" }, sources: { from: "rollups", objects: 0 } });
    expect(results).toHaveLength(502);
  });

  test("[QRY-30] pages of results go on behind those that rollups name", async () => {
    const limit = 120;
    const seen: string[] = [];
    for (let offset = 0; ; offset += limit) {
      const asked = { ...byPage, date_range: [date(3), date(3)], pagination: { limit, offset } };
      const { results } = await ask(world, { ...asked, metrics: ["pageviews"] });
      seen.push(...results.map(({ dimensions }) => dimensions[0] as string));
      if (results.length < limit) break;
    }
    expect(seen.filter((one) => one === "(other)")).toHaveLength(1);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.length).toBe(PAGES + 3);
  });

  test("[CMP-2] [QRY-29] what stands beside a result is known, also where its Day was cut", async () => {
    const comparisons = { mode: "custom", date_range: [date(3), date(3)] };
    const asked = { ...byPage, metrics: ["pageviews"], date_range: [date(2), date(2)], include: { comparisons } };
    const { results, meta } = await ask(world, asked);
    const beside = new Map(results.map((one) => [one.dimensions[0], one.comparison?.metrics[0]]));
    expect(beside.get("/p529")).toBe(2);
    expect(beside.get("/p007")).toBe(3);
    expect(meta.sources).toMatchObject({ from: "both", days_from_events: cutDays(3) });
    const known = await ask(world, { ...asked, pagination: { limit: 2 } });
    expect(known.meta.sources).toMatchObject({ from: "rollups", objects: 0 });
  });

  test("[QRY-31] a dimension that is younger than a row is read from events", async () => {
    const asked = { dimensions: ["visit:source"] };
    const before = (await ask(world, asked)).results;
    await world.spoil(`UPDATE daily SET by_source = NULL WHERE bucket = ${DAY - 1}`);
    const { results, meta } = await ask(world, asked);
    expect(results).toEqual(before);
    expect(meta.sources.days_from_events).toEqual([{ dates: [date(1), date(1)], why: "breakdown" }]);
    await packDay(world.d1, { day: DAY - 1, partition: "pool-0" });
    expect((await ask(world, asked)).meta.sources).toMatchObject({ days_from_events: meta.sources.days_from_events });
    expect((await ask(world, {})).meta.sources.from).toBe("rollups");
  });
});

test("[SCN-1] a filter by a product leaves that one of an order's products, from rollups and from events", async () => {
  const it = new ReplayedWorld([settingsOf("UTC", { merchant: 1 })]);
  const products = JSON.stringify(["A", "B"].map((name) => ({ id: name, name, price: 5, quantity: 2 })));
  await it.send([{ merchant: 1, id: "o", name: "purchase", order: "1", revenue: 200_000, currency: "EUR", products }]);
  await it.settle();
  await it.sealAt(DAY * DAY_MS + SEAL_AFTER_MS, 5);
  const asked = { dimensions: ["event:product"], metrics: ["units"], filters: [["is", "event:product", ["A"]]] };
  const { results, meta } = await ask(it, asked);
  expect(results).toEqual([{ metrics: [2], dimensions: ["A"] }]);
  expect(meta.sources.from).toBe("rollups");
  expect((await fromEvents(it, asked)).results).toEqual(results);
});

describe("comparisons of what has passed", () => {
  test("[CMP-4] yesterday until now is counted from its events, exactly", async () => {
    const it = await shop();
    it.it.now = TUESDAY + 1_800_000;
    const include = { comparisons: { mode: "previous_period" } };
    const { results, meta } = await ask(it, { date_range: "day", include });
    // What came an hour later on the Day before is not in it.
    expect(results[0]?.metrics[1]).toBe(PAGES + 4 + 1);
    expect(results[0]?.comparison?.metrics).toEqual([9 + 3, 9 + 4]);
    expect(meta.visitors).toEqual({ exact: true });
    expect(meta.comparison_date_range?.[1]).toMatch(/10:59:59/);
    expect(meta.sources.days_from_events).toEqual([{ dates: [date(1), date(1)], why: "part" }]);
  }, 60_000);
});

const SHOP: Rules = { ...NO_RULES, goals: [{ name: "bought", event: "purchase" }] };
const MORE: Rules = { ...SHOP, goals: [...SHOP.goals, { name: "late page", page: "/p529" }] };

describe("goals", () => {
  const goals = { dimensions: ["event:goal"], metrics: ["visitors", "events", "conversion_rate"] };

  test("[RUL-15] a new goal answers for the past at once, and from rollups when they were backfilled", async () => {
    const it = await shop();
    expect((await ask(it, goals)).results).toEqual([]);
    await it.decide(1, SHOP);
    const deps = depsOf(it) as Deps & { waitForLater(): Promise<unknown> };
    const first = await ask(it, goals, [], deps);
    expect(first.results).toEqual([{ metrics: [1, 5, expect.any(Number)], dimensions: ["bought"] }]);
    expect(first.results).toEqual((await fromEvents(it, goals)).results);
    expect(first.meta).toMatchObject({ goals: { backfill: null }, sources: { days_from_events: goalDays(4, 0) } });
    // The question has set it going.
    await deps.waitForLater();
    const [job] = it.database.prepare("SELECT id FROM replay_jobs WHERE state = 'running'").all();
    const meanwhile = await ask(it, goals);
    expect(meanwhile).toMatchObject({ results: first.results, meta: { goals: { backfill: job?.["id"] } } });
    await it.work();
    const { results, meta } = await ask(it, goals);
    expect(results.map(({ metrics }) => metrics.slice(0, 2))).toEqual([[1, 5]]);
    expect(meta).toMatchObject({ sources: { from: "rollups", objects: 0 } });
    expect(meta.goals).toBeUndefined();
    expect(await it.run({ kind: "verify", fromDay: DAY - 4, toDay: DAY + 1 })).toMatchObject({ differences: 0 });

    // Of a second goal the first needs no events; both together do.
    await it.decide(1, MORE);
    const one = { ...goals, filters: [["is", "event:goal", ["bought"]]] };
    expect((await ask(it, one)).meta.sources).toMatchObject({ from: "rollups", objects: 0 });
    const both = await ask(it, goals);
    expect(both.results.map(({ dimensions, metrics }) => [dimensions[0], metrics[1]])).toEqual([
      ["late page", 7],
      ["bought", 5],
    ]);
    // A goal that is none any more is in no answer, though rollups know it.
    await it.decide(1, { ...MORE, goals: MORE.goals.slice(1) });
    expect((await ask(it, goals)).results.map(({ dimensions }) => dimensions)).toEqual([["late page"]]);
    await expect(ask(it, one)).rejects.toThrow("is not configured");
  }, 120_000);

  test("[RUL-15] a goal with another page is another goal of the past, in two dimensions and in filters as well", async () => {
    const it = await shop();
    const named = (name: string): Rules => ({ ...NO_RULES, goals: [{ name: "seen", page: name }] });
    await it.decide(1, named("/p001"));
    await backfillGoals(1, depsOf(it));
    await it.work();
    const asked = { filters: [["is", "event:goal", ["seen"]]], metrics: ["events"] };
    const two = { dimensions: ["event:goal", "visit:browser"], metrics: ["events"] };
    const total = async () => [
      (await ask(it, asked)).results[0]?.metrics[0],
      (await ask(it, two)).results[0]?.metrics[0],
    ];
    expect(await total()).toEqual([5, 5]);
    await it.decide(1, named("/p007"));
    expect(await total()).toEqual([15, 15]);
    await backfillGoals(1, depsOf(it));
    await it.work();
    expect(await total()).toEqual([15, 15]);
    expect((await ask(it, asked)).meta.sources.from).toBe("rollups");
  }, 120_000);

  test("[RUL-16] Days whose events retention has deleted keep what they have, and the answer names them", async () => {
    const it = await shop();
    await it.decide(1, SHOP);
    const days = Math.floor(it.it.now / DAY_MS) - (DAY - 2);
    it.database.exec(`UPDATE merchants SET retention_days = ${days} WHERE number = 1`);
    const { results, meta } = await ask(it, goals);
    expect(results[0]?.metrics[1]).toBe(3);
    expect(meta.goals).toEqual({ backfill: null, uncounted: [[date(4), date(3)]] });
    expect(meta.sources).toMatchObject({ from: "both", days_from_events: goalDays(2, 0) });
    const value = page("is", "/p528");
    await expect(ask(it, value)).rejects.toThrow("are deleted");
  }, 60_000);

  test("[RUL-15] while a backfill is half way, Days that it has not ended with are read from events", async () => {
    const it = await shop();
    await it.decide(1, SHOP);
    const deps = depsOf(it) as Deps & { waitForLater(): Promise<unknown> };
    const before = (await ask(it, goals, [], deps)).results;
    await deps.waitForLater(); // the question has set a backfill going
    await backfillGoals(1, deps);
    for (let part = 0; part < 5; part++) {
      const left = it.parts.splice(1);
      await it.work();
      it.parts.push(...left);
      const { results, meta } = await ask(it, goals);
      expect(results.map(({ metrics }) => metrics[1])).toEqual(before.map(({ metrics }) => metrics[1]));
      expect(meta.sources.from).toBe(part < 4 ? "archive" : "rollups");
    }
    const [job] = it.database.prepare("SELECT id FROM replay_jobs").all();
    await driveJob(String(job?.["id"]), it.replayDeps());
  }, 60_000);
});
