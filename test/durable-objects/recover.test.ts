// A partition whose storage is lost, or put back to an earlier instant: what it does until it is recovered, and what it
// has after that. Time is set by hand, and chance is by seed; the drill does the same to a real runtime.

import type { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { thinned } from "../../core/counting/rollup-row.ts";
import type { Event } from "../../core/event.ts";
import { SEAL_AFTER_MS } from "../../core/limits.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { STORAGE_LOST } from "../../core/watch/standing.ts";
import { append } from "../../durable-objects/append.ts";
import { claim, ensureOwn, isOwn } from "../../durable-objects/claim.ts";
import { drain } from "../../durable-objects/drain.ts";
import { tick } from "../../durable-objects/duties.ts";
import { erase } from "../../durable-objects/erase.ts";
import { republish } from "../../durable-objects/republish.ts";
import { completeness, dropDay } from "../../durable-objects/seal.ts";
import { statusOf } from "../../durable-objects/status.ts";
import { tell } from "../../durable-objects/tell.ts";
import { readParquet } from "../../storage/archive/parquet.ts";
import { driveErasure } from "../../storage/erasure-drive.ts";
import { createErasure } from "../../storage/ledger/erasure.ts";
import { noteForgotten, takeOver } from "../../storage/ledger/partition-claim.ts";
import { readDayRollups } from "../../storage/ledger/rollups.ts";
import { archivedNext, type RecoveringPartition } from "../../storage/partition-recovery.ts";
import { eventOf, settingsOf, TUESDAY } from "../support/events.ts";
import { TestPartition } from "../support/partition.ts";
import { type Random, seededRandom } from "../support/random.ts";
import { recovering, SealedWorld } from "../support/sealed-world.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const MERCHANTS = [
  settingsOf("UTC", { merchant: 1 }),
  settingsOf("Europe/Vienna", { merchant: 2 }),
  settingsOf("America/New_York", { merchant: 3 }),
];
const VISITORS = ["00000000000000aa", "00000000000000bb", "00000000000000cc", "00000000000000dd"];

/** A deployment of one partition, and what was acknowledged in it. */
class Outage {
  readonly world = new SealedWorld(MERCHANTS);
  /** Events in the order in which they were acknowledged. */
  readonly acknowledged: (Partial<Event> & { readonly id: string })[] = [];
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  get it() {
    return this.world.it;
  }

  /** Some hits, and what the partition does meanwhile. */
  async run(turns: number): Promise<void> {
    const random = this.#random;
    for (let turn = 0; turn < turns; turn++) {
      this.it.now += random.integer(1_000, 2 * HOUR_MS);
      await this.#hits(random.integer(1, 6));
      await this.#goOut(random.chance(0.4), random.chance(0.4));
      if (random.chance(0.1)) this.it.restart();
    }
  }

