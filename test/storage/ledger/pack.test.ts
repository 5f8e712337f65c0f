// Days that leave their rows for a block and come back: readers find the same numbers wherever they lie, and whoever
// acts on what is not so any more changes nothing.

import fc from "fast-check";
import { expect, test } from "vitest";
import type { Difference } from "../../../core/counting/difference.ts";
import { type RollupRow, thinned } from "../../../core/counting/rollup-row.ts";
import { packDay, unpackDay } from "../../../storage/ledger/pack.ts";
import { listPlaces, notePlaces } from "../../../storage/ledger/places.ts";
import { replaceRollups, sealRollups } from "../../../storage/ledger/replay-write.ts";
import { writeRollups } from "../../../storage/ledger/rollup-write.ts";
import {
  listCounted,
  listPartitionsOf,
  listPlacesOf,
  readDayRollups,
  readFirstDay,
} from "../../../storage/ledger/rollups.ts";
import { DAYS, FIRST, inOrder, PARTITIONS, readAll, storyRows } from "../../support/closed-days.ts";
import { makeDatabases } from "../../support/databases.ts";
import { sqliteD1 } from "../../support/sqlite.ts";

function world(merchants = [1]) {
  const { database } = makeDatabases();
  const db = sqliteD1(database);
  const rows = merchants.flatMap(storyRows);
  const count = (table: string) => Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"]);
  return { database, db, rows, count };
}

test("[BLK-6] whichever Days are packed, and taken out again, every page has the rows of all, each once", async () => {
  const places = PARTITIONS.flatMap((partition) =>
    Array.from({ length: DAYS }, (_, at) => ({ day: FIRST + at, partition })),
  );
  const steps = fc.array(fc.record({ place: fc.constantFrom(...places), isPacked: fc.boolean() }), { maxLength: 14 });
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 40 }), async (moves, page) => {
      const { db, rows } = world();
      await writeRollups(db, rows);
      const wasPacked = new Set<string>();
      for (const { place, isPacked } of moves) {
        if (isPacked) {
          await packDay(db, place);
          wasPacked.add(`${place.day} ${place.partition}`);
        } else await unpackDay(db, { ...place, merchants: [1] });
      }
      const left = (row: RollupRow) => (wasPacked.has(`${row.day} ${row.partition}`) ? thinned(row) : row);
      expect(await readAll(db, { grain: "day", pageRows: page, pageBytes: 50 * page })).toEqual(inOrder(rows, "day"));
      const hours = (await readAll(db, { grain: "hour", pageRows: page, pageBytes: 50 * page })).map(
        ({ within: _, ...row }) => row,
      );
      expect(hours).toEqual(inOrder(rows, "hour").map(left));
      for (const { day, partition } of places.slice(0, 3)) {
        const read = await readDayRollups(db, { merchants: [1], day, partition });
        expect(inOrder(read, "day")).toEqual(
          inOrder(rows, "day").filter((row) => row.day === day && row.partition === partition),
        );
        expect(read.filter(({ grain }) => grain === "hour").length).toBe(
          rows.filter((row) => row.grain === "hour" && row.day === day && row.partition === partition).length,
        );
      }
    }),
    { numRuns: 25 },
  );
});

test("[BLK-6] a packed Day has no rows left, and all that asks for Days, places and merchants knows of it", async () => {
  const { db, rows, count } = world([1, 2]);
  await writeRollups(db, rows);
  const asked = async () => ({
    first: await readFirstDay(db, 1),
    partitions: await listPartitionsOf(db, 1),
    places: await listPlacesOf(db, { merchant: 1, from: FIRST + 1, to: FIRST + 5 }),
    counted: await listCounted(db, { day: FIRST, partition: "pool-0" }),
    events: await listPlaces(db, { merchant: 1, from: 0, to: FIRST + 100, rowsMax: 100 }),
  });
  for (let day = FIRST; day < FIRST + DAYS; day++)
    for (const partition of PARTITIONS) await notePlaces(db, { day, partition, merchants: [1] });
  const before = await asked();
  for (let day = FIRST; day < FIRST + DAYS; day++)
    for (const partition of PARTITIONS) await packDay(db, { day, partition });
  expect([count("hourly"), count("daily"), count("blocks")]).toEqual([0, 0, 8]);
  expect(await asked()).toEqual(before);
  await unpackDay(db, { day: FIRST, partition: "pool-0", merchants: [1] });
  expect(await asked()).toEqual(before);
  expect(before.counted).toEqual([1, 2]);
});

test("[BLK-7] a publish that comes when its Day is packed changes nothing", async () => {
  const { db, rows, count } = world();
  await writeRollups(db, rows);
  await packDay(db, { day: FIRST, partition: "pool-0" });
  const before = [count("hourly"), count("daily")];
  const late = rows.filter(({ day, partition }) => day === FIRST && partition === "pool-0");
  expect(late.length).toBeGreaterThan(2);
  await writeRollups(db, late);
  expect([count("hourly"), count("daily")]).toEqual(before);
});

