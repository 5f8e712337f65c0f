// Erasures in D1: what somebody wants erased, the (Day, partition)s it concerns, and the receipts of what was removed.
// A part is done in the same transaction that makes the files without the removed rows the Day's own
// (storage/ledger/sealed-day.ts), so a receipt says what happened, once.

import { MONTH_DAYS } from "../../core/block/month.ts";
import { LOST, RETENTION, type Removal } from "../../core/counting/erasure.ts";
import { CLOCKS_APART_MS, FOLDERS_APART_MAX } from "../../core/limits.ts";
import { select } from "../statement.ts";
import type { Ledger } from "./ledgers.ts";
import type { ErasureKind } from "./schema.ts";
import { endStatement } from "./settings-fence.ts";

export interface Erasure {
  readonly number: number;
  readonly id: string;
  readonly merchant: number;
  readonly kind: ErasureKind;
  readonly visitor: string;
  readonly fromDay: number;
  readonly toDay: number;
  readonly state: "running" | "done";
  readonly createdAt: number;
  readonly finishedAt: number | null;
  /** Of a whole merchant: whether the directory may still have rows of it; 1 or 0. */
  readonly inDirectory: number;
}

const COLUMNS = `number, id, merchant, kind, visitor, from_day AS fromDay, to_day AS toDay, state, created_at AS createdAt,
  finished_at AS finishedAt, in_directory AS inDirectory`;

/** What rebuilds have kept, by its primary key: that begins with job, day and partition. */
const KEPT = "DELETE FROM replay_undo WHERE job IN (SELECT job FROM job_fences WHERE kind != 'verify')";
/** Days in which events of the folder of the Day ?1 may be shown. */
const NEAR_DAYS = Array.from(
  { length: 2 * FOLDERS_APART_MAX + 1 },
  (_, at) => `?1 - ${FOLDERS_APART_MAX} + ${at}`,
).join(", ");
/** What deletes the numbers of a merchant, the next parameter. */
const NUMBERS = [
  "DELETE FROM hourly WHERE merchant = ?",
  "DELETE FROM daily WHERE merchant = ?",
  "DELETE FROM blocks WHERE merchant = ?",
  // Month files are deleted by whoever finds that no block names them (age.ts).
  "UPDATE month_files SET erased = 1, due_at = 0 WHERE merchant = ?",
  "DELETE FROM replay_undo WHERE merchant = ?",
  // And where its events lay, which are gone Day by Day.
  "DELETE FROM places WHERE merchant = ?",
  "DELETE FROM uncounted WHERE merchant = ?",
  "DELETE FROM overflow_notes WHERE merchant = ?",
  "DELETE FROM outbox WHERE merchant = ?",
  "DELETE FROM merchant_alarms WHERE merchant = ?",
  "DELETE FROM imported_days WHERE merchant = ?",
] as const;
/** What seals and replays have shown of the merchant ?1; jobs of it alone end. */
const SHOWN_OF_MERCHANT = [
  "DELETE FROM replay_parts WHERE job IN (SELECT job FROM job_fences WHERE merchant = ?1)",
  "UPDATE job_fences SET state = 'cancelled' WHERE merchant = ?1 AND state != 'undone'",
  ...(["archive_days", "replay_parts"] as const).map((table) => without(table, "shown", "merchant")),
  without("replay_parts", "totals", "0"),
];

function without(table: "archive_days" | "replay_parts", column: "shown" | "totals", key: "merchant" | "0"): string {
  const named = key === "0" ? "$[0]" : `$.${key}`;
  return `UPDATE ${table} SET ${column} = (SELECT json_group_array(json(value)) FROM json_each(${column})
      WHERE value ->> '${named}' != ?1)
    WHERE ${column} != '[]' AND EXISTS (SELECT 1 FROM json_each(${column}) WHERE value ->> '${named}' = ?1)`;
}

/**
 * Makes an erasure with its parts, all or nothing: the closed Days of its range that the partitions have, and
 * those of its open Days. That of a whole merchant ends the merchant in the same transaction: from then on
 * nothing of it is published or sealed here. Undefined when the settings were changed since they were seen, or
 * somebody is about to change them.
 */
