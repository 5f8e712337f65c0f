// The archive consumer under repetition, failure and poison.

import { describe, expect, test } from "vitest";
import type { Bundle } from "../../core/archive/bundle.ts";
import type { Confirmation } from "../../core/counting/recovered.ts";
import { SEAL_AFTER_MS } from "../../core/limits.ts";
import { zeroMeter } from "../../core/meter.ts";
import { archive } from "../../queues/archive.ts";
import { packBundle } from "../../storage/archive/bundle-message.ts";
import { encodeParquet, readParquet } from "../../storage/archive/parquet.ts";
import type { ArchivedBundle } from "../../storage/ledger/places.ts";
import type { SealPlace } from "../../storage/ledger/sealed-day.ts";
import { meteredR2 } from "../../storage/metered.ts";
import { bundleText, DAY, DAY_START_MS, traffic } from "../support/archive-fixture.ts";
import { batchOf, deliver, memoryBucket, memoryLog } from "../support/delivery.ts";

const QUEUE = "footfall-archive";

function bundleAt(first: number, days = 1): Bundle {
  return { partition: "pool-3", first, events: traffic({ count: 20, seed: first, days }) };
}

function packed(bundle: Bundle): Uint8Array {
  return packBundle(bundleText(bundle));
}

/** Everything the consumer touches, and a list of what it did in order. */
function world(failing: { put?: (key: string) => boolean; confirm?: () => boolean; misses?: boolean } = {}) {
  const steps: string[] = [];
  const bucket = memoryBucket(failing.put);
  const { lines, log } = memoryLog();
  const put = async (key: string, bytes: Uint8Array) => {
    steps.push(`put ${key}`);
    if (bucket.objects.has(key)) return null; // the consumer puts only what is not there
    await bucket.put(key, bytes);
    return { key };
  };
  const get = async (key: string) => {
    const { bytes } = bucket.objects.get(key) as { readonly bytes: Uint8Array };
    return { arrayBuffer: async () => bytes.slice().buffer };
  };
  const confirm = async (partition: string, first: number): Promise<Confirmation> => {
    steps.push(`confirm ${partition} ${first}`);
    if (failing.confirm?.() === true) throw new Error("partition is unreachable");
    return failing.misses === true ? "missed" : "confirmed";
  };
  const takeMissed = async (partition: string, events: Bundle["events"]) => {
    steps.push(`missed ${partition} ${events.map(({ event }) => event.id)}`);
  };
  const noted: ArchivedBundle[] = [];
  const meter = zeroMeter();
  const deps = {
    encode: encodeParquet,
    bucket: meteredR2({ put, get } as unknown as R2Bucket, meter),
    confirm,
    takeMissed,
    sendRuns: async (places: readonly SealPlace[]) => {
      steps.push(...places.map(({ partition }) => `runs ${partition}`));
    },
    note: async (bundle: ArchivedBundle) => {
      steps.push("note");
      noted.push(bundle);
    },
    now: () => DAY_START_MS,
    pace: { sealAfterMs: SEAL_AFTER_MS },
    meter,
    log,
  };
  return { steps, lines, noted, objects: bucket.objects, deps };
}

