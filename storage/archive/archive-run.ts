// A run: the rows of some consecutive bundles of a Day, sorted by merchant. Questions read the blocks with their
// merchant's rows (core/archive/runs.ts). A Day too large to be sorted in memory is sealed by merging runs. A run
// depends only on its bundles, so it does no harm to make it again. All of a Day's runs are deleted when it is sealed.
// Nobody else reads runs, so they are not Parquet but gzipped JSON in blocks, which is several times as fast to write
// and read. An index lies beside it and is written last.

import { blockOf, type ColumnBlock, eventAt, numbersOf } from "../../core/archive/event-columns.ts";
import { type DayPlace, parseRunIndexKey, runIndexKey, runsPrefix } from "../../core/archive/object-key.ts";
import type { RunSpan } from "../../core/archive/runs.ts";
import { decodeEvent, type EventRow, encodeEvent } from "../../core/event.ts";
import { EVENT_BYTES_MAX, RUN_BLOCK_ROWS, RUN_READ_BYTES } from "../../core/limits.ts";
import type { Source } from "./archive-merge.ts";
import { type Archive, listKeys, putObject, readObjectOf } from "./bucket.ts";
import { compress, decompress } from "./gzip.ts";

/** A block: its merchants, and its bytes in the run. */
export type BlockIndex = readonly [firstMerchant: number, lastMerchant: number, offset: number, length: number];

/** Some consecutive blocks of a run, to be read at once. */
export interface RunPart {
  readonly key: string;
  readonly partition: string;
  readonly offset: number;
  /** Bytes of each block. */
  readonly lengths: readonly number[];
}

type RunRow = readonly [position: number, ...EventRow];

/** UTF-8 takes up to three bytes for a unit of text. */
const BLOCK_BYTES_MAX = RUN_BLOCK_ROWS * EVENT_BYTES_MAX * 3;

/** The complete runs of a Day: those with an index. */
export async function listRuns(archive: Archive, place: DayPlace): Promise<readonly RunSpan[]> {
  return (await listKeys(archive, runsPrefix(place))).flatMap(({ key }) => parseRunIndexKey(key) ?? []);
}

/** Writes a run. Slices must come by merchant, and those of one merchant by position. */
export async function writeRun(archive: Archive, key: string, slices: AsyncIterable<ColumnBlock>): Promise<void> {
  const blocks: Uint8Array[] = [];
  const index: BlockIndex[] = [];
  let offset = 0;
  let rows: RunRow[] = [];
  let [firstMerchant, lastMerchant] = [0, 0];
  const endBlock = () => {
    const bytes = compress(new TextEncoder().encode(JSON.stringify(rows)), "fast");
    index.push([firstMerchant, lastMerchant, offset, bytes.length]);
    blocks.push(bytes);
    offset += bytes.length;
    rows = [];
  };
  for await (const slice of slices) {
    const merchants = numbersOf(slice, "merchant");
    for (let row = 0; row < slice.count; row++) {
      lastMerchant = merchants[row] as number;
      if (rows.length === 0) firstMerchant = lastMerchant;
      rows.push([slice.positions[row] as number, ...encodeEvent(eventAt(slice, row))]);
      if (rows.length === RUN_BLOCK_ROWS) endBlock();
    }
  }
  if (rows.length > 0) endBlock();
  await putObject(archive, key, joined(blocks, offset));
  await putObject(archive, runIndexKey(key), JSON.stringify(index));
}

/** The blocks of a run, in its order. */
export async function readRunIndex(archive: Archive, key: string): Promise<readonly BlockIndex[]> {
  return JSON.parse(new TextDecoder().decode(await readObjectOf(archive, runIndexKey(key)))) as readonly BlockIndex[];
}

/** The ranges of a run to be read for some of its blocks. Neighbouring blocks are read at once, up to so many bytes. */
export function partsOf(
  run: Pick<RunPart, "key" | "partition">,
  blocks: readonly BlockIndex[],
  bytesMax = RUN_READ_BYTES,
): readonly RunPart[] {
  const parts: { offset: number; end: number; lengths: number[] }[] = [];
  for (const [, , offset, length] of blocks) {
    const part = parts.at(-1);
    if (part !== undefined && part.end === offset && offset + length - part.offset <= bytesMax) {
      part.lengths.push(length);
      part.end += length;
    } else parts.push({ offset, end: offset + length, lengths: [length] });
  }
  return parts.map(({ offset, lengths }) => ({ ...run, offset, lengths }));
}

/** The number of bytes of a range. */
export function sizeOf({ lengths }: RunPart): number {
  return lengths.reduce((sum, length) => sum + length, 0);
}

/** The bytes of a part. */
export function readPart(archive: Archive, part: RunPart): Promise<Uint8Array<ArrayBuffer>> {
  return readObjectOf(archive, part.key, { offset: part.offset, length: sizeOf(part) });
}

/** The wanted rows of a range, block by block. Blocks without any are skipped. */
export function* decodePart(
  { partition, lengths }: RunPart,
  bytes: Uint8Array,
  isWanted: (merchant: number) => boolean,
): Generator<ColumnBlock> {
  let offset = 0;
  for (const length of lengths) {
    const text = new TextDecoder().decode(decompress(bytes.subarray(offset, offset + length), BLOCK_BYTES_MAX));
    offset += length;
    const rows: { partition: string; position: number; event: ReturnType<typeof decodeEvent> }[] = [];
    for (const row of JSON.parse(text) as RunRow[]) {
      const event = decodeEvent(row, 1);
      if (isWanted(event.merchant)) rows.push({ partition, position: row[0], event });
    }
    if (rows.length > 0) yield blockOf(rows);
  }
}

interface RunRead {
  readonly after: number;
  readonly isWanted: (merchant: number) => boolean;
  /** About how many bytes are read at once, but at least one block. */
  readonly bytesMax: number;
}

/** The wanted rows of a run for merchants above `after`, one block at a time. */
export async function openRun(
  archive: Archive,
  run: Pick<RunPart, "key" | "partition">,
  { after, isWanted, bytesMax }: RunRead,
): Promise<Source> {
  const index = await readRunIndex(archive, run.key);
  const wanted = index.filter(([, last]) => last > after);
  const left = partsOf(run, wanted, bytesMax);
  const isOwn = (merchant: number) => merchant > after && isWanted(merchant);
  async function* blocks() {
    for (const part of left) yield* decodePart(part, await readPart(archive, part), isOwn);
  }
  const all = blocks();
  return { next: async () => (await all.next()).value ?? undefined };
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
