// What a partition promises, one behaviour at a time. That the promises hold together under crashes is the
// simulation's.

import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { decodeBundle } from "../../core/archive/bundle.ts";
import { replay } from "../../core/counting/replay.ts";
import {
  BUNDLE_DAYS_MAX,
  BUNDLE_MESSAGE_BYTES_MAX,
  GROUP_COMMIT_EVENTS,
  GROUP_COMMIT_LONG_MS,
  GROUP_COMMIT_MS,
  GROUP_COMMIT_SHORT_FOR_MS,
  LOG_SEGMENT_ROWS,
  MERCHANT_EVENTS_PER_WINDOW_MAX,
  PUBLISH_EVERY_MS,
  RETRY_MAX_MS,
  SALT_KEPT_MS,
  SETTINGS_LEASE_MS,
  TIMESTAMP_AHEAD_MS,
} from "../../core/limits.ts";
import type { Settings } from "../../core/merchant.ts";
import { GLOBAL_MERCHANT, NO_RULES, rulesTakeEffectAt } from "../../core/rules.ts";
import { DAY_MS, dayAt, HOUR_MS } from "../../core/time.ts";
import { admit } from "../../durable-objects/admission.ts";
import { dutiesDue, nextPublish, publishTurn } from "../../durable-objects/alarm.ts";
import { checkpoint, forget } from "../../durable-objects/checkpoint.ts";
import { confirm, drain } from "../../durable-objects/drain.ts";
import { tick } from "../../durable-objects/duties.ts";
import { live } from "../../durable-objects/live.ts";
import { publish } from "../../durable-objects/publish.ts";
import { refreshSettings } from "../../durable-objects/settings.ts";
import { findDay, shelfOf } from "../../durable-objects/state.ts";
import { statusOf } from "../../durable-objects/status.ts";
import { packBundle } from "../../storage/archive/bundle-message.ts";
import { always, eventOf, globalSettings, settingsOf, TUESDAY } from "../support/events.ts";
import { TestPartition } from "../support/partition.ts";

const TODAY = dayAt("UTC", TUESDAY);

function pageviews(test: TestPartition, merchant = 1): number {
  const request = { merchant, grain: "day" as const, from: 0, to: TODAY + 100, dimensions: [] };
  return live(test.partition, request).rows.reduce((sum, row) => sum + row.counts.pageviews, 0);
}

/** The live rollup of merchant 1's Day. */
function dayOf(test: TestPartition) {
  const request = { merchant: 1, grain: "day" as const, from: TODAY, to: TODAY + 1, dimensions: [] };
  return live(test.partition, request).rows[0];
}

test("[PAR-1] appends of one moment share one log row, and each hears of its own events", async () => {
  const it = new TestPartition();
  const fates = await Promise.all(Array.from({ length: 50 }, (_, index) => it.send([{ id: `a ${index}` }])));
  expect(fates.flat()).toEqual(new Array(50).fill("accepted"));
  expect([it.rows("log"), pageviews(it)]).toEqual([1, 50]);
});

test("[PAR-20] waits are long while they bring company, short for a while once they have not, and over with enough", async () => {
  const it = new TestPartition();
  const waits: number[] = [];
  let company = true;
  it.pause = async (ms) => {
    waits.push(ms);
    it.now += ms / 2;
    if (company) void it.send([{}]);
    await new Promise(setImmediate);
    it.now += ms / 2;
  };
  for (let time = 0; time < 3; time++) await it.send([{}]);
  company = false;
  for (let time = 0; time < 4; time++) await it.send([{}]);
  it.now += GROUP_COMMIT_SHORT_FOR_MS;
  await it.send([{}]);
  const [long, short] = [GROUP_COMMIT_LONG_MS, GROUP_COMMIT_MS];
  expect(waits).toEqual([long, long, long, long, long, short, short, long]);
  it.pause = () => new Promise(() => undefined);
  const all = Array.from({ length: GROUP_COMMIT_EVENTS }, () => it.send([{}]));
  expect((await Promise.all(all)).flat()).toHaveLength(GROUP_COMMIT_EVENTS);
});

