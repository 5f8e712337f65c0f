// The tables of an import of rollups: what another product has counted by the Day, without the events. They are the ten
// files of Plausible's export, under Footfall's names, and any other source is brought into them. A row has the values
// of its table's dimensions and the table's counters, all of one Day. Nothing here ever becomes an event or a rollup of
// ours: imported Days are kept apart (storage/ledger/imported.ts) and only join an answer (core/query/imported.ts).

import { type DimensionName, OTHER } from "../counting/dimension.ts";
import { clean } from "../formats/field.ts";
import { COUNT_MAX, IMPORTED_ROWS_MAX, IMPORTED_VALUE_LENGTH_MAX } from "../limits.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";

/** Integers from 0. `visits` of entry and exit pages are the visits that began or ended there. */
export type ImportedCounter = "visitors" | "visits" | "pageviews" | "bounces" | "duration_s" | "events";

export type ImportedTableName =
  | "visitors"
  | "sources"
  | "pages"
  | "entry_pages"
  | "exit_pages"
  | "custom_events"
  | "locations"
  | "devices"
  | "browsers"
  | "systems";

export interface ImportedTable {
  readonly name: ImportedTableName;
  /** What its rows are of. The table of whole Days has none. */
  readonly dimensions: readonly DimensionName[];
  readonly counters: readonly ImportedCounter[];
}

const OF_VISITS: readonly ImportedCounter[] = ["visitors", "visits", "pageviews", "bounces", "duration_s"];

export const IMPORTED_TABLES: readonly ImportedTable[] = [
  { name: "visitors", dimensions: [], counters: OF_VISITS },
  {
    name: "sources",
    dimensions: ["source", "referrer", "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"],
    counters: OF_VISITS,
  },
  { name: "pages", dimensions: ["hostname", "page"], counters: ["visitors", "visits", "pageviews"] },
  { name: "entry_pages", dimensions: ["entry_page"], counters: OF_VISITS },
  { name: "exit_pages", dimensions: ["exit_page"], counters: OF_VISITS },
  { name: "custom_events", dimensions: ["name"], counters: ["visitors", "events"] },
  { name: "locations", dimensions: ["country", "region", "city"], counters: OF_VISITS },
  { name: "devices", dimensions: ["device"], counters: OF_VISITS },
  { name: "browsers", dimensions: ["browser"], counters: OF_VISITS },
  { name: "systems", dimensions: ["os"], counters: OF_VISITS },
];

export const IMPORTED_TABLE_NAMES: readonly ImportedTableName[] = IMPORTED_TABLES.map(({ name }) => name);

export function importedTableOf(name: ImportedTableName): ImportedTable {
  return IMPORTED_TABLES.find((table) => table.name === name) as ImportedTable;
}

/** A row of one table and Day. */
export interface ImportedRow {
  /** In the order of the table's dimensions; "" where the source knew nothing. */
  readonly values: readonly string[];
  /** In the order of the table's counters. */
  readonly counts: readonly number[];
}

/** An import of rollups that counts, as answers need to know it. */
export interface ImportedSpan {
  readonly number: number;
  /** Such as "plausible". */
  readonly source: string;
  /** Its first and its last Day. */
  readonly from: number;
  readonly to: number;
  /** The tables that it has, each with the counters that its source knew. */
  readonly tables: KnownTables;
}

export type KnownTables = Readonly<Partial<Record<ImportedTableName, readonly ImportedCounter[]>>>;

/** What an import says of its tables before their rows come. */
export type AnnouncedTables = Readonly<
  Partial<Record<ImportedTableName, { readonly rows: number; readonly counters: readonly ImportedCounter[] }>>
>;

/**
 * Reads the rows of one table and Day as they are sent: lists of the values and then the counts. `at` is where they
 * stand, such as `days["2024-01-31"]`.
 */
export function parseImportedRows(table: ImportedTable, value: unknown, at: string): Outcome<readonly ImportedRow[]> {
  const wrong = (where: string, expected: string) => rejected("invalid_field", `${where} must be ${expected}`);
  if (!Array.isArray(value) || value.length === 0 || value.length > IMPORTED_ROWS_MAX)
    return wrong(at, `a list of 1 to ${IMPORTED_ROWS_MAX} rows`);
  const { dimensions, counters } = table;
  const shape = [...dimensions, ...counters].join(", ");
  const rows: ImportedRow[] = [];
  const known = new Set<string>();
  for (const [index, row] of (value as readonly unknown[]).entries()) {
    const here = `${at}[${index}]`;
    if (!Array.isArray(row) || row.length !== dimensions.length + counters.length)
      return wrong(here, `a list of: ${shape}`);
    const texts: readonly unknown[] = row.slice(0, dimensions.length);
    const counts: readonly unknown[] = row.slice(dimensions.length);
    if (!texts.every(isValue))
      return wrong(here, `a list of: ${shape}, with texts of at most ${IMPORTED_VALUE_LENGTH_MAX} characters`);
    if (!counts.every(isCount)) return wrong(here, `a list of: ${shape}, with counts as whole numbers from 0`);
    const values = texts.map(clean);
    const key = JSON.stringify(values);
    if (known.has(key)) return rejected("invalid_field", `${here} has the values of a row before it: add them up`);
    known.add(key);
    rows.push({ values, counts });
  }
  return accepted(rows);
}

function isValue(value: unknown): value is string {
  return typeof value === "string" && value.length <= IMPORTED_VALUE_LENGTH_MAX;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= COUNT_MAX;
}

/**
 * Adds up rows of equal values and keeps the largest `rowsMax` by visitors, then events or page views, then values. The
 * others are added up as one row of "(other)", so that sums over the table stay what they were. The order of the rows
 * does not matter.
 */
export function foldRows(
  { dimensions, counters }: ImportedTable,
  rows: Iterable<ImportedRow>,
  rowsMax = IMPORTED_ROWS_MAX,
): readonly ImportedRow[] {
  const sums = new Map<string, { readonly values: readonly string[]; readonly counts: number[] }>();
  const add = ({ values, counts }: ImportedRow) => {
    const key = JSON.stringify(values);
    const sum = sums.get(key) ?? { values, counts: counters.map(() => 0) };
    for (const [index, count] of counts.entries()) sum.counts[index] = (sum.counts[index] as number) + count;
    sums.set(key, sum);
  };
  for (const row of rows) add(row);
  const weights = (["visitors", "events", "pageviews"] as const)
    .map((name) => counters.indexOf(name))
    .filter((at) => at >= 0);
  const sorted = [...sums].sort(([keyA, a], [keyB, b]) => {
    for (const at of weights) {
      const order = (b.counts[at] as number) - (a.counts[at] as number);
      if (order !== 0) return order;
    }
    return keyA < keyB ? -1 : 1;
  });
  if (sorted.length <= rowsMax) return sorted.map(([, row]) => row);
  const others = dimensions.map(() => OTHER);
  sums.clear();
  const [kept, rest] = [sorted.slice(0, rowsMax - 1), sorted.slice(rowsMax - 1)];
  for (const [, row] of kept) add(row);
  for (const [, { counts }] of rest) add({ values: others, counts });
  return [...sums.values()];
}
