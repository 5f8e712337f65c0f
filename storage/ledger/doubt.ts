// Days of which the archive may lack events that their numbers count, because the bucket was lost and came back from an
// older copy, or not at all. `recover bucket` puts them in doubt (storage/bucket-recovery.ts). Before the next look at
// such a Day writes anything, it compares each merchant's numbers with what the archive has (queues/doubt.ts). Where
// the archive has fewer events, the merchant's Day is noted as lost: its numbers stay, whatever is counted again, and
// questions about its events are refused. All other Days go on as if nothing had happened.

import { LOST } from "../../core/counting/erasure.ts";
import { select } from "../statement.ts";
import type { Ledger } from "./ledgers.ts";
import type { SealPlace } from "./sealed-day.ts";

/** What a ledger knows of a closed Day's events in the archive. */
export interface KnownDay extends SealPlace {
  readonly generation: number;
  /** Of its sealed files; empty where it has none. */
  readonly folder: string;
  /** UTC ms at which events last came late; null for never. */
  readonly lateAt: number | null;
  /** UTC ms; null where everything that its files stand for is deleted. */
  readonly cleanAt: number | null;
}

/** The Days after one of them, by Day and partition. */
export async function listKnownDays(
  db: Ledger,
  { after, rowsMax }: { readonly after: SealPlace; readonly rowsMax: number },
): Promise<readonly KnownDay[]> {
  const text = `SELECT day, "partition", generation, folder, late_at AS lateAt, clean_at AS cleanAt FROM archive_days
    WHERE (day, "partition") > (?1, ?2) ORDER BY day, "partition" LIMIT ?3`;
  return select(db, [text, after.day, after.partition, rowsMax]);
}

const ARE_THESE = '(day, "partition") IN (SELECT value ->> 0, value ->> 1 FROM json_each(?1))';

/**
 * Puts Days in doubt, and has the seal look at them. Erasures that were carried out there are under way again: what
 * came back may have what they took. Doing it again before the look changes nothing.
 */
export async function doubtDays(
  db: Ledger,
  { places, now }: { readonly places: readonly SealPlace[]; readonly now: number },
): Promise<void> {
  const these = JSON.stringify(places.map(({ day, partition }) => [day, partition]));
  const days = `UPDATE archive_days SET doubted = 1, attempts = 0, error = '', due_at = ?2,
      late_since = CASE generation WHEN 0 THEN late_since ELSE coalesce(late_since, ?2) END, late_marks = late_marks + 1
    WHERE ${ARE_THESE}`;
  const parts = `UPDATE erasure_parts SET state = 'waiting' WHERE told > 0 AND ${ARE_THESE}`;
  const erasures = `UPDATE erasures SET state = 'running', finished_at = NULL, archived_at = NULL
    WHERE state = 'done' AND number IN (SELECT erasure FROM erasure_parts WHERE state = 'waiting' AND ${ARE_THESE})`;
  await db.batch([db.prepare(days).bind(these, now), db.prepare(parts).bind(these), db.prepare(erasures).bind(these)]);
}

/**
 * Notes open Days of partitions, in doubt, to be looked at when they are closed. Bundles of theirs may be gone, and a
 * Day that the archive has nothing of would be noted by nobody.
 */
export async function doubtOpenDays(
  db: Ledger,
  { places }: { readonly places: readonly (SealPlace & { readonly closesAt: number })[] },
): Promise<void> {
  const text = `INSERT INTO archive_days (day, "partition", generation, folder, rows, merchants, bytes, duplicates,
      differences, shown, late_marks, due_at, attempts, error, doubted)
    SELECT value ->> 0, value ->> 1, 0, '', 0, 0, 0, 0, 0, '[]', 0, value ->> 2, 0, '', 1 FROM json_each(?1)
    WHERE true ON CONFLICT DO UPDATE SET doubted = 1`;
  await select(db, [text, JSON.stringify(places.map(({ day, partition, closesAt }) => [day, partition, closesAt]))]);
}

/** Forgets an open Day that was noted in doubt, and of which neither partition nor archive has anything. */
export async function forgetEmptyDay(db: Ledger, { day, partition }: SealPlace): Promise<void> {
  const text = `DELETE FROM archive_days WHERE day = ? AND "partition" = ? AND generation = 0 AND doubted = 1`;
  await select(db, [text, day, partition]);
}