test("[PAR-21] a full table of the log is dropped once all of it lies in the archive, and a restart knows the others", async () => {
  const it = new TestPartition();
  const tables = () =>
    it.database
      .prepare("SELECT name FROM sqlite_master WHERE name LIKE 'log%' ORDER BY name")
      .all()
      .map((row) => row["name"]);
  const fill = async () => {
    for (let row = 0; row < LOG_SEGMENT_ROWS; row++) await it.send([{ id: `${it.partition.next}` }]);
    checkpoint(it.partition);
  };
  await fill();
  await fill();
  const [second, third] = [`log_${1 + LOG_SEGMENT_ROWS}`, `log_${1 + 2 * LOG_SEGMENT_ROWS}`];
  expect(tables()).toEqual(["log", second, third]);
  it.now += 300_000;
  await drain(it.partition);
  it.restart();
  expect(pageviews(it)).toBe(2 * LOG_SEGMENT_ROWS);
  expect(it.partition.deps.store.readLog({ first: 1, end: it.partition.next })).toHaveLength(2 * LOG_SEGMENT_ROWS);
  for (const { first } of it.sent) confirm(it.partition, first);
  checkpoint(it.partition);
  expect([tables(), it.rows(third)]).toEqual([[third], 0]);
  expect(await it.send([{ id: "1" }])).toEqual(["duplicate"]);
  await it.send([{ id: "later" }]);
  it.restart();
  expect([it.rows(third), it.partition.next]).toEqual([1, 2 + 2 * LOG_SEGMENT_ROWS]);
});

test("[PAR-2] an id counts once for its merchant, however often and however far apart it comes", async () => {
  const it = new TestPartition();
  it.settings.set(2, settingsOf("UTC", { merchant: 2 }));
  expect(await it.send([{ id: "x" }, { id: "x" }])).toEqual(["accepted", "duplicate"]);
  expect(await it.send([{ id: "x" }])).toEqual(["duplicate"]);
  expect(await it.send([{ id: "x", merchant: 2 }])).toEqual(["accepted"]);
  it.restart();
  expect(await it.send([{ id: "x" }])).toEqual(["duplicate"]);
  checkpoint(it.partition);
  it.restart();
  expect(await it.send([{ id: "x" }])).toEqual(["duplicate"]);
});

const MIDNIGHT = (TODAY + 1) * DAY_MS;
const RESENDS: readonly (readonly [string, number, number, boolean, string])[] = [
  ["time left to us, resent the next Day", MIDNIGHT - 5 * HOUR_MS, MIDNIGHT + 5 * HOUR_MS, true, "duplicate"],
  ["time left to us, the first copy comes last", MIDNIGHT + 5 * HOUR_MS, MIDNIGHT - 5 * HOUR_MS, true, "duplicate"],
  ["clock skew over midnight", MIDNIGHT - 10, MIDNIGHT + 10, false, "duplicate"],
  ["clock skew back over midnight", MIDNIGHT + 10, MIDNIGHT - 10, false, "duplicate"],
  ["the client's own time on another Day", MIDNIGHT - 5 * HOUR_MS, MIDNIGHT + 5 * HOUR_MS, false, "accepted"],
];
test.each(RESENDS)("[PAR-3] %s", async (_, first, second, floating, fate) => {
  const it = new TestPartition();
  await it.send([{ id: "x", timestamp: first }], { floating });
  expect(await it.send([{ id: "x", timestamp: second }], { floating })).toEqual([fate]);
});

test("[PAR-4] a restart counts the log again; a checkpoint makes it short", async () => {
  const it = new TestPartition();
  for (let index = 0; index < 30; index++)
    await it.send([{ id: `a ${index}`, visitor: "", url: `https://a.example/${index % 4}` }]);
  const request = { merchant: 1, grain: "day" as const, from: TODAY, to: TODAY + 1, dimensions: ["page" as const] };
  const shown = () => ({ ...live(it.partition, request), bytes: 0 }); // what it takes of memory is an estimate
  const before = shown();
  it.restart();
  expect(shown()).toEqual(before);
  checkpoint(it.partition);
  it.restart();
  expect([it.partition.checkpointed, it.partition.next]).toEqual([31, 31]);
  expect(shown()).toEqual(before);
});

test("[LIM-8] a partition says how many bytes it has put together for its rollups: none where it remembers them", async () => {
  const it = new TestPartition();
  await it.send([{ id: "a", visitor: "" }]);
  const ask = (grain: "day" | "hour") =>
    live(it.partition, { merchant: 1, grain, from: 0, to: it.now + DAY_MS, dimensions: [] }).bytes;
  const small = ask("day");
  expect([small > 0, ask("day"), ask("hour") === small, ask("hour")]).toEqual([true, 0, true, 0]);
  await it.send(
    Array.from({ length: 200 }, (_, at) => ({ id: `b ${at}`, visitor: "", url: `https://a.example/${at}` })),
  );
  checkpoint(it.partition);
  expect(ask("day")).toBeGreaterThan(10 * small);
});

