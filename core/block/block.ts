// Closed Days of one merchant in one partition, packed: up to ten Days, beginning at a multiple of ten. A block is a
// list of byte strings, the head and then SECTIONS. Each can be read alone, and whoever stores it compresses each. A
// block has all of a Day's rollup, and the totals of its Hours. The rest of the Hours is left out, because events can
// tell it (BLK-1).

import { ByteReader } from "../bytes.ts";
import { slotStart } from "../counting/day.ts";
import type { DimensionName } from "../counting/dimension.ts";
import type { RollupRow } from "../counting/rollup-row.ts";
import { BLOCK_DAYS } from "../limits.ts";
import { assert } from "../outcome.ts";
import { decodeSection, encodeSection } from "./breakdowns.ts";
import { decodeHead, encodeHead, type HeadOfDay, type ThinHour } from "./head.ts";
import { SECTIONS, sectionOf } from "./section.ts";
import { visitorsOf } from "./sketches.ts";

/** 1: as below. It begins each byte string, because each is read alone. */
export const BLOCK_VERSION = 1;

/** A closed Day in a block. */
export interface BlockDay extends HeadOfDay {
  readonly breakdowns: RollupRow["breakdowns"];
}

/** The head, then each section. */
export type BlockParts = readonly Uint8Array[];

/** The first Day of the block that a Day is in. */
export function blockOf(day: number): number {
  return Math.floor(day / BLOCK_DAYS) * BLOCK_DAYS;
}

/** Days in order. */
export function encodeBlock(days: readonly BlockDay[]): BlockParts {
  assert(
    days.every(({ day }, at) => at === 0 || day > (days[at - 1] as BlockDay).day),
    "Days are in order",
  );
  const visitors = days.map(({ sketch }) => visitorsOf(sketch));
  const breakdowns = days.map((day) => day.breakdowns);
  return [encodeHead(days), ...SECTIONS.map((section) => encodeSection(section, breakdowns, visitors))].map(marked);
}

/** The Days of a block without their breakdowns. */
export function readHead(head: Uint8Array): readonly HeadOfDay[] {
  return decodeHead(unmarked(head));
}

/** Which byte strings of a block a question about some dimensions reads, by index. The head is always one of them. */
export function partsOf(dimensions: readonly DimensionName[]): readonly number[] {
  return [...new Set([0, ...dimensions.map((name) => 1 + sectionOf(name))])].sort((a, b) => a - b);
}

/** Days with their breakdowns by some dimensions. `partAt` gives a byte string that `partsOf` has named. */
export function readDays(
  partAt: (place: number) => Uint8Array,
  dimensions: readonly DimensionName[],
): readonly BlockDay[] {
  const heads = readHead(partAt(0));
  const visitors = heads.map(({ sketch }) => visitorsOf(sketch));
  const days = heads.map((head): { -readonly [Name in keyof BlockDay]: BlockDay[Name] } => ({
    ...head,
    breakdowns: {},
  }));
  for (const place of partsOf(dimensions).slice(1)) {
    const section = SECTIONS[place - 1];
    assert(section !== undefined, "a part is the head or a section");
    const read = decodeSection(unmarked(partAt(place)), { section, visitors, dimensions });
    for (const [at, breakdowns] of read.entries()) {
      const day = days[at] as (typeof days)[number];
      day.breakdowns = { ...day.breakdowns, ...breakdowns };
    }
  }
  return days;
}

/** What a block's bytes do not say, because its name does. */
export interface BlockPlace {
  readonly merchant: number;
  readonly partition: string;
}

/** The rollup of a Day, equal to the one that was packed. */
export function toDayRow({ merchant, partition }: BlockPlace, { hours: _, ...day }: BlockDay): RollupRow {
  return { merchant, partition, grain: "day", bucket: day.day, ...day };
}

/** The rollup of an Hour: its totals, without visitors and breakdowns. */
export function toHourRow(
  { merchant, partition }: BlockPlace,
  { day }: Pick<HeadOfDay, "day">,
  { slot, version, counts, drops }: ThinHour,
): RollupRow {
  const bucket = slotStart(day, slot);
  const nothing = { sketch: new Uint8Array(), presence: new Uint8Array(), breakdowns: {} };
  return { merchant, partition, grain: "hour", bucket, day, version, counts, drops, ...nothing };
}

function marked(bytes: Uint8Array): Uint8Array {
  const part = new Uint8Array(bytes.length + 1);
  part[0] = BLOCK_VERSION;
  part.set(bytes, 1);
  return part;
}

function unmarked(part: Uint8Array): Uint8Array {
  const version = new ByteReader(part).byte();
  assert(version === BLOCK_VERSION, `block version ${version} is one that this release reads`);
  return part.subarray(1);
}
