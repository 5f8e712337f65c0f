// Imported rollups in an answer: whether a question can be answered with them, from which of their tables, and adding
// them to the groups that were counted here. A Day is either counted or imported, never both: one that has an event
// that counts is counted. What cannot be answered with them is answered without them, for all of the question, and says
// so (IMR-6); it is never answered with zeros.

import { type DimensionName, OTHER } from "../counting/dimension.ts";
import { addCounts, type Counts, zeroCounts } from "../counting/rollup.ts";
import {
  IMPORTED_TABLES,
  type ImportedCounter,
  type ImportedRow,
  type ImportedSpan,
  type ImportedTable,
  type ImportedTableName,
  importedTableOf,
} from "../imported/table.ts";
import { GROUPS_MAX } from "../limits.ts";
import { dateOf } from "../time.ts";
import { shownValue } from "./attribute.ts";
import { viewOf } from "./filter.ts";
import type { Group, Groups } from "./group.ts";
import { type MetricName, metricOf, NO_EVENT_NUMBERS, type VisitCounts } from "./metric.ts";
import { type Plan, timeLabel } from "./plan.ts";
import { type Range, rangeOfDays } from "./range.ts";
import { attributeRead } from "./rest.ts";

/** Plausible's names for why a question is answered without imports. */
export type ImportsSkipReason = "unsupported_query" | "unsupported_interval";

export interface ImportsSkipped {
  readonly reason: ImportsSkipReason;
  /** A sentence for people. */
  readonly warning: string;
}

/** What an answer says of the imports that are in it. */
export interface ImportsIncluded {
  /** The Days that are of imports, as [first, last] of each run. */
  readonly days: readonly (readonly [first: string, last: string])[];
  readonly of: readonly { readonly number: number; readonly source: string }[];
  /** Metrics that are sums of Days, or of a table's rows, in which one visitor stands several times. */
  readonly estimated: readonly MetricName[];
  /** Metrics that no import knows: of imported Days alone they are null, otherwise of the counted Days. */
  readonly without: readonly MetricName[];
  /** Imported Days of which only a part was asked for: they are left out. */
  readonly partly?: readonly (readonly [first: string, last: string])[];
}

export type ImportsTold = ImportsSkipped | ImportsIncluded;

/** The import that each Day of a range is of, were it not counted here. The earlier import wins. */
export type ImportedCover = ReadonlyMap<number, ImportedSpan>;

/** Which Days of a plan's range imports cover, wholly and in part. */
export function coverOf(
  { range, zones }: Plan,
  spans: readonly ImportedSpan[],
): { readonly whole: ImportedCover; readonly partly: readonly number[] } {
  const whole = new Map<number, ImportedSpan>();
  const partly: number[] = [];
  const ordered = [...spans].sort((a, b) => a.number - b.number);
  for (let day = range.fromDay; day < range.toDay; day++) {
    const span = ordered.find(({ from, to }) => from <= day && day <= to);
    if (span === undefined) continue;
    const isEdge = !range.wholeDays && (day === range.fromDay || day === range.toDay - 1);
    const { fromInstant, toInstant } = isEdge ? rangeOfDays(zones, { from: day, to: day + 1 }) : range;
    const isCut =
      isEdge && (fromInstant < range.fromInstant || toInstant > range.toInstant || day === range.partialDay);
    if (isCut) partly.push(day);
    else whole.set(day, span);
  }
  return { whole, partly };
}

/** Whether any Day of a plan's range is in an import. A share link with filters is not told. */
export function concernsImports({ question, range }: Plan, spans: readonly ImportedSpan[]): boolean {
  if (question.include.imports === false || viewOf(question.filter) !== undefined) return false;
  return overlaps(range, spans);
}

/** Whether any Day of a range is in an import. */
export function overlaps(
  { fromDay, toDay }: Pick<Range, "fromDay" | "toDay">,
  spans: readonly ImportedSpan[],
): boolean {
  return spans.some(({ from, to }) => from < toDay && to >= fromDay);
}

/** What is counted from events has no imports. */
export const FROM_EVENTS: ImportsSkipped = skipped("unsupported_query", "what is counted from events has none");

/** How an answer says that it is without imports. */
export function skippedMeta({ reason, warning }: ImportsSkipped) {
  return { imports_included: false, imports_skip_reason: reason, imports_warning: warning } as const;
}

