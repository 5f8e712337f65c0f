// `npm run bench:held`: what one merchant that sends only new values can make a partition hold before it is slowed, by
// kind of value, and what a full partition holds. The estimate stands beside what JavaScript really holds. Each kind
// runs in a process of its own on node:sqlite, until the partition refuses or EVENTS were sent. Load: how long a
// restart takes to read what a quarter of the values, and all of them, have left on disk; in proportion it is 4.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { heldBytes, WHOLE_DAY } from "../core/counting/day.ts";
import { ALL_DIMENSIONS } from "../core/counting/rollup.ts";
import { toRollupRow } from "../core/counting/rollup-row.ts";
import type { Event } from "../core/event.ts";
import { PRODUCTS_COUNT_MAX } from "../core/limits.ts";
import { decodeArrivals, encodeArrivals } from "../core/overflow.ts";
import { append } from "../durable-objects/append.ts";
import { checkpoint } from "../durable-objects/checkpoint.ts";
import { ensureSettings } from "../durable-objects/settings.ts";
import { findShelf } from "../durable-objects/state.ts";
import { eventOf, TUESDAY } from "../test/support/events.ts";
import { BenchPartition } from "./bench-partition.ts";
import { interleave, median, print, rounded } from "./measure.ts";

const EVENTS = Number(process.env["EVENTS"] ?? 200_000);
const ROUNDS = Number(process.env["ROUNDS"] ?? 1);
const APPEND_EVENTS = 100;
const MERCHANTS = 12;

/** What the n-th event says that none before it has said. */
const KINDS: Readonly<Record<string, (n: number) => Partial<Event>>> = {
  ids: () => ({}),
  pages: (n) => ({ url: `https://shop.example/page/number-${n}` }),
  "pages of 2 KB": (n) => ({ url: `https://shop.example/${n}/${"a".repeat(1_900)}` }),
  "pages, 2 KB of parameters": (n) => ({ url: `https://shop.example/page/number-${n}?x=${"a".repeat(1_900)}` }),
  names: (n) => ({ name: `event number ${n}` }),
  hosts: (n) => ({ url: `https://h${n}.example/` }),
  visitors: (n) => ({ visitor: visitorOf(n) }),
  "order numbers": (n) => ({ name: "purchase", order: `order-${n}`, revenue: 10_000 }),
  "one order number": () => ({ name: "purchase", order: "order", revenue: 10_000 }),
  prefetches: (n) => ({ purpose: "prefetch", visitor: visitorOf(n) }),
  "50 products": (n) => ({ name: "purchase", order: `order-${n}`, products: productsOf(n) }),
  everything: (n) => everything(n),
};

/** Merchants one after the other without a key, then with one, until nobody gets anything in. */
const PARTITION = "a partition, all full";

interface Run {
  readonly events: number;
  readonly slowed: number;
  readonly estimated: number;
  readonly real: number;
  readonly stored: number;
  readonly rollupMs: number;
  readonly loadQuarterMs: number;
  readonly loadMs: number;
}

async function measure(kind: string): Promise<Run> {
  await fill(await newPartition(), "everything", 2_000); // the engine has seen the code
  const quarter = kind === PARTITION ? undefined : await newPartition();
  const it = await newPartition();
  const before = heapBytes();
  const { events, slowed } = kind === PARTITION ? await fillAll(it) : await fill(it, kind, EVENTS);
  const real = heapBytes() - before;
  const estimated = it.partition.heldBytes;
  const rollupMs = timeOf(() => void rollup(it));
  if (quarter !== undefined) await fill(quarter, kind, events / 4);
  const loadQuarterMs = quarter === undefined ? Number.NaN : loadMs(quarter);
  return { events, slowed, estimated, real, rollupMs, loadQuarterMs, loadMs: loadMs(it), stored: it.shelfBytes() };
}

async function newPartition(): Promise<BenchPartition> {
  const it = new BenchPartition(TUESDAY);
  // Settings are read before the clock runs: in production that waits for a database.
  await ensureSettings(it.partition, new Set(Array.from({ length: MERCHANTS + 1 }, (_, merchant) => merchant)));
  return it;
}

async function fillAll(it: BenchPartition): Promise<Pick<Run, "events" | "slowed">> {
  let [events, slowed] = [0, 0];
  for (const keyed of [0, 1] as const) {
    for (let merchant = 1; merchant <= MERCHANTS; merchant++) {
      const filled = await fill(it, "everything", EVENTS, { merchant, keyed });
      events += filled.events;
      slowed += filled.slowed;
    }
  }
  return { events, slowed };
}

