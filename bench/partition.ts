// `npm run bench:partition`: a partition's own work on node:sqlite, without network and runtime: append, checkpoint,
// recovery, and the memory of its state, with 1, 1,000 and 10,000 merchants in Zipf's proportions. Events
// come a hundred an append, at the pace of a busy partition. Each size runs in a process of its own, so that
// memory is what it holds; all sizes run once a round. Growth: the second half of the events against the
// first, and twice the events against once.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { CHECKPOINT_EVENTS } from "../core/limits.ts";
import { append } from "../durable-objects/append.ts";
import { checkpoint } from "../durable-objects/checkpoint.ts";
import { ensureSettings } from "../durable-objects/settings.ts";
import { findShelf, type Partition } from "../durable-objects/state.ts";
import { TUESDAY } from "../test/support/events.ts";
import { BenchPartition } from "./bench-partition.ts";
import { interleave, median, print, rounded } from "./measure.ts";
import { compareDays } from "./partition-day.ts";
import { makeTraffic, type Traffic } from "./traffic.ts";

const SIZES = [1, 1_000, 10_000];
const EVENTS = Number(process.env["EVENTS"] ?? 100_000);
const ROUNDS = Number(process.env["ROUNDS"] ?? 3);
const APPEND_EVENTS = 100;
const EVENTS_PER_SECOND = 50;

interface Run {
  readonly eventsPerSecond: number;
  readonly secondHalfOfFirst: number;
  readonly checkpointMs: number;
  readonly recoveryMs: number;
  readonly stateBytes: number;
  readonly shelfBytes: number;
  readonly visitors: number;
  readonly merchantHours: number;
}

async function measure(merchants: number, events: number): Promise<Run> {
  const it = new BenchPartition(TUESDAY);
  const traffic = makeTraffic({ merchants, eventsPerSecond: EVENTS_PER_SECOND });
  // The settings of every merchant are read before the clock runs: in production that waits for a database.
  await ensureSettings(it.partition, new Set(Array.from({ length: merchants + 1 }, (_, merchant) => merchant)));
  const before = heapBytes();
  const halves = [await appendMany(it, traffic, events / 2), await appendMany(it, traffic, events / 2)];
  const start = performance.now();
  checkpoint(it.partition);
  const checkpointMs = performance.now() - start;
  const stateBytes = heapBytes() - before;
  const size = sizeOf(it.partition);
  await appendMany(it, traffic, CHECKPOINT_EVENTS);
  const restart = performance.now();
  it.restart();
  for (const key of it.partition.deps.store.listShelves()) findShelf(it.partition, key);
  const [first = 0, second = 0] = halves;
  return {
    eventsPerSecond: events / ((first + second) / 1_000),
    secondHalfOfFirst: second / first,
    checkpointMs,
    recoveryMs: performance.now() - restart,
    stateBytes,
    shelfBytes: it.shelfBytes(),
    ...size,
  };
}

/** How long it took, in ms, without making the events. */
async function appendMany(it: BenchPartition, traffic: Traffic, events: number): Promise<number> {
  let spent = 0;
  for (let sent = 0; sent < events; sent += APPEND_EVENTS) {
    it.now += (APPEND_EVENTS / EVENTS_PER_SECOND) * 1_000;
    const arrivals = Array.from({ length: APPEND_EVENTS }, () => traffic.next(it.now));
    // The lease of settings is not what is measured.
    it.partition.lease = { change: 0, readAt: it.now };
    const start = performance.now();
    const reply = await append(it.partition, arrivals);
    spent += performance.now() - start;
    if (reply === "overloaded" || reply.some((fate) => fate !== "accepted")) throw new Error("not all were accepted");
  }
  return spent;
}

function sizeOf(partition: Partition): { readonly visitors: number; readonly merchantHours: number } {
  let [visitors, merchantHours] = [0, 0];
  for (const { days } of partition.shelves.values()) {
    for (const state of days.values()) {
      visitors += state.visitors.size;
      merchantHours += state.changed.size - 1; // nothing is published: all of its Hours, and the Day itself
    }
  }
  return { visitors, merchantHours };
}

/** What JavaScript holds, typed arrays included; SQLite's own memory is not in it. */
function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error("run with --expose-gc");
  for (let time = 0; time < 3; time++) globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function measureApart(merchants: number, events: number): Run {
  const script = join(import.meta.dirname, "partition.ts");
  const { stdout, status } = spawnSync(process.execPath, ["--expose-gc", script, String(merchants), String(events)], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`a run with ${merchants} merchants ended with ${status}`);
  return JSON.parse(stdout) as Run;
}

async function compare(): Promise<void> {
  const sides: Record<string, () => Run> = {};
  for (const merchants of SIZES) {
    for (const events of [EVENTS, 2 * EVENTS]) sides[`${merchants} ${events}`] = () => measureApart(merchants, events);
  }
  const results = await interleave(ROUNDS, sides);
  const rows = Object.entries(results).map(([side, runs]) => {
    const [merchants = 0, events = 0] = side.split(" ").map(Number);
    const middle = (of: (run: Run) => number) => median(runs.map(of));
    const state = middle((run) => run.stateBytes);
    return {
      merchants,
      events,
      "append events/s": Math.round(middle((run) => run.eventsPerSecond)),
      "2nd half/1st": rounded(middle((run) => run.secondHalfOfFirst)),
      "state MB": rounded(state / 1e6),
      "B/event": Math.round(state / events),
      "B/visitor": Math.round(state / middle((run) => run.visitors)),
      "B/merchant-hour": Math.round(state / middle((run) => run.merchantHours)),
      "stored B/event": Math.round(middle((run) => run.shelfBytes) / events),
      "checkpoint ms": rounded(middle((run) => run.checkpointMs)),
      "recovery ms": rounded(middle((run) => run.recoveryMs)),
    };
  });
  print("partition", rows, { append_events: APPEND_EVENTS, rounds: ROUNDS });
}

const args = process.argv.slice(2);
const [merchants, events] = args.map(Number);
if (args.includes("--day")) compareDays(args);
else if (merchants !== undefined && events !== undefined) console.log(JSON.stringify(await measure(merchants, events)));
else await compare();
