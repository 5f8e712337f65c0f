// The files of a sealed Day. They are written a row group at a time, merchant after merchant. The manifest says which
// rows belong to whom. So one merchant's rows are a few range reads, and the others' are never read.

import { createHash, type Hash } from "node:crypto";
import type { DerivedEntry } from "../../core/archive/derived-table.ts";
import {
  type ColumnBlock,
  joinBlocks,
  numbersOf,
  sliceRows,
  type TextColumn,
  textAt,
  textsOf,
} from "../../core/archive/event-columns.ts";
import type { Manifest, SealedFile, SealedMerchant } from "../../core/archive/manifest.ts";
import { type DayPlace, derivedFileKey, sealedFileKey } from "../../core/archive/object-key.ts";
import { ROW_GROUP_ROWS } from "../../core/limits.ts";
import { assert } from "../../core/outcome.ts";
import type { Source } from "./archive-merge.ts";
import { type Archive, putObject, readObjectOf } from "./bucket.ts";
import { type BlockWanted, readBlock } from "./column-block.ts";
import { joinBytes } from "./derived-file.ts";
import { checkedEntries, ParquetFileWriter } from "./parquet.ts";
import { type FileBytes, readMetadata } from "./parquet-source.ts";

/** A merchant's derived rows (derived-file.ts), and what they were derived under. */
export interface DerivedBytes {
  readonly bytes: Uint8Array;
  readonly under: string;
}

/** Writes one file. Rows of one merchant must come together, and merchants must ascend. */
export class SealedFileWriter {
  readonly #key: string;
  readonly #writer: ParquetFileWriter;
  readonly #merchants: SealedMerchant[] = [];
  /** Rows that are not written yet, and how many. */
  #group: ColumnBlock[] = [];
  #groupRows = 0;
  #current: { readonly merchant: number; rows: number; readonly hash: Hash } | undefined;
  readonly #derived: { readonly merchant: number; readonly rows: number; readonly made: DerivedBytes }[] = [];
  readonly #folder: string;
  readonly #number: number;
  /** Where derived rows lie, once the file is finished. */
  derived: readonly DerivedEntry[] = [];
  rows = 0;

  constructor({ date, partition }: DayPlace, folder: string, number: number) {
    this.#key = sealedFileKey(folder, number);
    this.#folder = folder;
    this.#number = number;
    this.#writer = new ParquetFileWriter({ footfall_date: date, footfall_partition: partition });
  }

