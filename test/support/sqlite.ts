// node:sqlite behind the two interfaces the product speaks: a partition's synchronous port, and D1's.

import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { Sql, SqlRow } from "../../durable-objects/store.ts";

/** What the platform allows a statement (test/contract tries each). */
const STATEMENT_LIMITS = {
  sqlLength: 100_000,
  column: 100,
  exprDepth: 100,
  compoundSelect: 5,
  likePatternLength: 50,
  variableNumber: 100,
} as const;

/** A partition's storage in memory. */
export function sqliteSql(database: DatabaseSync): Sql {
  const prepare = preparing(database);
  return {
    exec: (query, ...bindings) => rowsOf(prepare(query), query, bindings) as SqlRow[],
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
  Object.assign(database.limits, STATEMENT_LIMITS);
  const statements = new Map<string, StatementSync>();
  return (text) => {
    let statement = statements.get(text);
    if (statement === undefined) {
      if (/^\s*(begin|commit|rollback|savepoint)\b/i.test(text)) throw new Error(`${text} is not for statements`);
      statement = database.prepare(text);
      set(statement);
      statements.set(text, statement);
    }
    return statement;
  };
}

/** Runs a statement with as many values as it has parameters: fewer would be NULL, which the platform refuses. */
function rowsOf(statement: StatementSync, text: string, values: readonly SQLInputValue[]): unknown[] {
  const wanted = parametersOf(text);
  if (values.length !== wanted) throw new Error(`${values.length} values for ${wanted} parameters: ${text}`);
  return statement.all(...values);
}

const counted = new Map<string, number>();

/** As SQLite counts them: a bare `?` is one more than the largest so far, `?7` is the seventh. */
function parametersOf(text: string): number {
  let count = counted.get(text);
  if (count === undefined) {
    count = 0;
    const bare = text.replaceAll(/'[^']*'|"[^"]*"|--[^\n]*/g, "");
    for (const [, number] of bare.matchAll(/\?(\d*)/g)) count = number ? Math.max(count, Number(number)) : count + 1;
    counted.set(text, count);
  }
  return count;
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
    const rows = rowsOf(prepared(text), text, values) as Record<string, unknown>[];
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
    raw: async () => rawRows(rowsOf(inLists(text), text, values) as unknown[][]),
    first: async (column?: string) => {
      const [row] = run({ text, values }).results;
      return (column === undefined ? row : row?.[column]) ?? null;
    },
  });
  const batch = async (statements: readonly BoundStatement[]) => {
    if (statements.length === 0) throw new Error("D1 refuses a batch of no statements");
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
function rawRows(rows: readonly unknown[][]): unknown[][] {
  return rows.map((row) => row.map((value) => (value instanceof Uint8Array ? Array.from(value) : value)));
}

function toSqlite(value: unknown): SQLInputValue {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "number" && !Number.isFinite(value)) return null;
  return value as SQLInputValue;
}
