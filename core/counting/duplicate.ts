// The duplicate window (L2): the ids that were counted, as a set of 64-bit hashes in one flat array. Every event of a
// Day is in it, and a Set of texts would take ten times the memory. Two different ids have the same hash with
// probability n²/2^65: one in three million for ten million events of one merchant and Day. The hash has a secret key,
// because senders choose ids and must not be able to choose ids that collide (L7).

import type { ByteReader, ByteWriter } from "../bytes.ts";
import type { Event } from "../event.ts";
import { hash32 } from "../hash.ts";
import { type HashKey, keyedHash } from "../keyed-hash.ts";

const SLOTS_MIN = 16;
/**
 * High word, low word, and the hash of the content. It is one array, because an array has more bytes of its own than a
 * small set.
 */
const STRIDE = 3;

/** Which half of a number of 64 bits lies first in memory. */
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** A public key, for tests and for tools on one's own machine. */
export const KNOWN_KEY: HashKey = new Uint32Array(4);

/**
 * What an event is recognised by (DUP-1). Ids with an API key are kept apart from ids without. So nobody who knows a
 * tracking ID can use up a server's id first.
 */
export function duplicateKey({ id, keyed }: Pick<Event, "id" | "keyed">): string {
  return (keyed === 1 ? "k" : "p") + id;
}

/**
 * A hash of what a sender says, without the id and the time. Two events with one id and different hashes tell two
 * stories (DUP-2).
 */
function contentOf({ name, url, props, revenue, currency, order, products }: Event, key: HashKey): number {
  const told = `${name}\n${url}\n${revenue} ${currency}\n${order}\n${products}\n${props}`;
  return hash32(told, key[0] as number);
}

/** Names one of several stories under an id. No id has this form, because ids begin with another letter. */
function storyKey(id: string, content: number): string {
  return `s${content} ${id}`;
}

interface Told {
  readonly event: Event;
  readonly key: HashKey;
  readonly id: string;
  readonly content: number;
}

/** The hashes of the last event. An event is recalled on one or more Days, and then remembered. */
let toldLast: Told | undefined;

function toldBy(event: Event, key: HashKey): Told {
  if (toldLast?.event !== event || toldLast.key !== key)
    toldLast = { event, key, id: duplicateKey(event), content: contentOf(event, key) };
  return toldLast;
}

/** An event by hashes of its columns (once.ts). */
export interface ToldAs {
  /** As `duplicateKey` gives it. */
  readonly key: string;
  readonly content: number;
  readonly isStory: boolean;
}

/** Ids that were remembered and have left memory. */
export interface RestedIds {
  /** The content that came with an id, by the id's hash. Undefined where the id is not among them. */
  contentOf(high: number, low: number): number | undefined;
}

/** An open-addressing set; (0, 0) marks a free slot and is never a member. */
export class IdSet {
  readonly #key: HashKey;
  readonly #rested: RestedIds | undefined;
  #words = new Uint32Array(STRIDE * SLOTS_MIN);
  #size = 0;
  /** Whether any member is another story. Hardly any set has one. */
  #hasStories = false;

  /** Members of `rested` count as members. `size` and `bytes` are of those in memory. */
  constructor(key: HashKey, rested?: RestedIds) {
    this.#key = key;
    this.#rested = rested;
    this.#hasStories = rested !== undefined; // nobody has noted whether those have
  }

  get size(): number {
    return this.#size;
  }

  /** The seed of hashes of contents. */
  get seed(): number {
    return this.#key[0] as number;
  }

  /** What it takes in memory. */
  get bytes(): number {
    return this.#words.byteLength;
  }

  has(id: string): boolean {
    return this.contentOf(id) !== undefined;
  }

  /** The content that came with an id. Undefined where the id is not a member. */
  contentOf(id: string): number | undefined {
    const [high, low] = this.#hash(id);
    const slot = this.#slot(high, low);
    return this.#isFree(slot) ? this.#rested?.contentOf(high, low) : this.#words[slot + 2];
  }

  /**
   * The members in memory, sorted by hash, in three words each: both words of the hash, and the hash of the content.
   * The engine sorts 64-bit numbers without a callback, ten times as fast as it sorts objects.
   */
  toSorted(): Uint32Array {
    const hashes = new BigUint64Array(this.#size);
    const halves = new Uint32Array(hashes.buffer);
    const [highHalf, lowHalf] = LITTLE_ENDIAN ? [1, 0] : [0, 1];
    for (let slot = 0, at = 0; at < halves.length; slot += STRIDE) {
      if (this.#isFree(slot)) continue;
      halves[at + highHalf] = this.#words[slot] as number;
      halves[at + lowHalf] = this.#words[slot + 1] as number;
      at += 2;
    }
    hashes.sort();
    const sorted = new Uint32Array(STRIDE * this.#size);
    for (let at = 0, to = 0; at < halves.length; at += 2, to += STRIDE) {
      const [high, low] = [halves[at + highHalf] as number, halves[at + lowHalf] as number];
      sorted[to] = high;
      sorted[to + 1] = low;
      sorted[to + 2] = this.#words[this.#slot(high, low) + 2] as number;
    }
    return sorted;
  }

  /** Adds an id; false when it was there already. */
  add(id: string, content = 0): boolean {
    const [high, low] = this.#hash(id);
    return this.#insert(high, low, content);
  }

  /**
   * Whether an event's id came before (DUP-1, DUP-2). "same": it is the same event again. "other": it is another story
   * under the id. Each other story is kept once and not counted.
   */
  recall(event: Event): "new" | "same" | "other" {
    const { id, content } = toldBy(event, this.#key);
    const told = this.contentOf(id);
    if (told === content || this.#knowsStory(id, content)) return "same";
    return told === undefined ? "new" : "other";
  }

  /**
   * Recalls an event by its key and the hash of its content, and remembers it: as new, or as another story where
   * `isStory` says so or it turns out to be one. All content hashes of one set must be made in the same way.
   */
  keep({ key, content, isStory }: ToldAs): "new" | "same" | "story" {
    const [high, low] = this.#hash(key);
    const slot = this.#slot(high, low);
    const told = this.#isFree(slot) ? this.#rested?.contentOf(high, low) : this.#words[slot + 2];
    if (told === content || this.#knowsStory(key, content)) return "same";
    if (told === undefined && !isStory) {
      this.#insert(high, low, content);
      return "new";
    }
    this.#addStory(key, content);
    return "story";
  }

  #knowsStory(id: string, content: number): boolean {
    return this.#hasStories && this.has(storyKey(id, content));
  }

  #addStory(id: string, content: number): void {
    this.#hasStories = true;
    this.add(storyKey(id, content));
  }

  /** Remembers an event that was recalled as new, or another story that is dropped as one. */
  remember(event: Event): void {
    const { id, content } = toldBy(event, this.#key);
    if (event.dropped === "duplicate") this.#addStory(id, content);
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
  static decode(reader: ByteReader, key: HashKey, rested?: RestedIds): IdSet {
    const set = new IdSet(key, rested);
    set.#hasStories = true; // nobody has noted whether it has
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

  /** The index of the pair, or of the free slot where it would go. The index is that of its high word. */
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
