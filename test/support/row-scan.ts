// The scan as it was before it read columns: a plain telling of what a question's events come to, an event and a set
// of texts at a time. The oracle of `core/query/scan.ts`: the same rows give the same groups, to the byte of what a
// part of a job is written as.

import { earnedOf } from "../../core/counting/earned.ts";
import { type Counts, zeroCounts } from "../../core/counting/rollup.ts";
import { type Event, isEngagement, isPageview } from "../../core/event.ts";
import { GROUPS_MAX, SCAN_VISITORS_MAX } from "../../core/limits.ts";
import { hourOf } from "../../core/merchant.ts";
import type { Product } from "../../core/order.ts";
import { type Attribute, isProperty, shownValue } from "../../core/query/attribute.ts";
import { EVENT_STEPS, outOfSteps, spend } from "../../core/query/budget.ts";
import { type Comparison, type Filter, ownOf, viewOf, withoutGoals } from "../../core/query/filter.ts";
import type { Group, Groups } from "../../core/query/group.ts";
import { type Totals, type VisitCounts, visitCounts } from "../../core/query/metric.ts";
import { addToPurse, type Purse } from "../../core/query/money.ts";
import { eventLabel, type Plan } from "../../core/query/plan.ts";
import type { ScanProblem } from "../../core/query/scan.ts";
import { encodeScan } from "../../core/query/scan-part.ts";
import { productsOf, type Seen, type SeenUnder, type SeenVisit } from "../../core/query/seen.ts";
import { VisitorNames } from "../../core/query/visitor-name.ts";
import { type RowsSeen, seeRows } from "./row-seen.ts";

interface Sum {
  readonly dimensions: readonly string[];
  readonly counts: Counts;
  readonly visitors: Set<string>;
  readonly purse: Purse;
  scroll: number;
  scrolledVisits: number;
}

export interface RowScan {
  readonly plan: Plan;
  readonly under: SeenUnder;
  /** What a share link admits; all without. */
  readonly view: Filter | undefined;
  /** What the question filters by, within that. */
  readonly filter: Filter;
  readonly sums: Map<string, Sum>;
  /** Visits by entry page, under the same keys as `sums`; only when the plan wants them. */
  readonly entries: Map<string, VisitCounts>;
  /** Visitors that groups are compared with, by which of the totals and by key. */
  readonly totals: Readonly<Record<keyof Totals, Map<string, Set<string>>>>;
  /** The question's filter without goals, for those who could have reached one. */
  readonly possible: Filter;
  /**
   * Of each dimension that is not time: the values that filters leave of it, and where it stands among the dimensions.
   */
  readonly axes: readonly Axis[];
  /** Place of the time dimension; -1 without one. */
  readonly timeAt: number;
  /** (Day, partition)s with orders or refunds. */
  readonly orderPlaces: Set<string>;
  visitors: number;
  /** The Hours of the partition at hand that count, where not all of the range do (rest.ts). */
  hours: ReadonlySet<number> | undefined;
}

interface Axis {
  readonly attribute: Attribute;
  readonly at: number;
  readonly keeps: (value: string) => boolean;
}

export function openRowScan(plan: Plan, under: SeenUnder): RowScan {
  const { question } = plan;
  const filter = ownOf(question.filter);
  return {
    plan,
    under,
    view: viewOf(question.filter),
    filter,
    sums: new Map(),
    entries: new Map(),
    totals: { all: new Map(), label: new Map(), group: new Map() },
    possible: withoutGoals(filter),
    axes: question.breakdowns.map((attribute) => ({
      attribute,
      at: question.dimensions.indexOf(attribute.question),
      keeps: keeperOf(plan, attribute),
    })),
    timeAt: question.dimensions.findIndex((name) => name.startsWith("time:")),
    orderPlaces: new Set(),
    visitors: 0,
    hours: undefined,
  };
}

/** Adds what one partition has of one Day, given as a whole. A problem ends the scan. */
export function scanRows(scan: RowScan, seen: RowsSeen): ScanProblem | undefined {
  const { question } = scan.plan;
  const partition = seen.rows[0]?.partition ?? "";
  scan.hours = hoursOf(scan.plan, partition);
  for (const visit of visitsIn(seen, scan)) {
    const steps = visit.events.length * (1 + question.breakdowns.length) * EVENT_STEPS;
    spend(question.budgets.own, steps, "#/dimensions");
    addVisit(scan, visit, seen.day);
    if (visit.events.some((one) => isOrder(one) && isInRange(scan, one, seen.day)))
      scan.orderPlaces.add(`${seen.day} ${partition}`);
    if (scan.sums.size > GROUPS_MAX) return "groups";
    if (scan.visitors > SCAN_VISITORS_MAX) return "visitors";
    const spent = outOfSteps(question.budgets);
    if (spent !== undefined) return spent;
  }
  return undefined;
}

