// An answer as CSV: a column for each dimension and metric of the question, in its order, and a row for each result.
// Money is a number; a column at the end has its currency. With a comparison, each metric has two more columns: its
// value before, and its change. A report has a row for each entry. A list of texts (a path) becomes one text, and a
// list of numbers (retention) a column for each number. CSV has no `meta`, which says how exact the numbers are. The
// JSON answer has it.

import { type CsvCell, csvRow } from "../csv.ts";

type Value = number | { readonly value: number; readonly currency: string } | null;

interface Row {
  readonly metrics: readonly Value[];
  readonly dimensions: readonly string[];
}

/** The parts of an answer that are written as CSV. */
export interface CsvAnswer {
  readonly results: readonly (Row & { readonly comparison?: Row & { readonly change: readonly (number | null)[] } })[];
  readonly query: Readonly<Record<string, unknown>>;
}

/** The whole text of any answer. */
export function toCsv(answer: { readonly results: unknown; readonly query: object }): string {
  const { results, query } = answer;
  if ("metrics" in query) return answerText(answer as unknown as CsvAnswer);
  const entries = Array.isArray(results) ? results : (results as { readonly minutes: readonly unknown[] }).minutes;
  return reportText(entries as readonly Readonly<Record<string, unknown>>[]);
}

function reportText(entries: readonly Readonly<Record<string, unknown>>[]): string {
  const rows = entries.map((entry) =>
    Object.fromEntries(Object.entries(entry).flatMap(([name, value]) => spread(name, value))),
  );
  const head = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return [csvRow(head), ...rows.map((row) => csvRow(head.map((name) => row[name] ?? null)))].join("");
}

function spread(name: string, value: unknown): readonly (readonly [name: string, cell: CsvCell])[] {
  if (!Array.isArray(value)) return [[name, value as CsvCell]];
  if (value.every((item) => typeof item === "string")) return [[name, value.join(" > ")]];
  return value.map((item, index) => [`${name}_${index}`, item as CsvCell] as const);
}

/** A head, and a row for each result. */
function answerText({ results, query }: CsvAnswer): string {
  const dimensions = query["dimensions"] as readonly string[];
  const metrics = query["metrics"] as readonly string[];
  const isCompared = results.some(({ comparison }) => comparison !== undefined);
  const currency = currencyOf(results);
  const compared = isCompared
    ? [...metrics.map((name) => `${name}_before`), ...metrics.map((name) => `${name}_change`)]
    : [];
  const head = [...dimensions, ...metrics, ...compared, ...(currency === undefined ? [] : ["currency"])];
  const lines = results.map((row) =>
    csvRow([
      ...row.dimensions,
      ...row.metrics.map(toCell),
      ...(isCompared ? (row.comparison?.metrics ?? metrics.map(() => null)).map(toCell) : []),
      ...(isCompared ? (row.comparison?.change ?? metrics.map(() => null)) : []),
      ...(currency === undefined ? [] : [currency]),
    ]),
  );
  return [csvRow(head), ...lines].join("");
}

/** All amounts of an answer are in the merchant's one currency. */
function currencyOf(results: CsvAnswer["results"]): string | undefined {
  for (const { metrics } of results) {
    for (const value of metrics) if (typeof value === "object" && value !== null) return value.currency;
  }
  return undefined;
}

function toCell(value: Value): CsvCell {
  return typeof value === "object" && value !== null ? value.value : value;
}
