// A zone put on past Days: what is shown is what a world shows that had the zone from the start, while late
// events come, seals write and a process dies, and an undo shows the numbers from before. Scans and exports
// are asked beside rollups.

import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { rowsOf } from "../../core/archive/event-columns.ts";
import { SEAL_AFTER_MS } from "../../core/limits.ts";
import type { Settings } from "../../core/merchant.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { erase } from "../../durable-objects/erase.ts";
import { driveErasures } from "../../queues/erasure.ts";
import { findExport, readExport } from "../../storage/archive/archive-export.ts";
import { findEvents } from "../../storage/archive/merchant-events.ts";
import { readSettings } from "../../storage/directory/settings.ts";
import type { ErasureDeps } from "../../storage/erasure-drive.ts";
import { createErasure } from "../../storage/ledger/erasure.ts";
import { settingsOf, TUESDAY } from "../support/events.ts";
import { memoryArchive } from "../support/memory-bucket.ts";
import { allRows } from "../support/packed.ts";
import { type Asked, ReplayedWorld } from "../support/replayed-world.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const FIRST = DAY - 4;
/** Days that the zone is put on; events lie in them and in the two beside them. */
const RANGE = { fromDay: FIRST - 1, toDay: DAY + 3 };
const ZONES = [
  "UTC",
  "Asia/Kolkata",
  "America/Los_Angeles",
  "Pacific/Kiritimati",
  "Pacific/Niue",
  "Australia/Lord_Howe",
];

interface Sent {
  readonly id: string;
  readonly visitor: string;
  readonly timestamp: number;
}

const EVENTS: readonly Sent[] = Array.from({ length: 60 }, (_, index) => ({
  id: `e${index}`,
  visitor: `00000000000000a${index % 7}`,
  timestamp: FIRST * DAY_MS + index * 97 * 60_000,
}));

/** A world whose Days are sealed: merchant 1 in a zone, and a neighbour in the same files. */
async function sealed(zone: string, events: readonly Sent[] = EVENTS): Promise<ReplayedWorld> {
  const world = new ReplayedWorld([settingsOf(zone), settingsOf("Europe/Vienna", { merchant: 2 })]);
  world.it.now = TUESDAY;
  await world.send(
    events.flatMap((event) => [
      { ...event, merchant: 1 },
      { ...event, merchant: 2 },
    ]),
  );
  await world.settle();
  world.it.now = (DAY + 5) * DAY_MS + SEAL_AFTER_MS;
  await world.settle();
  await world.seal();
  return world;
}

/** What a reader is shown of a merchant: every row that has a number in it, without versions. */
function shown(world: ReplayedWorld, merchant = 1): readonly object[] {
  return world.numbers().filter((row) => {
    const { merchant: whose, visitors, drops } = row as Record<string, unknown>;
    return whose === merchant && (visitors !== 0 || drops !== "{}");
  });
}

async function settings(world: ReplayedWorld): Promise<Settings> {
  return (await readSettings(world.d1, 1)) as Settings;
}

/** Ids by Day, as exports and as questions read them. */
async function archived(world: ReplayedWorld): Promise<readonly (readonly string[])[]> {
  const places = Array.from({ length: 12 }, (_, index) => ({ day: FIRST - 2 + index, partition: "pool-0" }));
  const known = await settings(world);
  const bucket = memoryArchive(world.objects);
  const source = { archive: { bucket }, ledger: world.d1 };
  const exported: string[] = [];
  const found = await findExport(source, { settings: known, places, recent: new Map() });
  for await (const rows of readExport(source, { settings: known, places: found }))
    exported.push(...rows.map(({ date, event }) => `${Date.parse(date) / DAY_MS} ${event.id}`));
  const read: string[] = [];
  const events = await findEvents(
    { settings: known, places, recent: new Map(), columns: [], together: "partition" },
    { ledgers: world.databases.ledgers, bucket },
  );
  for await (const { day, partitions } of events.days())
    read.push(...new Set(partitions.flatMap(rowsOf).map(({ event }) => `${day} ${event.id}`)));
  return [exported.sort(), read.sort()];
}

async function verified(world: ReplayedWorld): Promise<void> {
  const asked = { kind: "verify", fromDay: FIRST - 4, toDay: DAY + 4 } as const;
  expect(await world.run(asked)).toMatchObject({ state: "done", differences: 0, inDoubt: 0, failed: 0 });
  expect(await world.run({ ...asked, merchants: [1] })).toMatchObject({ differences: 0, inDoubt: 0, failed: 0 });
}

