// What counting needs to know of a merchant: its time zones, its currency and its rules. Partitions keep a copy, so
// that no hit waits for a database. A zone holds from an instant on; the change is dated ahead of time (ZONE_NOTICE_MS),
// so that by then every partition knows it and an event's Day stays a function of its timestamp alone (L4).

import { ZONE_NOTICE_MS } from "./limits.ts";
import type { RuleTimeline } from "./rules.ts";
import { hourAfter, hourAt } from "./time.ts";

export interface ZonePeriod {
  /** UTC ms from which the zone holds; 0 for the first. */
  readonly from: number;
  readonly zone: string;
}

export interface Settings {
  readonly merchant: number;
  /** Grows with every change: an older copy never replaces a newer one. */
  readonly version: number;
  /** Ordered by `from`; never empty. */
  readonly zones: readonly ZonePeriod[];
  /** ISO 4217. */
  readonly currency: string;
  readonly rules: RuleTimeline;
  /** For how many days its events are kept; undefined for good. Its numbers stay. */
  readonly retentionDays?: number;
}

/** The zone that holds at an instant. */
export function zoneAt(zones: readonly ZonePeriod[], instant: number): string {
  let zone = (zones[0] as ZonePeriod).zone;
  for (const period of zones) if (period.from <= instant) zone = period.zone;
  return zone;
}

/**
 * The zones after a change asked for now. It takes effect at a full hour of the new zone, so that no Hour of the old zone
 * has the name of one of the new. A change that was asked for before and lies further ahead is replaced.
 */
export function changeZone(zones: readonly ZonePeriod[], zone: string, now: number): readonly ZonePeriod[] {
  const earliest = now + ZONE_NOTICE_MS;
  const hour = hourAt(zone, earliest);
  const from = hour === earliest ? hour : hourAfter(zone, hour);
  const kept = zones.filter((period, index) => index === 0 || period.from < from);
  return zoneAt(kept, from) === zone ? kept : [...kept, { from, zone }];
}

/**
 * The Hour an instant belongs to, under the zone that holds then. An Hour that began under an earlier zone is cut where
 * the new one takes over: the same instant must not start an Hour of two Days.
 */
export function hourOf(zones: readonly ZonePeriod[], instant: number): number {
  let current = zones[0] as ZonePeriod;
  for (const period of zones) if (period.from <= instant) current = period;
  return Math.max(current.from, hourAt(current.zone, instant));
}

const currencies: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));

/** Whether a text is an ISO 4217 code the runtime knows, in capitals. */
export function isCurrency(text: string): boolean {
  return currencies.has(text);
}
