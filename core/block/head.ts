// The head of a block: the numbers that questions need most, and what is needed to read the other sections. For each
// Day it has the version, totals, drops, the sketch of its known visitors, and in which Hours each visitor was present.
// For each Hour of these Days it has the totals. A question without a dimension reads the head alone.

import { ByteReader, ByteWriter } from "../bytes.ts";
import { decodePresence, encodePresence } from "../counting/presence.ts";
import { type Counts, zeroCounts } from "../counting/rollup.ts";
import type { RollupRow } from "../counting/rollup-row.ts";
import { REBUILD_VERSION_STEP } from "../limits.ts";
import { assert, DROP_REASONS, type DropReason } from "../outcome.ts";
import { readCounts, readList, readTimes, writeCounts } from "./column.ts";

/** An Hour of a closed Day, of which only the totals are kept. */
export interface ThinHour {
  /** As in `counting/day.ts`. */
  readonly slot: number;
  readonly version: number;
  readonly counts: Counts;
  readonly drops: RollupRow["drops"];
}

export interface HeadOfDay {
  /** Number of the local date. */
  readonly day: number;
  readonly version: number;
  readonly counts: Counts;
  readonly drops: RollupRow["drops"];
  readonly sketch: Uint8Array;
  readonly presence: Uint8Array;
  /** In order. */
  readonly hours: readonly ThinHour[];
}

/** Days in order. */
export function encodeHead(days: readonly HeadOfDay[]): Uint8Array {
  const writer = new ByteWriter();
  writeSteps(
    days.map(({ day }) => day),
    writer,
  );
  for (const { version } of days) writer.unsigned(stepsOf(version));
  writeTotals(days, writer);
  const hours = days.flatMap((day) => day.hours);
  for (const day of days) writeSlots(day.hours, writer);
  for (const { version, hours: own } of days) for (const hour of own) writeVersion(hour.version, version, writer);
  writeTotals(hours, writer);
  for (const { presence } of days) writePresence(presence, writer);
  for (const { sketch } of days) writer.blob(sketch);
  return writer.finish();
}

/** The inverse of `encodeHead`. */
export function decodeHead(bytes: Uint8Array): readonly HeadOfDay[] {
  const reader = new ByteReader(bytes);
  const numbers = readSteps(reader);
  const versions = numbers.map(() => reader.unsigned() * REBUILD_VERSION_STEP);
  const totals = readTotals(numbers.length, reader);
  const slots = numbers.map(() => readSteps(reader));
  const versionsOfHours = slots.flatMap((own, at) => own.map(() => readVersion(versions[at] as number, reader)));
  const ofHours = readTotals(
    slots.reduce((sum, own) => sum + own.length, 0),
    reader,
  );
  const presences = numbers.map(() => readPresence(reader));
  const sketches = numbers.map(() => reader.blob());
  assert(reader.done, "a head ends where its bytes do");
  let at = 0;
  return numbers.map((day, index) => {
    const hours = (slots[index] as number[]).map((slot): ThinHour => {
      const hour = { slot, version: versionsOfHours[at] as number, ...(ofHours[at] as Totals) };
      at += 1;
      return hour;
    });
    return {
      day,
      version: versions[index] as number,
      ...(totals[index] as Totals),
      sketch: sketches[index] as Uint8Array,
      presence: presences[index] as Uint8Array,
      hours,
    };
  });
}

type Totals = Pick<HeadOfDay, "counts" | "drops">;

/**
 * A version as a whole number of steps. Most versions are positions, which are whole numbers. The version of a rebuilt
 * row differs from a whole number by one step (REBUILD_VERSION_STEP).
 */
function stepsOf(version: number): number {
  return Math.round(version / REBUILD_VERSION_STEP);
}

const STEPS = Math.round(1 / REBUILD_VERSION_STEP);

/**
 * Writes an Hour's version as its distance from the Day's version, which is the highest of all its Hours. The distance
 * is small, and mostly a whole number of positions.
 */
function writeVersion(version: number, ofDay: number, writer: ByteWriter): void {
  const before = stepsOf(ofDay) - stepsOf(version);
  const isWhole = before % STEPS === 0;
  writer.byte(isWhole ? 0 : 1);
  writer.signed(isWhole ? before / STEPS : before);
}

function readVersion(ofDay: number, reader: ByteReader): number {
  const scale = reader.byte() === 0 ? STEPS : 1;
  return (stepsOf(ofDay) - reader.signed() * scale) * REBUILD_VERSION_STEP;
}

function writeTotals(all: readonly Totals[], writer: ByteWriter): void {
  writeCounts(
    all.map(({ counts }) => counts),
    writer,
  );
  const drops = all.map((one) => DROP_REASONS.flatMap((reason, number) => dropsOf(one, reason, number)));
  const isNothing = drops.every((own) => own.length === 0);
  writer.byte(isNothing ? 0 : 1);
  if (isNothing) return;
  for (const own of drops) {
    writer.unsigned(own.length);
    for (const [number, count] of own) {
      writer.byte(number);
      writer.unsigned(count);
    }
  }
}

function dropsOf({ drops }: Totals, reason: DropReason, number: number): readonly (readonly [number, number])[] {
  const count = drops[reason];
  return count === undefined ? [] : [[number, count]];
}

function readTotals(length: number, reader: ByteReader): readonly Totals[] {
  const all = readTimes(length, () => ({ counts: zeroCounts(), drops: {} as Partial<Record<DropReason, number>> }));
  readCounts(
    all.map(({ counts }) => counts),
    reader,
  );
  if (reader.byte() === 0) return all;
  for (const { drops } of all) {
    for (let left = reader.unsigned(); left > 0; left--) {
      const reason = DROP_REASONS[reader.byte()];
      assert(reason !== undefined, "a drop has a reason that is known");
      drops[reason] = reader.unsigned();
    }
  }
  return all;
}

function writeSlots(hours: readonly ThinHour[], writer: ByteWriter): void {
  writeSteps(
    hours.map(({ slot }) => slot),
    writer,
  );
}

function writeSteps(numbers: readonly number[], writer: ByteWriter): void {
  writer.unsigned(numbers.length);
  let last = 0;
  for (const number of numbers) {
    writer.signed(number - last);
    last = number;
  }
}

function readSteps(reader: ByteReader): number[] {
  let last = 0;
  return readList(reader, () => {
    last += reader.signed();
    return last;
  });
}

/** Empty for rollups that were written before presence was recorded. */
function writePresence(presence: Uint8Array, writer: ByteWriter): void {
  writer.byte(presence.length === 0 ? 0 : 1);
  writer.append(presence);
}

function readPresence(reader: ByteReader): Uint8Array {
  return reader.byte() === 0 ? new Uint8Array() : encodePresence(decodePresence(reader));
}
