// Blocks as the ledger has them: a row each, whose columns are the parts that are read alone (core/block). Here a row
// becomes the rollups of its Days again. What puts Days into blocks and takes them out is `pack.ts`. The parts of an
// old block may lie in R2: then its row says where, and `withParts` (month-file.ts) fetches those that were selected.

import { Buffer } from "node:buffer";
import { type BlockDay, blockOf, partsOf, readDays, toDayRow, toHourRow } from "../../core/block/block.ts";
import { SECTIONS } from "../../core/block/section.ts";
import type { DimensionName } from "../../core/counting/dimension.ts";
import { type Grain, type RollupRow, withinOf } from "../../core/counting/rollup-row.ts";
import { BLOCK_DAYS, BLOCK_PART_BYTES_MAX } from "../../core/limits.ts";
import { assert } from "../../core/outcome.ts";
import { inflate } from "../deflate.ts";

/** The columns that parts lie in, in the order of a block's parts. */
export const PART_COLUMNS = ["head", ...SECTIONS.map(({ name }) => name)];

/** What is read of a block; parts that were not asked for are not there. */
export interface BlockRow {
  readonly merchant: number;
  readonly firstDay: number;
  readonly partition: string;
  /** JSON: of each of its ten Days how many events it counted, null where it has none. */
  readonly events: string;
  /** The month file that has its parts; empty where they lie in this row. */
  readonly file: string;
  /** JSON: where each part lies in that file. */
  readonly spans: string;
  /** Parts, in hex or as bytes, under the names of their columns. */
  readonly [column: string]: unknown;
}

/** A condition: there is a Day left in a block. */
export const HAS_DAYS = "(length(head) > 0 OR file > '')";

/** What a statement selects to read some dimensions of blocks. */
export function blockColumns(dimensions: readonly DimensionName[]): string {
  const named = `merchant, first_day AS "firstDay", "partition", version, events, file, spans`;
  // D1 would give a blob as an array of numbers: 3.6 characters of JSON a byte. This is two.
  return [named, ...partColumnsOf(dimensions).map((name) => `hex("${name}") AS "${name}"`)].join(", ");
}

/** The columns of the parts that some dimensions are read from. */
export function partColumnsOf(dimensions: readonly DimensionName[]): readonly string[] {
  return partsOf(dimensions).map((place) => columnAt(place));
}

/** Its Days, with their breakdowns by the dimensions that were selected. None where no Day is left in it. */
export function daysOf(row: BlockRow, dimensions: readonly DimensionName[]): readonly BlockDay[] {
  const isEmpty = partBytes(row, 0).length === 0;
  return isEmpty ? [] : readDays((place) => partAt(row, place), dimensions);
}

/** The rollups of one grain that a block has, in the order of their buckets. */
export function rowsOf(row: BlockRow, grain: Grain, dimensions: readonly DimensionName[]): readonly RollupRow[] {
  // Hours have no breakdowns left: whoever asks for one sees that it is missing.
  const days = daysOf(row, grain === "day" ? dimensions : []);
  if (grain === "day") return days.map((day) => toDayRow(row, day));
  return days.flatMap((day) => {
    const within = withinOf(day);
    return day.hours.map((hour) => {
      const thin = toHourRow(row, day, hour);
      return within === undefined ? thin : { ...thin, within: within(hour.slot) };
    });
  });
}

/** Which dimensions' parts a question of one grain needs. */
export function dimensionsRead(grain: Grain, dimensions: readonly DimensionName[]): readonly DimensionName[] {
  return grain === "day" ? dimensions : [];
}

/** The first Days of the blocks that have Days in [from, to). */
export function blocksBetween(from: number, to: number): readonly number[] {
  const firsts: number[] = [];
  for (let first = blockOf(from); first < to; first += BLOCK_DAYS) firsts.push(first);
  return firsts;
}

function partAt(row: BlockRow, place: number): Uint8Array {
  return inflate(partBytes(row, place), BLOCK_PART_BYTES_MAX);
}

/** A part as it is stored. */
export function partBytes(row: BlockRow, place: number): Uint8Array {
  const part = row[columnAt(place)];
  if (part instanceof Uint8Array) return part;
  assert(typeof part === "string", "a part that is read was asked for");
  return Buffer.from(part, "hex");
}

/** The column of a part. */
export function columnAt(place: number): string {
  const name = PART_COLUMNS[place];
  assert(name !== undefined, "a part has a column");
  return name;
}
