// Late events of closed Days in answers from rollups, at every step of their way: whatever is asked, the answer is the
// one that stored rollups give after the recount.

import { expect, test } from "vitest";
import type { Event } from "../../../core/event.ts";
import { SCAN_BYTES_MAX, SEAL_AFTER_MS } from "../../../core/limits.ts";
import { zeroMeter } from "../../../core/meter.ts";
import type { Answer } from "../../../core/query/answer.ts";
import { parseQuestion } from "../../../core/query/question.ts";
import { DAY_MS, dateOf } from "../../../core/time.ts";
import { drain } from "../../../durable-objects/drain.ts";
import { live } from "../../../durable-objects/live.ts";
import { recentEvents } from "../../../durable-objects/recent.ts";
import { archiveBody } from "../../../queues/archive.ts";
import { makeRuns } from "../../../queues/run.ts";
import { packBundle } from "../../../storage/archive/bundle-message.ts";
import { encodeParquet } from "../../../storage/archive/parquet.ts";
import type { Merchant } from "../../../storage/directory/merchants.ts";
import { readSettings } from "../../../storage/directory/settings.ts";
import { createErasure, markTold } from "../../../storage/ledger/erasure.ts";
import { noteArchived } from "../../../storage/ledger/places.ts";
import { BucketMemory } from "../../../workers/query/bucket-memory.ts";
import type { Deps } from "../../../workers/query/deps.ts";
import { execute } from "../../../workers/query/execute.ts";
import { ScanMemory } from "../../../workers/query/scan-memory.ts";
import { Together } from "../../../workers/query/together.ts";
import { RollupTurn, TurnMemory } from "../../../workers/query/turn.ts";
import { CHROME, GOOGLEBOT, settingsOf, TUESDAY } from "../../support/events.ts";
import { valueFrom } from "../../support/questions.ts";
import { ReplayedWorld } from "../../support/replayed-world.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const FIRST = DAY - 3;
const CLOSED_MS = (DAY + 1) * DAY_MS + SEAL_AFTER_MS;
const RANGE = [dateOf(FIRST - 30), dateOf(DAY + 1)];
const HOURS = [`${dateOf(FIRST)}T00:00:00Z`, `${dateOf(DAY)}T13:00:00Z`];
const METRICS = ["visitors", "visits", "pageviews", "events", "bounces", "total_duration", "total_revenue"];

const QUESTIONS: readonly object[] = [
  { metrics: METRICS },
  { metrics: METRICS, dimensions: ["time:day"] },
  { metrics: METRICS, dimensions: ["time:hour"], date_range: HOURS },
  { metrics: METRICS, date_range: HOURS },
  { metrics: METRICS, dimensions: ["event:page"] },
  { metrics: ["visits"], dimensions: ["visit:source"] },
  { metrics: ["pageviews"], filters: [["is", "event:page", ["/late"]]] },
  { metrics: ["drops"], dimensions: ["event:drop_reason"] },
  {
    metrics: ["pageviews"],
    date_range: [dateOf(DAY), dateOf(DAY)],
    include: { comparisons: { mode: "previous_period" } },
  },
  { metrics: ["pageviews"], date_range: "all", dimensions: ["time:month"] },
  { metrics: METRICS, filters: [["is_not", "event:props:nothing", ["of the kind"]]] },
];

/** Two merchants with four Days each. */
async function world(zone = "UTC"): Promise<ReplayedWorld> {
  const made = new ReplayedWorld([1, 2].map((merchant) => settingsOf(zone, { merchant })));
  for (let day = FIRST; day <= DAY; day++) await made.send([1, 2].flatMap((merchant) => visit(merchant, day)));
  await made.settle();
  return made;
}

function visit(merchant: number, day: number): Partial<Event>[] {
  const common = { merchant, userAgent: CHROME, visitor: "00000000000000aa", timestamp: day * DAY_MS + 12 * 3_600_000 };
  return [
    { ...common, id: `a${day}`, url: "https://shop.example/" },
    { ...common, id: `b${day}`, url: "https://shop.example/cart", timestamp: common.timestamp + 60_000 },
  ];
}

/** In the middle of visits, beside them, once more, not counted, and on a Day that has nothing yet. */
function late(): Partial<Event>[] {
  const common = { merchant: 1, userAgent: CHROME, visitor: "00000000000000aa", url: "https://shop.example/late" };
  const noon = DAY * DAY_MS + 12 * 3_600_000;
  return [
    { ...common, id: "inside", timestamp: noon + 30_000 },
    { ...common, id: "longer", timestamp: noon + 1_200_000 },
    {
      ...common,
      id: "other",
      visitor: "00000000000000bb",
      timestamp: noon - DAY_MS,
      revenue: 50_000,
      name: "purchase",
    },
    { ...common, id: `a${DAY}`, timestamp: noon },
    { ...common, id: "bot", userAgent: GOOGLEBOT, timestamp: noon },
    { ...common, id: "alone", timestamp: noon - 25 * DAY_MS },
    { ...common, id: "edge", timestamp: DAY * DAY_MS + 60_000 },
  ];
}

