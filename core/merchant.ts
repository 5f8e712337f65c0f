// What counting needs to know of a merchant: its time zones, its currency, its rules, and over how many partitions it
// is spread. Partitions keep a copy, so no hit waits for a database. A zone or a spread holds from an instant on. A
// change is dated ahead of time (ZONE_NOTICE_MS, SPREAD_NOTICE_MS), so every partition knows it by then. An event's Day
// and partition so depend on its timestamp alone (L4).

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

/** The currency of events that name none. */
export interface CurrencyPeriod {
  /** Events from this time on (UTC ms) are in this currency; 0 for the first. */
  readonly from: number;
  readonly currency: string;
}

/** Ordered by `from`; empty for a merchant whose currency was never changed. */
export type CurrencyTimeline = readonly CurrencyPeriod[];

/** Over how many partitions of its own a merchant is spread; 0 puts it back into the pool. */
export interface SpreadPeriod {
  /** Events from this time on (UTC ms) are spread so. */
  readonly from: number;
  readonly partitions: number;
  /** A person set it, and no partition asked for it. So it is not taken back automatically. */
  readonly byHand?: true;
}

/** Ordered by `from`; empty for a merchant that was always in the pool. */
export type SpreadTimeline = readonly SpreadPeriod[];

/** A zone that a replay has given to past Days, over the zone that held there (past-zone.ts). */
export interface PastZone {
  readonly zone: string;
  /** UTC ms in [from, to). */
  readonly from: number;
  readonly to: number;
  /** Numbers of the Days in [from, to) whose events or Hours it changes. */
  readonly days: readonly [from: number, to: number];
}

/** The merchants whose settings changed after a certain change, and the number of the latest change. */
export interface SettingsChanges {
  readonly last: number;
  readonly merchants: readonly number[];
}

export interface Settings {
  readonly merchant: number;
  /** Grows with every change: an older copy never replaces a newer one. */
  readonly version: number;
  /** Zones by which events are filed, and counted while their Day is open. Ordered by `from`; never empty. */
  readonly zones: readonly ZonePeriod[];
  /** Zones that replays have put over them, in the order of the decisions. Partitions need not know them. */
  readonly past?: readonly PastZone[];
  /** ISO 4217: the currency of answers. */
  readonly currency: string;
  /** The currency of an event that names none, by its time. Undefined where it was always `currency`. */
  readonly currencies?: CurrencyTimeline;
  readonly rules: RuleTimeline;
  /** For how many days its events are kept; undefined: for ever. Its numbers stay. */
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
 * The zones after a change that is asked for now. It takes effect at a full hour of the new zone, so that no Hour of
 * the old zone has the same name as one of the new. An earlier request that has not taken effect yet is replaced. If
 * the merchant has just been spread, the change waits for the Day of that, so that no Day is affected by both.
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
 * The Hour of an instant, in the zone that holds then. If the zone changes within an Hour, that Hour ends where the new
 * zone begins. Otherwise one instant would start an Hour of two Days.
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
  /** UTC ms of the request, and how long after it partitions may still count by an older copy. */
  readonly now: number;
  readonly noticeMs: number;
  /**
   * "midnight": from the merchant's next Day on, so that no visitor's Day is in two partitions. "soon": at once;
   * somebody who comes before and after it is then two visitors of that Day.
   */
  readonly at: "midnight" | "soon";
  readonly byHand?: true;
}

/**
 * How a merchant is spread after a change that is asked for now. An earlier request that has not taken effect yet is
 * replaced. "full" when the settings would hold too many changes of the last year.
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
 * Over how many partitions to spread a merchant that its present ones cannot take. Undefined where it has the most
 * already.
 */
export function nextSpread(spread: SpreadTimeline): number | undefined {
  const partitions = spread.at(-1)?.partitions ?? 0;
  if (partitions >= SPREAD_MAX) return undefined;
  return partitions === 0 ? SPREAD_FIRST : Math.min(partitions * 2, SPREAD_MAX);
}

/**
 * How many partitions are enough for a merchant whose busiest Day had `dayEvents` events. Undefined where it needs all
 * it has, or where a person set the spread.
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

/**
 * The currency of an event's money: the event's own, or the merchant's at that time. It depends on facts and settings
 * alone (L3).
 */
export function currencyOf(
  event: { readonly currency: string; readonly timestamp: number },
  settings: Pick<Settings, "currency" | "currencies">,
): string {
  return event.currency === "" ? currencyAt(settings, event.timestamp) : event.currency;
}

/**
 * The currencies after a change that is asked for now. Answers are in the new currency at once. Events without a
 * currency are in it only after `noticeMs`, because until then a partition may count by older settings. An earlier
 * request that has not taken effect yet is replaced. "full" when a merchant has had more currencies than settings may
 * hold.
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
