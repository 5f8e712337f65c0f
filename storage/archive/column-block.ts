// Reads a row group of an archive file as columns (core/archive/event-columns.ts). Codes of a dictionary stay codes,
// and each different text is made once instead of once for each row. The library finds the pages and unpacks the codes.
// It does not make a value for each row, because that takes longer than counting the rows. The archive's pages are
// plain or of a dictionary. No other kind was ever written.

import type { ColumnMetaData, FileMetaData, PageHeader } from "hyparquet";
import { parquetHeader } from "hyparquet/src/column.js";
import { readRleBitPackedHybrid } from "hyparquet/src/encoding.js";
import { COLUMNS, type Column } from "../../core/archive/columns.ts";
import {
  type ColumnBlock,
  filterRows,
  LateTexts,
  noCodes,
  numbersOf,
  type TextColumn,
} from "../../core/archive/event-columns.ts";
import { FIELDS } from "../../core/event.ts";
import { ROW_GROUP_ROWS } from "../../core/limits.ts";
import { assert } from "../../core/outcome.ts";
import { decompress } from "./gzip.ts";
import { checkedEntries } from "./parquet.ts";
import { checkCodes, checkPages } from "./parquet-page.ts";
import { beginOf, type FileBytes, optionalColumns, readMetadata } from "./parquet-source.ts";

export interface BlockWanted {
  readonly file: FileBytes;
  readonly metadata: FileMetaData;
  /** The number of the row group in the file. */
  readonly group: number;
  /** The merchants whose rows are read. */
  readonly isWanted: (merchant: number) => boolean;
  /** The columns to read, by name; undefined for all. Columns that are not read hold "" or 0. */
  readonly columns?: readonly string[];
}

const [MERCHANT] = COLUMNS as readonly [Column];
const PARTITION = COLUMNS.find(({ name }) => name === "partition") as Column;
const POSITION = COLUMNS.find(({ name }) => name === "position") as Column;

/** The wanted rows of a row group; undefined where it has none. */
export function readBlock({ file, metadata, group, isWanted, columns }: BlockWanted): ColumnBlock | undefined {
  const { num_rows, columns: chunks } = metadata.row_groups[group] as FileMetaData["row_groups"][number];
  const count = Number(num_rows);
  const optional = optionalColumns(metadata);
  const found = new Map(
    chunks.map(({ meta_data }): [string, Chunk] => {
      const [name] = (meta_data as ColumnMetaData).path_in_schema as [string];
      return [name, { ...(meta_data as ColumnMetaData), isOptional: optional.has(name) }];
    }),
  );
  // A file written before a field was added has no such column.
  const isAsked = ({ name }: Column) => columns === undefined || columns.includes(name);
  const numbers = (column: Column) =>
    isAsked(column)
      ? numberColumn(column, pagesOf(chunkOf(file, found.get(column.name))), count)
      : new Float64Array(count);
  const texts = (column: Column) =>
    textsColumn(column, isAsked(column) ? pagesOf(chunkOf(file, found.get(column.name))) : [], count);
  const lateTexts = (column: Column) => {
    if (!isAsked(column)) return texts(column);
    const chunk = chunkOf(file, found.get(column.name)); // of the row group, which goes, nothing else is kept
    return new LateTexts(() => textsColumn(column, pagesOf(chunk), count));
  };
  const merchants = numbers(MERCHANT);
  if (!merchants.some(isWanted)) return undefined;
  const partitions = texts(PARTITION);
  const block: ColumnBlock = {
    count,
    partition: partitions.values[partitions.codes[0] as number] as string,
    positions: numbers(POSITION),
    texts: FIELDS.map(({ name, type }, at) => {
      if (type !== "text") return undefined;
      return name === "id" ? lateTexts(COLUMNS[at] as Column) : texts(COLUMNS[at] as Column);
    }),
    numbers: FIELDS.map(({ type, name }, at) =>
      type === "text" ? undefined : name === "merchant" ? merchants : numbers(COLUMNS[at] as Column),
    ),
  };
  const own = numbersOf(block, "merchant");
  return filterRows(block, (row) => isWanted(own[row] as number));
}

