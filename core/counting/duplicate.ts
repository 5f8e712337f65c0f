// The duplicate window (L2): the ids already counted, as a set of 64-bit hashes in one flat array. A Set of texts would
// take ten times the memory, and every event of a Day is in here. Two different ids collide with probability n²/2^65:
// one in three million for ten million events of one merchant and Day.

import type { ByteReader, ByteWriter } from "../bytes.ts";
import { hash32 } from "../hash.ts";

const HIGH_SEED = 0x51ed270b;
const LOW_SEED = 0x2545f491;
const SLOTS_MIN = 16;

/** An open-addressing set; (0, 0) marks a free slot and is never a member. */
export class IdSet {
  /** High and low word of each slot, side by side: one array, because an array has more bytes of its own than a small set. */
  #words = new Uint32Array(2 * SLOTS_MIN);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(id: string): boolean {
    const [high, low] = hashId(id);
    return !this.#isFree(this.#slot(high, low));
  }

  /** Adds an id; false when it was there already. */
  add(id: string): boolean {
    const [high, low] = hashId(id);
    return this.#insert(high, low);
  }

  encode(writer: ByteWriter): void {
    writer.unsigned(this.#size);
    for (let slot = 0; slot < this.#words.length; slot += 2) {
      if (this.#isFree(slot)) continue;
      writer.word(this.#words[slot] as number);
      writer.word(this.#words[slot + 1] as number);
    }
  }

  static decode(reader: ByteReader): IdSet {
    const set = new IdSet();
    for (let left = reader.unsigned(); left > 0; left--) set.#insert(reader.word(), reader.word());
    return set;
  }

  #insert(high: number, low: number): boolean {
    const slot = this.#slot(high, low);
    if (!this.#isFree(slot)) return false;
    this.#words[slot] = high;
    this.#words[slot + 1] = low;
    this.#size += 1;
    if (this.#size * 8 > this.#words.length * 3) this.#grow();
    return true;
  }

  #isFree(slot: number): boolean {
    return this.#words[slot] === 0 && this.#words[slot + 1] === 0;
  }

  /** Where the pair stands, or would go: the place of its high word. */
  #slot(high: number, low: number): number {
    const words = this.#words;
    const mask = words.length - 1;
    let slot = (low << 1) & mask;
    while (words[slot + 1] !== 0 || words[slot] !== 0) {
      if (words[slot + 1] === low && words[slot] === high) return slot;
      slot = (slot + 2) & mask;
    }
    return slot;
  }

  #grow(): void {
    const before = this.#words;
    this.#words = new Uint32Array(before.length * 2);
    for (let index = 0; index < before.length; index += 2) {
      const high = before[index] as number;
      const low = before[index + 1] as number;
      if (high === 0 && low === 0) continue;
      const slot = this.#slot(high, low);
      this.#words[slot] = high;
      this.#words[slot + 1] = low;
    }
  }
}

function hashId(id: string): readonly [high: number, low: number] {
  const low = hash32(id, LOW_SEED);
  return [hash32(id, HIGH_SEED), low === 0 ? 1 : low];
}