/** A table that a plan's groups are made from. */
interface Reading {
  readonly table: ImportedTable;
  /** The column whose values are the groups'; -1 for whole Days. */
  readonly column: number;
  /** The value of all its rows, where the table has no such column. */
  readonly value?: string;
  /** Which of the counters go where. */
  readonly into: "counts" | "events" | "visits";
}

export type ReadingsOf = readonly Reading[];

/** The counters that a metric is made of; undefined where no import has them. */
const NEEDS: Readonly<Partial<Record<MetricName, readonly ImportedCounter[]>>> = {
  visitors: ["visitors"],
  visits: ["visits"],
  pageviews: ["pageviews"],
  views_per_visit: ["pageviews", "visits"],
  bounce_rate: ["bounces", "visits"],
  bounces: ["bounces"],
  visit_duration: ["duration_s", "visits"],
  total_duration: ["duration_s"],
  events: ["events"],
};

const PAGEVIEW = "pageview";

/** What is read of imports for a plan, or why its question is answered without them. */
export function readingsOf(plan: Plan, spans: readonly ImportedSpan[]): readonly Reading[] | ImportsSkipped {
  const { question, time, source, totals } = plan;
  if (time === "hour" || time === "minute")
    return skipped("unsupported_interval", `imported Days have no ${time}s; ask by day, week or month`);
  const unknown = question.metrics.find((name) => NEEDS[name] === undefined && !isWithout(name));
  if (unknown !== undefined) return skipped("unsupported_query", `no import has the metric ${unknown}`);
  if (question.metrics.every(isWithout)) return skipped("unsupported_query", "no import has orders or money");
  const isExact = question.accuracy === "exact" && question.metrics.some((name) => metricOf(name).ofVisitors);
  if (isExact) return skipped("unsupported_query", "visitors of several imported Days cannot be exact");
  if (source !== "rollups" || totals.length > 0)
    return skipped("unsupported_query", "an import knows one dimension at a time, and filters on that one alone");
  const readings = tablesOf(plan);
  if (readings === undefined)
    return skipped("unsupported_query", `no import has the dimension ${attributeRead(plan)?.question}`);
  for (const span of spans) {
    const known = knownOf(readings, span);
    if (typeof known === "string") return skipped("unsupported_query", `import ${span.number} has no table ${known}`);
    const lacking = question.metrics.find((name) => NEEDS[name]?.some((counter) => !known.has(counter)));
    if (lacking !== undefined) {
      const by = attributeRead(plan)?.question ?? "Day";
      return skipped("unsupported_query", `import ${span.number} does not know ${lacking} by ${by}`);
    }
  }
  return readings;
}

function skipped(reason: ImportsSkipReason, why: string): ImportsSkipped {
  return { reason, warning: `Imported Days are not included: ${why}.` };
}

export function isSkipped<T extends object>(value: T | ImportsSkipped): value is ImportsSkipped {
  return "reason" in value;
}

/** Metrics that imports know nothing of, and that do not keep the others from being answered with them. */
function isWithout(name: MetricName): boolean {
  const { isMoney, ofOrders } = metricOf(name);
  return isMoney === true || ofOrders === true;
}

/** Undefined where no table has the plan's dimension. */
function tablesOf({ breakdowns, question, visitsByEntryPage }: Plan): readonly Reading[] | undefined {
  const [dimension] = breakdowns;
  if (dimension === undefined) {
    const days: Reading = { table: importedTableOf("visitors"), column: -1, into: "counts" };
    if (!question.metrics.includes("events")) return [days];
    // Page views are events too, and the table of custom events has none.
    return [days, { table: importedTableOf("custom_events"), column: -1, into: "events" }];
  }
  const table = IMPORTED_TABLES.find(({ dimensions }) => dimensions.includes(dimension));
  if (table === undefined) return undefined;
  const own: Reading = { table, column: columnOf(table, dimension), into: "counts" };
  if (dimension === "name")
    return [own, { table: importedTableOf("visitors"), column: -1, value: PAGEVIEW, into: "counts" }];
  if (!visitsByEntryPage) return [own];
  const entries = importedTableOf("entry_pages");
  return [own, { table: entries, column: columnOf(entries, "entry_page"), into: "visits" }];
}