test("[BLK-7] rows that were changed since they were read are not packed, and a block that was is not written over", async () => {
  const { database, db, rows, count } = world();
  await writeRollups(db, rows);
  const place = { day: FIRST, partition: "pool-0" };
  /** Something that happens between what the packer reads and what it writes. */
  const between = (what: () => unknown): D1Database => {
    let isFirst = true;
    return new Proxy(db, {
      get: (target, name, receiver) => {
        if (name !== "batch") return Reflect.get(target, name, receiver);
        return async (statements: D1PreparedStatement[]) => {
          const isWrite = statements.length === 3;
          if (isWrite && isFirst) {
            isFirst = false;
            await what();
          }
          return target.batch(statements);
        };
      },
    });
  };
  const races = [
    `UPDATE hourly SET version = version + 1 WHERE day = ${FIRST} AND "partition" = 'pool-0'`,
    `UPDATE daily SET version = version + 1 WHERE bucket = ${FIRST} AND "partition" = 'pool-0'`,
    `DELETE FROM hourly WHERE day = ${FIRST} AND "partition" = 'pool-0'`,
  ];
  for (const text of races) {
    await packDay(
      between(() => database.exec(text)),
      place,
    );
    expect(count("blocks")).toBe(0);
  }
  await packDay(
    between(() => packDay(db, { day: FIRST + 1, partition: "pool-0" })),
    place,
  );
  expect((await readAll(db, { grain: "day" })).length).toBe(DAYS * PARTITIONS.length);
  await packDay(db, place);
  expect(count("daily WHERE \"partition\" = 'pool-0'")).toBe(DAYS - 2);
});

test("[BLK-7] a seal writes to a packed Day what it found missing, and to no other", async () => {
  const { database, db, rows } = world();
  await writeRollups(db, rows);
  for (const day of [FIRST, FIRST + 1]) await packDay(db, { day, partition: "pool-0" });
  database.exec(`INSERT INTO archive_days (day, "partition", generation, folder, rows, merchants, bytes, duplicates, differences,
    shown, late_marks, attempts, error) VALUES (${FIRST}, 'pool-0', 1, 'f', 0, 0, 0, 0, 0, '[]', 0, 0, '')`);
  const held = (await readDayRollups(db, { merchants: [1], day: FIRST, partition: "pool-0" })).find(
    ({ grain }) => grain === "day",
  ) as RollupRow;
  const replayed = { ...held, counts: { ...held.counts, pageviews: 99 } };
  const difference: Difference = {
    merchant: 1,
    grain: "day",
    bucket: FIRST,
    partition: "pool-0",
    inDoubt: false,
    mismatches: [],
    held: { row: held, published: true },
    replayed,
  };
  const sealing = {
    seal: { day: FIRST, partition: "pool-0", generation: 1 },
    differences: [difference],
    corrected: 0,
    shown: [],
    countedBy: undefined,
    known: { day: FIRST, partition: "pool-0", erasures: [], since: 0 },
  };
  await sealRollups(db, sealing);
  await packDay(db, { day: FIRST, partition: "pool-0" });
  const days = (await readAll(db, { grain: "day" })).filter(({ partition }) => partition === "pool-0");
  expect(days[0]?.counts.pageviews).toBe(99);
  expect(days.slice(1)).toEqual(inOrder(rows, "day").filter((row) => row.partition === "pool-0" && row.day > FIRST));
  await expect(sealRollups(db, sealing)).rejects.toThrow("changed while the Day was counted");
});

test("[BLK-9] an Hour that another Day has packed since it was found missing is not written once more, nor while it is packed", async () => {
  // Days of Vienna: the Hour at 23:00 UTC is of the next one. A zone of the past may show it on the Day before.
  const hourOf = (rows: readonly RollupRow[]) =>
    rows.find(({ grain, partition, day }) => grain === "hour" && partition === "pool-0" && day === FIRST) as RollupRow;
  const adding = (hour: RollupRow): Difference => {
    const { merchant, bucket, partition } = hour;
    const replayed = { ...hour, day: FIRST + 1 };
    return { merchant, grain: "hour", bucket, partition, inDoubt: false, mismatches: [], held: undefined, replayed };
  };
  const noted = `INSERT INTO archive_days (day, "partition", generation, folder, rows, merchants, bytes, duplicates, differences,
    shown, late_marks, attempts, error) VALUES (${FIRST + 1}, 'pool-0', 1, 'f', 0, 0, 0, 0, 0, '[]', 0, 0, '')`;
  const write = (db: D1Database, hour: RollupRow, by: "seal" | "job") => {
    const known = { day: FIRST + 1, partition: "pool-0", erasures: [], since: 0 };
    const differences = [adding(hour)];
    if (by === "job") return replaceRollups(db, { job: "j", differences, known });
    const seal = { day: FIRST + 1, partition: "pool-0", generation: 1 };
    return sealRollups(db, { seal, differences, corrected: 0, shown: [], countedBy: undefined, known });
  };
  for (const by of ["seal", "job"] as const) {
    for (const when of ["before", "between"] as const) {
      const { database, db, rows, count } = world();
      const hour = hourOf(rows);
      await writeRollups(db, rows);
      database.exec(noted);
      database.exec("INSERT INTO job_fences (job, kind, state, epoch) VALUES ('j', 'rebuild', 'running', 1)");
      const pack = () => packDay(db, { day: FIRST, partition: "pool-0" });
      if (when === "before") await pack();
      else database.exec(`DELETE FROM hourly WHERE day = ${FIRST} AND "partition" = 'pool-0'`);
      // What another does between this one's last look and its write.
      let isFirst = true;
      const batch = async (statements: D1PreparedStatement[]) => {
        if (isFirst) {
          isFirst = false;
          await writeRollups(db, rows);
          await pack();
        }
        return db.batch(statements);
      };
      const seen = when === "before" ? db : ({ ...db, batch } as D1Database);
      await expect(write(seen, hour, by)).rejects.toThrow("changed while the Day was counted");
      expect(count(`hourly WHERE bucket = ${hour.bucket} AND "partition" = 'pool-0'`)).toBe(0);
      const all = await readAll(db, { grain: "hour" });
      expect(all.filter(({ bucket, partition }) => bucket === hour.bucket && partition === "pool-0")).toHaveLength(1);
    }
  }
});
