// A rollup on its way from a partition to D1, or from a partition's `live()` to the query Worker. Its values are
// absolute. It carries the partition and a version, the log position of the last event counted. So it does no harm to
// write a row twice, or an old row after a new one, and a reader can replace a stored row by a live one.

import { ByteReader, ByteWriter } from "../bytes.ts";
import type { DropReason } from "../outcome.ts";
import { type KnownOfDay, rollupOf } from "./bucket.ts";
import { type DayState, slotStart, WHOLE_DAY } from "./day.ts";
import type { DimensionName } from "./dimension.ts";
import { decodePresence, encodePresence, type Pair } from "./presence.ts";
import {
  type Breakdown,
  type Counts,
  decodeBreakdown,
  encodeBreakdown,
  isCutBreakdown,
  readBreakdown,
} from "./rollup.ts";
import { encodeSketch, type Sketch } from "./sketch.ts";

/** What a bucket of time spans. */
export type Grain = "hour" | "day";

export interface RollupRow {
  readonly merchant: number;
  readonly grain: Grain;
  /** The UTC ms an Hour starts, or the number of a Day. */
  readonly bucket: number;
  /** Number of the local date the bucket belongs to. */
  readonly day: number;
  readonly partition: string;
  readonly version: number;
  readonly counts: Counts;
  /** Hits not counted, by reason. */
  readonly drops: Readonly<Partial<Record<DropReason, number>>>;
  /** `absorbEncoded` reads it. */
  readonly sketch: Uint8Array;
  /** `decodePresence` reads a Day's. Empty for an Hour, and where it was not asked for. */
  readonly presence: Uint8Array;
  /** `decodeBreakdown` reads each. Only the dimensions that were asked for. */
  readonly breakdowns: Readonly<Partial<Record<DimensionName, Uint8Array>>>;
  /** What the Day says about the visitors of this Hour, if the Hour has only totals left. Other rows have none. */
  readonly within?: WithinDay;
}

/** Which of an Hour's visitors were also present in other Hours of its Day (VIS-9). */
export interface WithinDay {
  /** Those that begin in this Hour. */
  readonly pairs: readonly Pair[];
  /** Whether a visitor of that Day may come again on another Day. */
  readonly hasKnown: boolean;
}

export interface RowRequest extends KnownOfDay {
  readonly slot: number;
  readonly partition: string;
  readonly version: number;
  readonly dimensions: readonly DimensionName[];
}

/** One Hour or the whole of a Day's state as a row. */
export function toRollupRow(
  state: DayState,
  { slot, partition, version, dimensions, ...known }: RowRequest,
): RollupRow {
  const rollup = rollupOf(state, slot, dimensions, known);
  const breakdowns: Partial<Record<DimensionName, Uint8Array>> = {};
  const writer = new ByteWriter();
  for (const [name, breakdown] of rollup.breakdowns) breakdowns[name] = encodeBreakdown(breakdown, writer);
  const whole = slot === WHOLE_DAY;
  return {
    merchant: state.merchant,
    grain: whole ? "day" : "hour",
    bucket: whole ? state.day : slotStart(state.day, slot),
    day: state.day,
    partition,
    version,
    counts: rollup.counts,
    drops: Object.fromEntries(rollup.drops),
    sketch: encodeTotalSketch(rollup.sketch),
    presence: rollup.presence === undefined ? new Uint8Array() : encodePresence(rollup.presence),
    breakdowns,
  };
}

export function encodeTotalSketch(sketch: Sketch): Uint8Array {
  const writer = new ByteWriter();
  encodeSketch(sketch, writer);
  return writer.finish();
}

/** One dimension of a row; empty where the row has nothing for it. */
export function breakdownOf(row: RollupRow, dimension: DimensionName): Breakdown {
  const bytes = row.breakdowns[dimension];
  return bytes === undefined ? { entries: [], cut: false } : decodeBreakdown(bytes);
}

/** Whether values of a dimension were added up as "(other)". */
export function isCut(row: RollupRow, dimension: DimensionName): boolean {
  const bytes = row.breakdowns[dimension];
  return bytes !== undefined && isCutBreakdown(bytes);
}

/** One dimension of a row, value by value (`readBreakdown`); not cut where the row has nothing for it. */
export function readBreakdownOf(
  row: RollupRow,
  dimension: DimensionName,
  take: (value: string, reader: ByteReader) => void,
): boolean {
  const bytes = row.breakdowns[dimension];
  return bytes !== undefined && readBreakdown(bytes, take);
}

/** Whether an Hour's row has only totals. Its sketch must have been read: then no bytes mean that it has none. */
export function isThin({ grain, sketch }: Pick<RollupRow, "grain" | "sketch">): boolean {
  return grain === "hour" && sketch.length === 0;
}

/**
 * What a Day's row knows of the visitors of its Hours, by their slots. Undefined for rows that were written before this
 * was recorded.
 */
export function withinOf({
  presence,
  counts,
}: Pick<RollupRow, "presence" | "counts">): ((slot: number) => WithinDay) | undefined {
  if (presence.length === 0) return undefined;
  const pairs = Map.groupBy(decodePresence(new ByteReader(presence)).pairs, ({ slot }) => slot);
  const hasKnown = counts.known > 0;
  return (slot) => ({ pairs: pairs.get(slot) ?? [], hasKnown });
}

/** What stays of an Hour once its Day is closed. A Day's row is not changed. */
export function thinned(row: RollupRow): RollupRow {
  return row.grain === "day" ? row : { ...row, sketch: new Uint8Array(), presence: new Uint8Array(), breakdowns: {} };
}
