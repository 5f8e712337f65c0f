// Reads merchants' settings from D1. A partition reads them by primary key when it first sees a merchant, and asks once
// a minute whose were changed. A replay reads those of several merchants at a time. It is plain SQL, for the same
// reason as in rollup-write.ts.

import type { Spread } from "../../core/counting/placement.ts";
import { SETTINGS_CHANGES_PAGE } from "../../core/limits.ts";
import type {
  CurrencyTimeline,
  PastZone,
  Settings,
  SettingsChanges,
  SpreadTimeline,
  ZonePeriod,
} from "../../core/merchant.ts";
import type { RuleTimeline } from "../../core/rules.ts";
import { select } from "../statement.ts";
import type { Directory } from "./directory.ts";

interface StoredSettings {
  readonly version: number;
  readonly zones: string;
  readonly currency: string;
  readonly currencies: string;
  readonly rules: string;
  readonly retention_days: number | null;
  readonly spread: string;
  readonly past_zones: string;
}

const COLUMNS = "version, zones, currency, currencies, rules, retention_days, spread, past_zones";

/** Settings by merchant number; undefined when there is no such merchant. */
export async function readSettings(db: Directory, merchant: number): Promise<Settings | undefined> {
  const statement = db.prepare(`SELECT ${COLUMNS} FROM merchants WHERE number = ?`).bind(merchant);
  const { results } = await statement.all<StoredSettings>();
  const [row] = results;
  return row && toSettings(merchant, row);
}

/** Settings of some merchants; those that do not exist are left out. */
export async function readSettingsOf(db: Directory, merchants: readonly number[]): Promise<readonly Settings[]> {
  const statement = db
    .prepare(`SELECT number, ${COLUMNS} FROM merchants WHERE number IN (SELECT value FROM json_each(?))`)
    .bind(JSON.stringify(merchants));
  const { results } = await statement.all<StoredSettings & { readonly number: number }>();
  return results.map((row) => toSettings(row.number, row));
}

/**
 * Whose settings were changed after the change `since`, and which change was the last of all. Where the last one is
 * before `since`, the database was restored. It takes one statement, and another one for each further
 * SETTINGS_CHANGES_PAGE changes.
 */
export async function readChanges(db: Directory, since: number | undefined): Promise<SettingsChanges> {
  const text = `SELECT last, change, merchant
    FROM (SELECT coalesce(max(change), 0) AS last FROM settings_changes) LEFT JOIN settings_changes ON change > ?1
    ORDER BY change LIMIT ${SETTINGS_CHANGES_PAGE}`;
  const merchants: number[] = [];
  for (let after = since ?? Number.MAX_SAFE_INTEGER; ; ) {
    const rows = await select<ChangeRow>(db, [text, after]);
    for (const { merchant } of rows) if (merchant !== null) merchants.push(merchant);
    const { last = 0, change = null } = rows.at(-1) ?? {};
    if (change === null || rows.length < SETTINGS_CHANGES_PAGE) return { last, merchants };
    after = change;
  }
}

/** `change` and `merchant` are null in the one row that says that nothing was changed. */
interface ChangeRow {
  readonly last: number;
  readonly change: number | null;
  readonly merchant: number | null;
}

/** Stores how a merchant is spread from the next version of its settings on; false when they were changed meanwhile. */
export async function writeSpread(db: Directory, { merchant, version, spread = [] }: Settings): Promise<boolean> {
  const { meta } = await db
    .prepare("UPDATE merchants SET spread = ?, version = version + 1 WHERE number = ? AND version = ?")
    .bind(JSON.stringify(spread), merchant, version)
    .run();
  return meta.changes > 0;
}

/** Merchants that are spread over partitions of their own, were so, or will be. */
export async function listSpread(db: Directory): Promise<readonly Spread[]> {
  const statement = db.prepare("SELECT number, spread FROM merchants WHERE spread != '[]' ORDER BY number");
  const { results } = await statement.all<{ readonly number: number; readonly spread: string }>();
  return results.map(({ number, spread }) => ({ merchant: number, spread: JSON.parse(spread) as SpreadTimeline }));
}

/** Settings of the merchants that have zones of the past. */
export async function readMoved(db: Directory): Promise<readonly Settings[]> {
  const statement = db.prepare(`SELECT number, ${COLUMNS} FROM merchants WHERE past_zones <> '[]'`);
  const { results } = await statement.all<StoredSettings & { readonly number: number }>();
  return results.map((row) => toSettings(row.number, row));
}

function toSettings(
  merchant: number,
  { version, zones, currency, currencies, rules, retention_days, spread, past_zones }: StoredSettings,
): Settings {
  const periods = JSON.parse(spread) as SpreadTimeline;
  const past = JSON.parse(past_zones) as readonly PastZone[];
  const changed = JSON.parse(currencies) as CurrencyTimeline;
  return {
    merchant,
    version,
    zones: JSON.parse(zones) as readonly ZonePeriod[],
    currency,
    ...(changed.length > 0 && { currencies: changed }),
    rules: JSON.parse(rules) as RuleTimeline,
    ...(retention_days !== null && { retentionDays: retention_days }),
    ...(periods.length > 0 && { spread: periods }),
    ...(past.length > 0 && { past }),
  };
}