function columnOf({ dimensions }: ImportedTable, dimension: DimensionName): number {
  return dimensions.indexOf(dimension);
}

/** The counters that an import knows of what is read; the name of a table where it does not have that. */
function knownOf(
  readings: readonly Reading[],
  { tables }: ImportedSpan,
): ReadonlySet<ImportedCounter> | ImportedTableName {
  const known = new Set<ImportedCounter>();
  for (const { table, into, value } of readings) {
    const own = tables[table.name];
    if (own === undefined) return table.name;
    if (value === PAGEVIEW) {
      // Without them the page views would lack beside the other events.
      if (!own.includes("pageviews")) known.delete("events");
      if (!own.includes("visitors")) known.delete("visitors");
      known.add("pageviews");
    } else if (into === "events") {
      if (own.includes("events") && known.has("pageviews")) known.add("events");
    } else if (into === "visits") {
      if (own.includes("visits")) for (const name of OF_ENTRIES) if (own.includes(name)) known.add(name);
    } else for (const name of own) known.add(name);
  }
  return known;
}

const OF_ENTRIES: readonly ImportedCounter[] = ["bounces", "duration_s"];

/** The tables that readings read. */
export function tableNamesOf(readings: readonly Reading[]): readonly ImportedTableName[] {
  return [...new Set(readings.map(({ table }) => table.name))];
}

/** The rows of one table on one Day, as a ledger has them. */
export interface ImportedDayRows {
  readonly day: number;
  readonly table: ImportedTableName;
  readonly rows: readonly ImportedRow[];
}

/** What imports know of a plan's range, while it is added up. */
export interface ImportedSums {
  readonly plan: Plan;
  readonly readings: readonly Reading[];
  /** By the values of the question's dimensions, as JSON. */
  readonly sums: Map<string, { readonly dimensions: readonly string[]; readonly counts: Counts }>;
  /** Visits by entry page, under the same keys; only where the plan wants them. */
  readonly entries: Map<string, VisitCounts>;
  /** Days on which values were added up as "(other)". */
  readonly cut: Set<number>;
}

export function openImported(plan: Plan, readings: readonly Reading[]): ImportedSums {
  return { plan, readings, sums: new Map(), entries: new Map(), cut: new Set() };
}

/** Adds the rows of an imported Day. False where there are more groups than an answer may have. */
export function addImportedDay(sums: ImportedSums, { day, table, rows }: ImportedDayRows): boolean {
  for (const reading of sums.readings) if (reading.table.name === table) addRows(sums, reading, { day, rows });
  return sums.sums.size <= GROUPS_MAX && sums.entries.size <= GROUPS_MAX;
}

function addRows(into: ImportedSums, reading: Reading, { day, rows }: Omit<ImportedDayRows, "table">): void {
  const { plan, sums, entries, cut } = into;
  const { question, keeps = () => true } = plan;
  const { table, column, value: fixed } = reading;
  const attribute = attributeRead(plan);
  const label = timeLabel(plan, { bucket: day, day });
  for (const { values, counts } of rows) {
    const stored = fixed ?? (column < 0 ? "" : (values[column] as string));
    const isOther = column >= 0 && stored === OTHER;
    if (isOther) cut.add(day);
    const value = attribute === undefined ? stored : shownValue(attribute, stored);
    // "(other)" is no value that a filter could choose.
    if (attribute !== undefined && (!keeps(value) || (isOther && plan.keeps !== undefined))) continue;
    const dimensions = question.dimensions.map((name) => (name.startsWith("time:") ? label : value));
    const key = JSON.stringify(dimensions);
    const own = toCounts(table, counts, fixed);
    if (reading.into === "visits") {
      entries.set(key, addVisits(entries.get(key), own));
      continue;
    }
    const sum = sums.get(key) ?? { dimensions, counts: zeroCounts() };
    sums.set(key, sum);
    if (reading.into === "counts") addCounts(sum.counts, own);
    else sum.counts.events += own.events;
  }
}