/** Whether an event is an order or takes something off one. */
function isOrder({ earning }: Seen): boolean {
  return earning !== undefined && (earning.ofOrder || earning.sign < 0);
}

export function closeRowScan(scan: RowScan): Groups {
  const groups = [...scan.sums].map(([key, sum]) => toGroup(scan, key, sum));
  return { groups, standardError: 0, cutBuckets: 0, orderPlaces: scan.orderPlaces.size, source: "archive" };
}

function toGroup({ plan, entries, totals, timeAt, axes }: RowScan, key: string, sum: Sum): Group {
  const { dimensions, purse, scroll, scrolledVisits } = sum;
  const counts: Counts = { ...sum.counts, visitors: sum.visitors.size };
  const sizeOf = (which: keyof Totals, at: string) => totals[which].get(at)?.size ?? 0;
  return {
    dimensions,
    purse,
    numbers: {
      counts,
      visits: plan.visitsByEntryPage ? entries.get(key) : counts,
      events: { scroll, scrolledVisits },
      totals: {
        all: sizeOf("all", ""),
        label: sizeOf("label", dimensions[timeAt] ?? ""),
        group: sizeOf(
          "group",
          keyOf(dimensions.filter((_, at) => !axes.some((axis) => axis.at === at && isGoal(axis)))),
        ),
      },
    },
  };
}

/** Of an event's goals, and of its products, filters leave only those that they are about. */
function keeperOf({ question: { filter }, rest }: Plan, attribute: Attribute): Axis["keeps"] {
  const { values } = rest ?? {};
  if (values !== undefined) return (value) => values.has(value);
  if (attribute.question !== "event:goal" && attribute.ofProduct === undefined) return () => true;
  const own = partsOf(filter).filter((part) => part.attribute.question === attribute.question);
  return (value) => own.every(({ fits }) => fits(value));
}

/** The comparisons that must all hold. */
function partsOf(filter: Filter): readonly Comparison[] {
  if (filter.kind === "comparison") return [filter];
  return filter.kind === "and" ? filter.of.flatMap(partsOf) : [];
}

/** What conversions are counted without: goals and the properties of the events that reach them. */
function isGoal({ attribute }: Axis): boolean {
  return attribute.question === "event:goal" || isProperty(attribute);
}

function addVisit(scan: RowScan, visit: SeenVisit, day: number): void {
  const { plan } = scan;
  const admitted = visit.events.filter((seen) => passes(scan.filter, seen));
  const scrolls = new Map<Sum, number>();
  for (const seen of admitted) {
    if (!isInRange(scan, seen, day)) continue;
    for (const dimensions of combinationsOf(scan, seen, labelOf(plan, seen, day))) {
      const sum = sumOf(scan, dimensions);
      addEvent(scan, sum, { seen, day });
      if (seen.event.scroll >= 0) scrolls.set(sum, Math.max(seen.event.scroll, scrolls.get(sum) ?? 0));
    }
  }
  for (const [sum, deepest] of scrolls) {
    sum.scroll += deepest;
    sum.scrolledVisits += 1;
  }
  if (plan.totals.length > 0) addTotals(scan, visit, { day, admitted });
  if (!isInRange(scan, visit.start, day)) return;
  const label = labelOf(plan, visit.start, day);
  for (const dimensions of distinctCombinations(scan, admitted, label))
    countVisit(sumOf(scan, dimensions).counts, visit);
  if (plan.visitsByEntryPage) addEntry(scan, visit, label);
}

/** By page, a visit stands under the page it has entered on, and a filter by page is about that page. */
function addEntry(scan: RowScan, visit: SeenVisit, label: string): void {
  const page = visit.entry?.opinion.page ?? "";
  const moved = visit.events.map((seen) => ({ ...seen, opinion: { ...seen.opinion, page } }));
  const admitted = moved.filter((seen) => passes(scan.filter, seen));
  for (const dimensions of distinctCombinations(scan, admitted, label)) {
    const key = keyOf(dimensions);
    const known = scan.entries.get(key) ?? visitCounts();
    scan.entries.set(key, known);
    countVisit(known, visit);
  }
}

