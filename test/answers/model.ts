// The model of answers: what docs/spec.md says of visits, orders and metrics, computed as plainly as possible over the list of all
// events: each question goes through all of them once more, and nothing is kept. It shares no counting code with the product:
// dates come from Intl, and what words are known as (browser, source) comes with the traffic.

import { AGENTS, CURRENCY, type Told, type Ware } from "./traffic.ts";

/** An event as a partition has it: in which one it lies, and when and as what part of its request it came. */
export interface Stored {
  readonly told: Told;
  readonly partition: string;
  readonly receivedAt: number;
  readonly sequence: number;
  /** The visitor's name in the Day that the event was filed under. */
  readonly visitor: string;
}

export interface ModelSettings {
  readonly zone: string;
  /** Units of the merchant's currency for one of another, on a date; undefined where no rate is known. */
  readonly rate?: (currency: string, date: string) => number | undefined;
}

export interface Visit {
  readonly visitor: string;
  readonly date: string;
  /** The event it starts with; those before it in the same run are reports. */
  readonly start: Stored;
  readonly end: number;
  /** In order. */
  readonly events: readonly Stored[];
  /** The event whose words say where the visitor came from and with what. */
  readonly profile: Stored;
}

/** What an event does to the numbers of its hour. */
export interface Deed {
  readonly orders: number;
  readonly refunds: number;
  /** In ten-thousandths of `currency`: what came in, what was given back, and of both what belongs to orders. */
  readonly gross: number;
  readonly taken: number;
  readonly ofOrders: boolean;
  readonly currency: string;
  /** Products that were sold, or given back. */
  readonly wares: readonly { readonly name: string; readonly units: number; readonly money: number }[];
}

export interface Seen {
  readonly stored: Stored;
  readonly date: string;
  readonly visit: Visit;
  readonly deed: Deed;
}

export interface Drop {
  readonly stored: Stored;
  readonly date: string;
  readonly reason: string;
}

export interface View {
  readonly visits: readonly Visit[];
  readonly seen: readonly Seen[];
  readonly drops: readonly Drop[];
}

const GAP_MS = 1_800_000;

/** All events of one merchant as its numbers see them. */
export function viewOf(events: readonly Stored[], settings: ModelSettings): View {
  const visits: Visit[] = [];
  const seen: Seen[] = [];
  const drops: Drop[] = [];
  const places = distinct(events.map((stored) => `${localDate(settings.zone, stored.told.at)} ${stored.partition}`));
  for (const place of places) {
    const [date, partition] = place.split(" ") as [string, string];
    const own = events.filter(
      (stored) => localDate(settings.zone, stored.told.at) === date && stored.partition === partition,
    );
    for (const stored of own) {
      const reason = dropReasonOf(stored, own);
      if (reason !== "") drops.push({ stored, date, reason });
    }
    const counted = own.filter((stored) => dropReasonOf(stored, own) === "");
    const ofDay = distinct(counted.map(({ visitor }) => visitor)).flatMap((visitor) =>
      visitsOf(counted.filter((stored) => stored.visitor === visitor).sort(inOrder), { visitor, date }),
    );
    visits.push(...ofDay);
    const told = ofDay.flatMap((visit) => visit.events);
    for (const visit of ofDay)
      for (const stored of visit.events) seen.push({ stored, date, visit, deed: deedOf(stored, told) });
  }
  return { visits, seen, drops };
}

// Time

const formats = new Map<string, Intl.DateTimeFormat>();

/** "2026-10-25 02:30:07". */
export function clockOf(zone: string, instant: number): string {
  let format = formats.get(zone);
  if (format === undefined) {
    const clock = { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" } as const;
    const date = { year: "numeric", month: "2-digit", day: "2-digit" } as const;
    format = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, ...date, ...clock });
    formats.set(zone, format);
  }
  return format.format(instant);
}

export function localDate(zone: string, instant: number): string {
  return clockOf(zone, instant).slice(0, 10);
}