test("[PAR-5] a bundle's boundaries are fixed before it is sent: after a restart it goes out again, byte for byte", async () => {
  const it = new TestPartition();
  await it.send([{ id: "a" }, { id: "b" }]);
  it.now += 300_000;
  await drain(it.partition);
  await it.send([{ id: "c" }]);
  it.restart();
  await drain(it.partition);
  expect(it.sent.map(({ first, end }) => [first, end])).toEqual([
    [1, 3],
    [1, 3],
  ]);
  expect(packBundle(it.sent[1]?.text ?? "")).toEqual(packBundle(it.sent[0]?.text ?? ""));
});

test("[PAR-6] the log keeps what is not checkpointed or not confirmed", async () => {
  const it = new TestPartition();
  await it.send([{ id: "a" }]);
  it.now += 300_000;
  await drain(it.partition);
  checkpoint(it.partition);
  expect(it.rows("log")).toBe(1);
  confirm(it.partition, 1);
  confirm(it.partition, 1);
  confirm(it.partition, 77);
  checkpoint(it.partition);
  expect(it.rows("log")).toBe(0);
});

test("[PAR-7] what does not compress is cut smaller, and a bundle touches a bounded number of Days", async () => {
  const it = new TestPartition();
  const noise = () => randomBytes(1_500).toString("base64");
  await it.send(Array.from({ length: 300 }, (_, index) => ({ id: `n ${index}`, props: noise() })));
  await it.send(
    Array.from({ length: BUNDLE_DAYS_MAX + 50 }, (_, index) => ({
      id: `d ${index}`,
      timestamp: TUESDAY - index * DAY_MS,
    })),
  );
  it.now += 300_000;
  await drain(it.partition);
  let next = 1;
  for (const { first, end, text } of it.sent) {
    expect(first).toBe(next);
    expect(packBundle(text).length).toBeLessThanOrEqual(BUNDLE_MESSAGE_BYTES_MAX);
    expect(new Set(decodeBundle(text).events.map(({ day }) => day)).size).toBeLessThanOrEqual(BUNDLE_DAYS_MAX);
    next = end;
  }
  expect(next).toBe(it.partition.next);
});

test("[PAR-8] a bundle that is never confirmed is sent again, each time after twice as long", async () => {
  const it = new TestPartition();
  await it.send([{ id: "a" }]);
  const sends: number[] = [];
  for (let minute = 0; minute < 120; minute++) {
    it.now += 60_000;
    await drain(it.partition);
    if (it.sent.length > sends.length) sends.push(minute + 1);
  }
  expect(sends).toEqual([5, 10, 20, 40, 80]);
});

test("[PAR-9] cookieless: one visitor a person, merchant and Day; the salt is gone after 48 h, the address at once", async () => {
  const it = new TestPartition();
  it.settings.set(2, settingsOf("UTC", { merchant: 2 }));
  const visitorsOf = (merchant: number, day: number) => [
    ...(findDay(it.partition, merchant, day)?.visitors.keys() ?? []),
  ];
  await it.send([{ visitor: "" }, { visitor: "" }]);
  await it.send([{ visitor: "", userAgent: "" }], { address: "203.0.113.2" });
  await it.send([{ visitor: "", merchant: 2 }]);
  it.now += DAY_MS;
  await it.send([{ visitor: "" }]);
  const all = [...visitorsOf(1, TODAY), ...visitorsOf(2, TODAY), ...visitorsOf(1, TODAY + 1)];
  expect([all.length, new Set(all).size]).toEqual([4, 4]);
  expect(JSON.stringify(it.database.prepare("SELECT rows FROM log").all())).not.toContain("203.0.113");
  it.now = TUESDAY + SALT_KEPT_MS;
  forget(it.partition);
  expect(it.database.prepare("SELECT day FROM salt").all()).toEqual([{ day: TODAY + 1 }]);
});