test.each(ZONES.flatMap((from) => ZONES.filter((to) => to !== from).map((to) => [from, to] as const)))(
  "[ZON-1] [ZON-2] from %s to %s: rollups, scans and exports are those of a world that had the zone from the start",
  async (from, to) => {
    const [world, always] = [await sealed(from), await sealed(to)];
    const [before, neighbour, filed] = [shown(world), shown(world, 2), await archived(world)];
    const preview = await world.run({ kind: "verify", ...RANGE, merchants: [1], zone: to });
    expect(preview.differences).toBeGreaterThan(0);
    expect(shown(world)).toEqual(before);
    const job = await world.run({ kind: "rebuild", ...RANGE, merchants: [1], zone: to });
    expect(job).toMatchObject({ state: "done", failed: 0, inDoubt: 0, unpublished: 0 });
    expect(shown(world)).toEqual(shown(always));
    expect(shown(world, 2)).toEqual(neighbour);
    expect(await archived(world)).toEqual(await archived(always));
    await verified(world);
    expect(await world.change(job.id, "undo")).toBe(true);
    await world.work();
    expect(await world.look(job.id)).toMatchObject({ state: "undone" });
    expect(shown(world)).toEqual(before);
    expect(await archived(world)).toEqual(filed);
    await verified(world);
  },
);

test("[ZON-3] late events and new seals count in the Days of the new zone, also while it is put on and taken back", async () => {
  const [world, always] = [await sealed("UTC"), await sealed("Asia/Tokyo")];
  const late = EVENTS.map((event, index) => ({
    ...event,
    id: `late ${index}`,
    timestamp: event.timestamp + 5 * 60_000,
  }));
  const send = async (to: ReplayedWorld, events: readonly Sent[]) => {
    await to.send(events.map((event) => ({ ...event, merchant: 1 })));
    await to.settle();
    to.it.now += HOUR_MS;
    await to.seal();
  };
  await send(always, late.slice(0, 20));
  const { id } = await world.start({ kind: "rebuild", ...RANGE, merchants: [1], zone: "Asia/Tokyo" });
  await send(world, late.slice(0, 20));
  await world.work();
  expect(await world.look(id)).toMatchObject({ state: "done", failed: 0 });
  expect(shown(world)).toEqual(shown(always));
  await verified(world);
  for (const to of [world, always]) await send(to, late.slice(20, 40));
  expect(shown(world)).toEqual(shown(always));
  expect(await archived(world)).toEqual(await archived(always));
  await verified(world);
  await world.change(id, "undo");
  await send(world, late.slice(40));
  await world.work();
  await world.consume();
  world.it.now += DAY_MS;
  await world.seal();
  const plain = await sealed("UTC");
  await send(plain, late);
  expect(shown(world)).toEqual(shown(plain));
  await verified(world);
});

test("[ZON-3] a late event of a large Day is counted without a new seal of its files", async () => {
  const many = Array.from({ length: 3_000 }, (_, index) => ({
    id: `m${index}`,
    visitor: `0000000000000${String(index % 400).padStart(3, "0")}`,
    timestamp: FIRST * DAY_MS + index * 90_000,
    // Nothing that packs well: a late event is little beside it.
    url: `https://shop.example/${createHash("sha512").update(String(index)).digest("hex")}`,
  }));
  const [world, always] = [await sealed("UTC", many), await sealed("America/New_York", many)];
  await world.run({ kind: "rebuild", ...RANGE, merchants: [1], zone: "America/New_York" });
  const before = await world.row(FIRST + 1);
  for (const to of [world, always]) {
    // In the first Hours of the Day in UTC: the evening before in New York.
    await to.send([{ id: "late", visitor: "00000000000000bb", timestamp: (FIRST + 1) * DAY_MS + HOUR_MS }]);
    await to.settle();
    to.it.now += HOUR_MS;
    await to.seal();
  }
  expect((await world.row(FIRST + 1))?.generation).toBe(before?.generation);
  expect(shown(world)).toEqual(shown(always));
  await verified(world);
});

