// The model of answers, its second half: questions in the words of the API, each answered by going through all events
// once more. Nothing is kept and nothing is clever.

import { clockOf, dateAfter, hourStart, localDate, mondayOf } from "./calendar.ts";
import {
  type Deed,
  distinct,
  entryOf,
  isBounce,
  isEngagement,
  isPageview,
  type ModelSettings,
  type Seen,
  type View,
  type Visit,
} from "./model.ts";
import { conjunctionOf, DIMENSIONS, fits, isOfGoals, keeperOf } from "./model-filter.ts";
import { CURRENCY } from "./traffic.ts";

export interface Body {
  readonly metrics: readonly string[];
  readonly dimensions: readonly string[];
  /** Dates, both included; instants, the second excluded; "day", "24h" or "7d". */
  readonly date_range: readonly [string, string] | string;
  readonly filters: readonly unknown[];
  readonly include?: {
    readonly comparisons?: { readonly mode: "previous_period" };
    readonly trim_relative_date_range?: boolean;
  };
  readonly accuracy?: string;
}

export type Value = number | null;
/** By dimensions as JSON: metrics, and those compared with behind them. */
export type Rows = ReadonlyMap<string, readonly Value[]>;

/** What a range comes to: dates, or instants. */
export type Span =
  | { readonly kind: "dates"; readonly first: string; readonly last: string }
  | { readonly kind: "instants"; readonly from: number; readonly to: number };

/** The answer to a question at an instant. */
export function answerOf(view: View, body: Body, { settings, now }: { settings: ModelSettings; now: number }): Rows {
  const span = spanOf(body.date_range, settings.zone, now);
  const rows = rowsOf(view, body, { settings, span });
  if (body.include?.comparisons === undefined || span.kind !== "dates") return rows;
  const days = Math.round((Date.parse(span.last) - Date.parse(span.first)) / 86_400_000) + 1;
  const earlier = { ...span, first: dateAfter(span.first, -days), last: dateAfter(span.last, -days) };
  const before = rowsOf(view, body, { settings, span: earlier });
  const nothing = metricsOf(body, emptyGroup(), { settings, ...WITHOUT });
  return new Map([...rows].map(([key, metrics]) => [key, [...metrics, ...(before.get(key) ?? nothing)]]));
}

export function spanOf(range: Body["date_range"], zone: string, now: number): Span {
  const today = localDate(zone, now);
  if (range === "day") return { kind: "dates", first: today, last: today };
  if (range === "7d") return { kind: "dates", first: dateAfter(today, -7), last: dateAfter(today, -1) };
  if (range === "24h") {
    const hour = hourStart(zone, now);
    return { kind: "instants", from: hourStart(zone, hour - 23 * 3_600_000), to: hour + 3_600_000 };
  }
  const [first, last] = range as readonly [string, string];
  if (first.length === 10) return { kind: "dates", first, last };
  return { kind: "instants", from: Date.parse(first), to: Date.parse(last) };
}

export function isIn(span: Span, date: string, instant: number): boolean {
  if (span.kind === "dates") return date >= span.first && date <= span.last;
  return instant >= span.from && instant < span.to;
}

/** Everything of one combination of values. */
interface Group {
  readonly dimensions: readonly string[];
  readonly events: Seen[];
  /** Whole visits that start in the range. */
  readonly visits: Set<Visit>;
}

function emptyGroup(): Group {
  return { dimensions: [], events: [], visits: new Set() };
}

interface Asked {
  readonly settings: ModelSettings;
  readonly span: Span;
}