async function ask(it: ReplayedWorld, question: object, given: Partial<Merchant> = {}): Promise<Answer> {
  const answered = await tryAsk(it, question, given);
  if ("places" in answered || !answered.ok) throw new Error(JSON.stringify(answered));
  return answered.value;
}

async function tryAsk(it: ReplayedWorld, question: object, given: Partial<Merchant> = {}) {
  const { deps, shop } = await shopOf(it, given);
  return execute(toQuestion(question), shop, deps);
}

function toQuestion(question: object) {
  return valueFrom(parseQuestion({ site_id: "x", date_range: RANGE, ...question }));
}

interface Asks {
  /** How often partitions were asked for events. */
  looks: number;
}

async function shopOf(it: ReplayedWorld, given: Partial<Merchant> = {}, asks: Asks = { looks: 0 }) {
  const deps = {
    ...it.replayDeps(),
    buckets: new BucketMemory(),
    scans: new ScanMemory(),
    turns: new TurnMemory(),
    rollupTurn: new RollupTurn({ turns: new TurnMemory(), now: () => Date.now() }),
    meter: zeroMeter(),
    partition: () => ({
      live: async (request: Parameters<typeof live>[1]) => live(it.it.partition, request),
      recentEvents: async (request: Parameters<typeof recentEvents>[1]) => {
        asks.looks += 1;
        return recentEvents(it.it.partition, request);
      },
    }),
  } as unknown as Deps;
  const {
    merchant: _,
    past = [],
    ...settings
  } = (await readSettings(it.d1, 1)) as NonNullable<Awaited<ReturnType<typeof readSettings>>>;
  const shop = {
    ...settings,
    pastZones: past,
    currencies: [],
    number: 1,
    retentionDays: null,
    imported: [],
    ...given,
  } as unknown as Merchant;
  return { deps, shop };
}

async function askAll(it: ReplayedWorld, given: Partial<Merchant> = {}): Promise<readonly unknown[]> {
  const all: unknown[] = [];
  for (const question of QUESTIONS) all.push((await ask(it, question, given)).results);
  return all;
}

/** The bundle reaches the archive, and its partition does not hear of it. */
async function archiveUnheard(it: ReplayedWorld, bundle: number): Promise<void> {
  const deps = it.deps();
  await archiveBody(packBundle(it.it.sent[bundle]?.text ?? ""), {
    ...deps,
    encode: encodeParquet,
    confirm: async () => "confirmed",
    takeMissed: () => Promise.reject(new Error("no partition is lost here")),
    sendRuns: async (places) => {
      for (const place of places) await makeRuns(place, deps);
    },
    note: async (noted) => void it.queue.push(...(await noteArchived(it.d1, { bundle: noted, now: it.it.now }))),
  });
}

/** What is said at each step, and after the recount. */
async function follow(
  it: ReplayedWorld,
  events: Partial<Event>[],
): Promise<Readonly<Record<string, readonly unknown[]>>> {
  const bundle = it.it.sent.length;
  await it.send(events);
  const logged = await askAll(it);
  it.it.restart();
  const restarted = await askAll(it);
  it.it.now += 10 * 60_000;
  await drain(it.it.partition);
  const sent = await askAll(it);
  await archiveUnheard(it, bundle);
  const archived = await askAll(it);
  await it.settle();
  const confirmed = await askAll(it);
  await it.seal();
  const counted = await askAll(it);
  expect(it.database.prepare("SELECT count(*) AS n FROM uncounted").get()).toEqual({ n: 0 });
  return { logged, restarted, sent, archived, confirmed, counted };
}

test("[GAP-2] [GAP-3] beside sealed Days, late events are in each answer as they will be in rollups", async () => {
  const it = await world();
  await it.sealAt(CLOSED_MS, 3);
  const before = await askAll(it);
  const { counted, ...steps } = await follow(it, late());
  expect(counted).not.toEqual(before);
  for (const [step, answers] of Object.entries(steps)) expect(answers, step).toEqual(counted);
});

test("[GAP-2] [GAP-3] between its closing and its first seal a Day answers alike", async () => {
  const it = await world();
  it.it.now = CLOSED_MS;
  const before = await askAll(it);
  const { counted, ...steps } = await follow(it, late());
  expect(counted).not.toEqual(before);
  for (const [step, answers] of Object.entries(steps)) expect(answers, step).toEqual(counted);
});

