// A column of a joined table under a name of its own. Two tables have columns of one name (`id`, `name`), and rows come
// by name (storage/metered.ts), so the second of them needs another.

import { type GetColumnData, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";

export function named<Column extends SQLiteColumn>(column: Column, name: string): SQL.Aliased<GetColumnData<Column>> {
  return sql<GetColumnData<Column>>`${column}`.mapWith(column).as(name) as SQL.Aliased<GetColumnData<Column>>;
}
