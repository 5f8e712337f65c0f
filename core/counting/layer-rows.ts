// A layer on disk: the rows of a table with all that left memory at one time, for several merchants' Days. There are
// three kinds of rows, each sorted by merchant: ids with their content hashes, outlines of visitors and orders
// (rested.ts), and Days of visits (layer.ts). A filter of all keys and the beginning of each row stay in memory. So a
// key that is not in the layer costs no read, and a key that is in it costs one row.

import { ByteReader, ByteWriter } from "../bytes.ts";
import { KeyFilter } from "../key-filter.ts";
import { LAYER_ROW_BYTES } from "../limits.ts";

export const ROW_KINDS = ["ids", "outlines", "pieces"] as const;
export type RowKind = (typeof ROW_KINDS)[number];

/** What is known of a layer without reading its rows. */
export interface LayerHead {
  /** UTC ms. */
  readonly madeAt: number;
  readonly filter: KeyFilter;
  /** For each kind and row: the first merchant and the high word of its first key, one after the other. */
  readonly firsts: Readonly<Record<RowKind, Uint32Array>>;
}

export interface LayerRows {
  readonly head: LayerHead;
  readonly rows: Readonly<Record<RowKind, readonly Uint8Array[]>>;
}

/** What a row has for a key. */
export interface KeyRecord {
  readonly merchant: number;
  readonly high: number;
  readonly low: number;
  /** For an id: its content hash. */
  readonly word: number;
  /** For an outline. */
  readonly payload: Uint8Array;
}

export interface PieceRecord {
  readonly merchant: number;
  readonly bytes: Uint8Array;
}

/** A merchant's ids by hash, in three words each: both words of the hash, and the content hash. */
export interface IdRecords {
  readonly merchant: number;
  readonly words: Uint32Array;
}

export interface LayerRecords {
  readonly ids: IdRecords[];
  readonly outlines: KeyRecord[];
  readonly pieces: PieceRecord[];
}

const NO_BYTES = new Uint8Array();
/** Merchant, high word, low word, and one more word. For an outline that is where its payload ends. */
const RECORD_BYTES = 16;
const COUNT_BYTES = 4;
const ID_WORDS = 3;
const IDS_PER_ROW = Math.floor(LAYER_ROW_BYTES / RECORD_BYTES);

/** The filter's key for a merchant itself: whether the layer has anything of it. */
export function ownKey(merchant: number): readonly [high: number, low: number] {
  return filterKey(merchant, 0, 0);
}

/** A key as the filter has it. All merchants share one filter. */
export function filterKey(merchant: number, high: number, low: number): readonly [high: number, low: number] {
  const mixed = Math.imul(merchant ^ (merchant >>> 15), 0x2c1b3c6d);
  return [(high ^ mixed) >>> 0, (low ^ Math.imul(mixed, 0x85ebca6b)) >>> 0];
}

export function toLayer({ ids, outlines, pieces }: LayerRecords, madeAt: number): LayerRows {
  const merchants = new Set([...ids, ...outlines, ...pieces].map(({ merchant }) => merchant));
  const idCount = ids.reduce((sum, { words }) => sum + words.length / ID_WORDS, 0);
  const filter = KeyFilter.for(idCount + outlines.length + merchants.size);
  for (const { merchant, words } of ids)
    for (let at = 0; at < words.length; at += ID_WORDS)
      filter.add(...filterKey(merchant, words[at] as number, words[at + 1] as number));
  for (const { merchant, high, low } of outlines) filter.add(...filterKey(merchant, high, low));
  for (const merchant of merchants) filter.add(...ownKey(merchant));
  const idRows = idRowsOf(ids, idCount);
  const outlineRows = keyRows(outlines);
  const pieceRows = split(
    pieces.toSorted((a, b) => a.merchant - b.merchant),
    ({ bytes }) => bytes.length,
  );
  return {
    head: {
      madeAt,
      filter,
      firsts: { ids: idRows.firsts, outlines: firstsOf(outlineRows), pieces: firstsOf(pieceRows) },
    },
    rows: {
      ids: idRows.rows,
      outlines: outlineRows.map(encodeKeys),
      pieces: pieceRows.map(encodePieces),
    },
  };
}