test("[ZON-3] what the seal of one folder counts while that of its neighbour looks on is not taken away again", async () => {
  const [world, always] = [await sealed("UTC"), await sealed("America/New_York")];
  await world.run({ kind: "rebuild", ...RANGE, merchants: [1], zone: "America/New_York" });
  const [first, second] = [
    { merchant: 1, id: "first", timestamp: FIRST * DAY_MS + 10 * HOUR_MS },
    // The same Day in New York, and another in UTC.
    { merchant: 1, id: "second", timestamp: (FIRST + 1) * DAY_MS + HOUR_MS },
  ];
  await always.send([first, second]);
  await always.settle();
  await always.consume();
  await world.send([first]);
  await world.settle();
  let isBetween = false;
  const reads = new Set<D1PreparedStatement>();
  const batch = async (statements: D1PreparedStatement[]) => {
    if (!isBetween && statements.some((statement) => reads.has(statement))) {
      isBetween = true;
      world.sealsSee = world.d1;
      await world.send([second]);
      await world.settle();
      await world.consume();
    }
    return world.d1.batch(statements);
  };
  const prepare = (text: string) => {
    const statement = world.d1.prepare(text);
    const bind = (...values: unknown[]) => {
      const bound = statement.bind(...values);
      // The archive has been read, and D1 is about to be, of the Day both belong to.
      const isRead = /FROM hourly WHERE/.test(text) && values.includes("[1]") && values.includes((FIRST - 1) * DAY_MS);
      if (!isRead) return bound;
      reads.add(bound);
      return bound;
    };
    return { ...statement, bind } as D1PreparedStatement;
  };
  world.sealsSee = { ...world.d1, prepare, batch } as D1Database;
  await world.consume();
  expect(isBetween).toBe(true);
  expect(await world.row(FIRST)).toMatchObject({ error: expect.stringContaining("a complete Day") });
  world.it.now += HOUR_MS;
  await world.seal();
  expect(shown(world)).toEqual(shown(always));
  await verified(world);
});

test("[ZON-2] an id that comes in two folders counts once in the Day they share, sealed or not", async () => {
  const midnight = (FIRST + 1) * DAY_MS;
  const twice = [
    { id: "same", visitor: "00000000000000aa", timestamp: midnight - 3 * HOUR_MS },
    { id: "same", visitor: "00000000000000bb", timestamp: midnight + 3 * HOUR_MS },
  ];
  const world = await sealed("UTC", twice);
  await world.run({ kind: "rebuild", ...RANGE, merchants: [1], zone: "America/New_York" });
  const day = `${FIRST} same`;
  expect(await archived(world)).toEqual([[day], [day]]);
  expect(pageviewsByDay(world)).toEqual([[FIRST, 1]]);
  await verified(world);
});

test("[ZON-4] whatever Days get whatever zones, one after the other, and are taken back in turn", async () => {
  const zone = fc.constantFrom("UTC", "Asia/Tokyo", "America/Los_Angeles", "Pacific/Kiritimati", "Pacific/Niue");
  const put = fc.record({ zone, from: fc.integer({ min: -1, max: 4 }), days: fc.integer({ min: 1, max: 4 }) });
  const minutes = fc.array(fc.integer({ min: 0, max: 6 * 24 * 60 }), { minLength: 1, maxLength: 25 });
  await fc.assert(
    fc.asyncProperty(zone, minutes, fc.array(put, { minLength: 1, maxLength: 3 }), async (base, at, puts) => {
      const events = at.map((minute, index) => ({
        id: `e${index}`,
        visitor: `00000000000000a${index % 3}`,
        timestamp: FIRST * DAY_MS + minute * 60_000,
      }));
      const world = await sealed(base, events);
      const jobs: { readonly id: string; readonly before: readonly object[] }[] = [];
      const applied: Put[] = [];
      for (const one of puts) {
        const before = shown(world);
        const days = { fromDay: FIRST + one.from, toDay: FIRST + one.from + one.days };
        const started = await world.tryStart({ kind: "rebuild", ...days, merchants: [1], zone: one.zone });
        if (!started.ok) continue; // these Days are in that zone already
        await world.work();
        applied.push({ ...days, zone: one.zone });
        jobs.push({ id: started.value.id, before });
        const expected = events.map((event) => `${naiveDay(base, applied, event.timestamp)} ${event.id}`).sort();
        expect(await archived(world)).toEqual([expected, expected]);
        expect(pageviewsByDay(world)).toEqual(countBy(expected.map((text) => Number(text.split(" ")[0]))));
        await verified(world);
      }
      for (const { id, before } of jobs.reverse()) {
        expect(await world.change(id, "undo")).toBe(true);
        await world.work();
        expect(shown(world)).toEqual(before);
        await verified(world);
      }
    }),
    { numRuns: 25 },
  );
});

