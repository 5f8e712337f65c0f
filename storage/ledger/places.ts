// Where a merchant's events lie: one index in D1, a row per merchant, Day and partition, written by the archive's
// consumer before the partition that cut a bundle is told to forget it. Everybody who asks where events of a Day are
// asks here, and the partitions for what they have not forgotten. Beside it stands which of those places have late
// events that no rollup knows: until their recount has ended, a question about them is answered from the events
// themselves. Writing either twice is harmless: a row is there or not, and `marks` only grows.

import { BLOCK_DAYS, LATE_COALESCE_MS } from "../../core/limits.ts";
import { select } from "../statement.ts";
import type { Ledger } from "./ledgers.ts";
import { lateStatement, type SealPlace, wokenOf } from "./sealed-day.ts";

/** What lies in the archive since a bundle does. All of one partition. */
export interface ArchivedBundle {
  readonly partition: string;
  /** Each once. */
  readonly places: readonly MerchantDay[];
  /** Those among them that have events which the partition has not counted. */
  readonly uncounted: readonly MerchantDay[];
  /** Closed Days that have to be looked at again, those of `uncounted` among them. */
  readonly lateDays: readonly number[];
}

export type MerchantDay = readonly [merchant: number, day: number];

/** Of a merchant, the Days in [from, to). */
export interface PlaceRange {
  readonly merchant: number;
  readonly from: number;
  readonly to: number;
}

interface NotedBundle {
  readonly bundle: ArchivedBundle;
  /** UTC ms. */
  readonly now: number;
  readonly coalesceMs?: number;
  /** Seconds that Days wait beyond that, by Day (core/counting/late-turn.ts). */
  readonly waits?: ReadonlyMap<number, number>;
}

/** How many (Day, partition)s of merchants that a bundle has late events of wait to be counted already. */
export async function countUncounted(
  db: Ledger,
  { uncounted }: Pick<ArchivedBundle, "uncounted">,
): Promise<ReadonlyMap<number, number>> {
  const merchants = [...new Set(uncounted.map(([merchant]) => merchant))];
  if (merchants.length === 0) return new Map();
  const { results } = await db
    .prepare(
      "SELECT merchant, count(*) AS days FROM uncounted WHERE merchant IN (SELECT value FROM json_each(?)) GROUP BY merchant",
    )
    .bind(JSON.stringify(merchants))
    .all<{ readonly merchant: number; readonly days: number }>();
  return new Map(results.map(({ merchant, days }) => [merchant, days]));
}

/**
 * Notes, in one transaction, where the events of a bundle lie, and which of them a recount has to count. A message is
 * to be sent to the seal queue, delayed by `coalesceMs`, for the places it returns: for the others one is under way.
 */
export async function noteArchived(
  db: Ledger,
  { bundle, now, coalesceMs = LATE_COALESCE_MS, waits = new Map() }: NotedBundle,
): Promise<readonly SealPlace[]> {
  const { partition, places, uncounted, lateDays } = bundle;
  const late = lateDays.map((day) => ({ day, partition, waitMs: (waits.get(day) ?? 0) * 1_000 }));
  const statements = [
    placesStatement(db, partition, places),
    ...(late.length > 0 ? [lateStatement(db, { places: late, now, coalesceMs })] : []),
    // After the marks of their Days have grown: a recount that begins now, and does not know of them, leaves these
    // rows.
    ...(uncounted.length > 0 ? [db.prepare(NOTE_UNCOUNTED).bind(JSON.stringify(uncounted), partition)] : []),
  ];
  const results = await db.batch<SealPlace & { readonly late_since: number }>(statements);
  return late.length > 0 ? wokenOf(results[1]?.results ?? [], now) : [];
}

const NOTE_UNCOUNTED = `INSERT INTO uncounted (merchant, day, "partition", marks)
  SELECT j.value ->> 0, a.day, ?2, a.late_marks FROM json_each(?1) AS j
    JOIN archive_days AS a ON a.day = j.value ->> 1 AND a."partition" = ?2
  WHERE true ON CONFLICT DO UPDATE SET marks = excluded.marks WHERE marks < excluded.marks`;

/**
 * Notes where a merchant's events were found: a recount reads the archive itself, and so mends an index that lacks a
 * row.
 */
export async function notePlaces(
  db: Ledger,
  { day, partition, merchants }: SealPlace & { readonly merchants: readonly number[] },
): Promise<void> {
  for (let start = 0; start < merchants.length; start += PLACES_NOTED_ONCE) {
    const some = merchants.slice(start, start + PLACES_NOTED_ONCE);
    const statement = placesStatement(
      db,
      partition,
      some.map((merchant) => [merchant, day]),
    );
    await statement.run();
  }
}

