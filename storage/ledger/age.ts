// Moves old blocks of a ledger to month files, and deletes files that no block names any more. Numbers and their
// versions do not change: a block's row says where its parts lie, and readers look there (month-file.ts). A file is
// noted in the ledger before it is written, so that none is forgotten in R2. Then the blocks are made to name the file,
// in a transaction that checks two things: that the blocks are still the same as in the file, and that nobody has begun
// to delete it. A run that stops in between leaves the note. By it the cron later deletes the file or finds it in use.
// So everything here may be repeated, even at the same time.

import { createHash } from "node:crypto";
import { blocksOfMonth, encodeMonth, MONTH_DAYS, monthOf, type Span } from "../../core/block/month.ts";
import { ALL_DIMENSIONS } from "../../core/counting/rollup.ts";
import {
  FOLDERS_APART_MAX,
  MONTH_FILE_ERASED_MS,
  MONTH_FILE_KEPT_MS,
  MONTH_FILES_DELETED_ONCE,
} from "../../core/limits.ts";
import { type Archive, deleteKeys, putObject } from "../archive/bucket.ts";
import { select } from "../statement.ts";
import { type BlockRow, blockColumns, HAS_DAYS, PART_COLUMNS, partBytes } from "./blocks.ts";
import type { Ledger } from "./ledgers.ts";
import { fileOf, type MonthPlace, NAMED, withParts } from "./month-file.ts";

/** A month of which blocks lie in the ledger, and about how many bytes. */
export interface OldMonth extends MonthPlace {
  readonly bytes: number;
}

const BYTES = PART_COLUMNS.map((name) => `length("${name}")`).join(" + ");

/**
 * A condition on a block: no job has still to write to its month, and none of its Days lies in rows. Otherwise the
 * block would come back into the ledger right away.
 */
const IS_AT_REST = `NOT EXISTS (SELECT 1 FROM archive_days AS d WHERE ${isNear("d")} AND d.unpacked > 0)
  AND NOT EXISTS (SELECT 1 FROM job_fences AS f JOIN replay_parts AS p ON p.job = f.job WHERE ${isNear("p")}
    AND f.kind != 'verify' AND ((f.state = 'running' AND p.state = 'waiting') OR (f.state = 'undoing' AND p.state != 'undone')))`;

/** A condition on a row that has a Day and a partition: its Day is in a block's month, or near it. */
function isNear(row: "d" | "p"): string {
  const month = `b.first_day - b.first_day % ${MONTH_DAYS}`;
  return `${row}."partition" = b."partition" AND ${row}.day >= ${month} - ${FOLDERS_APART_MAX}
    AND ${row}.day < ${month} + ${MONTH_DAYS + FOLDERS_APART_MAX}`;
}

/** Months that ended before a Day and have blocks in the ledger, the oldest first. */
export async function listOld(
  ledger: Ledger,
  { before, rowsMax }: { readonly before: number; readonly rowsMax: number },
): Promise<readonly OldMonth[]> {
  const text = `SELECT merchant, first_day AS firstDay, "partition", ${BYTES} AS bytes FROM blocks AS b
    WHERE file = '' AND first_day < ?1 AND length(head) > 0 AND ${IS_AT_REST}
    ORDER BY first_day, "partition", merchant LIMIT ?2`;
  const found = await select<Omit<OldMonth, "month"> & { readonly firstDay: number }>(ledger, [
    text,
    Math.floor(before / MONTH_DAYS) * MONTH_DAYS,
    rowsMax,
  ]);
  const months = new Map<string, OldMonth>();
  for (const { merchant, firstDay, partition, bytes } of found) {
    const month = monthOf(firstDay);
    const key = `${merchant} ${month} ${partition}`;
    months.set(key, { merchant, month, partition, bytes: bytes + (months.get(key)?.bytes ?? 0) });
  }
  return [...months.values()];
}

/** Moves the blocks of some months out of the ledger into files. Returns how many files it wrote. */
export async function moveMonths(
  ledger: Ledger,
  { months, now }: { readonly months: readonly MonthPlace[]; readonly now: number },
  archive: Archive,
): Promise<number> {
  const files = (await readMonths(ledger, months)).map(toFile);
  if (files.length === 0) return 0;
  const noted = await ledger.batch(files.map((file) => noteFile(ledger, file, now)));
  const written = files.filter((_, at) => (noted[at]?.meta.changes ?? 0) > 0);
  await Promise.all(written.map((file) => putObject(archive, file.key, file.bytes)));
  if (written.length > 0) await ledger.batch(written.flatMap((file) => nameFile(ledger, file, now)));
  return written.length;
}

