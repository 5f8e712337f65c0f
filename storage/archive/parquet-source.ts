// Gives the library the bytes of a Parquet file. The library unpacks a page by the codec of its column and tells the
// codec only the bytes. So here each column gets a codec of its own. That codec knows where the column's pages are, and
// checks what it has unpacked before the library sees it (parquet-page.ts).

import { type ColumnChunk, type ColumnMetaData, type Compressors, type FileMetaData, parquetMetadata } from "hyparquet";
import { ROW_GROUP_ROWS } from "../../core/limits.ts";
import { assert } from "../../core/outcome.ts";
import { decompress } from "./gzip.ts";
import { checkCodes, checkPages } from "./parquet-page.ts";

/** Bytes of a file by their offset: an ArrayBuffer, or a range that was read before. */
export interface FileBytes {
  readonly byteLength: number;
  slice(start: number, end?: number): ArrayBuffer;
}

export interface ParquetSource {
  readonly file: FileBytes;
  readonly metadata: FileMetaData;
}

/** The offset of a column's first byte in its file. */
export function beginOf({ dictionary_page_offset: dictionary, data_page_offset: data }: ColumnMetaData): number {
  return Number(dictionary || data);
}

/** The metadata of a file, from its last bytes. `checkedEntries` says whether it may be believed. */
export function readMetadata(bytes: ArrayBuffer): FileMetaData {
  // To look for geography, the library would walk through as many columns as a damaged byte claims.
  return parquetMetadata(bytes, { geoparquet: false });
}

/** The rows of [start, end) for the library. It throws where a page claims more values than its rows have. */
export function checkedSource(
  { file, metadata }: ParquetSource,
  { start, end }: { readonly start: number; readonly end: number },
): ParquetSource & { compressors: Compressors } {
  const optional = optionalColumns(metadata);
  const columns: CheckedColumn[] = [];
  const withOwnCodec = (column: ColumnChunk): ColumnChunk => {
    const { meta_data: chunk } = column;
    assert(chunk !== undefined, "a column says where it is");
    const checked = new CheckedColumn(chunk, optional.has(chunk.path_in_schema[0] ?? ""));
    // The library only looks a codec up by its name.
    const codec = `column ${columns.push(checked) - 1}` as ColumnMetaData["codec"];
    return { ...column, meta_data: { ...chunk, codec } };
  };
  let row = 0;
  const groups = metadata.row_groups.map((group) => {
    const first = row;
    row += Number(group.num_rows);
    return first < end && row > start ? { ...group, columns: group.columns.map(withOwnCodec) } : group;
  });
  return {
    file: {
      byteLength: file.byteLength,
      slice: (from, to = file.byteLength) => {
        const bytes = file.slice(from, to);
        for (const column of columns)
          if (column.begin >= from && column.end <= to)
            column.check(new Uint8Array(bytes, column.begin - from, column.end - column.begin));
        return bytes;
      },
    },
    metadata: { ...metadata, row_groups: groups },
    compressors: Object.fromEntries(columns.map((column, at) => [`column ${at}`, column.unpack])),
  };
}

/** The names of columns that may lack a value. */
export function optionalColumns({ schema }: FileMetaData): ReadonlySet<string> {
  return new Set(schema.flatMap((one) => (one.repetition_type === "OPTIONAL" ? [one.name] : [])));
}

/** A column of a row group. */
class CheckedColumn {
  readonly begin: number;
  readonly end: number;
  readonly #isOptional: boolean;
  /** How many codes a page has, by its offset in the column. Undefined until the pages were checked. */
  #coded: ReadonlyMap<number, number> | undefined;

  constructor(chunk: ColumnMetaData, isOptional: boolean) {
    this.begin = beginOf(chunk);
    this.end = this.begin + Number(chunk.total_compressed_size);
    this.#isOptional = isOptional;
  }

  check(bytes: Uint8Array): void {
    const pages = checkPages(bytes, { valuesMax: ROW_GROUP_ROWS, isOptional: this.#isOptional });
    this.#coded = new Map(pages.map(({ offset, values }) => [offset, values]));
  }

  /** `packed` is a window on the column's own bytes, from its beginning on: that is how the library reads a column. */
  readonly unpack = (packed: Uint8Array, bytesMax: number): Uint8Array => {
    assert(this.#coded !== undefined, "a column is looked at before it is unpacked");
    const bytes = decompress(packed, bytesMax);
    const values = this.#coded.get(packed.byteOffset);
    if (values !== undefined) checkCodes(bytes, values);
    return bytes;
  };
}