  /** As the alarm does: nothing before it is known to be its own. */
  async #goOut(settles: boolean, tells: boolean): Promise<void> {
    if (!settles && !tells) return;
    if (!this.it.partition.isChecked) await claim(this.it.partition);
    if (this.it.partition.standing !== "own") return;
    if (settles) await this.world.settle();
    if (tells) await tell(this.it.partition);
  }

  async #hits(count: number): Promise<void> {
    const random = this.#random;
    if (this.it.partition.standing === "lost") return;
    const events = Array.from({ length: count }, () => {
      const id = `e${this.acknowledged.length + 1}`;
      const timestamp = this.it.now - random.pick([0, 0, 5_000, HOUR_MS]);
      const sale = random.chance(0.2) && { name: "purchase", order: random.pick(["o1", "o2"]), revenue: 150_000 };
      const event = {
        ...{ id, timestamp, receivedAt: this.it.now, merchant: random.integer(1, 3), visitor: random.pick(VISITORS) },
        ...{ url: `https://shop.example/${random.integer(1, 5)}`, ...sale },
        ...(random.chance(0.1) && { userAgent: "Googlebot/2.1" }),
      };
      this.acknowledged.push(event);
      return event;
    });
    const fates = await this.it.send(events);
    expect(fates.filter((fate) => fate === "duplicate")).toEqual([]);
  }

  /** Ids in the archive, those that lie there twice once. */
  async archived(): Promise<ReadonlySet<string>> {
    const ids = new Set<string>();
    for (const [key, bytes] of this.world.objects)
      if (key.endsWith(".parquet")) for (const { event } of (await readParquet(bytes)).rows) ids.add(event.id);
    return ids;
  }

  /** Whether it takes a hit. */
  async takes(id: string): Promise<boolean> {
    const event = eventOf({ id, timestamp: this.it.now, receivedAt: this.it.now });
    const arrival = { event, address: "203.0.113.1", floating: false };
    return (await append(this.it.partition, [arrival])) !== "overloaded";
  }

  async erase(visitor: string): Promise<void> {
    const { world, it } = this;
    const asked = { id: `ers_${it.now}`, merchant: 1, kind: "visitor", visitor, fromDay: 0, toDay: 1e6 } as const;
    const erasure = await createErasure(world.d1, {
      erasure: { ...asked, createdAt: it.now },
      partitions: ["pool-0"],
      openDays: [DAY, DAY + 1, DAY + 2],
    });
    const partition = () => ({
      erase: async (request: Parameters<typeof erase>[1]) => erase(it.partition, request),
    });
    await driveErasure(erasure, { ...world.deps(), partition });
  }

  /** All rollups of the ledger by what they are of, whatever position they were written at. */
  async rollups({ drops: hasDrops = true } = {}): Promise<Readonly<Record<string, string>>> {
    const merchants = MERCHANTS.map(({ merchant }) => merchant);
    const rollups: Record<string, string> = {};
    for (let day = DAY - 1; day < DAY + 4; day++)
      for (const row of await readDayRollups(this.world.d1, { merchants, day, partition: "pool-0" })) {
        const { counts, sketch, presence, breakdowns, drops } = thinned(row);
        const isEmpty = counts.events === 0 && !(hasDrops && Object.keys(drops).length > 0);
        const told = { counts, sketch, presence, breakdowns, ...(hasDrops && { drops }) };
        const text = JSON.stringify(told, (_, value: unknown) => {
          if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
          const isTable = typeof value === "object" && value !== null && !Array.isArray(value);
          return isTable ? Object.fromEntries(Object.entries(value).sort()) : value;
        });
        if (!isEmpty) rollups[`${row.merchant} ${row.grain} ${row.bucket}`] = text;
      }
    return rollups;
  }

  /**
   * All Days end and are sealed. Gives what their numbers were before, and after they were counted from the archive.
   * What an erased visitor was dropped for stays until the seal.
   */
  async finish({ drops = true } = {}) {
    this.it.now = (DAY + 2) * DAY_MS + SEAL_AFTER_MS - 1;
    for (let turn = 0; turn < 3; turn++) await this.world.settle();
    const live = await this.rollups({ drops });
    await this.world.sealAt((DAY + 3) * DAY_MS + SEAL_AFTER_MS, 2);
    const rows = this.world.database.prepare("SELECT day, differences, generation, error FROM archive_days").all();
    const differences = rows.filter((row) => row["differences"] !== 0 || row["generation"] !== 1);
    return { live, replayed: await this.rollups({ drops }), differences };
  }
}

/** The same, with an object that dies here and there; what it was asked then fails. */
function mortal(it: Outage["it"], random: Random, probability: number): RecoveringPartition {
  const partition = recovering(it);
  const asked = <Request, Reply>(ask: (request: Request) => Promise<Reply>) => {
    return async (request: Request): Promise<Reply> => {
      const [before, inside, after] = [1, 2, 1].map((times) => random.chance(times * probability));
      if (inside) it.writesLeft = random.integer(0, 6);
      try {
        if (before) throw new Error("it died before");
        const reply = await ask(request);
        if (after) throw new Error("it died after");
        return reply;
      } catch (error) {
        it.writesLeft = undefined;
        it.restart();
        throw error;
      } finally {
        it.writesLeft = undefined;
      }
    };
  };
  return {
    beginRecovery: asked(partition.beginRecovery),
    countRecovered: asked(partition.countRecovered),
    endRecovery: asked(partition.endRecovery),
  };
}

