// The numbers of one merchant for one Hour or one whole Day: totals, drops, and a breakdown by every dimension, each
// with a mergeable sketch of its visitors. A rollup is computed from a Day's state whenever somebody needs it, never
// counted along, so it cannot drift from the events. What a metric means: docs/spec.md, CNT. D1 stores the counts as
// columns and each breakdown as one packed column.

import { ByteReader, ByteWriter } from "../bytes.ts";
import { isEngagement, isPageview } from "../event.ts";
import {
  DIMENSION_BYTES_MAX,
  DIMENSION_VALUES_MAX,
  TOTAL_SKETCH_PRECISION,
  VALUE_SKETCH_PRECISION,
} from "../limits.ts";
import type { DropReason } from "../outcome.ts";
import { type DayState, WHOLE_DAY } from "./day.ts";
import {
  DIMENSIONS,
  type DimensionName,
  OTHER,
  PLACE_FIELDS,
  type PlaceField,
  PROFILE_FIELDS,
  type ProfileField,
} from "./dimension.ts";
import { absorbSketch, addVisitor, decodeSketch, emptySketch, encodeSketch, estimate, type Sketch } from "./sketch.ts";
import { tupleAt, unpackTuple } from "./tuple.ts";
import { type Cell, isBounce, type Visit } from "./visit.ts";

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

/** The rollup of an Hour (by slot) or of the WHOLE_DAY, broken down by the given dimensions. */
export function rollupOf(state: DayState, slot: number, dimensions: readonly DimensionName[]): Rollup {
  const tally = newTally(state, slot, dimensions);
  for (const [visitor, visits] of state.visitors) {
    for (const visit of visits) if (touches(visit, slot)) tallyVisit(tally, visitor, visit);
  }
  return {
    counts: tally.total.counts,
    sketch: tally.total.sketch,
    drops: dropsOf(state, slot),
    breakdowns: new Map(tally.breakdowns.map(({ name, values }) => [name, cutBreakdown(values, tally.texts)])),
  };
}

/** Whether a visit has an event in the bucket. It starts where it has one, so the others add nothing to it. */
function touches({ cells }: Visit, slot: number): boolean {
  if (slot === WHOLE_DAY) return true;
  for (const cell of cells) if (cell.slot === slot) return true;
  return false;
}

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

/** Adds `from` to `into`, counter by counter. */
export function addCounts(into: Counts, from: Counts): void {
  for (const counter of COUNTERS) into[counter] += from[counter];
}

/** A breakdown as one packed column. */
export function encodeBreakdown(breakdown: Breakdown): Uint8Array {
  const writer = new ByteWriter();
  writer.byte(breakdown.cut ? 1 : 0);
  writer.unsigned(breakdown.entries.length);
  for (const entry of breakdown.entries) encodeEntry(entry, writer);
  return writer.finish();
}

/** The inverse of `encodeBreakdown`. */
export function decodeBreakdown(bytes: Uint8Array): Breakdown {
  const reader = new ByteReader(bytes);
  const cut = reader.byte() === 1;
  const entries = Array.from({ length: reader.unsigned() }, () => {
    const value = reader.text();
    const counts = zeroCounts();
    for (const counter of COUNTERS) counts[counter] = reader.signed();
    return { value, counts, sketch: decodeSketch(reader) };
  });
  return { cut, entries };
}

/** What is being added up for the total or for one value. */
interface Tallied {
  readonly counts: Counts;
  readonly sketch: Sketch;
  /** The visitor counted last: visitors come one after the other, so this is all it takes to count each once. */
  lastVisitor: string;
  /** The visit counted last, for the same reason. */
  lastVisit: Visit | undefined;
}

interface Tally {
  readonly state: DayState;
  /** Of the Day's dictionary, by number. */
  readonly texts: readonly string[];
  readonly tuples: readonly string[];
  readonly slot: number;
  readonly total: Tallied;
  readonly breakdowns: readonly { readonly name: DimensionName; readonly values: Map<number, Tallied> }[];
  /** By tuple number: whether a cell's name is a page view or an engagement report. */
  readonly kinds: Map<number, "pageview" | "engagement" | "event">;
}

function newTally(state: DayState, slot: number, dimensions: readonly DimensionName[]): Tally {
  return {
    state,
    texts: [...state.dictionary.textNumbers.keys()],
    tuples: [...state.dictionary.tupleNumbers.keys()],
    slot,
    total: newTallied(TOTAL_SKETCH_PRECISION),
    breakdowns: dimensions.map((name) => ({ name, values: new Map() })),
    kinds: new Map(),
  };
}

function newTallied(precision: number): Tallied {
  return { counts: zeroCounts(), sketch: emptySketch(precision), lastVisitor: "", lastVisit: undefined };
}

/** Event metrics belong to the hour of the event, visit metrics to the hour in which the visit starts. */
function tallyVisit(tally: Tally, visitor: string, visit: Visit): void {
  const whole = tally.slot === WHOLE_DAY;
  const startsHere = whole || visit.startSlot === tally.slot;
  const cells = whole ? visit.cells : visit.cells.filter((cell) => cell.slot === tally.slot);
  if (startsHere) countVisit(tally.total, visit);
  for (const cell of cells) countCell(tally.total, visitor, cell, kindOf(tally, cell.place));
  if (cells.length === 0) return;
  for (const { name, values } of tally.breakdowns) {
    const valuesOf = cellValuesOf(tally, name);
    if (valuesOf === undefined)
      tallyWholeVisit(tally, values, {
        visitor,
        visit,
        cells,
        startsHere,
        value: dimensionValueOf(tally, visit, name),
      });
    else tallyByCell(tally, values, { visitor, visit, cells, startsHere, valuesOf });
  }
}