function rowsOf(view: View, body: Body, { settings, span }: Asked): Rows {
  if (body.metrics.includes("drops")) return dropsOf(view, body, { settings, span });
  const passes = (seen: Seen) => body.filters.every((filter) => fits(filter, seen, view));
  const admitted = view.seen.filter(passes);
  const inRange = (seen: Seen) => isIn(span, seen.date, seen.stored.told.at);
  const startsInRange = (visit: Visit) => isIn(span, visit.date, visit.start.told.at);
  const label = (seen: Seen) => labelOf(body, seen.stored.told.at, { settings, span });
  const startLabel = (visit: Visit) => labelOf(body, visit.start.told.at, { settings, span });
  const groups = new Map<string, Group>();
  const groupOf = (dimensions: readonly string[]) => {
    const key = JSON.stringify(dimensions);
    const group = groups.get(key) ?? { ...emptyGroup(), dimensions };
    groups.set(key, group);
    return group;
  };
  if (body.dimensions.length === 0) groupOf([]);
  const keeps = keeperOf(body.filters);
  for (const seen of admitted) {
    if (inRange(seen))
      for (const dimensions of combinationsOf(body, seen, { label: label(seen), keeps }))
        groupOf(dimensions).events.push(seen);
    if (startsInRange(seen.visit))
      for (const dimensions of combinationsOf(body, seen, { label: startLabel(seen.visit), keeps }))
        groupOf(dimensions).visits.add(seen.visit);
  }
  const ofOthers = body.filters.flatMap(conjunctionOf).filter((part) => !isOfGoals(part));
  const possible = view.seen.filter((seen) => inRange(seen) && ofOthers.every((part) => fits(part, seen, view)));
  const timeAt = body.dimensions.findIndex((name) => name.startsWith("time"));
  const rows = [...groups].map(([key, group]): [string, readonly Value[]] => {
    const totals = {
      everybody: visitorsOf(admitted.filter(inRange)),
      possible: visitorsOf(possible.filter((seen) => timeAt < 0 || label(seen) === group.dimensions[timeAt])),
      entered: byPageEntered(body, group, { admitted: view, startsInRange, startLabel }),
    };
    return [key, metricsOf(body, group, { settings, ...totals })];
  });
  return new Map(rows);
}

/** By page, whole visits are those that entered on that page; undefined where the question is not by page. */
function byPageEntered(
  body: Body,
  { dimensions }: Group,
  at: {
    readonly admitted: View;
    readonly startsInRange: (visit: Visit) => boolean;
    readonly startLabel: (visit: Visit) => string;
  },
): readonly Visit[] | undefined {
  if (!body.dimensions.includes("event:page")) return undefined;
  return at.admitted.visits.filter((visit) => {
    if (!at.startsInRange(visit)) return false;
    const own = at.admitted.seen.filter((seen) => seen.visit === visit);
    const passing = own.filter((seen) => body.filters.every((filter) => fits(filter, seen, at.admitted)));
    return passing.some((seen) =>
      combinationsOf(body, seen, { label: at.startLabel(visit), keeps: () => true })
        .map((values) => values.with(body.dimensions.indexOf("event:page"), entryOf(visit)?.told.path ?? "(none)"))
        .some((values) => JSON.stringify(values) === JSON.stringify(dimensions)),
    );
  });
}

function labelOf({ dimensions }: Body, instant: number, { settings: { zone }, span }: Asked): string {
  const [name] = dimensions.filter((one) => one.startsWith("time"));
  const clock = clockOf(zone, instant);
  const date = clock.slice(0, 10);
  const first = span.kind === "dates" ? span.first : localDate(zone, span.from);
  if (name === "time:minute") return `${clock.slice(0, 16)}:00`;
  if (name === "time:hour") return `${clock.slice(0, 13)}:00:00`;
  if (name === "time:day") return date;
  if (name === "time:month") return latest(`${date.slice(0, 7)}-01`, first);
  if (name === "time:week") return latest(mondayOf(date), first);
  return "";
}

function latest(a: string, b: string): string {
  return a > b ? a : b;
}

interface At {
  readonly label: string;
  /** Which of an event's goals, or products, filters leave. */
  readonly keeps: (dimension: string, value: string) => boolean;
}

/** Dimensions of which an event has any number of values. */
const SEVERAL = ["event:goal", "event:product"];