/** The row that may have a key, if any. */
export function rowOf(firsts: Uint32Array, merchant: number, high: number): number | undefined {
  let [from, to] = [0, firsts.length / 2];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const first = firsts[2 * middle] as number;
    if (first < merchant || (first === merchant && (firsts[2 * middle + 1] as number) <= high)) from = middle + 1;
    else to = middle;
  }
  return from === 0 ? undefined : from - 1;
}

/** The rows that may have something of a merchant: [first, end). */
export function rowsOf(firsts: Uint32Array, merchant: number): readonly number[] {
  const rows: number[] = [];
  for (let row = 0; row < firsts.length / 2; row++) {
    if ((firsts[2 * row] as number) > merchant) break;
    const next = firsts[2 * row + 2];
    if (next === undefined || next >= merchant) rows.push(row);
  }
  return rows;
}

/** What a row of ids or outlines has for a key. */
export function findKey(
  row: Uint8Array,
  key: Pick<KeyRecord, "merchant" | "high" | "low">,
): { readonly word: number; readonly payload: Uint8Array } | undefined {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  let [from, to] = [0, view.getUint32(0)];
  while (from < to) {
    const middle = (from + to) >>> 1;
    const order = compareAt(view, middle, key);
    if (order === 0) {
      const { word, payload } = recordAt(view, middle);
      return { word, payload };
    }
    if (order < 0) from = middle + 1;
    else to = middle;
  }
  return undefined;
}

/** A row of ids or outlines without those of one merchant. */
export function withoutKeys(row: Uint8Array, merchant: number): Uint8Array {
  const view = new DataView(row.buffer, row.byteOffset, row.byteLength);
  const records = Array.from({ length: view.getUint32(0) }, (_, at) => recordAt(view, at));
  return encodeKeys(records.filter((record) => record.merchant !== merchant));
}

/** A merchant's pieces in a row. */
export function piecesOf(row: Uint8Array, merchant: number): readonly Uint8Array[] {
  return decodePieces(row).flatMap((piece) => (piece.merchant === merchant ? [piece.bytes] : []));
}

export function withoutPieces(row: Uint8Array, merchant: number): Uint8Array {
  return encodePieces(decodePieces(row).filter((piece) => piece.merchant !== merchant));
}

export function encodeHead({ madeAt, filter, firsts }: LayerHead): Uint8Array {
  const writer = new ByteWriter();
  writer.unsigned(madeAt);
  writer.blob(filter.encode());
  for (const kind of ROW_KINDS) {
    writer.unsigned(firsts[kind].length);
    for (const word of firsts[kind]) writer.word(word);
  }
  return writer.finish();
}

/** The inverse of `encodeHead`. */
export function decodeHead(bytes: Uint8Array): LayerHead {
  const reader = new ByteReader(bytes);
  const madeAt = reader.unsigned();
  const filter = KeyFilter.decode(reader.blob());
  const read = () => Uint32Array.from({ length: reader.unsigned() }, () => reader.word());
  const [ids, outlines, pieces] = [read(), read(), read()];
  return { madeAt, filter, firsts: { ids, outlines, pieces } };
}

