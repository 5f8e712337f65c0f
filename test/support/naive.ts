// The independent model: what the numbers of a set of events are, computed as plainly as possible and sharing no
// counting code with the product. Visits come from comparing every event of a visitor with every other (O(n²)). What
// questions answer has a model of its own (test/answers/model.ts).

import type { Counts } from "../../core/counting/rollup.ts";
import type { Event } from "../../core/event.ts";
import { hash32 } from "../../core/hash.ts";
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
  orders: number;
  refunds: number;
  units: number;
  /** By currency. */
  money: Record<string, NaiveMoney>;
}

export interface NaiveMoney {
  revenue: number;
  gross_revenue: number;
  order_revenue: number;
  product_revenue: number;
  payments: number;
  orders: number;
}

/** Counters as the product has them, in the shape that the naive totals have: without who may come again. */
export function plainCounts({ money, known: _, ...counts }: Counts): NaiveTotals {
  const byCurrency = (money ?? []).map(({ currency, ...sums }) => [currency, sums] as const);
  return { ...counts, money: Object.fromEntries(byCurrency) };
}

export interface NaiveVisit {
  readonly visitor: string;
  /** Of its run, and after them what came later and opened no visit of its own. */
  readonly events: readonly Event[];
  /** The event it starts with, and how many of its run came with it. */
  readonly start: Event;
  readonly run: readonly Event[];
}

const isReport = (event: Event) => event.name === "engagement";
const isPassive = (event: Event) =>
  !isReport(event) && event.name !== "pageview" && (event.passive === 1 || event.name === "web_vitals");
export const opens = (event: Event) => !isReport(event) && !isPassive(event);

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
  // Nobody here comes back from a payment page, and nothing is prefetched: test/answers has those.
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
    const runs = [...new Set(group)].map((number) => own.filter((_, index) => group[index] === number).sort(inOrder));
    const mine: { visitor: string; events: Event[]; start: Event; run: Event[] }[] = [];
    for (const run of runs.sort((a, b) => inOrder(a[0] as Event, b[0] as Event))) {
      const start = run.find(opens) ?? (mine.length === 0 ? run.find(isPassive) : undefined);
      if (start !== undefined) mine.push({ visitor, events: [...run], start, run });
      else mine.at(-1)?.events.push(...run);
    }
    visits.push(...mine);
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
    orders: 0,
    refunds: 0,
    units: 0,
    money: {},
  };
  const visitors = new Set<string>();
  const all = visits.flatMap((visit) => visit.events);
  for (const { visitor, events, start, run } of visits) {
    if (inBucket(start)) {
      totals.visits += 1;
      totals.bounces += run.filter(opens).length <= 1 ? 1 : 0;
      totals.duration_ms += (run.at(-1) as Event).timestamp - start.timestamp;
    }
    for (const event of events.filter(inBucket)) {
      visitors.add(visitor);
      totals.pageviews += event.name === "pageview" ? 1 : 0;
      totals.events += event.name === "engagement" ? 0 : 1;
      totals.engagement_ms += event.engagementMs;
      addEarning(totals, event, { all, settings });
    }
  }
  totals.visitors = visitors.size;
  return totals;
}

/**
 * Purchases and refunds by those names alone; of one number the first purchase. What came with a key is looked at by
 * itself; beside it, of what came without, at most the purchase counts, and of that nothing which a refund by the
 * number alone has given back.
 */
