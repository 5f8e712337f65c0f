// Writes one archive file as Parquet and reads it again. The queue's consumer writes it to R2, and a replay reads it.
// DuckDB, Spark and Trino read it without us. The same file always gives the same bytes: the writer adds no time and no
// randomness, and names itself as below. (gzip's output may change with the runtime's version; the rows do not.)

import { type FileMetaData, parquetRead, type RowGroup, type SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import {
  type Cell,
  COLUMNS,
  type Column,
  type ColumnType,
  cellsOfBlock,
  fromColumns,
  toCells,
} from "../../core/archive/columns.ts";
import type { ColumnBlock } from "../../core/archive/event-columns.ts";
import type { ArchivedEvent, ArchiveFile } from "../../core/archive/file.ts";
import { ROW_GROUP_ROWS } from "../../core/limits.ts";
import { assert } from "../../core/outcome.ts";
import { compress, type Effort } from "./gzip.ts";
import { beginOf, checkedSource, type FileBytes, readMetadata } from "./parquet-source.ts";

/** To be raised when an older reader cannot read new files. */
const ARCHIVE_VERSION = 1;

const TYPES: Record<ColumnType, Omit<SchemaElement, "name">> = {
  text: { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } },
  int32: { type: "INT32" },
  int64: { type: "INT64" },
  // Without isAdjustedToUTC readers would take it for a local time without a zone.
  instant: { type: "INT64", logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" } },
};

/** The Parquet schema of some columns. */
function schemaOf<Row>(columns: readonly Column<Row>[]): SchemaElement[] {
  return [
    { name: "event", num_children: columns.length },
    ...columns.map(
      ({ name, type, absent }): SchemaElement => ({
        name,
        ...TYPES[type],
        repetition_type: absent === undefined ? "REQUIRED" : "OPTIONAL",
      }),
    ),
  ];
}

/**
 * The file as Parquet. For the file of a bundle "fast" is enough, because the seal of its Day writes it again. Throws
 * where a row is not an event.
 */
export function encodeParquet(file: ArchiveFile, effort: Effort = "fast"): Uint8Array<ArrayBuffer> {
  const bytes = new ByteWriter();
  const writer = new GroupWriter(COLUMNS, { bytes, metadata: metadataOf(file), effort });
  for (let start = 0; start === 0 || start < file.rows.length; start += ROW_GROUP_ROWS) {
    writer.write(file.rows.slice(start, start + ROW_GROUP_ROWS));
  }
  writer.finish();
  return new Uint8Array(bytes.getBuffer());
}

/**
 * Writes a Parquet file of archived events, one row group at a time. Memory holds one row group and the compressed
 * ones.
 */
export class ParquetFileWriter {
  readonly #bytes = new ByteWriter();
  readonly #writer: GroupWriter<ArchivedEvent>;

  /** `metadata` is stored in the file, with the version. */
  constructor(metadata: Readonly<Record<string, string>>) {
    this.#writer = new GroupWriter(COLUMNS, { bytes: this.#bytes, metadata, effort: "small" });
  }

  writeGroup(rows: ColumnBlock): void {
    this.#writer.writeCells(cellsOfBlock(rows));
  }

  finish(): Uint8Array<ArrayBuffer> {
    this.#writer.finish();
    return new Uint8Array(this.#bytes.getBuffer());
  }
}

/** The same with columns of the caller's. The caller takes each row group as it is written, so memory holds one. */
export class ParquetStreamWriter<Row> {
  readonly #bytes = new ByteWriter();
  readonly #writer: GroupWriter<Row>;

  constructor(columns: readonly Column<Row>[], metadata: Readonly<Record<string, string>>) {
    this.#writer = new GroupWriter(columns, { bytes: this.#bytes, metadata, effort: "small" });
  }

  /** A row group's bytes. The first one comes behind the file's first bytes. Throws where a row is not valid. */
  group(rows: readonly Row[]): Uint8Array<ArrayBuffer> {
    this.#writer.write(rows);
    return this.#take();
  }

  /** The file's last bytes, which say where everything is in it. */
  end(): Uint8Array<ArrayBuffer> {
    this.#writer.finish();
    return this.#take();
  }

  /** The bytes written since the last call. Offsets still count from the file's beginning. */
  #take(): Uint8Array<ArrayBuffer> {
    const taken = new Uint8Array(this.#bytes.getBuffer());
    this.#bytes.index = 0;
    return taken;
  }
}

interface GroupWriting {
  readonly bytes: ByteWriter;
  readonly metadata: Readonly<Record<string, string>>;
  readonly effort: Effort;
}

/** Writes row groups of some columns. */
class GroupWriter<Row> {
  readonly #columns: readonly Column<Row>[];
  readonly #writer: ParquetWriter;

  constructor(columns: readonly Column<Row>[], { bytes, metadata, effort }: GroupWriting) {
    this.#columns = columns;
    this.#writer = new ParquetWriter({
      writer: bytes,
      schema: schemaOf(columns),
      codec: "GZIP",
      compressors: { GZIP: (page) => compress(page, effort) },
      createdBy: `footfall version ${ARCHIVE_VERSION}`,
      kvMetadata: Object.entries({ footfall_version: String(ARCHIVE_VERSION), ...metadata }).map(([key, value]) => ({
        key,
        value,
      })),
    });
  }

  write(rows: readonly Row[]): void {
    this.writeCells(this.#columns.map((column) => toCells(column, rows)));
  }

  /** By column. */
  writeCells(cells: readonly Cell[][]): void {
    const columnData = this.#columns.map((column, at) => ({
      name: column.name,
      data: toParquet(column, cells[at] as Cell[]),
    }));
    // It writes to memory, so it is done when it returns.
    void this.#writer.write({ columnData, rowGroupSize: ROW_GROUP_ROWS });
  }

  finish(): void {
    void this.#writer.finish();
  }
}

