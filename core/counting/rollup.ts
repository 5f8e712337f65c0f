// The numbers of one merchant for one Hour or one whole Day: totals, drops, and a breakdown by every dimension, each
// with a mergeable sketch of its visitors. A rollup is computed from a Day's state whenever somebody needs it
// (`bucket.ts`). It is never counted along, so it cannot differ from the events. docs/spec.md (CNT) says what each
// metric means. D1 stores counts as columns, and each breakdown as one packed column.

import { ByteReader, ByteWriter, utf8Length } from "../bytes.ts";
import {
  DIMENSION_BYTES_MAX,
  DIMENSION_CURRENCIES,
  DIMENSION_VALUE_BYTES,
  DIMENSION_VALUES_MAX,
  VALUE_SKETCH_PRECISION,
} from "../limits.ts";
import { assert, type DropReason } from "../outcome.ts";
import { DIMENSIONS, type DimensionName, OTHER } from "./dimension.ts";
import type { Presence } from "./presence.ts";
import { absorbSketch, decodeSketch, emptySketch, encodeSketch, estimate, type Sketch, skipSketch } from "./sketch.ts";
import { addMoneyTo, decodeMoney, encodeMoney, type OwnMoney, TAKINGS, wholeMoney } from "./takings.ts";

/**
 * The counters of a rollup and of each value in a breakdown, in stored order. All are integers. `known` counts the
 * visitors in the sketch, who may be in another bucket as well: of a Day those with an id, of an Hour all (VIS-8). All
 * counters except the visitors add up.
 */
export const COUNTERS = [
  "visitors",
  "known",
  "visits",
  "bounces",
  "duration_ms",
  "pageviews",
  "events",
  "engagement_ms",
  "orders",
  "refunds",
  "units",
] as const;
export type Counter = (typeof COUNTERS)[number];
/**
 * Counters, and money by currency. Under a product `units` and `product_revenue` are its own, all else
 * is of the events that name it.
 */
export type Counts = Record<Counter, number> & { money: OwnMoney };

/** Counters that are 0 for most values, as money is. They are stored behind a mark. */
const OF_ORDERS = ["orders", "refunds", "units"] as const;
const OF_TRAFFIC = COUNTERS.filter((name) => !(OF_ORDERS as readonly string[]).includes(name));

export interface BreakdownEntry {
  readonly value: string;
  readonly counts: Counts;
  /** Has the visitors that `counts.known` counts. */
  readonly sketch: Sketch;
}

/** A value before its breakdown is cut. */
export interface CountedValue extends BreakdownEntry {
  /** The other visitors. They are needed when values are added up as "(other)". Undefined where there are none. */
  readonly others: Sketch | undefined;
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
  /** Of a Day; undefined of an Hour. */
  readonly presence: Presence | undefined;
  readonly drops: ReadonlyMap<DropReason, number>;
  readonly breakdowns: ReadonlyMap<DimensionName, Breakdown>;
}

export const ALL_DIMENSIONS: readonly DimensionName[] = DIMENSIONS.map((dimension) => dimension.name);

export function zeroCounts(): Counts {
  return {
    visitors: 0,
    known: 0,
    visits: 0,
    bounces: 0,
    duration_ms: 0,
    pageviews: 0,
    events: 0,
    engagement_ms: 0,
    orders: 0,
    refunds: 0,
    units: 0,
    money: undefined,
  };
}

/**
 * Adds `from` to `into`. It is written out, because a loop over COUNTERS took three times as long and this runs for
 * every value.
 */
export function addCounts(into: Counts, from: Counts): void {
  into.visitors += from.visitors;
  into.known += from.known;
  into.visits += from.visits;
  into.bounces += from.bounces;
  into.duration_ms += from.duration_ms;
  into.pageviews += from.pageviews;
  into.events += from.events;
  into.engagement_ms += from.engagement_ms;
  into.orders += from.orders;
  into.refunds += from.refunds;
  into.units += from.units;
  if (from.money !== undefined) into.money = addMoneyTo(into.money, from.money);
}

/** Whether nothing was counted. */
export function isNothing(counts: Counts): boolean {
  return counts.money === undefined && COUNTERS.every((counter) => counts[counter] === 0);
}

/** 2: known visitors are counted, and a Day's sketches have only those. It stands above the mark of a cut. */
const BREAKDOWN_VERSION = 2;

/** A breakdown as one packed column. If the caller passes a writer, the bytes begin at the writer's end. */
export function encodeBreakdown({ cut, entries }: Breakdown, writer = new ByteWriter()): Uint8Array {
  const start = writer.length;
  writer.byte(BREAKDOWN_VERSION * 2 + (cut ? 1 : 0));
  writer.unsigned(entries.length);
  for (const entry of entries) encodeEntry(entry, writer);
  return writer.finish(start);
}

/** The inverse of `encodeBreakdown`. */
export function decodeBreakdown(bytes: Uint8Array): Breakdown {
  const entries: BreakdownEntry[] = [];
  const cut = readBreakdown(bytes, (value, reader) => {
    const counts = zeroCounts();
    counts.money = addEncodedCounts(counts, reader);
    entries.push({ value, counts, sketch: decodeSketch(reader) });
  });
  return { cut, entries };
}

/**
 * Reads an encoded breakdown without making an object of it, and returns whether it was cut. `take` must read each
 * value's counters and sketch, or skip them.
 */
export function readBreakdown(bytes: Uint8Array, take: (value: string, reader: ByteReader) => void): boolean {
  const reader = new ByteReader(bytes);
  const head = reader.byte();
  assert(head >> 1 === BREAKDOWN_VERSION, `breakdown version ${head >> 1} is one that this release reads`);
  const cut = head % 2 === 1;
  for (let left = reader.unsigned(); left > 0; left--) take(reader.text(), reader);
  return cut;
}