/** A block as its row has it, with all parts. */
type WholeBlock = BlockRow & { readonly version: number; readonly versions: string };

/** The blocks of each month of which any lies in the ledger. */
async function readMonths(ledger: Ledger, months: readonly MonthPlace[]): Promise<readonly (readonly WholeBlock[])[]> {
  const text = `SELECT ${blockColumns(ALL_DIMENSIONS)}, versions FROM json_each(?1) AS j
    JOIN blocks ON merchant = j.value ->> 0 AND first_day IN (${blocksOfMonth(0)
      .map((day) => `(j.value ->> 1) + ${day}`)
      .join(", ")}) AND "partition" = j.value ->> 2
    WHERE ${HAS_DAYS} ORDER BY merchant, first_day, "partition"`;
  const asked = JSON.stringify(months.map(({ merchant, month, partition }) => [merchant, month, partition]));
  const { results } = await ledger.prepare(text).bind(asked).all<WholeBlock>();
  const own = Map.groupBy(results, ({ merchant, firstDay, partition }) =>
    [merchant, monthOf(firstDay), partition].join(" "),
  );
  const unmoved = [...own.values()].filter((blocks) => blocks.some(({ file }) => file === ""));
  return Promise.all(unmoved.map((blocks) => withParts(ledger, blocks, ALL_DIMENSIONS)));
}

/** A file that is about to be written. */
interface NewFile extends MonthPlace {
  readonly file: string;
  readonly key: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly blocks: readonly WholeBlock[];
  /** Of each block. */
  readonly spans: readonly (readonly Span[])[];
}

/**
 * The file's name contains the blocks' versions, which grow with every change, and the digest of its bytes. So two
 * files with different bytes never have the same name.
 */
function toFile(blocks: readonly WholeBlock[]): NewFile {
  const { merchant, partition, firstDay } = blocks[0] as WholeBlock;
  const encoded = encodeMonth({
    merchant,
    partition,
    blocks: blocks.map((block) => ({ ...block, parts: PART_COLUMNS.map((_, place) => partBytes(block, place)) })),
  });
  const bytes = encoded.bytes as Uint8Array<ArrayBuffer>;
  const versions = blocks.reduce((sum, { version }) => sum + version, 0);
  const file = `${versions}-${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`;
  const month = monthOf(firstDay);
  return {
    merchant,
    partition,
    month,
    file,
    key: fileOf({ merchant, partition, firstDay, file }),
    bytes,
    blocks,
    spans: encoded.spans,
  };
}

const IS_FILE = 'merchant = ?1 AND month = ?2 AND "partition" = ?3 AND file = ?4';

/**
 * Notes a file as one that no block names, unless its blocks have changed since or a file of its name is being deleted.
 * Until blocks name it, it may contain data that has been erased meanwhile.
 */
function noteFile(
  ledger: Ledger,
  { merchant, month, partition, file, blocks }: NewFile,
  now: number,
): D1PreparedStatement {
  const text = `INSERT INTO month_files (merchant, month, "partition", file, blocks, due_at, unused_since, erased, deleting)
    SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, 0 WHERE (SELECT count(*) FROM json_each(?8) AS j JOIN blocks AS b
      ON b.merchant = ?1 AND b.first_day = j.value ->> 0 AND b."partition" = ?3 AND b.version = j.value ->> 1) = ?5
    ON CONFLICT DO UPDATE SET due_at = excluded.due_at, unused_since = excluded.unused_since WHERE deleting = 0`;
  const seen = JSON.stringify(blocks.map(({ firstDay, version }) => [firstDay, version]));
  const about = [merchant, month, partition, file, blocks.length, now + MONTH_FILE_ERASED_MS, now];
  return ledger.prepare(text).bind(...about, seen);
}

