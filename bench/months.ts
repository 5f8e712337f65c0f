// What a year of a merchant costs once its blocks lie in month files: the objects and bytes that a question reads, its
// CPU, what the ledger keeps, and what one late event of an old Day moves. Beside it what files of one, three and nine
// blocks come to, for the decision in docs/decisions/0023. Production code on node:sqlite and a bucket in memory: what
// a network takes is not in it.

import { blocksOfMonth } from "../core/block/month.ts";
import { slotStart } from "../core/counting/day.ts";
import { replay } from "../core/counting/replay.ts";
import type { RollupRow } from "../core/counting/rollup-row.ts";
import { BLOCK_DAYS, MONTH_BLOCKS } from "../core/limits.ts";
import { zeroMeter } from "../core/meter.ts";
import { DAY_MS } from "../core/time.ts";
import { listOld, moveMonths } from "../storage/ledger/age.ts";
import { packDay, unpackDay } from "../storage/ledger/pack.ts";
import { type RangeRead, readRollups } from "../storage/ledger/range.ts";
import { writeRollups } from "../storage/ledger/rollup-write.ts";
import { makeDatabases } from "../test/support/databases.ts";
import { settingsOf } from "../test/support/events.ts";
import { memoryArchive, meteredArchive } from "../test/support/memory-bucket.ts";
import { median, print, rounded } from "./measure.ts";
import { shopDay } from "./shop-day.ts";

const FIRST_DAY = blocksOfMonth(20_490)[0] as number;
const DAYS = 360;
const READS = 15;
const PLACE = "pool-0";
const COPIES = 5_000;

const years = [];
const kept = [];
for (const events of [100, 1_000, 10_000]) {
  const { db, meter, objects, database } = await yearOf(events);
  const before = await read(db, "page");
  const inRows = pagesBytes(database);
  await move(db, objects);
  const files = [...objects.values()];
  const bytes = files.reduce((sum, { length }) => sum + length, 0);
  for (const what of ["totals", "country", "page"] as const) {
    for (const key of ["r2_class_b", "d1_rows_read"] as const) meter[key] = 0;
    const { ms, rows } = await read(db, what, READS);
    years.push({
      events,
      question: `${DAYS} Days, ${what}`,
      rows,
      gets: meter.r2_class_b / READS,
      "KB fetched": rounded(meter.fetched / READS / 1_000),
      "CPU ms": ms,
      "in the ledger": what === "page" ? before.ms : "",
    });
    meter.fetched = 0;
  }
  meter.r2_class_a = 0;
  meter.r2_class_b = 0;
  const put = objects.size;
  await unpackDay(db, { day: FIRST_DAY + 5, partition: PLACE, merchants: [1] });
  await packDay(db, { day: FIRST_DAY + 5, partition: PLACE });
  await move(db, objects);
  const last = [...objects.values()].at(-1)?.length ?? 0;
  kept.push({
    events,
    "B a Day in files": Math.round(bytes / DAYS),
    "files a year": files.length,
    "B a Day in the ledger": Math.round(stubBytes(database) / BLOCK_DAYS),
    "before, as blocks": Math.round(inRows / DAYS),
    "late event: gets": meter.r2_class_b,
    puts: objects.size - put,
    "KB put": rounded(last / 1_000),
  });
}
print("months", years, { files_of_blocks: MONTH_BLOCKS });
print("months kept", kept, { files_of_blocks: MONTH_BLOCKS });
print("file sizes", [1, 3, 9].map(ofSize), { setting: "92 Days", plan: "1e6 merchants of 1,000 events a Day" });

/** What files of so many blocks come to, by arithmetic from bench/blocks. */
function ofSize(blocks: number) {
  const days = blocks * BLOCK_DAYS;
  const daysKept = 92 + days / 2;
  const blockBytes = 7_080;
  const puts = (1e6 * 30) / days;
  return {
    "blocks a file": blocks,
    "files a year reads": `${Math.floor((365 - daysKept) / days)} to ${Math.ceil((365 - 92) / days) + 1}`,
    "Days in the ledger": daysKept,
    "D1, GB of blocks": rounded((daysKept * blockBytes * 1.1 * 1e6) / 1e9),
    "D1, USD a month": rounded(((daysKept * blockBytes * 1.1 * 1e6) / 1e9) * 0.75),
    "puts a month": puts,
    USD: rounded((puts / 1e6) * 4.5),
    "KB rewritten for a late event": rounded((days * blockBytes) / 1_000),
    "the same of 100 merchants' file, MB": rounded((days * blockBytes * 100) / 1e6),
  };
}

