// What an isolate remembers of answers from events: a question reads again the Days that were changed, and no
// others. Each change is made by the code that makes it in production, and each answer is compared with that of an
// isolate that remembers nothing.

import { expect, test } from "vitest";
import { SCAN_EVENTS_MAX, SCAN_KEPT_BYTES, SCAN_KEPT_DAY_BYTES, SEAL_AFTER_MS } from "../../../core/limits.ts";
import { zeroMeter } from "../../../core/meter.ts";
import { parseQuestion } from "../../../core/query/question.ts";
import { REPORTS, type ReportName } from "../../../core/query/report-count.ts";
import { NO_RULES, type Rules } from "../../../core/rules.ts";
import { DAY_MS, dateOf } from "../../../core/time.ts";
import { erase } from "../../../durable-objects/erase.ts";
import { live } from "../../../durable-objects/live.ts";
import { recentEvents } from "../../../durable-objects/recent.ts";
import type { Merchant } from "../../../storage/directory/merchants.ts";
import { readSettings } from "../../../storage/directory/settings.ts";
import { driveErasure } from "../../../storage/erasure-drive.ts";
import { createErasure } from "../../../storage/ledger/erasure.ts";
import { writeRollups } from "../../../storage/ledger/rollup-write.ts";
import { BucketMemory } from "../../../workers/query/bucket-memory.ts";
import type { Deps } from "../../../workers/query/deps.ts";
import { execute } from "../../../workers/query/execute.ts";
import { readReport } from "../../../workers/query/report.ts";
import { ScanMemory } from "../../../workers/query/scan-memory.ts";
import { RollupTurn, TurnMemory } from "../../../workers/query/turn.ts";
import { settingsOf, TUESDAY } from "../../support/events.ts";
import { memoryArchive } from "../../support/memory-bucket.ts";
import { unpackAll } from "../../support/packed.ts";
import { valueFrom } from "../../support/questions.ts";
import { ReplayedWorld } from "../../support/replayed-world.ts";
import { rowOf } from "../../support/rollup-rows.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const NO_CHROME: Rules = { ...NO_RULES, bots: { drop: ["*Chrome*"], admit: [] } };
const RANGE = [dateOf(DAY - 9), dateOf(DAY)];
const PLAIN = {
  metrics: ["visitors", "visits", "pageviews"],
  date_range: RANGE,
  dimensions: ["event:page"],
  filters: [["is_not", "event:page", ["/hidden"]]],
};

/** Two merchants with ten Days each; all of them are sealed. */
async function sealedDays(): Promise<ReplayedWorld> {
  const world = new ReplayedWorld([1, 2].map((merchant) => settingsOf("UTC", { merchant })));
  for (let day = 0; day < 10; day++) {
    const timestamp = TUESDAY - day * DAY_MS;
    for (const merchant of [1, 2])
      await world.send([
        { merchant, id: `a${day}`, url: `https://shop.example/${merchant}`, timestamp },
        { merchant, id: `b${day}`, visitor: "00000000000000bb", timestamp: timestamp - 1 },
        { merchant, id: `c${day}`, visitor: "00000000000000bb", url: "https://shop.example/pay", timestamp },
      ]);
  }
  await world.settle();
  await world.sealAt(DAY * DAY_MS + SEAL_AFTER_MS, 5);
  return world;
}

interface Asked {
  readonly answer: unknown;
  readonly remembered: number;
  /** Objects of the archive that were fetched. */
  readonly fetched: number;
}

interface Asking {
  readonly question?: object;
  readonly kind?: ReportName;
  readonly merchant?: number;
  readonly fixed?: readonly unknown[];
}