export async function createErasure(db: Ledger, asked: NewErasure): Promise<Erasure>;
export async function createErasure(db: Ledger, asked: SeenErasure): Promise<Erasure | undefined>;
export async function createErasure(
  db: Ledger,
  { erasure, partitions, openDays, seenVersion }: NewErasure & Partial<SeenErasure>,
): Promise<Erasure | undefined> {
  const { id, merchant, kind, visitor, fromDay, toDay, createdAt, number: claimed = null } = erasure;
  const names = JSON.stringify(partitions);
  // At least one, so that its partitions are told: events of the range may still be on their way to the archive.
  const open = openDays.filter((day) => day >= fromDay && day < toDay);
  const days = JSON.stringify(open.length > 0 ? open : [toDay - 1]);
  const number = "(SELECT number FROM erasures WHERE id = ?1)";
  const isWhole = kind === "merchant";
  const results = await db.batch<Erasure>([
    db
      .prepare(
        `INSERT INTO erasures (id, merchant, kind, visitor, from_day, to_day, state, created_at, in_directory, number)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, 'running', ?7, ?9, ?10
         WHERE ?8 IS NULL OR NOT EXISTS (SELECT 1 FROM settings_fences WHERE merchant = ?2 AND version > ?8)`,
      )
      .bind(id, merchant, kind, visitor, fromDay, toDay, createdAt, seenVersion ?? null, isWhole ? 1 : 0, claimed),
    db
      .prepare(
        `INSERT INTO erasure_parts (day, "partition", erasure, told, state)
         SELECT * FROM (SELECT day, "partition", ${number}, 0, 'waiting' FROM archive_days
         WHERE day >= ?2 AND day < ?3 AND "partition" IN (SELECT value FROM json_each(?4))
         UNION SELECT d.value, p.value, ${number}, 0, 'waiting' FROM json_each(?5) AS d, json_each(?4) AS p)
         WHERE ${number} IS NOT NULL`,
      )
      .bind(id, fromDay, toDay, names, days),
    ...(isWhole ? [endStatement(db, merchant)] : []),
    db.prepare(`SELECT ${COLUMNS} FROM erasures WHERE id = ?`).bind(id),
  ]);
  return results.at(-1)?.results[0];
}

/**
 * Deletes what a ledger has of a merchant that the directory has forgotten, but for what waits to be
 * removed from the archive.
 */
export async function forgetMerchant(db: Ledger, { number, merchant }: Erasure): Promise<void> {
  await db.batch([
    ...NUMBERS.map((text) => db.prepare(text).bind(merchant)),
    // Answers in R2 are found by these rows: the cron takes both.
    db.prepare("UPDATE question_jobs SET created_at = 0 WHERE merchant = ?").bind(merchant),
    ...SHOWN_OF_MERCHANT.map((text) => db.prepare(text).bind(merchant)),
    db.prepare("UPDATE erasures SET in_directory = 0 WHERE number = ?").bind(number),
  ]);
}

export interface NewErasure {
  /** With the number that was claimed for it (storage/directory/number-claim.ts). */
  readonly erasure: Omit<Erasure, "number" | "state" | "finishedAt" | "inDirectory"> & { readonly number?: number };
  readonly partitions: readonly string[];
  readonly openDays: readonly number[];
}

export interface SeenErasure extends NewErasure {
  /** Version of the merchant's settings that its Days were understood by; undefined where no Days are named. */
  readonly seenVersion: number | undefined;
}

/** The highest number that a ledger has given to an erasure; 0 for none. */
export async function lastErasureNumber(db: Ledger): Promise<number> {
  const [last] = await select<{ readonly seq: number }>(db, [
    "SELECT seq FROM sqlite_sequence WHERE name = 'erasures'",
  ]);
  return last?.seq ?? 0;
}

export async function findErasure(db: Ledger, id: string): Promise<Erasure | undefined> {
  return (await select<Erasure>(db, [`SELECT ${COLUMNS} FROM erasures WHERE id = ?`, id]))[0];
}

/** The newest erasures, of one merchant or of all, below a number. */
export async function listErasures(
  db: Ledger,
  { merchant, before, rowsMax }: { merchant: number | undefined; before: number; rowsMax: number },
): Promise<readonly Erasure[]> {
  const where = merchant === undefined ? "?1 IS NULL" : "merchant = ?1";
  const text = `SELECT ${COLUMNS} FROM erasures WHERE ${where} AND number < ?2 ORDER BY number DESC LIMIT ?3`;
  return select<Erasure>(db, [text, merchant ?? null, before, rowsMax]);
}

