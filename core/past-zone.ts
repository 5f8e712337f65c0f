// Zones of the past: a replay may give past Days of a merchant another zone. The archive's folders never change; they
// follow the zones that partitions knew (`zones`). Readers are shown Days by `zones` with all later zones put over them
// (`past`), the latest decision on top. An undo takes one out again. So the events of a Day that has moved may lie in
// up to five folders. Everything about where to look for them is in this file (docs/decisions/0013).

import { type PastZone, type Settings, type ZonePeriod, zoneAt } from "./merchant.ts";
import { DAY_MS, dayAt, dayStart, HOUR_MS, hourAfter, hourAt } from "./time.ts";

type Zoned = Pick<Settings, "zones" | "past">;

/** [from, to): numbers of Days, or UTC ms. */
export type Span = readonly [from: number, to: number];

/** When a clock goes back over midnight, two Days alternate. Looking this much further (ms) finds both. */
const CLOCK_BACK_MS = 2 * HOUR_MS;

/** The zones by which a merchant's Days and Hours are shown. */
export function shownZones({ zones, past = [] }: Zoned): readonly ZonePeriod[] {
  return past.reduce(putOver, zones);
}

/** The Day in which an event is shown. */
export function shownDay(shown: readonly ZonePeriod[], instant: number): number {
  return dayAt(zoneAt(shown, instant), instant);
}

/** The settings for counting: their zones are the shown ones. */
export function countedBy(settings: Settings): Settings {
  return settings.past === undefined ? settings : { ...settings, zones: shownZones(settings) };
}

/** The settings with one more zone of the past. */
export function withPastZone(settings: Settings, past: PastZone): Settings {
  return { ...settings, past: [...(settings.past ?? []), past] };
}

/** Whether a zone of the past affects a Day, so that the Day's folder has too few events or too many. */
export function isMovedDay({ past = [] }: Pick<Settings, "past">, day: number): boolean {
  return past.some(({ days }) => days[0] <= day && day < days[1]);
}

/** The Days in whose folders the events of a shown Day may lie. */
export function foldersOf(settings: Zoned, day: number): Span {
  return daysBetween(settings.zones, spanOfDay(shownZones(settings), day) ?? dayInUtc(day));
}

/** The shown Days to which events of a folder may belong. */
export function shownDaysOf(settings: Zoned, folder: number): Span {
  return daysBetween(shownZones(settings), spanOfDay(settings.zones, folder) ?? dayInUtc(folder));
}

/**
 * The zone that would hold for the Days [from, to) of that zone, and the Days that it changes. Neighbouring Days that
 * lose Hours are among them. If another zone follows, that one begins at a full hour of its own, as after any change of
 * zone. Undefined where these Days have that zone already.
 */
export function planPastZone(
  settings: Zoned,
  { zone, days: [fromDay, toDay] }: { readonly zone: string; readonly days: Span },
): PastZone | undefined {
  const shown = shownZones(settings);
  const from = dayStart(zone, fromDay);
  const end = dayStart(zone, toDay);
  const next = zoneAt(shown, end);
  const hour = hourAt(next, end);
  const to = next === zone || hour === end ? end : hourAfter(next, hour);
  const put = putOver(shown, { zone, from, to });
  if (JSON.stringify(put) === JSON.stringify(shown)) return undefined;
  // It starts at the last instant before `from`, because the Hour that it shortens belongs to that Day.
  const spans = [settings.zones, shown, put].map((zones) => daysBetween(zones, [from - 1, to]));
  const days: Span = [
    Math.min(fromDay, ...spans.map(([first]) => first)),
    Math.max(toDay, ...spans.map(([, last]) => last)),
  ];
  return { zone, from, to, days };
}

/** The Days of the first and the last instant, and all Days between them. */
export function daysBetween(zones: readonly ZonePeriod[], [from, to]: Span): Span {
  const borders = zones.flatMap((period) =>
    period.from > from && period.from < to ? [period.from - 1, period.from] : [],
  );
  const days = [from, to - 1, ...borders].map((instant) => shownDay(zones, instant));
  return [Math.min(...days), Math.max(...days) + 1];
}

/** All instants of a Day, and perhaps some others. Undefined where a change of zone has skipped the Day. */
function spanOfDay(zones: readonly ZonePeriod[], day: number): Span | undefined {
  const spans = zones.flatMap(({ zone, from }, index): Span[] => {
    const start = Math.max(index === 0 ? 0 : from, dayStart(zone, day));
    const end = Math.min(zones[index + 1]?.from ?? Number.POSITIVE_INFINITY, dayStart(zone, day + 1));
    return start < end ? [[start, end]] : [];
  });
  if (spans.length === 0) return undefined;
  return [
    Math.min(...spans.map(([start]) => start)) - CLOCK_BACK_MS,
    Math.max(...spans.map(([, end]) => end)) + CLOCK_BACK_MS,
  ];
}

/** All instants that belong to a Day in any zone. */
function dayInUtc(day: number): Span {
  return [(day - 1) * DAY_MS, (day + 2) * DAY_MS];
}

function putOver(zones: readonly ZonePeriod[], { zone, from, to }: Omit<PastZone, "days">): readonly ZonePeriod[] {
  const put = [
    ...zones.filter((period) => period.from < from),
    { from, zone },
    { from: to, zone: zoneAt(zones, to) },
    ...zones.filter((period) => period.from > to),
  ];
  return put.filter((period, index) => index === 0 || period.zone !== put[index - 1]?.zone);
}
