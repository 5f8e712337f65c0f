// `npm run bench:garbage`: how many bytes of garbage a hit makes, stage by stage, in the collector's code and in the
// partition's. Each stage runs alone in this process, on a heap whose young part is so large that nothing is collected
// meanwhile: what the heap has grown by is what was allocated. Unlike time it hardly moves with what else the machine
// does. The platform's own objects (request, response, streams) are not in it: `npm run bench:ingest` has those too.
// The rates are limited, as in production.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { encodeLogged } from "../core/archive/bundle.ts";
import { opine } from "../core/enrichment/opinion.ts";
import type { Arrival } from "../core/event.ts";
import { native } from "../core/formats/native.ts";
import { OWN_WAYS } from "../core/formats/path.ts";
import type { Hit } from "../core/hit.ts";
import { COALESCE_EVENTS_MAX } from "../core/limits.ts";
import { accepted } from "../core/outcome.ts";
import { decodeArrivals, encodeArrivals } from "../core/overflow.ts";
import { EMPTY_REPORT } from "../core/report.ts";
import { dayAt } from "../core/time.ts";
import { encodeTrackingId } from "../core/tracking-id.ts";
import { append } from "../durable-objects/append.ts";
import type { AppendRequest } from "../durable-objects/rpc.ts";
import { countInto, rulesFor } from "../durable-objects/state.ts";
import { signsOf } from "../storage/signing.ts";
import { CHROME, settingsOf } from "../test/support/events.ts";
import { TestPartition } from "../test/support/partition.ts";
import { clientOf, IncomingHit } from "../workers/collector/client.ts";
import { collect } from "../workers/collector/collect.ts";
import type { CollectorEnv } from "../workers/collector/env.ts";
import { type Incoming, incomingOf } from "../workers/collector/incoming.ts";
import { serve } from "../workers/collector/serve.ts";
import { median, print } from "./measure.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const SAMPLES = 5;
/** Of each sample, after as many that let the code be compiled. */
const HITS = 2_000;
const WARM_HITS = 20_000;
/** Hits that come together: as many as share a call, so that none waits for a clock. */
const AT_ONCE = COALESCE_EVENTS_MAX;
/** Arrivals of a call of the partition; hits of a moment at 64 connections. */
const CALL_ARRIVALS = 16;

const limit = { limit: async () => ({ success: true }) };
let sent: string[] = [];
const stub = {
  append: async ({ arrivals }: AppendRequest) => {
    sent.push(arrivals);
    return FATES;
  },
};
const FATES = new Array<"accepted">(AT_ONCE).fill("accepted");
const env = {
  TRACKING_SECRET: "bench",
  POOL_SIZE: "1",
  LIMIT_ADDRESS: limit,
  LIMIT_TRACKING_ID: limit,
  PARTITION: { getByName: () => stub },
} as unknown as CollectorEnv;
const [sign] = signsOf(env);
if (sign === undefined) throw new Error("no secret");
const trackingId = encodeTrackingId({ merchant: 1, stream: 1 }, sign);
const context = { waitUntil: () => undefined };

/** What a hit is sent with by a browser, behind the platform. */
const HEADERS: ReadonlyMap<string, string> = new Map([
  ["user-agent", CHROME],
  ["accept-language", "de-AT,de;q=0.9"],
  ["origin", "https://shop.example"],
  ["referer", "https://shop.example/"],
  ["content-type", "text/plain;charset=UTF-8"],
  ["cf-connecting-ip", "203.0.113.9"],
  ["sec-ch-ua-platform", '"Windows"'],
  ["sec-ch-ua-mobile", "?0"],
]);
const PLACE = { country: "AT", region: "Vienna", city: "Vienna", continent: "EU", asn: 3320 };

/** A request that makes no garbage of its own. */
function requestOf(number: number): Request {
  const bytes = new TextEncoder().encode(bodyOf(number));
  const length = String(bytes.length);
  const headers = { get: (name: string) => (name === "content-length" ? length : (HEADERS.get(name) ?? null)) };
  const url = `https://collect.example${OWN_WAYS.native.paths[0]}`;
  return { url, method: "POST", headers, cf: PLACE, arrayBuffer: async () => bytes.buffer } as unknown as Request;
}

function bodyOf(number: number): string {
  return JSON.stringify({
    tracking_id: trackingId,
    url: `https://shop.example/products/${number % 300}?utm_source=letter`,
    referrer: number % 3 === 0 ? "https://www.google.com/" : "",
    title: `Product ${number % 300}`,
    visitor_id: String(number % 500),
  });
}

/** An answer's headers and body, without the platform's object around them. */
globalThis.Response = class {
  readonly body: unknown;
  readonly init: unknown;
  constructor(body: unknown, init: unknown) {
    this.body = body;
    this.init = init;
  }
} as unknown as typeof Response;

