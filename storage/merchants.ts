// Merchants and their streams in D1: made and changed by the admin API, read by partitions (settings) and by questions
// (who owns this hostname). API keys are in `api-keys.ts`. A change of settings raises the merchant's version and only
// succeeds on the version that was read, so that two changes at once cannot undo each other. These requests are few, so
// the meter counts rows and leaves out the index entries beside them.

import { and, asc, count, eq, gt, inArray, max, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { Settings, ZonePeriod } from "../core/merchant.ts";
import type { Metered } from "../core/meter.ts";
import { shownZones } from "../core/past-zone.ts";
import { STREAM_NUMBER_MAX } from "../core/tracking-id.ts";
import { hashKey, hintOf } from "./credential.ts";
import { apiKeys, merchants, streams } from "./schema.ts";

export type Merchant = typeof merchants.$inferSelect;
export type Stream = typeof streams.$inferSelect;

export interface NewMerchant {
  readonly id: string;
  readonly name: string;
  readonly zones: readonly ZonePeriod[];
  readonly currency: string;
  /** Of its first stream, named as the merchant is. */
  readonly hostname: string | undefined;
  /** Its first API key: the key itself is only hashed here. */
  readonly key: { readonly id: string; readonly secret: string };
  /** UTC ms. */
  readonly now: number;
}

/** Creates a merchant with stream 1 and one key, all or nothing. "taken" when another merchant has the hostname. */
export async function createMerchant(
  db: D1Database,
  { hostname, key, now, ...columns }: NewMerchant,
  meter: Metered,
): Promise<Merchant | "taken"> {
  const orm = drizzle(db);
  // The number is only known once the row is there; a batch is one transaction, so the others can look it up.
  const number = sql<number>`(select ${merchants.number} from ${merchants} where ${merchants.id} = ${columns.id})`;
  const secret = { hash: hashKey(key.secret), hint: hintOf(key.secret) };
  const made = await orNameTaken(() =>
    orm.batch([
      orm
        .insert(merchants)
        .values({ ...columns, rules: [], version: 1, createdAt: now })
        .returning(),
      orm
        .insert(streams)
        .values({ merchant: number, number: 1, name: columns.name, hostname: hostname ?? null, createdAt: now }),
      orm.insert(apiKeys).values({
        id: key.id,
        merchant: number,
        name: "first key",
        ...secret,
        createdAt: now,
        expiresAt: null,
        scope: "read",
      }),
    ]),
  );
  if (made === "taken") return made;
  meter.d1_rows_written += 3;
  return made[0][0] as Merchant;
}

/** A page of merchants in the order they were made, after the merchant of number `after`. */
export async function listMerchants(
  db: D1Database,
  { after, rowsMax }: { after: number; rowsMax: number },
  meter: Metered,
): Promise<readonly Merchant[]> {
  const query = drizzle(db).select().from(merchants).where(gt(merchants.number, after));
  const rows = await query.orderBy(asc(merchants.number)).limit(rowsMax);
  meter.d1_rows_read += rows.length;
  return rows;
}

export async function findMerchant(db: D1Database, id: string, meter: Metered): Promise<Merchant | undefined> {
  const [merchant] = await drizzle(db).select().from(merchants).where(eq(merchants.id, id));
  meter.d1_rows_read += 1;
  return merchant;
}

/** The numbers of merchants by their ids; those that do not exist are left out. A statement's worth of them. */
export async function findMerchantNumbers(
  db: D1Database,
  ids: readonly string[],
  meter: Metered,
): Promise<readonly number[]> {
  const where = inArray(merchants.id, [...ids]);
  const rows = await drizzle(db).select({ number: merchants.number }).from(merchants).where(where);
  meter.d1_rows_read += rows.length;
  return rows.map(({ number }) => number);
}

/** The ids of merchants by their numbers. A statement's worth of them. */
export async function findMerchantIds(
  db: D1Database,
  numbers: readonly number[],
  meter: Metered,
): Promise<ReadonlyMap<number, string>> {
  const where = inArray(merchants.number, [...numbers]);
  const rows = await drizzle(db).select({ number: merchants.number, id: merchants.id }).from(merchants).where(where);
  meter.d1_rows_read += rows.length;
  return new Map(rows.map(({ number, id }) => [number, id]));
}

export type MerchantChange = Partial<
  Pick<Merchant, "name" | "zones" | "currency" | "currencies" | "retentionDays" | "spread">
>;

/** Changes a merchant that still is as it was read; "stale" when somebody else changed it meanwhile. */
export async function updateMerchant(
  db: D1Database,
  { merchant, change }: { merchant: Merchant; change: MerchantChange },
  meter: Metered,
): Promise<Merchant | "stale"> {
  const [changed] = await drizzle(db)
    .update(merchants)
    .set({ ...change, version: merchant.version + 1 })
    .where(and(eq(merchants.number, merchant.number), eq(merchants.version, merchant.version)))
    .returning();
  meter.d1_rows_written += 1;
  return changed ?? "stale";
}

/** Adds a stream under the next free number. */
export async function createStream(
  db: D1Database,
  stream: Omit<Stream, "number">,
  meter: Metered,
): Promise<Stream | "taken" | "full"> {
  const orm = drizzle(db);
  const ofMerchant = eq(streams.merchant, stream.merchant);
  const [last] = await orm
    .select({ number: max(streams.number) })
    .from(streams)
    .where(ofMerchant);
  meter.d1_rows_read += 1;
  if ((last?.number ?? 0) >= STREAM_NUMBER_MAX) return "full";
  // Numbered in the statement itself: two at once get two numbers.
  const number = sql<number>`(select coalesce(max(${streams.number}), 0) + 1 from ${streams} where ${ofMerchant})`;
  const made = await orNameTaken(() =>
    orm
      .insert(streams)
      .values({ ...stream, number })
      .returning(),
  );
  if (made === "taken") return made;
  meter.d1_rows_written += 1;
  return made[0] as Stream;
}

/** A page of a merchant's streams by number. */
export async function listStreams(
  db: D1Database,
  { merchant, after, rowsMax }: { merchant: number; after: number; rowsMax: number },
  meter: Metered,
): Promise<readonly Stream[]> {
  const where = and(eq(streams.merchant, merchant), gt(streams.number, after));
  const rows = await drizzle(db).select().from(streams).where(where).orderBy(asc(streams.number)).limit(rowsMax);
  meter.d1_rows_read += rows.length;
  return rows;
}

/** Whether a hostname is one of this merchant's. Nobody else's answer looks different from nobody's (L6). */
export async function ownsHostname(
  db: D1Database,
  { merchant, hostname }: { merchant: number; hostname: string },
  meter: Metered,
): Promise<boolean> {
  const where = and(eq(streams.merchant, merchant), eq(streams.hostname, hostname));
  const [found] = await drizzle(db).select({ owned: count() }).from(streams).where(where);
  meter.d1_rows_read += 1;
  return (found?.owned ?? 0) > 0;
}

/** The hostname is the one unique name a caller chooses; ids and hashes are random. */
async function orNameTaken<T>(write: () => Promise<T>): Promise<T | "taken"> {
  try {
    return await write();
  } catch (error) {
    const text = `${String(error)} ${error instanceof Error ? String(error.cause) : ""}`;
    if (text.includes("UNIQUE constraint failed: streams.hostname")) return "taken";
    throw error;
  }
}

/** What counting needs to know of a merchant. */
export function settingsOf({ number, version, zones, pastZones, currency, currencies, rules }: Merchant): Settings {
  const own = { currency, ...(currencies.length > 0 && { currencies }) };
  return { merchant: number, version, zones, ...(pastZones.length > 0 && { past: pastZones }), ...own, rules };
}

/** The zones by which a merchant's Days and Hours are shown. */
export function zonesOf({ zones, pastZones }: Pick<Merchant, "zones" | "pastZones">): readonly ZonePeriod[] {
  return shownZones({ zones, past: pastZones });
}