/** Until it ends, however often it dies. */
async function recover({ world, it }: Outage, random: Random) {
  for (let attempt = 0; attempt < 50; attempt++) {
    const ended = await world.recover(mortal(it, random, 0.15 / (attempt + 1))).catch(() => undefined);
    if (ended !== undefined) return ended;
  }
  throw new Error("it never ends");
}

const SEEDS = Number(process.env["SEEDS"] ?? 12);

describe.each(Array.from({ length: SEEDS }, (_, seed) => seed))("seed %d", (seed) => {
  test("[RCV-12] a lost partition comes back as the archive has it: lost is what the report says, nothing is twice, and what is counted is what a replay counts", async () => {
    const random = seededRandom(seed);
    const outage = new Outage(random);
    const { it } = outage;
    await outage.run(random.integer(2, 12));
    const erased = random.chance(0.5) ? (VISITORS[0] as string) : undefined;
    if (erased !== undefined) await outage.erase(erased);
    await outage.run(random.integer(0, 6));
    const had = await outage.archived();
    const before = it.partition.next;
    it.lose();
    expect(await outage.takes("outage")).toBe(false);
    expect(await isOwn(it.partition)).toBe(false);

    const report = await recover(outage, random);

    const lost = outage.acknowledged.filter(({ id }) => !had.has(id));
    // The log is in the order of the acknowledgements: position 1 is the first of them.
    if (report.archivedPosition > 0) expect(outage.acknowledged.slice(report.archivedPosition)).toEqual(lost);
    expect(report.first).toBeGreaterThan(before);
    const again = outage.acknowledged.filter(() => random.chance(0.5));
    const fates = await it.send(again);
    const isDuplicate = fates.map((fate) => fate === "duplicate");
    expect(isDuplicate).toEqual(again.map((event) => !lost.includes(event)));
    const expected = new Set([...had, ...again.map(({ id }) => id)]);
    const since = outage.acknowledged.length;
    await outage.run(random.integer(1, 6));
    for (const { id } of outage.acknowledged.slice(since)) expected.add(id);
    const { live, replayed, differences } = await outage.finish({ drops: erased === undefined });
    expect(differences).toEqual([]);
    expect(replayed).toEqual(live);
    const ids = await outage.archived();
    for (const id of ids) expect(expected).toContain(id);
    if (erased === undefined) expect(ids.size).toBe(expected.size);
  });

  test("[RCV-7] a ledger that was restored to before its partition was recovered knows it again, and takes its hits", async () => {
    const random = seededRandom(2_000 + seed);
    const outage = new Outage(random);
    const { it, world } = outage;
    await outage.run(random.integer(2, 8));
    if (random.chance(0.7)) await tell(it.partition);
    if (!it.partition.isChecked) await claim(it.partition);
    const known = world.database.prepare("SELECT * FROM partition_status").all();
    await outage.run(random.integer(0, 4));
    it.lose();
    await claim(it.partition);
    expect(statusOf(it.partition).recoveredClaim).toBeNull();
    await recover(outage, random);
    await outage.run(random.integer(0, 4));
    world.database.exec("DELETE FROM partition_status");
    for (const row of known) {
      const names = Object.keys(row);
      const text = `INSERT INTO partition_status ("${names.join('", "')}") VALUES (${names.map(() => "?").join()})`;
      world.database.prepare(text).run(...(Object.values(row) as string[]));
    }
    if (random.chance(0.5)) {
      it.restart();
      await claim(it.partition);
      expect(it.partition.standing).toBe("lost");
    }
    // What the query Worker does for each partition of a ledger that is recovered.
    const { nextPosition, recoveredClaim } = statusOf(it.partition);
    expect((await archivedNext(["pool-0"], world.deps())).get("pool-0") ?? 0).toBeLessThanOrEqual(nextPosition);
    await takeOver(world.d1, { partition: "pool-0", claim: recoveredClaim as string, now: it.now });
    await republish(it.partition);
    it.restart();
    await claim(it.partition);
    expect([it.partition.standing, statusOf(it.partition).failing]).toEqual(["own", []]);
    expect(await outage.takes("after")).toBe(true);
  });

  test("[RCV-13] one that was put back notices it, and comes back with what its log has and the archive has not", async () => {
    const random = seededRandom(1_000 + seed);
    const outage = new Outage(random);
    const { world, it } = outage;
    await outage.run(random.integer(2, 8));
    const copy: DatabaseSync = it.copy();
    const upTo = it.partition.next - 1;
    await outage.run(random.integer(2, 8));
    await world.settle();
    await tell(it.partition);
    it.lose(copy);
    // It takes hits until it looks into its ledger, under positions that it has given before.
    const since = outage.acknowledged.length;
    await outage.run(random.integer(0, 3));
    await claim(it.partition);
    expect(it.partition.standing).toBe("lost");
    expect(await outage.takes("outage")).toBe(false);
    const kept = [...outage.acknowledged.slice(0, upTo), ...outage.acknowledged.slice(since)].map(({ id }) => id);
    const had = await outage.archived();

    await recover(outage, random);

    await outage.run(random.integer(1, 4));
    const { live, replayed, differences } = await outage.finish();
    expect(differences).toEqual([]);
    expect(replayed).toEqual(live);
    const ids = await outage.archived();
    for (const id of [...kept, ...had]) expect(ids).toContain(id);
  });
});

