// `npm run bench:cost`: what a million events cost at the platform's list prices, by line, for three shapes of load:
// one busy shop, 1,000 mid-size merchants, and a million of them at a billion events a day. Each shape is one partition
// at its true density, production code on a clock that jumps (density.ts); hits come one a request, as browsers send
// them. Beside it stand the floor (a Worker request, nothing else), the target, and two designs that one would write
// first. What sealing the Day costs is metered while production code seals one; what questions cost, and whether the
// simulated bill is that of the runtime, in a real run of all Workers.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Metered, zeroMeter } from "../core/meter.ts";
import { recountLargeDay, sealLargeDay, writeLargeDay } from "../test/support/large-day.ts";
import { type Client, type Merchant, startServices, until, untilArchived } from "../test/support/services.ts";
import { type Dense, runDensity } from "./density.ts";
import { print, rounded } from "./measure.ts";
import { type Bill, costOf, LINES, scaled, totalOf } from "./price.ts";

const MILLION = 1e6;
const TARGET = 0.7;
/** Collector and runtime, for a request of one event; `npm run bench:ingest` measures 0.3 to 0.5. */
const WORKER_CPU_MS = 0.4;
const HOURS = Number(process.env["HOURS"] ?? 1);

/** Merchants and events a second of one partition, and how many of its kind there are. */
const SHAPES = [
  { shape: "one busy shop, 10 million a day", merchants: 1, eventsPerSecond: 116, partitions: 1 },
  { shape: "1,000 mid-size, 10,000 a day each", merchants: 500, eventsPerSecond: 58, partitions: 2 },
  { shape: "1,000,000 long-tail, 1,000 a day each", merchants: 3_906, eventsPerSecond: 45.2, partitions: 256 },
];

const FREE = { worker_cpu_ms: 0, partition_gb_s: 0, partition_gb_months: 0, r2_gb_months: 0, d1_gb_months: 0 };

const perMillion: { readonly shape: string; readonly dense: Dense; readonly bill: Bill }[] = [];
for (const { shape, merchants, eventsPerSecond } of SHAPES) {
  const dense = await runDensity({ merchants, eventsPerSecond, hours: HOURS });
  const bill = scaled({ ...dense.bill, worker_cpu_ms: dense.events * WORKER_CPU_MS }, MILLION / dense.events);
  perMillion.push({ shape, dense, bill });
  const perCommit = (dense.events / dense.commits).toFixed(2);
  console.error(`${shape}: ${dense.events} events, ${perCommit} a commit, ${Math.round(dense.rollupBytes)} B a rollup`);
}
const seal = await sealBill();
const rows = LINES.map((line) => ({
  "USD per million events": line,
  ...Object.fromEntries(perMillion.map(({ shape, bill }) => [shape, dollars(costOf(bill)[line])])),
  "the Day's seal": dollars(costOf(seal)[line]),
}));
const totals = perMillion.map(({ shape, bill }) => [shape, totalOf(costOf(bill)) + totalOf(costOf(seal))] as const);
const totalRow = {
  "USD per million events": "all, with the seal",
  ...Object.fromEntries(totals.map(([shape, total]) => [shape, dollars(total)])),
  "the Day's seal": dollars(totalOf(costOf(seal))),
};
print(
  "cost",
  [
    ...rows.filter((row) => Object.values(row).some((value) => typeof value === "string" && /[1-9]/.test(value))),
    totalRow,
  ],
  {
    events_per_commit: Object.fromEntries(
      perMillion.map(({ shape, dense }) => [shape, rounded(dense.events / dense.commits)]),
    ),
    target: TARGET,
  },
);
print("cost-beside", [
  { design: "floor: a Worker request", "USD per million": dollars(0.3) },
  ...totals.map(([shape, total]) => ({ design: `Footfall, ${shape}`, "USD per million": dollars(total) })),
  { design: "target", "USD per million": dollars(TARGET) },
  // Written, read and deleted; the consumer's rows come on top.
  { design: "naive: a queue message per event", "USD per million": dollars(0.3 + 3 * 0.4) },
  { design: "naive: a D1 row per event, one index", "USD per million": dollars(0.3 + 2 * 1) },
]);
await realRun();