/** Makes the blocks of a file name it. A block that has changed since the file was made does not. */
function nameFile(
  ledger: Ledger,
  { merchant, month, partition, file, blocks, spans }: NewFile,
  now: number,
): readonly D1PreparedStatement[] {
  const about = [merchant, month, partition, file] as const;
  const empty = PART_COLUMNS.map((name) => `"${name}" = x''`).join(", ");
  const name = `UPDATE blocks SET version = version + 1, file = ?4, spans = ?7, ${empty}
    WHERE merchant = ?1 AND first_day = ?5 AND "partition" = ?3 AND version = ?6
      AND EXISTS (SELECT 1 FROM month_files WHERE ${IS_FILE} AND deleting = 0)`;
  return [
    ...blocks.map(({ firstDay, version }, at) =>
      ledger.prepare(name).bind(...about, firstDay, version, JSON.stringify(spans[at])),
    ),
    ledger
      .prepare(
        `UPDATE month_files SET due_at = NULL, unused_since = NULL, erased = 0 WHERE ${IS_FILE} AND ${NAMED} = blocks`,
      )
      .bind(...about),
    ledger
      .prepare(
        `UPDATE month_files SET due_at = ?5 WHERE merchant = ?1 AND month = ?2 AND "partition" = ?3 AND file != ?4
           AND due_at IS NULL AND ${NAMED} < blocks`,
      )
      .bind(...about, now),
  ];
}

/** What is known of a month file. */
interface FileRow extends MonthPlace {
  readonly file: string;
  readonly blocks: number;
  readonly dueAt: number;
  readonly unusedSince: number | null;
  /** 1 if it may contain data that was erased, else 0. The next field is 1 or 0, too. */
  readonly erased: number;
  readonly deleting: number;
  /** How many blocks name it. */
  readonly named: number;
}

/** What was decided about a file when it was looked at. */
type Look = Pick<FileRow, "unusedSince" | "erased" | "deleting"> & { readonly dueAt: number | null };

/**
 * Looks at the files that are due, and deletes those that no block has named for long enough. Returns the months of
 * files that have erased data and that some blocks still name: the blocks of these months are to be moved once more.
 */
export async function lookAtFiles(ledger: Ledger, now: number, archive: Archive): Promise<readonly MonthPlace[]> {
  const text = `SELECT merchant, month, "partition", file, blocks, due_at AS dueAt, unused_since AS unusedSince, erased,
      deleting, ${NAMED} AS named FROM month_files WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2`;
  const due = await select<FileRow>(ledger, [text, now, MONTH_FILES_DELETED_ONCE]);
  const looks = due.filter(({ deleting }) => deleting === 0).map((row) => noteLook(ledger, row, lookAt(row, now)));
  if (looks.length > 0) await ledger.batch(looks);
  await deleteFiles(ledger, archive);
  return due.filter(({ erased, named, blocks }) => erased === 1 && named > 0 && named < blocks);
}

/** Decides what is done with a file. */
export function lookAt(row: Omit<FileRow, keyof MonthPlace | "file">, now: number): Look {
  const { blocks, named, erased } = row;
  if (named === blocks) return { dueAt: null, unusedSince: null, erased: 0, deleting: 0 };
  if (named > 0) return { dueAt: now + MONTH_FILE_ERASED_MS, unusedSince: null, erased, deleting: 0 };
  const unusedSince = row.unusedSince ?? now;
  const end = unusedSince + (erased === 1 ? MONTH_FILE_ERASED_MS : MONTH_FILE_KEPT_MS);
  return { dueAt: end, unusedSince, erased, deleting: end <= now ? 1 : 0 };
}

function noteLook(ledger: Ledger, row: FileRow, { dueAt, unusedSince, erased, deleting }: Look): D1PreparedStatement {
  const text = `UPDATE month_files SET due_at = ?5, unused_since = ?6, erased = ?7, deleting = ?8
    WHERE ${IS_FILE} AND due_at = ?9 AND erased = ?10 AND unused_since IS ?11 AND ${NAMED} = ?12`;
  const about = [row.merchant, row.month, row.partition, row.file];
  const seen = [row.dueAt, row.erased, row.unusedSince, row.named];
  return ledger.prepare(text).bind(...about, dueAt, unusedSince, erased, deleting, ...seen);
}

/** Deletes the files that are marked, and then their rows. A second run finds and deletes what is left of both. */
async function deleteFiles(ledger: Ledger, archive: Archive): Promise<void> {
  const text = `SELECT merchant, month, "partition", file FROM month_files WHERE deleting = 1 AND due_at IS NOT NULL LIMIT ?1`;
  const marked = await select<Pick<FileRow, keyof MonthPlace | "file">>(ledger, [text, MONTH_FILES_DELETED_ONCE]);
  if (marked.length === 0) return;
  await deleteKeys(
    archive,
    marked.map(({ month, ...row }) => fileOf({ ...row, firstDay: month })),
  );
  const gone = `DELETE FROM month_files WHERE ${IS_FILE} AND deleting = 1`;
  await ledger.batch(
    marked.map(({ merchant, month, partition, file }) => ledger.prepare(gone).bind(merchant, month, partition, file)),
  );
}
