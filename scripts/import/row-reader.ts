// How the lines of a file become rows, by its format: each reader is asked of every line in order, because some lines
// (a CSV's header, the directives of a W3C log) say how to read those after them.

import { Problem } from "../problem.ts";
import { readLogLine } from "./access-log.ts";
import { type ColumnPlan, planColumns, readCsvRow } from "./csv-row.ts";
import type { FileFormat } from "./detect.ts";
import type { FileLine } from "./file.ts";
import { parseObject, readJsonLine } from "./json-log.ts";
import type { Reading } from "./resume.ts";
import { type Row, rejectedRow } from "./row.ts";
import { OBJECT_SOURCES, type SourceOptions, TABLE_SOURCES, type TableReader } from "./source.ts";
import { isMatomo } from "./sources/matomo.ts";
import { readSnowplow } from "./sources/snowplow.ts";
import { w3cReader } from "./w3c-log.ts";

export interface RowReader {
  /** Takes in a line that says how to read those after it, and answers whether it was one. */
  readonly note: (line: FileLine) => boolean;
  /** The events of a line; nearly always one. */
  readonly read: (line: FileLine) => readonly Row[];
  /** What the file was taken for so far. */
  readonly source: () => string;
}

export interface RowOptions extends Reading {
  readonly path: string;
  readonly say: (text: string) => void;
}

export function rowReader(format: FileFormat, options: RowOptions): RowReader {
  const { note, read, source } = readerOf(format, options);
  const unreadable = (problem: string) => [rejectedRow("unreadable", problem)];
  return { note, source, read: (line) => (line.problem === undefined ? read(line) : unreadable(line.problem)) };
}

function readerOf(format: FileFormat, options: RowOptions): RowReader {
  const { note, read, source = () => format.kind } = lineReader(format, options);
  return { note, source, read: (line) => [read(line)].flat() };
}

/** A reader whose lines may be one row each. */
interface LineReader extends Pick<RowReader, "note"> {
  readonly read: (line: FileLine) => Row | readonly Row[];
  readonly source?: () => string;
}

function lineReader(format: FileFormat, options: RowOptions): LineReader {
  const textOfLine = ({ values }: FileLine) => values[0] ?? "";
  if (format.kind === "log") return { note: () => false, read: (line) => readLogLine(textOfLine(line), options) };
  if (format.kind === "json") return jsonReader(options, (text) => readJsonLine(text, options));
  if (format.kind === "parquet") return jsonReader(options, () => FOREIGN_PARQUET);
  if (format.kind === "csv") return csvReader(options);
  if (format.kind === "tabs") return tabsReader(options);
  const reader = w3cReader();
  return {
    note: (line) => reader.note(textOfLine(line)),
    read: (line) => reader.read(textOfLine(line), options),
  };
}

const FOREIGN_PARQUET = rejectedRow(
  "not_known",
  "this is a Parquet file of none of the products that are known; convert it to CSV: duckdb -c \"COPY (FROM '<file>') TO 'rows.csv'\"",
);

/** Objects of a source; what else there may be, such as a log's requests, is for `readOther`. */
function jsonReader(options: RowOptions, readOther: (text: string) => Row): LineReader {
  const sources = OBJECT_SOURCES.map(({ name, open }) => ({ name, read: open(sourceOptions(options)) }));
  let found: string | undefined;
  return {
    note: () => false,
    source: () => found ?? "json",
    read: ({ values: [text = ""] }) => {
      const object = parseObject(text);
      for (const { name, read } of object === undefined ? [] : sources) {
        const rows = read(object as Readonly<Record<string, unknown>>);
        if (rows === undefined) continue;
        found ??= name;
        return rows;
      }
      return readOther(text);
    },
  };
}

function sourceOptions({ origin, refunds = true }: RowOptions): SourceOptions {
  return { origin, refunds };
}

/** The first row of a CSV is its header. */
function csvReader(options: RowOptions): LineReader {
  let plan: ColumnPlan | undefined;
  let known: { readonly name: string; readonly columns: readonly string[]; readonly read: TableReader } | undefined;
  return {
    source: () => known?.name ?? "csv",
    note(line) {
      if (plan !== undefined || known !== undefined) return false;
      known = openSource(line.values, options);
      if (known !== undefined) return true;
      const planned = planColumns(line.values, options.map);
      if (!planned.ok) throw new Problem(`${options.path}: ${planned.why}`);
      plan = planned.plan;
      sayOfColumns(plan, options.say);
      return true;
    },
    read: ({ values }) => {
      if (known === undefined) return readCsvRow(values, plan as ColumnPlan, options.origin);
      const { columns, read } = known;
      if (values.length < columns.length)
        return rejectedRow("wrong_columns", `${values.length} values, where the first line names ${columns.length}`);
      return read((column) => values[columns.indexOf(column)]?.trim() ?? "");
    },
  };
}

/** A table of Matomo as `mysql --batch` writes it, which has a header; or Snowplow's events, which have none. */
function tabsReader(options: RowOptions): LineReader {
  const table = csvReader(options);
  let hasHeader: boolean | undefined;
  const split = (line: FileLine) => (line.values[0] ?? "").split("\t");
  return {
    source: () => (hasHeader ? (table.source?.() ?? "") : "snowplow"),
    note: (line) => {
      hasHeader ??= isMatomo(split(line));
      return hasHeader && table.note({ ...line, values: split(line) });
    },
    read: (line) =>
      hasHeader ? table.read({ ...line, values: split(line).map(unescaped) }) : readSnowplow(split(line)),
  };
}

const ESCAPED: Readonly<Record<string, string>> = { n: "\n", t: "\t", "0": "", "\\": "\\" };

/** A value as `mysql --batch` writes it. */
function unescaped(value: string): string {
  return value.replace(/\\([nt0\\])/g, (_, sign: string) => ESCAPED[sign] ?? "");
}

/** Reads a header as one of a known product's, unless the columns are mapped by hand. */
function openSource(columns: readonly string[], options: RowOptions) {
  const source = options.map.size > 0 ? undefined : TABLE_SOURCES.find(({ isHeader }) => isHeader(columns));
  if (source === undefined) return undefined;
  const read = source.open(columns, sourceOptions(options));
  if (typeof read === "string") throw new Problem(`${options.path}: ${read}`);
  options.say(`read as a file of ${source.name}`);
  return { name: source.name, columns, read };
}

function sayOfColumns({ ignored, targets }: ColumnPlan, say: (text: string) => void): void {
  if (ignored.length > 0) say(`columns left out: ${ignored.join(", ")}`);
  if (!targets.includes("visitor_id") && !targets.includes("address")) {
    say("no column tells visitors apart (visitor_id or address): all rows count as few visitors");
  }
}
