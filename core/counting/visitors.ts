// The visits of a Day by visitor. The visits of a visitor who is reading are objects, ready to be counted into. Those
// of a visitor who has gone rest as packed text and take an eighth of the memory. Most visitors of a Day have gone; the
// few who come back wake up. A checkpoint stores the same packed text, so writing and reading one only copies it. How
// visits are held changes no number.

import { ByteReader, ByteWriter } from "../bytes.ts";
import { hex32 } from "../hash.ts";
import { VISITOR_BYTES, visitsBytes } from "./held.ts";
import { insert, type Visit } from "./visit.ts";
import { decodeVisit, encodeVisit } from "./visit-codec.ts";

export class Visitors {
  /** UTC ms to which packed times are relative. */
  readonly #base: number;
  /**
   * Visitor → visits in order, with more than the gap between them; or the same packed, one character a byte, which the
   * engine stores in one. One map for both: most merchants are small, and a map takes 200 bytes before its first entry.
   */
  readonly #visits = new Map<string, Visit[] | string>();
  /** What all of them take in memory (held.ts). */
  #bytes = 0;

  constructor(base: number) {
    this.#base = base;
  }

  /** Visitors seen since somebody asked who is there. Undefined if nobody asked. */
  #watched: Set<string> | undefined;
  /** Whether somebody asked since visitors were last sent to rest. */
  #isWatched = false;

