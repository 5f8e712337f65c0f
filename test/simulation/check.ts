// The laws, checked against the naive model: nothing acknowledged is lost (L1), nothing is there twice (L2), the
// numbers are those of the archived events (L3) whatever order they came in (L4).

import type { ArchivedEvent } from "../../core/archive/file.ts";
import { monthFileKey, ROLLUPS_PREFIX } from "../../core/archive/object-key.ts";
import { MONTH_DAYS } from "../../core/block/month.ts";
import { firstOpenDay } from "../../core/counting/closed.ts";
import { emptyRow, mismatchesOf } from "../../core/counting/difference.ts";
import { replay } from "../../core/counting/replay.ts";
import { ALL_DIMENSIONS } from "../../core/counting/rollup.ts";
import { isThin, type RollupRow, thinned } from "../../core/counting/rollup-row.ts";
import type { Event } from "../../core/event.ts";
import type { Settings } from "../../core/merchant.ts";
import { dateOf } from "../../core/time.ts";
import { readRollups } from "../../storage/ledger/range.ts";
import { localDate, naiveTotals, naiveVisits } from "../support/naive.ts";
import { mayBeErased } from "./erasure.ts";
import { ask, readLive, type Simulation, settingsOf } from "./simulation.ts";

const METRICS = ["visitors", "visits", "pageviews", "events", "bounces", "total_duration", "total_revenue"];
/** Wide enough for every event of a run. */
export const RANGE = ["2026-10-18", "2026-10-27"];
/** A filter that only events know, and that all of them pass. */
export const FROM_EVENTS = { date_range: RANGE, filters: [["is_not", "event:props:nothing", ["of the kind"]]] };

/** L1 and L2 on the archive: every acknowledged event is there, no event twice, and nothing nobody sent. */
export function checkArchive(simulation: Simulation, rows: readonly ArchivedEvent[]): string | undefined {
  const places = new Map<string, Event>();
  const ids = new Set<string>();
  for (const { partition, position, event } of rows) {
    const place = `${partition} ${position}`;
    if (places.has(place)) return `L2: position ${place} is archived twice`;
    places.set(place, event);
    const id = `${event.merchant} ${event.id}`;
    if (ids.has(id)) return `L2: event ${id} is archived twice`;
    ids.add(id);
  }
  const sent = new Set(simulation.sent.map(({ arrival }) => `${arrival.event.merchant} ${arrival.event.id}`));
  for (const id of ids) if (!sent.has(id)) return `the archive holds ${id}, which nobody sent`;
  for (const { arrival, acknowledged } of simulation.sent) {
    const id = `${arrival.event.merchant} ${arrival.event.id}`;
    if (acknowledged && !ids.has(id) && !mayBeErased(simulation, arrival.event))
      return `L1: acknowledged event ${id} is not in the archive`;
  }
  return checkVisitors(simulation, rows);
}

/** L3 and L4: the answers, by Day, by Hour and by a dimension, are the naive model's over the archived events. */
export async function checkNumbers(
  simulation: Simulation,
  merchant: number,
  rows: readonly ArchivedEvent[],
): Promise<string | undefined> {
  const settings = simulation.settings.get(merchant) as Settings;
  const events = rows.map(({ event }) => event).filter((event) => event.merchant === merchant);
  const dates = [...new Set(events.map((event) => localDate(settings, event.timestamp)))].sort();
  const expected: Record<string, readonly number[]> = {};
  const pages: Record<string, number> = {};
  for (const date of dates) {
    const visits = naiveVisits(events, settings, date);
    const totals = naiveTotals(visits, settings, () => true);
    if (totals.visits === 0) continue;
    const { visitors, visits: count, pageviews, events: all, bounces, duration_ms: durationMs } = totals;
    const revenue = totals.money[settings.currency]?.revenue ?? 0;
    expected[date] = [visitors, count, pageviews, all, bounces, durationMs / 1000, revenue / 10_000];
    for (const event of visits.flatMap((visit) => visit.events)) {
      const page = new URL(event.url).pathname;
      pages[page] = (pages[page] ?? 0) + (event.name === "pageview" ? 1 : 0);
    }
  }
  const days = await ask(simulation, merchant, { metrics: METRICS, date_range: RANGE, dimensions: ["time:day"] });
  const shown = Object.fromEntries(days.results.map(({ dimensions, metrics }) => [dimensions[0], metrics.map(plain)]));
  const difference = firstDifference(expected, shown);
  if (difference !== undefined) return `L3: merchant ${merchant} by Day: ${difference}`;
  const byPage = await ask(simulation, merchant, {
    metrics: ["pageviews"],
    date_range: RANGE,
    dimensions: ["event:page"],
  });
  const shownPages = Object.fromEntries(
    byPage.results.map(({ dimensions, metrics }) => [dimensions[0], plain(metrics[0])]),
  );
  const pageDifference = firstDifference(pages, shownPages);
  if (pageDifference !== undefined) return `L3: merchant ${merchant} by page: ${pageDifference}`;
  // From events, twice: as the isolate remembers sealed Days, and once more when it has read all of them.
  for (const _ of [1, 2]) {
    const fromEvents = await ask(simulation, merchant, { ...FROM_EVENTS, metrics: METRICS, dimensions: ["time:day"] });
    const counted = Object.fromEntries(
      fromEvents.results.map(({ dimensions, metrics }) => [dimensions[0], metrics.map(plain)]),
    );
    const eventDifference = firstDifference(expected, counted);
    if (eventDifference !== undefined) return `L3: merchant ${merchant} from events: ${eventDifference}`;
  }
  return checkHours(simulation, { merchant, events, settings });
}

