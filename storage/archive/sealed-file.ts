// The files of a sealed Day: written a row group at a time, merchant after merchant; read back by the manifest, which
// says which rows are whose, so that one merchant's are a few range reads and the others' are never seen.

import { createHash, type Hash } from "node:crypto";
import { parquetMetadata } from "hyparquet";
import type { ColumnBlock } from "../../core/archive/event-columns.ts";
import type { ArchivedEvent } from "../../core/archive/file.ts";
import type { Manifest, SealedFile, SealedMerchant } from "../../core/archive/manifest.ts";
import { type DayPlace, sealedFileKey } from "../../core/archive/object-key.ts";
import { ROW_GROUP_ROWS } from "../../core/limits.ts";
import { assert } from "../../core/outcome.ts";
import type { Source } from "./archive-merge.ts";
import { type Archive, putObject, readObjectOf } from "./bucket.ts";
import { type BlockWanted, readBlock } from "./column-block.ts";
import { checkedEntries, type FileBytes, ParquetFileWriter, readRows } from "./parquet.ts";

/** Writes one file. Rows of one merchant come together, and merchants ascend. */
export class SealedFileWriter {
  readonly #key: string;
  readonly #writer: ParquetFileWriter;
  readonly #merchants: SealedMerchant[] = [];
  #group: ArchivedEvent[] = [];
  #current: { readonly merchant: number; rows: number; readonly hash: Hash } | undefined;
  rows = 0;

  constructor({ date, partition }: DayPlace, folder: string, number: number) {
    this.#key = sealedFileKey(folder, number);
    this.#writer = new ParquetFileWriter({ footfall_date: date, footfall_partition: partition });
  }

  /** Rows of one merchant: of the one before, or of one above it. */
  add(rows: readonly ArchivedEvent[]): void {
    for (const row of rows) {
      const { merchant } = row.event;
      this.#current ??= { merchant, rows: 0, hash: createHash("sha256") };
      assert(this.#current.merchant === merchant, "a merchant's rows end with endMerchant");
      this.#current.rows += 1;
      this.#current.hash.update(checksumText(row));
      this.#group.push(row);
      if (this.#group.length === ROW_GROUP_ROWS) this.#flush();
    }
    this.rows += rows.length;
  }

  /** The merchant's rows are all there; `settings` is the version of its settings. */
  endMerchant(settings: number): void {
    if (this.#current === undefined) return;
    const { merchant, rows, hash } = this.#current;
    this.#merchants.push({ merchant, rows, checksum: hash.digest("hex"), settings });
    this.#current = undefined;
  }

  /** Puts the file into R2, under the same key as any earlier attempt at it. */
  async finish(archive: Archive): Promise<SealedFile> {
    assert(this.#current === undefined, "the last merchant has ended");
    if (this.#group.length > 0) this.#flush();
    const bytes = this.#writer.finish();
    await putObject(archive, this.#key, bytes);
    const metadataBytes = new DataView(bytes.buffer).getUint32(bytes.length - 8, true);
    const footer = metadataBytes + 8;
    return { key: this.#key, bytes: bytes.length, footer, rows: this.rows, merchants: this.#merchants };
  }

  #flush(): void {
    this.#writer.writeGroup(this.#group);
    this.#group = [];
  }
}

/** What a row adds to its merchant's checksum. DuckDB makes the same of the file's columns (docs/archive.md). */
function checksumText({ position, event }: ArchivedEvent): string {
  const { id, timestamp, name, visitor, url, revenue, dropped } = event;
  return `${[position, id, timestamp, name, visitor, url, revenue, dropped].join("|").toWellFormed()}\n`;
}

/** Which rows of a sealed Day are wanted, and which of their columns. */
export interface SealedRead {
  /** Merchants above this number. */
  readonly after: number;
  readonly isWanted: (merchant: number) => boolean;
  readonly columns?: readonly string[] | undefined;
}

/** The wanted rows, a row group at a time; files and row groups without any are not read. */
export function openSealed(archive: Archive, { files }: Manifest, read: SealedRead): Source {
  const groups = groupsOf(archive, files, read);
  return { next: async () => (await groups.next()).value ?? undefined };
}

async function* groupsOf(
  archive: Archive,
  files: readonly SealedFile[],
  { after, isWanted, columns }: SealedRead,
): AsyncGenerator<readonly ArchivedEvent[], undefined> {
  const isOwn = (merchant: number) => merchant > after && isWanted(merchant);
  for await (const { file, metadata, group } of windowsOf(archive, files, isOwn)) {
    const rows = await readRows({
      file,
      metadata,
      start: group * ROW_GROUP_ROWS,
      end: Math.min((group + 1) * ROW_GROUP_ROWS, Number(metadata.num_rows)),
      ...(columns === undefined ? {} : { columns }),
    });
    const some = rows.filter(({ event: { merchant } }) => isOwn(merchant));
    if (some.length > 0) yield some;
  }
}

/** One merchant's rows as columns, a row group at a time. */
export async function* sealedBlocks(
  archive: Archive,
  { files }: Manifest,
  { merchant, columns }: Pick<BlockWanted, "merchant" | "columns">,
): AsyncGenerator<ColumnBlock, undefined> {
  for await (const window of windowsOf(archive, files, (one) => one === merchant)) {
    const block = readBlock({ ...window, merchant, ...(columns && { columns }) });
    if (block !== undefined) yield block;
  }
}

/** The bytes of the row groups that hold rows of wanted merchants. */
async function* windowsOf(
  archive: Archive,
  files: readonly SealedFile[],
  isWanted: (merchant: number) => boolean,
): AsyncGenerator<Pick<BlockWanted, "file" | "metadata" | "group">, undefined> {
  for (const file of files) {
    const wanted = wantedGroups(file, isWanted);
    if (wanted.length === 0) continue;
    const range = { offset: file.bytes - file.footer, length: file.footer };
    const metadata = parquetMetadata((await readObjectOf(archive, file.key, range)).buffer);
    checkedEntries(metadata, file.bytes);
    for (const group of wanted) {
      const chunks = metadata.row_groups[group]?.columns.map(({ meta_data }) => meta_data) ?? [];
      const starts = chunks.map((chunk) => Number(chunk?.dictionary_page_offset ?? chunk?.data_page_offset));
      const ends = chunks.map((chunk, index) => (starts[index] as number) + Number(chunk?.total_compressed_size));
      const offset = Math.min(...starts);
      const bytes = await readObjectOf(archive, file.key, { offset, length: Math.max(...ends) - offset });
      yield { file: windowOf(file.bytes, offset, bytes.buffer), metadata, group };
    }
  }
}

/** The row groups of a file that hold rows of wanted merchants, by what the manifest says. */
function wantedGroups(file: SealedFile, isWanted: (merchant: number) => boolean): readonly number[] {
  const groups = new Set<number>();
  let start = 0;
  for (const { merchant, rows } of file.merchants) {
    if (isWanted(merchant)) {
      const last = Math.floor((start + rows - 1) / ROW_GROUP_ROWS);
      for (let group = Math.floor(start / ROW_GROUP_ROWS); group <= last; group++) groups.add(group);
    }
    start += rows;
  }
  return [...groups];
}

/** Bytes that were read from the middle of a file, at their places in it. */
function windowOf(byteLength: number, offset: number, bytes: ArrayBuffer): FileBytes {
  return { byteLength, slice: (start, end = byteLength) => bytes.slice(start - offset, end - offset) };
}
