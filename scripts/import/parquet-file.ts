// Rows of another product's Parquet file, each as a line of JSON, so that everything after it reads them as it reads
// JSON lines: nested records and lists included. hyparquet reads the file; what it does not unpack itself, Node does.
// Memory holds the rows of one slice of a row group.

import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import {
  type AsyncBuffer,
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type SchemaTree,
} from "hyparquet";
import { messageOf, Problem } from "../problem.ts";

export interface ParquetRow {
  readonly text: string;
  /** How much of the file's rows was read with it, from 0 to 1. */
  readonly share: number;
}

/** Rows that are taken apart at once. */
const SLICE_ROWS = 20_000;

/** Every row in order. A file that cannot be read is a `Problem`. */
export async function* parquetRows(path: string): AsyncGenerator<ParquetRow> {
  try {
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file);
    checkGroups(metadata);
    const total = Number(metadata.num_rows);
    let start = 0;
    for (const { num_rows } of metadata.row_groups) {
      const end = start + Number(num_rows);
      for (; start < end; start += SLICE_ROWS) {
        const rows = await readSlice(file, metadata, { rowStart: start, rowEnd: Math.min(start + SLICE_ROWS, end) });
        for (const [index, row] of rows.entries())
          yield { text: JSON.stringify(row, toPlain), share: (start + index + 1) / total };
      }
      start = end;
    }
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(`cannot read ${path} as Parquet: ${messageOf(error)}${remedyOf(error)}`);
  }
}

/**
 * Rows of a slice, put together column by column. Read all at once, a broken file ended the process now and then: one
 * column's failure was nobody's, while hyparquet (1.31.5) threw that of another.
 */
async function readSlice(
  file: AsyncBuffer,
  metadata: FileMetaData,
  slice: { readonly rowStart: number; readonly rowEnd: number },
): Promise<readonly object[]> {
  const rows: object[] = Array.from({ length: slice.rowEnd - slice.rowStart }, () => ({}));
  for (const { element } of parquetSchema(metadata).children) {
    const options = { file, metadata, compressors: COMPRESSORS, columns: [element.name], ...slice };
    for (const [index, cell] of (await parquetReadObjects(options)).entries()) Object.assign(rows[index] ?? {}, cell);
  }
  return rows;
}

/**
 * Throws where row groups have other columns than the schema, or not as many rows as the file says. Of columns that it
 * does not find, hyparquet would begin to read those before them, and what went wrong there would end the process.
 */
function checkGroups(metadata: FileMetaData): void {
  const leaves = leavesOf(parquetSchema(metadata)).toSorted();
  for (const { columns } of metadata.row_groups) {
    const paths = columns.map(({ meta_data }) => JSON.stringify(meta_data?.path_in_schema)).sort();
    if (JSON.stringify(paths) !== JSON.stringify(leaves)) throw new Error("its columns are not those of its schema");
  }
  const rows = metadata.row_groups.reduce((sum, group) => sum + group.num_rows, 0n);
  if (rows !== metadata.num_rows) throw new Error(`its parts have ${rows} rows, and it says ${metadata.num_rows}`);
}

function leavesOf({ children, path }: SchemaTree): readonly string[] {
  return children.length === 0 ? [JSON.stringify(path)] : children.flatMap(leavesOf);
}

const COMPRESSORS = {
  GZIP: (input: Uint8Array, length: number) => gunzipSync(input, { maxOutputLength: Math.max(length, 1) }),
  ZSTD: (input: Uint8Array, length: number) => zstdDecompressSync(input, { maxOutputLength: Math.max(length, 1) }),
  BROTLI: (input: Uint8Array, length: number) => brotliDecompressSync(input, { maxOutputLength: Math.max(length, 1) }),
};

function remedyOf(error: unknown): string {
  return /compression codec/.test(messageOf(error)) ? "; write it with Snappy, gzip or zstd" : "";
}

/** What JSON has no form for, and lists whose schema does not say that they are lists: {"list": [{"element": …}]}. */
function toPlain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8");
  return typeof value === "object" && value !== null ? (listIn(value) ?? value) : value;
}

function listIn(value: object): readonly unknown[] | undefined {
  const [entry, ...others] = Object.entries(value);
  if (entry === undefined || others.length > 0 || !["list", "bag"].includes(entry[0])) return undefined;
  if (!Array.isArray(entry[1])) return undefined;
  const items = entry[1].map((item: unknown) => Object.entries(Object(item) as object));
  const isList = items.every(
    ([only, ...more]) => more.length === 0 && /^(?:element|item|array_element)$/.test(only?.[0] ?? ""),
  );
  return isList ? items.map(([only]) => only?.[1] as unknown) : undefined;
}
