// The drain when the archive does not confirm: a stuck bundle, a dead letter mostly, is sent again ever more rarely,
// also through evictions of the object, and never stops the bundles behind it. The partition is the production code on
// an in-memory SQLite; time is a number.

import { createHmac } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, test } from "vitest";
import { BUNDLES_UNCONFIRMED_MAX, RESEND_AFTER_MS, RESEND_MAX_MS, SEAL_AFTER_MS } from "../../core/limits.ts";
import { append } from "../../durable-objects/append.ts";
import { confirm } from "../../durable-objects/drain.ts";
import { tick } from "../../durable-objects/duties.ts";
import { openPartition, type Partition } from "../../durable-objects/state.ts";
import { Store } from "../../durable-objects/store.ts";
import { packBundle, unpackBundle } from "../../storage/archive/bundle-message.ts";
import { eventOf, settingsOf, TUESDAY } from "../support/events.ts";
import { sqliteSql } from "../support/sqlite.ts";

const DRAIN_AFTER_MS = 1_000;
const HOUR_MS = 3_600_000;

let now: number;
let alarmAt: number;
let disk: DatabaseSync;
/** First positions in the order in which bundles were sent. */
let sent: number[];

beforeEach(() => {
  now = TUESDAY;
  alarmAt = Number.POSITIVE_INFINITY;
  disk = new DatabaseSync(":memory:");
  sent = [];
});

describe("bundles that are never confirmed", () => {
  test("[DLQ-7] as many as may be under way do not stop the drain for good", async () => {
    const partition = open();
    for (let index = 0; index < BUNDLES_UNCONFIRMED_MAX; index++) await addBundle(partition);
    expect(partition.bundles).toHaveLength(BUNDLES_UNCONFIRMED_MAX);
    await addBundle(partition);
    expect(partition.bundles).toHaveLength(BUNDLES_UNCONFIRMED_MAX); // back-pressure: the archive may just be slow
    await passTime(partition, 2 * HOUR_MS);
    expect(partition.bundles.length).toBe(BUNDLES_UNCONFIRMED_MAX + 1); // the poisoned hold up nobody any more
    const last = partition.bundles.at(-1)?.first as number;
    expect(sent).toContain(last);
    confirm(partition, last);
    expect(partition.bundles).toHaveLength(BUNDLES_UNCONFIRMED_MAX);
  });

  test.each([
    ["the object stays", false],
    ["the object is evicted after every alarm", true],
  ])("[DLQ-7] resends become rare and never end, when %s", async (_, evicted) => {
    let partition = open();
    await addBundle(partition);
    const gaps: number[] = [];
    let last = now;
    while (gaps.length < 12) {
      now = alarmAt;
      alarmAt = Number.POSITIVE_INFINITY;
      const before = sent.length;
      if (evicted) partition = open();
      await tick(partition);
      if (sent.length === before) continue;
      gaps.push((now - last) / RESEND_AFTER_MS);
      last = now;
    }
    const max = RESEND_MAX_MS / RESEND_AFTER_MS;
    // The first resend comes at once after an eviction: the message may have been lost with the process.
    const first = evicted ? (gaps[0] as number) : 1;
    expect(first).toBeLessThanOrEqual(1);
    expect(gaps).toEqual([first, 2, 4, 8, 16, 32, 64, max, max, max, max, max]);
  });

  test("[DLQ-7] one drain sends a bounded number, and the rest at once after it", async () => {
    const partition = open();
    for (let index = 0; index < BUNDLES_UNCONFIRMED_MAX; index++) await addBundle(partition);
    await passTime(partition, 2 * HOUR_MS);
    for (let index = 0; index < BUNDLES_UNCONFIRMED_MAX; index++) await addBundle(partition);
    const reopened = open();
    for (const bundle of reopened.bundles) bundle.sentAt = 0;
    sent = [];
    await tick(reopened);
    expect(sent).toHaveLength(BUNDLES_UNCONFIRMED_MAX);
    expect(alarmAt).toBe(now);
    await tick(reopened);
    expect(new Set(sent).size).toBe(2 * BUNDLES_UNCONFIRMED_MAX);
  });
});

/** The partition as it comes back from disk. */
function open(): Partition {
  return openPartition(
    {
      store: new Store(sqliteSql(disk)),
      now: () => now,
      newIdKey: () => "00".repeat(16),
      randomHex: (bytes) => "00".repeat(bytes),
      hmacHex: (key, message) => createHmac("sha256", key).update(message).digest("hex"),
      pause: async () => {},
      durable: async () => {},
      writeSpread: async () => true,
      counted: async (_, { ids }) => ids.map(() => "unknown"),
      poolSize: 1,
      setAlarm: async (at) => {
        alarmAt = at;
      },
      reset: (why) => {
        throw new Error(why);
      },
      packBundle,
      sendBundle: async ({ message }) => void sent.push(unpackBundle(message).first),
      publishRollups: async () => {},
      tellStatus: async () => {},
      newClaim: () => "0123456789abcdef",
      claimName: async ({ claim }) => ({ claim, events: 0 }),
      noteLost: async () => {},
      readSettings: async (merchants) => merchants.map((merchant) => settingsOf("UTC", { merchant })),
      readChanges: async () => ({ last: 0, merchants: [] }),
      background: (work) => void work,
      log: (entry) => expect.fail(JSON.stringify(entry)),
      timing: {
        drainAfterMs: DRAIN_AFTER_MS,
        publishEveryMs: 900_000,
        publishGraceMs: 90_000,
        resendAfterMs: RESEND_AFTER_MS,
        sealAfterMs: SEAL_AFTER_MS,
      },
    },
    "pool-0",
  );
}

/** One more event, and the drain that makes a bundle of it if it may. */
async function addBundle(partition: Partition): Promise<void> {
  await append(partition, [{ event: eventOf({ timestamp: now }), address: "", floating: false }]);
  now += DRAIN_AFTER_MS;
  await tick(partition);
}

/** Every alarm of some time, one after the other. */
async function passTime(partition: Partition, ms: number): Promise<void> {
  for (const end = now + ms; alarmAt <= end; ) {
    now = Math.max(now, alarmAt);
    alarmAt = Number.POSITIVE_INFINITY;
    await tick(partition);
  }
}
