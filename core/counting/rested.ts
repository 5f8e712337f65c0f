// What of a Day has left memory (layer.ts), as counting sees it: numbers that are kept along with the Day, and a way to
// look up what must be known when a later event comes. Of a visitor that is an outline: when each run of events was,
// and in which Hours, without pages and sources. An event does not change what rests. It is counted beside it, and both
// become one when somebody reads the whole Day.

import { ByteReader, ByteWriter } from "../bytes.ts";
import type { RestedIds } from "./duplicate.ts";
import type { Visit } from "./visit.ts";
import { decodeVisit, encodeVisit } from "./visit-codec.ts";

/** How much rests of a Day. */
export interface RestedCounts {
  /** Ids of events. */
  readonly events: number;
  /** Visitors, and numbers of orders: one that came again and left again is counted again. */
  readonly visitors: number;
  readonly orders: number;
  /** About what all of it would take in memory (held.ts). */
  readonly bytes: number;
}

export const NOTHING_RESTS: RestedCounts = { events: 0, visitors: 0, orders: 0, bytes: 0 };

/** Finds what rests of one merchant's Day. */
export interface RestedLookUp extends RestedIds {
  /**
   * The outlines under the hash of a visitor or an order number, of what had left before an instant (UTC ms) where one
   * is given: those that left apart are apart.
   */
  outlinesOf(high: number, low: number, before?: number): readonly Uint8Array[];
  /** Everything but ids: Days, encoded; of what has left since an instant (UTC ms) where one is given. */
  pieces(since?: number): Iterable<Uint8Array>;
}

/** What an outline is found by. No id of an event looks like it: those begin with another letter. */
export function visitorKey(visitor: string): string {
  return `v${visitor}`;
}

export function orderKey(number: string): string {
  return `o${number}`;
}

/** What rests of one visitor. */
export interface VisitorOutline {
  /** Runs of nothing but times, rank and Hours. */
  readonly runs: readonly Visit[];
  /** The Hours of prefetched pages. */
  readonly prefetchSlots: readonly number[];
}

export function encodeVisitorOutline({ runs, prefetchSlots }: VisitorOutline, base: number): Uint8Array {
  const writer = new ByteWriter();
  writer.unsigned(runs.length);
  for (const run of runs) encodeVisit(run, base, writer);
  writeSlots(prefetchSlots, writer);
  return writer.finish();
}

/** What all outlines of a visitor say together; undefined where there is none. */
export function decodeVisitorOutlines(all: readonly Uint8Array[], base: number): VisitorOutline | undefined {
  if (all.length === 0) return undefined;
  const runs: Visit[] = [];
  const prefetchSlots: number[] = [];
  for (const bytes of all) {
    const reader = new ByteReader(bytes);
    for (let left = reader.unsigned(); left > 0; left--) runs.push(decodeVisit(base, reader));
    prefetchSlots.push(...readSlots(reader));
  }
  return { runs, prefetchSlots };
}

/** The Hours in which something stands under an order number. */
export function encodeOrderOutline(slots: readonly number[]): Uint8Array {
  const writer = new ByteWriter();
  writeSlots(slots, writer);
  return writer.finish();
}

export function decodeOrderOutlines(all: readonly Uint8Array[]): readonly number[] {
  return all.flatMap((bytes) => readSlots(new ByteReader(bytes)));
}

function writeSlots(slots: readonly number[], writer: ByteWriter): void {
  writer.unsigned(slots.length);
  for (const slot of slots) writer.signed(slot);
}

function readSlots(reader: ByteReader): number[] {
  return Array.from({ length: reader.unsigned() }, () => reader.signed());
}
