// Until its Day is sealed, a bundle holds several merchants of a pool partition, and a question from events read all
// bundles of the Day: 31 MB from one address for one shop turned its neighbours' questions by two dimensions into jobs,
// and `realtime` was refused. Whose events a bundle holds is noted beside it now, so that neighbours read their own;
// and bundles are sorted into runs, of which they read their own rows where they are in all bundles.

import { expect, test } from "vitest";
import { mayHold, noteMerchants } from "../../core/archive/bundle-merchants.ts";
import { BUNDLE_MERCHANTS_MAX, SEAL_AFTER_MS } from "../../core/limits.ts";
import { zeroMeter } from "../../core/meter.ts";
import { archive } from "../../queues/archive.ts";
import { makeRuns } from "../../queues/run.ts";
import { archiveBucketOf } from "../../storage/archive/bucket.ts";
import { packBundle } from "../../storage/archive/bundle-message.ts";
import { findEvents } from "../../storage/archive/merchant-events.ts";
import { encodeParquet } from "../../storage/archive/parquet.ts";
import type { SealPlace } from "../../storage/ledger/sealed-day.ts";
import { bundleText, DAY, DAY_START_MS, traffic } from "../support/archive-fixture.ts";
import { makeDatabases } from "../support/databases.ts";
import { batchOf, deliver, memoryLog } from "../support/delivery.ts";
import { memoryArchive } from "../support/memory-bucket.ts";

const PARTITION = "pool-3";
const FLOODED = 40;
const ROWS = 50;
const [SHOP, NEIGHBOUR] = [7, 8];

/** A flood of one merchant, in whose bundles a neighbour's few events lie. */
async function floodedArchive(neighbourIn: readonly number[], { note = true, areSorted = false } = {}) {
  const objects = new Map<string, Uint8Array>();
  const bucket = archiveBucketOf(memoryArchive(objects) as unknown as R2Bucket);
  const { log } = memoryLog();
  const put: typeof bucket.put = (key, bytes, options) =>
    note ? bucket.put(key, bytes, options) : bucket.put(key, bytes);
  const deps = {
    bucket: { put, get: bucket.get },
    encode: encodeParquet,
    confirm: async () => "confirmed" as const,
    takeMissed: () => Promise.reject(new Error("no partition is lost here")),
    note: async () => {},
    sendRuns: async (places: readonly SealPlace[]) => {
      for (const place of areSorted ? places : [])
        await makeRuns(place, { bucket, now: () => DAY_START_MS, pace: deps.pace });
    },
    now: () => DAY_START_MS,
    pace: { sealAfterMs: SEAL_AFTER_MS },
    meter: zeroMeter(),
    log,
  };
  for (let at = 0; at < FLOODED; at++) {
    const events = traffic({ count: ROWS, seed: at }).map((one, index) => {
      const merchant = neighbourIn.includes(at) && index < 3 ? NEIGHBOUR : SHOP;
      return { ...one, event: { ...one.event, merchant } };
    });
    const message = deliver("m", packBundle(bundleText({ partition: PARTITION, first: at * ROWS, events })));
    await archive(batchOf("footfall-archive", message), deps);
    expect(message.end()).toBe("acknowledged");
  }
  const found = async (merchant: number) => {
    const settings = { merchant, zones: [{ from: 0, zone: "UTC" }] };
    const places = [{ day: DAY, partition: PARTITION }];
    const search = { settings, places, recent: new Map(), columns: [], together: "partition" } as const;
    const events = await findEvents(search, { ledgers: makeDatabases().ledgers, bucket });
    let rows = 0;
    for await (const { partitions } of events.days()) rows += partitions.reduce((sum, { count }) => sum + count, 0);
    return { ...events.cost, rows };
  };
  return { objects, found };
}

test("[ARC-24] a neighbour of a flood reads the bundles that hold its own events, and no others", async () => {
  const { objects, found } = await floodedArchive([4, 30]);
  const bytes = [...objects.values()].reduce((sum, { length }) => sum + length, 0);
  const shop = await found(SHOP);
  expect(shop).toEqual({ objects: FLOODED, bytes, rows: FLOODED * ROWS - 6 });
  const neighbour = await found(NEIGHBOUR);
  expect([neighbour.objects, neighbour.rows]).toEqual([2, 6]);
  expect(neighbour.bytes).toBeLessThan(bytes / 10);
  expect(await found(9)).toEqual({ objects: 0, bytes: 0, rows: 0 });
});

test("[ARC-24] of a bundle beside which nothing is noted nobody knows whose it is: it is read", async () => {
  const { found } = await floodedArchive([4], { note: false });
  expect(await found(NEIGHBOUR)).toMatchObject({ objects: FLOODED, rows: 3 });
  const rows = traffic({ count: BUNDLE_MERCHANTS_MAX + 1 }).map(({ event }, position) => ({
    partition: PARTITION,
    position,
    event: { ...event, merchant: 1_000 - position },
  }));
  expect([noteMerchants(rows), mayHold(noteMerchants(rows), 5)]).toEqual([{}, true]);
  const note = noteMerchants(rows.slice(1));
  expect([note["merchants"]?.slice(0, 7), mayHold(note, 999), mayHold(note, 99), mayHold(note, 1_000)]).toEqual([
    "800,801",
    true,
    false,
    false,
  ]);
});

test("[RUN-3] a neighbour that is in every bundle of a flood reads its own rows out of runs", async () => {
  const everywhere = Array.from({ length: FLOODED }, (_, at) => at);
  const before = await (await floodedArchive(everywhere)).found(NEIGHBOUR);
  const { found, objects } = await floodedArchive(everywhere, { areSorted: true });
  const neighbour = await found(NEIGHBOUR);
  expect([before.objects, before.rows, neighbour.rows]).toEqual([FLOODED, 3 * FLOODED, 3 * FLOODED]);
  expect(neighbour.objects).toBeLessThan(before.objects / 2);
  expect(neighbour.bytes).toBeLessThan(before.bytes / 2);
  expect((await found(SHOP)).rows).toBe(FLOODED * (ROWS - 3));
  // Runs may be lost at any time.
  for (const key of [...objects.keys()]) if (key.startsWith("runs/")) objects.delete(key);
  expect(await found(NEIGHBOUR)).toEqual(before);
});
