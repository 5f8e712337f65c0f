// The numbers of one merchant for one Hour or one whole Day: totals, drops, and a breakdown by every dimension, each
// with a mergeable sketch of its visitors. A rollup is computed from a Day's state whenever somebody needs it, never
// counted along (`bucket.ts`), so it cannot drift from the events. What a metric means: docs/spec.md, CNT. D1 stores the
// counts as columns and each breakdown as one packed column.

import { ByteReader, ByteWriter } from "../bytes.ts";
import { DIMENSION_BYTES_MAX, DIMENSION_VALUES_MAX, VALUE_SKETCH_PRECISION } from "../limits.ts";
import type { DropReason } from "../outcome.ts";
import { DIMENSIONS, type DimensionName, OTHER } from "./dimension.ts";
import { absorbSketch, decodeSketch, emptySketch, encodeSketch, estimate, type Sketch, skipSketch } from "./sketch.ts";

/** The counters of a rollup and of each value in a breakdown, in stored order. All integers; all but visitors add up. */
export const COUNTERS = [
  "visitors",
  "visits",
  "bounces",
  "duration_ms",
  "pageviews",
  "events",
  "engagement_ms",
  "revenue",
  "foreign_revenue",
] as const;
export type Counter = (typeof COUNTERS)[number];
export type Counts = Record<Counter, number>;

export interface BreakdownEntry {
  readonly value: string;
  readonly counts: Counts;
  readonly sketch: Sketch;
}

export interface Breakdown {
  /** By visitors, then events, downwards; then by value. */
  readonly entries: readonly BreakdownEntry[];
  /** Whether values were added up as "(other)". */
  readonly cut: boolean;
}

export interface Rollup {
  readonly counts: Counts;
  readonly sketch: Sketch;
  readonly drops: ReadonlyMap<DropReason, number>;
  readonly breakdowns: ReadonlyMap<DimensionName, Breakdown>;
}

export const ALL_DIMENSIONS: readonly DimensionName[] = DIMENSIONS.map((dimension) => dimension.name);

export function zeroCounts(): Counts {
  return {
    visitors: 0,
    visits: 0,
    bounces: 0,
    duration_ms: 0,
    pageviews: 0,
    events: 0,
    engagement_ms: 0,
    revenue: 0,
    foreign_revenue: 0,
  };
}

/** Adds `from` to `into`. Written out: going through COUNTERS took three times as long, and this is done for every value. */
export function addCounts(into: Counts, from: Counts): void {
  into.visitors += from.visitors;
  into.visits += from.visits;
  into.bounces += from.bounces;
  into.duration_ms += from.duration_ms;
  into.pageviews += from.pageviews;
  into.events += from.events;
  into.engagement_ms += from.engagement_ms;
  into.revenue += from.revenue;
  into.foreign_revenue += from.foreign_revenue;
}

/** A breakdown as one packed column. With a writer of the caller's, its bytes begin where that stood. */
export function encodeBreakdown({ cut, entries }: Breakdown, writer = new ByteWriter()): Uint8Array {
  const start = writer.length;
  writer.byte(cut ? 1 : 0);
  writer.unsigned(entries.length);
  for (const entry of entries) encodeEntry(entry, writer);
  return writer.finish(start);
}

/** The inverse of `encodeBreakdown`. */
export function decodeBreakdown(bytes: Uint8Array): Breakdown {
  const entries: BreakdownEntry[] = [];
  const cut = readBreakdown(bytes, (value, reader) => {
    const counts = zeroCounts();
    addEncodedCounts(counts, reader);
    entries.push({ value, counts, sketch: decodeSketch(reader) });
  });
  return { cut, entries };
}

/**
 * Goes through an encoded breakdown without making one, and answers whether it was cut: `take` reads each value's counters and
 * sketch, or past them.
 */
export function readBreakdown(bytes: Uint8Array, take: (value: string, reader: ByteReader) => void): boolean {
  const reader = new ByteReader(bytes);
  const cut = reader.byte() === 1;
  for (let left = reader.unsigned(); left > 0; left--) take(reader.text(), reader);
  return cut;
}

/** Adds counters in stored order. */
export function addEncodedCounts(into: Counts, reader: ByteReader): void {
  for (const counter of COUNTERS) into[counter] += reader.signed();
}

/** Reads past what belongs to one value. */
export function skipEntry(reader: ByteReader): void {
  for (let left = COUNTERS.length; left > 0; left--) reader.unsigned();
  skipSketch(reader);
}

/**
 * Keeps the largest values within DIMENSION_VALUES_MAX and DIMENSION_BYTES_MAX and adds up the rest as "(other)". The
 * order is total, so the cut is a function of the values alone.
 */
export function cutBreakdown(entries: BreakdownEntry[]): Breakdown {
  const sorted = entries.sort(bySize);
  const room = DIMENSION_BYTES_MAX - otherBytes();
  const mayFit = sorted.reduce((sum, entry) => sum + entryBytesMax(entry), 0) <= room;
  if (sorted.length <= DIMENSION_VALUES_MAX && mayFit) return { cut: false, entries: sorted };
  const writer = new ByteWriter();
  let kept = 0;
  while (kept < sorted.length && kept < DIMENSION_VALUES_MAX) {
    encodeEntry(sorted[kept] as BreakdownEntry, writer);
    if (writer.length > room) break;
    kept += 1;
  }
  if (kept === sorted.length) return { cut: false, entries: sorted };
  return { cut: true, entries: [...sorted.slice(0, kept), addUp(sorted.slice(kept))] };
}

/** The values that were cut, as one. Its visitors are estimated: one visitor may have seen many of the values. */
function addUp(entries: readonly BreakdownEntry[]): BreakdownEntry {
  const counts = zeroCounts();
  const sketch = emptySketch(VALUE_SKETCH_PRECISION);
  for (const entry of entries) {
    addCounts(counts, entry.counts);
    absorbSketch(sketch, entry.sketch);
  }
  counts.visitors = estimate(sketch);
  return { value: OTHER, counts, sketch };
}

function bySize(a: BreakdownEntry, b: BreakdownEntry): number {
  if (a.counts.visitors !== b.counts.visitors) return b.counts.visitors - a.counts.visitors;
  if (a.counts.events !== b.counts.events) return b.counts.events - a.counts.events;
  return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
}

function encodeEntry(entry: BreakdownEntry, writer: ByteWriter): void {
  writer.text(entry.value);
  for (const counter of COUNTERS) writer.count(entry.counts[counter]);
  encodeSketch(entry.sketch, writer);
}

/** The most that an entry can take: nearly all breakdowns fit by it, and need not be encoded to know that. */
function entryBytesMax({ value, sketch }: BreakdownEntry): number {
  const sketchBytes = sketch.sparse === undefined ? (2 ** sketch.precision * 6) / 8 : sketch.sparse.length * 8;
  return value.length * 3 + COUNTERS.length * 8 + sketchBytes + 16;
}

/** The most that the "(other)" entry can take: a dense sketch and nine long counters. */
function otherBytes(): number {
  return (2 ** VALUE_SKETCH_PRECISION * 6) / 8 + COUNTERS.length * 8 + 64;
}
