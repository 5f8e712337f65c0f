// A bucket that was lost, and came back from a copy that is older, or not at all: no number falls, whose events are
// lost is known, and who was erased stays erased.

import { describe, expect, test } from "vitest";
import { thinned } from "../../core/counting/rollup-row.ts";
import type { Event } from "../../core/event.ts";
import { SEAL_AFTER_MS, SEAL_GRACE_MS } from "../../core/limits.ts";
import { DAY_MS, dateOf } from "../../core/time.ts";
import { erase } from "../../durable-objects/erase.ts";
import { readParquet } from "../../storage/archive/parquet.ts";
import { type BucketFound, type BucketStep, parseBucketStep, recoverBucket } from "../../storage/bucket-recovery.ts";
import { highestClaim, MERCHANTS, rulesOf, streamsOf } from "../../storage/directory/number-claim.ts";
import { driveErasure } from "../../storage/erasure-drive.ts";
import { createErasure, findErasure, listLostDays } from "../../storage/ledger/erasure.ts";
import { listRecords, putRecord } from "../../storage/ledger/erasure-record.ts";
import { readDayRollups } from "../../storage/ledger/rollups.ts";
import { dyingStorage, storageOf } from "../support/databases.ts";
import { settingsOf, TUESDAY } from "../support/events.ts";
import { type Random, seededRandom } from "../support/random.ts";
import { SealedWorld } from "../support/sealed-world.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const CLOSED_MS = DAY * DAY_MS + SEAL_AFTER_MS;
const MERCHANTS_SEEN = [1, 2, 3];
const VISITORS = ["00000000000000aa", "00000000000000bb", "00000000000000cc"] as const;

class LostBucket {
  readonly world = new SealedWorld(MERCHANTS_SEEN.map((merchant) => settingsOf("UTC", { merchant })));
  #copy: ReadonlyMap<string, Uint8Array> = new Map();
  copiedAt = 0;
  #sent = 0;

  async send(events: readonly Partial<Event>[]): Promise<void> {
    await this.world.send(events.map((event) => ({ id: `e${++this.#sent}`, ...event })));
  }

  copy(): void {
    this.#copy = new Map(this.world.objects);
    this.copiedAt = this.world.it.now;
    this.world.it.now += 1;
  }

  lose(): void {
    this.world.objects.clear();
  }

