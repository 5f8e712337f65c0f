// A Bloom filter: says of a 64-bit key that it is not in a set, or that it may be, in two bytes a key. Who asks whether
// an id was seen before asks it first, and reads the set itself, which lies on disk, only where the answer is "maybe".
// Keys are hashes already, made with a secret key where strangers choose what is hashed.

/** One key in 1,700 that is not in the set is said to be in it, maybe. */
const BITS_PER_KEY = 16;
const PROBES = 8;

export class KeyFilter {
  readonly #words: Uint32Array;

  private constructor(words: Uint32Array) {
    this.#words = words;
  }

  /** An empty one with room for so many keys. */
  static for(keys: number): KeyFilter {
    return new KeyFilter(new Uint32Array(Math.max(2, Math.ceil((keys * BITS_PER_KEY) / 32))));
  }

  /** The inverse of `encode`. */
  static decode(bytes: Uint8Array): KeyFilter {
    return new KeyFilter(new Uint32Array(bytes.slice().buffer));
  }

  /** What it takes in memory. */
  get bytes(): number {
    return this.#words.byteLength;
  }

  encode(): Uint8Array {
    return new Uint8Array(this.#words.buffer);
  }

  add(high: number, low: number): void {
    for (let probe = 0, at = high; probe < PROBES; probe++, at = (at + (low | 1)) >>> 0) {
      const bit = this.#bitAt(at);
      this.#words[bit >>> 5] = (this.#words[bit >>> 5] as number) | (1 << (bit & 31));
    }
  }

  /** False where the key was never added; of those that were not, a few are true as well. */
  mayHave(high: number, low: number): boolean {
    for (let probe = 0, at = high; probe < PROBES; probe++, at = (at + (low | 1)) >>> 0) {
      const bit = this.#bitAt(at);
      if (((this.#words[bit >>> 5] as number) & (1 << (bit & 31))) === 0) return false;
    }
    return true;
  }

  /** A word of 32 bits as the number of a bit: the words spread evenly over all bits. */
  #bitAt(word: number): number {
    return Math.floor((word / 2 ** 32) * this.#words.length * 32);
  }
}
