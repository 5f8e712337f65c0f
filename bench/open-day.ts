// `npm run bench:open-day`: what a question from events of one merchant reads of an open Day, beside many neighbours,
// by bundles alone and by runs; and what the runs take. --bundles (400 unless said; 3,000 are the plan's Day),
// --merchants (4,000), --rows of a bundle (1,300). Processor time, and no network: gets are counted.

import { parseArgs } from "node:util";
import { bundleKey } from "../core/archive/object-key.ts";
import { SEAL_AFTER_MS } from "../core/limits.ts";
import { zeroMeter } from "../core/meter.ts";
import { makeRuns } from "../queues/run.ts";
import { findEvents } from "../storage/archive/merchant-events.ts";
import { encodeParquet } from "../storage/archive/parquet.ts";
import { DAY, DAY_START_MS, traffic } from "../test/support/archive-fixture.ts";
import { makeDatabases } from "../test/support/databases.ts";
import { memoryArchive, meteredArchive } from "../test/support/memory-bucket.ts";
import { print, rounded } from "./measure.ts";

const { values } = parseArgs({
  options: { bundles: { type: "string" }, merchants: { type: "string" }, rows: { type: "string" } },
});
const bundles = Number(values.bundles ?? 400);
const merchants = Number(values.merchants ?? 4_000);
const rowsOfBundle = Number(values.rows ?? 1_300);

const PARTITION = "pool-0";
const DATE = "2026-11-21";
const ASKED = Math.floor(merchants / 2);
/** A few hundred of them would repeat too much, and more take minutes to make. */
const KINDS = 20;

const meter = zeroMeter();
const objects = new Map<string, Uint8Array>();
const bucket = meteredArchive(memoryArchive(objects), meter);
const { ledgers } = makeDatabases();

const kinds = Array.from({ length: KINDS }, (_, seed) => traffic({ count: rowsOfBundle, seed }));
for (let bundle = 0; bundle < bundles; bundle++) {
  const first = 1 + bundle * rowsOfBundle;
  const rows = (kinds[bundle % KINDS] as ReturnType<typeof traffic>)
    .map(({ event }, index) => {
      const merchant = 1 + ((bundle * 7_919 + index * 104_729) % merchants);
      return {
        partition: PARTITION,
        position: first + index,
        event: { ...event, merchant, id: `${bundle}-${event.id}` },
      };
    })
    .sort((a, b) => a.event.merchant - b.event.merchant || a.event.timestamp - b.event.timestamp);
  const file = { date: DATE, partition: PARTITION, first, rows };
  objects.set(bundleKey(file), encodeParquet(file));
}

async function ask(): Promise<Record<string, number>> {
  const settings = { merchant: ASKED, zones: [{ from: 0, zone: "UTC" }] };
  const places = [{ day: DAY, partition: PARTITION }];
  const search = { settings, places, recent: new Map(), columns: [], together: "partition" } as const;
  const [before, cpu] = [meter.r2_class_b, process.cpuUsage()];
  const found = await findEvents(search, { ledgers, bucket });
  let rows = 0;
  for await (const { partitions } of found.days()) rows += partitions.reduce((sum, { count }) => sum + count, 0);
  const { user, system } = process.cpuUsage(cpu);
  return {
    "own rows": rows,
    gets: meter.r2_class_b - before,
    MB: rounded(found.cost.bytes / 1e6),
    "CPU ms": rounded((user + system) / 1_000),
  };
}

await ask(); // compiled
const byBundles = await ask();
const [writes, reads, cpu] = [meter.r2_class_a, meter.r2_class_b, process.cpuUsage()];
const deps = { bucket, now: () => DAY_START_MS, pace: { sealAfterMs: SEAL_AFTER_MS } };
await makeRuns({ day: DAY, partition: PARTITION }, deps);
const { user, system } = process.cpuUsage(cpu);
await ask();
const byRuns = await ask();
print(
  "open-day",
  [
    { "read by": "bundles", ...byBundles },
    { "read by": "runs", ...byRuns },
  ],
  {
    bundles,
    merchants,
    rows: bundles * rowsOfBundle,
    runs_cpu_us_an_event: rounded((user + system) / (bundles * rowsOfBundle)),
    runs_writes: meter.r2_class_a - writes,
    runs_reads: meter.r2_class_b - reads,
    runs_MB: rounded(
      [...objects].reduce((sum, [key, { length }]) => sum + (key.startsWith("runs/") ? length : 0), 0) / 1e6,
    ),
    bundles_MB: rounded(
      [...objects].reduce((sum, [key, { length }]) => sum + (key.startsWith("events/") ? length : 0), 0) / 1e6,
    ),
  },
);
