// Where the CPU time of an event goes: the collector's code and the partition's, each alone and in this
// process, without HTTP, RPC and the runtime around them. The collector's requests are those of an ingest;
// its partition answers at once.

import type { Arrival } from "../core/event.ts";
import { native } from "../core/formats/native.ts";
import { BLANK_HIT, type Hit } from "../core/hit.ts";
import { COALESCE_EVENTS_MAX } from "../core/limits.ts";
import { decodeArrivals } from "../core/overflow.ts";
import { encodeTrackingId } from "../core/tracking-id.ts";
import { append } from "../durable-objects/append.ts";
import type { AppendRequest } from "../durable-objects/rpc.ts";
import { signsOf } from "../storage/signing.ts";
import { CHROME } from "../test/support/events.ts";
import { TestPartition } from "../test/support/partition.ts";
import { collect } from "../workers/collector/collect.ts";
import type { CollectorEnv } from "../workers/collector/env.ts";
import { median, rounded } from "./measure.ts";

const REQUESTS = 4_000;
const ROUNDS = 5;
/** As many as share a call, so that nothing waits: a process that waits is not measured well. */
const AT_ONCE = COALESCE_EVENTS_MAX;

/** CPU of an event in each of the two, in ms, for requests of 1, 20 and 100 events. */
export async function measureCpu(): Promise<readonly Record<string, number>[]> {
  const rows: Record<string, number>[] = [];
  for (const events of [1, 20, 100]) {
    const collector: number[] = [];
    const partition: number[] = [];
    for (let round = 0; round <= ROUNDS; round++) {
      const requests = Math.ceil(REQUESTS / events);
      const taken: (readonly Arrival[])[] = [];
      const spent = await cpuOf(() => collectAll(requests, { events, round, taken }));
      const counted = await cpuOf(() => appendAll(taken));
      if (round === 0) continue; // not yet compiled
      collector.push(spent / (requests * events));
      partition.push(counted / (requests * events));
    }
    rows.push({
      "events a request": events,
      "collector µs/event": rounded(median(collector) * 1_000),
      "partition µs/event": rounded(median(partition) * 1_000),
    });
  }
  return rows;
}

const env = {
  TRACKING_SECRET: "bench",
  POOL_SIZE: "1",
  DEVELOPMENT: "true",
} as unknown as CollectorEnv;

interface Sending {
  readonly events: number;
  readonly round: number;
  readonly taken: (readonly Arrival[])[];
}

async function collectAll(requests: number, { events, round, taken }: Sending): Promise<void> {
  const [sign] = signsOf(env);
  if (sign === undefined) throw new Error("no secret");
  const trackingId = encodeTrackingId({ merchant: 1, stream: 1 }, sign);
  const stub = {
    append: async ({ arrivals }: AppendRequest) => {
      const decoded = decodeArrivals(arrivals);
      taken.push(decoded);
      return decoded.map(() => "accepted" as const);
    },
  };
  const bound = { ...env, PARTITION: { getByName: () => stub } } as unknown as CollectorEnv;
  const client = {
    address: "203.0.113.9",
    continent: "EU",
    receivedAt: Date.now(),
    facts: { country: "AT", region: "", city: "Vienna", asn: 1, verifiedBot: "", hints: "", purpose: "" },
  };
  const send = async (request: number): Promise<void> => {
    const hit: Hit = { ...BLANK_HIT, path: "/v1/events", userAgent: CHROME, receivedAt: client.receivedAt };
    const body = JSON.stringify({
      tracking_id: trackingId,
      events: Array.from({ length: events }, (_, index) => ({
        id: `${round}-${request}-${index}`,
        url: `https://shop.example/products/${(request * events + index) % 300}?utm_source=letter`,
        visitor_id: String((request * events + index) % 500),
      })),
    });
    const looking = { env: bound, now: client.receivedAt, later: () => undefined };
    const outcome = await collect({ format: native, hit: { ...hit, body }, client, key: undefined, looking });
    if (!outcome.ok || outcome.value.accepted !== events) throw new Error(JSON.stringify(outcome));
  };
  for (let first = 0; first < requests; first += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, requests - first) }, (_, index) => send(first + index)));
  }
}

async function appendAll(batches: readonly (readonly Arrival[])[]): Promise<void> {
  const it = new TestPartition();
  it.now = Date.now();
  for (const arrivals of batches) {
    if ((await append(it.partition, arrivals)) === "overloaded") it.now += 1_000;
  }
}

async function cpuOf(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