/** The wanted rows of a whole file, a row group after the other. */
export function* readBlocks(
  bytes: Uint8Array,
  wanted: Pick<BlockWanted, "isWanted" | "columns">,
): Generator<ColumnBlock, undefined> {
  const file = bytes.slice().buffer;
  const metadata = readMetadata(file);
  checkedEntries(metadata, file.byteLength);
  for (let group = 0; group < metadata.row_groups.length; group++) {
    const block = readBlock({ ...wanted, file, metadata, group });
    if (block !== undefined) yield block;
  }
}

/** A page of values, unpacked. */
interface Page {
  readonly kind: "dictionary" | "plain" | "codes";
  readonly bytes: Uint8Array;
  /** How many rows the page has; for a dictionary, how many values. */
  readonly rows: number;
  /** For each row whether it has a value; undefined where every row has one. */
  readonly levels: Uint8Array | undefined;
  readonly type: ColumnMetaData["type"];
}

/** A column of a row group, and whether its rows may be without a value. */
interface Chunk extends ColumnMetaData {
  readonly isOptional: boolean;
}

/** A column of a row group, as in the file. */
interface PackedChunk {
  readonly chunk: Chunk;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Undefined where the file lacks the column. */
function chunkOf(file: FileBytes, chunk: Chunk | undefined): PackedChunk | undefined {
  if (chunk === undefined) return undefined;
  const start = beginOf(chunk);
  return { chunk, bytes: new Uint8Array(file.slice(start, start + Number(chunk.total_compressed_size))) };
}

/** The pages of a column; none where the file lacks the column. */
function* pagesOf(packed: PackedChunk | undefined): Generator<Page, undefined> {
  if (packed === undefined) return;
  const { chunk, bytes } = packed;
  checkPages(bytes, { valuesMax: ROW_GROUP_ROWS, isOptional: chunk.isOptional });
  const reader = { view: new DataView(bytes.buffer), offset: 0 };
  while (reader.offset < bytes.length) {
    const header = parquetHeader(reader);
    const body = bytes.subarray(reader.offset, reader.offset + header.compressed_page_size);
    reader.offset += header.compressed_page_size;
    yield pageOf(header, body, chunk);
  }
}

/** A page that `checkPages` has accepted. */
function pageOf(header: PageHeader, body: Uint8Array, { type }: Chunk): Page {
  const unpack = (packed: Uint8Array, size: number) => {
    const bytes = decompress(packed, size);
    assert(bytes.length === size, "a page is as long as its header says");
    return bytes;
  };
  const { type: kind, dictionary_page_header: dictionary, data_page_header_v2: data } = header;
  const size = header.uncompressed_page_size;
  if (kind === "DICTIONARY_PAGE" && dictionary !== undefined)
    return { kind: "dictionary", bytes: unpack(body, size), rows: dictionary.num_values, levels: undefined, type };
  assert(data !== undefined, "a page is a dictionary or has values");
  const length = data.definition_levels_byte_length;
  const levels = length === 0 ? undefined : levelsIn(body.subarray(0, length), data.num_values);
  const bytes = unpack(body.subarray(length), size - length);
  return { kind: kindOf(data.encoding), bytes, rows: data.num_values, levels, type };
}

function kindOf(encoding: string): Page["kind"] {
  assert(encoding === "PLAIN" || encoding.endsWith("_DICTIONARY"), `a page is no ${encoding}`);
  return encoding === "PLAIN" ? "plain" : "codes";
}

function levelsIn(bytes: Uint8Array, rows: number): Uint8Array {
  const levels = new Uint8Array(rows);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  readRleBitPackedHybrid({ view, offset: 0 }, 1, levels as never, bytes.length);
  return levels;
}

/** The codes in a page: indexes of the dictionary, for the rows that have a value. */
function codesIn({ bytes }: Page, values: number): Uint32Array {
  checkCodes(bytes, values);
  const codes = new Uint32Array(values);
  const width = bytes[0] ?? 0;
  if (width === 0) return codes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  readRleBitPackedHybrid({ view, offset: 1 }, width, codes as never, bytes.length - 1);
  return codes;
}

/** How many of a page's rows have a value. */
function valuesIn({ levels, rows }: Page): number {
  if (levels === undefined) return rows;
  let values = 0;
  for (let row = 0; row < rows; row++) values += levels[row] as number;
  return values;
}

function textsColumn(column: Column, pages: Iterable<Page>, count: number): TextColumn {
  const values: string[] = [];
  let codes = noCodes(count);
  let [row, absent, dictionary] = [0, -1, 0];
  for (const page of pages) {
    assert(page.type === "BYTE_ARRAY", `column ${column.name} is text, not ${page.type}`);
    if (page.kind === "dictionary") {
      for (const text of plainTexts(page.bytes, page.rows)) values.push(text);
      dictionary = values.length;
      continue;
    }
    if (row === 0) codes = new Uint32Array(count);
    assert(row + page.rows <= count, `column ${column.name} has a value for each row`);
    const found = valuesIn(page);
    const base = values.length;
    const places = page.kind === "plain" ? undefined : codesIn(page, found);
    if (places === undefined) for (const text of plainTexts(page.bytes, found)) values.push(text);
    if (found < page.rows && absent < 0) absent = values.push("") - 1;
    for (let at = 0, value = 0; at < page.rows; at++) {
      const isThere = page.levels === undefined || page.levels[at] === 1;
      const code = !isThere ? absent : places === undefined ? base + value : (places[value] as number);
      if (isThere) {
        value += 1;
        if (places !== undefined && code >= dictionary) assert(false, "a code is one of its dictionary's");
      }
      codes[row + at] = code;
    }
    row += page.rows;
  }
  if (row === 0) values.push("");
  assert(row === 0 || row === count, `column ${column.name} has a value for each row`);
  return { codes, values };
}

function numberColumn(column: Column, pages: Iterable<Page>, count: number): Float64Array {
  const numbers = new Float64Array(count);
  let row = 0;
  let dictionary: Float64Array = new Float64Array(0);
  for (const page of pages) {
    if (page.kind === "dictionary") {
      dictionary = plainNumbers(column, page, page.rows);
      continue;
    }
    assert(row + page.rows <= count, `column ${column.name} has a value for each row`);
    const found = valuesIn(page);
    const values = page.kind === "plain" ? plainNumbers(column, page, found) : pick(dictionary, codesIn(page, found));
    const absent = Number(column.absent);
    assert(found === page.rows || column.absent !== undefined, `column ${column.name} has a number for each row`);
    for (let at = 0, value = 0; at < page.rows; at++)
      numbers[row + at] = page.levels === undefined || page.levels[at] === 1 ? (values[value++] as number) : absent;
    row += page.rows;
  }
  if (row === 0) {
    assert(typeof column.absent === "number", `column ${column.name} is there`);
    if (column.absent !== 0) numbers.fill(column.absent);
  }
  assert(row === 0 || row === count, `column ${column.name} has a value for each row`);
  return numbers;
}

function pick(dictionary: Float64Array, codes: Uint32Array): Float64Array {
  const picked = new Float64Array(codes.length);
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] as number;
    if (code >= dictionary.length) assert(false, "a code is one of its dictionary's");
    picked[at] = dictionary[code] as number;
  }
  return picked;
}

