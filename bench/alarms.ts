// `npm run bench:alarms`: how often the alarms of merchants (core/notice) are wrong, and how fast they find an outage,
// on real traffic. The data has 16 Days of a site without a known incident; smaller shops are random parts of its
// readers. So false alarms are upper bounds: what looked odd may have been real. Orders are invented: 3 % of an Hour's
// visitors. `--seeds N` tries more parts of the readers. Exits with 1 where a volume has more false alarms than the
// target.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { ALARM_KINDS, type AlarmKind, NO_ALARMS, nextAlarms } from "../core/notice/alarm.ts";
import { type HourCount, sinceFirstVisitor } from "../core/notice/hour-count.ts";
import { DAY_MS, HOUR_MS } from "../core/time.ts";
import { toTable } from "../scripts/table.ts";

const DATA = join(import.meta.dirname, "../../shared/data/sessions.csv.gz");
const FALSE_A_WEEK_MAX = 0.35;
/** Parts of the readers: about 3,970, 397, 85, 19 and 5 page views a day. */
const PARTS = [1, 0.1, 0.0214, 0.0048, 0.0013];
/** Hours before which rules have too little history to be judged. */
const WARM_HOURS = 8 * 24;
const ORDERS_OF_VISITORS = 0.03;

interface Request {
  readonly reader: string;
  readonly hour: number;
}

const { values } = parseArgs({ options: { seeds: { type: "string", default: "12" } } });
const seeds = Number(values.seeds);

if (!existsSync(DATA)) {
  console.log("skipped: the data set sessions.csv.gz is not on this machine");
} else {
  const requests = read();
  const rows = PARTS.map((part) => measure(requests, part));
  const head = [
    "page views a day",
    "false a week",
    ...ALARM_KINDS,
    "12 h outage found",
    "after h",
    "24 h outage found",
    "after h",
    "×5 for 3 h found",
    "after h",
  ];
  console.log(toTable(head, rows));
  // Of the invented orders it says how often chance alone leaves a Day without one.
  const worst = Math.max(...rows.map((row) => Number(row[1])));
  console.log(`\nfalse alarms a week at most: ${worst} (target ${FALSE_A_WEEK_MAX})`);
  if (worst > FALSE_A_WEEK_MAX) process.exitCode = 1;
}

function read(): readonly Request[] {
  const text = gunzipSync(readFileSync(DATA)).toString("utf8");
  // Some addresses have line ends in them, so a row is known by its beginning.
  return [...text.matchAll(/^([0-9a-f]{32}),(\d+),/gm)].map(([, reader = "", seconds]) => {
    return { reader, hour: Math.floor(Number(seconds) / 3_600) };
  });
}

function measure(requests: readonly Request[], part: number): (string | number)[] {
  const readers = [...new Set(requests.map(({ reader }) => reader))];
  const hours = requests.map(({ hour }) => hour);
  const [from, to] = [Math.min(...hours), Math.max(...hours)];
  const raised = new Map<AlarmKind, number>();
  const outages = { short: [] as number[], long: [] as number[], spike: [] as number[] };
  let [tried, weeks, views] = [0, 0, 0];
  for (let seed = 0; seed < (part === 1 ? 1 : seeds); seed++) {
    const random = randomOf(seed + 1);
    const some = new Set(readers.filter(() => random() < part));
    const own = requests.filter(({ reader }) => some.has(reader));
    views += own.length / ((to - from + 1) / 24);
    const counts = toHours(own, { from, to, random });
    for (const { kind } of raisedIn(counts, WARM_HOURS)) raised.set(kind, (raised.get(kind) ?? 0) + 1);
    weeks += (counts.length - WARM_HOURS) / (7 * 24);
    for (let start = WARM_HOURS; start + 24 <= counts.length; start += part === 1 ? 3 : 11) {
      tried++;
      outages.short.push(...foundAfter(counts, { start, hours: 12, times: 0 }));
      outages.long.push(...foundAfter(counts, { start, hours: 24, times: 0 }));
      outages.spike.push(...foundAfter(counts, { start, hours: 3, times: 5 }));
    }
  }
  const all = [...raised.values()].reduce((sum, count) => sum + count, 0);
  const found = (after: readonly number[]) => [
    `${Math.round((after.length / tried) * 100)} %`,
    after.length === 0 ? "–" : round(after.reduce((sum, one) => sum + one, 0) / after.length, 1),
  ];
  return [
    Math.round(views / (part === 1 ? 1 : seeds)),
    round(all / weeks, 2),
    ...ALARM_KINDS.map((kind) => round((raised.get(kind) ?? 0) / weeks, 2)),
    ...found(outages.short),
    ...found(outages.long),
    ...found(outages.spike),
  ];
}

interface Span {
  readonly from: number;
  readonly to: number;
  readonly random: () => number;
}

function toHours(requests: readonly Request[], { from, to, random }: Span): readonly HourCount[] {
  const visitors = Map.groupBy(requests, ({ hour }) => hour);
  return Array.from({ length: to - from + 1 }, (_, at) => {
    const readers = new Set((visitors.get(from + at) ?? []).map(({ reader }) => reader));
    const orders = [...readers].filter(() => random() < ORDERS_OF_VISITORS).length;
    return hourCount((from + at) * HOUR_MS, { visitors: readers.size, orders });
  });
}

function hourCount(start: number, counts: Pick<HourCount, "visitors" | "orders">): HourCount {
  const clock = new Date(start).toISOString().slice(11, 16);
  return { start, day: Math.floor(start / DAY_MS), clock, ...counts };
}

/** What goes on, from an Hour on, as the cron would see it: Hour by Hour. */
function raisedIn(counts: readonly HourCount[], from: number): readonly { kind: AlarmKind; at: number }[] {
  let alarms = NO_ALARMS;
  const raised: { kind: AlarmKind; at: number }[] = [];
  for (let at = from; at < counts.length; at++) {
    const next = nextAlarms(alarms, sinceFirstVisitor(counts.slice(0, at + 1)));
    alarms = next.alarms;
    for (const { alarm, endedAt } of next.changes) if (endedAt === undefined) raised.push({ kind: alarm.kind, at });
  }
  return raised;
}

interface Incident {
  readonly start: number;
  readonly hours: number;
  /** What each of its Hours is multiplied by. */
  readonly times: number;
}

/** After how many Hours an incident was told; nothing where it was not while it lasted. */
function foundAfter(counts: readonly HourCount[], { start, hours, times }: Incident): readonly number[] {
  const changed = counts
    .slice(0, start + hours)
    .map((hour, at) => (at < start ? hour : { ...hour, visitors: hour.visitors * times, orders: hour.orders * times }));
  const [first] = raisedIn(changed, start);
  return first === undefined ? [] : [first.at - start + 1];
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** Numbers from 0 to 1, the same for the same seed (xorshift). */
function randomOf(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 4_294_967_296;
  };
}