/**
 * L3 to the byte: what D1 and the partitions hold is what a replay of the archive gives, every counter, breakdown,
 * sketch.
 */
export async function checkReplay(simulation: Simulation, rows: readonly ArchivedEvent[]): Promise<string | undefined> {
  const replayed = new Map(
    replay(rows, (merchant) => settingsOf(simulation, merchant)).map((row) => [nameOf(row), row]),
  );
  for (const merchant of simulation.settings.keys()) {
    const held = new Map<string, RollupRow>();
    for (const grain of ["hour", "day"] as const) {
      const columns = { sketch: true, presence: true, breakdowns: ALL_DIMENSIONS };
      const read = { merchant, grain, from: 0, to: Number.MAX_SAFE_INTEGER, ...columns };
      const stored = await readRollups(simulation.d1, read);
      for (const row of stored) held.set(nameOf(row), row);
    }
    for (const row of await readLive(simulation, merchant)) held.set(nameOf(row), row);
    for (const [name, row] of held) {
      const again = replayed.get(name);
      replayed.delete(name);
      // Where all events of an Hour were erased, zeros are left.
      const counted = again ?? emptyRow(row);
      // Of a packed Day's Hours the totals are left.
      const difference = differenceOf(row, isThin(row) ? thinned(counted) : counted);
      if (difference !== undefined) return `L3: ${name} ${difference}`;
    }
  }
  for (const [missing, row] of replayed) {
    // An Hour in which somebody only read on, from a page of another Day, has nothing: its zeros may be stored or not.
    if (differenceOf(emptyRow(row), row) !== undefined) return `L3: ${missing} is replayed, and nobody has it`;
  }
  return undefined;
}

function nameOf({ merchant, grain, bucket, partition }: RollupRow): string {
  return `${grain} ${bucket} of merchant ${merchant} in ${partition}`;
}

function differenceOf(held: RollupRow, replayed: RollupRow): string | undefined {
  const [a, b] = [comparable(held), comparable(replayed)];
  if (a === b) return undefined;
  const [first] = mismatchesOf(held, replayed);
  return first === undefined
    ? `is ${a.slice(0, 300)}, replayed ${b.slice(0, 300)}`
    : `has ${first.what} ${first.held}, replayed ${first.replayed}`;
}

function comparable({ counts, drops, sketch, presence, breakdowns, day }: RollupRow): string {
  const packed = ALL_DIMENSIONS.map((name) => [name, [...(breakdowns[name] ?? [])]]);
  return JSON.stringify([day, counts, Object.entries(drops).sort(), [...sketch], [...presence], packed]);
}

/** What the hours say adds up to what the Days say. */
async function checkHours(
  simulation: Simulation,
  { merchant, events }: { merchant: number; events: readonly Event[]; settings: Settings },
): Promise<string | undefined> {
  const metrics = ["pageviews", "events"];
  const hours = await ask(simulation, merchant, { metrics, date_range: RANGE, dimensions: ["time:hour"] });
  const sums = [0, 1].map((index) => hours.results.reduce((sum, row) => sum + plain(row.metrics[index]), 0));
  const counted = events.filter((event) => event.dropped === "");
  const pageviews = counted.filter((event) => event.name === "pageview").length;
  const all = counted.filter((event) => event.name !== "engagement").length;
  if (sums[0] === pageviews && sums[1] === all) return undefined;
  return `L3: merchant ${merchant} by Hour: ${sums.join(" and ")} page views and events, not ${pageviews} and ${all}`;
}

