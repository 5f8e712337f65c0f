// What counting needs to know of a merchant: its time zones, its currency, its rules, and over how many partitions it
// is spread. Partitions keep a copy, so that no hit waits for a database. A zone holds from an instant on, and so does
// a spread; the change is dated ahead of time (ZONE_NOTICE_MS, SPREAD_NOTICE_MS), so that by then every partition knows
// it, and an event's Day and partition stay functions of its timestamp alone (L4).

import {
  CURRENCY_PERIODS_MAX,
  SPREAD_DAY_EVENTS,
  SPREAD_FIRST,
  SPREAD_KEPT_MAX,
  SPREAD_KEPT_MS,
  SPREAD_MAX,
  SPREAD_NARROW_KEPT_MAX,
  ZONE_NOTICE_MS,
} from "./limits.ts";
import type { RuleTimeline } from "./rules.ts";
import { dayAt, dayStart, hourAfter, hourAt } from "./time.ts";

export interface ZonePeriod {
  /** UTC ms from which the zone holds; 0 for the first. */
  readonly from: number;
  readonly zone: string;
}

/** In which currency an event is that names none. */
export interface CurrencyPeriod {
  /** UTC ms of an event from which on it is in this currency; 0 for the first. */
  readonly from: number;
  readonly currency: string;
}

/** Ordered by `from`; empty for a merchant whose currency was never changed. */
export type CurrencyTimeline = readonly CurrencyPeriod[];

/** Over how many partitions of its own a merchant is spread; 0 puts it back into the pool. */
export interface SpreadPeriod {
  /** UTC ms of an event from which on it is placed so. */
  readonly from: number;
  readonly partitions: number;
  /** Set by somebody, and not asked for by a partition: nobody takes it back unasked. */
  readonly byHand?: true;
}

/** Ordered by `from`; empty for a merchant that was always in the pool. */
export type SpreadTimeline = readonly SpreadPeriod[];

/** A zone that a replay has put on past Days, over whatever held there (past-zone.ts). */
export interface PastZone {
  readonly zone: string;
  /** UTC ms in [from, to). */
  readonly from: number;
  readonly to: number;
  /** Numbers of Days in [from, to) that have other events by it, or other Hours. */
  readonly days: readonly [from: number, to: number];
}

/** Whose settings were changed after some change, and the number of the last change of all. */
export interface SettingsChanges {
  readonly last: number;
  readonly merchants: readonly number[];
}

export interface Settings {
  readonly merchant: number;
  /** Grows with every change: an older copy never replaces a newer one. */
  readonly version: number;
  /** By which events are filed, and counted while their Day is open. Ordered by `from`; never empty. */
  readonly zones: readonly ZonePeriod[];
  /** What replays have put over them, in the order they were decided; partitions need not know. */
  readonly past?: readonly PastZone[];
  /** ISO 4217: the one that answers are in. */
  readonly currency: string;
  /** Which one an event without a currency is in, by its time. Undefined where it was always `currency`. */
  readonly currencies?: CurrencyTimeline;
  readonly rules: RuleTimeline;
  /** For how many days its events are kept; undefined for good. Its numbers stay. */
  readonly retentionDays?: number;
  /** Undefined for a merchant that was always in the pool. */
  readonly spread?: SpreadTimeline;
}

/** The zone that holds at an instant. */
export function zoneAt(zones: readonly ZonePeriod[], instant: number): string {
  let zone = (zones[0] as ZonePeriod).zone;
  for (const period of zones) if (period.from <= instant) zone = period.zone;
  return zone;
}

/**
 * The zones after a change asked for now. It takes effect at a full hour of the new zone, so that no Hour of the old
 * zone has the name of one of the new. A change that was asked for before and lies further ahead is replaced. Where the
 * merchant has just been spread it waits for the Day of that, so that no Day is on both sides of it.
 */