interface VisitPart {
  readonly visitor: string;
  readonly visit: Visit;
  readonly cells: readonly Cell[];
  readonly startsHere: boolean;
}

/** All of the visit counts under one value. */
function tallyWholeVisit(
  tally: Tally,
  values: Map<number, Tallied>,
  part: VisitPart & { readonly value: number },
): void {
  const tallied = talliedOf(values, part.value);
  if (part.startsHere) countVisit(tallied, part.visit);
  for (const cell of part.cells) countCell(tallied, part.visitor, cell, kindOf(tally, cell.place));
}

type CellValues = (cell: Cell) => readonly number[];

/** How to get the dictionary numbers of a cell's values; undefined for dimensions of whole visits. */
function cellValuesOf({ tuples }: Tally, name: DimensionName): CellValues | undefined {
  const placeOf = (cell: Cell) => tuples[cell.place] as string;
  if (name === "goal") return (cell) => unpackTuple(placeOf(cell), PLACE_FIELDS.length);
  const index = PLACE_FIELDS.indexOf(name as PlaceField);
  return index < 0 ? undefined : (cell) => [tupleAt(placeOf(cell), index) as number];
}

/** Each cell counts under its own values; the visit counts once under every value that it contains. */
function tallyByCell(
  tally: Tally,
  values: Map<number, Tallied>,
  part: VisitPart & { readonly valuesOf: CellValues },
): void {
  for (const cell of part.cells) {
    const kind = kindOf(tally, cell.place);
    for (const value of part.valuesOf(cell)) countCell(talliedOf(values, value), part.visitor, cell, kind);
  }
  if (!part.startsHere) return;
  for (const value of part.visit.cells.flatMap(part.valuesOf)) {
    const tallied = talliedOf(values, value);
    if (tallied.lastVisit === part.visit) continue;
    tallied.lastVisit = part.visit;
    tallied.counts.visits += 1;
  }
}

function countVisit(tallied: Tallied, visit: Visit): void {
  tallied.counts.visits += 1;
  tallied.counts.bounces += isBounce(visit) ? 1 : 0;
  tallied.counts.duration_ms += visit.end - visit.start;
}

function countCell(tallied: Tallied, visitor: string, cell: Cell, kind: "pageview" | "engagement" | "event"): void {
  const { counts } = tallied;
  if (kind === "pageview") counts.pageviews += cell.count;
  if (kind !== "engagement") counts.events += cell.count;
  counts.engagement_ms += cell.engagementMs;
  counts.revenue += cell.revenue;
  counts.foreign_revenue += cell.foreign;
  if (tallied.lastVisitor === visitor) return;
  tallied.lastVisitor = visitor;
  counts.visitors += 1;
  addVisitor(tallied.sketch, visitor);
}

/** The dictionary number of a visit's value of a dimension. A visit without a page view enters and exits nowhere: "". */
function dimensionValueOf(tally: Tally, visit: Visit, name: DimensionName): number {
  const nowhere = tally.state.dictionary.textNumbers.get("") ?? -1;
  if (name === "entry_page") return visit.entry?.page ?? nowhere;
  if (name === "exit_page") return visit.exit?.page ?? nowhere;
  const profile = tally.tuples[visit.profile] as string;
  return tupleAt(profile, PROFILE_FIELDS.indexOf(name as ProfileField)) as number;
}

function kindOf(tally: Tally, place: number): "pageview" | "engagement" | "event" {
  const known = tally.kinds.get(place);
  if (known !== undefined) return known;
  const { texts, tuples } = tally;
  const name = texts[tupleAt(tuples[place] as string, PLACE_FIELDS.indexOf("name")) as number] as string;
  const kind = isPageview(name) ? "pageview" : isEngagement(name) ? "engagement" : "event";
  tally.kinds.set(place, kind);
  return kind;
}

function talliedOf(values: Map<number, Tallied>, value: number): Tallied {
  const known = values.get(value);
  if (known !== undefined) return known;
  const tallied = newTallied(VALUE_SKETCH_PRECISION);
  values.set(value, tallied);
  return tallied;
}

function dropsOf(state: DayState, slot: number): Map<DropReason, number> {
  const drops = new Map<DropReason, number>();
  for (const [dropSlot, reasons] of state.drops ?? []) {
    if (slot !== WHOLE_DAY && dropSlot !== slot) continue;
    for (const [reason, count] of reasons) drops.set(reason, (drops.get(reason) ?? 0) + count);
  }
  return drops;
}

/**
 * Keeps the largest values within DIMENSION_VALUES_MAX and DIMENSION_BYTES_MAX and adds up the rest as "(other)". The
 * order is total, so the cut is a function of the values alone.
 */
function cutBreakdown(values: ReadonlyMap<number, Tallied>, texts: readonly string[]): Breakdown {
  const sorted = [...values]
    .map(([number, { counts, sketch }]) => ({ value: texts[number] ?? "", counts, sketch }))
    .sort(bySize);
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
  const sketchBytes = sketch.sparse === undefined ? (2 ** sketch.precision * 6) / 8 : sketch.sparse.size * 8;
  return value.length * 3 + COUNTERS.length * 8 + sketchBytes + 16;
}

/** The most that the "(other)" entry can take: a dense sketch and nine long counters. */
function otherBytes(): number {
  return (2 ** VALUE_SKETCH_PRECISION * 6) / 8 + COUNTERS.length * 8 + 64;
}