function addEarning(
  totals: NaiveTotals,
  event: Event,
  { all, settings }: { readonly all: readonly Event[]; readonly settings: Settings },
): void {
  const isRefund = event.name === "refund" || (event.name === "purchase" && event.revenue < 0);
  const isPurchase = event.name === "purchase" && !isRefund;
  const told = all.filter(
    (one) => one.order === event.order && one.order !== "" && (isBought(one) || isGivenBack(one)),
  );
  const keyed = told.filter((one) => one.keyed === 1);
  const same = keyed.length > 0 ? keyed : told;
  const best = same.filter(isBought).sort(inOrder)[0];
  const earning = best ?? told.filter(isBought).sort(inOrder)[0];
  if (isPurchase && event.order !== "" && earning !== event) return;
  if (isRefund && event.order !== "" && !same.includes(event)) return;
  const ofOrder = isPurchase || isRefund;
  if (!ofOrder && event.revenue === 0) return;
  const sign = isRefund ? -1 : 1;
  let revenue = isRefund ? -Math.abs(event.revenue) : event.revenue;
  let sold = ofOrder ? productsOf(event) : [];
  let currency = event.currency || settings.currency;
  if (isRefund && event.order !== "" && isBlank(event)) {
    // Gives the whole order back, or what others have left of it; the first such refund.
    const offs = same.filter(isGivenBack);
    if (offs.filter(isBlank).sort(inOrder)[0] !== event) return;
    if (best !== undefined) {
      currency = best.currency || settings.currency;
      const own = offs.filter((one) => !isBlank(one) && (one.currency || settings.currency) === currency);
      revenue = -Math.max(0, best.revenue - own.reduce((sum, one) => sum + Math.abs(one.revenue), 0));
      const back = own.flatMap(productsOf);
      sold = productsOf(best).map((line) => {
        const off = back.filter(({ label }) => label === line.label).reduce((sum, one) => sum + one.quantity, 0);
        return { ...line, quantity: Math.max(0, line.quantity - off) };
      });
    }
  }
  if (isPurchase && event.order !== "" && !same.includes(event) && same.some(isBlank)) {
    const own = same.filter((one) => !isBlank(one) && (one.currency || settings.currency) === currency);
    const back = own.flatMap(productsOf);
    const taken = own.reduce((sum, one) => sum + Math.abs(one.revenue), 0);
    revenue = Math.min(revenue, taken);
    sold = sold.map((line) => {
      const off = back.filter(({ label }) => label === line.label).reduce((sum, one) => sum + one.quantity, 0);
      return { ...line, quantity: Math.min(line.quantity, off) };
    });
    if (revenue === 0 && sold.every(({ quantity }) => quantity === 0)) return;
  }
  totals.orders += isPurchase ? 1 : 0;
  totals.refunds += isRefund ? 1 : 0;
  totals.units += sign * sold.reduce((sum, { quantity }) => sum + quantity * 10_000, 0);
  const productRevenue = 0 + sign * sold.reduce((sum, { price, quantity }) => sum + price * quantity * 10_000, 0);
  if (revenue === 0 && !isPurchase && productRevenue === 0) return;
  const none = { revenue: 0, gross_revenue: 0, order_revenue: 0, product_revenue: 0, payments: 0, orders: 0 };
  const money = totals.money[currency] ?? none;
  totals.money[currency] = money;
  money.revenue += revenue;
  money.gross_revenue += isRefund ? 0 : revenue;
  money.order_revenue += ofOrder ? revenue : 0;
  money.product_revenue += productRevenue;
  money.payments += revenue === 0 ? 0 : 1;
  money.orders += isPurchase ? 1 : 0;
}

const isBought = ({ name, revenue }: Event) => name === "purchase" && revenue >= 0;
const isGivenBack = ({ name, revenue }: Event) => name === "refund" || (name === "purchase" && revenue < 0);
const isBlank = (event: Event) => event.revenue === 0 && event.products === "";

function productsOf({ products }: Event): { label: string; price: number; quantity: number }[] {
  const all =
    products === "" ? [] : (JSON.parse(products) as { id: string; name?: string; price: number; quantity: number }[]);
  return all.map(({ id, name, price, quantity }) => ({ label: name ?? id, price, quantity }));
}

/**
 * Events by time; those of one instant by when they were received, then by their place in the request, then by a hash.
 */
function inOrder(a: Event, b: Event): number {
  const [of, than] = [a, b].map(({ id }) => hash32(id, 0x51ed270b)) as [number, number];
  return a.timestamp - b.timestamp || a.receivedAt - b.receivedAt || a.sequence - b.sequence || of - than;
}
