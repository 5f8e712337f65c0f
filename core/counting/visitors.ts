// The visits of a Day by visitor. A visitor who is reading is held as objects, ready to be counted into; one
// who has gone rests as packed text, an eighth of the memory: most visitors of a Day have gone, and the few
// who come back wake up. Packed is what a checkpoint stores, so that writing and reading one copies it. What
// is held how changes no number.

import { ByteReader, ByteWriter } from "../bytes.ts";
import { hex32 } from "../hash.ts";
import { VISITOR_BYTES, visitsBytes } from "./held.ts";
import { insert, type Visit } from "./visit.ts";
import { decodeVisit, encodeVisit } from "./visit-codec.ts";

export class Visitors {
  /** UTC ms to which packed times are relative. */
  readonly #base: number;
  /**
   * Visitor → visits in order, apart by more than the gap; or the same packed, a character for each byte, which the
   * engine stores in one. One map for both: most merchants are small, and a map takes 200 bytes before its first entry.
   */
  readonly #visits = new Map<string, Visit[] | string>();
  /** What all of them take in memory (held.ts). */
  #bytes = 0;

  constructor(base: number) {
    this.#base = base;
  }

  /** Who was seen since somebody asked who is there; undefined where nobody has. */
  #watched: Set<string> | undefined;
  /** Whether that was asked since visitors were last sent to rest. */
  #isWatched = false;

  get size(): number {
    return this.#visits.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A visitor's visits, to be added to where they are. */
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

  /** A visitor's visits, to be read. Who rests goes on resting. */
  get(visitor: string): readonly Visit[] | undefined {
    const held = this.#visits.get(visitor);
    return typeof held === "string" ? this.#unpack(held) : held;
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

  /** Every visitor's visits, to be read. Who rests goes on resting. */
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

  /** Packs the visits of all who were last seen before an instant, UTC ms. */
  rest(before: number): void {
    if (!this.#isWatched) this.#watched = undefined;
    this.#isWatched = false;
    for (const [visitor, held] of this.#visits) {
      if (typeof held === "string" || held.some(({ end }) => end >= before)) continue;
      const packed = textOf(this.#pack(held));
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

  #pack(visits: readonly Visit[]): Uint8Array {
    const writer = new ByteWriter();
    writer.unsigned(visits.length);
    for (const visit of visits) encodeVisit(visit, this.#base, writer);
    return writer.finish();
  }

  #unpack(packed: string): Visit[] {
    return this.#decodeVisits(new ByteReader(bytesOf(packed)));
  }

  #decodeVisits(reader: ByteReader): Visit[] {
    return Array.from({ length: reader.unsigned() }, () => decodeVisit(this.#base, reader));
  }
}

function encodeName(visitor: string, writer: ByteWriter): void {
  writer.word(Number.parseInt(visitor.slice(0, 8), 16));
  writer.word(Number.parseInt(visitor.slice(8), 16));
}

/** Spreading is how one call makes one text; longer runs are cut, so as not to overflow the stack. */
const SPREAD_MAX = 4_096;

function textOf(bytes: Uint8Array): string {
  if (bytes.length <= SPREAD_MAX) return String.fromCharCode(...bytes);
  let text = "";
  for (let start = 0; start < bytes.length; start += SPREAD_MAX) {
    text += String.fromCharCode(...bytes.subarray(start, start + SPREAD_MAX));
  }
  return text;
}

function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}
