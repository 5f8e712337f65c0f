// What closed Days take: bytes of a merchant's Day in blocks of 1, 5, 10 and 30 Days (production makes ten), thin Hours
// included, each part deflated by itself, and in the rows that open Days have; the CPU of reading 30 Days; and what D1
// has of them and says was written. `--merchants 3` makes more, `--ledger` is D1 alone.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { type BlockDay, encodeBlock, partsOf, readDays } from "../core/block/block.ts";
import { toBlockDay } from "../core/block/closed-day.ts";
import { SECTIONS } from "../core/block/section.ts";
import type { DimensionName } from "../core/counting/dimension.ts";
import { replay } from "../core/counting/replay.ts";
import type { RollupRow } from "../core/counting/rollup-row.ts";
import { BLOCK_DAYS } from "../core/limits.ts";
import { deflate, inflate } from "../storage/deflate.ts";
import { packDay } from "../storage/ledger/pack.ts";
import { writeRollups } from "../storage/ledger/rollup-write.ts";
import { settingsOf } from "../test/support/events.ts";
import { median, print, rounded } from "./measure.ts";
import { shopDay } from "./shop-day.ts";

const { values } = parseArgs({
  options: { merchants: { type: "string", default: "2" }, ledger: { type: "boolean", default: false } },
});
const FIRST_DAY = 20_500;
const DAYS = 30;
const SIZES = [1, 5, 10, 30];
const EVENTS = [20, 100, 1_000, 10_000];
const READS = 20;
const MIGRATION = join(import.meta.dirname, "../storage/ledger/migrations/0000_first.sql");
/** One merchant in ten has ids of the first party. */
const KNOWN_SHARE = 0.1;

interface Shop {
  readonly days: readonly BlockDay[];
  /** Of the rows that open Days have. */
  readonly dayRowBytes: number;
  readonly hourRowBytes: number;
}

interface Packed {
  readonly bytes: number;
  /** Of each part. */
  readonly parts: readonly number[];
}

const rows: Record<string, string | number>[] = [];
const sections: Record<string, string | number>[] = [];
for (const events of values.ledger ? [] : EVENTS) {
  const merchants = events >= 10_000 ? 1 : Number(values.merchants);
  const shopsOf = (isKnown: boolean) => Array.from({ length: merchants }, (_, at) => shopOf(at + 1, events, isKnown));
  const [daily, known] = [shopsOf(false), shopsOf(true)];
  const row: Record<string, string | number> = { events };
  for (const size of SIZES) {
    const [own, others] = [packedBytes(daily, size), packedBytes(known, size)];
    row[`${size} d`] = Math.round(own.bytes);
    row[`${size} d, 10 % known`] = Math.round(own.bytes * (1 - KNOWN_SHARE) + others.bytes * KNOWN_SHARE);
    if (size === BLOCK_DAYS) sections.push({ events, ...named(own.parts) });
  }
  row["Day row"] = Math.round(mean(daily, ({ dayRowBytes }) => dayRowBytes));
  row["24 Hour rows"] = Math.round(mean(daily, ({ hourRowBytes }) => hourRowBytes));
  for (const dimension of [undefined, "country", "page"] as const)
    row[`ms ${dimension ?? "totals"}`] = readMs(daily[0] as Shop, dimension);
  rows.push(row);
}
print("blocks", rows, { unit: "bytes a merchant-Day", days: DAYS });
await printLedger();
print("block parts", sections, { unit: "bytes a merchant-Day of each part", days: BLOCK_DAYS });

/**
 * What workerd's D1 has of ten Days of 1,000 events, as partitions have published them, and when production code has
 * packed them; and the rows that it says were written and read for that. Nobody has first-party ids.
 */