/** Who could have been in a group: everybody admitted, and by label and group everybody that goals are not asked of. */
function addTotals(
  scan: RowScan,
  visit: SeenVisit,
  { day, admitted }: { day: number; admitted: readonly Seen[] },
): void {
  const { plan, totals, possible } = scan;
  const isHere = (seen: Seen) => isInRange(scan, seen, day);
  if (admitted.some(isHere)) addVisitor(scan, totals.all, "", nameOf(scan, visit));
  for (const seen of visit.events) {
    if (!isHere(seen) || !passes(possible, seen)) continue;
    const label = labelOf(plan, seen, day);
    addVisitor(scan, totals.label, label, nameOf(scan, visit));
    if (!plan.totals.includes("group")) continue;
    const others = scan.axes.filter((axis) => !isGoal(axis));
    for (const dimensions of combinationsOf({ ...scan, axes: others }, seen, label)) {
      const left = dimensions.filter((_, at) => at === scan.timeAt || others.some((axis) => axis.at === at));
      addVisitor(scan, totals.group, keyOf(left), nameOf(scan, visit));
    }
  }
}

/** Over Hours everybody is told apart by the id alone, as in the sketches of Hours. */
function nameOf({ plan }: RowScan, { visitor, start }: SeenVisit): string {
  return plan.grain === "hour" ? start.event.visitor : visitor;
}

export function addVisitor(scan: RowScan, sets: Map<string, Set<string>>, key: string, visitor: string): void {
  const set = sets.get(key) ?? new Set();
  sets.set(key, set);
  addTo(scan, set, visitor);
}

export function addTo(scan: RowScan, set: Set<string>, visitor: string): void {
  scan.visitors -= set.size;
  set.add(visitor);
  scan.visitors += set.size;
}

function addEvent(scan: RowScan, sum: Sum, { seen, day }: { readonly seen: Seen; readonly day: number }): void {
  const { event, earning } = seen;
  const { counts } = sum;
  addTo(scan, sum.visitors, nameOf(scan, seen.visit));
  if (isPageview(event.name)) counts.pageviews += 1;
  if (!isEngagement(event.name)) counts.events += 1;
  counts.engagement_ms += event.engagementMs;
  if (earning === undefined) return;
  const lines = earning.sale.lines.filter(({ product }) => isOfProducts(scan.axes, product, sum.dimensions));
  const { orders, refunds, units, money } = earnedOf({ ...earning, sale: { ...earning.sale, lines } });
  counts.orders += orders;
  counts.refunds += refunds;
  counts.units += units;
  addToPurse(sum.purse, money, { day, home: scan.under.settings.currency });
}

/** Under a product stands what was paid for it, not for the order that it was part of. */
function isOfProducts(axes: readonly Axis[], product: Product, dimensions: readonly string[]): boolean {
  return axes.every(
    ({ attribute, at }) =>
      attribute.ofProduct === undefined || shownValue(attribute, attribute.ofProduct(product)) === dimensions[at],
  );
}

function countVisit(counts: VisitCounts, visit: SeenVisit): void {
  counts.visits += 1;
  counts.bounces += visit.isBounce ? 1 : 0;
  counts.duration_ms += visit.durationMs;
}

/** Hours of a partition that are counted although others of its Day are not. */
function hoursOf({ rest }: Plan, partition: string): ReadonlySet<number> | undefined {
  if (rest?.hours === undefined) return undefined;
  const own = [...rest.hours].filter((key) => key.slice(key.indexOf(" ") + 1) === partition);
  return new Set(own.map((key) => Number(key.slice(0, key.indexOf(" ")))));
}

function isInRange({ plan: { range, zones }, hours }: RowScan, { event }: Seen, day: number): boolean {
  if (hours !== undefined && !hours.has(hourOf(zones, event.timestamp))) return false;
  if (range.wholeDays) return day >= range.fromDay && day < range.toDay;
  return event.timestamp >= range.fromInstant && event.timestamp < range.toInstant;
}

function labelOf(plan: Plan, { event }: Seen, day: number): string {
  return plan.time === undefined ? "" : eventLabel(plan, { instant: event.timestamp, day });
}

export function sumOf({ sums }: RowScan, dimensions: readonly string[]): Sum {
  const key = keyOf(dimensions);
  const known = sums.get(key);
  if (known !== undefined) return known;
  const none = { scroll: 0, scrolledVisits: 0 };
  const sum = { dimensions, counts: zeroCounts(), visitors: new Set<string>(), purse: new Map(), ...none };
  sums.set(key, sum);
  return sum;
}