/**
 * Some erasures that are not done: most wait for days, and none of them may keep the others from their turn. `turn` is
 * any whole number, another each time; every erasure is among those of about as many turns.
 */
export async function listRunning(
  db: Ledger,
  { turn, rowsMax }: { turn: number; rowsMax: number },
): Promise<readonly Erasure[]> {
  const isRunning = "state = 'running'";
  const text = `SELECT ${COLUMNS} FROM erasures WHERE ${isRunning} ORDER BY number LIMIT ?1
    OFFSET max(0, CAST(?2 AS INTEGER) % ((SELECT count(*) FROM erasures WHERE ${isRunning}) + ?1 - 1) - ?1 + 1)`;
  return select<Erasure>(db, [text, rowsMax, turn]);
}

/** How many erasures of a merchant are under way. */
export async function countRunning(db: Ledger, merchant: number): Promise<number> {
  const text = "SELECT count(*) AS running FROM erasures WHERE merchant = ? AND state = 'running'";
  return (await select<{ running: number }>(db, [text, merchant]))[0]?.running ?? 0;
}

/** The partitions an erasure concerns. */
export async function listPartitionsOf(
  db: Ledger,
  erasure: number,
): Promise<readonly { readonly partition: string; readonly told: number }[]> {
  const text = `SELECT "partition", min(told) AS told FROM erasure_parts WHERE erasure = ? GROUP BY "partition"`;
  return select(db, [text, erasure]);
}

/**
 * Notes at which position a partition has carried an erasure out. From then on it concerns every Day of the partition
 * that the archive is known to have by now: one may have come, or been sealed, since it was asked for.
 */
export async function markTold(
  db: Ledger,
  { erasure, partition, position }: { erasure: Erasure; partition: string; position: number },
): Promise<void> {
  const { number, fromDay, toDay } = erasure;
  const told = `UPDATE erasure_parts SET told = ? WHERE erasure = ? AND "partition" = ? AND told = 0`;
  await select(db, [told, position, number, partition]);
  const parts = `INSERT INTO erasure_parts (day, "partition", erasure, told, state)
    SELECT day, "partition", ?1, ?2, 'waiting' FROM archive_days WHERE day >= ?3 AND day < ?4 AND "partition" = ?5
    ON CONFLICT DO NOTHING`;
  await select(db, [parts, number, position, fromDay, toDay, partition]);
}

/**
 * Makes the seal look at the closed Days of an erasure that wait. Repeating it before they were looked at changes
 * nothing.
 */
export async function wakeParts(
  db: Ledger,
  { erasure, openFrom, now }: { erasure: number; openFrom: number; now: number },
): Promise<void> {
  const waiting = `SELECT day, "partition" FROM erasure_parts WHERE erasure = ?1 AND state = 'waiting' AND told > 0 AND day < ?2`;
  const insert = `INSERT INTO archive_days (day, "partition", generation, folder, rows, merchants, bytes, duplicates, differences,
      shown, late_marks, due_at, attempts, error)
    SELECT day, "partition", 0, '', 0, 0, 0, 0, 0, '[]', 0, ?3, 0, '' FROM (${waiting}) WHERE true ON CONFLICT DO NOTHING`;
  const wake = `UPDATE archive_days SET late_since = ?3, late_marks = late_marks + 1, due_at = ?3
    WHERE late_since IS NULL AND (day, "partition") IN (${waiting})`;
  for (const text of [insert, wake]) await select(db, [text, erasure, openFrom, now]);
}