async function printLedger(): Promise<void> {
  const merchants = 3;
  const worker = {
    modules: true,
    compatibilityDate: "2026-09-01",
    script: "export default { fetch: () => new Response() }",
    d1Databases: ["DB"],
  };
  const runtime = new Miniflare(convertV4MiniflareOptions(worker));
  const d1 = (await runtime.getD1Database("DB")) as unknown as D1Database;
  for (const statement of readFileSync(MIGRATION, "utf8").split("--> statement-breakpoint"))
    await d1.prepare(statement).run();
  const said = { written: 0, read: 0 };
  const batch = async (statements: D1PreparedStatement[]) => {
    const results = await d1.batch<never>(statements);
    for (const { meta } of results) {
      said.written += meta.rows_written;
      said.read += meta.rows_read;
    }
    return results;
  };
  const db = { prepare: (text: string) => d1.prepare(text), batch } as unknown as D1Database;
  const size = async () => (await d1.prepare("SELECT 1").run()).meta.size_after;
  const empty = await size();
  const perDay = (sum: number) => Math.round(sum / merchants / BLOCK_DAYS);
  const row = async (what: string) => {
    const bytes = perDay((await size()) - empty);
    const { written, read } = said;
    Object.assign(said, { written: 0, read: 0 });
    return { what, bytes, "rows written": perDay(written), "rows read": perDay(read) };
  };
  const days = Array.from({ length: BLOCK_DAYS }, (_, at) => FIRST_DAY + at);
  for (let merchant = 1; merchant <= merchants; merchant++) {
    for (const day of days) {
      const events = shopDay({ merchant, day, events: 1_000, isKnown: false });
      const archived = events.map((event, position) => ({ event, position, partition: "pool-0" }));
      const rollups = replay(archived, () => settingsOf("UTC", { merchant }));
      await writeRollups(db, rollups);
    }
  }
  const published = await row("in rows");
  for (const day of days) await packDay(db, { day, partition: "pool-0" });
  print("ledger", [published, await row("packed")], { unit: "a merchant-Day of 1,000 events" });
  await runtime.dispose();
}

function shopOf(merchant: number, events: number, isKnown: boolean): Shop {
  const days: BlockDay[] = [];
  let [dayRowBytes, hourRowBytes] = [0, 0];
  for (let day = FIRST_DAY; day < FIRST_DAY + DAYS; day++) {
    const archived = shopDay({ merchant, day, events, isKnown }).map((event, position) => {
      return { event, position, partition: "pool-0" };
    });
    const made = replay(archived, () => settingsOf("UTC", { merchant }));
    const whole = made.find(({ grain }) => grain === "day") as RollupRow;
    const hours = made.filter(({ grain }) => grain === "hour");
    days.push(toBlockDay(whole, hours));
    dayRowBytes += rowBytes(whole) / DAYS;
    hourRowBytes += hours.reduce((sum, hour) => sum + rowBytes(hour), 0) / DAYS;
  }
  return { days, dayRowBytes, hourRowBytes };
}

/** As D1 stores it, about. */
function rowBytes({ sketch, presence, breakdowns }: RollupRow): number {
  const packed = [sketch, presence, ...Object.values(breakdowns)];
  return packed.reduce((sum, bytes) => sum + (bytes?.length ?? 0) + 2, 60);
}

function packedBytes(shops: readonly Shop[], size: number): Packed {
  const parts: number[] = new Array(1 + SECTIONS.length).fill(0);
  for (const shop of shops) {
    for (const block of blocksOf(shop, size)) {
      for (const [at, part] of block.entries()) parts[at] = (parts[at] as number) + part.length / DAYS / shops.length;
    }
  }
  return { parts, bytes: parts.reduce((sum, bytes) => sum + bytes, 0) };
}

function blocksOf({ days }: Shop, size: number): readonly (readonly Uint8Array[])[] {
  const blocks: (readonly Uint8Array[])[] = [];
  for (let at = 0; at < DAYS; at += size) blocks.push(encodeBlock(days.slice(at, at + size)).map(deflate));
  return blocks;
}

function named(parts: readonly number[]): Record<string, number> {
  const names = ["head", ...SECTIONS.map(({ name }) => name)];
  return Object.fromEntries(parts.map((bytes, at) => [names[at], Math.round(bytes)]));
}

/** CPU of reading what a question about 30 Days reads, from compressed bytes to rows that are added up. */
function readMs(shop: Shop, dimension: DimensionName | undefined): number {
  const blocks = blocksOf(shop, BLOCK_DAYS);
  const dimensions = dimension === undefined ? [] : [dimension];
  const times = Array.from({ length: READS }, () => {
    const before = process.cpuUsage();
    for (const block of blocks) {
      const parts = new Map(partsOf(dimensions).map((at) => [at, inflate(block[at] as Uint8Array, 2 ** 24)]));
      readDays((at) => parts.get(at) as Uint8Array, dimensions);
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  });
  return rounded(median(times));
}

function mean<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((sum, one) => sum + of(one), 0) / all.length;
}