/** Whether an encoded breakdown was cut. */
export function isCutBreakdown(bytes: Uint8Array): boolean {
  return (bytes[0] as number) % 2 === 1;
}

/** Adds stored counters to `into`, and returns their money, which the caller must add. */
export function addEncodedCounts(into: Counts, reader: ByteReader): OwnMoney {
  for (const counter of OF_TRAFFIC) into[counter] += reader.signed();
  if (reader.byte() === 0) return undefined;
  for (const counter of OF_ORDERS) into[counter] += reader.signed();
  return decodeMoney(reader);
}

/** Skips what belongs to one value. */
export function skipEntry(reader: ByteReader): void {
  for (let left = OF_TRAFFIC.length; left > 0; left--) reader.unsigned();
  if (reader.byte() !== 0) {
    for (let left = OF_ORDERS.length; left > 0; left--) reader.unsigned();
    decodeMoney(reader);
  }
  skipSketch(reader);
}

/**
 * Keeps the largest values within DIMENSION_VALUES_MAX and DIMENSION_BYTES_MAX and adds up the rest as "(other)"
 * (CNT-9). The order is total, so the cut is a function of the values alone.
 */
export function cutBreakdown(entries: CountedValue[]): Breakdown {
  const sorted = entries.sort(bySize);
  const room = DIMENSION_BYTES_MAX - otherBytes(entries);
  const mayFit = sorted.reduce((sum, entry) => sum + entryBytesMax(entry), 0) <= room;
  if (sorted.length <= DIMENSION_VALUES_MAX && mayFit) return { cut: false, entries: sorted };
  const kept = keptOf(sorted, room);
  if (kept.size === sorted.length) return { cut: false, entries: sorted };
  const others = sorted.filter((entry) => !kept.has(entry));
  return { cut: true, entries: [...sorted.filter((entry) => kept.has(entry)), addUp(others)] };
}

/**
 * Which of the sorted values are kept in `room` bytes. Anybody can send values of 2,000 characters, or a value with
 * money of every currency, and a few more visitors than the shop's own values have. Such values must not fill the room.
 * So long values come after all others, and values of many currencies have half of the room.
 */
function keptOf(sorted: readonly CountedValue[], room: number): ReadonlySet<CountedValue> {
  const kept = new Set<CountedValue>();
  const isLong = ({ value }: CountedValue) => utf8Length(value) > DIMENSION_VALUE_BYTES;
  const ranked = [...sorted.filter((entry) => !isLong(entry)), ...sorted.filter(isLong)];
  let [bytes, ofMany] = [0, 0];
  for (const entry of ranked) {
    if (kept.size === DIMENSION_VALUES_MAX) break;
    const writer = new ByteWriter();
    encodeEntry(entry, writer);
    const isOfMany = (entry.counts.money?.length ?? 0) > DIMENSION_CURRENCIES;
    if (isOfMany && ofMany + writer.length > room / 2) continue;
    if (bytes + writer.length > room) break;
    if (isOfMany) ofMany += writer.length;
    bytes += writer.length;
    kept.add(entry);
  }
  return kept;
}

/** The cut values as one value. Its visitors are estimated, because one visitor may have seen many of the values. */
function addUp(values: readonly CountedValue[]): BreakdownEntry {
  const counts = zeroCounts();
  const sketch = emptySketch(VALUE_SKETCH_PRECISION);
  const others = emptySketch(VALUE_SKETCH_PRECISION);
  for (const value of values) {
    addCounts(counts, value.counts);
    absorbSketch(sketch, value.sketch);
    if (value.others !== undefined) absorbSketch(others, value.others);
  }
  counts.money = wholeMoney(counts.money);
  counts.known = estimate(sketch);
  counts.visitors = counts.known + estimate(others);
  return { value: OTHER, counts, sketch };
}

function bySize(a: BreakdownEntry, b: BreakdownEntry): number {
  if (a.counts.visitors !== b.counts.visitors) return b.counts.visitors - a.counts.visitors;
  if (a.counts.events !== b.counts.events) return b.counts.events - a.counts.events;
  return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
}

function encodeEntry(entry: BreakdownEntry, writer: ByteWriter): void {
  writer.text(entry.value);
  const { counts } = entry;
  for (const counter of OF_TRAFFIC) writer.count(counts[counter]);
  const isSold = counts.money !== undefined || OF_ORDERS.some((counter) => counts[counter] !== 0);
  writer.byte(isSold ? 1 : 0);
  if (isSold) {
    for (const counter of OF_ORDERS) writer.count(counts[counter]);
    encodeMoney(counts.money, writer);
  }
  encodeSketch(entry.sketch, writer);
}

/** The most bytes that an entry can take. Nearly all breakdowns fit by it and need not be encoded to find out. */
function entryBytesMax({ value, sketch, counts }: BreakdownEntry): number {
  const sketchBytes = sketch.sparse === undefined ? (2 ** sketch.precision * 6) / 8 : sketch.sparse.length * 8;
  const moneyBytes = (counts.money?.length ?? 0) * (TAKINGS.length * 8 + 8);
  return value.length * 3 + COUNTERS.length * 8 + moneyBytes + sketchBytes + 16;
}

/**
 * The most bytes that the "(other)" entry can take: a dense sketch, long counters, and money in every currency of the
 * values.
 */
function otherBytes(entries: readonly BreakdownEntry[]): number {
  const currencies = new Set(entries.flatMap(({ counts }) => (counts.money ?? []).map(({ currency }) => currency)));
  const moneyBytes = currencies.size * (TAKINGS.length * 8 + 8);
  return (2 ** VALUE_SKETCH_PRECISION * 6) / 8 + COUNTERS.length * 8 + moneyBytes + 64;
}