/** What an isolate with this memory answers. */
async function ask(
  world: ReplayedWorld,
  scans: ScanMemory,
  { question: asked = PLAIN, kind, merchant = 1, fixed = [] }: Asking = {},
): Promise<Asked> {
  let fetched = 0;
  const { get, ...bucket } = memoryArchive(world.objects);
  const counting: typeof get = (key, options) => {
    fetched += 1;
    return get(key, options);
  };
  const { partition } = world.it;
  const deps = {
    ...world.replayDeps(),
    bucket: { ...bucket, get: counting },
    buckets: new BucketMemory(),
    scans,
    turns: new TurnMemory(),
    rollupTurn: new RollupTurn({ turns: new TurnMemory(), now: () => Date.now() }),
    meter: zeroMeter(),
    partition: () => ({
      live: async (request: Parameters<typeof live>[1]) => live(partition, request),
      recentEvents: async (request: Parameters<typeof recentEvents>[1]) => recentEvents(partition, request),
    }),
  } as unknown as Deps;
  const settings = await readSettings(world.d1, merchant);
  const shop = {
    ...{ ...settings, number: merchant, currencies: [], pastZones: settings?.past ?? [], retentionDays: null },
    imported: [],
  } as unknown as Merchant;
  const body = { site_id: "x", ...asked };
  const answered =
    kind === undefined
      ? await execute(valueFrom(parseQuestion(body, fixed)), shop, deps)
      : await readReport(valueFrom(REPORTS[kind](body, fixed)), shop, deps);
  if (!answered.ok) throw new Error(answered.rejection.message);
  const { results, meta } = answered.value as { results: unknown; meta: { sources: { remembered?: number } } };
  return { answer: results, remembered: meta.sources.remembered ?? 0, fetched };
}

/** Asks an isolate that remembers, and one that does not; both say the same. */
async function askBoth(world: ReplayedWorld, scans: ScanMemory, asking: Asking = {}): Promise<Asked> {
  const [warm, cold] = [await ask(world, scans, asking), await ask(world, new ScanMemory(), asking)];
  expect(warm.answer).toEqual(cold.answer);
  expect(cold.remembered).toBe(0);
  return warm;
}

const step = (page: string) => ({ filters: [["is", "event:page", [page]]] });
const report = { date_range: RANGE };
const KINDS: readonly (readonly [what: string, asking: Asking])[] = [
  ["a question", {}],
  ["by week", { question: { ...PLAIN, dimensions: ["time:week", "event:page"] } }],
  ["by hour", { question: { ...PLAIN, dimensions: ["time:hour", "event:page"] } }],
  ["with totals", { question: { ...PLAIN, metrics: ["percentage", "visitors"] } }],
  [
    "a funnel",
    { kind: "funnel", question: { ...report, steps: [step("/"), step("/pay")], window_seconds: 2_000_000 } },
  ],
  ["retention", { kind: "retention", question: report }],
  ["paths", { kind: "paths", question: report }],
];

test.each(KINDS)("[MSR-1] sealed Days are read once: %s", async (_, asking) => {
  const world = await sealedDays();
  const scans = new ScanMemory();
  const first = await askBoth(world, scans, asking);
  expect([first.remembered, first.fetched > 0]).toEqual([0, true]);
  expect(await askBoth(world, scans, asking)).toEqual({ answer: first.answer, remembered: 10, fetched: 0 });
});

test("[MSR-1] another range reads the Days that are new to it; by week, those whose week begins elsewhere too", async () => {
  const world = await sealedDays();
  const scans = new ScanMemory();
  const within = (from: number, to: number) => [dateOf(DAY - from), dateOf(DAY - to)];
  await ask(world, scans, { question: { ...PLAIN, date_range: within(5, 0) } });
  expect((await askBoth(world, scans, { question: { ...PLAIN, date_range: within(9, 2) } })).remembered).toBe(4);
  const weeks = { ...PLAIN, dimensions: ["time:week", "event:page"] };
  await ask(world, scans, { question: { ...weeks, date_range: within(9, 0) } });
  // From a Wednesday on: that week's label is its own, the next week's is the same.
  expect((await askBoth(world, scans, { question: { ...weeks, date_range: within(6, 0) } })).remembered).toBe(2);
  const paged = { ...PLAIN, pagination: { limit: 1, offset: 1 }, order_by: [["pageviews", "asc"]] };
  expect((await askBoth(world, scans, { question: paged })).remembered).toBe(10);
});

