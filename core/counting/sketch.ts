// A mergeable estimate of how many distinct visitors were seen: HyperLogLog over 64-bit visitors. A small set is kept
// sparse at 25 bits of precision, where the estimate is exact for practical purposes, and turns dense at the size where
// that costs more bytes than the registers. Whether it is sparse depends on the set alone, so order and grouping of
// merges cannot change a sketch (L4). Estimator: O. Ertl, "New cardinality estimation algorithms for HyperLogLog
// sketches" (2017), which needs no bias tables. Nothing on npm is mergeable, 64-bit, sparse and compact.

import type { ByteReader, ByteWriter } from "../bytes.ts";

const SPARSE_PRECISION = 25;
const RANK_BITS = 6;

export interface Sketch {
  /** log2 of the number of registers when dense. */
  readonly precision: number;
  /** Sparse: 25-bit index → rank. Undefined once dense. */
  sparse: Map<number, number> | undefined;
  /** Dense: one rank a register. Undefined while sparse. */
  dense: Uint8Array | undefined;
}

export function emptySketch(precision: number): Sketch {
  return { precision, sparse: new Map(), dense: undefined };
}

/** Adds a visitor given as 16 hex digits, which must be uniform already (HMAC or hash64Hex). */
export function addVisitor(sketch: Sketch, visitor: string): void {
  const high = Number.parseInt(visitor.slice(0, 8), 16);
  const low = Number.parseInt(visitor.slice(8), 16);
  const index = high >>> (32 - SPARSE_PRECISION);
  const top = high & 0x7f; // the 7 bits of `high` behind the index
  const rank = top !== 0 ? Math.clz32(top) - 24 : 8 + Math.clz32(low);
  addEntry(sketch, index, Math.min(rank, 40));
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
  if (from.sparse !== undefined) {
    for (const [index, rank] of from.sparse) addEntry(into, index, rank);
    return;
  }
  densify(into);
  const registers = into.dense as Uint8Array;
  const others = from.dense as Uint8Array;
  for (let index = 0; index < registers.length; index++) {
    if ((others[index] as number) > (registers[index] as number)) registers[index] = others[index] as number;
  }
}

/** How many distinct visitors were added, rounded to a whole number. */
export function estimate(sketch: Sketch): number {
  if (sketch.sparse !== undefined) {
    const registers = 2 ** SPARSE_PRECISION;
    return Math.round(-registers * Math.log1p(-sketch.sparse.size / registers));
  }
  const registers = sketch.dense as Uint8Array;
  const highest = 64 - sketch.precision;
  const histogram = new Array<number>(highest + 2).fill(0);
  for (const rank of registers) histogram[rank] = (histogram[rank] as number) + 1;
  const count = registers.length;
  let sum = count * tau((count - (histogram[highest + 1] as number)) / count);
  for (let rank = highest; rank >= 1; rank--) sum = (sum + (histogram[rank] as number)) / 2;
  sum += count * sigma((histogram[0] as number) / count);
  return Math.round((count / (2 * Math.LN2)) * (count / sum));
}

/** One standard deviation of the relative error of a dense sketch of this precision. */
export function standardError(precision: number): number {
  return 1.04 / Math.sqrt(2 ** precision);
}

export function encodeSketch(sketch: Sketch, writer: ByteWriter): void {
  if (sketch.sparse !== undefined) {
    writer.byte(sketch.precision);
    writer.unsigned(sketch.sparse.size);
    let last = 0;
    // Most values have one visitor, and need no sorting.
    const indexes = sketch.sparse.size === 1 ? sketch.sparse.keys() : Uint32Array.from(sketch.sparse.keys()).sort();
    for (const index of indexes) {
      writer.unsigned((index - last) * 2 ** RANK_BITS + (sketch.sparse.get(index) as number));
      last = index;
    }
    return;
  }
  writer.byte(sketch.precision | 0x80);
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
  const head = reader.byte();
  const sketch = emptySketch(head & 0x7f);
  if (head < 0x80) {
    let index = 0;
    for (let left = reader.unsigned(); left > 0; left--) {
      const step = reader.unsigned();
      index += Math.floor(step / 2 ** RANK_BITS);
      sketch.sparse?.set(index, step % 2 ** RANK_BITS);
    }
    return sketch;
  }
  const registers = new Uint8Array(2 ** sketch.precision);
  for (let index = 0; index < registers.length; index += 4) {
    const [x, y, z] = [reader.byte(), reader.byte(), reader.byte()];
    registers[index] = x >>> 2;
    registers[index + 1] = ((x & 3) << 4) | (y >>> 4);
    registers[index + 2] = ((y & 15) << 2) | (z >>> 6);
    registers[index + 3] = z & 63;
  }
  sketch.sparse = undefined;
  sketch.dense = registers;
  return sketch;
}

function addEntry(sketch: Sketch, index: number, rank: number): void {
  if (sketch.sparse === undefined) {
    raise(sketch, index, rank);
    return;
  }
  const known = sketch.sparse.get(index);
  if (known !== undefined && known >= rank) return;
  sketch.sparse.set(index, rank);
  // A sparse entry takes about 4 bytes, a dense register 6 bits.
  if (sketch.sparse.size > (2 ** sketch.precision * 6) / 8 / 4) densify(sketch);
}

function densify(sketch: Sketch): void {
  if (sketch.sparse === undefined) return;
  const entries = sketch.sparse;
  sketch.sparse = undefined;
  sketch.dense = new Uint8Array(2 ** sketch.precision);
  for (const [index, rank] of entries) raise(sketch, index, rank);
}

/** Folds a sparse entry onto its register: the index's spare low bits become the first bits that the rank counts. */
function raise(sketch: Sketch, index: number, rank: number): void {
  const registers = sketch.dense as Uint8Array;
  const spareBits = SPARSE_PRECISION - sketch.precision;
  const spare = index & ((1 << spareBits) - 1);
  const folded = spare === 0 ? spareBits + rank : Math.clz32(spare) - (32 - spareBits) + 1;
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
