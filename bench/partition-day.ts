// `npm run bench:partition -- --day`: a partition of the plan (256 of them take a billion events a day) through a whole
// Day on node:sqlite, with the Hours of a shop's day and merchants in Zipf's proportions: what it holds in memory, how
// long a checkpoint's turn, a restart and a late event take. Beside it, the same with the whole Day kept in memory and
// written at once, as it was before layers. `--quick` takes a quarter of the merchants and the four busiest Hours;
// HOURS=19,20 takes those Hours alone, of all merchants. Each side runs in a process of its own, so that memory is what
// it holds.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { DAY_MS, HOUR_MS } from "../core/time.ts";
import { dutiesDue } from "../durable-objects/alarm.ts";
import { append } from "../durable-objects/append.ts";
import { checkpoint, checkpointTurn } from "../durable-objects/checkpoint.ts";
import { publish } from "../durable-objects/publish.ts";
import { ensureSettings } from "../durable-objects/settings.ts";
import { findShelf, type LayerPace } from "../durable-objects/state.ts";
import { TUESDAY } from "../test/support/events.ts";
import { BenchPartition } from "./bench-partition.ts";
import { median, print, quantile, rounded } from "./measure.ts";
import { makeTraffic } from "./traffic.ts";

const MERCHANTS = 3_906;
const EVENTS_OF_DAY = 3_906_250;
/** Of each Hour, its share of a shop's Day. */
const HOURS = [12, 8, 5, 4, 4, 6, 12, 22, 34, 44, 50, 53, 55, 54, 52, 52, 54, 58, 63, 68, 70, 64, 46, 26];
const BUSIEST = [18, 19, 20, 21];
/** Of a quarter of an Hour's events a sample of memory is taken after each. */
const SAMPLES_PER_HOUR = 4;
const LATE_EVENTS = 400;
const ALL_STAYS: LayerPace = {
  loadedEvents: Number.POSITIVE_INFINITY,
  eventsMin: 0,
  afterMs: 0,
  turnEvents: 1,
  turnBytes: Number.POSITIVE_INFINITY,
};

const SIDES = ["whole Days in memory", "layers"] as const;
type Side = (typeof SIDES)[number];

interface Run {
  readonly events: number;
  readonly eventsPerSecond: number;
  readonly averageBytes: number;
  readonly mostBytes: number;
  readonly turnMs: number;
  readonly longestTurnMs: number;
  readonly publishMs: number;
  readonly restartMs: number;
  readonly lateMs: number;
  readonly longLateMs: number;
  readonly filterBytes: number;
  readonly storedBytes: number;
  readonly rowsWritten: number;
}

