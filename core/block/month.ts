// A month file: the old blocks of one merchant in one partition that begin within thirty Days, in one object, as the
// ledger had them. An index says what the file has. Then follow the heads of all blocks, then the first sections of all
// blocks, and so on. So all that a question reads of a month's blocks lies together: the heads are one range, and the
// heads with the first sections are one range too. The ledger knows where each of them lies (spans), so no question
// reads the index. The index is for somebody who has lost the ledger.

import { ByteReader, ByteWriter } from "../bytes.ts";
import { BLOCK_DAYS, MONTH_BLOCKS, MONTH_GAP_BYTES } from "../limits.ts";
import { assert } from "../outcome.ts";
import { SECTIONS } from "./section.ts";

/** 1: as below. */
const MONTH_VERSION = 1;

/** Days of one month file. A file begins at a multiple of it. */
export const MONTH_DAYS = MONTH_BLOCKS * BLOCK_DAYS;

/** Where a head or section lies in a file, in bytes. */
export type Span = readonly [offset: number, length: number];

/** A block as its row in the ledger has it. */
export interface StoredBlock {
  readonly firstDay: number;
  /** JSON: for each of its ten Days the number of events and the version. Null where the block has no such Day. */
  readonly events: string;
  readonly versions: string;
  /** Compressed: the head, then each section. */
  readonly parts: readonly Uint8Array[];
}

export interface MonthFile {
  readonly merchant: number;
  readonly partition: string;
  /** In the order of their first Days. */
  readonly blocks: readonly StoredBlock[];
}

/** A block as the index of a file has it. */
export interface IndexedBlock extends Omit<StoredBlock, "parts"> {
  /** Of the head and of each section. */
  readonly spans: readonly Span[];
}

/** The first Day of the month file that a block is in. */
export function monthOf(day: number): number {
  return Math.floor(day / MONTH_DAYS) * MONTH_DAYS;
}

/** The first Days of the blocks of a month. */
export function blocksOfMonth(month: number): readonly number[] {
  return Array.from({ length: MONTH_BLOCKS }, (_, at) => month + at * BLOCK_DAYS);
}

/** The bytes of a file, and of each of its blocks the spans. */
export function encodeMonth(file: MonthFile): {
  readonly bytes: Uint8Array;
  readonly spans: readonly (readonly Span[])[];
} {
  const { merchant, partition, blocks } = file;
  const [first] = blocks;
  assert(
    first !== undefined && blocks.every(({ firstDay }) => monthOf(firstDay) === monthOf(first.firstDay)),
    "a month file has blocks of one month",
  );
  const writer = new ByteWriter();
  writer.byte(MONTH_VERSION);
  writer.unsigned(merchant);
  writer.text(partition);
  writer.unsigned(blocks.length);
  for (const { firstDay, events, versions, parts } of blocks) {
    writer.unsigned(firstDay);
    writer.text(events);
    writer.text(versions);
    writer.unsigned(parts.length);
    for (const part of parts) writer.unsigned(part.length);
  }
  const spans = spansOf(
    writer.length,
    blocks.map(({ parts }) => parts.map(({ length }) => length)),
  );
  for (let place = 0; place < PARTS; place++) for (const { parts } of blocks) writer.append(partAt(parts, place));
  return { bytes: writer.finish(), spans };
}

/** What a file has. `start` is the file, or its first MONTH_INDEX_BYTES. */
export function readMonthIndex(start: Uint8Array): {
  readonly merchant: number;
  readonly partition: string;
  readonly blocks: readonly IndexedBlock[];
} {
  const reader = new ByteReader(start);
  const version = reader.byte();
  assert(version === MONTH_VERSION, `month file version ${version} is one that this release reads`);
  const merchant = reader.unsigned();
  const partition = reader.text();
  const count = reader.unsigned();
  assert(count > 0 && count <= MONTH_BLOCKS, "a month file has the blocks of a month");
  const blocks = Array.from({ length: count }, () => {
    const named = { firstDay: reader.unsigned(), events: reader.text(), versions: reader.text() };
    const parts = reader.unsigned();
    assert(parts <= PARTS, "a block has parts that are known");
    return { ...named, lengths: Array.from({ length: parts }, () => reader.unsigned()) };
  });
  const spans = spansOf(
    start.length - reader.left,
    blocks.map(({ lengths }) => lengths),
  );
  return {
    merchant,
    partition,
    blocks: blocks.map(({ lengths: _, ...named }, at) => ({ ...named, spans: spans[at] as readonly Span[] })),
  };
}

/** The head and each section. */
const PARTS = 1 + SECTIONS.length;

/** A head or section of a block. Empty if the block is from before there was such a section. */
function partAt(parts: readonly Uint8Array[], place: number): Uint8Array {
  return parts[place] ?? new Uint8Array();
}

/** Where the parts of each block lie behind the index: all first parts, then all second ones, and so on. */
function spansOf(start: number, lengths: readonly (readonly number[])[]): readonly (readonly Span[])[] {
  const spans = lengths.map((): Span[] => []);
  let offset = start;
  for (let place = 0; place < PARTS; place++)
    for (const [at, own] of lengths.entries()) {
      const length = own[place];
      if (length === undefined) continue;
      spans[at]?.push([offset, length]);
      offset += length;
    }
  return spans;
}

/** The ranges to read so that all of these spans are covered. Spans that lie close together are one range. */
export function rangesOf(spans: readonly Span[]): readonly Span[] {
  const ranges: [number, number][] = [];
  for (const [offset, length] of spans.filter(([, bytes]) => bytes > 0).sort((a, b) => a[0] - b[0])) {
    const last = ranges.at(-1);
    if (last !== undefined && offset - (last[0] + last[1]) <= MONTH_GAP_BYTES)
      last[1] = Math.max(last[1], offset + length - last[0]);
    else ranges.push([offset, length]);
  }
  return ranges;
}
