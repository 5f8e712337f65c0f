// What a partition relies on of its SQLite, as checks that run inside a Durable Object as well as in Node. Each begins
// on an empty database.

import assert from "node:assert/strict";
import type { Sql } from "../../durable-objects/store.ts";

const MAKE = "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c BLOB)";
const countOf = (sql: Sql) => sql.exec("SELECT count(*) AS n FROM t")[0]?.["n"];
const bytesOf = (value: unknown) => [...new Uint8Array(value as ArrayBuffer)];

export const SQL_CHECKS: Readonly<Record<string, (sql: Sql) => void>> = {
  "rows come back by the names of their columns, and no rows as none": (sql) => {
    sql.exec(MAKE);
    assert.deepEqual(sql.exec("INSERT INTO t (a, b) VALUES (?, ?)", 7, "x"), []);
    assert.deepEqual({ ...sql.exec("SELECT a, b FROM t")[0] }, { a: 7, b: "x" });
    assert.deepEqual(sql.exec("SELECT a FROM t WHERE a = ?", 8), []);
  },
  "bytes come back as they were, and are not those that were bound": (sql) => {
    sql.exec(MAKE);
    const bytes = new Uint8Array([0, 1, 255]);
    sql.exec("INSERT INTO t (a, c) VALUES (1, ?)", bytes);
    bytes.fill(9);
    assert.deepEqual(bytesOf(sql.exec("SELECT c FROM t")[0]?.["c"]), [0, 1, 255]);
  },
  "numbers up to 2^53 are kept in a column of integers": (sql) => {
    sql.exec(MAKE);
    sql.exec("INSERT INTO t (a) VALUES (?)", 2 ** 53 - 1);
    assert.deepEqual({ ...sql.exec("SELECT a, typeof(a) AS type FROM t")[0] }, { a: 2 ** 53 - 1, type: "integer" });
  },
  "a row that a write returns is told": (sql) => {
    sql.exec(MAKE);
    assert.deepEqual({ ...sql.exec("INSERT INTO t (a) VALUES (5) RETURNING a")[0] }, { a: 5 });
  },
  "a transaction that throws leaves nothing, and throws the same error": (sql) => {
    sql.exec(MAKE);
    const error = new Error("on purpose");
    assert.throws(
      () =>
        sql.transaction(() => {
          sql.exec("INSERT INTO t (a) VALUES (1)");
          throw error;
        }),
      (thrown) => thrown === error,
    );
    assert.equal(countOf(sql), 0);
  },
  "a transaction gives what its work gives, sees its own writes, and keeps them": (sql) => {
    sql.exec(MAKE);
    const seen = sql.transaction(() => {
      sql.exec("INSERT INTO t (a) VALUES (1), (2)");
      return countOf(sql);
    });
    assert.deepEqual([seen, countOf(sql)], [2, 2]);
  },
  "a statement that fails outside a transaction writes nothing of itself, and what was before stays": (sql) => {
    sql.exec(MAKE);
    sql.exec("INSERT INTO t (a) VALUES (1)");
    assert.throws(() => sql.exec("INSERT INTO t (a) VALUES (2), (1)"), /UNIQUE constraint failed: t\.a/);
    assert.equal(countOf(sql), 1);
  },
  "a table that is not there is an error": (sql) => {
    assert.throws(() => sql.exec("SELECT * FROM absent"), /no such table/);
  },
  "too few values, and BEGIN, are refused": (sql) => {
    assert.throws(() => sql.exec("SELECT ? AS a, ? AS b", 1));
    assert.throws(() => sql.exec("BEGIN"));
  },
  "a statement takes 100 values, and not 101": (sql) => {
    const ask = (count: number) => {
      const marks = Array.from({ length: count }, () => "?").join(", ");
      return sql.exec(`SELECT 1 AS one WHERE 1 IN (${marks})`, ...Array.from({ length: count }, () => 1));
    };
    assert.equal(ask(100).length, 1);
    assert.throws(() => ask(101));
  },
  "tables of one's own are listed": (sql) => {
    sql.exec(MAKE);
    const names = sql.exec("SELECT name FROM sqlite_master WHERE type = 'table' AND name = 't'");
    assert.deepEqual(
      names.map((row) => row["name"]),
      ["t"],
    );
  },
};