/** A list of so many takes a tenth of a statement's 100 kB. */
const PLACES_NOTED_ONCE = 1_000;

function placesStatement(db: Ledger, partition: string, places: readonly MerchantDay[]): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO places (merchant, day, "partition") SELECT value ->> 0, value ->> 1, ?2 FROM json_each(?1)
       WHERE true ON CONFLICT DO NOTHING`,
    )
    .bind(JSON.stringify(places), partition);
}

/** Where a merchant's archived events of some Days lie, and about how many they are: as many as were counted. */
export async function listPlaces(
  db: Ledger,
  { merchant, from, to, rowsMax }: PlaceRange & { readonly rowsMax: number },
): Promise<readonly (SealPlace & { readonly events: number })[]> {
  const text = `SELECT p.day, p."partition", coalesce(d.events, b.events ->> (p.day % ${BLOCK_DAYS}), 0) AS events
    FROM places AS p
    LEFT JOIN daily AS d ON d.merchant = p.merchant AND d.bucket = p.day AND d."partition" = p."partition"
    LEFT JOIN blocks AS b ON b.merchant = p.merchant AND b.first_day = p.day - p.day % ${BLOCK_DAYS}
      AND b."partition" = p."partition"
    WHERE p.merchant = ?1 AND p.day >= ?2 AND p.day < ?3 ORDER BY p.day, p."partition" LIMIT ?4`;
  return select(db, [text, merchant, from, to, rowsMax]);
}

/** Those of them that have late events which no rollup knows. Normally none, and then no row is read. */
export async function listUncounted(db: Ledger, { merchant, from, to }: PlaceRange): Promise<readonly SealPlace[]> {
  const text = `SELECT day, "partition" FROM uncounted WHERE merchant = ?1 AND day >= ?2 AND day < ?3`;
  return select(db, [text, merchant, from, to]);
}

/** Where a merchant's rollups are not what they are to become. */
export interface BehindPlaces {
  /** Folders with late events that no rollup knows. */
  readonly folders: readonly SealPlace[];
  /**
   * Days that a zone of the past, which is being put on or taken back, has yet to reach: an event may have left one of
   * them and not have come to the other.
   */
  readonly days: readonly SealPlace[];
}

/** Selects both, of merchant ?1 and Days in [?2, ?3), as `behindOf` takes it. Normally that is no row. */
export const BEHIND = `SELECT day, "partition", 0 AS shown FROM uncounted WHERE merchant = ?1 AND day >= ?2 AND day < ?3
  UNION ALL SELECT p.day, p."partition", 1 FROM job_fences AS f JOIN replay_parts AS p ON p.job = f.job
  WHERE f.merchant = ?1 AND f.zoned = 1 AND p.day >= ?2 AND p.day < ?3
    AND ((f.state IN ('running', 'paused', 'done') AND p.state IN ('waiting', 'failed'))
      OR (f.state = 'undoing' AND p.state <> 'undone'))`;

export function behindOf(rows: readonly (readonly [day: number, partition: string, shown: number])[]): BehindPlaces {
  const of = (wanted: number) =>
    rows.flatMap(([day, partition, shown]) => (shown === wanted ? [{ day, partition }] : []));
  return { folders: of(0), days: of(1) };
}

/** Both, of some Days. */
export async function listBehind(db: Ledger, { merchant, from, to }: PlaceRange): Promise<BehindPlaces> {
  const rows = await select<SealPlace & { readonly shown: number }>(db, [BEHIND, merchant, from, to]);
  return behindOf(rows.map(({ day, partition, shown }) => [day, partition, shown]));
}

/** The partitions in which anything of a merchant's Days in [from, to) lies. */
export async function listPartitionsOfDays(db: Ledger, { merchant, from, to }: PlaceRange): Promise<readonly string[]> {
  const text = `SELECT DISTINCT "partition" FROM places WHERE merchant = ?1 AND day >= ?2 AND day < ?3`;
  const rows = await select<Pick<SealPlace, "partition">>(db, [text, merchant, from, to]);
  return rows.map(({ partition }) => partition);
}

/**
 * The first Day of which anything of a merchant lies in the archive. One row is read: the primary key is in this order.
 */
export async function readFirstPlace(db: Ledger, merchant: number): Promise<number | undefined> {
  const text = "SELECT min(day) AS day FROM places WHERE merchant = ?1";
  const [first] = await select<{ readonly day: number | null }>(db, [text, merchant]);
  return first?.day ?? undefined;
}