/** Every combination of values that an event has. */
function combinationsOf({ dimensions }: Body, seen: Seen, { label, keeps }: At): readonly (readonly string[])[] {
  return dimensions.reduce<readonly (readonly string[])[]>(
    (lists, name) => {
      if (name.startsWith("time")) return lists.map((list) => [...list, label]);
      const values = DIMENSIONS[name]?.(seen) ?? [];
      const kept = SEVERAL.includes(name) ? values.filter((value) => keeps(name, value)) : values;
      return lists.flatMap((list) => kept.map((value) => [...list, value]));
    },
    [[]],
  );
}

function visitorsOf(events: readonly Seen[]): number {
  return distinct(events.map(({ stored }) => stored.visitor)).length;
}

const WITHOUT = { everybody: 0, possible: 0, entered: undefined };

interface Totals {
  readonly settings: ModelSettings;
  readonly everybody: number;
  readonly possible: number;
  readonly entered: readonly Visit[] | undefined;
}

function metricsOf(body: Body, group: Group, totals: Totals): readonly Value[] {
  return body.metrics.map((name) => metricOf(name, body, { group, totals }));
}

function metricOf(name: string, body: Body, given: { readonly group: Group; readonly totals: Totals }): Value {
  const { group, totals } = given;
  const { events } = group;
  const visits = [...group.visits];
  const product = group.dimensions[body.dimensions.indexOf("event:product")];
  const whole = totals.entered ?? visits;
  const ofEntered = (value: number) => (totals.entered?.length === 0 ? null : value);
  const visitors = visitorsOf(events);
  const sum = (of: (seen: Seen) => number) => events.reduce((total, seen) => total + of(seen), 0);
  const wares = (deed: Deed) => deed.wares.filter(({ name: own }) => product === undefined || own === product);
  const pageviews = events.filter(({ stored }) => isPageview(stored)).length;
  const ofWares = (deed: Deed) => wares(deed).reduce((total, ware) => total + ware.money, 0);
  const purses = pursesOf(events, ofWares, totals.settings);
  const known = purses.filter(({ rate }) => rate !== undefined);
  const money = (of: (deed: Deed) => number) => worthOf(purses, of, ofWares);
  const engaged = sum(({ stored }) => stored.told.engagementMs);
  switch (name) {
    case "visitors":
      return visitors;
    case "visits":
      return visits.length;
    case "pageviews":
      return pageviews;
    case "events":
      return events.filter(({ stored }) => !isEngagement(stored)).length;
    case "bounces":
      return ofEntered(whole.filter(isBounce).length);
    case "bounce_rate":
      return ofEntered(Math.round(ratio(whole.filter(isBounce).length * 100, whole.length)));
    case "total_duration":
      return ofEntered(durationOf(whole) / 1000);
    case "visit_duration":
      return ofEntered(Math.round(ratio(durationOf(whole) / 1000, whole.length)));
    case "views_per_visit":
      return rounded(ratio(pageviews, visits.length), 2);
    case "time_on_page":
      return engaged === 0 ? null : Math.round(ratio(engaged / 1000, visits.length));
    case "scroll_depth":
      return scrollOf(events);
    case "percentage":
      return rounded(ratio(visitors * 100, totals.everybody), 1);
    case "conversion_rate":
      return rounded(ratio(visitors * 100, totals.possible), 2);
    case "orders":
      return sum(({ deed }) => deed.orders);
    case "refunds":
      return sum(({ deed }) => deed.refunds);
    case "gross_revenue":
      return money(({ gross }) => gross);
    case "total_revenue":
      return money(netOf);
    case "average_revenue": {
      const payments = known.flatMap((purse) => purse.events).filter(({ deed }) => netOf(deed) !== 0).length;
      return payments === 0 ? null : Math.round(convertedSum(known, netOf) / payments) / 10_000;
    }
    case "average_order_value": {
      const orders = sumOf(
        known.flatMap((purse) => purse.events),
        (deed) => deed.orders,
      );
      const ofOrders = (deed: Deed) => (deed.ofOrders ? netOf(deed) : 0);
      return orders === 0 ? null : Math.round(convertedSum(known, ofOrders) / orders) / 10_000;
    }
    case "units":
      return sum(({ deed }) => wares(deed).reduce((total, { units }) => total + units, 0));
    case "product_revenue":
      return money(ofWares);
    default:
      throw new Error(`the model knows no metric ${name}`);
  }
}

