// `node bench/flood.ts`: what a flood costs its neighbours. One pool partition, quiet merchants with a hit at a time, and
// one merchant flooding it at rising rates; the wait for an acknowledgement with and without the flood, in one run a rate.
// Everything runs in one workerd thread here, the flood's own parsing too, which the platform would do elsewhere: the
// numbers are a worst case of that kind, and only the ratios are worth comparing.

import { type FloodMeasured, measureFlood, percentile } from "../test/support/flood.ts";
import type { Merchant } from "../test/support/services.ts";
import { startServices, until } from "../test/support/services.ts";

const RATES = [500, 2_000, 5_000, 10_000, 20_000];
const QUIET = 5;

const rows: Record<string, number>[] = [];
for (const floodEventsPerSecond of RATES) {
  const { client, stop } = await startServices({ POOL_SIZE: "1" });
  const merchants: Merchant[] = [];
  for (let index = 0; index <= QUIET; index++) merchants.push(await client.createMerchant());
  const [flooder, ...quiet] = merchants as [Merchant, ...Merchant[]];
  const batchEvents = floodEventsPerSecond >= 5_000 ? 500 : 100;
  const plan = { quiet, flooder, rounds: 3, phaseMs: 3_000, floodEventsPerSecond, batchEvents };
  const measured = await measureFlood(client, plan);
  const countedAfterMs = await timeUntilCounted(flooder, measured.floodEvents);
  rows.push(rowOf(floodEventsPerSecond, measured, countedAfterMs));
  await stop();

  async function timeUntilCounted(merchant: Merchant, events: number): Promise<number> {
    const start = performance.now();
    const question = { metrics: ["events"], date_range: "all" };
    await until(
      async () => (await client.ask(merchant, question)).results[0]?.metrics[0],
      (counted) => counted === events,
      120_000,
    );
    return performance.now() - start;
  }
}
console.table(rows);

function rowOf(rate: number, measured: FloodMeasured, countedAfterMs: number): Record<string, number> {
  const { calmMs, floodedMs, floodAnswersMs, floodEvents, refused } = measured;
  const round = (value: number) => Math.round(value * 10) / 10;
  return {
    "flood events/s": rate,
    "quiet p50 calm": round(percentile(calmMs, 0.5)),
    "quiet p50 flooded": round(percentile(floodedMs, 0.5)),
    "p50 ratio": round(percentile(floodedMs, 0.5) / percentile(calmMs, 0.5)),
    "quiet p95 calm": round(percentile(calmMs, 0.95)),
    "quiet p95 flooded": round(percentile(floodedMs, 0.95)),
    "flood answer p50": round(percentile(floodAnswersMs, 0.5)),
    "flood events": floodEvents,
    refused: refused.length,
    "counted after ms": round(countedAfterMs),
  };
}
