// What Footfall relies on of D1. The same tests run on workerd's D1 and on node:sqlite as tests and the simulation use
// it in D1's place, so that a test on the stand-in says something of the platform.

import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { BundledWorker } from "../support/bundled-worker.ts";
import { sqliteD1 } from "../support/sqlite.ts";
import { startPlatform } from "./platform.ts";

let platform: BundledWorker;
beforeAll(async () => {
  platform = await startPlatform();
}, 60_000);
afterAll(() => platform?.stop());

const SIDES: readonly (readonly [string, () => Promise<D1Database>])[] = [
  ["node:sqlite in its place", async () => sqliteD1(new DatabaseSync(":memory:"))],
  ["D1 of workerd", async () => (await platform.runtime.getD1Database("DB", "bundled")) as unknown as D1Database],
];

describe.each(SIDES)("%s", (_, open) => {
  let db: D1Database;
  const rows = async (text: string, ...values: unknown[]) =>
    (
      await db
        .prepare(text)
        .bind(...values)
        .all()
    ).results;
  const changes = async (text: string) => (await db.prepare(text).run()).meta.changes;

  beforeEach(async () => {
    db = await open();
    await db.batch([
      db.prepare("DROP TABLE IF EXISTS part"),
      db.prepare("DROP TABLE IF EXISTS whole"),
      db.prepare("CREATE TABLE whole (a INTEGER PRIMARY KEY, b TEXT UNIQUE, c REAL, d BLOB)"),
      db.prepare("CREATE TABLE part (whole INTEGER REFERENCES whole (a))"),
      db.prepare("INSERT INTO whole VALUES (1, 'x', 1.5, NULL), (2, 'y', 2, NULL)"),
    ]);
  });

  test("[CTR-1] values come back as what was bound: blobs as arrays of numbers, booleans as 0 and 1", async () => {
    const bound = ["a\u0000b😀", 1.5, 2 ** 53, true, null, new Uint8Array([0, 255]), new Uint8Array([7]).buffer];
    expect(await rows("SELECT ? AS a, ? AS b, ? AS c, ? AS d, ? AS e, ? AS f, ? AS g", ...bound)).toEqual([
      { a: "a\u0000b😀", b: 1.5, c: 2 ** 53, d: 1, e: null, f: [0, 255], g: [7] },
    ]);
  });

  test("[CTR-1] every number is bound as a real: a column of integers makes an integer of it", async () => {
    expect(await rows("SELECT typeof(?) AS bare", 1)).toEqual([{ bare: "real" }]);
    await db.prepare("INSERT INTO whole (a, b) VALUES (?, ?)").bind(9, "z").run();
    expect(await rows("SELECT typeof(a) AS kept FROM whole WHERE b = 'z'")).toEqual([{ kept: "integer" }]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])("[CTR-1] %d is bound as NULL", async (value) => {
    expect(await rows("SELECT typeof(?) AS type", value)).toEqual([{ type: "null" }]);
  });

  test("[CTR-1] undefined is refused", async () => {
    await expect((async () => rows("SELECT ? AS n", undefined))()).rejects.toThrow();
  });

  test.each([[[1]], [[1, 2, 3]]])("[CTR-1] %j for two parameters is refused", async (values) => {
    await expect((async () => rows("SELECT ? AS a, ? AS b", ...values))()).rejects.toThrow();
  });

  test("[CTR-2] first is a row, the value of its column where one is named, and null of none", async () => {
    expect(await db.prepare("SELECT a, b FROM whole ORDER BY a").first()).toEqual({ a: 1, b: "x" });
    expect(await db.prepare("SELECT a, b FROM whole ORDER BY a").first("b")).toBe("x");
    expect(await db.prepare("SELECT a FROM whole WHERE a = 99").first()).toBeNull();
    expect(await db.prepare("SELECT a FROM whole WHERE a = 99").first("a")).toBeNull();
  });

  test("[CTR-2] raw has two columns of one name as two values; all has the last of them", async () => {
    expect(await db.prepare("SELECT a, b AS a FROM whole ORDER BY whole.a").raw()).toEqual([
      [1, "x"],
      [2, "y"],
    ]);
    expect(await rows("SELECT a, b AS a FROM whole ORDER BY whole.a")).toEqual([{ a: "x" }, { a: "y" }]);
  });

  test("[CTR-2] rows of bound JSON, and rows that a write returns", async () => {
    expect(await rows("SELECT value FROM json_each(?)", '[1,"a",null]')).toEqual([
      { value: 1 },
      { value: "a" },
      { value: null },
    ]);
    expect(await rows("UPDATE whole SET c = 9 WHERE a = 2 RETURNING a, c")).toEqual([{ a: 2, c: 9 }]);
  });

  test("[CTR-3] changes are the rows that a statement wrote, equal ones too, and none where it did nothing", async () => {
    expect(await changes("UPDATE whole SET b = b")).toBe(2);
    expect(await changes("INSERT INTO whole (a) VALUES (1) ON CONFLICT DO NOTHING")).toBe(0);
    expect(await changes("SELECT * FROM whole")).toBe(0);
    expect(await changes("DELETE FROM whole WHERE a = 1")).toBe(1);
  });

  test("[CTR-3] in a batch each statement sees those before it, and changes() is those of the one before", async () => {
    const [, second, third] = await db.batch([
      db.prepare("UPDATE whole SET c = 7 WHERE a = 1"),
      db.prepare("SELECT changes() AS n"),
      db.prepare("SELECT c FROM whole WHERE a = 1"),
    ]);
    expect([second?.results, third?.results]).toEqual([[{ n: 1 }], [{ c: 7 }]]);
  });

  test("[CTR-4] a batch whose last statement fails has written nothing", async () => {
    const failing = db.batch([
      db.prepare("DELETE FROM whole"),
      db.prepare("INSERT INTO whole VALUES (5, 'z', 1, 2, 3)"),
    ]);
    await expect(failing).rejects.toThrow();
    expect(await rows("SELECT count(*) AS n FROM whole")).toEqual([{ n: 2 }]);
  });

  test("[CTR-4] an empty batch is refused", async () => {
    await expect((async () => db.batch([]))()).rejects.toThrow();
  });

  test("[CTR-4] BEGIN is refused: a batch is the only transaction", async () => {
    await expect(db.prepare("BEGIN").run()).rejects.toThrow();
  });

  test("[CTR-5] what breaks a rule of the schema is refused, and the error names the rule and the column", async () => {
    await expect(db.prepare("INSERT INTO whole (b) VALUES ('x')").run()).rejects.toThrow(
      "UNIQUE constraint failed: whole.b",
    );
    await expect(db.prepare("INSERT INTO part VALUES (77)").run()).rejects.toThrow("FOREIGN KEY constraint failed");
  });

  test("[CTR-5] preparing and binding never fail; running what is no SQL does", async () => {
    const statement = db.prepare("SELEC ?").bind(1);
    await expect(statement.all()).rejects.toThrow("syntax error");
  });

  const list = (length: number, one: string) => Array.from({ length }, () => one).join(", ");
  test.each([
    ["100 parameters", `SELECT 1 WHERE 1 IN (${list(100, "?")})`, 100],
    ["5 parts of a UNION", Array.from({ length: 5 }, () => "SELECT 1").join(" UNION ALL "), 0],
    ["100 columns", `SELECT ${list(100, "1")}`, 0],
    ["a pattern of 50 bytes", `SELECT 'a' LIKE '${"a".repeat(50)}'`, 0],
    ["99,000 bytes", `SELECT '${"a".repeat(98_980)}' AS n`, 0],
  ])("[CTR-6] a statement may have %s", async (_what, text, bound) => {
    await expect(rows(text, ...Array.from({ length: bound }, () => 1))).resolves.toHaveLength(
      1 * (text.match(/UNION/g)?.length ?? 0) + 1,
    );
  });

  test.each([
    ["101 parameters", `SELECT 1 WHERE 1 IN (${list(101, "?")})`, 101],
    ["6 parts of a UNION", Array.from({ length: 6 }, () => "SELECT 1").join(" UNION ALL "), 0],
    ["101 columns", `SELECT ${list(101, "1")}`, 0],
    ["a pattern of 51 bytes", `SELECT 'a' LIKE '${"a".repeat(51)}'`, 0],
    ["more than 100,000 bytes", `SELECT '${"a".repeat(100_000)}' AS n`, 0],
    ["an expression 101 deep", `SELECT ${list(101, "1").replaceAll(", ", " + ")}`, 0],
  ])("[CTR-6] and not %s", async (_what, text, bound) => {
    await expect((async () => rows(text, ...Array.from({ length: bound }, () => 1)))()).rejects.toThrow();
  });
});