/** Sends until something is refused, or so many were sent. */
async function fill(
  it: BenchPartition,
  kind: string,
  eventsMax: number,
  more: Partial<Event> = {},
): Promise<Pick<Run, "events" | "slowed">> {
  const changesOf = KINDS[kind] as (n: number) => Partial<Event>;
  for (let events = 0; events < eventsMax; ) {
    it.now += 50; // 2,000 events a second: what one address may send
    it.partition.lease = { change: it.partition.lease?.change ?? 0, readAt: it.now };
    const told = Array.from({ length: APPEND_EVENTS }, (_, index) => {
      const changes = { ...changesOf(events + index), ...more };
      return { event: eventOf({ timestamp: it.now, receivedAt: it.now, ...changes }), address: "", floating: false };
    });
    // As they come out of a call: no text shares its memory with another's.
    const reply = await append(it.partition, decodeArrivals(encodeArrivals(told)), { isRefusable: true });
    if (reply === "overloaded") throw new Error("overloaded");
    const refused = reply.filter((fate) => typeof fate === "object" && "fullForSeconds" in fate).length;
    events += APPEND_EVENTS - refused;
    if (refused > 0) return { events, slowed: 1 };
  }
  return { events: eventsMax, slowed: 0 };
}

/** The largest Day's rollup, which a publish and a question make. */
function rollup(it: BenchPartition): object {
  const states = [...it.partition.shelves.values()].flatMap(({ days }) => [...days.values()]);
  const [largest] = states.sort((a, b) => heldBytes(b) - heldBytes(a));
  if (largest === undefined) throw new Error("nothing was counted");
  return toRollupRow(largest, { slot: WHOLE_DAY, partition: "pool-0", version: 1, dimensions: ALL_DIMENSIONS });
}

function loadMs(it: BenchPartition): number {
  checkpoint(it.partition);
  return Math.min(...Array.from({ length: 3 }, () => timeOf(() => load(it))));
}

function load(it: BenchPartition): void {
  it.restart();
  for (const key of it.partition.deps.store.listShelves()) findShelf(it.partition, key);
}

/** In ms of CPU: other processes do not count. */
function timeOf(work: () => void): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000;
}

function everything(n: number): Partial<Event> {
  const campaign = ["source", "medium", "campaign", "content", "term"]
    .map((name) => `utm_${name}=${name}${n}`)
    .join("&");
  return {
    visitor: visitorOf(n),
    name: `event ${n}`,
    url: `https://h${n}.example/page/${n}?${campaign}`,
    referrer: `https://r${n}.example/page/${n}`,
    city: `city ${n}`,
    region: `region ${n}`,
    language: `l-${n}`,
  };
}

function productsOf(n: number): string {
  return JSON.stringify(Array.from({ length: PRODUCTS_COUNT_MAX }, (_, at) => ({ id: `p${n}-${at}`, price: 1 })));
}

function visitorOf(n: number): string {
  return n.toString(16).padStart(16, "0");
}

/** What JavaScript holds, typed arrays included; SQLite's own memory is not in it. */
function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error("run with --expose-gc");
  for (let time = 0; time < 3; time++) globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function measureApart(kind: string): Run {
  const script = join(import.meta.dirname, "held.ts");
  const { stdout, status } = spawnSync(process.execPath, ["--expose-gc", script, kind], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`the run of ${kind} ended with ${status}`);
  return JSON.parse(stdout) as Run;
}

async function compare(): Promise<void> {
  const kinds = [...Object.keys(KINDS), PARTITION];
  const results = await interleave(ROUNDS, Object.fromEntries(kinds.map((kind) => [kind, () => measureApart(kind)])));
  const rows = Object.entries(results).map(([kind, runs]) => {
    const middle = (of: (run: Run) => number) => median(runs.map(of));
    return {
      "new values": kind,
      events: middle((run) => run.events),
      slowed: middle((run) => run.slowed) > 0 ? "yes" : "no",
      "estimated MB": rounded(middle((run) => run.estimated / 1e6)),
      "real MB": rounded(middle((run) => run.real / 1e6)),
      "estimated / real": rounded(middle((run) => run.estimated / run.real)),
      "stored MB": rounded(middle((run) => run.stored / 1e6)),
      "rollup ms": rounded(middle((run) => run.rollupMs)),
      "load ms": rounded(middle((run) => run.loadMs)),
      "load / a quarter's": rounded(middle((run) => run.loadMs / run.loadQuarterMs)),
    };
  });
  print("held", rows, { events: EVENTS, rounds: ROUNDS });
}

const [kind] = process.argv.slice(2);
if (kind === undefined) await compare();
else {
  const log = console.error;
  console.error = () => {}; // that merchants are slowed is what is measured
  const run = await measure(kind);
  console.error = log;
  console.log(JSON.stringify(run));
}
