// Parts of closed Days: Hours of which only totals are kept, and who of each was next there in which other (VIS-9).
// What they come to is compared with the same question put so that it is counted from events alone.

import fc from "fast-check";
import { expect, test } from "vitest";
import type { Event } from "../../../core/event.ts";
import { SEAL_AFTER_MS } from "../../../core/limits.ts";
import { zeroMeter } from "../../../core/meter.ts";
import { parseQuestion } from "../../../core/query/question.ts";
import { DAY_MS, dateOf, HOUR_MS } from "../../../core/time.ts";
import { live } from "../../../durable-objects/live.ts";
import { recentEvents } from "../../../durable-objects/recent.ts";
import type { Merchant } from "../../../storage/directory/merchants.ts";
import { readSettings } from "../../../storage/directory/settings.ts";
import { BucketMemory } from "../../../workers/query/bucket-memory.ts";
import type { Deps } from "../../../workers/query/deps.ts";
import { execute } from "../../../workers/query/execute.ts";
import { ScanMemory } from "../../../workers/query/scan-memory.ts";
import { RollupTurn, TurnMemory } from "../../../workers/query/turn.ts";
import { settingsOf, TUESDAY } from "../../support/events.ts";
import { valueFrom } from "../../support/questions.ts";
import { ReplayedWorld } from "../../support/replayed-world.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const FIRST = DAY - 2;
const DAYS = 3;
const METRICS = ["visitors", "visits", "pageviews", "events", "total_revenue"];
/** What rollups do not answer. */
const NOTHING_LESS = ["not", ["is", "event:name", ["nothing of the kind"]]];

interface Seen {
  readonly visitor: number;
  readonly day: number;
  readonly hour: number;
}

function world(seen: readonly Seen[], visitorKind: Event["visitorKind"]): Promise<ReplayedWorld> {
  return sent(
    seen.map(({ visitor, day, hour }, at) => ({
      ...{ merchant: 1, id: `e${at}`, visitorKind, timestamp: (FIRST + day) * DAY_MS + hour * HOUR_MS + at * 1_000 },
      // Other bits for each visitor, and for those who live a Day on each of their Days.
      visitor: (0x9e3779b97f4a7c15n * BigInt(visitor + 1 + (visitorKind === "daily" ? 100 * day : 0)))
        .toString(16)
        .slice(-16)
        .padStart(16, "0"),
      ...(at % 5 === 0 ? { name: "purchase", revenue: 50_000, order: `o${at}` } : {}),
    })),
  );
}

async function sent(events: Partial<Event>[]): Promise<ReplayedWorld> {
  const made = new ReplayedWorld([settingsOf("UTC", { merchant: 1 })]);
  await made.send(events);
  await made.settle();
  return made;
}

async function seal(it: ReplayedWorld): Promise<void> {
  await it.sealAt(DAY * DAY_MS + SEAL_AFTER_MS, 3);
}

async function ask(it: ReplayedWorld, asked: object, buckets = new BucketMemory()) {
  const deps = {
    ...it.replayDeps(),
    buckets,
    scans: new ScanMemory(),
    turns: new TurnMemory(),
    rollupTurn: new RollupTurn({ turns: new TurnMemory(), now: () => Date.now() }),
    meter: zeroMeter(),
    partition: () => ({
      live: async (request: Parameters<typeof live>[1]) => live(it.it.partition, request),
      recentEvents: async (request: Parameters<typeof recentEvents>[1]) => recentEvents(it.it.partition, request),
    }),
  } as unknown as Deps;
  const settings = await readSettings(it.d1, 1);
  const merchant = {
    ...settings,
    number: 1,
    pastZones: [],
    currencies: [],
    retentionDays: null,
    imported: [],
  } as unknown as Merchant;
  const question = valueFrom(parseQuestion({ site_id: "x", metrics: METRICS, ...asked }));
  const answered = await execute(question, merchant, deps);
  if (!answered.ok) throw new Error(answered.rejection.message);
  return answered.value;
}

/** Whole Hours from one to before another, counted from the first Day's midnight. */
function hours(from: number, to: number): readonly [string, string] {
  const at = (hour: number) => `${new Date(FIRST * DAY_MS + hour * HOUR_MS).toISOString().slice(0, 19)}Z`;
  return [at(from), at(to)];
}

const seenByMany = fc.array(
  fc.record({
    visitor: fc.nat({ max: 11 }),
    day: fc.nat({ max: DAYS - 1 }),
    hour: fc.nat({ max: 23 }),
  }),
  { minLength: 20, maxLength: 90 },
);

