// Rules in D1: the timeline of a scope lies with its merchant's settings (the deployment's with the row of
// GLOBAL_MERCHANT), so that a partition reads all in one row; beside it every version that was ever decided, with its
// note. A change only succeeds on the settings that were read: both writes look for them, in one transaction.

import { and, desc, eq, lt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { PastZone } from "../../core/merchant.ts";
import type { Rules, RuleTimeline } from "../../core/rules.ts";
import type { Ledgers } from "../ledger/ledgers.ts";
import { fenceSettings } from "../ledger/settings-fence.ts";
import type { Directory } from "./directory.ts";
import type { Merchant } from "./merchants.ts";
import { merchants, ruleVersions } from "./schema.ts";

export type RuleVersion = typeof ruleVersions.$inferSelect;

export interface NewRuleVersion {
  readonly version: number;
  readonly rules: Rules;
  readonly note: string;
  /** UTC ms. */
  readonly now: number;
}

/**
 * Puts a timeline in the place of the one that was read, and keeps the version it is extended by, where there is a new
 * one. "stale" when the settings were changed meanwhile.
 */
export async function writeTimeline(
  { directory: db, ledgers }: { readonly directory: Directory; readonly ledgers: Ledgers },
  {
    merchant,
    timeline,
    added,
  }: { readonly merchant: Merchant; readonly timeline: RuleTimeline; readonly added?: NewRuleVersion },
): Promise<Merchant | "stale"> {
  const { number, version } = merchant;
  await fenceSettings(ledgers, [{ scope: number, version: version + 1 }]);
  const update = db
    .prepare("UPDATE merchants SET rules = ?, version = version + 1 WHERE number = ? AND version = ? RETURNING number")
    .bind(JSON.stringify(timeline), number, version);
  const results = await db.batch(added === undefined ? [update] : [keepVersion(db, merchant, added), update]);
  const isStale = results.at(-1)?.results.length === 0;
  return isStale ? "stale" : { ...merchant, rules: timeline, version: version + 1 };
}

/** Timelines that a replay job extends or takes back, and the version of the settings it was read with. */
export interface TimelineChange {
  /** Number of a merchant, or GLOBAL_MERCHANT. */
  readonly scope: number;
  readonly version: number;
  readonly timeline: RuleTimeline;
  /** The zones of the past, changed or as they were read. */
  readonly past: readonly PastZone[];
}

/** What `ARE_UNCHANGED` is bound to. */
export function seenVersions(changes: readonly TimelineChange[]): string {
  return JSON.stringify(changes.map(({ scope, version }) => [scope, version]));
}

/** Whether all settings still have the versions of `seenVersions`, a parameter such as "?8". */
export function areUnchanged(seen: string): string {
  return `(SELECT count(*) FROM merchants, json_each(${seen}) AS seen
    WHERE number = seen.value ->> 0 AND version = seen.value ->> 1) = json_array_length(${seen})`;
}

/**
 * A statement for a transaction that has made sure of the versions: it changes nothing unless the job's row is as
 * `where` says.
 */
export function putTimeline(
  db: Directory,
  { scope, version, timeline, past }: TimelineChange,
  { job, where }: { job: string; where: string },
): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE merchants SET rules = ?, past_zones = ?, version = version + 1 WHERE number = ? AND version = ?
       AND EXISTS (SELECT 1 FROM replay_jobs WHERE id = ? AND ${where})`,
    )
    .bind(JSON.stringify(timeline), JSON.stringify(past), scope, version, job);
}

/**
 * Puts a timeline in the place of the one that was read, while a job runs. False when the settings were changed
 * meanwhile.
 */
export async function settleTimeline(
  { directory: db, ledgers }: { readonly directory: Directory; readonly ledgers: Ledgers },
  { scope, version, timeline, job }: Pick<TimelineChange, "scope" | "version" | "timeline"> & { readonly job: string },
): Promise<boolean> {
  await fenceSettings(ledgers, [{ scope, version: version + 1 }]);
  const text = `UPDATE merchants SET rules = ?, version = version + 1 WHERE number = ? AND version = ?
    AND EXISTS (SELECT 1 FROM replay_jobs WHERE id = ? AND state = 'running') RETURNING number`;
  const { results } = await db.prepare(text).bind(JSON.stringify(timeline), scope, version, job).all();
  return results.length > 0;
}

/** A page of a scope's versions, the newest first, below the version `before`. Without the rules themselves. */
export async function listRuleVersions(
  db: Directory,
  { merchant, before, rowsMax }: { merchant: number; before: number; rowsMax: number },
): Promise<readonly Omit<RuleVersion, "rules" | "merchant">[]> {
  const { version, note, createdAt } = ruleVersions;
  const where = and(eq(ruleVersions.merchant, merchant), lt(version, before));
  const query = drizzle(db).select({ version, note, createdAt }).from(ruleVersions).where(where);
  const rows = await query.orderBy(desc(version)).limit(rowsMax);
  return rows;
}

export async function findRuleVersion(
  db: Directory,
  { merchant, version }: { merchant: number; version: number },
): Promise<RuleVersion | undefined> {
  const where = and(eq(ruleVersions.merchant, merchant), eq(ruleVersions.version, version));
  const [found] = await drizzle(db).select().from(ruleVersions).where(where);
  return found;
}

/** A merchant, or the deployment, by its number. */
export async function findScope(db: Directory, number: number): Promise<Merchant | undefined> {
  const [found] = await drizzle(db).select().from(merchants).where(eq(merchants.number, number));
  return found;
}

function keepVersion(db: Directory, merchant: Merchant, added: NewRuleVersion): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO rule_versions (merchant, version, rules, note, created_at)
       SELECT number, ?, ?, ?, ? FROM merchants WHERE number = ? AND version = ?`,
    )
    .bind(added.version, JSON.stringify(added.rules), added.note, added.now, merchant.number, merchant.version);
}