test("[GAP-2] [GAP-3] [ZON-3] Days with a zone of the past answer alike", async () => {
  const it = await world();
  await it.sealAt(CLOSED_MS + 3 * DAY_MS, 3);
  const moving = { kind: "rebuild", fromDay: FIRST, toDay: DAY, merchants: [1], zone: "Asia/Tokyo" } as const;
  expect(await it.run(moving)).toMatchObject({ state: "done", failed: 0 });
  const before = await askAll(it);
  const noon = DAY * DAY_MS - 12 * 3_600_000;
  const common = { merchant: 1, userAgent: CHROME, visitor: "00000000000000aa", url: "https://shop.example/late" };
  const events = [0, 6, 11].map((hours) => ({ ...common, id: `h${hours}`, timestamp: noon + hours * 3_600_000 }));
  const { counted, ...steps } = await follow(it, events);
  expect(counted).not.toEqual(before);
  for (const [step, answers] of Object.entries(steps)) expect(answers, step).toEqual(counted);
});

test("[GAP-3] a merchant's late events are no other merchant's cost, and the answer says what was read", async () => {
  const it = await world();
  await it.sealAt(CLOSED_MS, 3);
  await it.send(late().map((event) => ({ ...event, merchant: 2 })));
  expect((await ask(it, { metrics: METRICS })).meta.sources).toEqual({
    from: "rollups",
    rows: 4,
    objects: 0,
    bytes: 0,
  });
  await it.send(late());
  await it.settle();
  const { sources } = (await ask(it, { metrics: METRICS })).meta;
  expect(sources).toMatchObject({ from: "rollups", objects: expect.any(Number) });
  expect(sources.objects).toBeGreaterThan(0);
  const elsewhere = { metrics: METRICS, date_range: [dateOf(FIRST), dateOf(FIRST)] };
  expect((await ask(it, elsewhere)).meta.sources).toMatchObject({ rows: 1, objects: 0 });
});

test("[GAP-3] [BAT-2] the late events of a range are read and counted once for all questions of a batch", async () => {
  const it = await world();
  await it.sealAt(CLOSED_MS, 3);
  await it.send(late());
  await it.settle();
  const dimensions = ["event:page", "visit:source", "visit:device", "visit:country", "time:day", "event:name"];
  const questions = dimensions.map((name) => ({ metrics: ["visitors", "events"], dimensions: [name] }));
  const alone = { looks: 0 };
  const answers: unknown[] = [];
  for (const question of questions) {
    const { deps, shop } = await shopOf(it, {}, alone);
    answers.push(await execute(toQuestion(question), shop, deps));
  }
  const asks = { looks: 0 };
  const { deps, shop } = await shopOf(it, {}, asks);
  const together = new Together(shop, deps);
  const found = await together.each(questions, (question, own) => execute(toQuestion(question), shop, own));
  expect(found).toEqual(answers);
  expect([alone.looks, asks.looks]).toEqual([questions.length, 1]);
});

test("[GAP-3] numbers of Days whose events retention has taken stay what they are", async () => {
  const it = await world();
  await it.sealAt(CLOSED_MS + 40 * DAY_MS, 3);
  const retention = { retentionDays: 30 };
  const question = { metrics: METRICS, dimensions: ["time:day"] };
  const before = (await ask(it, question, retention)).results;
  await it.send(late());
  expect((await ask(it, question, retention)).results).toEqual(before);
  await it.settle();
  expect((await ask(it, question, retention)).results).toEqual(before);
});

test("[GAP-3] whoever is to be erased is not counted on the way", async () => {
  const it = await world();
  await it.sealAt(CLOSED_MS, 3);
  const [, , other] = late();
  await it.send([{ ...other }]);
  await it.settle();
  const question = { metrics: ["pageviews", "events"], date_range: [dateOf(DAY - 1), dateOf(DAY - 1)] };
  expect((await ask(it, question)).results[0]?.metrics).toEqual([2, 3]);
  const visitor = "00000000000000bb";
  const erasure = { id: "e", merchant: 1, kind: "visitor", visitor, fromDay: 0, toDay: 1e6, createdAt: 1 } as const;
  const made = await createErasure(it.d1, { erasure, partitions: ["pool-0"], openDays: [DAY + 3] });
  await markTold(it.d1, { erasure: made, partition: "pool-0", position: 1_000 });
  expect((await ask(it, question)).results[0]?.metrics).toEqual([2, 2]);
});

test("[GAP-3] what is too much for a request becomes a job of the whole range; drops are refused", async () => {
  const it = await world();
  await it.sealAt(CLOSED_MS, 3);
  await it.send(late());
  await it.settle();
  const [key] = it.keys("events/") as [string];
  it.objects.set(key.replace(/\d+\.parquet$/, "0000000999999.parquet"), new Uint8Array(SCAN_BYTES_MAX + 1));
  const large = await tryAsk(it, { metrics: ["events"] });
  expect(large).toMatchObject({ ok: false, rejection: { message: expect.stringContaining("40 MB") } });
  expect("places" in large && large.places.length).toBe(4 + 1);
  const drops = await tryAsk(it, { metrics: ["drops"] });
  expect([drops.ok, "places" in drops]).toEqual([false, false]);
});