const netOf = ({ gross, taken }: Deed) => gross - taken;

const sumOf = (events: readonly Seen[], of: (deed: Deed) => number) =>
  events.reduce((sum, { deed }) => sum + of(deed), 0);

/** Money of one Day and currency. */
interface Purse {
  readonly events: readonly Seen[];
  /** Undefined where none is known, and something to be converted. */
  readonly rate: number | undefined;
}

/** By Day and currency; `ofWares` is what a deed's products come to. A sum of nothing needs no rate. */
function pursesOf(events: readonly Seen[], ofWares: (deed: Deed) => number, settings: ModelSettings): readonly Purse[] {
  const places = distinct(events.map(({ date, deed }) => `${date} ${deed.currency}`));
  return places.map((place) => {
    const own = events.filter(({ date, deed }) => `${date} ${deed.currency}` === place);
    const amounts = [netOf, ({ gross }: Deed) => gross, ofWares, (deed: Deed) => (deed.ofOrders ? netOf(deed) : 0)];
    const isNothing = amounts.every((of) => sumOf(own, of) === 0);
    return { events: own, rate: rateOf(own[0] as Seen, settings) ?? (isNothing ? 0 : undefined) };
  });
}

/** In units of the merchant's currency, rounded once for each Day and currency; null where no money has a rate. */
function worthOf(purses: readonly Purse[], of: (deed: Deed) => number, ofWares: (deed: Deed) => number): Value {
  const known = purses.filter(({ rate }) => rate !== undefined);
  const all = known.flatMap(({ events }) => events);
  const isNothing = all.every(({ deed }) => deed.orders === 0 && netOf(deed) === 0) && sumOf(all, ofWares) === 0;
  if (known.length < purses.length && isNothing) return null;
  return convertedSum(known, of) / 10_000;
}

function convertedSum(purses: readonly Purse[], of: (deed: Deed) => number): number {
  return purses.reduce((total, { events, rate = 0 }) => {
    const sum = sumOf(events, of);
    return total + Math.sign(sum) * Math.round(Math.abs(sum) * rate);
  }, 0);
}

/** The last one that was published before the Day, within two weeks. */
function rateOf({ date, deed: { currency } }: Seen, { rates }: ModelSettings): number | undefined {
  if (currency === "" || currency === CURRENCY) return 1;
  return rates.findLast((rate) => rate.date < date && rate.date >= dateAfter(date, -14))?.euros;
}

function durationOf(visits: readonly Visit[]): number {
  return visits.reduce((sum, { start, end }) => sum + end - start.told.at, 0);
}

/** The mean over visits of the deepest scroll that was reported. */
function scrollOf(events: readonly Seen[]): Value {
  const reported = events.filter(({ stored }) => stored.told.scroll >= 0);
  const visits = [...new Set(reported.map(({ visit }) => visit))];
  const deepest = visits.map((visit) =>
    Math.max(...reported.filter((seen) => seen.visit === visit).map(({ stored }) => stored.told.scroll)),
  );
  return visits.length === 0 ? null : Math.round(deepest.reduce((sum, one) => sum + one, 0) / visits.length);
}

/** Hits that were not counted, by time and reason. */
function dropsOf({ drops }: View, body: Body, { settings, span }: Asked): Rows {
  const counts = new Map<string, readonly Value[]>();
  if (body.dimensions.length === 0) counts.set("[]", [0]);
  for (const { stored, date, reason } of drops) {
    const { at } = stored.told;
    if (!isIn(span, date, at)) continue;
    const label = labelOf(body, at, { settings, span });
    const key = JSON.stringify(body.dimensions.map((name) => (name === "event:drop_reason" ? reason : label)));
    counts.set(key, [(counts.get(key)?.[0] ?? 0) + 1]);
  }
  return counts;
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function rounded(value: number, decimals: number): number {
  return Math.round(value * 10 ** decimals) / 10 ** decimals;
}
