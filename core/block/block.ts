// Closed Days of one merchant in one partition, packed: up to ten of them, beginning at a multiple of ten. A block
// is a list of byte strings that are read alone, the head first and then SECTIONS; whoever stores it compresses
// each. All that a Day's rollup has is in it, and of its Hours the totals: nothing is lost but what Hours had beside
// them, which events can tell (BLK-1).

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

/** 1: as below. Stands before each part, as each is read alone. */
export const BLOCK_VERSION = 1;

/** A closed Day as a block has it. */
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

/**
 * Which parts of a block a question about some dimensions reads, by their place among its parts. The head is always
 * one.
 */
export function partsOf(dimensions: readonly DimensionName[]): readonly number[] {
  return [...new Set([0, ...dimensions.map((name) => 1 + sectionOf(name))])].sort((a, b) => a - b);
}

/** Days with their breakdowns by some dimensions. `partAt` gives a part that `partsOf` has named. */
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

/** What is not in a block's bytes, as its name says it. */
export interface BlockPlace {
  readonly merchant: number;
  readonly partition: string;
}

/** A Day's rollup, as it was put into the block. */
export function toDayRow({ merchant, partition }: BlockPlace, { hours: _, ...day }: BlockDay): RollupRow {
  return { merchant, partition, grain: "day", bucket: day.day, ...day };
}

/** An Hour of it: totals, with no visitors and no breakdowns beside them. */
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
