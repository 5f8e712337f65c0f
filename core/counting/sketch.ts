// A mergeable estimate of how many distinct visitors were seen: HyperLogLog over 64-bit visitors. A small set is kept
// sparse at 25 bits of precision, where the estimate is exact for practical purposes. It turns dense when the sparse
// form would take more bytes than the registers. Whether it is sparse depends on the set alone, so order and grouping
// of merges cannot change a sketch (L4). Estimator: O. Ertl, "New cardinality estimation algorithms for HyperLogLog
// sketches" (2017), which needs no bias tables. Nothing on npm is mergeable, 64-bit, sparse and compact.

import type { ByteReader, ByteWriter } from "../bytes.ts";
import { TOTAL_SKETCH_PRECISION } from "../limits.ts";
import { assert } from "../outcome.ts";

const SPARSE_PRECISION = 25;
const RANK_BITS = 6;
const RANKS = 2 ** RANK_BITS;

export interface Sketch {
  /** log2 of the number of registers when dense. */
  readonly precision: number;
  /**
   * Sparse: entries as `entryOf` makes them. They are in no order and may repeat until `settle` sorts them. Undefined
   * once dense.
   */
  sparse: number[] | undefined;
  /** Dense: one rank a register. Undefined while sparse. */
  dense: Uint8Array | undefined;
}

export function emptySketch(precision: number): Sketch {
  return { precision, sparse: [], dense: undefined };
}

/**
 * A visitor's entry in a sketch: a 25-bit index, then a rank in six bits. The visitor is given as 16 hex digits that
 * must be uniform already (HMAC or hash64Hex).
 */
export function entryOf(visitor: string): number {
  const high = Number.parseInt(visitor.slice(0, 8), 16);
  const low = Number.parseInt(visitor.slice(8), 16);
  const index = high >>> (32 - SPARSE_PRECISION);
  const top = high & 0x7f; // the 7 bits of `high` behind the index
  const rank = top !== 0 ? Math.clz32(top) - 24 : 8 + Math.clz32(low);
  return index * RANKS + Math.min(rank, 40);
}

export function addVisitor(sketch: Sketch, visitor: string): void {
  addEntry(sketch, entryOf(visitor));
}

/** Adds a visitor by its entry. */
export function addEntry(sketch: Sketch, entry: number): void {
  const { sparse, dense } = sketch;
  if (sparse === undefined) {
    raise(dense as Uint8Array, sketch.precision, entry);
    return;
  }
  sparse.push(entry);
  // Condensing only at twice the size costs each entry a few steps, and still finds repetitions soon enough.
  if (sparse.length > 2 * sparseMax(sketch.precision)) condense(sketch, sparse);
}

/** The union of two sketches of the same precision, as a new one. */
export function mergeSketches(a: Sketch, b: Sketch): Sketch {
  const union = emptySketch(a.precision);
  absorbSketch(union, a);
  absorbSketch(union, b);
  return union;
}

/** Adds everything `from` has seen to `into`; both of the same precision. */
export function absorbSketch(into: Sketch, from: Sketch): void {
  settle(from);
  if (from.sparse !== undefined) {
    for (const entry of from.sparse) addEntry(into, entry);
    return;
  }
  const registers = densify(into);
  const others = from.dense as Uint8Array;
  for (let index = 0; index < registers.length; index++) {
    if ((others[index] as number) > (registers[index] as number)) registers[index] = others[index] as number;
  }
}

/** How many distinct visitors were added, rounded to a whole number. */
export function estimate(sketch: Sketch): number {
  settle(sketch);
  if (sketch.sparse !== undefined) {
    const registers = 2 ** SPARSE_PRECISION;
    return Math.round(-registers * Math.log1p(-sketch.sparse.length / registers));
  }
  const registers = sketch.dense as Uint8Array;
  const highest = 64 - sketch.precision;
  const histogram = new Int32Array(highest + 2);
  const count = registers.length;
  for (let index = 0; index < count; index++) {
    const rank = registers[index] as number;
    histogram[rank] = (histogram[rank] as number) + 1;
  }
  let sum = count * tau((count - (histogram[highest + 1] as number)) / count);
  for (let rank = highest; rank >= 1; rank--) sum = (sum + (histogram[rank] as number)) / 2;
  sum += count * sigma((histogram[0] as number) / count);
  return Math.round((count / (2 * Math.LN2)) * (count / sum));
}