function dollars(value: number): string {
  return value.toFixed(4);
}

/** What sealing costs, for a million events: production code on an archive in a folder. */
async function sealBill(): Promise<Bill> {
  const events = 200_000;
  const folder = mkdtempSync(join(tmpdir(), "footfall-cost-"));
  try {
    // As many merchants as a partition's share of a million has at this many events.
    writeLargeDay(folder, { events, merchants: 200 });
    const { meter, ms } = await sealLargeDay(folder);
    // Here nothing was counted before the seal, which therefore writes every rollup. What was counted live is
    // in D1 already: the seal reads it, finds no difference and writes none. What that reads is what counting
    // the sealed Day again reads.
    const { d1_rows_read } = (await recountLargeDay(folder)).meter;
    const uncounted = scaled({ ...meter, ...FREE }, MILLION / events);
    console.error(`a Day that was not counted live (an import): ${dollars(totalOf(costOf(uncounted)))} a million`);
    return scaled({ ...meter, ...FREE, d1_rows_read, d1_rows_written: 0, worker_cpu_ms: ms }, MILLION / events);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** All Workers in the runtime: hits, then questions, and what their meters say. */
async function realRun(): Promise<void> {
  const { client, stop } = await startServices({ POOL_SIZE: "1", DRAIN_AFTER_MS: "1000" });
  try {
    const merchant = await client.createMerchant();
    const before = await meterOf(client);
    const events = 2_000;
    for (let sent = 0; sent < events; sent += 50) {
      const hits = Array.from({ length: 50 }, (_, index) => ({
        tracking_id: merchant.tracking_id,
        url: `https://shop.example/products/${index}`,
        user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        visitor_id: String(sent + index),
      }));
      await Promise.all(hits.map((hit) => client.send(hit)));
    }
    await until(
      () => countOf(client, merchant),
      (counted) => counted === events,
    );
    await untilArchived(client);
    const collected = difference(await meterOf(client), before);
    const questions = 200;
    const asked = await meterOf(client);
    for (let question = 0; question < questions; question++) {
      const metrics = ["visitors", "visits", "pageviews", "bounce_rate"];
      await client.ask(merchant, { metrics, date_range: "30d", dimensions: ["time:day"] });
    }
    const spent = difference(await meterOf(client), asked);
    const toRow = (what: string, meter: Metered, count: number) => {
      const bill = scaled({ ...meter, ...FREE }, 1 / count);
      const operations = Object.fromEntries(
        Object.keys(zeroMeter()).map((key) => [key, rounded(bill[key as keyof Metered])]),
      );
      return {
        "metered in workerd, for each": what,
        ...operations,
        "USD per million": dollars(totalOf(costOf(bill)) * MILLION),
      };
    };
    print("cost-metered", [
      toRow("event (single POSTs, 50 at once)", collected, events),
      toRow("question", spent, questions),
    ]);
  } finally {
    await stop();
  }
}

async function countOf(client: Client, merchant: Merchant): Promise<unknown> {
  return (await client.ask(merchant, { metrics: ["events"], date_range: "day" })).results[0]?.metrics[0];
}

/** The isolates of all Workers together: the query Worker adds the background one's. */
async function meterOf(client: Client): Promise<Metered> {
  const headers = { authorization: `Bearer ${client.adminToken}` };
  const sum = zeroMeter();
  for (const url of [`${client.collectorUrl}/v1/meter`, `${client.queryUrl}/api/v1/meter`]) {
    const meter = (await (await fetch(url, { headers })).json()) as Metered;
    for (const key of Object.keys(sum) as (keyof Metered)[]) sum[key] += meter[key];
  }
  return sum;
}

function difference(after: Metered, before: Metered): Metered {
  const result = { ...after };
  for (const key of Object.keys(after) as (keyof Metered)[]) result[key] -= before[key];
  return result;
}
