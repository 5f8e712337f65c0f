// Days that were sealed and whose numbers were left in rows: they stay noted, and the cron packs them, some at a time,
// whoever died before. Numbers are the same all the while.

import { expect, test } from "vitest";
import {
  PACKS_SENT_MAX,
  REPLAY_PART_STALE_MS,
  SEAL_AFTER_MS,
  SEAL_GRACE_MS,
  SEAL_RETRY_MS,
} from "../../core/limits.ts";
import { DAY_MS } from "../../core/time.ts";
import { driveSeals } from "../../queues/seal.ts";
import { packDay, unpackDay } from "../../storage/ledger/pack.ts";
import { commitPacked } from "../../storage/ledger/sealed-day.ts";
import { settingsOf, TUESDAY } from "../support/events.ts";
import { allRows } from "../support/packed.ts";
import { ReplayedWorld } from "../support/replayed-world.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const CLOSED_MS = DAY * DAY_MS + SEAL_AFTER_MS;
const MERCHANTS = [1, 2, 3].map((merchant) => settingsOf("UTC", { merchant }));
const PLACE = { day: DAY, partition: "pool-0" };

async function closedDay(): Promise<ReplayedWorld> {
  const world = new ReplayedWorld(MERCHANTS);
  await world.send([1, 2, 1, 3, 1].map((merchant, index) => ({ merchant, id: `e${index}` })));
  await world.settle();
  return world;
}

/** Everything but what puts a Day into a block. */
function withoutPacking(world: ReplayedWorld): D1Database {
  const puts = new Set<D1PreparedStatement>();
  const prepare = (text: string) => {
    const statement = world.d1.prepare(text);
    const bind = (...values: unknown[]) => {
      const bound = statement.bind(...values);
      if (text.startsWith("INSERT INTO blocks")) puts.add(bound);
      return bound;
    };
    return { ...statement, bind } as D1PreparedStatement;
  };
  const batch = async (statements: D1PreparedStatement[]) => {
    if (statements.some((one) => puts.has(one))) throw new Error("the ledger is gone");
    return world.d1.batch(statements);
  };
  return { ...world.d1, prepare, batch } as D1Database;
}

const left = (world: ReplayedWorld) =>
  ["hourly", "daily"].map((table) => Number(world.database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"]));
/** Numbers, without what Hours have beside them. */
const numbers = (world: ReplayedWorld) =>
  (["hourly", "daily"] as const).flatMap((table) =>
    allRows(world.database, table).map(({ merchant, bucket, visitors, pageviews, events }) =>
      [table, merchant, bucket, visitors, pageviews, events].join(" "),
    ),
  );

test("[BLK-10] a Day that could not be packed is sealed all the same, says so, and is packed when it can be", async () => {
  const world = await closedDay();
  world.sealsSee = withoutPacking(world);
  await world.sealAt(CLOSED_MS, 2);
  const before = numbers(world);
  expect(await world.row(DAY)).toMatchObject({
    generation: 1,
    error: "it is sealed, and not packed: Error: the ledger is gone",
  });
  expect(left(world)).toEqual([3, 3]);
  world.sealsSee = undefined;
  world.it.now += 2 * SEAL_RETRY_MS;
  await world.seal();
  expect(left(world)).toEqual([0, 0]);
  expect(await world.row(DAY)).toMatchObject({ generation: 1, error: "", attempts: 0, unpacked: 0 });
  expect(numbers(world)).toEqual(before);
  world.it.now += SEAL_GRACE_MS;
  await world.seal();
  expect(await world.row(DAY)).toMatchObject({ dueAt: null, cleanAt: null });
});

test("[BLK-10] whoever takes a Day out of its block and dies has noted it: the cron sends it, some Days at a time", async () => {
  const world = await closedDay();
  await world.sealAt(CLOSED_MS, 2);
  world.it.now += SEAL_GRACE_MS;
  await world.seal(); // clean: nothing is due any more
  const insert =
    world.database.prepare(`INSERT INTO archive_days (day, "partition", generation, folder, rows, merchants, bytes,
    duplicates, differences, shown, late_marks, attempts, error) VALUES (?, 'pool-9', 1, '', 0, 0, 0, 0, 0, '[]', 0, 0, '')`);
  for (let more = 1; more <= PACKS_SENT_MAX; more++) insert.run(DAY + more);
  await unpackDay(world.d1, { ...PLACE, merchants: [1, 2] });
  expect(left(world)).toEqual([2, 2]);
  const sent = async () => {
    const { queue } = world;
    queue.length = 0;
    await driveSeals(world.deps());
    return queue.length;
  };
  expect(await sent()).toBe(PACKS_SENT_MAX); // the oldest first, ours among them
  expect(world.queue).toContainEqual(PLACE);
  expect(await sent()).toBe(1);
  // All messages are lost; later they are due again.
  world.it.now += REPLAY_PART_STALE_MS;
  await world.seal();
  expect(left(world)).toEqual([0, 0]);
  expect(await sent()).toBe(0);
});

test("[BLK-10] a Day that somebody takes out of its block while another notes it as packed stays noted", async () => {
  const world = await closedDay();
  await world.sealAt(CLOSED_MS, 2);
  await unpackDay(world.d1, { ...PLACE, merchants: [1] });
  const seen = await world.row(DAY);
  await packDay(world.d1, PLACE);
  await unpackDay(world.d1, { ...PLACE, merchants: [2] });
  await commitPacked(world.d1, seen as NonNullable<typeof seen>);
  expect((await world.row(DAY))?.unpacked).toBeGreaterThan(0);
  world.it.now += SEAL_GRACE_MS;
  await world.seal();
  expect(left(world)).toEqual([0, 0]);
});
