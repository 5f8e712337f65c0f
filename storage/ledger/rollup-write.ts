// Rollups as partitions write them to D1: closed Hours and Days as absolute values. A write carries the log position it
// was made at as its version and never replaces a later one, so it may be repeated, and may arrive late. Plain SQL from
// the lists the schema is made of: the partition is part of the collector's script, which stays small without an ORM.

import { DIMENSIONS } from "../../core/counting/dimension.ts";
import { COUNTERS } from "../../core/counting/rollup.ts";
import type { RollupRow } from "../../core/counting/rollup-row.ts";
import { toMoneyText } from "../../core/counting/takings.ts";
import { COUNT_MAX, D1_PARAMETERS_MAX } from "../../core/limits.ts";
import { assert } from "../../core/outcome.ts";
import type { Ledger } from "./ledgers.ts";
import { IS_ROW_PACKED } from "./packed.ts";

/** The columns that name a rollup, and those that a newer one replaces, in the order of `rollupValues`. */
export const ROLLUP_KEY = ["merchant", "bucket", "partition"];
export const ROLLUP_REPLACED = [
  "day",
  "version",
  ...COUNTERS,
  "money",
  "drops",
  "sketch",
  "presence",
  ...DIMENSIONS.map(({ name }) => `by_${name}`),
];

/** What an upsert sets. */
export const ROLLUP_SET = ROLLUP_REPLACED.map((column) => `"${column}" = excluded."${column}"`).join(", ");

const UPSERT = { hour: upsertInto("hourly"), day: upsertInto("daily") };

/**
 * Writes rollups in one transaction. Running it again, whole or in part, is harmless: values are absolute, and where
 * the stored version is higher the row is left alone. Of a merchant that has ended nothing is written, and nothing of a
 * Day that is packed: it was complete by then, so what comes is what came before.
 */
export async function writeRollups(db: Ledger, rows: readonly RollupRow[]): Promise<void> {
  if (rows.length === 0) return;
  await db.batch(rows.map((row) => db.prepare(UPSERT[row.grain]).bind(...rollupValues(row))));
}

function upsertInto(table: "hourly" | "daily"): string {
  const columns = [...ROLLUP_KEY, ...ROLLUP_REPLACED];
  assert(columns.length <= D1_PARAMETERS_MAX, "a rollup fits one statement");
  const quoted = columns.map((column) => `"${column}"`).join(", ");
  const marks = columns.map(() => "?").join(", ");
  return `INSERT INTO ${table} (${quoted}) SELECT ${marks}
    WHERE NOT EXISTS (SELECT 1 FROM settings_fences WHERE merchant = ?1 AND ended = 1) AND NOT ${IS_ROW_PACKED}
    ON CONFLICT (${ROLLUP_KEY.join(", ")}) DO UPDATE SET ${ROLLUP_SET} WHERE excluded.version >= ${table}.version`;
}

/** A row's values in the order of `ROLLUP_KEY` and `ROLLUP_REPLACED`. */
export function rollupValues(row: RollupRow): readonly (string | number | ArrayBuffer | null)[] {
  return [
    row.merchant,
    row.bucket,
    row.partition,
    row.day,
    row.version,
    ...COUNTERS.map((counter) => Math.max(-COUNT_MAX, Math.min(COUNT_MAX, row.counts[counter]))),
    toMoneyText(row.counts.money),
    JSON.stringify(row.drops),
    bytesOf(row.sketch),
    bytesOf(row.presence),
    ...DIMENSIONS.map(({ name }) => bytesOf(row.breakdowns[name])),
  ];
}

/** D1 takes an ArrayBuffer of exactly the bytes. */
function bytesOf(bytes: Uint8Array | undefined): ArrayBuffer | null {
  return bytes === undefined ? null : (bytes.slice().buffer as ArrayBuffer);
}