/** Ends an erasure whose parts are all done. Of a merchant no number is left, whatever was published meanwhile. */
export async function finishErasure(db: Ledger, { erasure, now }: { erasure: Erasure; now: number }): Promise<void> {
  const { number, merchant, kind, fromDay, toDay } = erasure;
  // Days that have become late since then wait for events of others: what is meant was noted before it was archived.
  const isDone = `NOT EXISTS (SELECT 1 FROM erasure_parts WHERE erasure = ?1 AND (state = 'waiting' OR told = 0))
    AND NOT EXISTS (SELECT 1 FROM archive_days WHERE day >= ?3 AND day < ?4
      AND late_since <= (SELECT archived_at FROM erasures WHERE number = ?1) + ${CLOCKS_APART_MS}
      AND "partition" IN (SELECT "partition" FROM erasure_parts WHERE erasure = ?1))`;
  // A month file that has what was erased is deleted an hour after no block names it.
  const isOutOfFiles = `NOT EXISTS (SELECT 1 FROM month_files WHERE merchant = (SELECT merchant FROM erasures WHERE number = ?1)
    AND ${kind === "merchant" ? "1" : "erased = 1"})`;
  const statements = [
    db
      .prepare("UPDATE erasures SET archived_at = ?2 WHERE number = ?1 AND state = 'running' AND archived_at IS NULL")
      .bind(number, now),
    ...(kind === "merchant"
      ? NUMBERS.map((text) =>
          db.prepare(`${text.replace("?", "?2")} AND ${isDone}`).bind(number, merchant, fromDay, toDay),
        )
      : []),
    db
      .prepare(
        `UPDATE erasures SET state = 'done', finished_at = ?2 WHERE number = ?1 AND state = 'running' AND ${isDone} AND ${isOutOfFiles}`,
      )
      .bind(number, now, fromDay, toDay),
  ];
  await db.batch(statements);
}

/**
 * What is not to be in a (Day, partition): of every erasure under way that its partition has heard of, whether the Day
 * was known to have anything when it was asked for or not.
 */
export async function listRemovals(
  db: Ledger,
  { day, partition }: { day: number; partition: string },
): Promise<readonly (Removal & { readonly number: number })[]> {
  const text = `SELECT e.number, e.id AS erasure, e.merchant, e.visitor,
      CASE e.kind WHEN 'merchant' THEN 9e15 ELSE max(p.told) END AS before
    FROM erasures AS e JOIN erasure_parts AS p ON p.erasure = e.number
    WHERE e.state = 'running' AND e.from_day <= ?1 AND e.to_day > ?1 AND p."partition" = ?2 AND p.told > 0
    GROUP BY e.number ORDER BY e.number`;
  return select(db, [text, day, partition]);
}

/** What is not to be shown of a merchant's events: the erasures under way, by partition and range of Days. */
export async function listRemovalsOf(db: Ledger, merchant: number): Promise<readonly MerchantRemoval[]> {
  const text = `SELECT e.id AS erasure, e.merchant, e.visitor, e.from_day AS fromDay, e.to_day AS toDay, p."partition",
      max(p.told) AS before
    FROM erasures AS e JOIN erasure_parts AS p ON p.erasure = e.number
    WHERE e.merchant = ? AND e.state = 'running' AND p.told > 0 GROUP BY e.number, p."partition"`;
  return select(db, [text, merchant]);
}

export interface MerchantRemoval extends Removal {
  readonly partition: string;
  /** Days in [fromDay, toDay). */
  readonly fromDay: number;
  readonly toDay: number;
}

/** The removals that a count of a (Day, partition) knows of, for the check in the transactions of what it writes. */
export interface KnownRemovals {
  readonly day: number;
  readonly partition: string;
  /** Numbers of the erasures. */
  readonly erasures: readonly number[];
  /** UTC ms, before they were looked up. */
  readonly since: number;
}

/**
 * Whether a merchant's rows may be written by a count that knew these removals: no erasure that means them has been
 * told to their partition since, whether it is done by now or not. Takes the values of `knownValues`.
 */
export const ALL_ARE_KNOWN = `NOT EXISTS (SELECT 1 FROM (SELECT ? AS merchant, ? AS known) AS asked
  JOIN erasures AS e ON e.merchant = asked.merchant JOIN erasure_parts AS p ON p.erasure = e.number
  WHERE e.from_day <= known ->> '$.day' AND e.to_day > known ->> '$.day' AND p."partition" = known ->> '$.partition' AND p.told > 0
    AND (e.finished_at IS NULL OR e.finished_at >= known ->> '$.since')
    AND e.number NOT IN (SELECT value FROM json_each(known, '$.erasures')))`;

export function knownValues(merchant: number, known: KnownRemovals): readonly [number, string] {
  return [merchant, JSON.stringify(known)];
}

/** How much of a merchant an erasure, or retention, removed from one (Day, partition). */
export interface RemovedRows {
  readonly merchant: number;
  readonly erasure: string;
  readonly rowsBefore: number;
  readonly rowsRemoved: number;
}