test("[ZON-5] a rebuild and its undo that die at any statement end as if they had not", async () => {
  const events = EVENTS.slice(0, 30);
  const always = await sealed("Asia/Kolkata", events);
  let kills = 0;
  for (const isAfter of [false, true]) {
    let isOver = false;
    for (let fatal = 0; !isOver; fatal += 13) {
      const world = await sealed("UTC", events);
      const before = shown(world);
      const job = await world.start({ kind: "rebuild", ...RANGE, merchants: [1], zone: "Asia/Kolkata" });
      const dying = async () => {
        const dead = dyingAt(world.d1, { fatal, isAfter });
        world.seen = dead.d1;
        await world.work();
        world.seen = world.d1;
        await world.sendAgain(job.id);
        await world.work();
        if (dead.isDead()) kills += 1;
        return dead.isDead();
      };
      isOver = !(await dying());
      expect(await world.look(job.id)).toMatchObject({ state: "done", failed: 0 });
      expect(shown(world)).toEqual(shown(always));
      await world.change(job.id, "undo");
      await dying();
      expect((await world.look(job.id)).state).toBe("undone");
      expect(shown(world)).toEqual(before);
    }
  }
  expect(kills).toBeGreaterThan(20);
});

/** A D1 whose statement of this number is the last thing a consumer asks of it, before or after it took effect. */
function dyingAt(d1: D1Database, { fatal, isAfter }: { readonly fatal: number; readonly isAfter: boolean }) {
  let asked = 0;
  const kill = async <T>(work: () => Promise<T>): Promise<T> => {
    const isFatal = asked++ === fatal;
    if (isFatal && !isAfter) throw new Error("killed");
    const result = await work();
    if (isFatal) throw new Error("killed");
    return result;
  };
  const dying = (statement: D1PreparedStatement): D1PreparedStatement =>
    new Proxy(statement, {
      get: (target, name) => {
        if (name === "bind") return (...values: unknown[]) => dying(target.bind(...values));
        if (name === "all") return () => kill(() => target.all());
        return Reflect.get(target, name);
      },
    });
  const prepare = (text: string) => dying(d1.prepare(text));
  const batch: D1Database["batch"] = (statements) => kill(() => d1.batch(statements)) as never;
  return { d1: { ...d1, prepare, batch } as D1Database, isDead: () => asked > fatal };
}

test("[ZON-6] an open Day, one that is not sealed, one that is erased or gone, and a zone it has refuse the job", async () => {
  const world = await sealed("UTC");
  const asked = { kind: "rebuild", ...RANGE, merchants: [1], zone: "Asia/Tokyo" } as const;
  const why = async (changes: Partial<Asked>) => {
    const started = await world.tryStart({ ...asked, ...changes });
    return started.ok ? "started" : `${started.problem.code} ${started.problem.field}: ${started.problem.message}`;
  };
  expect(await why({ zone: "UTC" })).toMatch(/^invalid_field time_zone: .*in UTC already/);
  expect(await why({ merchants: [1, 2] })).toMatch(/^invalid_field merchants: /);
  expect(await why({ toDay: DAY + 7 })).toMatch(/^conflict to: .*ask for Days until 2026-/);
  await world.send([{ merchant: 1, id: "new", timestamp: (FIRST - 3) * DAY_MS }]);
  await world.settle();
  expect(await why({ fromDay: FIRST - 3 })).toMatch(/^conflict to: .*not sealed yet/);
  world.it.now += HOUR_MS;
  await world.seal();
  const erase = "INSERT INTO erasures (id, merchant, kind, visitor, from_day, to_day, state, created_at)";
  world.database.exec(`${erase} VALUES ('ers_1', 1, 'days', '', ${DAY}, ${DAY + 1}, 'running', 0)`);
  expect(await why({})).toMatch(/^conflict .*being erased/);
  world.database.exec("UPDATE erasures SET from_day = 0");
  world.database.exec("UPDATE merchants SET retention_days = 8 WHERE number = 1");
  expect(await why({})).toMatch(/^conflict from: .* are gone: the merchant.s retention has ended/);
  world.database.exec("UPDATE merchants SET retention_days = NULL WHERE number = 1");
  expect(await why({})).toBe("started");
  expect(await why({})).toMatch(/^invalid_field time_zone: |^conflict /);
});