test("[BLK-8] [VIS-9] any part of closed Days is exact without an event where visitors live a Day", async () => {
  await fc.assert(
    fc.asyncProperty(seenByMany, fc.nat({ max: 47 }), fc.integer({ min: 1, max: 40 }), async (seen, from, length) => {
      const it = await world(seen, "daily");
      await seal(it);
      const date_range = hours(from, Math.min(72, from + length));
      for (const dimensions of [[], ["time:day"], ["time:hour"]]) {
        const answered = await ask(it, { date_range, dimensions });
        const { results, meta } = await ask(it, { date_range, dimensions, filters: [NOTHING_LESS] });
        expect(answered.results).toEqual(results);
        expect(meta.sources.from).toBe("archive");
        expect(answered.meta).toMatchObject({ sources: { from: "rollups", objects: 0 }, visitors: { exact: true } });
      }
    }),
    { numRuns: 12 },
  );
});

test("[BLK-8] of visitors who may come again one Day's part is from rollups, several Days' from events; both are exact", async () => {
  await fc.assert(
    fc.asyncProperty(seenByMany, fc.nat({ max: 23 }), fc.integer({ min: 1, max: 47 }), async (seen, from, length) => {
      const it = await world(seen, "known");
      await seal(it);
      const to = from + length;
      for (const dimensions of [[], ["time:day"]]) {
        const date_range = hours(from, to);
        const answered = await ask(it, { date_range, dimensions });
        const { results } = await ask(it, { date_range, dimensions, filters: [NOTHING_LESS] });
        expect(answered.results).toEqual(results);
        const isOfRollups = dimensions.length === 1 || to <= 24;
        if (isOfRollups) expect(answered.meta.sources).toMatchObject({ from: "rollups", objects: 0 });
        expect(answered.meta.visitors).toMatchObject({ exact: true });
      }
    }),
    { numRuns: 12 },
  );
});

test("[VIS-8] [QRY-16] of merchants without first-party ids visitors are exact over whole Days, packed or open", async () => {
  await fc.assert(
    fc.asyncProperty(seenByMany, fc.nat({ max: DAYS - 1 }), async (seen, first) => {
      const it = await world(seen, "daily");
      // The first Day is packed, the others are open.
      await it.sealAt(FIRST * DAY_MS + SEAL_AFTER_MS, 1);
      for (const date_range of [
        [dateOf(FIRST), dateOf(DAY)],
        [dateOf(FIRST + first), dateOf(DAY)],
      ])
        for (const dimensions of [[], ["event:page"], ["time:week"], ["time:month", "event:page"]]) {
          const answered = await ask(it, { date_range, dimensions });
          const { results } = await ask(it, { date_range, dimensions, filters: [NOTHING_LESS] });
          expect(answered.results).toEqual(results);
          expect(answered.meta).toMatchObject({ sources: { from: "rollups" }, visitors: { exact: true } });
        }
    }),
    { numRuns: 6 },
  );
});

const STORY: readonly Seen[] = [9, 10, 10, 11, 15].flatMap((hour) =>
  [0, 1, 2].flatMap((day) => [0, 1, 2].map((one) => ({ visitor: one + hour, day, hour }))),
);

test("[BLK-9] [MBR-2] an Hour that was remembered whole answers for none of a Day that was closed and packed since", async () => {
  const it = await world(STORY, "known");
  const buckets = new BucketMemory();
  const asked = { date_range: hours(9, 60), metrics: ["visitors"], dimensions: [] };
  const byPage = { ...asked, dimensions: ["event:page"] };
  // Twice each: the first answer is remembered.
  for (const one of [asked, byPage, asked, byPage]) await ask(it, one, buckets);
  await seal(it);
  for (const one of [asked, byPage]) {
    const fresh = await ask(it, one);
    const { results, meta } = await ask(it, one, buckets);
    expect(results).toEqual(fresh.results);
    const days = [{ dates: [dateOf(FIRST), dateOf(DAY)], why: "hours" }];
    if (one === asked) expect(meta.sources.days_from_events).toEqual(days);
    expect(meta.sources.from).toBe("archive");
  }
});

test("[BLK-8] a closed Day answers alike in rows, packed, taken out again, and beside events that came late", async () => {
  for (const kind of ["known", "daily"] as const) {
    const it = await world(STORY, kind);
    const questions = [[], ["time:day"], ["time:hour"], ["event:page"]].flatMap((dimensions) =>
      [hours(10, 20), hours(10, 60)].map((date_range) => ({ date_range, dimensions })),
    );
    const all = async () => {
      const answers: unknown[] = [];
      for (const question of questions) answers.push((await ask(it, question)).results);
      return answers;
    };
    it.it.now = DAY * DAY_MS + SEAL_AFTER_MS;
    const inRows = await all();
    await seal(it);
    expect(it.database.prepare("SELECT count(*) AS n FROM hourly").get()).toEqual({ n: 0 });
    expect(await all()).toEqual(inRows);
    await it.spoil("UPDATE archive_days SET folder = folder");
    expect(await all()).toEqual(inRows);
    const visitor = "00000000000000ff";
    const late = { merchant: 1, visitor, visitorKind: kind, id: "late", timestamp: FIRST * DAY_MS + 10.5 * HOUR_MS };
    await it.send([late]);
    const beside = await all();
    await it.settle();
    await it.seal();
    expect(beside).not.toEqual(inRows);
    expect(await all()).toEqual(beside);
  }
});
