// Whether a partition's storage is the one that its ledger knows. A partition claims its name in its ledger before it
// counts its first event: an object whose storage was lost claims it a second time and is refused, and one that was
// put back to an earlier instant has had fewer events than it once told. Either would give positions again that the
// archive has, so it takes nothing until it is recovered (durable-objects/claim.ts). Plain SQL: the partition is part
// of the collector's script, which stays small without an ORM.

import type { CarriedOut } from "../../core/counting/recovered.ts";
import { STORAGE_LOST } from "../../core/watch/standing.ts";
import { select } from "../statement.ts";
import type { Ledger } from "./ledgers.ts";

export interface NameClaim {
  readonly partition: string;
  /** What this storage is known by: made with it, and with each recovery. */
  readonly claim: string;
  /** Whether it has had events: then it may claim a name that the ledger has events of, and no claim. */
  readonly isOld: boolean;
  /** UTC ms. */
  readonly now: number;
}

/** What the ledger knows of a partition. */
export interface KnownClaim {
  readonly claim: string;
  /** Events that it ever told of. */
  readonly events: number;
}

const UNTOLD = `INSERT INTO partition_status ("partition", told_at, events, archived_events, unconfirmed_bundles,
  held_bytes, merchants, failing, claim)`;

/** Claims a name where nobody has, and gives whose it is. Doing it again changes nothing. */
export async function claimName(db: Ledger, { partition, claim, isOld, now }: NameClaim): Promise<KnownClaim> {
  await select(db, [
    `${UNTOLD} VALUES (?1, ?2, 0, 0, 0, 0, 0, '', ?3)
     ON CONFLICT ("partition") DO UPDATE SET claim = excluded.claim WHERE claim = '' AND (events = 0 OR ?4 = 1)`,
    ...[partition, now, claim, isOld ? 1 : 0],
  ]);
  return (await readClaim(db, partition)) as KnownClaim;
}

/** undefined of a partition that the ledger does not know. */
export async function readClaim(db: Ledger, partition: string): Promise<KnownClaim | undefined> {
  const [row] = await select<KnownClaim>(db, [
    'SELECT claim, events FROM partition_status WHERE "partition" = ?',
    partition,
  ]);
  return row;
}

/** Notes that a partition waits to be recovered: the alert of failing partitions and the doctor see it. */
export async function noteLost(db: Ledger, partition: string): Promise<void> {
  await select(db, [`UPDATE partition_status SET failing = '${STORAGE_LOST}' WHERE "partition" = ?`, partition]);
}

/**
 * Notes in a ledger that was made anew that a partition's storage is another than the one whose events the archive has:
 * no storage is known by this claim, so the partition finds that it is lost.
 */
export async function noteForgotten(
  db: Ledger,
  { partition, now }: Pick<NameClaim, "partition" | "now">,
): Promise<void> {
  await select(db, [
    `${UNTOLD} VALUES (?1, ?2, 1, 0, 0, 0, 0, '${STORAGE_LOST}', 'forgotten')
     ON CONFLICT ("partition") DO UPDATE SET claim = excluded.claim, failing = excluded.failing,
       events = max(events, 1)`,
    ...[partition, now],
  ]);
}

/** A partition, and how many events it ever told of. */
export interface ToldEvents {
  readonly partition: string;
  readonly events: number;
}

/** All that have claimed their names or told of themselves, by name. */
export async function listEvents(db: Ledger): Promise<readonly ToldEvents[]> {
  return select(db, ['SELECT "partition", events FROM partition_status ORDER BY "partition"']);
}

/** A recovered storage takes the name over from the one that was lost. */
export async function takeOver(
  db: Ledger,
  { partition, claim, now }: Pick<NameClaim, "partition" | "claim" | "now">,
): Promise<void> {
  await select(db, [
    `${UNTOLD} VALUES (?1, ?2, 0, 0, 0, 0, 0, '', ?3)
     ON CONFLICT ("partition") DO UPDATE SET claim = excluded.claim, failing = ''`,
    ...[partition, now, claim],
  ]);
}

/** The highest position that rollups of a partition were written at; 0 where there are none in rows. */
export async function lastVersion(db: Ledger, partition: string): Promise<number> {
  const [row] = await select<{ readonly last: number | null }>(db, [
    `SELECT max(last) AS last FROM (SELECT max(version) AS last FROM hourly WHERE "partition" = ?1
       UNION ALL SELECT max(version) FROM daily WHERE "partition" = ?1)`,
    partition,
  ]);
  return row?.last ?? 0;
}

/**
 * Deletes the rollups of a partition's open Days, which it has and publishes anew: they may count events that were in
 * the log of its lost storage alone.
 */
export async function deleteOpen(db: Ledger, partition: string, openFrom: number): Promise<void> {
  const text = (table: string) => `DELETE FROM ${table} WHERE "partition" = ? AND day >= ?`;
  await db.batch(["hourly", "daily"].map((table) => db.prepare(text(table)).bind(partition, openFrom)));
}

/** An erasure that a partition has carried out, and that is not done. */
export interface ToldErasure extends CarriedOut {
  /** Events below this position of its log are meant. */
  readonly before: number;
}

/** Whatever anybody wanted erased of some merchants, done or not. */
export async function listErased(db: Ledger, merchants: readonly number[]): Promise<readonly CarriedOut[]> {
  const text = `SELECT merchant, visitor, from_day AS fromDay, to_day AS toDay, created_at AS createdAt FROM erasures
    WHERE merchant IN (SELECT value FROM json_each(?)) ORDER BY number`;
  return select(db, [text, JSON.stringify(merchants)]);
}

/** Those of a partition. */
export async function listTold(db: Ledger, partition: string): Promise<readonly ToldErasure[]> {
  const text = `SELECT e.merchant, e.visitor, e.from_day AS fromDay, e.to_day AS toDay, e.created_at AS createdAt,
      CASE e.kind WHEN 'merchant' THEN 9e15 ELSE max(p.told) END AS before
    FROM erasures AS e JOIN erasure_parts AS p ON p.erasure = e.number
    WHERE e.state = 'running' AND p."partition" = ? AND p.told > 0 GROUP BY e.number ORDER BY e.number`;
  return select(db, [text, partition]);
}
