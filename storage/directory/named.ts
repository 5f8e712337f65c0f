// Gives a column of a joined table another name. Rows come as objects with a field for each column's name
// (storage/metered.ts). Where both tables have a column `id` or `name`, one of the two needs another name.

import { type GetColumnData, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";

export function named<Column extends SQLiteColumn>(column: Column, name: string): SQL.Aliased<GetColumnData<Column>> {
  return sql<GetColumnData<Column>>`${column}`.mapWith(column).as(name) as SQL.Aliased<GetColumnData<Column>>;
}