/** The inverse of `encodeParquet`. Rows come in the archive's order. Throws on anything else. */
export async function readParquet(bytes: Uint8Array): Promise<ArchiveFile> {
  const file = bytes.slice().buffer;
  const metadata = readMetadata(file);
  const entries = checkedEntries(metadata, file.byteLength);
  return {
    date: entries.get("footfall_date") ?? "",
    partition: entries.get("footfall_partition") ?? "",
    first: Number(entries.get("footfall_first")),
    rows: await readRows({ file, metadata }),
  };
}

/**
 * The metadata entries of a Parquet file of so many bytes. It throws where the version is unknown, or where the file
 * claims something that no file of ours does. The library believes everything, and would make room for a billion rows
 * that a damaged byte claims.
 */
export function checkedEntries(metadata: FileMetaData, byteLength: number): ReadonlyMap<string, string> {
  const entries = new Map(metadata.key_value_metadata?.map(({ key, value }) => [key, value ?? ""]));
  const version = entries.get("footfall_version");
  assert(version === String(ARCHIVE_VERSION), `archive version ${version} is one this reader knows`);
  const [root, ...columns] = metadata.schema;
  const isFlat = root?.num_children === columns.length && columns.every((column) => column.num_children === undefined);
  const isOfValues = columns.every(({ repetition_type: type }) => type === "REQUIRED" || type === "OPTIONAL");
  const names = columns.map(({ name }) => name);
  assert(isFlat && isOfValues && new Set(names).size === names.length, "an archive file is a table");
  let end = 0;
  const rows = metadata.row_groups.map((group) => {
    const own = rowsOf(group, { names, start: end, byteLength });
    end = own.end;
    return own.rows;
  });
  assert(rows.reduce((sum, count) => sum + count, 0) === Number(metadata.num_rows), "a file has its row groups' rows");
  return entries;
}

interface GroupPlace {
  /** Of the file's columns, in their order. */
  readonly names: readonly string[];
  /** The end of the row group before. */
  readonly start: number;
  readonly byteLength: number;
}

/**
 * A row group's rows and its end. It checks that the row group has each column once, with the same number of values,
 * one after the other in the file. If a column is there twice, the library reads one and forgets the other, and nobody
 * sees its failure. Columns that share bytes would be read again and again.
 */