/** Rows of ids, as `encodeKeys` writes them. There are tens of thousands of ids, so it makes no object for an id. */
function idRowsOf(
  ids: readonly IdRecords[],
  count: number,
): { readonly firsts: Uint32Array; readonly rows: readonly Uint8Array[] } {
  const sizes = Array.from({ length: Math.ceil(count / IDS_PER_ROW) }, (_, row) =>
    Math.min(IDS_PER_ROW, count - row * IDS_PER_ROW),
  );
  const views = sizes.map((size) => new DataView(new ArrayBuffer(COUNT_BYTES + size * RECORD_BYTES)));
  views.forEach((view, row) => {
    view.setUint32(0, sizes[row] as number);
  });
  let written = 0;
  for (const { merchant, words } of ids.toSorted((a, b) => a.merchant - b.merchant)) {
    for (let at = 0; at < words.length; at += ID_WORDS, written++) {
      const view = views[Math.floor(written / IDS_PER_ROW)] as DataView;
      const offset = COUNT_BYTES + (written % IDS_PER_ROW) * RECORD_BYTES;
      view.setUint32(offset, merchant);
      for (let word = 0; word < ID_WORDS; word++) view.setUint32(offset + 4 + 4 * word, words[at + word] as number);
    }
  }
  return {
    firsts: Uint32Array.from(views.flatMap((view) => [view.getUint32(COUNT_BYTES), view.getUint32(COUNT_BYTES + 4)])),
    rows: views.map(({ buffer }) => new Uint8Array(buffer)),
  };
}

function keyRows(records: KeyRecord[]): readonly (readonly KeyRecord[])[] {
  records.sort((a, b) => a.merchant - b.merchant || a.high - b.high || a.low - b.low);
  return split(records, ({ payload }) => RECORD_BYTES + payload.length);
}

/** Splits a list so that each piece fits a row. No member is split. */
function split<T>(list: readonly T[], bytesOf: (one: T) => number): readonly (readonly T[])[] {
  const rows: T[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const one of list) {
    const own = bytesOf(one);
    if (bytes + own > LAYER_ROW_BYTES) {
      rows.push([]);
      bytes = 0;
    }
    rows.at(-1)?.push(one);
    bytes += own;
  }
  return rows;
}

function firstsOf(rows: readonly (readonly { readonly merchant: number; readonly high?: number }[])[]): Uint32Array {
  return Uint32Array.from(rows.flatMap(([first]) => [first?.merchant ?? 0, first?.high ?? 0]));
}

function encodeKeys(records: readonly KeyRecord[]): Uint8Array {
  const heads = COUNT_BYTES + records.length * RECORD_BYTES;
  const bytes = new Uint8Array(records.reduce((sum, { payload }) => sum + payload.length, heads));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, records.length);
  let end = heads;
  records.forEach(({ merchant, high, low, word, payload }, at) => {
    bytes.set(payload, end);
    end += payload.length;
    [merchant, high, low, payload.length === 0 ? word : end].forEach((value, index) => {
      view.setUint32(COUNT_BYTES + at * RECORD_BYTES + index * 4, value);
    });
  });
  return bytes;
}

function recordAt(view: DataView, at: number): KeyRecord {
  const offset = COUNT_BYTES + at * RECORD_BYTES;
  const word = view.getUint32(offset + 12);
  const heads = COUNT_BYTES + view.getUint32(0) * RECORD_BYTES;
  // Rows of ids end where payloads would begin.
  const hasPayload = view.byteLength > heads;
  const start = !hasPayload || at === 0 ? heads : view.getUint32(offset - RECORD_BYTES + 12);
  return {
    merchant: view.getUint32(offset),
    high: view.getUint32(offset + 4),
    low: view.getUint32(offset + 8),
    word,
    payload: hasPayload ? new Uint8Array(view.buffer, view.byteOffset + start, word - start) : NO_BYTES,
  };
}

function compareAt(view: DataView, at: number, key: Pick<KeyRecord, "merchant" | "high" | "low">): number {
  const offset = COUNT_BYTES + at * RECORD_BYTES;
  return (
    view.getUint32(offset) - key.merchant ||
    view.getUint32(offset + 4) - key.high ||
    view.getUint32(offset + 8) - key.low
  );
}

function encodePieces(pieces: readonly PieceRecord[]): Uint8Array {
  const writer = new ByteWriter();
  for (const { merchant, bytes } of pieces) {
    writer.unsigned(merchant);
    writer.blob(bytes);
  }
  return writer.finish();
}

function decodePieces(row: Uint8Array): readonly PieceRecord[] {
  const pieces: PieceRecord[] = [];
  for (const reader = new ByteReader(row); !reader.done; )
    pieces.push({ merchant: reader.unsigned(), bytes: reader.blob() });
  return pieces;
}