/** The dimensions' values for an event: one list, or one for each of its goals and of its products. */
function combinationsOf(
  { plan, axes, timeAt }: Pick<RowScan, "plan" | "axes" | "timeAt">,
  seen: Seen,
  label: string,
): readonly (readonly string[])[] {
  const start: string[] = plan.question.dimensions.map((_, at) => (at === timeAt ? label : ""));
  const lists = axes.reduce<readonly (readonly string[])[]>(
    (all, { attribute, at, keeps }) => {
      if (attribute.ofProduct !== undefined) return all;
      const values = attribute.valuesOf(seen).map((value) => shownValue(attribute, value));
      return all.flatMap((list) => values.filter(keeps).map((value) => list.with(at, value)));
    },
    [start],
  );
  const ofProducts = axes.filter(({ attribute }) => attribute.ofProduct !== undefined);
  return ofProducts.length === 0 ? lists : lists.flatMap((list) => productLists(list, ofProducts, seen));
}

/** What is said of one product stands together; two alike count the event once. */
function productLists(list: readonly string[], axes: readonly Axis[], seen: Seen): readonly (readonly string[])[] {
  const found = new Map<string, readonly string[]>();
  for (const { product } of productsOf(seen)) {
    const own = [...list];
    for (const { attribute, at } of axes) own[at] = shownValue(attribute, attribute.ofProduct?.(product) ?? "");
    if (axes.every(({ at, keeps }) => keeps(own[at] as string))) found.set(keyOf(own), own);
  }
  return [...found.values()];
}

/** A visit counts once under everything that it has. */
function distinctCombinations(scan: RowScan, events: readonly Seen[], label: string): Iterable<readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const seen of events)
    for (const dimensions of combinationsOf(scan, seen, label)) found.set(keyOf(dimensions), dimensions);
  return found.values();
}

/** One text for a list of them, whatever they hold. */
function keyOf(dimensions: readonly string[]): string {
  return JSON.stringify(dimensions);
}

/** The visits of a Day, as far as a view admits them. */
export function visitsIn({ rows, day, isCounted }: RowsSeen, { under, view }: Pick<RowScan, "under" | "view">) {
  if (view === undefined) return seeRows({ rows, day, isCounted }, under).visits;
  const admitted = new Set<Event>();
  for (const { events } of seeRows({ rows, day }, under).visits)
    for (const seen of events) if (passes(view, seen)) admitted.add(seen.event);
  return seeRows({ rows: rows.filter(({ event }) => admitted.has(event)), day, isCounted }, under).visits;
}

/** Whether an event passes, asked of each event anew. */
function passes(filter: Filter, seen: Seen): boolean {
  switch (filter.kind) {
    case "and":
      return filter.of.every((inner) => passes(inner, seen));
    case "or":
      return filter.of.some((inner) => passes(inner, seen));
    case "not":
      return !passes(filter.of, seen);
    case "has_done":
      return hasDone(filter.of, seen.visit);
    case "comparison":
      return filter.attribute.valuesOf(seen).some((value) => filter.fits(shownValue(filter.attribute, value)));
  }
}

const verdicts = new WeakMap<SeenVisit, Map<Filter, boolean>>();

/** Once for each visit: more would be paid for more than once. */
function hasDone(filter: Filter, visit: SeenVisit): boolean {
  const known = verdicts.get(visit) ?? new Map<Filter, boolean>();
  verdicts.set(visit, known);
  const verdict = known.get(filter) ?? visit.events.some((one) => passes(filter, one));
  known.set(filter, verdict);
  return verdict;
}

/** As a part of a job is written (core/query/scan-part.ts). */
export function encodeRowScan(scan: RowScan): string {
  const names = new VisitorNames();
  const named = (visitors: Set<string>) => ({
    numbers: new Set(Array.from(visitors, (name) => names.numberOf(name))),
    last: -1,
  });
  const sums = new Map(
    [...scan.sums].map(([key, sum]) => [
      key,
      { ...sum, visitors: named(sum.visitors), visit: 0, visitorOf: 0, deepest: -1 },
    ]),
  );
  const of = (sets: Map<string, Set<string>>) => new Map([...sets].map(([key, visitors]) => [key, named(visitors)]));
  const { all, label, group } = scan.totals;
  return encodeScan({ ...scan, names, sums, totals: { all: of(all), label: of(label), group: of(group) } });
}
