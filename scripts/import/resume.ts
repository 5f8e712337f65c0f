// Where an import stands, so that it can go on after an interruption. Requests finish in any order, so the place is the
// last line before which everything is settled; what lies after it is sent again and, having the same ids, counts
// nothing twice. The file beside the import keeps one place per destination and way of reading, and the salt for all.

import { createHash } from "node:crypto";

/** A place in a file: how many lines, and the digest of them, by which a file that has changed is noticed. */
export interface Place {
  readonly line: number;
  readonly chain: string;
}

export interface ResumeState {
  /** Salts the visitors made from addresses. The same on every run, or one visitor would become two. */
  readonly salt: string;
  /** By `placeKey`. */
  readonly places: Readonly<Record<string, Place>>;
}

/** Reads what an earlier run wrote; undefined when it is not that. */
export function decodeResume(text: string): ResumeState | undefined {
  try {
    const value = JSON.parse(text) as ResumeState;
    const places = Object.values(value.places);
    const sound = places.every(({ line, chain }) => Number.isInteger(line) && typeof chain === "string");
    return typeof value.salt === "string" && value.salt !== "" && sound ? value : undefined;
  } catch {
    return undefined;
  }
}

export function encodeResume(state: ResumeState): string {
  return `${JSON.stringify(state, null, 2)}\n`;
}

/** How an import's lines are read: the options that decide what becomes of them. */
export interface Reading {
  /** What addresses that start with "/" are completed with, such as "https://shop.example". */
  readonly origin: string | undefined;
  /** Column → field, for CSV. */
  readonly map: ReadonlyMap<string, string>;
  /** Whether an access log's images, scripts and the like count too. */
  readonly assets: boolean;
  /** Whether refunds count whose date the file does not know; they do unless said. */
  readonly refunds?: boolean;
}

/**
 * What a place holds for: collector, tracking ID, and a digest of the options that decide what becomes of a line. With
 * other options the file is read from its first line, so that what was rejected can be put right; rows counted before
 * have the same ids and count nothing twice.
 */
export function placeKey(
  to: { readonly collectorUrl: string; readonly trackingId: string },
  reading: Reading,
  idSuffix = "",
): string {
  return `${to.collectorUrl} ${to.trackingId} ${readingDigest(reading)}${idSuffix}`;
}

/** 16 hexadecimal digits of the options. */
export function readingDigest({ map, origin, assets, refunds = true }: Reading): string {
  const text = JSON.stringify([[...map].sort(), origin ?? null, assets, ...(refunds ? [] : ["no refunds"])]);
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** Batches on their way, in the order of their lines. */
export class Settlement {
  #place: Place;
  readonly #open: { readonly end: Place; settled: boolean }[] = [];

  constructor(start: Place) {
    this.#place = start;
  }

  /** Notes a batch that ends at a place, and gives what to call when it is settled. */
  open(end: Place): () => void {
    const batch = { end, settled: false };
    this.#open.push(batch);
    return () => {
      batch.settled = true;
      while (this.#open[0]?.settled) this.#place = (this.#open.shift() as { end: Place }).end;
    };
  }

  /** Whether nothing is on its way. */
  get isSettled(): boolean {
    return this.#open.length === 0;
  }

  /** The last place before which everything is settled. */
  get place(): Place {
    return this.#place;
  }
}
