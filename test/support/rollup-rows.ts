// Makers of rollup rows for tests of questions: counts and breakdowns as given, sketches of visitors named by number.

import type { DimensionName } from "../../core/counting/dimension.ts";
import { type BreakdownEntry, type Counts, encodeBreakdown, zeroCounts } from "../../core/counting/rollup.ts";
import { encodeTotalSketch, type RollupRow } from "../../core/counting/rollup-row.ts";
import { addVisitor, emptySketch, type Sketch } from "../../core/counting/sketch.ts";
import { noTakings, type OwnMoney, type Takings } from "../../core/counting/takings.ts";
import { hash64Hex } from "../../core/hash.ts";
import { TOTAL_SKETCH_PRECISION, VALUE_SKETCH_PRECISION } from "../../core/limits.ts";

/** Money of one currency; without a payment counted it is one. */
export function moneyOf(currency: string, revenue: number, more: Partial<Takings> = {}): OwnMoney {
  return [{ ...noTakings(currency), revenue, gross_revenue: Math.max(0, revenue), payments: 1, ...more }];
}

/** Counters, and who was seen; `visitors` and `known` are their number unless they are given. */
export interface Seen extends Partial<Counts> {
  readonly who?: readonly number[];
}

export interface RowSpec extends Partial<Pick<RollupRow, "grain" | "bucket" | "day" | "partition" | "version">> {
  readonly seen?: Seen;
  readonly by?: Partial<Record<DimensionName, Readonly<Record<string, Seen>>>>;
  readonly cut?: boolean;
}

export function rowOf({ seen = {}, by = {}, cut = false, ...names }: RowSpec): RollupRow {
  const bucket = names.bucket ?? 0;
  const breakdowns = Object.entries(by).map(([dimension, values]) => {
    const entries = Object.entries(values).map(([value, part]) => entryOf(value, part));
    return [dimension, encodeBreakdown({ cut, entries })];
  });
  return {
    merchant: 1,
    grain: "day",
    day: bucket,
    partition: "pool-0",
    version: 1,
    ...names,
    bucket,
    counts: countsOf(seen),
    drops: {},
    sketch: encodeTotalSketch(sketchOf(seen, TOTAL_SKETCH_PRECISION)),
    presence: new Uint8Array(),
    breakdowns: Object.fromEntries(breakdowns),
  };
}

function entryOf(value: string, seen: Seen): BreakdownEntry {
  return { value, counts: countsOf(seen), sketch: sketchOf(seen, VALUE_SKETCH_PRECISION) };
}

function countsOf({ who = [], ...counts }: Seen): Counts {
  return { ...zeroCounts(), visitors: who.length, known: who.length, ...counts };
}

function sketchOf({ who = [] }: Seen, precision: number): Sketch {
  const sketch = emptySketch(precision);
  for (const visitor of who) addVisitor(sketch, hash64Hex(`visitor ${visitor}`));
  return sketch;
}