test("[MSR-1] what is remembered counts for no bound: a Day of too many events is no job when it is not read", async () => {
  const world = await sealedDays();
  const scans = new ScanMemory();
  const { answer } = await ask(world, scans);
  const many = rowOf({ bucket: DAY, partition: "pool-0", version: 1e9, seen: { events: SCAN_EVENTS_MAX + 1 } });
  await unpackAll(world.database);
  await writeRollups(world.d1, [many]);
  expect(await ask(world, scans)).toEqual({ answer, remembered: 10, fetched: 0 });
  await expect(ask(world, new ScanMemory())).rejects.toThrow(`more than ${SCAN_EVENTS_MAX} events`);
});

test("[MSR-1] a range of hours, and Days that are not sealed, are always read", async () => {
  const world = await sealedDays();
  const scans = new ScanMemory();
  const hours = ["2026-03-09T00:00:00Z", "2026-03-09T12:00:00Z"];
  for (const _ of [1, 2])
    expect((await askBoth(world, scans, { question: { ...PLAIN, date_range: hours } })).remembered).toBe(0);
  const today = Math.floor(world.it.now / DAY_MS);
  await world.send([{ id: "now", timestamp: world.it.now }]);
  const question = { ...PLAIN, date_range: [dateOf(today), dateOf(today)] };
  for (const _ of [1, 2]) expect((await askBoth(world, scans, { question })).remembered).toBe(0);
  await world.settle();
  for (const _ of [1, 2]) expect((await askBoth(world, scans, { question })).remembered).toBe(0);
});

test("[MSR-2] a late event is in the next answer: from the log, from its bundle, and sealed", async () => {
  const world = await sealedDays();
  const scans = new ScanMemory();
  let { answer } = await ask(world, scans);
  const expectNew = async (remembered: number, isNew: boolean) => {
    const now = await askBoth(world, scans);
    expect([now.remembered, JSON.stringify(now.answer) !== JSON.stringify(answer)]).toEqual([remembered, isNew]);
    answer = now.answer;
  };
  await world.send([{ id: "late", visitor: "00000000000000cc", timestamp: TUESDAY }]);
  await expectNew(9, true); // it waits in the partition
  await expectNew(9, false);
  await world.settle();
  await expectNew(9, false); // it lies in a bundle
  await expectNew(10, false);
  world.it.now += DAY_MS;
  await world.seal();
  await askBoth(world, scans);
  await expectNew(10, false);
});

test("[MSR-2] rules, applied to the past and taken back, and an erasure are in the next answer", async () => {
  const world = await sealedDays();
  const scans = new ScanMemory();
  let { answer } = await ask(world, scans);
  const expectChanged = async (remembered: number) => {
    const now = await askBoth(world, scans);
    expect(now.answer).not.toEqual(answer);
    expect(now.remembered).toBe(remembered);
    answer = now.answer;
    expect((await askBoth(world, scans)).remembered).toBe(10);
  };
  await world.decide(1, NO_CHROME);
  const rebuild = { kind: "rebuild", fromDay: DAY, toDay: DAY + 1, merchants: [1], rules: "current" } as const;
  const job = await world.run(rebuild);
  await expectChanged(0); // whatever was decided, all Days are counted again
  await world.change(job.id, "undo");
  await world.work();
  await expectChanged(0);

  world.it.now += 60_000;
  const { directory, ledgers, now, pace, log, bucket } = world.deps();
  const erasing = { erase: async (request: Parameters<typeof erase>[1]) => erase(world.it.partition, request) };
  const whose = { id: "ers_1", merchant: 1, kind: "visitor", visitor: "00000000000000bb" } as const;
  const erasure = await createErasure(world.d1, {
    erasure: { ...whose, fromDay: DAY - 1, toDay: DAY + 1, createdAt: world.it.now },
    partitions: ["pool-0"],
    openDays: [DAY + 3],
  });
  await driveErasure(erasure, { directory, ledgers, now, pace, log, bucket, partition: () => erasing });
  await expectChanged(8); // as soon as it is asked for
  await world.seal();
  const after = await askBoth(world, scans);
  expect(after.answer).toEqual(answer);
  expect((await askBoth(world, scans)).remembered).toBe(10);
});

