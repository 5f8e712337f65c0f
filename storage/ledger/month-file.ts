// Reads month files: the blocks that have left the ledger for R2 (core/block/month.ts). A block's row stays in the
// ledger and says which file has its parts, and where. So all that a question asks of the ledger is answered as before
// (which Days there are, their versions, who has anything), and only the parts that it needs are fetched, those of one
// file with as few reads as it takes. A file never changes. Where a block changes, its row no longer names the file,
// and the file is kept for longer than any reader takes (age.ts).

import { monthFileKey } from "../../core/archive/object-key.ts";
import { partsOf } from "../../core/block/block.ts";
import { MONTH_DAYS, monthOf, rangesOf, type Span } from "../../core/block/month.ts";
import type { DimensionName } from "../../core/counting/dimension.ts";
import { MONTH_FILES_READ_AT_ONCE } from "../../core/limits.ts";
import { assert } from "../../core/outcome.ts";
import { dateOf } from "../../core/time.ts";
import { type ByteRange, readObject } from "../archive/bucket.ts";
import { type BlockRow, columnAt } from "./blocks.ts";
import type { Ledger } from "./ledgers.ts";

/** The key of the file that a block names. */
export function fileOf({ merchant, partition, firstDay, file }: FiledBlock): string {
  return monthFileKey({ merchant, partition, from: dateOf(monthOf(firstDay)), file });
}

type FiledBlock = Pick<BlockRow, "merchant" | "partition" | "firstDay" | "file">;

/**
 * The same rows with the parts that some dimensions need. Rows whose parts lie in the ledger are returned as they are.
 * Throws where a file is missing: the answer would be incomplete.
 */
export async function withParts<Row extends BlockRow>(
  ledger: Ledger,
  rows: readonly Row[],
  dimensions: readonly DimensionName[],
): Promise<readonly Row[]> {
  const files = [
    ...Map.groupBy(
      rows.filter(({ file }) => file !== ""),
      fileOf,
    ),
  ];
  if (files.length === 0) return rows;
  const places = partsOf(dimensions);
  const filled = new Map<Row, Row>();
  for (let start = 0; start < files.length; start += MONTH_FILES_READ_AT_ONCE) {
    const some = files.slice(start, start + MONTH_FILES_READ_AT_ONCE);
    await Promise.all(some.map(([key, own]) => fill(ledger, { key, rows: own, places, filled })));
  }
  return rows.map((row) => filled.get(row) ?? row);
}

interface Filling<Row> {
  readonly key: string;
  /** Of blocks in the file. */
  readonly rows: readonly Row[];
  readonly places: readonly number[];
  readonly filled: Map<Row, Row>;
}

async function fill<Row extends BlockRow>(ledger: Ledger, { key, rows, places, filled }: Filling<Row>): Promise<void> {
  const wanted = rows.map((row) => {
    const spans = JSON.parse(row.spans) as readonly Span[];
    // A section that is younger than the block has no span, and no value in it.
    return { row, parts: places.map((place) => [place, spans[place] ?? ([0, 0] as const)] as const) };
  });
  const ranges = rangesOf(wanted.flatMap(({ parts }) => parts.map(([, span]) => span)));
  const read = await Promise.all(ranges.map(([offset, length]) => readRange(ledger, key, { offset, length })));
  for (const { row, parts } of wanted) {
    const columns = parts.map(([place, [offset, length]]) => {
      const at = ranges.findIndex(([begin, bytes]) => offset >= begin && offset + length <= begin + bytes);
      const start = offset - (ranges[at]?.[0] ?? 0);
      return [columnAt(place), read[at]?.subarray(start, start + length) ?? new Uint8Array()] as const;
    });
    filled.set(row, { ...row, ...Object.fromEntries(columns) });
  }
}

async function readRange({ months }: Ledger, key: string, range: ByteRange): Promise<Uint8Array> {
  assert(months !== undefined, "whoever reads blocks has the bucket of month files");
  const bytes = await readObject({ bucket: months }, key, range);
  if (bytes === undefined || bytes.length !== range.length)
    throw new Error(
      `the month file ${key} is ${bytes === undefined ? "missing" : "too short"}: ` +
        "run `footfall recover ledger` with its number (docs/operate.md)",
    );
  return bytes;
}

/** A merchant's month in a partition. */
export interface MonthPlace {
  readonly merchant: number;
  /** The first Day of the month. */
  readonly month: number;
  readonly partition: string;
}

/** How many blocks name the file of a row of month_files, which a statement calls `file`. */
export const NAMED = `(SELECT count(*) FROM blocks WHERE blocks.merchant = month_files.merchant
  AND blocks.first_day >= month_files.month AND blocks.first_day < month_files.month + ${MONTH_DAYS}
  AND blocks."partition" = month_files."partition" AND blocks.file = month_files.file)`;

/** Has the cron look at the files of a month that not all of their blocks name any more (age.ts). */
export function leaveStatement(db: Ledger, { merchant, month, partition }: MonthPlace): D1PreparedStatement {
  const text = `UPDATE month_files SET due_at = 0 WHERE merchant = ?1 AND month = ?2 AND "partition" = ?3
    AND due_at IS NULL AND ${NAMED} < blocks`;
  return db.prepare(text).bind(merchant, month, partition);
}