export function changeZone(
  { zones, spread = [] }: Pick<Settings, "zones" | "spread">,
  zone: string,
  now: number,
): readonly ZonePeriod[] {
  const spreadDays = spread.flatMap(({ from }) => [from, dayStart(zone, dayAt(zoneAt(zones, from), from))]);
  const earliest = Math.max(now + ZONE_NOTICE_MS, ...spreadDays);
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

/** Over how many partitions a merchant is spread at an instant; 0 in the pool. */
export function spreadAt(spread: SpreadTimeline, instant: number): number {
  let partitions = 0;
  for (const period of spread) if (period.from <= instant) partitions = period.partitions;
  return partitions;
}

export interface SpreadChange {
  /** 0 for the pool. */
  readonly partitions: number;
  /** UTC ms at which it is asked for, and how long after that partitions may still count by an older copy. */
  readonly now: number;
  readonly noticeMs: number;
  /**
   * "midnight": from the merchant's next Day on, so that no visitor's Day is in two partitions. "soon": as soon as may
   * be; whoever comes before and after is then two visitors of that Day.
   */
  readonly at: "midnight" | "soon";
  readonly byHand?: true;
}

/**
 * How a merchant is spread after a change asked for now. One that was asked for before and lies further ahead is
 * replaced. "full" when more changes of the last year would be remembered than settings may hold.
 */
export function changeSpread(
  { zones, spread = [] }: Pick<Settings, "zones" | "spread">,
  { partitions, now, noticeMs, at, byHand }: SpreadChange,
): SpreadTimeline | "full" {
  const soonest = now + noticeMs;
  const kept = spread.filter(({ from }) => from < soonest);
  const { from: zonedFrom, zone } = zones.at(-1) as ZonePeriod;
  const settled = Math.max(soonest, zonedFrom);
  // A Day that has begun nowhere, not even in a zone the merchant has left.
  const day = Math.max(...zones.map((period) => dayAt(period.zone, settled - 1))) + 1;
  const from = at === "soon" ? soonest : dayStart(zone, day);
  const period: SpreadPeriod = { from, partitions, ...(byHand && { byHand }) };
  const isSame = partitions === 0 || kept.at(-1)?.byHand === byHand;
  if (isSame && spreadAt(kept, from) === partitions) return kept;
  if (kept.length < SPREAD_KEPT_MAX) return [...kept, period];
  // Until the second begins, events go as the first says: that must be long ago.
  const [, second] = kept;
  if (second === undefined || second.from > now - SPREAD_KEPT_MS) return "full";
  return [...kept.slice(1), period];
}

/**
 * Over how many partitions a merchant should be spread whom what it has now cannot take; undefined where there are no
 * more.
 */
export function nextSpread(spread: SpreadTimeline): number | undefined {
  const partitions = spread.at(-1)?.partitions ?? 0;
  if (partitions >= SPREAD_MAX) return undefined;
  return partitions === 0 ? SPREAD_FIRST : Math.min(partitions * 2, SPREAD_MAX);
}

/**
 * Over how many partitions a merchant is enough, whose busiest Day has so many events; undefined where that is none
 * fewer than it has, or it is not to be changed unasked.
 */
export function narrowerSpread(spread: SpreadTimeline, dayEvents: number): number | undefined {
  const { partitions = 0, byHand = false } = spread.at(-1) ?? {};
  if (byHand || spread.length > SPREAD_NARROW_KEPT_MAX) return undefined;
  let enough = 0;
  while (dayEvents > (SPREAD_DAY_EVENTS / 2) * Math.max(1, enough)) enough = enough === 0 ? SPREAD_FIRST : 2 * enough;
  return enough < partitions ? enough : undefined;
}

/** The merchant's own currency at an instant. */
export function currencyAt(
  { currency, currencies = [] }: Pick<Settings, "currency" | "currencies">,
  instant: number,
): string {
  return currencies.findLast(({ from }) => from <= instant)?.currency ?? currency;
}

/** The currency of an event's money: its own, or the merchant's at its time. A function of facts and settings alone
 *  (L3). */
export function currencyOf(
  event: { readonly currency: string; readonly timestamp: number },
  settings: Pick<Settings, "currency" | "currencies">,
): string {
  return event.currency === "" ? currencyAt(settings, event.timestamp) : event.currency;
}

/**
 * The currencies after a change asked for now. Answers are in the new one at once. An event without a currency is in
 * it only from `noticeMs` ahead on: until then a partition may count by older settings. A change that was asked for
 * before and lies further ahead is replaced. "full" when a merchant has had more currencies than settings may hold.
 */
export function changeCurrency(
  settings: Pick<Settings, "currency" | "currencies">,
  { currency, now, noticeMs }: { readonly currency: string; readonly now: number; readonly noticeMs: number },
): CurrencyTimeline | "full" {
  const { currencies = [] } = settings;
  const from = now + noticeMs;
  const first = { from: 0, currency: currencyAt(settings, 0) };
  const kept = [first, ...currencies.slice(1).filter((period) => period.from < from)];
  if (currencyAt({ currency, currencies: kept }, from) === currency) return kept.length === 1 ? [] : kept;
  return kept.length < CURRENCY_PERIODS_MAX ? [...kept, { from, currency }] : "full";
}

const currencies: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"));

/** Whether a text is an ISO 4217 code the runtime knows, in capitals. */
export function isCurrency(text: string): boolean {
  return currencies.has(text);
}
