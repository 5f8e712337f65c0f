// The independent model: what the numbers of a set of events are, computed as plainly as possible and sharing no
// counting code with the product. Visits come from comparing every event of a visitor with every other (O(n²)).

import { orderOf } from "../../core/counting/duplicate.ts";
import type { Event } from "../../core/event.ts";
import { type Settings, zoneAt } from "../../core/merchant.ts";
import type { DropReason } from "../../core/outcome.ts";
import { shownZones } from "../../core/past-zone.ts";
import type { Choice, Rules } from "../../core/rules.ts";

const GAP_MS = 1_800_000;

export interface NaiveTotals {
  visitors: number;
  visits: number;
  bounces: number;
  duration_ms: number;
  pageviews: number;
  events: number;
  engagement_ms: number;
  revenue: number;
  foreign_revenue: number;
}

export interface NaiveVisit {
  readonly visitor: string;
  readonly events: readonly Event[];
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known !== undefined) return known;
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;
  const format = new Intl.DateTimeFormat("sv-SE", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    ...clock,
  });
  formats.set(zone, format);
  return format;
}

/** The local date and clock hour of an instant, by formatting it; "2026-03-10 14". */
export function localHour(zone: string, instant: number): string {
  return formatOf(zone).format(instant).slice(0, 13);
}

export function localDate(settings: Settings, instant: number): string {
  return localHour(zoneAt(shownZones(settings), instant), instant).slice(0, 10);
}

/** Why rules drop an event from an address, in plain comparisons; "" when they do not. Patterns are "*text*" here. */
export function naiveDrop(
  event: Event,
  address: string,
  { own, global }: { readonly own: Partial<Rules>; readonly global: Partial<Rules> },
): DropReason | "" {
  const word = <T>(choice: Choice<T> | undefined, isMatch: (entry: T) => boolean) =>
    choice?.admit.some(isMatch) ? "admit" : choice?.drop.some(isMatch) ? "drop" : "";
  const inAgent = (pattern: string) => event.userAgent.includes(pattern.replaceAll("*", ""));
  const builtIn = event.userAgent.includes("Googlebot") ? "drop" : "";
  if ((word(own.bots, inAgent) || word(global.bots, inAgent) || builtIn) === "drop") return "bot";
  const refers = (host: string) => event.referrer.startsWith(`https://${host}/`);
  if ((word(own.referrers, refers) || word(global.referrers, refers)) === "drop") return "referrer";
  const excluded = [...(own.addresses ?? []), ...(global.addresses ?? [])];
  return excluded.some(({ networks }) => networks.includes(`${address}/32`)) ? "address" : "";
}

/** Every visit of one local date. */
export function naiveVisits(events: readonly Event[], settings: Settings, date: string): readonly NaiveVisit[] {
  const counted = events.filter((event) => event.dropped === "" && localDate(settings, event.timestamp) === date);
  const visits: NaiveVisit[] = [];
  for (const visitor of new Set(counted.map((event) => event.visitor))) {
    const own = counted.filter((event) => event.visitor === visitor);
    const group = own.map((_, index) => index);
    let changed = true;
    while (changed) {
      changed = false;
      for (let a = 0; a < own.length; a++) {
        for (let b = 0; b < own.length; b++) {
          const near = Math.abs((own[a] as Event).timestamp - (own[b] as Event).timestamp) <= GAP_MS;
          if (!near || (group[a] as number) <= (group[b] as number)) continue;
          group[a] = group[b] as number;
          changed = true;
        }
      }
    }
    for (const number of new Set(group)) {
      visits.push({ visitor, events: own.filter((_, index) => group[index] === number).sort(inOrder) });
    }
  }
  return visits;
}

/** Totals over the visits' events that `inBucket` admits; a visit counts where its first event is. */
export function naiveTotals(
  visits: readonly NaiveVisit[],
  settings: Settings,
  inBucket: (event: Event) => boolean,
): NaiveTotals {
  const totals: NaiveTotals = {
    visitors: 0,
    visits: 0,
    bounces: 0,
    duration_ms: 0,
    pageviews: 0,
    events: 0,
    engagement_ms: 0,
    revenue: 0,
    foreign_revenue: 0,
  };
  const visitors = new Set<string>();
  for (const visit of visits) {
    const first = visit.events[0] as Event;
    const last = visit.events[visit.events.length - 1] as Event;
    if (inBucket(first)) {
      totals.visits += 1;
      totals.bounces += visit.events.filter((event) => event.name !== "engagement").length <= 1 ? 1 : 0;
      totals.duration_ms += last.timestamp - first.timestamp;
    }
    for (const event of visit.events.filter(inBucket)) {
      visitors.add(visit.visitor);
      totals.pageviews += event.name === "pageview" ? 1 : 0;
      totals.events += event.name === "engagement" ? 0 : 1;
      totals.engagement_ms += event.engagementMs;
      const ours = event.currency === "" || event.currency === settings.currency;
      totals.revenue += ours ? event.revenue : 0;
      totals.foreign_revenue += ours ? 0 : 1;
    }
  }
  totals.visitors = visitors.size;
  return totals;
}

/** Events by time, and within a millisecond by the order that breaks ties everywhere. */
function inOrder(a: Event, b: Event): number {
  return a.timestamp - b.timestamp || orderOf(a.id) - orderOf(b.id);
}
