// node:sqlite behind the two interfaces the product speaks: a partition's synchronous port, and D1's.

import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { Sql, SqlRow } from "../../durable-objects/store.ts";

/** A partition's storage in memory. */
export function sqliteSql(database: DatabaseSync): Sql {
  const prepare = preparing(database);
  return {
    exec: (query, ...bindings) => prepare(query).all(...bindings) as SqlRow[],
    transaction: (work) => {
      database.exec("BEGIN");
      try {
        const result = work();
        database.exec("COMMIT");
        return result;
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
  };
}

/** Statements prepared once by their text; `set` changes each when it is new. */
function preparing(
  database: DatabaseSync,
  set: (statement: StatementSync) => void = () => {},
): (text: string) => StatementSync {
  const statements = new Map<string, StatementSync>();
  return (text) => {
    let statement = statements.get(text);
    if (statement === undefined) {
      statement = database.prepare(text);
      set(statement);
      statements.set(text, statement);
    }
    return statement;
  };
}

interface BoundStatement {
  readonly text: string;
  readonly values: readonly SQLInputValue[];
}

/** D1 as a Worker sees it: statements, batches in one transaction, blobs as arrays of numbers. */
export function sqliteD1(database: DatabaseSync): D1Database {
  const prepared = preparing(database);
  const inLists = preparing(database, (statement) => statement.setReturnArrays(true));
  const changesSoFar = () => Number(prepared("SELECT total_changes() AS changes").get()?.["changes"]);
  const run = ({ text, values }: BoundStatement) => {
    const reads = /^\s*select\b/i.test(text);
    const before = reads ? 0 : changesSoFar();
    const rows = prepared(text).all(...values) as Record<string, unknown>[];
    const changes = reads ? 0 : changesSoFar() - before;
    for (const row of rows) {
      for (const [key, value] of Object.entries(row)) if (value instanceof Uint8Array) row[key] = Array.from(value);
    }
    return {
      success: true,
      results: rows,
      // What an index adds to a write is not counted.
      meta: {
        rows_read: rows.length,
        rows_written: changes,
        changes,
        get size_after() {
          const text = "SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()";
          return Number(prepared(text).get()?.["bytes"]);
        },
      },
    };
  };
  const prepare = (text: string, values: readonly SQLInputValue[] = []): object => ({
    text,
    values,
    bind: (...given: unknown[]) => prepare(text, given.map(toSqlite)),
    all: async () => run({ text, values }),
    run: async () => run({ text, values }),
    raw: async () => rawRows(inLists(text), values),
    first: async () => run({ text, values }).results[0] ?? null,
  });
  const batch = async (statements: readonly BoundStatement[]) => {
    database.exec("BEGIN");
    try {
      const results = statements.map(run);
      database.exec("COMMIT");
      return results;
    } catch (error) {
      database.exec("ROLLBACK");
      throw error;
    }
  };
  return { prepare, batch } as unknown as D1Database;
}

/** Rows as lists: two columns of one name (joined tables) are two values, as D1's `raw` has them. */
function rawRows(statement: StatementSync, values: readonly SQLInputValue[]): unknown[][] {
  const rows = statement.all(...values) as unknown as unknown[][];
  return rows.map((row) => row.map((value) => (value instanceof Uint8Array ? Array.from(value) : value)));
}

function toSqlite(value: unknown): SQLInputValue {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (typeof value === "boolean") return value ? 1 : 0;
  return value as SQLInputValue;
}
