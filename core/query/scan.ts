// Answers any question of the grammar from a merchant's events, one (Day, partition) after the other. Memory holds the
// events of one of them and the groups of the answer; visitors are sets, so they are exact. An event counts where the
// rollups count it (L3): page views, events, revenue and engagement at its own time; visits, bounces and duration at
// the start of its visit. A filter admits events, and a visit counts when any event of it is admitted.

import { earnedOf } from "../counting/earned.ts";
import { type Counts, zeroCounts } from "../counting/rollup.ts";
import { isEngagement, isPageview } from "../event.ts";
import { type Gradual, LOOKED_AT, Slices } from "../gradual.ts";
import { GROUPS_MAX, PATHS_MAX, SCAN_VISITORS_MAX } from "../limits.ts";
import { hourOf } from "../merchant.ts";
import type { Product } from "../order.ts";
import { PairCodes } from "../pair-codes.ts";
import { MINUTE_MS } from "../time.ts";
import { tooManyGroups } from "./answer.ts";
import { type Attribute, columnsOf, isProperty, shownValue } from "./attribute.ts";
import { EVENT_STEPS, GROUP_STEPS, type OutOfSteps, outOfSteps, spend, spendJudging, stepsRefusal } from "./budget.ts";
import { type Comparison, comparisonsOf, type Filter, ownOf, passes, viewOf, withoutGoals } from "./filter.ts";
import type { Group, Groups } from "./group.ts";
import { type Totals, type VisitCounts, visitCounts } from "./metric.ts";
import { addToPurse, type Purse } from "./money.ts";
import { eventLabel, type Plan } from "./plan.ts";
import { invalid } from "./refusal.ts";
import {
  onEntryPage,
  productsOf,
  type Seen,
  type SeenColumns,
  type SeenRows,
  type SeenUnder,
  type SeenVisit,
} from "./seen.ts";
import { visitsIn } from "./view.ts";
import { VisitorNames } from "./visitor-name.ts";

export interface Sum {
  readonly dimensions: readonly string[];
  readonly counts: Counts;
  readonly visitors: Visitors;
  readonly purse: Purse;
  scroll: number;
  scrolledVisits: number;
  /** The number of the visit that was counted here last. */
  visit: number;
  /** The number of the visit whose visitor was added here last, of derived rows. */
  visitorOf: number;
  /** How deep the present visit has scrolled; -1 where it has not. */
  deepest: number;
}

/** Visitors, by the numbers of their names. Events come one visitor after the other: the last needs no look-up. */
export interface Visitors {
  readonly numbers: Set<number>;
  last: number;
}

export interface Scan {
  readonly plan: Plan;
  readonly under: SeenUnder;
  /** The filter of a share link. Undefined without a link, when every event is admitted. */
  readonly view: Filter | undefined;
  /** The question's own filter, within the link's. */
  readonly filter: Filter;
  readonly names: VisitorNames;
  readonly sums: Map<string, Sum>;
  /** Visits by entry page, under the same keys as `sums`; only when the plan wants them. */
  readonly entries: Map<string, VisitCounts>;
  /** The visitors that a group is compared with (a conversion rate's denominator): for each kind of total, by key. */
  readonly totals: Readonly<Record<keyof Totals, Map<string, Visitors>>>;
  /** The question's filter without its goals: it admits everybody who could have reached one. */
  readonly possible: Filter;
  /** For each dimension that is not time: its index among the dimensions, and which of its values the filters keep. */
  readonly axes: readonly Axis[];
  /** The index of the time dimension among the dimensions; -1 without one. */
  readonly timeAt: number;
  /** Places with orders or refunds. */
  readonly orderPlaces: Set<string>;
  visitors: number;
  /** How many visits were looked at. */
  visits: number;
  /** How many (event, group)s were found or added to since counting could last give way, but for one of each event. */
  paired: number;
  /** The Hours of the present partition that are counted. Undefined where all Hours of the range are (rest.ts). */
  hours: ReadonlySet<number> | undefined;
  /** What is known of the present rows. */
  known: KnownCodes;
}