/** The instant at which the local clock hour of an instant began. */
export function hourStart(zone: string, instant: number): number {
  const [, minutes, seconds] = clockOf(zone, instant).slice(11).split(":").map(Number) as [number, number, number];
  return Math.floor(instant / 1000) * 1000 - (minutes * 60 + seconds) * 1000;
}

/** A date so many days after another. */
export function dateAfter(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** By time; of one instant by when they came, and by their place in the request. */
function inOrder(a: Stored, b: Stored): number {
  return a.told.at - b.told.at || a.receivedAt - b.receivedAt || a.sequence - b.sequence;
}

// What counts

const isPageview = ({ told }: Stored) => told.name === "pageview";
const isEngagement = ({ told }: Stored) => told.name === "engagement";
const REPORTS = ["web_vitals", "404", "performance", "exception", "error", "js_error", "csp_violation"];
const isPassive = ({ told }: Stored) => told.passive || REPORTS.includes(told.name.replace(/^\$/, ""));
const isOpening = (stored: Stored) => !isEngagement(stored) && !isPassive(stored);

/** Why an event is not counted, "" where it is. `day` is everything of its Day and partition. */
function dropReasonOf(stored: Stored, day: readonly Stored[]): string {
  const { told, visitor } = stored;
  if (told.agent === "bot") return "bot";
  if (told.name.startsWith("$identify")) return "metadata";
  if (!told.prefetch) return "";
  const ofPage = day.filter(
    (other) => other.visitor === visitor && other.told.host === told.host && other.told.path === told.path,
  );
  const isViewed = ofPage.some((other) => isPageview(other) && !other.told.prefetch);
  const isRead = ofPage.some((other) => !isPageview(other) && !other.told.prefetch && isCounted(other));
  const [earliest] = ofPage.filter(({ told: other }) => other.prefetch).sort(inOrder);
  return !isViewed && isRead && earliest === stored ? "" : "prefetch";
}

function isCounted({ told }: Stored): boolean {
  return told.agent !== "bot" && !told.name.startsWith("$identify");
}

// Visits

/** The visits of one visitor on one Day. */
function visitsOf(own: readonly Stored[], { visitor, date }: Pick<Visit, "visitor" | "date">): readonly Visit[] {
  const visits: Visit[] = [];
  for (const run of runsOf(own)) {
    const start = run.find(isOpening) ?? (visits.length === 0 ? run.find(isPassive) : undefined);
    const before = visits.at(-1);
    if (start !== undefined) {
      const returns = isOpening(start) && start.told.origin.isReturn && before !== undefined;
      const end = (run.at(-1) as Stored).told.at;
      visits.push({ visitor, date, start, end, events: run, profile: returns ? before.profile : start });
    } else if (before !== undefined) {
      visits[visits.length - 1] = { ...before, events: [...before.events, ...run] };
    }
  }
  return visits;
}

/** What was told with gaps of half an hour at most. */
function runsOf(own: readonly Stored[]): readonly (readonly Stored[])[] {
  const runs: Stored[][] = [];
  for (const stored of own) {
    const last = runs.at(-1)?.at(-1);
    if (last !== undefined && stored.told.at - last.told.at <= GAP_MS) runs.at(-1)?.push(stored);
    else runs.push([stored]);
  }
  return runs;
}

export function isBounce({ events }: Visit): boolean {
  return events.filter(isOpening).length <= 1;
}

export function entryOf({ events }: Visit): Stored | undefined {
  return events.find(isPageview);
}

export function exitOf({ events }: Visit): Stored | undefined {
  return events.findLast(isPageview);
}

// Orders

type Act = "purchase" | "refund" | "cancellation" | "step" | "none";

const NAMES: Readonly<Record<Exclude<Act, "none">, readonly string[]>> = {
  purchase: ["purchase", "order completed", "in app purchase", "order placed", "checkout completed"],
  refund: ["refund", "order refunded", "partial refund"],
  cancellation: ["order cancelled", "order canceled"],
  step: ["checkout started", "add to cart", "product viewed", "payment info entered", "order updated"],
};

function actOf({ told }: Stored): Act {
  const name = told.name.toLowerCase().replaceAll(/[_\-\s]+/g, " ");
  const known = (Object.keys(NAMES) as (keyof typeof NAMES)[]).find((act) => NAMES[act].includes(name));
  if (known === "purchase" && told.revenue < 0) return "refund";
  if (known !== undefined) return known;
  if (told.order === "") return "none";
  if (told.revenue < 0) return "refund";
  return told.revenue > 0 || told.products.length > 0 ? "purchase" : "none";
}

const NOTHING: Deed = { orders: 0, refunds: 0, gross: 0, taken: 0, ofOrders: false, currency: "", wares: [] };

/** What an event does, among all counted ones of its Day and partition. */
function deedOf(stored: Stored, day: readonly Stored[]): Deed {
  const { told } = stored;
  const act = actOf(stored);
  const carried = { ...NOTHING, currency: currencyOf(told) };
  if (act === "step") return NOTHING;
  if (act === "none") return { ...carried, gross: told.revenue };
  const sold: Deed = { ...carried, orders: 1, gross: told.revenue, ofOrders: true, wares: waresOf(told, 1) };
  const given = { ...carried, refunds: 1, taken: Math.abs(told.revenue), ofOrders: true, wares: waresOf(told, -1) };
  if (told.order === "") return act === "purchase" ? sold : given;

  // All that is told of the order. What came with a key goes before what came without; then the earliest does.
  const ofOrder = day.filter((other) => other.told.order === told.order && !["step", "none"].includes(actOf(other)));
  const ranked = ofOrder.sort((a, b) => Number(b.told.keyed) - Number(a.told.keyed) || inOrder(a, b));
  const earning = ranked.find((other) => actOf(other) === "purchase");
  const cancels = (other: Stored) => actOf(other) === "cancellation" && (other.told.keyed || !earning?.told.keyed);
  if (earning !== undefined && ofOrder.some(cancels)) return NOTHING;
  if (act === "purchase") return earning === stored ? sold : NOTHING;

  // What came without a key takes nothing off a number that came with one.
  const mayTake = ({ told: { keyed } }: Stored) => keyed || ofOrder.every((other) => !other.told.keyed);
  const takers = ranked.filter((other) => actOf(other) !== "purchase" && mayTake(other));
  if (!takers.includes(stored)) return NOTHING;
  if (!isBlank(told)) return given;
  // It names the order and nothing else: the first that does gives all back that is left.
  if (takers.find((other) => isBlank(other.told)) !== stored) return NOTHING;
  if (earning === undefined) return given;
  const others = takers.map((other) => other.told).filter((other) => !isBlank(other));
  return { ...given, ...leftOf(earning.told, others) };
}

function currencyOf({ currency }: Told): string {
  return currency === "" ? CURRENCY : currency;
}

function isBlank({ revenue, products }: Told): boolean {
  return revenue === 0 && products.length === 0;
}

/** What is left of an order after some of it was given back, each product for itself; never less than nothing. */
function leftOf(earning: Told, refunds: readonly Told[]): Pick<Deed, "taken" | "currency" | "wares"> {
  const same = refunds.filter((refund) => currencyOf(refund) === currencyOf(earning));
  const taken = same.reduce((sum, { revenue }) => sum + Math.abs(revenue), 0);
  const back = same.flatMap((refund) => waresOf(refund, 1));
  const wares = waresOf(earning, 1).map((ware) => {
    const gone = back.filter(({ name }) => name === ware.name);
    const units = Math.max(0, ware.units - gone.reduce((sum, one) => sum + one.units, 0));
    const money = Math.max(0, ware.money - gone.reduce((sum, one) => sum + one.money, 0));
    return { name: ware.name, units: -units, money: -money };
  });
  return { taken: Math.max(0, earning.revenue - taken), currency: currencyOf(earning), wares };
}

function waresOf({ products }: Told, sign: 1 | -1): Deed["wares"] {
  return products.map((ware) => {
    const { price = 0, quantity = 1 } = ware;
    return { name: nameOf(ware), units: sign * Math.abs(quantity), money: sign * Math.abs(price * quantity) * 10_000 };
  });
}

export function nameOf({ name, id }: Ware): string {
  return name ?? id ?? "";
}

// Dimensions

const GOALS: readonly (readonly [name: string, reaches: (stored: Stored) => boolean])[] = [
  ["Blog", (stored) => isPageview(stored) && stored.told.path.startsWith("/b")],
  ["Paid", (stored) => isPageview(stored) && stored.told.path === "/pay"],
  ["Signup", (stored) => stored.told.name === "signup"],
];

const named = (value: string | undefined, none: string) => [value === undefined || value === "" ? none : value];
const ofOrigin =
  (field: "source" | "referrer" | "channel" | "utm_source" | "utm_medium" | "utm_campaign", none: string) =>
  ({ visit }: Seen) =>
    named(visit.profile.told.origin[field], none);
const ofAgent =
  (field: "browser" | "os" | "device") =>
  ({ visit }: Seen) =>
    named(AGENTS[visit.profile.told.agent][field], "(not set)");

/** The values that an event has under each dimension. */
export const DIMENSIONS: Readonly<Record<string, (seen: Seen) => readonly string[]>> = {
  "event:page": ({ stored }) => [stored.told.path],
  "event:hostname": ({ stored }) => [stored.told.host],
  "event:name": ({ stored }) => [stored.told.name],
  "event:stream": ({ stored }) => [String(stored.told.stream)],
  "event:goal": ({ stored }) =>
    isEngagement(stored) ? [] : GOALS.filter(([, reaches]) => reaches(stored)).map(([name]) => name),
  "event:props:plan": ({ stored }) => named(stored.told.props["plan"], "(none)"),
  "event:product": ({ stored }) => distinct(stored.told.products.map(nameOf)),
  "visit:entry_page": ({ visit }) => named(entryOf(visit)?.told.path, "(none)"),
  "visit:exit_page": ({ visit }) => named(exitOf(visit)?.told.path, "(none)"),
  "visit:source": ofOrigin("source", "Direct / None"),
  "visit:referrer": ofOrigin("referrer", "Direct / None"),
  "visit:channel": ofOrigin("channel", "(not set)"),
  "visit:utm_source": ofOrigin("utm_source", "(not set)"),
  "visit:utm_medium": ofOrigin("utm_medium", "(not set)"),
  "visit:utm_campaign": ofOrigin("utm_campaign", "(not set)"),
  "visit:country": ({ visit }) => [visit.profile.told.country],
  "visit:browser": ofAgent("browser"),
  "visit:os": ofAgent("os"),
  "visit:device": ofAgent("device"),
};

// Questions

export interface Body {
  readonly metrics: readonly string[];
  readonly dimensions: readonly string[];
  /** Dates, both included; instants, the second excluded; "day", "24h" or "7d". */
  readonly date_range: readonly [string, string] | string;
  readonly filters: readonly unknown[];
  readonly include?: { readonly comparisons?: { readonly mode: "previous_period" } };
  readonly accuracy?: string;
}

export type Value = number | null;
/** By dimensions as JSON: metrics, and those compared with behind them. */
export type Rows = ReadonlyMap<string, readonly Value[]>;

/** What a range comes to: dates, or instants. */
type Span =
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

function spanOf(range: Body["date_range"], zone: string, now: number): Span {
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

function isIn(span: Span, date: string, instant: number): boolean {
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
  const possible = view.seen.filter(
    (seen) => inRange(seen) && body.filters.every((filter) => isOfGoals(filter) || fits(filter, seen, view)),
  );
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
  const money = (of: (deed: Deed) => number) => moneyOf(events, of, totals.settings);
  const wares = (deed: Deed) => deed.wares.filter(({ name: own }) => product === undefined || own === product);
  const pageviews = events.filter(({ stored }) => isPageview(stored)).length;
  const known = events.filter((seen) => rateOf(seen, totals.settings) !== undefined);
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
      const payments = known.filter(({ deed }) => netOf(deed) !== 0).length;
      return payments === 0 ? null : Math.round(convertedSum(known, netOf, totals.settings) / payments) / 10_000;
    }
    case "average_order_value": {
      const orders = known.reduce((total, { deed }) => total + deed.orders, 0);
      const ofOrders = known.filter(({ deed }) => deed.ofOrders);
      return orders === 0 ? null : Math.round(convertedSum(ofOrders, netOf, totals.settings) / orders) / 10_000;
    }
    case "units":
      return sum(({ deed }) => wares(deed).reduce((total, { units }) => total + units, 0));
    case "product_revenue":
      return money((deed) => wares(deed).reduce((total, ware) => total + ware.money, 0));
    default:
      throw new Error(`the model knows no metric ${name}`);
  }
}

