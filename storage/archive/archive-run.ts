// A run: the rows of some consecutive bundles of a Day, sorted by merchant. A Day too large to be sorted in memory is
// cut into runs once, and then read by merging them. A run is a function of its bundles, so making it again is
// harmless; all of a Day's runs go when it is sealed. Nobody else reads them, hence not Parquet but gzipped JSON in
// blocks, which is several times as fast both ways, with an index beside it that is written last.

import type { ArchivedEvent } from "../../core/archive/file.ts";
import { decodeEvent, type EventRow, encodeEvent } from "../../core/event.ts";
import { EVENT_BYTES_MAX, RUN_BLOCK_ROWS } from "../../core/limits.ts";
import { type Source, sortRows } from "./archive-merge.ts";
import { type Archive, putObject, readObject, readObjectOf } from "./bucket.ts";
import { compress, decompress } from "./gzip.ts";

/** A block: its merchants, and where it lies. */
type BlockIndex = readonly [firstMerchant: number, lastMerchant: number, offset: number, length: number];

type RunRow = readonly [position: number, ...EventRow];

/** UTF-8 triples a text of other alphabets at most. */
const BLOCK_BYTES_MAX = RUN_BLOCK_ROWS * EVENT_BYTES_MAX * 3;

const indexKey = (key: string) => `${key}.json`;

/** Whether a run is complete: its index is there. */
export async function hasRun(archive: Archive, key: string): Promise<boolean> {
  return (await readObject(archive, indexKey(key))) !== undefined;
}

/** Sorts rows and writes them as a run. */
export async function writeRun(archive: Archive, key: string, rows: readonly ArchivedEvent[]): Promise<void> {
  const sorted = sortRows(rows);
  const blocks: Uint8Array[] = [];
  const index: BlockIndex[] = [];
  let offset = 0;
  for (let start = 0; start < sorted.length; start += RUN_BLOCK_ROWS) {
    const block = sorted.slice(start, start + RUN_BLOCK_ROWS);
    const text = JSON.stringify(block.map(({ position, event }): RunRow => [position, ...encodeEvent(event)]));
    const bytes = compress(new TextEncoder().encode(text));
    const merchantAt = (at: number) => (block.at(at) as ArchivedEvent).event.merchant;
    index.push([merchantAt(0), merchantAt(-1), offset, bytes.length]);
    blocks.push(bytes);
    offset += bytes.length;
  }
  await putObject(archive, key, joined(blocks, offset));
  await putObject(archive, indexKey(key), JSON.stringify(index));
}

/** A run's rows of merchants above `after` that are wanted, a block at a time; blocks without any are not read. */
export async function openRun(
  archive: Archive,
  { key, partition }: { key: string; partition: string },
  { after, isWanted }: { after: number; isWanted: (merchant: number) => boolean },
): Promise<Source> {
  const index = JSON.parse(new TextDecoder().decode(await readObjectOf(archive, indexKey(key)))) as BlockIndex[];
  const left = index.filter(([, last]) => last > after);
  return {
    next: async () => {
      for (let block = left.shift(); block !== undefined; block = left.shift()) {
        const [, , offset, length] = block;
        const bytes = decompress(await readObjectOf(archive, key, { offset, length }), BLOCK_BYTES_MAX);
        const rows = (JSON.parse(new TextDecoder().decode(bytes)) as RunRow[])
          .map(([position, ...row]) => ({ partition, position, event: decodeEvent(row) }))
          .filter(({ event: { merchant } }) => merchant > after && isWanted(merchant));
        if (rows.length > 0) return rows;
      }
      return undefined;
    },
  };
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