function rowsOf({ num_rows, columns }: RowGroup, { names, start, byteLength }: GroupPlace) {
  const rows = Number(num_rows);
  assert(rows >= 0 && rows <= ROW_GROUP_ROWS, `a row group has at most ${ROW_GROUP_ROWS} rows`);
  assert(columns.length === names.length, "a row group has the file's columns");
  let end = start;
  for (const [index, { meta_data: chunk }] of columns.entries()) {
    assert(chunk !== undefined && chunk.num_values === num_rows, "a column has a value for each row");
    const [name, ...deeper] = chunk.path_in_schema;
    assert(name === names[index] && deeper.length === 0, "a column has its name");
    assert(chunk.codec === "GZIP", `a column is packed by gzip, not ${chunk.codec}`);
    const begin = beginOf(chunk);
    assert(begin >= end, "columns lie one after the other");
    end = begin + Number(chunk.total_compressed_size);
    assert(begin <= end && end <= byteLength, "a column lies in its file");
  }
  return { rows, end };
}

export interface RowsWanted {
  readonly file: FileBytes;
  readonly metadata: FileMetaData;
  /** Rows in [start, end) of the file. Without it all rows. */
  readonly start?: number;
  readonly end?: number;
  /** Columns to read, by name; all others are absent. Without it all columns. */
  readonly columns?: readonly string[];
}

/** The rows of a file, or some of them. */
export async function readRows({ file, metadata, start, end, columns }: RowsWanted): Promise<readonly ArchivedEvent[]> {
  const first = start ?? 0;
  const count = Math.min(end ?? Number.POSITIVE_INFINITY, Number(metadata.num_rows)) - first;
  const chunks: Chunk[] = [];
  // A file from before a field was added has no such column, and the library must not be asked for it.
  const there = new Set(metadata.schema.map(({ name }) => name));
  await parquetRead({
    ...checkedSource({ file, metadata }, { start: first, end: first + count }),
    parsers: { timestampFromMilliseconds: Number, stringFromBytes: (text) => utf8.decode(text) },
    rowStart: first,
    rowEnd: first + count,
    ...(columns === undefined ? {} : { columns: columns.filter((name) => there.has(name)) }),
    onChunk: (chunk) => void chunks.push(chunk),
  });
  const byColumn = Map.groupBy(chunks, ({ columnName }) => columnName);
  return fromColumns((name) => cellsOf(byColumn.get(name), { first, count }), count);
}

/** Cells of one column in [rowStart, rowEnd) of the file. */
interface Chunk {
  readonly columnName: string;
  readonly columnData: ArrayLike<unknown>;
  readonly rowStart: number;
  readonly rowEnd: number;
}

/** The cells of some rows, from chunks that have them and perhaps others. */
function cellsOf(
  chunks: readonly Chunk[] | undefined,
  { first, count }: { first: number; count: number },
): ArrayLike<unknown> | undefined {
  const [chunk] = chunks ?? [];
  if (chunk === undefined || (chunks?.length === 1 && chunk.rowStart === first)) return chunk?.columnData;
  const cells: unknown[] = new Array(count);
  for (const { columnData, rowStart } of chunks ?? []) {
    for (let index = 0; index < columnData.length; index++) {
      const row = rowStart + index - first;
      if (row >= 0 && row < count) cells[row] = columnData[index];
    }
  }
  return cells;
}

/** A text may begin with U+FEFF, and that is then part of it. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The file's name, stored inside it as well, so that a copy of it anywhere says what it is. */
function metadataOf({ date, partition, first, rows }: ArchiveFile): Record<string, string> {
  return {
    footfall_date: date,
    footfall_partition: partition,
    footfall_first: String(first),
    footfall_count: String(rows.length),
  };
}

/** The writer takes 64-bit integers as bigint only; instants it converts itself. */
function toParquet({ type }: Pick<Column, "type">, cells: Cell[]): unknown[] {
  return type === "int64" ? cells.map((cell) => (cell === null ? null : BigInt(cell))) : cells;
}
