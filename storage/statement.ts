// One statement of plain SQL against D1, with its account: what it read and wrote is billed, and counted here once.

/** A statement and its parameters, in order. */
export type Bound = readonly [text: string, ...values: (string | number | null)[]];

/** The rows a statement gives; none for one that only writes. */
export async function select<Row>(db: D1Database, [text, ...values]: Bound): Promise<readonly Row[]> {
  const { results } = await db
    .prepare(text)
    .bind(...values)
    .all<Row>();
  return results;
}