  putBack(): void {
    for (const [key, bytes] of this.#copy) if (!this.world.objects.has(key)) this.world.objects.set(key, bytes);
  }

  deps() {
    const { world } = this;
    return { ...world.deps(), claims: { bucket: world.bucket }, partitions: async () => ["pool-0"] };
  }

  /** All steps, each under the text that a client sends back. */
  async recover(copiedAt: number | undefined = this.copiedAt): Promise<BucketFound> {
    const all: Record<string, number> = {};
    for (let step: BucketStep | undefined; ; ) {
      const { next, ...found } = await recoverBucket(step, copiedAt, this.deps());
      for (const [name, count] of Object.entries(found)) all[name] = (all[name] ?? 0) + count;
      if (next === null) return all as unknown as BucketFound;
      const text = JSON.stringify(next);
      step = parseBucketStep(text, 1);
      expect(step, text).toEqual(next);
    }
  }

  async erase(visitor: string, merchant = 1): Promise<string> {
    const { world } = this;
    const { now } = world.it;
    const id = `ers_${now}`;
    const erasure = { id, merchant, kind: "visitor", visitor, fromDay: 0, toDay: 1e6, createdAt: now } as const;
    const asked = { erasure, partitions: ["pool-0"], openDays: [DAY, DAY + 1, DAY + 2] };
    const made = await createErasure(world.d1, asked);
    await putRecord(0, { ...asked, erasure: { ...erasure, number: made.number } }, world);
    await this.driveErasures();
    return id;
  }

  /** The cron's step. */
  async driveErasures(): Promise<void> {
    const { world } = this;
    const partition = () => ({
      erase: async (request: Parameters<typeof erase>[1]) => erase(world.it.partition, request),
    });
    const running = world.database.prepare("SELECT id FROM erasures WHERE state = 'running'").all();
    for (const { id } of running) {
      const erasure = await findErasure(world.d1, String(id));
      if (erasure !== undefined) await driveErasure(erasure, { ...world.deps(), partition });
    }
  }

  /** Crons until nothing is left to do. */
  async rest(): Promise<void> {
    for (let turn = 0; turn < 4; turn++) {
      await this.driveErasures();
      await this.world.settle();
      this.world.it.now += SEAL_GRACE_MS / 3;
      await this.world.seal();
    }
    await this.driveErasures();
  }

  /** Numbers as readers see them: by which log position a row was written is none of them. */
  async numbers(): Promise<Readonly<Record<string, string>>> {
    const numbers: Record<string, string> = {};
    for (let day = DAY - 10; day < DAY + 60; day++)
      for (const row of await this.rollupsOf(day)) {
        const { counts, sketch, presence, breakdowns, drops } = thinned(row);
        numbers[`${row.merchant} ${row.grain} ${row.bucket}`] = JSON.stringify(
          { counts, sketch, presence, breakdowns, drops },
          (_, value: unknown) => {
            if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
            const isTable = typeof value === "object" && value !== null && !Array.isArray(value);
            return isTable ? Object.fromEntries(Object.entries(value).sort()) : value;
          },
        );
      }
    return numbers;
  }

  rollupsOf(day: number) {
    return readDayRollups(this.world.d1, { merchants: MERCHANTS_SEEN, day, partition: "pool-0" });
  }

  /** Rows in the archive of a merchant, by Day. */
  async archived(merchant: number): Promise<ReadonlyMap<string, Set<string>>> {
    const found = new Map<string, Set<string>>();
    for (const [key, bytes] of this.world.objects) {
      if (!key.endsWith(".parquet")) continue;
      const date = /date=([^/]+)/.exec(key)?.[1] ?? "";
      const rows = (await readParquet(bytes)).rows.filter(({ event }) => event.merchant === merchant);
      found.set(
        date,
        new Set([...(found.get(date) ?? []), ...rows.map(({ event }) => `${event.visitor} ${event.id}`)]),
      );
    }
    return found;
  }

  async lostDays(merchant: number): Promise<readonly string[]> {
    return (await listLostDays(this.world.d1, { merchant, days: [0, 1e6] })).map(dateOf);
  }

  row() {
    return this.world.row(DAY);
  }
}

const late = (merchant: number, count: number) =>
  Array.from({ length: count }, () => ({ merchant, timestamp: TUESDAY }));

/** A Day of three merchants that is sealed and cleaned. */
async function sealedDay(): Promise<LostBucket> {
  const it = new LostBucket();
  await it.send([1, 2, 1, 3, 1].map((merchant) => ({ merchant })));
  await it.world.settle();
  await it.world.sealAt(CLOSED_MS);
  await it.rest();
  return it;
}

describe("[RCV-15] the bucket is lost", () => {
  test("without a copy: numbers stay for good, whatever comes late, and whose events are lost is known", async () => {
    const it = await sealedDay();
    const numbers = await it.numbers();
    it.lose();
    expect(await it.recover(undefined)).toMatchObject({ days: 1, doubted: 1 });
    await it.rest();
    expect(await it.numbers()).toEqual(numbers);
    expect(await it.row()).toMatchObject({ generation: 2, rows: 0, lost: 3, doubted: 0, lateSince: null, error: "" });
    expect(await Promise.all(MERCHANTS_SEEN.map((merchant) => it.lostDays(merchant)))).toEqual(
      MERCHANTS_SEEN.map(() => [dateOf(DAY)]),
    );
    expect(it.world.log).toContainEqual(
      expect.objectContaining({ event: "events_lost", day: dateOf(DAY), merchants: 3, events: 5 }),
    );
    await it.send(late(1, 2));
    await it.rest();
    expect(await it.numbers()).toEqual(numbers);
    expect((await it.archived(1)).get(dateOf(DAY))?.size).toBe(2);
  });

  test("with a copy of all that was: nothing is lost, and nothing but what is needed is written", async () => {
    const it = await sealedDay();
    const [numbers, row] = [await it.numbers(), await it.row()];
    it.copy();
    it.lose();
    it.putBack();
    const objects = [...it.world.objects.keys()];
    expect(await it.recover()).toMatchObject({ days: 1, doubted: 0, cleaned: 0 });
    await it.rest();
    expect([await it.numbers(), await it.row()]).toEqual([numbers, row]);
    expect([...it.world.objects.keys()].filter((key) => key.startsWith("sealed/"))).toEqual(
      objects.filter((key) => key.startsWith("sealed/")),
    );
  });

  test("with a copy from before late events: theirs alone are lost, of their merchant", async () => {
    const it = await sealedDay();
    it.copy();
    await it.send(late(2, 50));
    await it.rest();
    expect(await it.row()).toMatchObject({ generation: 2 });
    const numbers = await it.numbers();
    it.lose();
    it.putBack();
    // Who does not know yet that the bucket was lost takes nothing older for the Day's own.
    await it.send(late(3, 1));
    await it.world.settle();
    await it.world.seal();
    expect(await it.row()).toMatchObject({ error: expect.stringContaining("footfall recover bucket") });
    expect(await it.numbers()).toEqual(numbers);
    expect(await it.recover()).toMatchObject({ doubted: 1 });
    await it.rest();
    expect(await it.row()).toMatchObject({ lost: 1, doubted: 0, lateSince: null, error: "" });
    expect(await Promise.all(MERCHANTS_SEEN.map((merchant) => it.lostDays(merchant)))).toEqual([[], [dateOf(DAY)], []]);
    const days = (await it.rollupsOf(DAY)).filter(({ grain }) => grain === "day");
    expect(days.map(({ merchant, counts }) => [merchant, counts.events])).toEqual([
      [1, 3],
      [2, 51],
      [3, 2],
    ]);
  });

  test("late bundles that lay beside the files are missed by their count alone", async () => {
    const it = await sealedDay();
    const random = seededRandom(1);
    await it.send(late(1, 4_000).map((event) => ({ ...event, title: random.hex(20) })));
    await it.rest();
    it.copy();
    // Few enough to stay beside the files.
    await it.send(late(2, 1));
    await it.rest();
    const [numbers, before] = [await it.numbers(), await it.row()];
    expect(before?.generation).toBe(2);
    it.lose();
    it.putBack();
    expect(await it.recover()).toMatchObject({ doubted: 1 });
    await it.rest();
    expect(await it.numbers()).toEqual(numbers);
    expect([await it.lostDays(1), await it.lostDays(2)]).toEqual([[], [dateOf(DAY)]]);
  });

  test("a file that its manifest names is gone: the Day is sealed anew from what is left", async () => {
    const it = await sealedDay();
    const numbers = await it.numbers();
    for (const key of it.world.keys("sealed/")) if (key.endsWith(".parquet")) it.world.objects.delete(key);
    await it.recover();
    await it.rest();
    expect(await it.numbers()).toEqual(numbers);
    expect(await it.row()).toMatchObject({ generation: 2, rows: 0, lost: 3, error: "" });
  });

  test("events of an open Day are lost: it is sealed when it closes, with the numbers that were counted live", async () => {
    const it = new LostBucket();
    await it.send([1, 2, 1].map((merchant) => ({ merchant })));
    await it.world.settle();
    it.lose();
    await it.recover(undefined);
    await it.send([{ merchant: 2 }]);
    await it.world.settle();
    it.world.it.now = CLOSED_MS - 1;
    await it.world.settle();
    const numbers = await it.numbers();
    await it.world.sealAt(CLOSED_MS, 2);
    await it.rest();
    expect(await it.numbers()).toEqual(numbers);
    expect(await it.row()).toMatchObject({ generation: 1, rows: 1, lost: 2, doubted: 0, error: "" });
    // A Day of which nobody has anything is forgotten.
    it.world.it.now = CLOSED_MS + 3 * DAY_MS;
    await it.rest();
    const left = it.world.database.prepare("SELECT day FROM archive_days").all();
    expect(left).toEqual([{ day: DAY }]);
  });

  test("who was erased since the copy is erased from what came back", async () => {
    const it = new LostBucket();
    await it.send(VISITORS.flatMap((visitor) => MERCHANTS_SEEN.map((merchant) => ({ merchant, visitor }))));
    await it.world.settle();
    await it.world.sealAt(CLOSED_MS);
    it.copy(); // with the bundles that the seal stands for
    await it.rest();
    const id = await it.erase(VISITORS[0]);
    await it.rest();
    expect(await findErasure(it.world.d1, id)).toMatchObject({ state: "done" });
    const numbers = await it.numbers();
    it.lose();
    it.putBack();
    expect(JSON.stringify([...(await it.archived(1)).values()].map((rows) => [...rows]))).toContain(VISITORS[0]);
    expect(await it.recover()).toMatchObject({ records: 1 });
    await it.rest();
    await it.rest();
    expect(await findErasure(it.world.d1, id)).toMatchObject({ state: "done" });
    expect(JSON.stringify([...(await it.archived(1)).values()].map((rows) => [...rows]))).not.toContain(VISITORS[0]);
    expect(await it.numbers()).toEqual(numbers);
    expect(await it.lostDays(1)).toEqual([]);
    const listed: string[] = [];
    for await (const { erasure } of listRecords(0, it.world)) listed.push(erasure.id);
    expect(listed).toEqual([id]);
  });

  test("whoever dies while a Day is compared leaves what the next goes on with", async () => {
    const it = await sealedDay();
    it.copy();
    await it.send(late(2, 50));
    await it.rest();
    const [numbers, now] = [await it.numbers(), it.world.it.now];
    const state = it.world.database.prepare("SELECT * FROM archive_days").all();
    const dieAt = async (fatal: number, isAfter: boolean) => {
      it.world.database.exec("DELETE FROM archive_days; DELETE FROM removals");
      for (const row of state) {
        const columns = Object.keys(row);
        const text = `INSERT INTO archive_days ("${columns.join('", "')}") VALUES (${columns.map(() => "?").join()})`;
        it.world.database.prepare(text).run(...(Object.values(row) as string[]));
      }
      it.world.it.now = now;
      it.lose();
      it.putBack();
      await it.recover();
      const dying = dyingStorage(storageOf(it.world.d1), { fatal, isAfter });
      it.world.sealsSee = dying.directory;
      await it.world.seal().catch(() => undefined);
      it.world.sealsSee = undefined;
      it.world.queue.length = 0;
      return dying.calls();
    };
    const calls = await dieAt(Number.POSITIVE_INFINITY, false);
    expect(calls).toBeGreaterThan(10);
    for (let fatal = 0; fatal < calls; fatal++)
      for (const isAfter of [false, true]) {
        await dieAt(fatal, isAfter);
        await it.rest();
        expect([fatal, isAfter, await it.numbers()]).toEqual([fatal, isAfter, numbers]);
        expect(await it.row()).toMatchObject({ lost: 1, doubted: 0, lateSince: null, error: "" });
      }
  });
});

test("[RCV-16] numbers are claimed again as the directory knows them, once", async () => {
  const it = new LostBucket();
  const { database, bucket } = it.world;
  database.exec(
    `INSERT INTO streams (merchant, number, name, hostname, created_at) VALUES (2, 1, 'a', NULL, 0), (2, 7, 'b', NULL, 0)`,
  );
  database.exec(`INSERT INTO rule_versions (merchant, version, rules, note, created_at) VALUES (0, 4, '{}', '', 0)`);
  expect(await it.recover()).toMatchObject({ claims: 3 });
  expect(await it.recover()).toMatchObject({ claims: 0 });
  const highest = (numbered: Parameters<typeof highestClaim>[0]) => highestClaim(numbered, { bucket });
  expect(await Promise.all([MERCHANTS, streamsOf(2), rulesOf(0)].map(highest))).toEqual([3, 7, 4]);
});

const SEEDS = Number(process.env["SEEDS"] ?? 12);
const FIRST = Number(process.env["SEED"] ?? 1);

/** Hits, late ones, seals and erasures, for so many turns. */
async function live(it: LostBucket, random: Random, turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) {
    const count = random.integer(1, 8);
    await it.send(
      Array.from({ length: count }, () => ({
        merchant: random.pick(MERCHANTS_SEEN),
        visitor: random.pick(VISITORS),
        timestamp: it.world.it.now - random.pick([0, 0, DAY_MS, 4 * DAY_MS]),
      })),
    );
    if (random.chance(0.6)) await it.world.settle();
    if (random.chance(0.4)) await it.rest();
    if (random.chance(0.1)) await it.erase(random.pick(VISITORS), random.pick(MERCHANTS_SEEN));
    it.world.it.now += random.integer(1, DAY_MS);
  }
}

