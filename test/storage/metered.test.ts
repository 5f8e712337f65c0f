// The metered D1 and R2 against the platform's own account of what it was asked, in the real runtime: drizzle's mapped
// selects included, for which D1 gives no account by itself.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { and, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { zeroMeter } from "../../core/meter.ts";
import { SHARED_OPTIONS } from "../../scripts/runtime.ts";
import { createApiKey, findKeyHolder, listApiKeys, noteKeyUse } from "../../storage/directory/api-keys.ts";
import { listEntries, noteAct } from "../../storage/directory/audit.ts";
import { hashKey } from "../../storage/directory/credential.ts";
import { createMerchant, findMerchant, listMerchants } from "../../storage/directory/merchants.ts";
import { apiKeys, merchants } from "../../storage/directory/schema.ts";
import { columnsOf, meteredD1, meteredR2 } from "../../storage/metered.ts";

const MIGRATIONS = join(import.meta.dirname, "../../storage/directory/migrations");
const CODE = 'export default { fetch: () => new Response("") }';

let runtime: Miniflare;
let plain: D1Database;
let bucket: R2Bucket;
/** What D1 said, added up beside the wrapper. */
const said = { read: 0, written: 0 };

beforeAll(async () => {
  const worker = { name: "meter", compatibilityDate: "2026-10-20", modules: true, script: CODE };
  const bindings = { d1Databases: { DB: "meter" }, r2Buckets: { BUCKET: "meter" } };
  runtime = new Miniflare(convertV4MiniflareOptions({ ...SHARED_OPTIONS, workers: [{ ...worker, ...bindings }] }));
  await runtime.ready;
  plain = (await runtime.getD1Database("DB", "meter")) as unknown as D1Database;
  bucket = (await runtime.getR2Bucket("BUCKET", "meter")) as unknown as R2Bucket;
  const files = readdirSync(MIGRATIONS).filter((name) => name.endsWith(".sql"));
  for (const file of files.sort()) {
    const statements = readFileSync(join(MIGRATIONS, file), "utf8").split("--> statement-breakpoint");
    await plain.batch(statements.filter((one) => one.trim() !== "").map((one) => plain.prepare(one)));
  }
}, 30_000);
afterAll(() => runtime?.dispose());

/** D1 as it is, adding up what it says of each statement that goes through. */
function listening(db: D1Database): D1Database {
  const hear = <Result extends D1Result>(result: Result): Result => {
    said.read += result.meta.rows_read;
    said.written += result.meta.rows_written;
    return result;
  };
  const statement = (own: D1PreparedStatement): object => ({
    own,
    bind: (...values: unknown[]) => statement(own.bind(...values)),
    all: async () => hear(await own.all()),
    run: async () => hear(await own.run()),
  });
  return {
    prepare: (text: string) => statement(db.prepare(text)),
    batch: async (statements: readonly { readonly own: D1PreparedStatement }[]) =>
      (await db.batch(statements.map(({ own }) => own))).map(hear),
  } as unknown as D1Database;
}

test("[COST-2] the meter says of D1 what D1 says: plain statements, batches, and all that drizzle makes", async () => {
  const meter = zeroMeter();
  const db = meteredD1(listening(plain), meter);
  const key = { id: "key_first", secret: "ffk_first" };
  const merchant = { number: 1, id: "mer_a", name: "Shop", zones: [{ from: 0, zone: "UTC" }], currency: "EUR" };
  const made = await createMerchant(db, { ...merchant, hostname: "shop.example", key, now: 5 });
  expect(made).toMatchObject({ number: 1, name: "Shop" });
  expect(meter.d1_rows_written).toBeGreaterThan(3); // three rows, and what their indexes add
  const second = { id: "key_b", merchant: 1, name: "till", scope: "write" as const, createdAt: 7, expiresAt: 9 };
  await createApiKey(db, { ...second, secret: "ffk_b" });
  expect(await findKeyHolder(db, hashKey("ffk_b"))).toMatchObject({
    id: "key_b",
    scope: "write",
    expiresAt: 9,
    merchant: { id: "mer_a", name: "Shop", zones: [{ from: 0, zone: "UTC" }] },
  });
  const before = meter.d1_rows_read;
  expect((await listApiKeys(db, { merchant: 1, after: "", rowsMax: 9 })).map(({ name }) => name)).toEqual([
    "till",
    "first key",
  ]);
  expect(meter.d1_rows_read - before).toBeGreaterThanOrEqual(2);
  await noteKeyUse(db, { id: "key_b", now: 9e12 });
  await noteAct(db, { at: 1, actor: "deployment", merchant: 1, act: "key.create", target: "key_b" });
  expect(await listEntries(db, { merchant: 1, before: 99, rowsMax: 9 })).toMatchObject([
    { merchant: "mer_a", target: "key_b" },
  ]);
  expect(await findMerchant(db, "mer_a")).toMatchObject({ name: "Shop", retentionDays: null, pastZones: [] });
  expect(await listMerchants(db, { after: 0, rowsMax: 9 })).toHaveLength(1);
  expect(await db.prepare("SELECT count(*) AS n FROM api_keys").first("n")).toBe(2);
  expect(await db.prepare("SELECT id FROM merchants WHERE number = 7").first()).toBeNull();
  expect(said.read).toBeGreaterThan(5);
  expect({ read: meter.d1_rows_read, written: meter.d1_rows_written }).toEqual(said);
});

test("[COST-2] a mapped select gives what D1's own raw gives, and one of two columns of a name is refused", async () => {
  const db = meteredD1(plain, zeroMeter());
  const text = 'SELECT "number", "id", "zones", "retention_days" FROM merchants WHERE number = ?';
  expect(await db.prepare(text).bind(1).raw()).toEqual(await plain.prepare(text).bind(1).raw());
  const twice = drizzle(db).select({ key: apiKeys.id, merchant: merchants.id }).from(apiKeys);
  const joined = twice.innerJoin(merchants, eq(merchants.number, apiKeys.merchant)).where(and(eq(merchants.number, 1)));
  await expect(joined).rejects.toSatisfy((error: Error) => String(error.cause ?? error).includes("have a name each"));
});

test.each([
  ['select "a", "b" from "t"', 2],
  ['select "a", coalesce("b", 1), CASE WHEN "c" = \'x, y\' THEN 1 END from "t" where "d" in (1, 2)', 3],
  ["select count(*) from t", 1],
  ['select "a from b", "c" from "t"', 2],
  ['insert into "t" ("a", "b") values (?, ?) returning "a", "b", "c"', 3],
])("[COST-2] columns of %s: %i", (text, columns) => {
  expect(columnsOf(text)).toBe(columns);
});

test("[COST-2] the meter counts each R2 operation in its class, a failed one too, and deleting is free", async () => {
  const meter = zeroMeter();
  const metered = meteredR2(bucket, meter);
  await metered.put("a", "text");
  await metered.put("b", "text");
  expect(await metered.put("a", "more", { onlyIf: { etagDoesNotMatch: "*" } })).toBeNull();
  expect(await (await metered.get("a"))?.text()).toBe("text");
  expect((await metered.head("b"))?.size).toBe(4);
  expect((await metered.list({ prefix: "" })).objects.map(({ key }) => key)).toEqual(["a", "b"]);
  await metered.delete(["a", "b"]);
  const broken = meteredR2({ get: () => Promise.reject(new Error("R2 is down")) } as unknown as R2Bucket, meter);
  await expect(broken.get("a")).rejects.toThrow("R2 is down");
  expect(meter).toEqual({ ...zeroMeter(), r2_class_a: 4, r2_class_b: 3 });
});