/** Cookieless: one visitor per person, merchant and Day (as long as the salt is kept); never one for two persons. */
function checkVisitors(simulation: Simulation, rows: readonly ArchivedEvent[]): string | undefined {
  const persons = new Map<string, string>();
  const visitors = new Map<string, string>();
  const people = new Map(simulation.sent.map(({ arrival }) => [arrival.event.id, arrival]));
  for (const { event } of rows) {
    const arrival = people.get(event.id);
    if (arrival === undefined || arrival.event.visitor !== "") continue;
    // Told apart by the Day of the zone that held when they came: a zone of the past comes too late for that.
    const known = simulation.settings.get(event.merchant) as Settings;
    const date = localDate({ ...known, past: [] }, event.timestamp);
    const person = `${event.merchant} ${date} ${arrival.address} ${event.userAgent}`;
    if ((persons.get(person) ?? event.visitor) !== event.visitor) return `one person is two visitors: ${person}`;
    if ((visitors.get(event.visitor) ?? person) !== person) return `two persons are one visitor: ${person}`;
    persons.set(person, event.visitor);
    visitors.set(event.visitor, person);
  }
  return undefined;
}

export function plain(metric: unknown): number {
  return typeof metric === "object" && metric !== null ? (metric as { value: number }).value : Number(metric);
}

function firstDifference(expected: Record<string, unknown>, shown: Record<string, unknown>): string | undefined {
  for (const key of new Set([...Object.keys(expected), ...Object.keys(shown)])) {
    const [a, b] = [JSON.stringify(expected[key]), JSON.stringify(shown[key])];
    if (a !== b) return `${key}: expected ${a}, shown ${b}`;
  }
  return undefined;
}

/**
 * Every closed Day is sealed and packed, and nothing waits; a Day that was counted live was sealed without a
 * difference.
 */
export function checkSeals({ database, statistics, world, hosts, erased }: Simulation): string | undefined {
  const rows = database
    .prepare('SELECT day, "partition", generation, differences, late_since, unpacked, error FROM archive_days')
    .all();
  for (const { day, partition, generation, differences, late_since, unpacked, error } of rows) {
    const place = `Day ${day} of ${partition}`;
    statistics.seals += Number(generation);
    if (Number(day) < firstOpenDay(world.now) && generation === 0) return `${place} is not sealed: ${error}`;
    if (late_since !== null) return `${place} has late events that nobody counts: ${error}`;
    if (Number(generation) > 0 && unpacked !== 0) return `BLK-10: ${place} is not packed: ${error}`;
    // An event that is to be erased may still be counted, when it comes late: the seal then takes it out.
    if (differences !== 0 && erased.length === 0) return `L3: ${place} was sealed with ${differences} differences`;
  }
  for (const host of hosts.values()) {
    const shelved = host.shelvedDays().filter((day) => day < firstOpenDay(world.now) - 1);
    if (shelved.length > 0) return `${host.name} still has the state of Days ${shelved.join()}`;
  }
  return undefined;
}

/** Every month file is noted, and every block finds its own. */
export function checkMonths({ database, objects }: Simulation): string | undefined {
  const files = database.prepare('SELECT merchant, month, "partition", file, erased FROM month_files').all();
  const keyOf = ({ merchant, month, partition, file }: Readonly<Record<string, unknown>>) =>
    monthFileKey({
      merchant: Number(merchant),
      partition: String(partition),
      from: dateOf(Number(month)),
      file: String(file),
    });
  const noted = new Set(files.map(keyOf));
  const stray = [...objects.keys()].find((key) => key.startsWith(ROLLUPS_PREFIX) && !noted.has(key));
  if (stray !== undefined) return `BLK-14: nothing notes ${stray}`;
  const named = database
    .prepare(`SELECT merchant, first_day - first_day % ${MONTH_DAYS} AS month, "partition", file FROM blocks
      WHERE file > ''`)
    .all();
  const lost = named.map(keyOf).find((key) => !objects.has(key));
  return lost === undefined ? undefined : `BLK-14: a block names ${lost}, which is gone`;
}