const own = () => new Outage(seededRandom(7));

describe("[RCV-14] until it is recovered, a lost partition harms nothing", () => {
  test("it counts no hit, closes no Day, carries out no erasure, and its ledger says that it waits", async () => {
    const outage = own();
    const { it, world } = outage;
    await outage.run(3);
    await world.settle();
    await tell(it.partition);
    const archived = [...world.objects.keys()];
    const rollups = await outage.rollups();
    it.lose();
    expect(await outage.takes("outage")).toBe(false);
    it.now += 10 * DAY_MS;
    await tick(it.partition);
    expect(completeness(it.partition, DAY)).toMatchObject({ complete: false });
    await expect(ensureOwn(it.partition)).rejects.toThrow("footfall recover partition pool-0");
    expect(statusOf(it.partition).failing).toEqual([STORAGE_LOST]);
    const [row] = world.database.prepare("SELECT failing FROM partition_status").all();
    expect(row).toEqual({ failing: STORAGE_LOST });
    it.restart();
    expect(await outage.takes("outage")).toBe(false);
    await world.seal();
    expect([[...world.objects.keys()], await outage.rollups()]).toEqual([archived, rollups]);
  });

  test.each([
    ["bundles", 0],
    ["sealed files", 1],
  ])("no Day is sealed of which the archive has %s that nobody here knows", async (_, seals) => {
    const outage = own();
    const { it, world } = outage;
    await outage.run(3);
    it.now += 10 * DAY_MS;
    await world.settle();
    for (let seal = 0; seal < seals; seal++) await world.seal();
    await world.d1.batch([world.d1.prepare("UPDATE archive_days SET late_since = 1, due_at = 1")]);
    const archived = [...world.objects.keys()];
    it.lose();
    it.now += HOUR_MS;
    await world.seal();
    const row = await world.row(DAY);
    expect(row?.error).toContain("does not know: footfall recover partition pool-0");
    expect([...world.objects.keys()]).toEqual(archived);
  });

  test("one whose ledger was lost with it, and made anew, takes nothing once the ledger is recovered", async () => {
    const outage = own();
    const { it, world } = outage;
    await outage.run(3);
    await world.settle();
    expect((await archivedNext(["pool-0"], world.deps())).get("pool-0")).toBe(statusOf(it.partition).nextPosition);
    it.lose();
    world.database.exec("DELETE FROM partition_status");
    expect(await outage.takes("before")).toBe(true); // nobody knows better
    expect((await archivedNext(["pool-0"], world.deps())).get("pool-0")).toBeGreaterThan(
      statusOf(it.partition).nextPosition,
    );
    await noteForgotten(world.d1, { partition: "pool-0", now: it.now });
    expect(await republish(it.partition)).toEqual([]);
    expect(await outage.takes("outage")).toBe(false);
    expect(statusOf(it.partition).failing).toEqual([STORAGE_LOST]);
  });

  test("a whole one stays so when its ledger is recovered without need, whatever it has told since it started", async () => {
    const outage = own();
    const { it } = outage;
    await outage.run(3);
    await tell(it.partition);
    for (let times = 0; times < 2; times++) {
      expect(await republish(it.partition)).not.toEqual([]);
      expect([it.partition.standing, await outage.takes(`after ${times}`)]).toEqual(["own", true]);
      await tell(it.partition);
      it.restart();
    }
  });

  test("an object that was only asked about a Day says that it has nothing of it, and writes nothing", () => {
    const it = new TestPartition();
    it.now = (DAY + 9) * DAY_MS;
    expect(completeness(it.partition, DAY)).toEqual({ complete: true, position: 1, counted: [] });
    expect(dropDay(it.partition, DAY)).toBe(true);
    expect(it.database.prepare("SELECT name FROM sqlite_master").all()).toEqual([]);
  });

  test("a new partition is none that was lost, whatever it dies of while it claims its name", async () => {
    const outage = own();
    const { it } = outage;
    it.broken.add("d1");
    expect(await outage.takes("a")).toBe(false); // its ledger does not say whether it is new
    it.broken.clear();
    for (let writes = 0; writes < 8; writes++) {
      it.writesLeft = writes;
      await outage.takes("a").catch(() => false);
      it.writesLeft = undefined;
      it.restart();
    }
    expect(await outage.takes("a")).toBe(true);
  });

  test("a storage from before there were claims claims its name, though its ledger has its events", async () => {
    const outage = own();
    const { it, world } = outage;
    await outage.run(2);
    await tell(it.partition);
    world.database.exec("UPDATE partition_status SET claim = ''");
    const { claim: _, standing: __, ...old } = JSON.parse(positionsOf(it.database));
    it.database.prepare("UPDATE positions SET value = ?").run(JSON.stringify(old));
    it.restart();
    expect(await outage.takes("a")).toBe(true);
    it.lose();
    expect(await outage.takes("b")).toBe(false);
  });
});