test("[PAR-10] shelves that are written, published and idle leave memory, and come back for a late event", async () => {
  const it = new TestPartition();
  await it.send([{ id: "a" }]);
  it.now += DAY_MS;
  checkpoint(it.partition);
  expect(it.partition.shelves.size).toBe(1); // idle and written, but D1 does not have it yet
  await publish(it.partition);
  checkpoint(it.partition);
  expect(it.partition.shelves.size).toBe(0);
  expect(
    await it.send([
      { id: "a", timestamp: TUESDAY },
      { id: "b", timestamp: TUESDAY },
    ]),
  ).toEqual(["duplicate", "accepted"]);
  expect(pageviews(it)).toBe(2);
});

test("[PAR-11] a large shelf takes several rows and comes back whole", async () => {
  const it = new TestPartition();
  const url = (index: number) => `https://shop.example/${String(index).padEnd(900, "x")}`;
  for (let batch = 0; batch < 4; batch++) {
    await it.send(
      Array.from({ length: 1_000 }, (_, index) => ({ id: `${batch} ${index}`, url: url(batch * 1_000 + index) })),
    );
    it.now += 1_000;
  }
  checkpoint(it.partition);
  expect(it.rows("shelf")).toBeGreaterThan(1);
  it.restart();
  expect(pageviews(it)).toBe(4_000);
  const { day, shelf } = shelfOf(1, TODAY);
  expect(it.partition.shelves.has(`${day}:${shelf}`)).toBe(true);
});

test("[PAR-12] only closed Hours and Days are published, as absolute values; a late event publishes again", async () => {
  const it = new TestPartition();
  await it.send([{ id: "a", timestamp: TUESDAY - HOUR_MS }, { id: "b" }]);
  await publish(it.partition);
  expect(it.published.map(({ grain, counts }) => [grain, counts.pageviews])).toEqual([["hour", 1]]);
  await it.send([{ id: "c", timestamp: TUESDAY - HOUR_MS }]);
  await publish(it.partition);
  expect(it.published.at(-1)).toMatchObject({ grain: "hour", counts: { pageviews: 2 }, version: 3 });
  it.now += DAY_MS;
  await publish(it.partition);
  expect(it.published.filter(({ grain }) => grain === "day").map(({ counts }) => counts.pageviews)).toEqual([3]);
  expect(pageviews(it)).toBe(0); // live() has only what D1 does not have
});

