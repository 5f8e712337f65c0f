// The duplicate window (L2): the ids already counted, as a set of 64-bit hashes in one flat array. A Set of texts would
// take ten times the memory, and every event of a Day is in here. Two different ids collide with probability n²/2^65:
// one in three million for ten million events of one merchant and Day. Hashes are keyed: senders choose ids, and must
// not be able to choose such that fall together (L7).

import type { ByteReader, ByteWriter } from "../bytes.ts";
import type { Event } from "../event.ts";
import { hash32 } from "../hash.ts";
import { type HashKey, keyedHash } from "../keyed-hash.ts";

const SLOTS_MIN = 16;
/**
 * High word, low word, and what was told under the id: one array, because an array has more bytes of its own than a
 * small set.
 */
const STRIDE = 3;

/** A key that everybody knows: for tests, and for tools on one's own machine. */
export const KNOWN_KEY: HashKey = new Uint32Array(4);

/**
 * What an event is known by (DUP-1). Ids that came with an API key are apart from those that came without: nobody who
 * knows a tracking ID can take a server's id before it does.
 */
export function duplicateKey({ id, keyed }: Pick<Event, "id" | "keyed">): string {
  return (keyed === 1 ? "k" : "p") + id;
}

/**
 * A hash of what a sender says beside the id and the time: two events of one id that differ in it are two stories
 * (DUP-2).
 */
function contentOf({ name, url, props, revenue, currency, order, products }: Event, key: HashKey): number {
  const told = `${name}\n${url}\n${revenue} ${currency}\n${order}\n${products}\n${props}`;
  return hash32(told, key[0] as number);
}

/** Names one story of several that were told under an id. No id looks like it: those begin with another letter. */
function storyKey(id: string, content: number): string {
  return `s${content} ${id}`;
}

interface Told {
  readonly event: Event;
  readonly key: HashKey;
  readonly id: string;
  readonly content: number;
}

/** Of the event looked at last: it is recalled on one Day or several, and then remembered. */
let toldLast: Told | undefined;

function toldBy(event: Event, key: HashKey): Told {
  if (toldLast?.event !== event || toldLast.key !== key)
    toldLast = { event, key, id: duplicateKey(event), content: contentOf(event, key) };
  return toldLast;
}

/**
 * An event as it is to be kept where it is read once more: marked where it tells another story; undefined
 * where it was told before.
 */
export function keptOnce(ids: IdSet, event: Event): Event | undefined {
  const known = ids.recall(event);
  if (known === "same") return undefined;
  const kept: Event = known === "other" ? { ...event, dropped: "duplicate" } : event;
  ids.remember(kept);
  return kept;
}

/** An open-addressing set; (0, 0) marks a free slot and is never a member. */
export class IdSet {
  readonly #key: HashKey;
  #words = new Uint32Array(STRIDE * SLOTS_MIN);
  #size = 0;

  constructor(key: HashKey) {
    this.#key = key;
  }

  get size(): number {
    return this.#size;
  }

  /** What it takes in memory. */
  get bytes(): number {
    return this.#words.byteLength;
  }

  has(id: string): boolean {
    return this.contentOf(id) !== undefined;
  }

  /** What was told under an id; undefined where it is not a member. */
  contentOf(id: string): number | undefined {
    const [high, low] = this.#hash(id);
    const slot = this.#slot(high, low);
    return this.#isFree(slot) ? undefined : this.#words[slot + 2];
  }

  /** Adds an id; false when it was there already. */
  add(id: string, content = 0): boolean {
    const [high, low] = this.#hash(id);
    return this.#insert(high, low, content);
  }

  /**
   * Whether an event's id was told before (DUP-1, DUP-2): "same" is the event once more; "other" is another story under
   * its id, which is kept and not counted, once each.
   */
  recall(event: Event): "new" | "same" | "other" {
    const { id, content } = toldBy(event, this.#key);
    const told = this.contentOf(id);
    if (told === content || this.has(storyKey(id, content))) return "same";
    return told === undefined ? "new" : "other";
  }

  /** Remembers an event that was recalled as new, or another story that is dropped as one. */
  remember(event: Event): void {
    const { id, content } = toldBy(event, this.#key);
    if (event.dropped === "duplicate") this.add(storyKey(id, content));
    else this.add(id, content);
  }

  encode(writer: ByteWriter): void {
    writer.unsigned(this.#size);
    for (let slot = 0; slot < this.#words.length; slot += STRIDE) {
      if (this.#isFree(slot)) continue;
      for (let word = slot; word < slot + STRIDE; word++) writer.word(this.#words[word] as number);
    }
  }

  /** The inverse of `encode`, under the key that the set was made with. */
  static decode(reader: ByteReader, key: HashKey): IdSet {
    const set = new IdSet(key);
    for (let left = reader.unsigned(); left > 0; left--) set.#insert(reader.word(), reader.word(), reader.word());
    return set;
  }

  #hash(id: string): readonly [high: number, low: number] {
    const [high, low] = keyedHash(id, this.#key);
    return [high, low === 0 ? 1 : low];
  }

  #insert(high: number, low: number, content: number): boolean {
    const slot = this.#slot(high, low);
    if (!this.#isFree(slot)) return false;
    this.#words[slot] = high;
    this.#words[slot + 1] = low;
    this.#words[slot + 2] = content;
    this.#size += 1;
    if (this.#size * 8 > this.#slots * 3 * 2) this.#grow();
    return true;
  }

  get #slots(): number {
    return this.#words.length / STRIDE;
  }

  #isFree(slot: number): boolean {
    return this.#words[slot] === 0 && this.#words[slot + 1] === 0;
  }

  /** Where the pair stands, or would go: the place of its high word. */
  #slot(high: number, low: number): number {
    const words = this.#words;
    const mask = this.#slots - 1;
    let at = low & mask;
    while (words[at * STRIDE + 1] !== 0 || words[at * STRIDE] !== 0) {
      if (words[at * STRIDE + 1] === low && words[at * STRIDE] === high) break;
      at = (at + 1) & mask;
    }
    return at * STRIDE;
  }

  #grow(): void {
    const before = this.#words;
    this.#words = new Uint32Array(before.length * 2);
    for (let index = 0; index < before.length; index += STRIDE) {
      const high = before[index] as number;
      const low = before[index + 1] as number;
      if (high === 0 && low === 0) continue;
      const slot = this.#slot(high, low);
      this.#words.set(before.subarray(index, index + STRIDE), slot);
    }
  }
}
