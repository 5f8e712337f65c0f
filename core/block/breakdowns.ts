// One section of a block: the breakdowns of its Days by some dimensions. Names are written once for all Days. Then
// follow, for each dimension, the names that each Day has, their counters as columns over all Days, and their visitors.
// Nothing is lost: reading gives the encoded breakdowns that were written, byte for byte.

import { ByteReader, ByteWriter } from "../bytes.ts";
import type { DimensionName } from "../counting/dimension.ts";
import { type BreakdownEntry, decodeBreakdown, encodeBreakdown, zeroCounts } from "../counting/rollup.ts";
import type { RollupRow } from "../counting/rollup-row.ts";
import { assert } from "../outcome.ts";
import { readCounts, readTimes, writeCounts } from "./column.ts";
import { readNames, writeNames } from "./name.ts";
import type { Section } from "./section.ts";
import { type DayVisitors, readSketches, writeSketches } from "./sketches.ts";

/** One Day's encoded breakdowns of a section. A dimension that is younger than the Day's rollup has none. */
export type SectionOfDay = RollupRow["breakdowns"];

interface Decoded {
  readonly cut: boolean;
  readonly entries: readonly BreakdownEntry[];
}

/** Encodes the breakdowns of Days by a section's dimensions. `visitors` are those of each Day's sketch. */
export function encodeSection(
  { dimensions }: Section,
  days: readonly SectionOfDay[],
  visitors: readonly DayVisitors[],
): Uint8Array {
  const decoded = dimensions.map((name) => days.map((day) => day[name] && decodeBreakdown(day[name])));
  const names = [
    ...new Set(decoded.flatMap((of) => of.flatMap((one) => one?.entries.map(({ value }) => value) ?? []))),
  ].sort();
  const numbers = new Map(names.map((name, number) => [name, number]));
  const writer = new ByteWriter();
  writeNames(names, writer);
  writer.unsigned(dimensions.length);
  for (const of of decoded) writer.blob(encodeDimension(of, { numbers, visitors }));
  return writer.finish();
}

interface Context {
  readonly numbers: ReadonlyMap<string, number>;
  readonly visitors: readonly DayVisitors[];
}

function encodeDimension(days: readonly (Decoded | undefined)[], { numbers, visitors }: Context): Uint8Array {
  const writer = new ByteWriter();
  // 0 stands for no breakdown, and 1 for an uncut breakdown without values.
  for (const day of days) writer.unsigned(day === undefined ? 0 : 1 + 2 * day.entries.length + (day.cut ? 1 : 0));
  const all = days.flatMap((day) => day?.entries ?? []);
  // Values of equal size are in the order of their names, so that the steps between them are short.
  for (const day of days) {
    let last = 0;
    for (const { value } of day?.entries ?? []) {
      const number = numbers.get(value) as number;
      writer.signed(number - last);
      last = number;
    }
  }
  writeCounts(
    all.map(({ counts }) => counts),
    writer,
  );
  for (const [at, day] of days.entries()) {
    if (day === undefined) continue;
    writeSketches(
      day.entries.map(({ sketch }) => sketch),
      visitors[at],
      writer,
    );
  }
  return writer.finish();
}

export interface SectionRead {
  readonly section: Section;
  /** Of each Day of the block, in its order. */
  readonly visitors: readonly DayVisitors[];
  /** The wanted dimensions. Others are skipped. */
  readonly dimensions?: readonly DimensionName[];
}

/**
 * The inverse of `encodeSection`, one Day after the other. A block from before a dimension was added has none of it.
 */
export function decodeSection(
  bytes: Uint8Array,
  { section, visitors, dimensions = section.dimensions }: SectionRead,
): readonly SectionOfDay[] {
  const reader = new ByteReader(bytes);
  const names = readNames(reader);
  const days = visitors.map((): Partial<Record<DimensionName, Uint8Array>> => ({}));
  const count = reader.unsigned();
  assert(count <= section.dimensions.length, "a section has no dimension that this release does not know");
  for (const name of section.dimensions.slice(0, count)) {
    const blob = reader.blob();
    if (!dimensions.includes(name)) continue;
    for (const [at, decoded] of decodeDimension(blob, names, visitors).entries()) {
      if (decoded !== undefined) (days[at] as (typeof days)[number])[name] = encodeBreakdown(decoded);
    }
  }
  assert(reader.done, "a section ends where its bytes do");
  return days;
}

function decodeDimension(
  bytes: Uint8Array,
  names: readonly string[],
  visitors: readonly DayVisitors[],
): readonly (Decoded | undefined)[] {
  const reader = new ByteReader(bytes);
  const heads = visitors.map(() => reader.unsigned());
  const lengths = heads.map((head) => (head === 0 ? 0 : (head - 1) >>> 1));
  // Each value takes at least one byte. Bytes that claim more values were not written by Footfall.
  assert(lengths.reduce((sum, length) => sum + length, 0) <= reader.left, "the values of a dimension fit its bytes");
  const values = lengths.map((length) => {
    let last = 0;
    return readTimes(length, () => {
      last += reader.signed();
      const value = names[last];
      assert(value !== undefined, "a value has one of the names");
      return { value, counts: zeroCounts() };
    });
  });
  readCounts(
    values.flatMap((of) => of.map(({ counts }) => counts)),
    reader,
  );
  const days = heads.map((head, at) => {
    if (head === 0) return undefined;
    const own = values[at] as (typeof values)[number];
    const sketches = readSketches(own.length, visitors[at], reader);
    const entries = own.map((one, index): BreakdownEntry => ({ ...one, sketch: sketches[index] as never }));
    return { cut: (head - 1) % 2 === 1, entries };
  });
  assert(reader.done, "a dimension ends where its bytes do");
  return days;
}
