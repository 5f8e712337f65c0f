// The duplicate window (L2): the ids already counted, as a set of 64-bit hashes in two flat arrays. A Set of texts would
// take ten times the memory, and every event of a Day is in here. Two different ids collide with probability n²/2^65:
// one in three million for ten million events of one merchant and Day.

import type { ByteReader, ByteWriter } from "../bytes.ts";
import { hash32 } from "../hash.ts";

const HIGH_SEED = 0x51ed270b;
const LOW_SEED = 0x2545f491;
const SLOTS_MIN = 16;

/** An open-addressing set; (0, 0) marks a free slot and is never a member. */
export class IdSet {
  #high = new Uint32Array(SLOTS_MIN);
  #low = new Uint32Array(SLOTS_MIN);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(id: string): boolean {
    const [high, low] = hashId(id);
    const slot = this.#slot(high, low);
    return this.#low[slot] !== 0 || this.#high[slot] !== 0;
  }

  /** Adds an id; false when it was there already. */
  add(id: string): boolean {
    const [high, low] = hashId(id);
    return this.#insert(high, low);
  }

  encode(writer: ByteWriter): void {
    writer.unsigned(this.#size);
    for (let slot = 0; slot < this.#low.length; slot++) {
      const high = this.#high[slot] as number;
      const low = this.#low[slot] as number;
      if (high === 0 && low === 0) continue;
      writer.word(high);
      writer.word(low);
    }
  }

  static decode(reader: ByteReader): IdSet {
    const set = new IdSet();
    for (let left = reader.unsigned(); left > 0; left--) set.#insert(reader.word(), reader.word());
    return set;
  }

  #insert(high: number, low: number): boolean {
    const slot = this.#slot(high, low);
    if (this.#low[slot] !== 0 || this.#high[slot] !== 0) return false;
    this.#high[slot] = high;
    this.#low[slot] = low;
    this.#size += 1;
    if (this.#size * 4 > this.#low.length * 3) this.#grow();
    return true;
  }

  /** The slot that holds the pair, or the free one where it would go. */
  #slot(high: number, low: number): number {
    const mask = this.#low.length - 1;
    let slot = low & mask;
    while (this.#low[slot] !== 0 || this.#high[slot] !== 0) {
      if (this.#low[slot] === low && this.#high[slot] === high) return slot;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    const [high, low] = [this.#high, this.#low];
    this.#high = new Uint32Array(low.length * 2);
    this.#low = new Uint32Array(low.length * 2);
    for (let index = 0; index < low.length; index++) {
      if (low[index] === 0 && high[index] === 0) continue;
      const slot = this.#slot(high[index] as number, low[index] as number);
      this.#high[slot] = high[index] as number;
      this.#low[slot] = low[index] as number;
    }
  }
}

/**
 * Where an event stands among others of the same millisecond: 53 bits of its id's hash. It breaks ties (which page was
 * first, which was last) the same way in whatever order events arrive.
 */
export function orderOf(id: string): number {
  const [high, low] = hashId(id);
  return high * 2 ** 21 + (low >>> 11);
}

function hashId(id: string): readonly [high: number, low: number] {
  const low = hash32(id, LOW_SEED);
  return [hash32(id, HIGH_SEED), low === 0 ? 1 : low];
}
