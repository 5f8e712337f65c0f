// Merchants in D1: made and changed by the admin API, read by partitions (settings) and by questions. Their streams are
// in `streams.ts`, API keys in `api-keys.ts`. A change of settings raises the merchant's version and only succeeds on
// the version that was read, so that two changes at once cannot undo each other.

import { and, asc, eq, gt, inArray } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { Settings, ZonePeriod } from "../../core/merchant.ts";
import { shownZones } from "../../core/past-zone.ts";
import type { Ledgers } from "../ledger/ledgers.ts";
import { fenceSettings } from "../ledger/settings-fence.ts";
import { select } from "../statement.ts";
import { hashKey, hintOf } from "./credential.ts";
import type { Directory } from "./directory.ts";
import { apiKeys, merchants, streams } from "./schema.ts";
import { orTaken, type Taken } from "./streams.ts";

export type Merchant = typeof merchants.$inferSelect;

export interface NewMerchant {
  /** Claimed (number-claim.ts). */
  readonly number: number;
  readonly id: string;
  readonly name: string;
  readonly zones: readonly ZonePeriod[];
  readonly currency: string;
  /** Of its first stream, named as the merchant is. It needs no proof, since only the deployment makes merchants. */
  readonly hostname: string | undefined;
  /** Its first API key: the key itself is only hashed here. */
  readonly key: { readonly id: string; readonly secret: string };
  /** UTC ms. */
  readonly now: number;
}

/** Creates a merchant with stream 1 and one key, all or nothing. "taken" when the hostname is proven for another. */
export async function createMerchant(
  db: Directory,
  { hostname, key, now, ...columns }: NewMerchant,
): Promise<Merchant | Taken> {
  const orm = drizzle(db);
  const { number } = columns;
  const secret = { hash: hashKey(key.secret), hint: hintOf(key.secret) };
  const made = await orTaken(() =>
    orm.batch([
      orm
        .insert(merchants)
        .values({ ...columns, rules: [], version: 1, createdAt: now })
        .returning(),
      orm.insert(streams).values({
        merchant: number,
        number: 1,
        name: columns.name,
        hostname: hostname ?? null,
        createdAt: now,
        hostnameProof: hostname === undefined ? null : "given",
      }),
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
  return made[0][0] as Merchant;
}

/** The highest number that D1 knows to have been given to a merchant, gone ones included; 0 for none. */
export async function lastMerchantNumber(db: Directory): Promise<number> {
  const text = "SELECT seq FROM sqlite_sequence WHERE name = 'merchants'";
  const [last] = await select<{ readonly seq: number }>(db, [text]);
  return last?.seq ?? 0;
}

/** A page of merchants in the order they were made, after the merchant of number `after`. */
export async function listMerchants(
  db: Directory,
  { after, rowsMax }: { after: number; rowsMax: number },
): Promise<readonly Merchant[]> {
  const query = drizzle(db).select().from(merchants).where(gt(merchants.number, after));
  const rows = await query.orderBy(asc(merchants.number)).limit(rowsMax);
  return rows;
}

export async function findMerchant(db: Directory, id: string): Promise<Merchant | undefined> {
  const [merchant] = await drizzle(db).select().from(merchants).where(eq(merchants.id, id));
  return merchant;
}

export async function findMerchantByNumber(db: Directory, number: number): Promise<Merchant | undefined> {
  const [merchant] = await drizzle(db).select().from(merchants).where(eq(merchants.number, number));
  return merchant;
}

/** The numbers of merchants by their ids; those that do not exist are left out. A statement's worth of them. */
export async function findMerchantNumbers(db: Directory, ids: readonly string[]): Promise<readonly number[]> {
  const where = inArray(merchants.id, [...ids]);
  const rows = await drizzle(db).select({ number: merchants.number }).from(merchants).where(where);
  return rows.map(({ number }) => number);
}

/** The ids of merchants by their numbers. A statement's worth of them. */
export async function findMerchantIds(db: Directory, numbers: readonly number[]): Promise<ReadonlyMap<number, string>> {
  const where = inArray(merchants.number, [...numbers]);
  const rows = await drizzle(db).select({ number: merchants.number, id: merchants.id }).from(merchants).where(where);
  return new Map(rows.map(({ number, id }) => [number, id]));
}

export type MerchantChange = Partial<
  Pick<Merchant, "name" | "zones" | "currency" | "currencies" | "retentionDays" | "spread">
>;

/** What numbers depend on: where it changes, the merchant's ledger hears of it first (settings-fence.ts). */
const COUNTED_BY = [
  "zones",
  "currency",
  "currencies",
  "retentionDays",
] as const satisfies readonly (keyof MerchantChange)[];

/** Changes a merchant that still is as it was read; "stale" when somebody else changed it meanwhile. */
export async function updateMerchant(
  { directory, ledgers }: { readonly directory: Directory; readonly ledgers: Ledgers },
  { merchant, change }: { merchant: Merchant; change: MerchantChange },
): Promise<Merchant | "stale"> {
  if (COUNTED_BY.some((name) => change[name] !== undefined))
    await fenceSettings(ledgers, [{ scope: merchant.number, version: merchant.version + 1 }]);
  const [changed] = await drizzle(directory)
    .update(merchants)
    .set({ ...change, version: merchant.version + 1 })
    .where(and(eq(merchants.number, merchant.number), eq(merchants.version, merchant.version)))
    .returning();
  return changed ?? "stale";
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
