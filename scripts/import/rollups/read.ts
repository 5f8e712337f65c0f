// Reads the tables of an import of rollups: the rows of each Day, added up and cut to what one Day may have. It is done
// twice, once to know and show what there is and once to send it, so that one table at a time is held.

import { createHash, type Hash } from "node:crypto";
import {
  foldRows,
  type ImportedCounter,
  type ImportedRow,
  type ImportedTable,
  type ImportedTableName,
  importedTableOf,
} from "../../../core/imported/table.ts";
import { IMPORTED_BODY_BYTES_MAX, IMPORTED_ROWS_MAX } from "../../../core/limits.ts";
import { dateOf } from "../../../core/time.ts";
import { Problem } from "../../problem.ts";
import { type CsvRecord, toRecords } from "../csv-record.ts";
import type { TextLine } from "../line.ts";
import { quoteLine, Tally } from "../tally.ts";
import type { RollupFile } from "./file.ts";
import { type Columns, columnsOf, readRollupRow } from "./row.ts";

/** A table that was read whole. */
export interface RollupTable {
  readonly table: ImportedTable;
  /** By Day, in order. */
  readonly days: ReadonlyMap<number, readonly ImportedRow[]>;
  /** The counters that all of its files have. */
  readonly counters: readonly ImportedCounter[];
  /** Days on which the smallest rows were added up. */
  readonly cutDays: number;
}

interface Options {
  /** UTC ms. */
  readonly now: number;
  readonly tally: Tally;
  readonly say: (text: string) => void;
}

/** The tables of some files, one after the other. Files of one table have different Days. */
export async function* readTables(
  files: readonly RollupFile[],
  options: Options & { readonly digest?: Hash },
): AsyncGenerator<RollupTable> {
  const byTable = Map.groupBy(files, ({ table }) => table);
  for (const [name, own] of byTable) yield readTable(name, own, options);
}

async function readTable(
  name: ImportedTableName,
  files: readonly RollupFile[],
  options: Options & { readonly digest?: Hash },
): Promise<RollupTable> {
  const table = importedTableOf(name);
  const found = new Map<number, ImportedRow[]>();
  const owners = new Map<number, string>();
  let counters: readonly ImportedCounter[] = table.counters;
  for (const file of files) {
    const known = await readFile(file, table, options, (day, row) => {
      const owner = owners.get(day) ?? file.name;
      owners.set(day, owner);
      if (owner !== file.name) throw new Problem(`${owner} and ${file.name} both have rows of ${dateOf(day)}`);
      const rows = found.get(day);
      if (rows === undefined) found.set(day, [row]);
      else rows.push(row);
    });
    counters = counters.filter((counter) => known.includes(counter));
  }
  let cutDays = 0;
  const days = new Map<number, readonly ImportedRow[]>();
  for (const day of [...found.keys()].sort((a, b) => a - b)) {
    const rows = fitting(table, found.get(day) as ImportedRow[]);
    found.delete(day);
    if (rows.isCut) cutDays += 1;
    days.set(day, rows.rows);
  }
  return { table, days, counters, cutDays };
}

/** As many rows as one request may bring of a Day. */
function fitting(table: ImportedTable, rows: readonly ImportedRow[]) {
  const all = foldRows(table, rows, Number.POSITIVE_INFINITY);
  for (let rowsMax = IMPORTED_ROWS_MAX; ; rowsMax = Math.floor(rowsMax / 2)) {
    const some = foldRows(table, all, rowsMax);
    if (bytesOf(some) < DAY_BYTES_MAX) return { rows: some, isCut: all.length > rowsMax };
  }
}

const DAY_BYTES_MAX = Math.floor(IMPORTED_BODY_BYTES_MAX * 0.9);

/** About how many bytes rows take in a request. */
export function bytesOf(rows: readonly ImportedRow[]): number {
  return Buffer.byteLength(JSON.stringify(rows.map(toList)));
}

/** A row as the API takes it. */
export function toList({ values, counts }: ImportedRow): readonly (string | number)[] {
  return [...values, ...counts];
}