/**
 * Remembers, for the rows at hand, where events with the same values go: that is found out once for each combination of
 * codes.
 */
interface KnownCodes {
  /** Makes one code of the codes of a label and of all axes. */
  readonly pairs: PairCodes;
  readonly labels: Map<string, number>;
  /** By that code; `entries` and `possible` as well. */
  readonly sums: (readonly Sum[] | undefined)[];
  readonly entries: (readonly VisitCounts[] | undefined)[];
  readonly possible: (readonly Visitors[] | undefined)[];
  /** Label of each bucket of an hour or a minute. */
  readonly labelOf: Map<number, string>;
}

export function noneKnown(seed: number): KnownCodes {
  return { pairs: new PairCodes(seed), labels: new Map(), sums: [], entries: [], possible: [], labelOf: new Map() };
}

export interface Axis {
  readonly attribute: Attribute;
  readonly at: number;
  readonly keeps: (value: string) => boolean;
}

/** Why a scan, or the counting of a report, ends before it has an answer. */
export type ScanProblem = "groups" | "visitors" | "together" | "paths" | OutOfSteps;

/** The refusal that the asker gets. */
export function refusalOf(problem: ScanProblem) {
  const range = "#/date_range: The query";
  if (problem === "groups") return tooManyGroups();
  if (problem === "visitors") return invalid(`${range} counts more visitors than it may. Ask for a shorter range.`);
  if (problem === "together")
    return invalid(`${range} counts more visitors than a batch may hold. Ask it by itself, or for a shorter range.`);
  if (problem === "paths")
    return invalid(`${range} has more than ${PATHS_MAX} different paths. Ask for a shorter range or a smaller depth.`);
  return stepsRefusal(problem);
}

/** Columns of the archive that this question needs and most questions do not. */
export function extraColumns({ question: { breakdowns, filter } }: Plan): readonly string[] {
  return columnsOf([...breakdowns, ...comparisonsOf(filter).map(({ attribute }) => attribute)]);
}

export function openScan(plan: Plan, under: SeenUnder): Scan {
  const { question } = plan;
  const filter = ownOf(question.filter);
  return {
    plan,
    under,
    view: viewOf(question.filter),
    filter,
    names: new VisitorNames(under.seed),
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
    visits: 0,
    paired: 0,
    hours: undefined,
    known: noneKnown(0),
  };
}