/** Page views are events. Under the name of an event nothing is known of visits. */
function toCounts({ counters }: ImportedTable, counts: readonly number[], fixed: string | undefined): Counts {
  const of = (name: ImportedCounter) => counts[counters.indexOf(name)] ?? 0;
  const pageviews = of("pageviews");
  const common = { ...zeroCounts(), visitors: of("visitors"), pageviews, events: pageviews + of("events") };
  if (fixed !== undefined) return common;
  return { ...common, visits: of("visits"), bounces: of("bounces"), duration_ms: of("duration_s") * 1_000 };
}

function addVisits(into: VisitCounts | undefined, { visits, bounces, duration_ms }: VisitCounts): VisitCounts {
  return {
    visits: (into?.visits ?? 0) + visits,
    bounces: (into?.bounces ?? 0) + bounces,
    duration_ms: (into?.duration_ms ?? 0) + duration_ms,
  };
}

/** The groups that were counted here, with what imports know of them and of others. Undefined for too many groups. */
export function closeImported({ plan, sums, entries, cut }: ImportedSums, counted: Groups): Groups | undefined {
  const { visitsByEntryPage, keeps } = plan;
  const all = new Map(counted.groups.map((group) => [JSON.stringify(group.dimensions), group]));
  for (const [key, { dimensions, counts }] of sums) {
    const known = all.get(key);
    const own = { ...(known?.numbers.counts ?? zeroCounts()) };
    addCounts(own, counts);
    const visits = visitsByEntryPage ? known?.numbers.visits : addVisits(known?.numbers.visits, counts);
    all.set(key, known === undefined ? importedGroup(dimensions, own, visits) : withCounts(known, own, visits));
  }
  // Visits that entered on a page that nobody has seen are of no page.
  for (const [key, visits] of entries) {
    const known = all.get(key);
    if (known !== undefined)
      all.set(key, withCounts(known, known.numbers.counts, addVisits(known.numbers.visits, visits)));
  }
  if (all.size > GROUPS_MAX) return undefined;
  const cutBuckets = counted.cutBuckets + (keeps === undefined ? cut.size : 0);
  return { ...counted, cutBuckets, groups: [...all.values()] };
}

function withCounts(group: Group, counts: Counts, visits: VisitCounts | undefined): Group {
  return { ...group, numbers: { ...group.numbers, counts, visits } };
}

function importedGroup(dimensions: readonly string[], counts: Counts, visits: VisitCounts | undefined): Group {
  const totals = { all: 0, label: 0, group: 0 };
  return {
    dimensions,
    numbers: { counts, visits, events: NO_EVENT_NUMBERS, totals },
    purse: new Map(),
    isImported: true,
  };
}

/** What an answer says of imports that are in it: of a question and, where it compares, of both its ranges. */
export function toldOf(
  { question, range, time }: Plan,
  used: readonly {
    readonly cover: ImportedCover;
    readonly partly: readonly number[];
    readonly counted: ReadonlySet<number>;
  }[],
): ImportsIncluded | undefined {
  const days = new Map<number, ImportedSpan>();
  for (const { cover, counted } of used) for (const [day, span] of cover) if (!counted.has(day)) days.set(day, span);
  const partly = used.flatMap((one) => one.partly.filter((day) => !one.counted.has(day)));
  if (days.size === 0 && partly.length === 0) return undefined;
  const spans = [...new Map([...days.values()].map((span) => [span.number, span])).values()];
  const isSum = range.toDay - range.fromDay > 1 && time !== "day";
  const isOfRows = question.breakdowns.length > 0 || question.filters.length > 0;
  return {
    days: runsOf(days.keys()),
    of: spans.sort((a, b) => a.number - b.number).map(({ number, source }) => ({ number, source })),
    estimated: isSum || isOfRows ? question.metrics.filter((name) => metricOf(name).ofVisitors) : [],
    without: question.metrics.filter(isWithout),
    ...(partly.length > 0 && { partly: runsOf(partly) }),
  };
}

/** Days in a row as [first, last] dates. */
export function runsOf(days: Iterable<number>): readonly (readonly [first: string, last: string])[] {
  const runs: [number, number][] = [];
  for (const day of [...new Set(days)].sort((a, b) => a - b)) {
    const open = runs.at(-1);
    if (open !== undefined && day === open[1] + 1) open[1] = day;
    else runs.push([day, day]);
  }
  return runs.map(([first, last]) => [dateOf(first), dateOf(last)]);
}
