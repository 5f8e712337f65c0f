// Exchange rates in D1. The deployment's rates have a row for each Day with any; beside them are those that merchants
// decided. The deployment and each merchant have a version that grows with every change, so that whoever remembers
// rates (rate-memory.ts) knows when they are out of date. Plain SQL: rates are written many Days at a time, as one
// parameter of JSON.

import { OWN_RATES_MAX, RATE_DAYS_WRITTEN } from "../../core/limits.ts";
import type { OwnRate, PublishedRates } from "../../core/rate.ts";
import type { OwnChange, PublishedChange } from "../../core/rate-parser.ts";
import { GLOBAL_MERCHANT } from "../../core/rules.ts";
import { select } from "../statement.ts";
import type { Directory } from "./directory.ts";

/** For how many Days rates were added, changed, or found to be the same. */
export interface Imported {
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
}

/**
 * Adds rates to those of their Days, and replaces those of the same Day and currency. The same call again changes
 * nothing.
 */
export async function writeRates(db: Directory, days: readonly PublishedChange[]): Promise<Imported> {
  let [added, changed] = [0, 0];
  for (let start = 0; start < days.length; start += RATE_DAYS_WRITTEN) {
    const rows = JSON.stringify(days.slice(start, start + RATE_DAYS_WRITTEN).map(({ day, perEuro }) => [day, perEuro]));
    const results = await db.batch([
      db
        .prepare(
          `UPDATE rates SET per_euro = ${PATCHED} FROM json_each(?) AS given
           WHERE day = given.value ->> 0 AND per_euro <> ${PATCHED} RETURNING day`,
        )
        .bind(rows),
      db
        .prepare(
          `INSERT INTO rates (day, per_euro) SELECT given.value ->> 0, ${FRESH} FROM json_each(?) AS given
           WHERE ${FRESH} <> '{}' AND NOT EXISTS (SELECT 1 FROM rates WHERE day = given.value ->> 0)
           RETURNING day`,
        )
        .bind(rows),
      // A Day whose rates were all removed has no row.
      db
        .prepare("DELETE FROM rates WHERE per_euro = '{}' AND day IN (SELECT value ->> 0 FROM json_each(?))")
        .bind(rows),
      raiseVersion(db, GLOBAL_MERCHANT),
    ]);
    // What D1 says was changed has the rows that triggers wrote.
    changed += results[0]?.results.length ?? 0;
    added += results[1]?.results.length ?? 0;
  }
  return { added, changed, unchanged: days.length - added - changed };
}

/**
 * A Day's rates with the given ones put over them (PATCHED), and the given ones alone (FRESH). A null removes a rate.
 */
const PATCHED = "json_patch(rates.per_euro, given.value -> 1)";
const FRESH = "json_patch('{}', given.value -> 1)";

/** Rates of the Days before `before`, the newest first. */
export async function listRates(
  db: Directory,
  { before, rowsMax }: { readonly before: number; readonly rowsMax: number },
): Promise<readonly PublishedRates[]> {
  const text = "SELECT day, per_euro FROM rates WHERE day < ? ORDER BY day DESC LIMIT ?";
  return (await select<StoredRates>(db, [text, before, rowsMax])).map(toRates);
}