/** One standard deviation of the relative error of a dense sketch of this precision. */
export function standardError(precision: number): number {
  return 1.04 / Math.sqrt(2 ** precision);
}

/** The entries of a sparse sketch, in order, each index once; undefined of a dense one. */
export function entriesOf(sketch: Sketch): readonly number[] | undefined {
  settle(sketch);
  return sketch.sparse;
}

export function encodeSketch(sketch: Sketch, writer: ByteWriter): void {
  settle(sketch);
  if (sketch.sparse !== undefined) {
    writer.byte(sketch.precision);
    writer.unsigned(sketch.sparse.length);
    let last = 0;
    for (const entry of sketch.sparse) {
      writer.unsigned(entry - last * RANKS);
      last = Math.floor(entry / RANKS);
    }
    return;
  }
  writer.byte(sketch.precision | DENSE);
  const registers = sketch.dense as Uint8Array;
  for (let index = 0; index < registers.length; index += 4) {
    const a = registers[index] as number;
    const b = registers[index + 1] as number;
    const c = registers[index + 2] as number;
    const d = registers[index + 3] as number;
    writer.byte((a << 2) | (b >>> 4));
    writer.byte(((b & 15) << 4) | (c >>> 2));
    writer.byte(((c & 3) << 6) | d);
  }
}

export function decodeSketch(reader: ByteReader): Sketch {
  return absorbEncoded(undefined, reader);
}

/**
 * Adds what an encoded sketch has seen to `into`, or to an empty sketch of its precision, without making a sketch of
 * it.
 */
export function absorbEncoded(into: Sketch | undefined, reader: ByteReader): Sketch {
  const head = reader.byte();
  assert((head & ~DENSE) <= TOTAL_SKETCH_PRECISION, "a sketch is of a precision that there is");
  const union = into ?? emptySketch(head & ~DENSE);
  if (head >= DENSE) {
    raiseAll(densify(union), reader.bytes(denseBytes(union.precision)));
    return union;
  }
  let entry = 0;
  for (let left = reader.unsigned(); left > 0; left--) {
    // An entry is written as the difference of its index from the one before, with its own rank.
    entry += reader.unsigned() - (entry & (RANKS - 1));
    if (union.dense === undefined) addEntry(union, entry);
    else raise(union.dense, union.precision, entry);
  }
  return union;
}

/** Reads past an encoded sketch. */
export function skipSketch(reader: ByteReader): void {
  const head = reader.byte();
  if (head >= DENSE) reader.bytes(denseBytes(head & ~DENSE));
  else for (let left = reader.unsigned(); left > 0; left--) reader.unsigned();
}

/** Marks a dense sketch in the byte that holds its precision. */
const DENSE = 0x80;

/** Four registers of six bits are three bytes. */
function denseBytes(precision: number): number {
  return (RANK_BITS << precision) >>> 3;
}

function raiseAll(registers: Uint8Array, packed: Uint8Array): void {
  let at = 0;
  for (let index = 0; index < registers.length; index += 4) {
    const x = packed[at++] as number;
    const y = packed[at++] as number;
    const z = packed[at++] as number;
    const a = x >>> 2;
    const b = ((x & 3) << 4) | (y >>> 4);
    const c = ((y & 15) << 2) | (z >>> 6);
    const d = z & 63;
    if (a > (registers[index] as number)) registers[index] = a;
    if (b > (registers[index + 1] as number)) registers[index + 1] = b;
    if (c > (registers[index + 2] as number)) registers[index + 2] = c;
    if (d > (registers[index + 3] as number)) registers[index + 3] = d;
  }
}