test("[RCV-12] a bundle that comes into the archive after the recovery is counted by the next one, once", async () => {
  const outage = own();
  const { it, world } = outage;
  await outage.run(2);
  await drain(it.partition);
  it.now += HOUR_MS;
  await it.send([{ id: "on its way", merchant: 1, timestamp: it.now, url: "https://shop.example/on-its-way" }]);
  it.now += HOUR_MS;
  await drain(it.partition); // on the queue, and not in the archive yet
  it.lose();
  await world.recover();
  await world.settle();
  expect(it.partition.missed).toBe(true);
  await tick(it.partition);
  expect(it.told.at(-1)?.failing).toBe(STORAGE_LOST);
  await world.recover();
  expect(statusOf(it.partition).failing).toEqual([]);
  expect(
    await it.send([{ id: "on its way", merchant: 1, timestamp: it.now, url: "https://shop.example/on-its-way" }]),
  ).toEqual(["duplicate"]);
  const { differences } = await outage.finish();
  expect(differences).toEqual([]);
});

test("[RCV-12] a bundle that comes into the archive while a recovery ends is not forgotten", async () => {
  const outage = own();
  const { it, world } = outage;
  await outage.run(2);
  await world.settle();
  it.now += HOUR_MS;
  await it.send([{ id: "on its way", merchant: 1, timestamp: it.now, url: "https://shop.example/on-its-way" }]);
  it.now += HOUR_MS;
  await drain(it.partition);
  it.lose();
  const partition = recovering(it);
  await world.recover({
    ...partition,
    endRecovery: async (request) => {
      await world.settle(); // all bundles were counted that were there
      return partition.endRecovery(request);
    },
  });
  await tick(it.partition);
  expect(it.told.at(-1)?.failing).toBe(STORAGE_LOST);
  await world.recover();
  expect(statusOf(it.partition).failing).toEqual([]);
  const { live, replayed, differences } = await outage.finish();
  expect(differences).toEqual([]);
  expect(replayed).toEqual(live);
});