async function yearOf(events: number) {
  const objects = new Map<string, Uint8Array>();
  const meter = Object.assign(zeroMeter(), { fetched: 0 });
  const metered = meteredArchive(memoryArchive(objects), meter);
  const get: typeof metered.get = async (key, options) => {
    meter.fetched += options?.range.length ?? 0;
    return metered.get(key, options);
  };
  const { ledgers, ledgerFiles } = makeDatabases(1, { ...metered, get });
  const db = ledgers.all[0] as D1Database;
  const database = ledgerFiles[0] as (typeof ledgerFiles)[number];
  // Ten Days that differ, again and again: what is alike in a block is so in any.
  const ten = Array.from({ length: BLOCK_DAYS }, (_, at) => {
    const day = FIRST_DAY + at;
    const made = shopDay({ merchant: 1, day, events, isKnown: false });
    return replay(
      made.map((event, position) => ({ event, position, partition: PLACE })),
      () => settingsOf("UTC", { merchant: 1 }),
    );
  });
  for (let later = 0; later < DAYS; later += BLOCK_DAYS) {
    for (const rows of ten)
      await writeRollups(
        db,
        rows.map((row) => movedBy(row, later)),
      );
    for (let at = 0; at < BLOCK_DAYS; at++) await packDay(db, { day: FIRST_DAY + later + at, partition: PLACE });
  }
  return { db, meter, objects, database };
}

function movedBy(row: RollupRow, days: number): RollupRow {
  const bucket = row.grain === "day" ? row.bucket + days : row.bucket + days * DAY_MS;
  return { ...row, bucket, day: row.day + days };
}

async function move(db: D1Database, objects: Map<string, Uint8Array>): Promise<void> {
  const months = await listOld(db, { before: FIRST_DAY + 10 * DAYS, rowsMax: 1_000 });
  await moveMonths(db, { months, now: slotStart(FIRST_DAY + 2 * DAYS, 0) }, { bucket: memoryArchive(objects) });
}

async function read(db: D1Database, what: "totals" | "country" | "page", times = READS) {
  const asked: RangeRead = {
    ...{ merchant: 1, grain: "day", from: FIRST_DAY, to: FIRST_DAY + DAYS, sketch: true },
    breakdowns: what === "totals" ? [] : [what],
  };
  const took: number[] = [];
  let rows = 0;
  for (let time = 0; time < times; time++) {
    const before = process.cpuUsage();
    rows = (await readRollups(db, asked)).length;
    const { user, system } = process.cpuUsage(before);
    took.push((user + system) / 1_000);
  }
  return { ms: rounded(median(took)), rows };
}

type Database = Awaited<ReturnType<typeof yearOf>>["database"];

function pagesBytes(database: Database): number {
  const value = (name: string) => Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
  return (value("page_count") - value("freelist_count")) * value("page_size");
}

/** What SQLite takes for a block that has moved, its index and the row of its file with it. */
function stubBytes(database: Database): number {
  const before = pagesBytes(database);
  const columns = database
    .prepare("SELECT name FROM pragma_table_info('blocks') WHERE name != 'merchant'")
    .all()
    .map(({ name }) => `"${name}"`)
    .join(", ");
  for (let copy = 1; copy <= COPIES; copy++) {
    const merchant = 1 + copy;
    database.exec(`INSERT INTO blocks (merchant, ${columns}) SELECT ${merchant}, ${columns} FROM blocks
      WHERE merchant = 1 AND first_day = ${FIRST_DAY + BLOCK_DAYS}`);
    if (copy % MONTH_BLOCKS === 0)
      database.exec(`INSERT INTO month_files (merchant, month, "partition", file, blocks)
        SELECT ${merchant}, month, "partition", file, blocks FROM month_files WHERE merchant = 1 LIMIT 1`);
  }
  return (pagesBytes(database) - before) / COPIES;
}