const netOf = ({ gross, taken }: Deed) => gross - taken;

/** In units of the merchant's currency; null where there is money, and no rate for any of it. */
function moneyOf(events: readonly Seen[], of: (deed: Deed) => number, settings: ModelSettings): Value {
  const some = events.filter(({ deed: { orders, gross, taken, wares } }) => {
    return orders > 0 || gross !== 0 || taken !== 0 || wares.some((ware) => ware.money !== 0);
  });
  const isUnknown = some.length > 0 && some.every((seen) => rateOf(seen, settings) === undefined);
  return isUnknown ? null : convertedSum(events, of, settings) / 10_000;
}

/** Kept per currency and Day, converted and rounded once for each; what has no rate is left out. */
function convertedSum(events: readonly Seen[], of: (deed: Deed) => number, settings: ModelSettings): number {
  const places = distinct(events.map(({ date, deed }) => `${date} ${deed.currency}`));
  return places.reduce((total, place) => {
    const own = events.filter(({ date, deed }) => `${date} ${deed.currency}` === place);
    const rate = rateOf(own[0] as Seen, settings);
    const sum = own.reduce((all, { deed }) => all + of(deed), 0);
    return rate === undefined ? total : total + Math.round(sum * rate);
  }, 0);
}

function rateOf({ date, deed: { currency } }: Seen, { rate }: ModelSettings): number | undefined {
  return currency === "" || currency === CURRENCY ? 1 : rate?.(currency, date);
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

// Reports

/** A funnel, retention, or paths, as the API is asked for them. */
export interface ReportBody {
  readonly date_range: Body["date_range"];
  readonly filters: readonly unknown[];
  readonly steps?: readonly { readonly filters: readonly unknown[] }[];
  readonly window_seconds?: number;
  readonly depth?: number;
  readonly limit?: number;
}

export type ReportKind = "funnel" | "retention" | "paths";

/** The numbers of a report, each row with its name in front. */
export function reportOf(
  view: View,
  { kind, body }: { readonly kind: ReportKind; readonly body: ReportBody },
  { settings, now }: { settings: ModelSettings; now: number },
): readonly (readonly unknown[])[] {
  const span = spanOf(body.date_range, settings.zone, now);
  const passes = (seen: Seen, filters: readonly unknown[]) => filters.every((filter) => fits(filter, seen, view));
  const visits = view.visits.filter((visit) =>
    view.seen.some((seen) => seen.visit === visit && passes(seen, body.filters)),
  );
  const own = view.seen.filter(({ visit, date, stored }) => visits.includes(visit) && isIn(span, date, stored.told.at));
  if (kind === "funnel") return funnelOf(own, body, passes);
  if (kind === "retention") return retentionOf(own, span, settings.zone);
  return pathsOf(
    visits.filter(({ date, start }) => isIn(span, date, start.told.at)),
    body,
  );
}

/** How many visitors came how far: from any of their first steps, each later one by a later event, within the window. */
function funnelOf(
  events: readonly Seen[],
  { steps = [], window_seconds = 0 }: ReportBody,
  passes: (seen: Seen, filters: readonly unknown[]) => boolean,
): readonly (readonly unknown[])[] {
  const furthest = distinct(events.map(({ stored }) => stored.visitor)).map((visitor) => {
    const own = events.filter(({ stored }) => stored.visitor === visitor).sort((a, b) => inOrder(a.stored, b.stored));
    const from = own.map((first, at) => {
      let done = passes(first, steps[0]?.filters ?? []) ? 1 : 0;
      for (const later of own.slice(at + 1)) {
        const isInTime = later.stored.told.at - first.stored.told.at <= window_seconds * 1000;
        if (done > 0 && done < steps.length && isInTime && passes(later, steps[done]?.filters ?? [])) done += 1;
      }
      return done;
    });
    return Math.max(0, ...from);
  });
  return steps.map((_, step) => [`Step ${step + 1}`, furthest.filter((done) => done > step).length]);
}

/** By the week in which visitors first came, how many of them came in it and in each one after. */
function retentionOf(events: readonly Seen[], span: Span, zone: string): readonly (readonly unknown[])[] {
  const last = mondayOf(span.kind === "dates" ? span.last : localDate(zone, span.to - 1));
  const weeksOf = (visitor: string) =>
    distinct(events.filter(({ stored }) => stored.visitor === visitor).map(({ date }) => mondayOf(date))).toSorted();
  const all = distinct(events.map(({ stored }) => stored.visitor)).map(weeksOf);
  return distinct(all.map(([first]) => first as string)).map((cohort) => {
    const own = all.filter(([first]) => first === cohort);
    const weeks: string[] = [];
    for (let week = cohort; week <= last; week = dateAfter(week, 7)) weeks.push(week);
    return [cohort, own.length, weeks.map((week) => own.filter((came) => came.includes(week)).length)];
  });
}

/** The first pages of visits; one that is seen twice in a row counts once. */
function pathsOf(visits: readonly Visit[], { depth = 0 }: ReportBody): readonly (readonly unknown[])[] {
  const paths = visits.map(({ events }) => {
    const pages = events.filter(isPageview).map(({ told }) => told.path);
    return JSON.stringify(pages.filter((page, at) => page !== pages[at - 1]).slice(0, depth));
  });
  return distinct(paths.filter((path) => path !== "[]")).map((path) => [
    path,
    paths.filter((other) => other === path).length,
  ]);
}

function mondayOf(date: string): string {
  return dateAfter(date, -((new Date(`${date}T00:00:00Z`).getUTCDay() + 6) % 7));
}

// Filters

function fits(filter: unknown, seen: Seen, view: View): boolean {
  const [operator, second, clauses] = filter as readonly [string, unknown, readonly string[]];
  const inner = second as readonly unknown[];
  if (operator === "and") return inner.every((one) => fits(one, seen, view));
  if (operator === "or") return inner.some((one) => fits(one, seen, view));
  if (operator === "not") return !fits(second, seen, view);
  if (operator === "has_done")
    return view.seen.some((other) => other.visit === seen.visit && fits(second, other, view));
  if (operator === "has_not_done") return !fits(["has_done", second], seen, view);
  const values = DIMENSIONS[second as string]?.(seen) ?? [];
  const isFitting = (value: string) =>
    operator.startsWith("contains") ? clauses.some((part) => value.includes(part)) : clauses.includes(value);
  return values.some(isFitting) !== operator.endsWith("_not");
}

/** Whether a filter says anything of goals or properties: those who could have converted are counted without it. */
function isOfGoals(filter: unknown): boolean {
  return /event:goal|event:props:/.test(JSON.stringify(filter));
}

/** Which values of a dimension filters leave, where an event may have several: those that all filters about it want. */
function keeperOf(filters: readonly unknown[]): At["keeps"] {
  const all = filters.flatMap(conjunctionOf) as readonly (readonly [string, string, readonly string[]])[];
  const own = all.filter(([operator]) => operator === "is" || operator === "contains");
  return (name, value) =>
    own.every(([operator, about, clauses]) => {
      if (about !== name) return true;
      return operator === "is" ? clauses.includes(value) : clauses.some((part) => value.includes(part));
    });
}

/** The parts that must all hold. */
function conjunctionOf(filter: unknown): readonly unknown[] {
  const [operator, parts] = filter as readonly [string, readonly unknown[]];
  return operator === "and" ? parts.flatMap(conjunctionOf) : [filter];
}

// Arithmetic

function distinct<T>(list: readonly T[]): readonly T[] {
  return [...new Set(list)];
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function rounded(value: number, decimals: number): number {
  return Math.round(value * 10 ** decimals) / 10 ** decimals;
}