  /** Adds rows of one merchant: the same one as before, or one with a higher number. */
  add(block: ColumnBlock): void {
    const merchants = numbersOf(block, "merchant");
    if (block.count === 0) return;
    this.#current ??= { merchant: merchants[0] as number, rows: 0, hash: createHash("sha256") };
    const { merchant, hash } = this.#current;
    assert(
      merchants.every((one) => one === merchant),
      "a merchant's rows end with endMerchant",
    );
    this.#current.rows += block.count;
    this.rows += block.count;
    hash.update(checksumText(block));
    for (let start = 0; start < block.count; ) {
      const end = Math.min(block.count, start + ROW_GROUP_ROWS - this.#groupRows);
      this.#group.push(sliceRows(block, start, end));
      this.#groupRows += end - start;
      start = end;
      if (this.#groupRows === ROW_GROUP_ROWS) this.#flush();
    }
  }

  /** Says that the merchant's rows are complete. `settings` is the version of its settings. */
  endMerchant(settings: number, derived?: DerivedBytes): void {
    if (this.#current === undefined) return;
    const { merchant, rows, hash } = this.#current;
    this.#merchants.push({ merchant, rows, checksum: hash.digest("hex"), settings });
    if (derived !== undefined) this.#derived.push({ merchant, rows, made: derived });
    this.#current = undefined;
  }

  /**
   * Puts the file into R2, under the same key as any earlier attempt at it, and the file of derived rows beside it.
   */
  async finish(archive: Archive): Promise<SealedFile> {
    assert(this.#current === undefined, "the last merchant has ended");
    if (this.#groupRows > 0) this.#flush();
    const bytes = this.#writer.finish();
    await putObject(archive, this.#key, bytes);
    const metadataBytes = new DataView(bytes.buffer).getUint32(bytes.length - 8, true);
    const footer = metadataBytes + 8;
    const derived = await this.#finishDerived(archive);
    const { rows } = this;
    return {
      key: this.#key,
      bytes: bytes.length,
      footer,
      rows,
      merchants: this.#merchants,
      ...(derived && { derived }),
    };
  }

  async #finishDerived(archive: Archive): Promise<SealedFile["derived"]> {
    if (this.#derived.length === 0) return undefined;
    const bytes = joinBytes(this.#derived.map(({ made }) => made.bytes));
    const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
    const key = derivedFileKey(this.#folder, this.#number, hash);
    await putObject(archive, key, bytes);
    let offset = 0;
    this.derived = this.#derived.map(({ merchant, rows, made: { bytes: own, under } }) => {
      const entry = { merchant, rows, file: this.#number, hash, offset, length: own.length, under };
      offset += own.length;
      return entry;
    });
    return { key, bytes: bytes.length };
  }

  #flush(): void {
    this.#writer.writeGroup(joinBlocks(this.#group));
    this.#group = [];
    this.#groupRows = 0;
  }
}

/** The text of rows in their merchant's checksum. DuckDB makes the same from the file's columns (docs/archive.md). */
function checksumText(block: ColumnBlock): string {
  const [timestamps, revenues] = [numbersOf(block, "timestamp"), numbersOf(block, "revenue")];
  const [ids, names, visitors, urls, drops] = (["id", "name", "visitor", "url", "dropped"] as const).map((field) =>
    textsOf(block, field),
  ) as [TextColumn, TextColumn, TextColumn, TextColumn, TextColumn];
  let text = "";
  for (let row = 0; row < block.count; row++) {
    text += `${block.positions[row]}|${textAt(ids, row)}|${timestamps[row]}|${textAt(names, row)}|${textAt(visitors, row)}`;
    text += `|${textAt(urls, row)}|${revenues[row]}|${textAt(drops, row)}\n`;
  }
  return text.toWellFormed();
}

/** Which rows of a sealed Day are wanted, and which of their columns. */
export interface SealedRead {
  /** Merchants above this number. */
  readonly after: number;
  readonly isWanted: (merchant: number) => boolean;
  readonly columns?: readonly string[] | undefined;
}

/** The wanted rows, a row group at a time. Files and row groups without any are not read. */
export function openSealed(archive: Archive, { files }: Manifest, read: SealedRead): Source {
  const blocks = sealedBlocks(archive, { files }, read);
  return { next: async () => (await blocks.next()).value ?? undefined };
}

/** The wanted rows as columns, a row group at a time. */
export async function* sealedBlocks(
  archive: Archive,
  { files }: Pick<Manifest, "files">,
  { after, isWanted, columns }: SealedRead,
): AsyncGenerator<ColumnBlock, undefined> {
  const isOwn = (merchant: number) => merchant > after && isWanted(merchant);
  for await (const window of windowsOf(archive, files, isOwn)) {
    const block = readBlock({ ...window, isWanted: isOwn, ...(columns && { columns }) });
    if (block !== undefined) yield block;
  }
}

/** The bytes of the row groups that have rows of wanted merchants. */
async function* windowsOf(
  archive: Archive,
  files: readonly SealedFile[],
  isWanted: (merchant: number) => boolean,
): AsyncGenerator<Pick<BlockWanted, "file" | "metadata" | "group">, undefined> {
  for (const file of files) {
    const wanted = wantedGroups(file, isWanted);
    if (wanted.length === 0) continue;
    const range = { offset: file.bytes - file.footer, length: file.footer };
    const metadata = readMetadata((await readObjectOf(archive, file.key, range)).buffer);
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

/** The row groups of a file that have rows of wanted merchants, by the manifest. */
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

/** Bytes from the middle of a file, addressed by their offsets in the file. */
function windowOf(byteLength: number, offset: number, bytes: ArrayBuffer): FileBytes {
  return { byteLength, slice: (start, end = byteLength) => bytes.slice(start - offset, end - offset) };
}
