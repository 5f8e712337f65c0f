// A Bloom filter of 64-bit keys, two bytes a key. It says that a key is not in a set, or that it may be. The set itself
// lies on disk. So a caller asks the filter first, and reads the set only where the answer is "maybe". Keys are hashes.
// Where strangers choose what is hashed, the hash has a secret key.

/** Of keys that are not in the set, the filter says "maybe" for one in 1,700. */
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

  /** False if the key was never added. True for each key that was added, and for a few others. */
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