/** The most entries of a sparse sketch: one takes about 4 bytes, a dense register 6 bits. */
function sparseMax(precision: number): number {
  return denseBytes(precision) >>> 2;
}

/**
 * Makes room in a sparse sketch. Where its entries fall on more registers than a sparse sketch may have entries, it
 * turns dense without being sorted. Otherwise it is settled.
 */
function condense(sketch: Sketch, sparse: readonly number[]): void {
  const { precision } = sketch;
  const registers = new Uint8Array(1 << precision);
  let filled = 0;
  for (const entry of sparse) {
    const register = indexOf(entry) >>> (SPARSE_PRECISION - precision);
    if (registers[register] === 0) filled += 1;
    raise(registers, precision, entry);
  }
  if (filled <= sparseMax(precision)) {
    settle(sketch);
    return;
  }
  sketch.sparse = undefined;
  sketch.dense = registers;
}

/** Up to so many entries are sorted faster by hand than by making an array of integers. */
const SORTED_BY_HAND_MAX = 24;

/**
 * Sorts a sparse sketch and leaves each index once, with its highest rank. Where that is still too many entries the
 * sketch turns dense. Doing it again changes nothing.
 */
function settle(sketch: Sketch): void {
  const { sparse, precision } = sketch;
  if (sparse === undefined || sparse.length < 2) return;
  const sorted = sparse.length > SORTED_BY_HAND_MAX ? Uint32Array.from(sparse).sort() : sortByHand(sparse);
  let kept = 0;
  for (let at = 0; at < sorted.length; at++) {
    const entry = sorted[at] as number;
    // Among entries of one index the highest rank comes last, so it overwrites the others.
    const isRepeated = kept > 0 && indexOf(sparse[kept - 1] as number) === indexOf(entry);
    if (!isRepeated) kept += 1;
    sparse[kept - 1] = entry;
  }
  sparse.length = kept;
  if (kept > sparseMax(precision)) densify(sketch);
}

function sortByHand(entries: number[]): number[] {
  for (let end = 1; end < entries.length; end++) {
    const entry = entries[end] as number;
    let at = end;
    for (; at > 0 && (entries[at - 1] as number) > entry; at--) entries[at] = entries[at - 1] as number;
    entries[at] = entry;
  }
  return entries;
}

function indexOf(entry: number): number {
  return entry >>> RANK_BITS;
}

function densify(sketch: Sketch): Uint8Array {
  const registers = sketch.dense ?? new Uint8Array(2 ** sketch.precision);
  for (const entry of sketch.sparse ?? []) raise(registers, sketch.precision, entry);
  sketch.sparse = undefined;
  sketch.dense = registers;
  return registers;
}

/** Folds an entry onto its register: the index's spare low bits become the first bits that the rank counts. */
function raise(registers: Uint8Array, precision: number, entry: number): void {
  const index = indexOf(entry);
  const spareBits = SPARSE_PRECISION - precision;
  const spare = index & ((1 << spareBits) - 1);
  const folded = spare === 0 ? spareBits + (entry % RANKS) : Math.clz32(spare) - (32 - spareBits) + 1;
  const register = index >>> spareBits;
  if (folded > (registers[register] as number)) registers[register] = folded;
}

/** Ertl's σ: the contribution of untouched registers. */
function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY;
  let x = share;
  let y = 1;
  let sum = x;
  for (;;) {
    x *= x;
    const before = sum;
    sum += x * y;
    y += y;
    if (sum === before) return sum;
  }
}

/** Ertl's τ: the contribution of saturated registers. */
function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let x = share;
  let y = 1;
  let sum = 1 - x;
  for (;;) {
    x = Math.sqrt(x);
    const before = sum;
    y *= 0.5;
    sum -= (1 - x) ** 2 * y;
    if (sum === before) return sum / 3;
  }
}