test("[ZON-7] an erased visitor leaves the Days of the new zone, what was kept of the old ones as well; retention keeps numbers", async () => {
  const visitor = "00000000000000a1";
  const [world, always, plain] = [await sealed("UTC"), await sealed("Asia/Tokyo"), await sealed("UTC")];
  const { id } = await world.run({ kind: "rebuild", ...RANGE, merchants: [1], zone: "Asia/Tokyo" });
  for (const of of [world, always, plain]) await erased(of, visitor);
  expect(shown(world)).toEqual(shown(always));
  expect(await archived(world)).toEqual(await archived(always));
  await verified(world);
  await world.change(id, "undo");
  await world.work();
  expect(shown(world)).toEqual(shown(plain));
  await verified(world);

  await world.run({ kind: "rebuild", ...RANGE, merchants: [1], zone: "Asia/Tokyo" });
  const before = shown(world);
  world.database.exec("UPDATE merchants SET retention_days = 30, version = version + 1 WHERE number = 1");
  world.it.now = (FIRST + 33) * DAY_MS;
  await driveErasures(erasureDeps(world));
  await world.seal();
  const [left] = await archived(world);
  expect(left?.length).toBeGreaterThan(0);
  expect(left?.length).toBeLessThan(before.length);
  expect(shown(world)).toEqual(before);
  await verified(world);
});

function erasureDeps(world: ReplayedWorld): ErasureDeps {
  const { directory, ledgers, now, pace, log, bucket } = world.deps();
  const partition = () => ({
    erase: async (request: Parameters<typeof erase>[1]) => erase(world.it.partition, request),
  });
  return { directory, ledgers, now, pace, log, bucket, partition };
}

/** Everything of a visitor of merchant 1, done. */
async function erased(world: ReplayedWorld, visitor: string): Promise<void> {
  const scope = { id: `ers_${visitor}`, merchant: 1, kind: "visitor", visitor, fromDay: 0, toDay: DAY + 3 } as const;
  const asked = { erasure: { ...scope, createdAt: world.it.now }, partitions: ["pool-0"], openDays: [] };
  await createErasure(world.d1, asked);
  for (let turn = 0; turn < 3; turn++) {
    world.it.now += HOUR_MS;
    await world.settle();
    await driveErasures(erasureDeps(world));
    await world.seal();
  }
  const state = world.database.prepare("SELECT state FROM erasures WHERE visitor = ?").get(visitor);
  expect(state).toEqual({ state: "done" });
}

interface Put {
  readonly zone: string;
  readonly fromDay: number;
  readonly toDay: number;
}

/** The local date of an instant, by the runtime's own formatting, in the zone that was put last on that date. */
function naiveDay(base: string, puts: readonly Put[], instant: number): number {
  const dayIn = (timeZone: string) => {
    const date = new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" }).format(instant);
    return Date.parse(`${date}T00:00:00Z`) / DAY_MS;
  };
  const last = puts.findLast(({ zone, fromDay, toDay }) => fromDay <= dayIn(zone) && dayIn(zone) < toDay);
  return dayIn(last?.zone ?? base);
}

function pageviewsByDay(world: ReplayedWorld): readonly (readonly [number, number])[] {
  const byDay = (table: "hourly" | "daily") => {
    const views = new Map<number, number>();
    for (const { merchant, day, pageviews } of allRows(world.database, table))
      if (merchant === 1) views.set(Number(day), (views.get(Number(day)) ?? 0) + Number(pageviews));
    return [...views].filter(([, count]) => count > 0).sort(([a], [b]) => a - b);
  };
  const [ofHours, ofDays] = [byDay("hourly"), byDay("daily")];
  expect(ofHours).toEqual(ofDays);
  return ofDays;
}

function countBy(days: readonly number[]): readonly (readonly [number, number])[] {
  const counts = new Map<number, number>();
  for (const day of days) counts.set(day, (counts.get(day) ?? 0) + 1);
  return [...counts].sort(([a], [b]) => a - b);
}
