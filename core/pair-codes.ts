// Numbers pairs of whole numbers from 0 on, in the order in which they first come: what two columns say together
// is then a column of its own. An open-addressing table of typed arrays, a fifth of the time that a Map with
// made-up keys takes. It is seeded: whoever sends events chooses which values meet, and must not be able to
// choose such that fall together (L7).

const SLOTS_MIN = 64;

export class PairCodes {
  readonly #seed: number;
  /** Codes by place in the table; -1 is free. */
  #slots = new Int32Array(SLOTS_MIN).fill(-1);
  #firsts = new Int32Array(SLOTS_MIN / 2);
  #seconds = new Int32Array(SLOTS_MIN / 2);
  /** How many different pairs there are. */
  size = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** A pair's number; one that is `size` as it was before is new. */
  codeOf(first: number, second: number): number {
    const mask = this.#slots.length - 1;
    let at = mix(first, second, this.#seed) & mask;
    for (let code = this.#slots[at] as number; code >= 0; code = this.#slots[at] as number) {
      if (this.#firsts[code] === first && this.#seconds[code] === second) return code;
      at = (at + 1) & mask;
    }
    const code = this.size++;
    this.#slots[at] = code;
    this.#firsts[code] = first;
    this.#seconds[code] = second;
    if (this.size * 2 === this.#slots.length) this.#grow();
    return code;
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2).fill(-1);
    const [firsts, seconds] = [new Int32Array(slots.length / 2), new Int32Array(slots.length / 2)];
    firsts.set(this.#firsts);
    seconds.set(this.#seconds);
    for (let code = 0; code < this.size; code++) {
      let at = mix(firsts[code] as number, seconds[code] as number, this.#seed) & (slots.length - 1);
      while ((slots[at] as number) >= 0) at = (at + 1) & (slots.length - 1);
      slots[at] = code;
    }
    this.#slots = slots;
    this.#firsts = firsts;
    this.#seconds = seconds;
  }
}

/** MurmurHash3's mixing of two words. */
function mix(first: number, second: number, seed: number): number {
  let hash = mixWord(mixWord(seed, first), second);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function mixWord(hash: number, word: number): number {
  const mixed = Math.imul(word, 0xcc9e2d51);
  const next = hash ^ Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
  return (Math.imul((next << 13) | (next >>> 19), 5) + 0xe6546b64) | 0;
}