/**
 * Marks the month files that may have numbers of what the erasures ?4 have removed from the Day ?1 in the partition ?2,
 * and of Days near it. The cron deletes those that blocks do not name any more, and lets the others be (age.ts).
 */
const MARK_FILES = `UPDATE month_files SET erased = 1, due_at = 0 WHERE "partition" = ?2
  AND month > ?1 - ${FOLDERS_APART_MAX + MONTH_DAYS} AND month <= ?1 + ${FOLDERS_APART_MAX}
  AND merchant IN (SELECT merchant FROM erasures WHERE number IN (SELECT value FROM json_each(?4)))`;

/** The statements that note what a seal removed; they do so only where that seal has become the Day's own. */
export function noteRemovals(
  db: Ledger,
  { day, partition, replaced, folder, removed, erasures, moved, at }: NotedRemovals,
): readonly D1PreparedStatement[] {
  // Of two seals that made the same files the first has written the receipt.
  const isCurrent = `EXISTS (SELECT 1 FROM archive_days WHERE day = ?1 AND "partition" = ?2 AND folder = ?3 AND sealed_at = ?5)`;
  const rows = JSON.stringify(
    removed.map(({ merchant, erasure, rowsBefore, rowsRemoved }) => [
      merchant,
      erasure,
      rowsBefore,
      rowsBefore - rowsRemoved,
    ]),
  );
  const merchants = removed.filter(({ erasure }) => erasure !== RETENTION).map(({ merchant }) => merchant);
  return [
    db
      .prepare(
        `${KEPT} AND day IN (${NEAR_DAYS}) AND "partition" = ?2
          AND merchant IN (SELECT value FROM json_each(?4))
          AND (day = ?1 OR merchant IN (SELECT value FROM json_each(?6))) AND ${isCurrent}`,
      )
      .bind(day, partition, folder, JSON.stringify(merchants), at, JSON.stringify(moved)),
    db.prepare(`${MARK_FILES} AND ${isCurrent}`).bind(day, partition, folder, JSON.stringify(erasures), at),
    db
      .prepare(
        `INSERT OR IGNORE INTO removals (merchant, erasure, day, "partition", at, rows_before, rows_after, replaced, folder)
         SELECT value ->> 0, value ->> 1, ?1, ?2, ?5, value ->> 2, value ->> 3, ?6, ?3 FROM json_each(?4) WHERE ${isCurrent}`,
      )
      .bind(day, partition, folder, rows, at, replaced),
    db
      .prepare(
        `UPDATE erasure_parts SET state = 'done' WHERE day = ?1 AND "partition" = ?2 AND told > 0
           AND erasure IN (SELECT value FROM json_each(?4)) AND ${isCurrent}`,
      )
      .bind(day, partition, folder, JSON.stringify(erasures), at),
  ];
}

interface NotedRemovals {
  readonly day: number;
  readonly partition: string;
  readonly replaced: string;
  readonly folder: string;
  readonly removed: readonly RemovedRows[];
  /** The erasures the seal knew of, by number. */
  readonly erasures: readonly number[];
  /**
   * Merchants with zones of the past: rows of theirs that a rebuild has kept may be made of this folder on Days near
   * it.
   */
  readonly moved: readonly number[];
  /** UTC ms. */
  readonly at: number;
}

/** A part in which there was nothing to remove, but maybe numbers that a retention had left. */
export async function finishParts(
  db: Ledger,
  { day, partition, erasures }: { day: number; partition: string; erasures: readonly number[] },
): Promise<void> {
  if (erasures.length === 0) return;
  const text = `UPDATE erasure_parts SET state = 'done' WHERE day = ?1 AND "partition" = ?2
    AND erasure IN (SELECT value FROM json_each(?4)) AND ?3 = ''`;
  await db.batch(
    [`${MARK_FILES} AND ?3 = ''`, text].map((one) =>
      db.prepare(one).bind(day, partition, "", JSON.stringify(erasures)),
    ),
  );
}

export interface Receipt {
  readonly parts: number;
  readonly done: number;
  readonly removals: readonly {
    readonly day: number;
    readonly partition: string;
    readonly at: number;
    readonly rowsBefore: number;
    readonly rowsAfter: number;
    readonly replaced: string;
    readonly folder: string;
  }[];
}

