// What of a Day has left memory (layer.ts), as counting sees it: some counts that are kept with the Day, and a way to
// look up what a later event needs. For a visitor that is an outline: when each run of events was, and in which Hours,
// without pages and sources. A later event does not change what rests. It is counted beside it, and both are joined
// when somebody reads the whole Day.

import { ByteReader, ByteWriter } from "../bytes.ts";
import type { RestedIds } from "./duplicate.ts";
import type { Visit } from "./visit.ts";
import { decodeVisit, encodeVisit } from "./visit-codec.ts";

/** How much rests of a Day. */
export interface RestedCounts {
  /** Ids of events. */
  readonly events: number;
  /** Visitors and order numbers. One that came back and left again counts again. */
  readonly visitors: number;
  readonly orders: number;
  /** About how much memory all of it would take (held.ts). */
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
  /** Encoded Days of everything but ids. With an instant (UTC ms), only of what left since then. */
  pieces(since?: number): Iterable<Uint8Array>;
}

/** The key of a visitor's outlines. No id of an event has this form, because ids begin with another letter. */
export function visitorKey(visitor: string): string {
  return `v${visitor}`;
}

export function orderKey(number: string): string {
  return `o${number}`;
}

/** What is known of one visitor's resting events. */
export interface VisitorOutline {
  /** Runs with only their times, rank and Hours. */
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

/** All outlines of a visitor, joined. Undefined where there is none. */
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

/** The Hours that have events with an order number. */
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