/** Has the seal delete what the sealed files of Days stand for, where some of it came back. */
export async function cleanAgain(
  db: Ledger,
  { places, now }: { readonly places: readonly SealPlace[]; readonly now: number },
): Promise<void> {
  const text = `UPDATE archive_days SET clean_at = ?2, due_at = ?2 WHERE clean_at IS NULL AND generation > 0 AND ${ARE_THESE}`;
  await select(db, [text, JSON.stringify(places.map(({ day, partition }) => [day, partition])), now]);
}

/** Whole merchants that were erased are ended once more: their imported rollups or month files may have come back. */
export async function endMerchantsAgain(db: Ledger): Promise<number> {
  const text = `UPDATE erasures SET state = 'running', finished_at = NULL, archived_at = NULL, in_directory = 1
    WHERE kind = 'merchant' AND state = 'done' RETURNING number`;
  return (await select(db, [text])).length;
}

/** A merchant's Day that the archive has fewer events of than its numbers count. */
export interface LostDay {
  readonly merchant: number;
  /** Events that its numbers count, and those that the archive has. */
  readonly counted: number;
  readonly archived: number;
}

/** A merchant's Day in [from, to) of which events are lost, or may be: the first one. */
export async function findUnsure(
  db: Ledger,
  {
    merchant,
    days: [from, to],
    places,
  }: { readonly merchant: number; readonly days: readonly [number, number]; readonly places: readonly SealPlace[] },
): Promise<{ readonly day: number; readonly isLost: boolean } | undefined> {
  const text = `SELECT day, 1 AS isLost FROM removals WHERE merchant = ?1 AND erasure = '${LOST}' AND day >= ?2 AND day < ?3
    UNION ALL SELECT a.day, 0 FROM json_each(?4) AS j JOIN archive_days AS a ON a.day = j.value ->> 0
      AND a."partition" = j.value ->> 1 WHERE a.doubted = 1 ORDER BY 1, 2 DESC LIMIT 1`;
  const asked = JSON.stringify(places.map(({ day, partition }) => [day, partition]));
  const [found] = await select<{ readonly day: number; readonly isLost: number }>(db, [
    text,
    merchant,
    from,
    to,
    asked,
  ]);
  return found === undefined ? undefined : { day: found.day, isLost: found.isLost === 1 };
}

/** The merchants whose numbers of a Day are without what some erasures under way have taken: there is a receipt. */
export async function listApplied(
  db: Ledger,
  { day, partition }: SealPlace,
  removals: readonly { readonly merchant: number; readonly erasure: string }[],
): Promise<ReadonlySet<number>> {
  if (removals.length === 0) return new Set();
  const text = `SELECT DISTINCT r.merchant FROM json_each(?1) AS j JOIN removals AS r ON r.merchant = j.value ->> 0
    AND r.erasure = j.value ->> 1 AND r.day = ?2 AND r."partition" = ?3`;
  const asked = JSON.stringify(removals.map(({ merchant, erasure }) => [merchant, erasure]));
  const rows = await select<{ readonly merchant: number }>(db, [text, asked, day, partition]);
  return new Set(rows.map(({ merchant }) => merchant));
}

interface Settled {
  readonly place: SealPlace;
  readonly lost: readonly LostDay[];
  /** Whether the sealed files that the ledger knows are there. If not, it knows none from here on. */
  readonly isThere: boolean;
  /** UTC ms. */
  readonly now: number;
}

/** Ends the doubt about a Day: notes whose events of it are lost. A second run finds it without doubt. */
export async function settleDoubt(db: Ledger, { place, lost, isThere, now }: Settled): Promise<void> {
  const { day, partition } = place;
  const isDoubted = `EXISTS (SELECT 1 FROM archive_days WHERE day = ?1 AND "partition" = ?2 AND doubted = 1)`;
  const insert = `INSERT OR IGNORE INTO removals (merchant, erasure, day, "partition", at, rows_before, rows_after, replaced, folder)
    SELECT value ->> 0, '${LOST}', ?1, ?2, ?3, value ->> 1, value ->> 2, '', '' FROM json_each(?4) WHERE ${isDoubted}`;
  const folder = isThere ? "" : ", folder = '', clean_at = NULL";
  const end = `UPDATE archive_days SET doubted = 0, lost = lost + ?3${folder} WHERE day = ?1 AND "partition" = ?2 AND doubted = 1`;
  const rows = JSON.stringify(lost.map(({ merchant, counted, archived }) => [merchant, counted, archived]));
  await db.batch([
    db.prepare(insert).bind(day, partition, now, rows),
    db.prepare(end).bind(day, partition, lost.length),
  ]);
}