/** A bundle of a storage that was lost and is recovered comes into the archive when its Day is sealed. */
async function sealedWithout(on: (outage: Outage) => Promise<void> = async () => {}) {
  const outage = own();
  const { it, world } = outage;
  const hit = (id: string, visitor: string) =>
    it.send([{ id, merchant: 1, visitor, timestamp: it.now, receivedAt: it.now, url: "https://shop.example/" }]);
  await hit("archived", VISITORS[0] as string);
  await world.settle();
  await hit("on its way", VISITORS[1] as string);
  it.now += HOUR_MS;
  await drain(it.partition);
  const onItsWay = it.sent.splice(-1).map(({ text }) => text);
  it.lose();
  await world.recover();
  await hit("after", VISITORS[2] as string);
  await world.settle();
  await on(outage);
  await world.sealAt((DAY + 1) * DAY_MS + SEAL_AFTER_MS, 2);
  expect((await world.row(DAY))?.generation).toBe(1);
  for (const text of onItsWay) await world.archive(text);
  return { outage, onItsWay };
}

/** The cron goes on for so long that bundles which sealed files stand for are deleted. */
async function goOn({ world, it }: Outage): Promise<void> {
  for (let hours = 0; hours < 60; hours += 6) {
    it.now += 6 * HOUR_MS;
    await world.settle();
    await world.seal();
  }
}

async function eventsOf({ world }: Outage): Promise<number> {
  const rows = await readDayRollups(world.d1, { merchants: [1], day: DAY, partition: "pool-0" });
  return rows.find(({ grain }) => grain === "day")?.counts.events ?? 0;
}

test("[RCV-18] a bundle that comes into the archive when its Day is sealed is counted, once, and stays", async () => {
  const { outage, onItsWay } = await sealedWithout();
  await goOn(outage);
  expect(await eventsOf(outage)).toBe(3);
  expect([...(await outage.archived())].sort()).toEqual(["after", "archived", "on its way"]);
  // The queue may bring it once more, at any time.
  for (const text of onItsWay) await outage.world.archive(text);
  await goOn(outage);
  expect(await eventsOf(outage)).toBe(3);
  expect([...(await outage.archived())].sort()).toEqual(["after", "archived", "on its way"]);
});

test("[RCV-18] who was erased meanwhile does not come back with it", async () => {
  const { outage } = await sealedWithout((open) => open.erase(VISITORS[1] as string));
  await goOn(outage);
  expect(await eventsOf(outage)).toBe(2);
  expect([...(await outage.archived())].sort()).toEqual(["after", "archived"]);
});

test("[RCV-18] while its partition is recovered it waits, and dies with nothing counted twice", async () => {
  const { outage, onItsWay } = await sealedWithout();
  const { it, world } = outage;
  const partition = recovering(it);
  let refused = 0;
  await world.recover({
    ...partition,
    endRecovery: async (request) => {
      for (const text of onItsWay) await world.archive(text).catch(() => (refused += 1));
      return partition.endRecovery(request);
    },
  });
  expect(refused).toBe(1);
  for (let writes = 0; writes < 6; writes++) {
    it.writesLeft = writes;
    for (const text of onItsWay) await world.archive(text).catch(() => undefined);
    it.writesLeft = undefined;
    it.restart();
  }
  for (const text of onItsWay) await world.archive(text);
  await goOn(outage);
  expect(await eventsOf(outage)).toBe(3);
});