test("[PAR-13] a duty that fails waits longer each time and keeps no other from running", async () => {
  const it = new TestPartition();
  await it.send([{ id: "a", timestamp: TUESDAY - HOUR_MS }]);
  it.broken.add("d1");
  const waits: number[] = [];
  for (let failure = 0; failure < 12; failure++) {
    it.now = Math.max(it.now + 1_000, dutiesDue(it.partition, it.now).publish);
    await tick(it.partition);
    waits.push((it.partition.retries.get("publish")?.at ?? 0) - it.now);
  }
  expect(waits.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
  expect(waits.at(-1)).toBe(RETRY_MAX_MS);
  expect(it.sent.length).toBeGreaterThan(0);
  it.broken.clear();
  it.now += RETRY_MAX_MS;
  await tick(it.partition);
  expect(it.published.length).toBe(1);
});

test("[PAR-14] a partition that was only asked has written nothing", () => {
  const it = new TestPartition();
  expect(pageviews(it)).toBe(0);
  expect(it.database.prepare("SELECT name FROM sqlite_master").all()).toEqual([]);
});

test("[PAR-15] what was due before an eviction is due after it", async () => {
  const it = new TestPartition();
  await it.send([{ id: "a" }]);
  checkpoint(it.partition);
  const before = dutiesDue(it.partition, it.now);
  it.now += 240_000;
  it.restart();
  findDay(it.partition, 1, TODAY);
  expect(dutiesDue(it.partition, it.now).drain).toBe(before.drain);
  expect(dutiesDue(it.partition, it.now).publish).toBe(before.publish);
});

test("[PAR-15] what a quiet partition has published is published after an eviction, and not once more", async () => {
  const it = new TestPartition();
  await it.send([{ id: "a" }]);
  it.now = TUESDAY + 2 * HOUR_MS;
  checkpoint(it.partition);
  await it.send([{ id: "b" }]);
  it.now += 90_000; // the grace after a full hour
  await tick(it.partition);
  expect(it.published.map(({ grain }) => grain)).toEqual(["hour"]);
  for (let quarter = 0; quarter < 3; quarter++) {
    it.restart();
    it.now += HOUR_MS / 4;
    await tick(it.partition);
  }
  expect(it.published.map(({ grain }) => grain)).toEqual(["hour"]);
});

test.each([
  [0, 90_000],
  [89_999, 90_000],
  [90_000, 990_000],
  [990_001, 1_890_000],
])("[PAR-16] after a publish at %i the next one is due at %i: a grace after each quarter hour", (last, next) => {
  expect(nextPublish(last, 900_000, 90_000)).toBe(next);
});

test("[PAR-16] partitions publish one after the other: 256 of them in ten minutes, about as many in each", () => {
  const turns = Array.from({ length: 256 }, (_, index) => publishTurn(`pool-${index}`, PUBLISH_EVERY_MS));
  const minutes = Map.groupBy(turns, (turn) => Math.floor(turn / 60_000));
  expect([...minutes.keys()].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  for (const inMinute of minutes.values()) expect(inMinute.length).toBeLessThan(2 * 25.6);
  expect(publishTurn("pool-7", PUBLISH_EVERY_MS)).toBe(turns[7]);
  expect(publishTurn("pool-7", 1_000)).toBeLessThan(667);
});

test("[PAR-17] settings: unknown merchants are told so, changes start after a checkpoint, an old copy is not used", async () => {
  const it = new TestPartition();
  expect(await it.send([{ merchant: 9 }])).toEqual(["unknown"]);
  await it.send([{ id: "a" }]);
  it.settings.set(1, settingsOf("UTC", { version: 2, rules: always({ hostnames: ["other.example"] }) }));
  await refreshSettings(it.partition, 1);
  expect(it.partition.checkpointed).toBe(2);
  expect(await it.send([{ id: "b" }])).toEqual([{ dropped: "hostname" }]);
  it.restart();
  expect(pageviews(it)).toBe(1);
  it.now += SETTINGS_LEASE_MS + 1;
  it.broken.add("settings");
  await expect(it.send([{ id: "c" }])).rejects.toThrow("settings is down");
});

test("[RUL-13] the deployment's rules reach a partition by its lease alone, in time, and none counts without them", async () => {
  const it = new TestPartition();
  const from = rulesTakeEffectAt(TUESDAY);
  const rules = { ...NO_RULES, referrers: { drop: ["spam.example"], admit: [] } };
  const visit = (timestamp: number) => it.send([{ referrer: "https://spam.example/", timestamp }]);
  await visit(it.now);
  it.settings.set(GLOBAL_MERCHANT, globalSettings([{ version: 1, from, rules }], 2));
  // The worst there is: the copy is used as long as it may be, by clients whose clocks run ahead as far as they may.
  it.now += SETTINGS_LEASE_MS;
  expect(it.now + TIMESTAMP_AHEAD_MS).toBeLessThan(from);
  expect(await visit(it.now + TIMESTAMP_AHEAD_MS)).toEqual(["accepted"]);
  it.now += 1;
  expect([await visit(from - 1), await visit(from)]).toEqual([["accepted"], [{ dropped: "referrer" }]]);
  it.restart();
  const request = { merchant: 1, grain: "day" as const, from: 0, to: TODAY + 100, dimensions: [] };
  expect(live(it.partition, request).rows[0]).toMatchObject({ counts: { pageviews: 3 }, drops: { referrer: 1 } });
  it.now += SETTINGS_LEASE_MS + 1;
  it.broken.add("settings");
  await expect(visit(it.now)).rejects.toThrow("settings is down");
});

test("[RUL-7] an excluded address is archived by its exclusion's name alone; without the exclusion the hit counts again", async () => {
  const it = new TestPartition();
  const addresses = [{ name: "office", networks: ["203.0.113.0/24"] }];
  const excluding = settingsOf("UTC", { version: 2, rules: always({ addresses }) });
  it.settings.set(1, excluding);
  const way = { address: "203.0.113.77" };
  expect(await it.send([{ id: "a", visitor: "" }], way)).toEqual([{ dropped: "address" }]);
  it.settings.set(1, settingsOf("UTC", { version: 3, rules: [...excluding.rules, ...always({})] }));
  await refreshSettings(it.partition, 1);
  expect(await it.send([{ id: "b", visitor: "" }], way)).toEqual(["accepted"]);
  it.now += 300_000;
  await drain(it.partition);
  const text = it.sent.map((bundle) => bundle.text).join("\n");
  expect(text).not.toContain("203.0.113");
  const events = decodeBundle(text).events.map(({ event }) => event);
  expect(events.map(({ excluded, dropped }) => [excluded, dropped])).toEqual([
    ["office", "address"],
    ["", ""],
  ]);
  const archived = events.map((event, index) => ({ partition: "pool-0", position: index + 1, event }));
  const pageviewsUnder = (settings: Settings | undefined) =>
    replay(archived, (merchant) => (merchant === 1 ? settings : undefined)).find(({ grain }) => grain === "day")?.counts
      .pageviews;
  expect(pageviewsUnder(it.settings.get(1))).toBe(2);
  // An exclusion that comes later knows nothing of addresses that are gone.
  expect(pageviewsUnder(excluding)).toBe(1);
});

test("[PAR-18] one merchant's flood is turned away at its share, and a batch larger than the share still gets in", () => {
  const it = new TestPartition();
  const arrivals = (merchant: number, count: number) =>
    Array.from({ length: count }, () => ({ event: eventOf({ merchant }), address: "", floating: false }));
  expect(admit(it.partition, arrivals(1, MERCHANT_EVENTS_PER_WINDOW_MAX + 1))).toBe(true);
  expect(admit(it.partition, arrivals(1, 1))).toBe(false);
  expect(admit(it.partition, arrivals(2, 1))).toBe(true);
  it.now += 1_000;
  expect(admit(it.partition, arrivals(1, 1))).toBe(true);
});

test("[PAR-19] a commit that fails resets the object: memory never runs ahead of the disk", async () => {
  const it = new TestPartition();
  await it.send([{ id: "a" }]);
  it.database.exec("DROP TABLE log");
  await expect(it.send([{ id: "b" }])).rejects.toThrow();
  expect(it.resets).toBe(1);
});

test("[PAR-22] a partition that has just woken says how many rollups wait to be published", async () => {
  const it = new TestPartition();
  await it.send([{}, { merchant: 1, timestamp: TUESDAY - HOUR_MS }]);
  checkpoint(it.partition);
  const { unpublishedRollups, merchants } = statusOf(it.partition);
  expect([unpublishedRollups, merchants]).toEqual([3, 1]);
  it.restart();
  expect(statusOf(it.partition)).toMatchObject({ unpublishedRollups, merchants });
});

test("[DUP-1] a page's event with the id of an order takes nothing from the server's, nor the other way round", async () => {
  const it = new TestPartition();
  const order = { id: "order-1000", name: "purchase", order: "1000", revenue: 2_500_000 };
  expect(await it.send([{ id: "order-1000", name: "engagement" }])).toEqual(["accepted"]);
  expect(await it.send([{ ...order, keyed: 1 }])).toEqual(["accepted"]);
  expect(
    await it.send([
      { ...order, keyed: 1 },
      { id: "order-1000", name: "engagement" },
    ]),
  ).toEqual(["duplicate", "duplicate"]);
  it.restart();
  expect(await it.send([{ ...order, keyed: 1 }])).toEqual(["duplicate"]);
  expect(dayOf(it)?.counts).toMatchObject({ orders: 1, money: [{ currency: "EUR", revenue: 2_500_000 }] });
});

test("[DUP-2] another story under a known id is kept once, dropped as duplicate, and a replay says the same", async () => {
  const it = new TestPartition();
  const told = { id: "a", name: "purchase", order: "1", revenue: 100_000 };
  const other = { ...told, revenue: 900_000 };
  expect(await it.send([told])).toEqual(["accepted"]);
  expect(await it.send([told, other, other])).toEqual(["duplicate", "duplicate", "duplicate"]);
  checkpoint(it.partition);
  it.restart();
  expect(await it.send([other])).toEqual(["duplicate"]);
  const row = dayOf(it);
  expect([row?.counts.events, row?.drops]).toEqual([1, { duplicate: 1 }]);
  it.now += 300_000;
  await drain(it.partition);
  const archived = it.sent.flatMap(({ first, text }) =>
    decodeBundle(text).events.map(({ event }, index) => ({ partition: "pool-0", position: first + index, event })),
  );
  expect(archived.map(({ event }) => event.dropped)).toEqual(["", "duplicate"]);
  const again = replay(archived, (merchant) => (merchant === 1 ? settingsOf() : undefined)).find(
    ({ grain }) => grain === "day",
  );
  expect([again?.counts, again?.drops]).toEqual([row?.counts, row?.drops]);
});