/** Rates of the Days in [from, to), ascending. */
export async function readRates(
  db: Directory,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<readonly PublishedRates[]> {
  const text = "SELECT day, per_euro FROM rates WHERE day >= ? AND day < ? ORDER BY day";
  return (await select<StoredRates>(db, [text, from, to])).map(toRates);
}

interface StoredRates {
  readonly day: number;
  readonly per_euro: string;
}

function toRates({ day, per_euro }: StoredRates): PublishedRates {
  return { day, perEuro: JSON.parse(per_euro) as PublishedRates["perEuro"] };
}

export interface RateVersions {
  /** The version of the deployment's rates; 0 before the first. */
  readonly published: number;
  /** The version of the merchant's own rates; 0 where it has none. */
  readonly own: number;
}

export async function readRateVersions(db: Directory, merchant: number): Promise<RateVersions> {
  const text = "SELECT merchant, version FROM rate_versions WHERE merchant IN (?, ?)";
  const rows = await select<{ merchant: number; version: number }>(db, [text, GLOBAL_MERCHANT, merchant]);
  const versionOf = (number: number) => rows.find((row) => row.merchant === number)?.version ?? 0;
  return { published: versionOf(GLOBAL_MERCHANT), own: versionOf(merchant) };
}

/** When the cron has last fetched the deployment's rates, UTC ms; null while it never has. */
export async function readFetchedAt(db: Directory): Promise<number | null> {
  const text = "SELECT fetched_at FROM rate_versions WHERE merchant = ?";
  const [row] = await select<{ fetched_at: number | null }>(db, [text, GLOBAL_MERCHANT]);
  return row?.fetched_at ?? null;
}

export async function noteFetched(db: Directory, now: number): Promise<void> {
  const text = `INSERT INTO rate_versions (merchant, version, fetched_at) VALUES (?1, 0, ?2)
    ON CONFLICT (merchant) DO UPDATE SET fetched_at = ?2`;
  await select(db, [text, GLOBAL_MERCHANT, now]);
}

const OWN_COLUMNS = 'own_rates.currency, own_rates."in", own_rates.rate, own_rates.from_day AS "from"';

/** All of a merchant's own rates. */
export async function readOwnRates(db: Directory, merchant: number): Promise<readonly OwnRate[]> {
  return await select<OwnRate>(db, [`SELECT ${OWN_COLUMNS} FROM own_rates WHERE merchant = ?`, merchant]);
}

/** A page of them, the newest first. */
export async function listOwnRates(
  db: Directory,
  { merchant, after, rowsMax }: { readonly merchant: number; readonly after: number; readonly rowsMax: number },
): Promise<readonly OwnRate[]> {
  const text = `SELECT ${OWN_COLUMNS} FROM own_rates WHERE merchant = ?
    ORDER BY from_day DESC, currency, "in" LIMIT ? OFFSET ?`;
  return await select<OwnRate>(db, [text, merchant, rowsMax, after]);
}

/** The merchant's own rates that stand where changes would put theirs: of the same two currencies and the same first
 *  Day. */
export async function findReplaced(
  db: Directory,
  { merchant, changes }: { readonly merchant: number; readonly changes: readonly OwnChange[] },
): Promise<readonly OwnRate[]> {
  const text = `SELECT ${OWN_COLUMNS} FROM json_each(?2) AS given JOIN own_rates ON merchant = ?1 AND ${IS_REPLACED}`;
  return await select<OwnRate>(db, [text, merchant, toJson(changes)]);
}

/** Changes a merchant's own rates; "full" when there would be more than it may have. Doing it twice changes nothing
 *  more. */
export async function writeOwnRates(
  db: Directory,
  { merchant, changes }: { readonly merchant: number; readonly changes: readonly OwnChange[] },
): Promise<"done" | "full"> {
  const [counted] = await select<{ rows: number }>(db, [
    "SELECT count(*) AS rows FROM own_rates WHERE merchant = ?",
    merchant,
  ]);
  const added = changes.filter(({ rate }) => rate !== null);
  if (added.length > 0 && (counted?.rows ?? 0) + added.length > OWN_RATES_MAX) return "full";
  await db.batch([
    db
      .prepare(
        `DELETE FROM own_rates WHERE merchant = ?1 AND EXISTS (SELECT 1 FROM json_each(?2) AS given WHERE ${IS_REPLACED})`,
      )
      .bind(merchant, toJson(changes)),
    db
      .prepare(
        `INSERT INTO own_rates (merchant, currency, "in", from_day, rate)
         SELECT ?1, value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?2)`,
      )
      .bind(merchant, toJson(added)),
    raiseVersion(db, merchant),
  ]);
  return "done";
}

/** Whether a row is of the currencies and the Day of a change, whichever currency is named first. */
const IS_REPLACED = `own_rates.from_day = given.value ->> 2 AND (
  (own_rates.currency = given.value ->> 0 AND own_rates."in" = given.value ->> 1) OR
  (own_rates.currency = given.value ->> 1 AND own_rates."in" = given.value ->> 0))`;

function toJson(changes: readonly OwnChange[]): string {
  return JSON.stringify(changes.map((change) => [change.currency, change.in, change.from, change.rate]));
}

function raiseVersion(db: Directory, merchant: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO rate_versions (merchant, version) VALUES (?, 1)
       ON CONFLICT (merchant) DO UPDATE SET version = version + 1`,
    )
    .bind(merchant);
}