test("[RCV-12] an id that tells another story after its storage was put back is counted once", async () => {
  const outage = own();
  const { it, world } = outage;
  await outage.run(2);
  const copy = it.copy();
  it.now += HOUR_MS;
  const event = { id: "two stories", merchant: 1, timestamp: it.now, name: "purchase", order: "o9" };
  await it.send([{ ...event, revenue: 1_000_000 }]);
  await world.settle();
  await tell(it.partition);
  it.lose(copy);
  it.broken.add("d1"); // its ledger cannot tell it
  expect(await it.send([{ ...event, revenue: 2_000_000 }])).toEqual(["accepted"]);
  it.broken.clear();
  await claim(it.partition);
  await world.recover();
  const { live, replayed, differences } = await outage.finish();
  expect(differences).toEqual([]);
  expect(replayed).toEqual(live);
});

describe("[RCV-12] what a ledger says of a storage", () => {
  test("is of the one that asked, not of the one that a recovery has made meanwhile", async () => {
    const outage = own();
    const { it, world } = outage;
    await outage.run(3);
    await world.settle();
    await tell(it.partition);
    it.lose();
    const late = Promise.withResolvers<void>();
    const { claimName } = it.partition.deps;
    const slow: typeof claimName = async (name) => {
      const known = await claimName(name);
      await late.promise;
      return known;
    };
    Object.assign(it.partition, { deps: { ...it.partition.deps, claimName: slow } });
    const asked = claim(it.partition);
    await world.recover();
    late.resolve();
    await asked;
    expect(it.partition.standing).toBe("own");
    expect(await outage.takes("a")).toBe(true);
  });

  test("is told to whoever watches, also where that fails at first", async () => {
    const outage = own();
    const { it, world } = outage;
    await outage.run(3);
    await tell(it.partition);
    it.lose();
    Object.assign(it.partition, {
      deps: { ...it.partition.deps, noteLost: () => Promise.reject(new Error("d1 is down")) },
    });
    expect(await outage.takes("a")).toBe(false);
    it.restart();
    expect(await outage.takes("a")).toBe(false);
    const [row] = world.database.prepare("SELECT failing FROM partition_status").all();
    expect(row).toEqual({ failing: STORAGE_LOST });
  });
});

test("[RCV-12] a hit that waits while a recovery begins is not counted before the archive's events are", async () => {
  const outage = own();
  const { it, world } = outage;
  const event = { id: "sent twice", merchant: 1, timestamp: it.now };
  await it.send([event]);
  await world.settle();
  it.restart();
  const settings = Promise.withResolvers<void>();
  const { readChanges } = it.partition.deps;
  const slow: typeof readChanges = async (since) => {
    await settings.promise;
    return readChanges(since);
  };
  Object.assign(it.partition, { deps: { ...it.partition.deps, readChanges: slow } });
  it.now += DAY_MS / 4; // it has to ask for settings
  const arrival = { event: eventOf({ ...event, receivedAt: it.now }), address: "203.0.113.1", floating: false };
  const resent = append(it.partition, [arrival]);
  const { first } = await recovering(it).beginRecovery({ partition: "pool-0", first: 1_000, events: 1 });
  settings.resolve();
  expect(await resent).toBe("overloaded");
  expect(it.partition.next).toBe(first);
});

test("[RCV-12] two recoveries at once: the earlier one is refused", async () => {
  const outage = own();
  await outage.run(3);
  outage.it.lose();
  const partition = recovering(outage.it);
  const { first } = await partition.beginRecovery({ partition: "pool-0", first: 1_000, events: 0 });
  await partition.beginRecovery({ partition: "pool-0", first: first + 1, events: 0 });
  expect(await partition.countRecovered({ first, rows: "[]" })).toBe("superseded");
  expect(await partition.endRecovery({ first, removals: [] })).toBe("superseded");
});

function positionsOf(database: DatabaseSync): string {
  return String(database.prepare("SELECT value FROM positions").get()?.["value"]);
}