for (let seed = FIRST; seed < FIRST + SEEDS; seed++)
  test(`[RCV-15] seed ${seed}: no number changes, who was erased is nowhere, and a Day that is not lost has all its events`, async () => {
    const random = seededRandom(seed);
    const it = new LostBucket();
    await live(it, random, random.integer(3, 12));
    if (random.chance(0.85)) it.copy();
    await live(it, random, random.integer(0, 8));
    for (let time = 0; time < 3; time++) await it.rest();
    // All Days are closed and sealed; those of before are what is compared.
    it.world.it.now += 4 * DAY_MS;
    for (let time = 0; time < 3; time++) await it.rest();
    const numbers = await it.numbers();
    const whole = await Promise.all(MERCHANTS_SEEN.map((merchant) => it.archived(merchant)));
    it.lose();
    it.putBack();
    await it.recover(it.copiedAt === 0 || random.chance(0.3) ? undefined : it.copiedAt);
    if (random.chance(0.3)) await it.recover();
    for (let time = 0; time < 3; time++) await it.rest();
    expect(await it.numbers()).toEqual(numbers);
    const left = it.world.database
      .prepare("SELECT day, error FROM archive_days WHERE late_since IS NOT NULL OR doubted = 1")
      .all();
    expect(left).toEqual([]);
    for (const [index, merchant] of MERCHANTS_SEEN.entries()) {
      const archived = await it.archived(merchant);
      const lost = new Set(await it.lostDays(merchant));
      for (const [date, rows] of whole[index] ?? []) {
        const found = archived.get(date) ?? new Set();
        if (lost.has(date)) expect([...rows], date).toEqual(expect.arrayContaining([...found]));
        else expect([...found].sort(), date).toEqual([...rows].sort());
      }
    }
  });