describe("the archive consumer", () => {
  test("[ARC-15] writes one object a Day, then confirms, then acknowledges", async () => {
    const { steps, objects, deps } = world();
    const bundle = bundleAt(1001, 2);
    const message = deliver("m1", packed(bundle));
    await archive(batchOf(QUEUE, message), deps);
    expect(steps).toEqual([
      "put events/date=2026-11-21/partition=pool-3/0000000001001.parquet",
      "put events/date=2026-11-22/partition=pool-3/0000000001001.parquet",
      "note",
      "confirm pool-3 1001",
    ]);
    const files = await Promise.all([...objects.values()].map(({ bytes }) => readParquet(bytes)));
    const rows = files.flatMap((file) => file.rows).sort((a, b) => a.position - b.position);
    expect(rows.map(({ event }) => event)).toEqual(bundle.events.map(({ event }) => event));
    expect(message.end()).toBe("acknowledged");
  });

  test("[ARC-27] a bundle replaces none that has other events, and is taken for an earlier delivery of the same", async () => {
    const { steps, objects, lines, deps } = world();
    const bundle = bundleAt(1001);
    await archive(batchOf(QUEUE, deliver("m1", packed(bundle))), deps);
    const [key, known] = [...objects][0] as [string, { readonly bytes: Uint8Array }];
    const again = deliver("m2", packed(bundle));
    await archive(batchOf(QUEUE, again), deps);
    expect(again.end()).toBe("acknowledged");
    // An earlier release may have packed the same rows otherwise.
    const file = await readParquet(known.bytes);
    objects.set(key, { ...known, bytes: encodeParquet(file, "small") } as never);
    const later = deliver("m3", packed(bundle));
    await archive(batchOf(QUEUE, later), deps);
    expect(later.end()).toBe("acknowledged");
    const before = objects.get(key);
    steps.length = 0;
    const other = { ...bundle, events: traffic({ count: 20, seed: 77, days: 1 }) };
    const putBack = deliver("m4", packed(other));
    await archive(batchOf(QUEUE, putBack), deps);
    expect(putBack.end()).not.toBe("acknowledged");
    expect(steps.filter((step) => !step.startsWith("put"))).toEqual([]);
    expect(objects.get(key)).toBe(before);
    expect(JSON.stringify(lines)).toContain("footfall recover partition pool-3");
  });

  test("[RCV-18] hands a bundle that was missed to its partition, before it acknowledges", async () => {
    const { steps, deps } = world({ misses: true });
    const message = deliver("m1", packed(bundleAt(1001, 2)));
    await archive(batchOf(QUEUE, message), deps);
    const at = steps.indexOf("confirm pool-3 1001");
    expect(steps[at + 1]).toMatch(/^missed pool-3 \S+,\S+$/);
    expect(message.end()).toBe("acknowledged");
  });

  test("[ARC-15] writes a bundle of many Days whole before it confirms", async () => {
    const { steps, deps } = world();
    await archive(batchOf(QUEUE, deliver("m1", packed(bundleAt(1, 17)))), deps);
    expect(steps[18]).toBe("confirm pool-3 1");
    expect(steps.slice(0, 18).every((step) => step.startsWith("put ") || step === "note")).toBe(true);
  });

  test("[RUN-4] after every fourth bundle or so, runs are asked for of the open Days that it has", async () => {
    const { steps, deps } = world();
    for (let first = 1; first < 400; first++)
      await archive(batchOf(QUEUE, deliver("m", packed(bundleAt(first, 1)))), deps);
    const asked = steps.filter((step) => step === "runs pool-3").length;
    expect(asked).toBeGreaterThan(60);
    expect(asked).toBeLessThan(140);
    const closed = { ...deps, now: () => DAY_START_MS + 5 * 86_400_000 };
    for (let first = 1; first < 20; first++)
      await archive(batchOf(QUEUE, deliver("m", packed(bundleAt(first, 1)))), closed);
    expect(steps.filter((step) => step === "runs pool-3")).toHaveLength(asked);
  });

  test("[SEA-4] Days of which a partition counts no more are noted before it is told", async () => {
    const { noted, deps } = world();
    const events = traffic({ count: 6, days: 3 }).map((logged, index) => ({ ...logged, late: index === 1 }));
    await archive(batchOf(QUEUE, deliver("m1", packed({ partition: "pool-3", first: 1, events }))), deps);
    expect(noted.map(({ lateDays }) => lateDays)).toEqual([[DAY + 1]]);
    const stuck = { ...deps, now: () => DAY_START_MS + 5 * 86_400_000 };
    await archive(batchOf(QUEUE, deliver("m2", packed({ partition: "pool-3", first: 7, events }))), stuck);
    expect(new Set(noted[1]?.lateDays)).toEqual(new Set([DAY, DAY + 1, DAY + 2]));
  });

  test("[ARC-16] a bundle delivered twice lies there once, byte for byte", async () => {
    const { objects, deps } = world();
    const body = packed(bundleAt(1001, 2));
    await archive(batchOf(QUEUE, deliver("m1", body)), deps);
    const before = new Map(objects);
    await archive(batchOf(QUEUE, deliver("m1", body, 2), deliver("m2", body)), deps);
    expect([...objects.keys()]).toEqual([...before.keys()]);
    for (const [key, { bytes }] of objects) expect(bytes).toEqual(before.get(key)?.bytes);
  });

  test("[ARC-17] one poisoned message among ten is retried, its neighbours are archived", async () => {
    const { objects, lines, deps } = world();
    const messages = Array.from({ length: 10 }, (_, index) =>
      deliver(`m${index}`, index === 4 ? new Uint8Array([1, 2, 3]) : packed(bundleAt(index * 100))),
    );
    await archive(batchOf(QUEUE, ...messages), deps);
    const ends = messages.map(({ end }) => end());
    expect(ends.filter((end) => end === "acknowledged")).toHaveLength(9);
    expect(ends[4]).toEqual({ retriedAfterSeconds: 1 });
    expect(objects.size).toBe(9);
    expect(lines).toMatchObject([{ event: "message_failed", queue: QUEUE, message: "m4", attempts: 1 }]);
  });

  test("[ARC-17] a bundle whose partition is no name for a folder writes nothing", async () => {
    const { steps, deps } = world();
    const message = deliver("m1", packed({ ...bundleAt(1), partition: "../events" }));
    await archive(batchOf(QUEUE, message), deps);
    expect(steps).toEqual([]);
    expect(message.end()).toEqual({ retriedAfterSeconds: 1 });
  });

  test.each([
    [1, 1],
    [2, 2],
    [5, 16],
    [9, 256],
    [10, 300],
    [1_000, 300],
  ])(
    "[ARC-18] after %d deliveries a bundle that cannot be put waits %d s and is not confirmed",
    async (attempts, seconds) => {
      const { steps, deps } = world({ put: (key) => key.includes("2026-11-22") });
      const message = deliver("m1", packed(bundleAt(1001, 3)), attempts);
      await archive(batchOf(QUEUE, message), deps);
      expect(message.end()).toEqual({ retriedAfterSeconds: seconds });
      expect(steps.filter((step) => step.startsWith("confirm"))).toEqual([]);
    },
  );

  test("[ARC-18] a bundle that could not be confirmed is retried, and the retry changes no object", async () => {
    let reachable = false;
    const { steps, objects, deps } = world({ confirm: () => !reachable });
    const body = packed(bundleAt(1001));
    const first = deliver("m1", body);
    await archive(batchOf(QUEUE, first), deps);
    expect(first.end()).toEqual({ retriedAfterSeconds: 1 });
    const before = new Map(objects);
    reachable = true;
    const second = deliver("m1", body, 2);
    await archive(batchOf(QUEUE, second), deps);
    expect(second.end()).toBe("acknowledged");
    expect(steps.at(-1)).toBe("confirm pool-3 1001");
    expect([...objects].map(([key, { bytes }]) => [key, bytes])).toEqual(
      [...before].map(([key, { bytes }]) => [key, bytes]),
    );
  });

  test("[ARC-17] a log line never quotes what a message holds", async () => {
    const { lines, deps } = world();
    await archive(batchOf(QUEUE, deliver("m1", packBundle("secret@example.com"))), deps);
    expect(JSON.stringify(lines)).not.toContain("secret");
  });

  test("[ARC-19] counts a read and a delete a message, a write an object, a request a confirmation", async () => {
    const { deps } = world();
    await archive(batchOf(QUEUE, deliver("m1", packed(bundleAt(1, 3))), deliver("m2", packed(bundleAt(2)))), deps);
    expect(deps.meter).toMatchObject({ queue_operations: 4, r2_class_a: 4 });
  });

  test("[ARC-19] a failed delivery costs its read and what was tried", async () => {
    const { deps } = world({ put: () => true });
    await archive(batchOf(QUEUE, deliver("m1", packed(bundleAt(1)))), deps);
    expect(deps.meter).toMatchObject({ queue_operations: 1, r2_class_a: 1 });
  });
});