async function measure(side: Side, { share, hours }: { share: number; hours: readonly number[] }): Promise<Run> {
  const it = new BenchPartition(Math.floor(TUESDAY / DAY_MS) * DAY_MS + (hours[0] ?? 0) * HOUR_MS);
  if (side === "whole Days in memory") it.layers = ALL_STAYS;
  it.restart();
  const merchants = Math.round(MERCHANTS * share);
  const traffic = makeTraffic({ merchants, eventsPerSecond: (EVENTS_OF_DAY * share) / 86_400 });
  await ensureSettings(it.partition, new Set(Array.from({ length: merchants + 1 }, (_, merchant) => merchant)));
  const [start, rowsBefore] = [heapBytes(), it.rowsWritten()];
  const samples: number[] = [];
  const turns: number[] = [];
  let [events, appendMs, publishMs] = [0, 0, 0];
  for (const hour of hours) {
    const ofHour = Math.round((EVENTS_OF_DAY * share * (HOURS[hour] ?? 0)) / HOURS.reduce((sum, one) => sum + one, 0));
    const ofSecond = ofHour / 3_600;
    for (let second = 0, sent = 0; second < 3_600; second++) {
      it.now += 1_000;
      const due = Math.round((second + 1) * ofSecond) - sent;
      const arrivals = Array.from({ length: due }, () => traffic.next(it.now));
      it.partition.lease = { change: 0, readAt: it.now };
      appendMs += await timeOf(async () => void (await append(it.partition, arrivals)));
      sent += due;
      events += due;
      const duties = dutiesDue(it.partition, it.now);
      if (duties.checkpoint <= it.now) turns.push(await timeOf(() => writeOf(side)(it.partition)));
      if (duties.publish <= it.now) publishMs += await timeOf(() => publish(it.partition));
      if ((second + 1) % (3_600 / SAMPLES_PER_HOUR) === 0) samples.push(heapBytes() - start);
    }
    console.error(`${side}: hour ${hour}, ${events} events, ${Math.round((samples.at(-1) ?? 0) / 1e6)} MB`);
  }
  const late: number[] = [];
  for (let sent = 0; sent < LATE_EVENTS; sent++) {
    const arrival = traffic.next(it.now - (1 + (sent % Math.max(1, hours.length - 1))) * HOUR_MS);
    late.push(await timeOf(async () => void (await append(it.partition, [arrival]))));
  }
  const filterBytes = filterBytesOf(it);
  const rowsWritten = it.rowsWritten() - rowsBefore;
  const restartMs = await timeOf(() => {
    it.restart();
    for (const key of it.partition.deps.store.listShelves()) findShelf(it.partition, key);
  });
  checkpoint(it.partition);
  return {
    events,
    eventsPerSecond: events / (appendMs / 1_000),
    averageBytes: samples.reduce((sum, one) => sum + one, 0) / samples.length,
    mostBytes: Math.max(...samples),
    turnMs: median(turns),
    longestTurnMs: Math.max(...turns),
    publishMs,
    restartMs,
    lateMs: median(late),
    longLateMs: quantile(late, 0.99),
    filterBytes,
    storedBytes: it.shelfBytes(),
    rowsWritten,
  };
}

/** What grows in memory with each event of an open Day, whatever rests of it. */
function filterBytesOf({ partition }: BenchPartition): number {
  return [...partition.layers.values()].flat().reduce((sum, { filter }) => sum + filter.bytes, 0);
}

function writeOf(side: Side): typeof checkpoint {
  return side === "layers" ? checkpointTurn : checkpoint;
}

/** In ms of CPU: other processes do not count. */
async function timeOf(work: () => void | Promise<void>): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000;
}

/** What JavaScript holds, typed arrays included; SQLite's own memory is not in it. */
function heapBytes(): number {
  if (globalThis.gc === undefined) throw new Error("run with --expose-gc");
  for (let time = 0; time < 3; time++) globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** All sides, one after the other; `args` are those of the command line. */
export function compareDays(args: readonly string[]): void {
  const isQuick = args.includes("--quick");
  const rows = SIDES.map((side) => {
    const script = join(import.meta.dirname, "partition-day.ts");
    const { stdout, status } = spawnSync(process.execPath, ["--expose-gc", script, side, isQuick ? "quick" : "day"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (status !== 0) throw new Error(`the run of ${side} ended with ${status}`);
    const run = JSON.parse(stdout) as Run;
    return {
      side,
      events: run.events,
      "MB average": rounded(run.averageBytes / 1e6),
      "MB most": rounded(run.mostBytes / 1e6),
      "B/event at the end": Math.round(run.mostBytes / run.events),
      "append events/s": Math.round(run.eventsPerSecond),
      "checkpoint ms": rounded(run.turnMs),
      "longest ms": rounded(run.longestTurnMs),
      "publish us/event": rounded((run.publishMs * 1_000) / run.events),
      "restart ms": rounded(run.restartMs),
      "late event ms": rounded(run.lateMs),
      "p99 ms": rounded(run.longLateMs),
      "filters B/event": rounded(run.filterBytes / run.events),
      "stored B/event": Math.round(run.storedBytes / run.events),
      "rows/event": rounded(run.rowsWritten / run.events),
    };
  });
  print("partition-day", rows, { merchants: MERCHANTS, quick: isQuick });
}

const [side, size] = process.argv.slice(2);
if (SIDES.includes(side as Side)) {
  const isQuick = size === "quick";
  const chosen = process.env["HOURS"]?.split(",").map(Number) ?? HOURS.map((_, hour) => hour);
  const plan = isQuick ? { share: 0.25, hours: BUSIEST } : { share: 1, hours: chosen };
  console.log(JSON.stringify(await measure(side as Side, plan)));
}
