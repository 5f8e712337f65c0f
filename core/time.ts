// Merchant-local time: the Day and the Hour of an instant, and back. A Day is the number of a local date (days since
// 1970-01-01). An Hour is an hour of the local clock, named by the UTC instant (ms) at which it starts. Zones come from
// the runtime's tz database through Intl. An offset is looked up once for each day of UTC, and on the few days on which
// it changes once for each quarter of an hour, and remembered.

import { assert } from "./outcome.ts";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/**
 * In the tz database every change of an offset since 1972 is at a quarter hour of UTC. So all local hours begin at one.
 */
const SLOT_MS = 900_000;
/** How many offsets of a zone are remembered: more than there are days since the first event there can be. */
const OFFSETS_KEPT_MAX = 40_000;

interface Zone {
  readonly format: Intl.DateTimeFormat;
  /** Offsets at instants. */
  readonly offsets: Map<number, number>;
}
const zones = new Map<string, Zone>();

/** Whether the runtime knows this IANA zone name, such as "Asia/Kolkata". Fixed offsets ("+05:30") are not names. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/.test(name)) return false;
  try {
    zoneOf(name);
    return true;
  } catch {
    return false; // Intl throws a RangeError for a name it does not know: this is the question being asked
  }
}

/** Local time minus UTC at an instant, in ms. */
export function offsetAt(zoneName: string, instant: number): number {
  const zone = zoneOf(zoneName);
  const midnight = Math.floor(instant / DAY_MS) * DAY_MS;
  const offset = keptOffset(zone, midnight);
  // No zone changes twice in 30 hours.
  if (offset === keptOffset(zone, midnight + DAY_MS)) return offset;
  return keptOffset(zone, Math.floor(instant / SLOT_MS) * SLOT_MS);
}

function keptOffset({ format, offsets }: Zone, instant: number): number {
  const kept = offsets.get(instant);
  if (kept !== undefined) return kept;
  const offset = readOffset(format, instant);
  if (offsets.size >= OFFSETS_KEPT_MAX) offsets.clear();
  offsets.set(instant, offset);
  return offset;
}

/** The Day (number of the local date) an instant belongs to. */
export function dayAt(zone: string, instant: number): number {
  return Math.floor((instant + offsetAt(zone, instant)) / DAY_MS);
}

/**
 * The start (UTC ms) of the local clock hour of an instant. Lord Howe shifts its clock by half an hour in the middle of
 * an hour. There the Hour ends at the shift, so that every Hour has one offset and one label.
 */
export function hourAt(zone: string, instant: number): number {
  const offset = offsetAt(zone, instant);
  const local = instant + offset;
  const start = instant - (local - Math.floor(local / HOUR_MS) * HOUR_MS);
  if (offsetAt(zone, start) === offset) return start;
  let slot = Math.floor(instant / SLOT_MS) * SLOT_MS;
  while (offsetAt(zone, slot - SLOT_MS) === offset) slot -= SLOT_MS;
  return slot;
}

/** The instant (UTC ms) the Hour after this one starts. */
export function hourAfter(zone: string, hourStart: number): number {
  let end = hourStart + SLOT_MS;
  while (hourAt(zone, end) === hourStart) end += SLOT_MS;
  return end;
}

/** The first instant (UTC ms) of a Day: local midnight, or the first instant after it where midnight is skipped. */
export function dayStart(zone: string, day: number): number {
  const midnight = day * DAY_MS;
  let slot = midnight - 15 * HOUR_MS; // no zone is further east than +14:00, or further west than -12:00
  // If the offset is the same before and after every possible midnight, it did not change in between, since no zone
  // changes twice in 30 hours. That takes two look-ups instead of sixty.
  const offset = offsetAt(zone, slot);
  if (offset === offsetAt(zone, midnight + 15 * HOUR_MS)) return midnight - offset;
  while (dayAt(zone, slot) < day) slot += SLOT_MS;
  return slot;
}

/** "2026-11-21" for a Day. */
export function dateOf(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** The Day of a date such as "2026-11-21", or undefined where there is no such date. */
export function parseDate(date: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return undefined;
  const instant = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(instant) || dateOf(instant / DAY_MS) !== date ? undefined : instant / DAY_MS;
}

/** Local clock time of an instant as "2026-11-21 14:00:00". */
export function localTime(zone: string, instant: number): string {
  return new Date(instant + offsetAt(zone, instant)).toISOString().slice(0, 19).replace("T", " ");
}

/** An instant as ISO 8601 with the zone's offset: "2026-11-21T00:00:00+05:30". */
export function isoLocal(zone: string, instant: number): string {
  const minutes = Math.round(offsetAt(zone, instant) / MINUTE_MS);
  const sign = minutes < 0 ? "-" : "+";
  const two = (value: number) => String(value).padStart(2, "0");
  const offset = `${sign}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  return localTime(zone, instant).replace(" ", "T") + offset;
}

/** The Monday that starts a Day's ISO week. */
export function weekOf(day: number): number {
  return day - ((((day + 3) % 7) + 7) % 7); // 1970-01-01 was a Thursday
}

/** The first Day of a Day's month. */
export function monthOf(day: number): number {
  const date = new Date(day * DAY_MS);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) / DAY_MS;
}

/** The same date `months` later or earlier, cut to the month's last date. */
export function addMonths(day: number, months: number): number {
  const date = new Date(day * DAY_MS);
  const first = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1));
  const last = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  return first.getTime() / DAY_MS + Math.min(date.getUTCDate(), last) - 1;
}

function zoneOf(name: string): Zone {
  const known = zones.get(name);
  if (known !== undefined) return known;
  const options = { timeZone: name, hourCycle: "h23", year: "numeric", month: "2-digit" } as const;
  const clock = { day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;
  const zone = {
    format: new Intl.DateTimeFormat("en-US", { ...options, ...clock }),
    offsets: new Map<number, number>(),
  };
  zones.set(name, zone);
  return zone;
}

/** The clock as Intl writes it: "03/18/2028, 01:00:00". */
const CLOCK = /^(\d\d)\/(\d\d)\/(\d{4}), (\d\d):(\d\d):(\d\d)$/;

function readOffset(format: Intl.DateTimeFormat, instant: number): number {
  // To read the text takes a seventh of the time of `formatToParts`, and hits may name a thousand days at once.
  const clock = CLOCK.exec(format.format(instant));
  assert(clock !== null, "Intl writes the clock of years with four digits in one form");
  const [month, day, year, hour, minute, second] = clock.slice(1).map(Number) as [number, ...number[]];
  const local = Date.UTC(year as number, month - 1, day, hour, minute, second);
  return local - Math.floor(instant / 1000) * 1000;
}
