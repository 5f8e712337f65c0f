// Month files of a ledger that was lost or restored. An empty ledger names none of those that lie in R2: they are
// noted, so that an erasure finds them and none stays for ever. Its Days are counted from events, as they are without
// month files. A restored ledger may name files that were deleted since, because they had what was erased: those blocks
// are given up, and their Days are counted from the archive again. Doing it twice finds nothing more.

import { parseMonthFileKey, ROLLUPS_PREFIX } from "../../core/archive/object-key.ts";
import { MONTH_DAYS } from "../../core/block/month.ts";
import { BLOCK_DAYS, FOLDERS_APART_MAX, MONTH_BLOCKS } from "../../core/limits.ts";
import { parseDate } from "../../core/time.ts";
import { type Archive, pagesOf } from "../archive/bucket.ts";
import { select } from "../statement.ts";
import type { Ledger } from "./ledgers.ts";
import { fileOf, type MonthPlace } from "./month-file.ts";

type NotedFile = MonthPlace & { readonly file: string };

/** What was found of one partition. */
export interface RecoveredFiles {
  /** Files that the ledger did not know. */
  readonly noted: number;
  /** Files that are gone and that blocks named. */
  readonly lost: number;
}

/** The partitions that month files lie of, or that a ledger knows files of. */
export async function listFiledPartitions(archive: Archive, ledger: Ledger): Promise<readonly string[]> {
  const known = await select<{ readonly partition: string }>(ledger, ['SELECT DISTINCT "partition" FROM month_files']);
  const found = new Set(known.map(({ partition }) => partition));
  for await (const page of pagesOf(archive, { prefix: `${ROLLUPS_PREFIX}partition=`, delimiter: "/" }))
    for (const folder of page.delimitedPrefixes ?? [])
      found.add(folder.slice(`${ROLLUPS_PREFIX}partition=`.length, -1));
  return [...found];
}

/** Makes a ledger and the month files of one of its partitions agree. */
export async function recoverFiles(
  ledger: Ledger,
  { partition, now }: { readonly partition: string; readonly now: number },
  archive: Archive,
): Promise<RecoveredFiles> {
  const there = new Set<string>();
  let noted = 0;
  for await (const { objects } of pagesOf(archive, { prefix: `${ROLLUPS_PREFIX}partition=${partition}/` })) {
    const keys = objects.map(({ key }) => key);
    for (const key of keys) there.add(key);
    noted += await noteFiles(ledger, keys);
  }
  let lost = 0;
  for (let after: NotedFile | undefined; ; ) {
    const page = await listFiles(ledger, { partition, after });
    for (const row of page)
      if (!there.has(fileOf({ ...row, firstDay: row.month }))) lost += await giveUpFile(ledger, row, now);
    after = page.at(-1);
    if (page.length < FILES_PAGE) return { noted, lost };
  }
}

const FILES_PAGE = 5_000;

/** Notes files that no block names: the cron looks at them like at any that is not needed any more (age.ts). */
async function noteFiles(ledger: Ledger, keys: readonly string[]): Promise<number> {
  const names = keys.flatMap((key) => {
    const { merchant, partition, from, file } = parseMonthFileKey(key) ?? {};
    const month = from === undefined ? undefined : parseDate(from);
    return month === undefined ? [] : [[merchant, month, partition, file]];
  });
  const text = `INSERT INTO month_files (merchant, month, "partition", file, blocks, due_at)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, ${MONTH_BLOCKS}, 0 FROM json_each(?1)
    WHERE true ON CONFLICT DO NOTHING RETURNING 1`;
  return (await select(ledger, [text, JSON.stringify(names)])).length;
}

async function listFiles(
  ledger: Ledger,
  { partition, after }: { readonly partition: string; readonly after: NotedFile | undefined },
): Promise<readonly NotedFile[]> {
  const text = `SELECT merchant, month, "partition", file FROM month_files
    WHERE "partition" = ?1 AND (merchant, month, file) > (?2, ?3, ?4) ORDER BY merchant, month, file LIMIT ${FILES_PAGE}`;
  return select(ledger, [text, partition, after?.merchant ?? -1, after?.month ?? -1, after?.file ?? ""]);
}

/**
 * Empties the blocks that name a file that is gone, and has the seal take the Days' sealed files as if it had never
 * known them, so that it counts everything of them (SEA-18). 1 where any block named it. Where events of any of its
 * Days are lost or in doubt, they could not be counted again: then the blocks go on naming the file, and questions that
 * need it are refused, instead of being answered with less.
 */
async function giveUpFile(
  ledger: Ledger,
  { merchant, month, partition, file }: NotedFile,
  now: number,
): Promise<number> {
  const about = [merchant, month, partition, file] as const;
  const isUnsure = `SELECT 1 FROM archive_days WHERE day >= ?1 - ${FOLDERS_APART_MAX} AND day < ?1 + ${MONTH_DAYS + FOLDERS_APART_MAX}
    AND "partition" = ?2 AND (doubted = 1 OR lost > 0) LIMIT 1`;
  if ((await select(ledger, [isUnsure, month, partition])).length > 0) return 0;
  const isNamed = `merchant = ?1 AND first_day >= ?2 AND first_day < ?2 + ${MONTH_DAYS} AND "partition" = ?3 AND file = ?4`;
  const none = JSON.stringify(new Array(BLOCK_DAYS).fill(null));
  const days = `UPDATE archive_days SET folder = '', clean_at = NULL, late_since = coalesce(late_since, ?5), late_marks = late_marks + 1,
      due_at = ?5
    WHERE day >= ?2 - ${FOLDERS_APART_MAX} AND day < ?2 + ${MONTH_DAYS + FOLDERS_APART_MAX} AND "partition" = ?3
      AND generation > 0 AND EXISTS (SELECT 1 FROM blocks WHERE ${isNamed})`;
  const blocks = `UPDATE blocks SET version = version + 1, events = ?5, versions = ?5, file = '', spans = '' WHERE ${isNamed}`;
  const row = `DELETE FROM month_files WHERE merchant = ?1 AND month = ?2 AND "partition" = ?3 AND file = ?4`;
  const [, emptied] = await ledger.batch([
    ledger.prepare(days).bind(...about, now),
    ledger.prepare(blocks).bind(...about, none),
    ledger.prepare(row).bind(...about),
  ]);
  return (emptied?.meta.changes ?? 0) > 0 ? 1 : 0;
}