async function readFile(
  file: RollupFile,
  table: ImportedTable,
  { now, tally, say, digest }: Options & { readonly digest?: Hash },
  take: (day: number, row: ImportedRow) => void,
): Promise<readonly ImportedCounter[]> {
  let columns: Columns | undefined;
  let width = 0;
  for await (const { values, first, problem } of recordsOf(file)) {
    digest?.update(`${JSON.stringify([table.name, ...values])}\n`);
    if (columns === undefined) {
      const found = problem === undefined ? columnsOf(table, values) : problem;
      if (typeof found === "string") throw new Problem(`${file.name}: ${found}`);
      if (found.others.length > 0) say(`${file.name}: left out ${found.others.join(", ")}`);
      columns = found;
      width = values.length;
      continue;
    }
    tally.lines += 1;
    const origin = { line: first, text: `${file.name}: ${quoteLine(values.join(","))}` };
    if (problem !== undefined || values.length !== width) {
      const message = problem ?? `the row has ${values.length} values, and the header ${width}`;
      tally.reject("wrong_row", { ...origin, message });
      continue;
    }
    const read = readRollupRow(table, columns, { values, now });
    if (read.ok) take(read.day, read.row);
    else tally.reject(read.code, { ...origin, message: read.message });
  }
  if (columns === undefined) throw new Problem(`${file.name} is empty: it has not even a header`);
  const { counters } = columns;
  return table.counters.filter((_, index) => (counters[index] as number) >= 0);
}

/** Records of a file whose header says what separates columns. */
async function* recordsOf(file: RollupFile): AsyncGenerator<CsvRecord> {
  let delimiter = ",";
  for await (const { text } of inUtf8(file)) {
    if (text.trim() === "") continue;
    delimiter = [",", ";", "\t"].find((one) => text.includes(one)) ?? ",";
    break;
  }
  yield* toRecords(inUtf8(file), delimiter);
}

/** Letters that are lost would be other pages. */
async function* inUtf8({ name, lines }: RollupFile): AsyncGenerator<TextLine> {
  for await (const line of lines()) {
    const remedy = "convert it first: iconv -f WINDOWS-1252 -t UTF-8 <file>";
    if (!line.isUtf8) throw new Problem(`${name}: line ${line.number} is not UTF-8; ${remedy}`);
    yield line;
  }
}

export interface RollupPreview {
  /** Of all rows, in whatever file they come. */
  readonly digest: string;
  readonly tables: readonly {
    readonly name: ImportedTableName;
    readonly rows: number;
    readonly counters: readonly ImportedCounter[];
    readonly cutDays: number;
  }[];
  /** How many rows each Day has. */
  readonly days: ReadonlyMap<number, number>;
  /** The first rows of the first table, and what its counters come to. */
  readonly first: readonly (readonly [date: string, row: ImportedRow])[];
  readonly sums: readonly (readonly [ImportedCounter, number])[];
  readonly firstTable: ImportedTable;
  readonly tally: Tally;
}

const FIRST_MAX = 10;

/** Reads everything once, and says what it comes to. */
export async function previewRollups(
  files: readonly RollupFile[],
  { now, say }: Pick<Options, "now" | "say">,
): Promise<RollupPreview> {
  const digest = createHash("sha256");
  const tally = new Tally();
  const tables: RollupPreview["tables"][number][] = [];
  const days = new Map<number, number>();
  let head: Pick<RollupPreview, "first" | "sums" | "firstTable"> | undefined;
  for await (const one of readTables(files, { now, tally, say, digest })) {
    let rows = 0;
    for (const [day, own] of one.days) {
      rows += own.length;
      days.set(day, (days.get(day) ?? 0) + own.length);
    }
    if (rows === 0) continue;
    tables.push({ name: one.table.name, rows, counters: one.counters, cutDays: one.cutDays });
    head ??= headOf(one);
  }
  if (head === undefined) throw new Problem(`no row of ${files.map(({ name }) => name).join(", ")} could be read`);
  return { digest: digest.digest("hex"), tables, days, tally, ...head };
}

function headOf({ table, days, counters }: RollupTable): Pick<RollupPreview, "first" | "sums" | "firstTable"> {
  const first: [string, ImportedRow][] = [];
  const sums = new Map<ImportedCounter, number>();
  for (const [day, rows] of days)
    for (const row of rows) {
      if (first.length < FIRST_MAX) first.push([dateOf(day), row]);
      for (const [index, counter] of table.counters.entries())
        sums.set(counter, (sums.get(counter) ?? 0) + (row.counts[index] as number));
    }
  return { firstTable: table, first, sums: [...sums].filter(([counter]) => counters.includes(counter)) };
}