/** A text may begin with U+FEFF, which is part of it, so it is not taken for a byte order mark. */
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const latin1 = new TextDecoder("latin1");

/**
 * The texts of a plain page, each with its length first. The texts of most pages are ASCII. Such a page is decoded at
 * once and then split.
 */
function plainTexts(bytes: Uint8Array, count: number): readonly string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = latin1.decode(bytes);
  const texts: string[] = new Array(count);
  let at = 0;
  for (let index = 0; index < count; index++) {
    const start = at + 4;
    const end = start + view.getUint32(at, true);
    if (end > bytes.length) assert(false, "a text ends inside its page");
    let isAscii = true;
    for (let byte = start; byte < end && isAscii; byte++) isAscii = (bytes[byte] as number) < 0x80;
    texts[index] = isAscii ? whole.slice(start, end) : utf8.decode(bytes.subarray(start, end));
    at = end;
  }
  return texts;
}

function plainNumbers({ name, type: wanted }: Column, { bytes, type }: Page, count: number): Float64Array {
  assert(type === (wanted === "int32" ? "INT32" : "INT64"), `column ${name} is ${wanted}, not ${type}`);
  const width = type === "INT32" ? 4 : 8;
  assert(bytes.length >= count * width, "a page has all of its values");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const numbers = new Float64Array(count);
  for (let index = 0; index < count; index++) {
    const at = index * width;
    const number =
      width === 4 ? view.getInt32(at, true) : view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
    if (!Number.isSafeInteger(number)) assert(false, `column ${name} is of whole numbers`);
    numbers[index] = number;
  }
  return numbers;
}
