// A merchant's settings as its partitions read them from D1: one row by primary key, when a merchant is first seen and
// then every few minutes. Plain SQL for the same reason as rollup-write.ts.

import type { Rules, Settings, ZonePeriod } from "../core/merchant.ts";
import type { Metered } from "../core/meter.ts";

interface StoredSettings {
  readonly version: number;
  readonly zones: string;
  readonly currency: string;
  readonly rules: string;
}

/** Settings by merchant number; undefined when there is no such merchant. */
export async function readSettings(db: D1Database, merchant: number, meter: Metered): Promise<Settings | undefined> {
  const statement = db.prepare("SELECT version, zones, currency, rules FROM merchants WHERE number = ?").bind(merchant);
  const { results, meta } = await statement.all<StoredSettings>();
  meter.d1_rows_read += meta.rows_read;
  const [row] = results;
  if (row === undefined) return undefined;
  const { version, currency } = row;
  const zones = JSON.parse(row.zones) as readonly ZonePeriod[];
  return { merchant, version, zones, currency, rules: JSON.parse(row.rules) as Rules };
}
