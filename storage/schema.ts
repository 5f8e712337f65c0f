// The D1 schema: merchants, their streams and keys, and the rollups. Written here once; `npm run db:generate` makes the
// migrations from it. The two rollup tables take their columns from core's lists of counters and dimensions, so there is
// no second order of columns to keep in step. They are WITHOUT ROWID (the migration says so; drizzle cannot): a rollup
// is then one row write instead of two.

import { customType, index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { DIMENSIONS, type DimensionName } from "../core/counting/dimension.ts";
import { COUNTERS, type Counter } from "../core/counting/rollup.ts";
import type { Rules, ZonePeriod } from "../core/merchant.ts";
import type { DropReason } from "../core/outcome.ts";

/** D1 takes an ArrayBuffer and gives back an array of numbers. */
const bytes = customType<{ data: Uint8Array; driverData: ArrayBuffer | readonly number[] }>({
  dataType: () => "blob",
  toDriver: (value) => value.slice().buffer as ArrayBuffer,
  fromDriver: (value) => new Uint8Array(value),
});

/** The tenant. */
export const merchants = sqliteTable("merchants", {
  /** In every tracking ID; 32 bits. */
  number: integer("number").primaryKey({ autoIncrement: true }),
  /** What the API calls it; not guessable. */
  id: text("id").notNull().unique(),
  name: text("name").notNull(),
  zones: text("zones", { mode: "json" }).$type<readonly ZonePeriod[]>().notNull(),
  currency: text("currency").notNull(),
  rules: text("rules", { mode: "json" }).$type<Rules>().notNull(),
  /** Grows with every change of settings. */
  version: integer("version").notNull(),
  createdAt: integer("created_at").notNull(),
});

/** A merchant's shop, app or till. */
export const streams = sqliteTable(
  "streams",
  {
    merchant: integer("merchant").notNull(),
    /** From 1 within the merchant; 16 bits. */
    number: integer("number").notNull(),
    name: text("name").notNull(),
    /** A hostname the merchant owns; questions may name it as `site_id`. */
    hostname: text("hostname").unique(),
    createdAt: integer("created_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.merchant, table.number] })],
);

/** API keys: only a hash of the key is kept. */
export const apiKeys = sqliteTable(
  "api_keys",
  {
    id: text("id").primaryKey(),
    merchant: integer("merchant").notNull(),
    name: text("name").notNull(),
    /** SHA-256 of the whole key, in hex. A key has 256 random bits: it needs no slow hash. */
    hash: text("hash").notNull().unique(),
    /** First characters, to tell keys apart in a list. */
    hint: text("hint").notNull(),
    createdAt: integer("created_at").notNull(),
    /** UTC ms; null for never. */
    expiresAt: integer("expires_at"),
  },
  (table) => [index("api_keys_merchant").on(table.merchant)],
);

type CounterColumns = Record<Counter, ReturnType<typeof counterColumn>>;
type BreakdownColumns = Record<BreakdownColumn, ReturnType<typeof bytes>>;
/** The column of a dimension's breakdown, such as "by_page". */
export type BreakdownColumn = `by_${DimensionName}`;

/** Everything of a rollup except what names it. Small columns first: totals are read without touching breakdowns. */
const rollupColumns = () => ({
  day: integer("day").notNull(),
  version: integer("version").notNull(),
  ...(Object.fromEntries(COUNTERS.map((counter) => [counter, counterColumn(counter)])) as CounterColumns),
  drops: text("drops", { mode: "json" }).$type<Partial<Record<DropReason, number>>>().notNull(),
  sketch: bytes("sketch").notNull(),
  ...(Object.fromEntries(DIMENSIONS.map(({ name }) => [`by_${name}`, bytes(`by_${name}`)])) as BreakdownColumns),
});

/** One row per merchant, Hour and partition. `bucket` is the UTC ms the Hour starts. */
export const hourly = sqliteTable(
  "hourly",
  {
    merchant: integer("merchant").notNull(),
    bucket: integer("bucket").notNull(),
    partition: text("partition").notNull(),
    ...rollupColumns(),
  },
  (table) => [primaryKey({ columns: [table.merchant, table.bucket, table.partition] })],
);

/** One row per merchant, Day and partition. `bucket` is the number of the Day, as `day` is. */
export const daily = sqliteTable(
  "daily",
  {
    merchant: integer("merchant").notNull(),
    bucket: integer("bucket").notNull(),
    partition: text("partition").notNull(),
    ...rollupColumns(),
  },
  (table) => [primaryKey({ columns: [table.merchant, table.bucket, table.partition] })],
);

function counterColumn(counter: Counter) {
  return integer(counter).notNull();
}
