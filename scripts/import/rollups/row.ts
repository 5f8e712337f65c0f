// A row of a table's CSV as rows of rollups have it: columns are found by name, in any order, and those that Footfall
// has no place for are left out. Sources, browsers, systems, countries and pages get the names that events would get.
// What says "not known" is the empty value.

import type { DimensionName } from "../../../core/counting/dimension.ts";
import { parseGiven } from "../../../core/enrichment/given.ts";
import { spellHost } from "../../../core/enrichment/hostname.ts";
import { sourceName } from "../../../core/enrichment/source-host.ts";
import { spellPage, spellReferrer, spellSource } from "../../../core/enrichment/spelling.ts";
import { clean } from "../../../core/formats/field.ts";
import type { ImportedCounter, ImportedRow, ImportedTable } from "../../../core/imported/table.ts";
import { COUNT_MAX, IMPORTED_VALUE_LENGTH_MAX, TIMESTAMP_MIN_MS } from "../../../core/limits.ts";
import { DAY_MS, parseDate } from "../../../core/time.ts";
import { countryOf } from "../country.ts";

/** Where a table's columns stand in a file; -1 where the file has none. */
export interface Columns {
  readonly date: number;
  readonly dimensions: readonly number[];
  readonly counters: readonly number[];
  /** Names of columns that are not read. */
  readonly others: readonly string[];
}

/** Names that a dimension's column has beside its own. */
const DIMENSION_NAMES: Readonly<Partial<Record<DimensionName, readonly string[]>>> = {
  os: ["operating_system"],
  country: ["country_code"],
};

/** The columns of a counter, the first that is there. Entry and exit pages have their own names for visits. */
const COUNTER_NAMES: Readonly<Record<ImportedCounter, readonly string[]>> = {
  visitors: ["visitors"],
  visits: ["visits", "entrances", "exits"],
  pageviews: ["pageviews"],
  bounces: ["bounces"],
  duration_s: ["visit_duration"],
  events: ["events"],
};

/** The columns of a file by its header; a sentence where it lacks one without which nothing can be read. */
export function columnsOf(table: ImportedTable, header: readonly string[]): Columns | string {
  const names = header.map((name) => name.trim().toLowerCase());
  const at = (wanted: readonly string[]) => names.findIndex((name) => wanted.includes(name));
  const date = at(["date"]);
  const dimensions = table.dimensions.map((name) => at([name, ...(DIMENSION_NAMES[name] ?? [])]));
  const counters = table.counters.map((counter) => at(COUNTER_NAMES[counter].filter((name) => isOf(name, table))));
  const main = table.name === "pages" ? table.dimensions.indexOf("page") : 0;
  if (date < 0) return 'it has no column "date"';
  if (table.dimensions.length > 0 && (dimensions[main] ?? -1) < 0)
    return `it has no column "${DIMENSION_NAMES[table.dimensions[main] as DimensionName]?.[0] ?? table.dimensions[main]}"`;
  if (counters.every((index) => index < 0)) return "it has no column of numbers, such as visitors";
  const read = new Set([date, ...dimensions, ...counters]);
  return { date, dimensions, counters, others: names.filter((_, index) => !read.has(index)) };
}

/** Plausible's oldest pages have "exits", which are no visits of the page. */
function isOf(column: string, { name }: ImportedTable): boolean {
  if (column === "entrances") return name === "entry_pages";
  return column !== "exits" || name === "exit_pages";
}

export type ReadRow =
  | { readonly ok: true; readonly day: number; readonly row: ImportedRow }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** Reads one record. `now` is UTC ms: a Day that has not begun anywhere is a mistake. */
export function readRollupRow(
  table: ImportedTable,
  columns: Columns,
  { values, now }: { readonly values: readonly string[]; readonly now: number },
): ReadRow {
  const text = (index: number) => (index < 0 ? "" : clean(values[index] ?? "").trim());
  const date = text(columns.date);
  const day = readDay(date);
  if (day === undefined || day < TIMESTAMP_MIN_MS / DAY_MS || day > now / DAY_MS + 1)
    return { ok: false, code: "invalid_date", message: `date must be a date such as 2024-01-31, not "${date}"` };
  const counts: number[] = [];
  for (const [index, at] of columns.counters.entries()) {
    const said = text(at);
    const count = said === "" || said === NULL ? 0 : Number(said);
    if (!(count >= 0) || count > COUNT_MAX) {
      const [name] = COUNTER_NAMES[table.counters[index] as ImportedCounter];
      return { ok: false, code: "invalid_count", message: `${name} must be a number from 0, not "${said}"` };
    }
    counts.push(Math.round(count));
  }
  const row = { values: table.dimensions.map((name, at) => shownAs(name, text(columns.dimensions[at] ?? -1))), counts };
  return { ok: true, day, row };
}

/** "2024-01-31", "20240131", or either with a time behind it. */
function readDay(text: string): number | undefined {
  const [, year, month, date] = /^(\d{4})-?(\d\d)-?(\d\d)(?:[T ].*)?$/.exec(text) ?? [];
  return year === undefined ? undefined : parseDate(`${year}-${month}-${date}`);
}

/** A database's word for nothing, in a CSV of its own. */
const NULL = "\\N";
const UNKNOWN = new Set([
  "",
  NULL.toLowerCase(),
  "(not set)",
  "(none)",
  "(not provided)",
  "(direct)",
  "direct / none",
  "unknown",
]);

/** A value as an event's would be. */
function shownAs(dimension: DimensionName, text: string): string {
  if (UNKNOWN.has(text.toLowerCase())) return "";
  if (text === "(other)") return text;
  return named(dimension, text).slice(0, IMPORTED_VALUE_LENGTH_MAX).toWellFormed();
}

function named(dimension: DimensionName, text: string): string {
  switch (dimension) {
    case "source":
      return spellSource(sourceName(text));
    case "referrer":
      return spellReferrer(text);
    case "hostname":
      return spellHost(text);
    case "page":
    case "entry_page":
    case "exit_page":
      return spellPage(text);
    case "country":
      return countryOf(text) ?? "";
    case "browser":
    case "os":
    case "device":
      return parseGiven(JSON.stringify({ [dimension]: text }))[dimension];
    default:
      return text;
  }
}