/** Adds what one partition has of one Day, given as a whole. A problem ends the scan. */
export function* scanDay(scan: Scan, seen: SeenRows): Gradual<ScanProblem | undefined> {
  const { question } = scan.plan;
  const { budgets } = question;
  const slices = new Slices(budgets);
  const { partition, seed } = seen.rows;
  scan.hours = hoursOf(scan.plan, partition);
  scan.known = noneKnown(seed);
  for (const visit of yield* visitsIn(seen, { ...scan, budgets })) {
    const steps = visit.events.length * (1 + question.breakdowns.length) * EVENT_STEPS;
    spend(budgets.own, steps, DIMENSIONS_PATH);
    yield* addVisit(scan, visit, { day: seen.day, slices });
    if (visit.events.some((one) => isOrder(one.earning) && isInRange(scan, one, seen.day)))
      scan.orderPlaces.add(`${seen.day} ${partition}`);
    const problem = problemOf(scan);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Why the scan may not go on. */
export function problemOf({ sums, visitors, plan }: Scan): ScanProblem | undefined {
  if (sums.size > GROUPS_MAX) return "groups";
  return visitors > SCAN_VISITORS_MAX ? "visitors" : outOfSteps(plan.question.budgets);
}

/** Pays for adding an event to so many groups. */
export function payGroups(scan: Scan, groups: number, earning?: Seen["earning"]): void {
  if (groups <= 1) return;
  const lines = earning?.sale.lines.length ?? 0;
  const steps = GROUP_STEPS.addedTo + lines * GROUP_STEPS.lineOfSale;
  scan.paired += ((groups - 1) * steps) / GROUP_STEPS.addedTo;
  spend(scan.plan.question.budgets.own, (groups - 1) * steps, DIMENSIONS_PATH);
}

/** The field that asks for groups. */
export const DIMENSIONS_PATH = "#/dimensions";

/** Whether an event is an order or takes something off one. */
export function isOrder(earning: Seen["earning"]): boolean {
  return earning !== undefined && (earning.ofOrder || earning.sign < 0);
}

export function closeScan(scan: Scan): Groups {
  const groups = [...scan.sums].map(([key, sum]) => toGroup(scan, key, sum));
  return { groups, standardError: 0, cutBuckets: 0, orderPlaces: scan.orderPlaces.size, source: "archive" };
}

function toGroup({ plan, entries, totals, timeAt, axes }: Scan, key: string, sum: Sum): Group {
  const { dimensions, purse, scroll, scrolledVisits } = sum;
  const counts: Counts = { ...sum.counts, visitors: sum.visitors.numbers.size };
  const sizeOf = (which: keyof Totals, at: string) => totals[which].get(at)?.numbers.size ?? 0;
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

/**
 * Which values of an attribute are shown. An event has several goals and products: a filter on them leaves only those
 * that it names.
 */
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

/** Whether a conversion rate's denominator leaves the axis out: goals, and properties of the events that reach them. */
function isGoal({ attribute }: Axis): boolean {
  return attribute.question === "event:goal" || isProperty(attribute);
}

function* addVisit(
  scan: Scan,
  visit: SeenVisit,
  { day, slices }: { readonly day: number; readonly slices: Slices },
): Gradual<void> {
  const { plan } = scan;
  scan.visits += 1;
  const admitted: Seen[] = [];
  for (const seen of visit.events) {
    if (passes(scan.filter, seen)) admitted.push(seen);
    if (slices.isOver(LOOKED_AT)) yield;
  }
  const scrolled: Sum[] = [];
  for (const seen of admitted) {
    if (slices.isOver(LOOKED_AT)) yield;
    if (!isInRange(scan, seen, day)) continue;
    const { scroll } = seen.event;
    const sums = sumsOf(scan, seen, labelOf(scan, seen, day));
    payGroups(scan, sums.length, seen.earning);
    if (problemOf(scan) !== undefined) return;
    for (const sum of sums) {
      addEvent(scan, sum, { seen, day });
      if (scroll < 0) continue;
      if (sum.deepest < 0) scrolled.push(sum);
      sum.deepest = Math.max(scroll, sum.deepest);
    }
  }
  for (const sum of scrolled) {
    sum.scroll += sum.deepest;
    sum.scrolledVisits += 1;
    sum.deepest = -1;
  }
  if (plan.totals.length > 0) addTotals(scan, visit, { day, admitted });
  if (!isInRange(scan, visit.start, day)) return;
  const label = labelOf(scan, visit.start, day);
  for (const seen of admitted) {
    const sums = sumsOf(scan, seen, label);
    payGroups(scan, sums.length);
    if (problemOf(scan) !== undefined) return;
    if (slices.isOver(0)) yield;
    for (const sum of sums) {
      // A visit counts once in each group, however many of its events are in it.
      if (sum.visit === scan.visits) continue;
      sum.visit = scan.visits;
      countVisit(sum.counts, visit);
    }
  }
  if (plan.visitsByEntryPage) yield* addEntry(scan, visit, { label, slices });
}

/** Counts a visit by page. It counts under its entry page, and a filter by page looks at that page. */
function* addEntry(
  scan: Scan,
  visit: SeenVisit,
  { label, slices }: { readonly label: string; readonly slices: Slices },
): Gradual<void> {
  const counted = new Set<VisitCounts>();
  for (const seen of visit.events) {
    const moved = onEntryPage(seen);
    if (!passes(scan.filter, moved)) continue;
    const entries = entriesOf(scan, moved, label);
    payGroups(scan, entries.length);
    if (problemOf(scan) !== undefined) return;
    if (slices.isOver(0)) yield;
    for (const counts of entries) counted.add(counts);
  }
  for (const counts of counted) countVisit(counts, visit);
}

function entriesOf(scan: Scan, seen: Seen, label: string): readonly VisitCounts[] {
  const { entries } = scan.known;
  const code = codeOf(scan, seen, label);
  const known = code < 0 ? undefined : entries[code];
  if (known !== undefined) return known;
  const found = entriesAt(scan, seen, label);
  if (code >= 0) entries[code] = found;
  return found;
}

/** The groups that a visit counts in by its entry page, found anew. */
export function entriesAt(scan: Scan, seen: Seen, label: string): readonly VisitCounts[] {
  return combinationsOf(scan, scan.axes, { seen, label }).map((dimensions) => {
    const key = keyOf(dimensions);
    const counts = scan.entries.get(key) ?? visitCounts();
    scan.entries.set(key, counts);
    return counts;
  });
}

/** The groups that an event counts in. */
function sumsOf(scan: Scan, seen: Seen, label: string): readonly Sum[] {
  const { sums } = scan.known;
  const code = codeOf(scan, seen, label);
  const known = code < 0 ? undefined : sums[code];
  if (known !== undefined) return known;
  const found = sumsAt(scan, seen, label);
  if (code >= 0) sums[code] = found;
  return found;
}

/** The groups that an event counts in, found anew. */
export function sumsAt(scan: Scan, seen: Seen, label: string): readonly Sum[] {
  return combinationsOf(scan, scan.axes, { seen, label }).map((dimensions) => sumOf(scan, dimensions));
}

/** One code for everything that an event is grouped by; -1 where a value has no code. */
function codeOf({ axes, known: { labels, pairs } }: Scan, seen: Seen, label: string): number {
  let code = labels.get(label) ?? labels.size;
  if (code === labels.size) labels.set(label, code);
  // The index of the axis is part of the code, because one value code on two axes must not make the same pair.
  for (let at = 0; at < axes.length; at++) {
    const own = (axes[at] as Axis).attribute.codeOf(seen, seen.of as SeenColumns);
    if (own < 0) return -1;
    code = pairs.codeOf(code, own * axes.length + at);
  }
  return code;
}

/**
 * Adds a visit to the denominators. In the total of all is every visitor whom the filter admits; in those of a label or
 * a group is everybody whom the filter without its goals admits.
 */
function addTotals(scan: Scan, visit: SeenVisit, { day, admitted }: { day: number; admitted: readonly Seen[] }): void {
  const { plan, totals, possible } = scan;
  const isHere = (seen: Seen) => isInRange(scan, seen, day);
  if (admitted.some(isHere)) addVisitor(scan, totals.all, "", nameOf(scan, visit));
  for (const seen of visit.events) {
    if (!isHere(seen) || !passes(possible, seen)) continue;
    const label = labelOf(scan, seen, day);
    addVisitor(scan, totals.label, label, nameOf(scan, visit));
    if (!plan.totals.includes("group")) continue;
    const groups = possibleOf(scan, seen, label);
    payGroups(scan, groups.length);
    for (const visitors of groups) addTo(scan, visitors, numberOfVisitor(scan, visit));
  }
}

/** The groups, without goals, that an event could have been counted in. */
function possibleOf(scan: Scan, seen: Seen, label: string): readonly Visitors[] {
  const { possible } = scan.known;
  const code = codeOf({ ...scan, axes: axesOfPossible(scan) }, seen, label);
  const known = code < 0 ? undefined : possible[code];
  if (known !== undefined) return known;
  const found = possibleAt(scan, seen, label);
  if (code >= 0) possible[code] = found;
  return found;
}

/** What denominators of conversion rates are grouped by. */
export function axesOfPossible({ axes }: Scan): readonly Axis[] {
  return axes.filter((axis) => !isGoal(axis));
}

/** The groups, without goals, that an event could have been counted in, found anew. */
export function possibleAt(scan: Scan, seen: Seen, label: string): readonly Visitors[] {
  const axes = axesOfPossible(scan);
  return combinationsOf(scan, axes, { seen, label }).map((dimensions) => {
    const left = dimensions.filter((_, at) => at === scan.timeAt || axes.some((axis) => axis.at === at));
    return visitorsOf(scan.totals.group, keyOf(left));
  });
}

/** In a range of Hours a visitor's name is the id alone, as in the sketches of Hours. */
function nameOf({ plan }: Scan, { visitor, start }: SeenVisit): string {
  return plan.grain === "hour" ? start.event.visitor : visitor;
}

function numberOfVisitor(scan: Scan, visit: SeenVisit): number {
  return scan.names.numberOf(nameOf(scan, visit));
}

export function addVisitor(scan: Scan, sets: Map<string, Visitors>, key: string, visitor: string): void {
  addTo(scan, visitorsOf(sets, key), scan.names.numberOf(visitor));
}

export function visitorsOf(sets: Map<string, Visitors>, key: string): Visitors {
  const visitors = sets.get(key) ?? noVisitors();
  sets.set(key, visitors);
  return visitors;
}

function noVisitors(): Visitors {
  return { numbers: new Set(), last: -1 };
}

/** The names of a group's visitors. */
export function namesOf(names: VisitorNames, { numbers }: Visitors): readonly string[] {
  return Array.from(numbers, (number) => names.nameOf(number));
}

export function addTo(scan: Scan, visitors: Visitors, visitor: number): void {
  if (visitors.last === visitor) return;
  visitors.last = visitor;
  scan.visitors -= visitors.numbers.size;
  visitors.numbers.add(visitor);
  scan.visitors += visitors.numbers.size;
}

function addEvent(scan: Scan, sum: Sum, { seen, day }: { readonly seen: Seen; readonly day: number }): void {
  const { event, earning } = seen;
  const { counts } = sum;
  addTo(scan, sum.visitors, numberOfVisitor(scan, seen.visit));
  if (isPageview(event.name)) counts.pageviews += 1;
  if (!isEngagement(event.name)) counts.events += 1;
  counts.engagement_ms += event.engagementMs;
  if (earning !== undefined) addEarning(scan, sum, { earning, day });
}

export function addEarning(
  scan: Scan,
  { counts, dimensions, purse }: Sum,
  { earning, day }: { readonly earning: NonNullable<Seen["earning"]>; readonly day: number },
): void {
  const lines = earning.sale.lines.filter(({ product }) => isOfProducts(scan.axes, product, dimensions));
  const { orders, refunds, units, money } = earnedOf({ ...earning, sale: { ...earning.sale, lines } });
  counts.orders += orders;
  counts.refunds += refunds;
  counts.units += units;
  addToPurse(purse, money, { day, home: scan.under.settings.currency });
}

/** Whether a product is of the group: a group by product has what was paid for the product, not for the whole order. */
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

/** The Hours of a partition that are to be counted, where others of the same Day are not. */
function hoursOf({ rest }: Plan, partition: string): ReadonlySet<number> | undefined {
  if (rest?.hours === undefined) return undefined;
  const own = [...rest.hours].filter((key) => key.slice(key.indexOf(" ") + 1) === partition);
  return new Set(own.map((key) => Number(key.slice(0, key.indexOf(" ")))));
}

function isInRange({ plan: { range, zones }, hours }: Scan, { event }: Seen, day: number): boolean {
  if (hours !== undefined && !hours.has(hourOf(zones, event.timestamp))) return false;
  if (range.wholeDays) return day >= range.fromDay && day < range.toDay;
  return event.timestamp >= range.fromInstant && event.timestamp < range.toInstant;
}

function labelOf(scan: Scan, { event }: Seen, day: number): string {
  return labelAt(scan, { instant: event.timestamp, day });
}

/** The label of an event's time. */
export function labelAt(
  { plan, known: { labelOf: labels } }: Scan,
  { instant, day }: { readonly instant: number; readonly day: number },
): string {
  if (plan.time === undefined) return "";
  // In every zone an Hour begins at a whole minute, so all events of a minute have one label.
  const isFine = plan.time === "hour" || plan.time === "minute";
  const bucket = isFine ? Math.floor(instant / MINUTE_MS) : 0;
  const label = labels.get(bucket) ?? eventLabel(plan, { instant, day });
  labels.set(bucket, label);
  return label;
}

export function sumOf({ sums }: Scan, dimensions: readonly string[]): Sum {
  const key = keyOf(dimensions);
  const known = sums.get(key);
  if (known !== undefined) return known;
  const none = { scroll: 0, scrolledVisits: 0, visit: 0, visitorOf: 0, deepest: -1 };
  const sum = { dimensions, counts: zeroCounts(), visitors: noVisitors(), purse: new Map(), ...none };
  sums.set(key, sum);
  return sum;
}

/**
 * The dimensions' values for an event: one list, or one for each of its goals and of its products. Empty where they are
 * more than one event may have; the scan ends then.
 */
function combinationsOf(scan: Scan, axes: readonly Axis[], { seen, label }: Labelled): readonly (readonly string[])[] {
  const { plan, timeAt } = scan;
  const start: string[] = plan.question.dimensions.map((_, at) => (at === timeAt ? label : ""));
  const ofProducts = axes.filter(({ attribute }) => attribute.ofProduct !== undefined);
  const valued = axes.flatMap(({ attribute, at, keeps }) => {
    if (attribute.ofProduct !== undefined) return [];
    const values = attribute.valuesOf(seen).map((value) => shownValue(attribute, value));
    return [{ at, values: values.filter(keeps) }];
  });
  const products = ofProducts.length === 0 ? 1 : productsOf(seen).length;
  const found = valued.reduce((count, { values }) => count * values.length, products);
  if (!payFound(scan, found)) return [];
  const lists = valued.reduce<readonly (readonly string[])[]>(
    (all, { at, values }) => all.flatMap((list) => values.map((value) => list.with(at, value))),
    [start],
  );
  return ofProducts.length === 0 ? lists : lists.flatMap((list) => productLists(list, ofProducts, seen));
}

interface Labelled {
  readonly seen: Seen;
  /** That of its time. */
  readonly label: string;
}

/** Pays for so many groups that one event is in. Nothing says beforehand how many there are. */
function payFound(scan: Scan, groups: number): boolean {
  if (groups <= 1) return true;
  scan.paired += groups - 1;
  return spendJudging(scan.plan.question.budgets.own, (groups - 1) * GROUP_STEPS.found, DIMENSIONS_PATH);
}

/**
 * One list of values for each product, so that what is said of one product stands together. Two products with equal
 * values make one list.
 */
function productLists(list: readonly string[], axes: readonly Axis[], seen: Seen): readonly (readonly string[])[] {
  const found = new Map<string, readonly string[]>();
  for (const { product } of productsOf(seen)) {
    const own = [...list];
    for (const { attribute, at } of axes) own[at] = shownValue(attribute, attribute.ofProduct?.(product) ?? "");
    if (axes.every(({ at, keeps }) => keeps(own[at] as string))) found.set(keyOf(own), own);
  }
  return [...found.values()];
}

/**
 * One text for a list of values, whatever they hold. The text is never a whole number, since strangers could choose
 * whole numbers whose hashes fall together (core/text-map.ts).
 */
function keyOf(dimensions: readonly string[]): string {
  return JSON.stringify(dimensions);
}
