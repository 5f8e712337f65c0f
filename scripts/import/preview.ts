// What a file would come to, found by reading it once before anything is sent: its digest, its first events as they
// would be sent, what becomes of its rows, and its events by Day. So a wrong map shows before it counts, and an import
// can be told apart from another of the same file.

import { dateOf, dayAt } from "../../core/time.ts";
import { toAnswerTable, toCutTable, toFigure } from "../table.ts";
import type { FileFormat } from "./detect.ts";
import { type FileLine, type ImportFile, readLines } from "./file.ts";
import { OrderGatherer, type PlacedRow } from "./order-row.ts";
import type { Place } from "./resume.ts";
import type { ImportedEvent } from "./row.ts";
import { type RowOptions, rowReader } from "./row-reader.ts";
import { quoteLine, Tally } from "./tally.ts";

export interface Preview {
  readonly source: string;
  /** Of the whole file. */
  readonly digest: string;
  /** Rows of the file, and those after the place where it goes on. */
  readonly rows: number;
  readonly tally: Tally;
  /** The first events after that place. */
  readonly first: readonly ImportedEvent[];
  /** Events after that place by the number of their Day, in the merchant's zone. */
  readonly days: ReadonlyMap<number, number>;
  /** Events by what they are. */
  readonly names: ReadonlyMap<string, number>;
  /** Money by its currency, "" for the merchant's own; refunds taken off. */
  readonly revenue: ReadonlyMap<string, number>;
  /** At most VISITORS_MAX. */
  readonly visitors: number;
}

/** Visitors that a preview tells apart: more would take too much memory. */
const VISITORS_MAX = 1_000_000;
/** A file of so many bytes takes a while to be read once. */
const LARGE_BYTES = 100_000_000;

/** How many events are shown. */
const FIRST_MAX = 10;
/**
 * Rows that a file is known by when it has grown: the header of a CSV and its first row, or the first two lines of a
 * log.
 */
const HEAD_ROWS = 2;

/** The digest of a file's first rows. */
export async function headOf(file: ImportFile, format: FileFormat): Promise<string> {
  let head = "";
  for await (const { place } of readLines(file, format)) {
    head = place.chain;
    if (place.line >= HEAD_ROWS) break;
  }
  return head;
}

export async function previewFile(
  file: ImportFile,
  format: FileFormat,
  { start, zone, options }: { readonly start: Place; readonly zone: string; readonly options: RowOptions },
): Promise<Preview> {
  if (file.bytes > LARGE_BYTES) options.say("reading the whole file once, before anything is sent");
  const reader = rowReader(format, options);
  const orders = new OrderGatherer();
  const seen = {
    tally: new Tally(),
    first: [] as ImportedEvent[],
    days: new Map<number, number>(),
    names: new Map<string, number>(),
    revenue: new Map<string, number>(),
    visitors: new Set<string>(),
  };
  const take = ({ line, row }: PlacedRow) => {
    if (row.kind === "skipped") return seen.tally.skip(row.reason);
    if (row.kind === "rejected")
      return seen.tally.reject(row.code, { ...originOf(line, format), message: row.message });
    const { event } = row;
    if (seen.first.length < FIRST_MAX) seen.first.push(event);
    add(seen.names, event.name ?? "pageview", 1);
    add(seen.days, dayAt(zone, event.timestamp), 1);
    if (seen.visitors.size < VISITORS_MAX) seen.visitors.add(row.visitor ?? event.visitor_id ?? visitorOf(event));
    if (event.revenue !== undefined) add(seen.revenue, event.revenue.currency ?? "", signed(event));
  };
  let last = start;
  for await (const line of readLines(file, format)) {
    last = line.place;
    const isHead = reader.note(line);
    const rows = isHead ? [] : reader.read(line); // those before the place as well: a source remembers orders
    if (line.place.line <= start.line || isHead) continue;
    seen.tally.lines++;
    for (const row of rows) for (const placed of orders.add({ line, row })) take(placed);
  }
  for (const placed of orders.rest()) take(placed);
  return {
    source: reader.source(),
    digest: last.chain,
    rows: last.line,
    ...seen,
    visitors: seen.visitors.size,
  };
}

/** Of an export, where the visitor is made already. */
function visitorOf({ exported }: ImportedEvent): string {
  return String(exported?.["visitor"] ?? "");
}

function originOf({ number, values }: FileLine, format: FileFormat) {
  return { line: number, text: quoteLine(format.kind === "csv" ? values.join(format.delimiter) : (values[0] ?? "")) };
}

/** A refund takes its money off, whatever sign it was written with. */
function signed({ name, revenue }: ImportedEvent): number {
  const amount = revenue?.amount ?? 0;
  return name === "refund" ? -Math.abs(amount) : amount;
}

function add<K>(counts: Map<K, number>, key: K, amount: number): void {
  counts.set(key, (counts.get(key) ?? 0) + amount);
}

/** A preview as a person reads it. */
export function previewText({ first, tally, days, names, revenue, visitors }: Preview): string {
  const numbers = [...days.keys()].sort((a, b) => a - b);
  const facts = {
    rows: tally.lines,
    events: [...names].map(([name, count]) => `${toFigure(count)} ${name}`).join(", ") || "none",
    visitors: visitors < VISITORS_MAX ? `${toFigure(visitors)} at most` : `${toFigure(visitors)} or more`,
    revenue:
      [...revenue].map(([currency, sum]) => `${sum.toFixed(2)} ${currency || "(no currency)"}`).join(", ") || "none",
    days: numbers.length === 0 ? "none" : `${dateOf(numbers[0] as number)} to ${dateOf(numbers.at(-1) as number)}`,
    ...Object.fromEntries([...tally.skipped].map(([reason, times]) => [`skipped: ${reason}`, times])),
    ...Object.fromEntries([...tally.rejected].map(([code, { count }]) => [`refused: ${code}`, count])),
  };
  const columns = COLUMNS.filter((name) => first.some((event) => event[name] !== undefined));
  const rows = first.map((event) => columns.map((name) => cellOf(event[name], name)));
  return `${toCutTable(columns, rows)}\n\n${toAnswerTable(facts)}`;
}

const COLUMNS = [
  "timestamp",
  "name",
  "url",
  "visitor_id",
  "referrer",
  "country",
  "region",
  "city",
  "browser",
  "os",
  "device",
  "order_id",
  "revenue",
  "products",
] as const satisfies readonly (keyof ImportedEvent)[];

function cellOf(value: unknown, name: string): string {
  if (value === undefined) return "";
  if (name === "timestamp") return new Date(value as number).toISOString();
  if (name === "products") return `${(value as readonly unknown[]).length}`;
  if (name === "revenue") {
    const { amount, currency = "" } = value as NonNullable<ImportedEvent["revenue"]>;
    return `${amount} ${currency}`.trim();
  }
  return String(value);
}

/** Days in a row as one range each: "2026-11-01 to 2026-11-03, 2026-11-09". */
export function rangesText(days: Iterable<number>): string {
  const ranges: [number, number][] = [];
  for (const day of [...days].sort((a, b) => a - b)) {
    const open = ranges.at(-1);
    if (open !== undefined && day === open[1] + 1) open[1] = day;
    else ranges.push([day, day]);
  }
  return ranges.map(([from, to]) => (from === to ? dateOf(from) : `${dateOf(from)} to ${dateOf(to)}`)).join(", ");
}