  get size(): number {
    return this.#visits.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How much memory resting visitors take. */
  get restingBytes(): number {
    let bytes = 0;
    for (const held of this.#visits.values()) if (typeof held === "string") bytes += VISITOR_BYTES + visitsBytes(held);
    return bytes;
  }

  has(visitor: string): boolean {
    return this.#visits.has(visitor);
  }

  /** A visitor's visits as objects that may be changed. */
  wake(visitor: string): Visit[] | undefined {
    this.#watched?.add(visitor);
    const held = this.#visits.get(visitor);
    if (typeof held !== "string") return held;
    const visits = this.#unpack(held);
    this.#set(visitor, visits, visitsBytes(visits) - visitsBytes(held));
    return visits;
  }

  /** Adds a run of events to the visits of a visitor who is awake. */
  insert(visits: Visit[], visit: Visit): void {
    this.#bytes += insert(visits, visit);
  }

  /** Sets the visits of a visitor who has none. */
  set(visitor: string, visits: Visit[]): void {
    this.#watched?.add(visitor);
    this.#set(visitor, visits, VISITOR_BYTES + visitsBytes(visits));
  }

  /** A visitor's visits, for reading. A resting visitor stays at rest. */
  get(visitor: string): readonly Visit[] | undefined {
    const held = this.#visits.get(visitor);
    return typeof held === "string" ? this.#unpack(held) : held;
  }

  /** Sets the visits of a new visitor, who rests at once. */
  setResting(visitor: string, visits: readonly Visit[]): void {
    const packed = this.#packed(visits);
    this.#set(visitor, packed, VISITOR_BYTES + visitsBytes(packed));
  }

  /** Replaces a visitor's visits, if there are any. */
  replace(visitor: string, visits: Visit[]): void {
    this.delete(visitor);
    this.set(visitor, visits);
  }

  delete(visitor: string): void {
    const held = this.#visits.get(visitor);
    if (held === undefined) return;
    this.#visits.delete(visitor);
    this.#bytes -= VISITOR_BYTES + visitsBytes(held);
  }

  clear(): void {
    this.#visits.clear();
    this.#bytes = 0;
  }

  #set(visitor: string, held: Visit[] | string, grown: number): void {
    this.#visits.set(visitor, held);
    this.#bytes += grown;
  }

  keys(): Iterable<string> {
    return this.#visits.keys();
  }

  /** Every visitor's visits, for reading. Resting visitors stay at rest. */
  *[Symbol.iterator](): Generator<readonly [visitor: string, visits: readonly Visit[]]> {
    for (const [visitor, held] of this.#visits) yield [visitor, typeof held === "string" ? this.#unpack(held) : held];
  }

  *values(): Generator<readonly Visit[]> {
    for (const [, visits] of this) yield visits;
  }

  /**
   * Visitors who were seen since an instant (UTC ms), with their visits, to be read. The first look is at all of them;
   * after that those who come are noted, so that a page that asks every few seconds costs what these are.
   */
  *since(instant: number): Generator<readonly [visitor: string, visits: readonly Visit[]]> {
    this.#isWatched = true;
    this.#watched ??= new Set(this.keys());
    for (const visitor of this.#watched) {
      const visits = this.get(visitor);
      if (visits?.some(({ end }) => end >= instant)) yield [visitor, visits];
      else this.#watched.delete(visitor);
    }
  }

  /** When each visitor was last seen, UTC ms, without unpacking anybody. */
  *lastSeen(): Generator<readonly [visitor: string, end: number]> {
    for (const [visitor, held] of this.#visits)
      yield [visitor, typeof held === "string" ? this.#base + endOf(held) : latestOf(held)];
  }

  /**
   * All visitors but some. Both objects hold the same visits, so events may be counted into only one of them
   * afterwards.
   */
  without(gone: ReadonlySet<string>): Visitors {
    const left = new Visitors(this.#base);
    for (const [visitor, held] of this.#visits)
      if (!gone.has(visitor)) left.#set(visitor, held, VISITOR_BYTES + visitsBytes(held));
    return left;
  }

  /** Packs the visits of all visitors who were last seen before an instant (UTC ms), or of everybody. */
  rest(before = Number.POSITIVE_INFINITY): void {
    if (!this.#isWatched) this.#watched = undefined;
    this.#isWatched = false;
    for (const [visitor, held] of this.#visits) {
      if (typeof held === "string" || latestOf(held) >= before) continue;
      const packed = this.#packed(held);
      this.#set(visitor, packed, visitsBytes(packed) - visitsBytes(held));
    }
  }

  encode(writer: ByteWriter): void {
    writer.unsigned(this.size);
    for (const [visitor, held] of this.#visits) {
      encodeName(visitor, writer);
      if (typeof held === "string") writer.packed(held);
      else writer.blob(this.#pack(held));
    }
  }

  /** Reads what `encode` wrote; all of them rest. */
  decode(reader: ByteReader): void {
    for (let left = reader.unsigned(); left > 0; left--) {
      const visitor = hex32(reader.word()) + hex32(reader.word());
      const packed = textOf(reader.blob());
      this.#set(visitor, packed, VISITOR_BYTES + visitsBytes(packed));
    }
  }

  #packed(visits: readonly Visit[]): string {
    return textOf(this.#pack(visits));
  }

  /**
   * Puts the last visit first, so that its end is found without reading the others. The next call overwrites the bytes.
   */
  #pack(visits: readonly Visit[]): Uint8Array {
    packing.clear();
    packing.unsigned(visits.length);
    for (let at = visits.length - 1; at >= 0; at--) encodeVisit(visits[at] as Visit, this.#base, packing);
    return packing.view();
  }

  #unpack(packed: string): Visit[] {
    return this.#decodeVisits(new ByteReader(bytesOf(packed)));
  }

  #decodeVisits(reader: ByteReader): Visit[] {
    const visits = Array.from({ length: reader.unsigned() }, () => decodeVisit(this.#base, reader));
    // Earlier versions wrote the first visit first.
    return visits.length > 1 ? visits.sort((a, b) => a.from - b.from) : visits;
  }
}

/** One writer for all: its bytes are copied before the next use. */
const packing = new ByteWriter();

function latestOf(visits: readonly Visit[]): number {
  return visits.reduce((latest, { end }) => Math.max(latest, end), Number.NEGATIVE_INFINITY);
}

/**
 * The end of the visit that stands first in packed visits, relative to their base. It is the last visit; in visits that
 * earlier versions stored, it is the first. So those may leave memory sooner, which changes no number.
 */
function endOf(packed: string): number {
  // The number of visits, a byte of flags, then its first event (zigzag) and its length, as `encodeVisit` writes them.
  const visit = afterVarint(packed, 0) + 1;
  const from = varintAt(packed, visit);
  return (from % 2 === 0 ? from / 2 : -(from + 1) / 2) + varintAt(packed, afterVarint(packed, visit));
}

function afterVarint(packed: string, at: number): number {
  let end = at;
  while (packed.charCodeAt(end) >= 0x80) end += 1;
  return end + 1;
}

function varintAt(packed: string, at: number): number {
  let value = 0;
  for (let next = at, scale = 1; ; next++, scale *= 0x80) {
    const unit = packed.charCodeAt(next);
    value += (unit & 0x7f) * scale;
    if (unit < 0x80) return value;
  }
}

function encodeName(visitor: string, writer: ByteWriter): void {
  writer.word(hexWordAt(visitor, 0));
  writer.word(hexWordAt(visitor, 8));
}

/** Eight hex digits of a name as a word. */
function hexWordAt(text: string, start: number): number {
  let word = 0;
  for (let at = start; at < start + 8; at++) {
    const unit = text.charCodeAt(at);
    word = (word << 4) | (unit <= 57 ? unit - 48 : (unit | 32) - 87); // "0" is 48, "a" is 97
  }
  return word >>> 0;
}

/** One call makes a text of this many bytes. Longer runs are split, so that the stack does not overflow. */
const APPLY_MAX = 4_096;

function textOf(bytes: Uint8Array): string {
  if (bytes.length <= APPLY_MAX) return textOfFew(bytes);
  let text = "";
  for (let start = 0; start < bytes.length; start += APPLY_MAX)
    text += textOfFew(bytes.subarray(start, start + APPLY_MAX));
  return text;
}

/** To spread the bytes would ask an iterator for each, and take several times as long. */
function textOfFew(bytes: Uint8Array): string {
  return String.fromCharCode.apply(undefined, bytes as unknown as number[]);
}

function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}
