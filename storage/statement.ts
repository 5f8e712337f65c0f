// One statement of plain SQL against D1, with its account: what it read and wrote is billed, and counted here once.

import type { Metered } from "../core/meter.ts";

/** A statement and its parameters, in order. */
export type Bound = readonly [text: string, ...values: (string | number | null)[]];

/** The rows a statement gives; none for one that only writes. */
export async function select<Row>(db: D1Database, [text, ...values]: Bound, meter: Metered): Promise<readonly Row[]> {
  const { results, meta } = await db
    .prepare(text)
    .bind(...values)
    .all<Row>();
  meter.d1_rows_read += meta.rows_read;
  meter.d1_rows_written += meta.rows_written;
  return results;
}