/** How far an erasure is, and what it has removed from where. */
export async function readReceipt(db: Ledger, erasure: Erasure, rowsMax: number): Promise<Receipt> {
  const counts = "SELECT count(*) AS parts, total(state = 'done') AS done FROM erasure_parts WHERE erasure = ?";
  const [progress] = await select<{ parts: number; done: number }>(db, [counts, erasure.number]);
  const text = `SELECT day, "partition", at, rows_before AS rowsBefore, rows_after AS rowsAfter, replaced, folder
    FROM removals WHERE merchant = ? AND erasure = ? ORDER BY day, "partition" LIMIT ?`;
  const removals = await select<Receipt["removals"][number]>(db, [text, erasure.merchant, erasure.id, rowsMax]);
  return { parts: progress?.parts ?? 0, done: progress?.done ?? 0, removals };
}

/** Events are gone, by a retention or with the bucket: whatever else holds by now, numbers cannot be counted again. */
const ARE_GONE = `erasure IN ('${RETENTION}', '${LOST}')`;

/** Of some merchants the Days in [from, to) of which events are gone in a partition, and why. */
export async function listTaken(
  db: Ledger,
  {
    merchants,
    days: [from, to],
    partition,
  }: { merchants: readonly number[]; days: readonly [number, number]; partition: string },
): Promise<readonly { readonly merchant: number; readonly day: number; readonly erasure: string }[]> {
  const text = `SELECT DISTINCT merchant, day, erasure FROM removals WHERE merchant IN (SELECT value FROM json_each(?1))
    AND ${ARE_GONE} AND day >= ?2 AND day < ?3 AND "partition" = ?4`;
  return select(db, [text, JSON.stringify(merchants), from, to, partition]);
}

/** Whether events of a merchant's Days in [from, to) are gone, in any partition. */
export async function hasTaken(
  db: Ledger,
  { merchant, days: [from, to] }: { merchant: number; days: readonly [number, number] },
): Promise<boolean> {
  const text = `SELECT 1 FROM removals WHERE merchant = ?1 AND ${ARE_GONE} AND day >= ?2 AND day < ?3 LIMIT 1`;
  return (await select(db, [text, merchant, from, to])).length > 0;
}

/** The Days in [from, to) of which events of a merchant are gone. */
export async function listTakenDays(
  db: Ledger,
  { merchant, days: [from, to] }: { merchant: number; days: readonly [number, number] },
): Promise<readonly number[]> {
  const text = `SELECT DISTINCT day FROM removals WHERE merchant = ?1 AND ${ARE_GONE} AND day >= ?2 AND day < ?3`;
  const rows = await select<{ readonly day: number }>(db, [text, merchant, from, to]);
  return rows.map(({ day }) => day);
}

/** The Days in [from, to) of which events of a merchant were lost with the bucket, in order. */
export async function listLostDays(
  db: Ledger,
  { merchant, days: [from, to] }: { merchant: number; days: readonly [number, number] },
): Promise<readonly number[]> {
  const text = `SELECT DISTINCT day FROM removals WHERE merchant = ?1 AND erasure = '${LOST}' AND day >= ?2 AND day < ?3 ORDER BY day`;
  const rows = await select<{ readonly day: number }>(db, [text, merchant, from, to]);
  return rows.map(({ day }) => day);
}

/**
 * Has the seal look at Days that a retention of so many days has just ended for. Each Day is found once per retention.
 */
export async function wakeExpired(
  db: Ledger,
  { retention, fromDay, toDay, now }: { retention: number; fromDay: number; toDay: number; now: number },
): Promise<void> {
  const text = `UPDATE archive_days SET expired = ?1, late_since = coalesce(late_since, ?4), late_marks = late_marks + 1,
      due_at = ?4 WHERE day >= ?2 AND day < ?3 AND expired < ?1 AND generation > 0`;
  await select(db, [text, retention, fromDay, toDay, now]);
}

/** The same of a merchant whose retention has become shorter: all Days beyond it, whatever was enforced there. */
export async function wakeBeyond(
  db: Ledger,
  { partitions, beforeDay, now }: { partitions: readonly string[]; beforeDay: number; now: number },
): Promise<void> {
  const text = `UPDATE archive_days SET late_since = coalesce(late_since, ?3), late_marks = late_marks + 1, due_at = ?3
    WHERE day < ?2 AND "partition" IN (SELECT value FROM json_each(?1)) AND generation > 0`;
  await select(db, [text, JSON.stringify(partitions), beforeDay, now]);
}