/** Bytes a hit that a stage allocates: the median of samples. */
async function measure(stage: () => Stage): Promise<number> {
  const samples: number[] = [];
  const { prepare, run } = stage();
  for (let first = 0; first < WARM_HITS; first += HITS) {
    prepare?.(HITS);
    await run(HITS);
  }
  for (let sample = 0; sample < SAMPLES; sample++) {
    prepare?.(HITS);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    await run(HITS);
    samples.push((process.memoryUsage().heapUsed - before) / HITS);
  }
  return Math.round(median(samples));
}

interface Stage {
  /** Makes what so many hits are given, where that is no part of the stage. */
  readonly prepare?: (hits: number) => void;
  /** Takes so many hits. */
  readonly run: (hits: number) => void | Promise<void>;
}

/** Keeps what the last hit came to, so that nothing is left out as unused. */
export let last: unknown;
let number = 0;

function each(work: (index: number) => unknown): Stage {
  return {
    run: (hits) => {
      for (let index = 0; index < hits; index++) last = work(number++);
    },
  };
}

function together(work: (index: number) => Promise<unknown>): Stage {
  return {
    run: async (hits) => {
      for (let first = 0; first < hits; first += AT_ONCE) {
        sent = [];
        await Promise.all(Array.from({ length: AT_ONCE }, () => work(number++)));
      }
    },
  };
}

const KEPT = 512;
const requests = Array.from({ length: KEPT }, (_, index) => requestOf(index));
const incomings: readonly Incoming[] = requests.map((request) => incomingOf(request, env, context));
const hits: readonly Hit[] = incomings.map((incoming, index) => {
  const hit = new IncomingHit(incoming, Date.now());
  hit.body = bodyOf(index);
  return hit;
});
const clients = incomings.map((incoming) => clientOf(incoming, Date.now()));
const at = <T>(all: readonly T[], index: number): T => all[index % KEPT] as T;

/** One hit's arrivals after another, as the collector makes them. */
async function takeArrivals(): Promise<readonly Arrival[]> {
  sent = [];
  await Promise.all(hits.map((_, index) => collectOne(index)));
  return sent.flatMap((text) => decodeArrivals(text));
}

function collectOne(index: number) {
  const client = at(clients, index);
  const looking = { env, now: client.receivedAt, later: () => undefined };
  return collect({ format: native, hit: at(hits, index), client, key: undefined, looking });
}

const route = { ...OWN_WAYS.native, format: native };
const arrivals = await takeArrivals();
const fresh = (index: number): Arrival => {
  const arrival = at(arrivals, index);
  return { ...arrival, event: { ...arrival.event, id: `${index}` } };
};
const settings = settingsOf("Europe/Vienna");

const partition = new TestPartition();
partition.now = Date.now();
const rules = rulesFor(partition.partition, settings, { instant: partition.now, day: 0 });
const day = dayAt("Europe/Vienna", partition.now);
let position = 1;

/** Calls of the partition, of arrivals that it does not know. */
function appendStage(): Stage {
  let texts: readonly string[] = [];
  return {
    prepare: (count) => {
      texts = Array.from({ length: count / CALL_ARRIVALS }, () =>
        encodeArrivals(Array.from({ length: CALL_ARRIVALS }, () => fresh(number++))),
      );
    },
    run: async () => {
      for (const text of texts) {
        partition.now += CALL_ARRIVALS;
        last = await append(partition.partition, decodeArrivals(text), { isLateLimited: true, isRefusable: true });
      }
    },
  };
}

const STAGES: readonly (readonly [where: string, what: string, stage: () => Stage])[] = [
  [
    "collector",
    "headers and place",
    () => each((index) => [new IncomingHit(at(incomings, index), 1), clientOf(at(incomings, index), 1)]),
  ],
  ["collector", "parse", () => each((index) => native.parse(at(hits, index)))],
  ["collector", "encode", () => each((index) => encodeArrivals([at(arrivals, index)]))],
  ["collector", "collect: parse to report", () => together(collectOne)],
  [
    "collector",
    "answer",
    () => each((index) => native.answer({ hit: at(hits, index), outcome: accepted(EMPTY_REPORT), requestId: "" })),
  ],
  [
    "collector",
    "all: request to answer",
    () => together((index) => serve(incomingOf(at(requests, index), env, context), route)),
  ],
  ["partition", "opinion", () => each((index) => opine(at(arrivals, index).event, rules))],
  ["partition", "count", () => each(countOne)],
  [
    "partition",
    "log row",
    () => each((index) => JSON.stringify(encodeLogged({ day, late: false, event: at(arrivals, index).event }))),
  ],
  ["partition", "all: call to fates", appendStage],
];
const opinions = arrivals.map(({ event }) => opine(event, rules));

function countOne(index: number): unknown {
  const { event } = fresh(index);
  return countInto(partition.partition, day, { event, opinion: at(opinions, index), settings, position: position++ });
}

const rows = [];
for (const [where, what, stage] of STAGES) {
  rows.push({ where, what, "bytes a hit": await measure(stage) });
}
print("garbage", rows);