test("[MSR-2] another zone on past Days is in the next answer, and so is its end", async () => {
  const world = await sealedDays();
  const scans = new ScanMemory();
  const question = { ...PLAIN, dimensions: ["time:day", "event:page"] };
  const { answer } = await ask(world, scans, { question });
  const past = { fromDay: DAY - 5, toDay: DAY - 2, merchants: [1], zone: "Asia/Tokyo" } as const;
  const job = await world.run({ kind: "rebuild", ...past });
  await askBoth(world, scans, { question });
  const hours = { ...PLAIN, dimensions: ["time:hour"] };
  await ask(world, scans, { question: hours });
  expect((await askBoth(world, scans, { question: hours })).remembered).toBeGreaterThan(0);
  await world.change(job.id, "undo");
  await world.work();
  expect((await askBoth(world, scans, { question })).answer).toEqual(answer);
  await askBoth(world, scans, { question: hours });
});

test("[MSR-2] a rebuild and its undo change no event: what is remembered stays, and stays right", async () => {
  const world = await sealedDays();
  const scans = new ScanMemory();
  await ask(world, scans);
  const job = await world.run({ kind: "rebuild", fromDay: DAY - 9, toDay: DAY + 1, merchants: [1] });
  expect((await askBoth(world, scans)).remembered).toBe(10);
  await world.change(job.id, "undo");
  await world.work();
  expect((await askBoth(world, scans)).remembered).toBe(10);
});

test("[MSR-3] what is remembered is of one merchant, one question and those who may ask it", async () => {
  const world = await sealedDays();
  const scans = new ScanMemory();
  const own = await ask(world, scans);
  const other = await askBoth(world, scans, { merchant: 2 });
  expect(other.remembered).toBe(0);
  expect(other.answer).not.toEqual(own.answer);
  const fixed = PLAIN.filters;
  const { filters: _, ...open } = PLAIN;
  expect((await askBoth(world, scans, { question: open, fixed })).remembered).toBe(0);
  const goals = { ...PLAIN, metrics: ["visitors", "conversion_rate"], dimensions: ["event:goal"] };
  expect((await askBoth(world, scans, { question: goals })).remembered).toBe(0);
  expect((await askBoth(world, scans)).remembered).toBe(10);
});

test("[MSR-4] a memory holds so many bytes; what was unused for longest goes first, what is too large is not kept", () => {
  const memory = new ScanMemory();
  const kept = { version: "1", text: "x".repeat(SCAN_KEPT_DAY_BYTES / 2 - 500) };
  const names = Array.from({ length: SCAN_KEPT_BYTES / SCAN_KEPT_DAY_BYTES + 1 }, (_, index) => `day ${index}`);
  for (const name of names.slice(0, -1)) memory.remember(name, kept);
  expect(memory.find("day 0", "1")).toBe(kept.text); // used: the second is now the one unused for longest
  memory.remember(names.at(-1) as string, kept);
  expect([memory.find("day 0", "1"), memory.find("day 1", "1")]).toEqual([kept.text, undefined]);
  expect(memory.find("day 2", "2")).toBeUndefined();
  expect(memory.find("day 2", "1")).toBeUndefined(); // an older version does not come again
  memory.remember("large", { version: "1", text: "x".repeat(SCAN_KEPT_DAY_BYTES) });
  expect(memory.find("large", "1")).toBeUndefined();
});
