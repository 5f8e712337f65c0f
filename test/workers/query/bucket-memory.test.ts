// Rollups that an isolate remembers: a question reads again what was changed, and nothing else. Each change is made by
// the code that makes it in production, and each answer is compared with that of an isolate that remembers nothing.

import { expect, test } from "vitest";
import { BUCKETS_KEPT_BYTES, CHANGE_TAKES_MS, SEAL_AFTER_MS } from "../../../core/limits.ts";
import { zeroMeter } from "../../../core/meter.ts";
import { parseQuestion } from "../../../core/query/question.ts";
import { NO_RULES, type Rules } from "../../../core/rules.ts";
import { DAY_MS, dateOf } from "../../../core/time.ts";
import { erase } from "../../../durable-objects/erase.ts";
import { live } from "../../../durable-objects/live.ts";
import type { Merchant } from "../../../storage/directory/merchants.ts";
import { readSettings } from "../../../storage/directory/settings.ts";
import { driveErasure } from "../../../storage/erasure-drive.ts";
import { createErasure } from "../../../storage/ledger/erasure.ts";
import { AnswerMemory } from "../../../workers/query/answer-memory.ts";
import { BucketMemory } from "../../../workers/query/bucket-memory.ts";
import type { Deps } from "../../../workers/query/deps.ts";
import { execute } from "../../../workers/query/execute.ts";
import { RollupTurn, TurnMemory } from "../../../workers/query/turn.ts";
import { storageOf } from "../../support/databases.ts";
import { settingsOf, TUESDAY } from "../../support/events.ts";
import { valueFrom } from "../../support/questions.ts";
import { ReplayedWorld } from "../../support/replayed-world.ts";
import { rowOf } from "../../support/rollup-rows.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const RANGE = { fromDay: DAY, toDay: DAY + 1 };
const NO_CHROME: Rules = { ...NO_RULES, bots: { drop: ["*Chrome*"], admit: [] } };
const ELSEWHERE: Rules = { ...NO_RULES, paths: { ...NO_RULES.paths, replace: [{ match: "/cart", page: "/basket" }] } };

/** Two merchants with ten Days each; all of them are sealed. */
async function sealedDays(): Promise<ReplayedWorld> {
  const world = new ReplayedWorld([1, 2].map((merchant) => settingsOf("UTC", { merchant })));
  for (let day = 0; day < 10; day++) {
    for (const merchant of [1, 2])
      await world.send([
        { merchant, id: `a${day}`, url: "https://shop.example/cart", timestamp: TUESDAY - day * DAY_MS },
        { merchant, id: `b${day}`, visitor: "00000000000000bb", timestamp: TUESDAY - day * DAY_MS - 1 },
      ]);
  }
  await world.settle();
  await world.sealAt(DAY * DAY_MS + SEAL_AFTER_MS, 5);
  return world;
}

interface Asked {
  readonly pages: unknown;
  /** Rows of D1 that were read whole, rollups or blocks. */
  readonly wide: number;
}

/** The pages of the ten Days, as an isolate with this memory answers. */
async function ask(
  world: ReplayedWorld,
  buckets: BucketMemory,
  merchant = 1,
  answers?: AnswerMemory,
): Promise<Asked & { readonly asked: number }> {
  let wide = 0;
  let asked = 0;
  const { d1 } = world;
  const reads = new Set<D1PreparedStatement>();
  const prepare = (text: string) => {
    const statement = d1.prepare(text);
    if (!/by_page|hex\("page"\)/.test(text)) return statement;
    const bind = statement.bind.bind(statement);
    statement.bind = (...values: unknown[]) => {
      const bound = bind(...values);
      reads.add(bound);
      return bound;
    };
    return statement;
  };
  const batch = async (statements: D1PreparedStatement[]) => {
    asked += 1;
    const found = await d1.batch(statements);
    for (const [at, { results }] of found.entries()) {
      if (!reads.has(statements[at] as D1PreparedStatement)) continue;
      for (const row of results as Readonly<Record<string, unknown>>[])
        if ((row["by_page"] ?? row["page"] ?? null) !== null) wide += 1;
    }
    return found;
  };
  const counting = { ...d1, prepare, batch } as D1Database;
  const deps = {
    ...world.replayDeps(),
    ...storageOf(counting),
    buckets,
    answers: answers && { answers, sharedAnswers: undefined, answersKeptMs: 3_600_000, now: () => world.it.now },
    rollupTurn: new RollupTurn({ turns: new TurnMemory(), now: () => Date.now() }),
    later: () => {},
    meter: zeroMeter(),
    partition: () => ({ live: async (request: Parameters<typeof live>[1]) => live(world.it.partition, request) }),
  } as unknown as Deps;
  const settings = await readSettings(d1, merchant);
  const shop = { ...settings, number: merchant, retentionDays: null, imported: [] } as unknown as Merchant;
  const question = parseQuestion({
    site_id: "x",
    metrics: ["visitors", "pageviews"],
    date_range: [dateOf(DAY - 9), dateOf(DAY)],
    dimensions: ["event:page"],
  });
  const answered = await execute(valueFrom(question), shop, deps);
  if ("places" in answered || !answered.ok) throw new Error("no answer");
  return { pages: answered.value.results, wide, asked };
}

/** Asks an isolate that remembers, and one that does not; both say the same. */
async function askBoth(world: ReplayedWorld, buckets: BucketMemory): Promise<Asked> {
  const [{ pages, wide }, cold] = [await ask(world, buckets), await ask(world, new BucketMemory())];
  expect(pages).toEqual(cold.pages);
  return { pages, wide };
}

test("[MBR-1] closed buckets are read once; after that only their versions are", async () => {
  const world = await sealedDays();
  const buckets = new BucketMemory();
  const first = await ask(world, buckets);
  expect(first.wide).toBe(2); // ten Days are of two blocks
  expect(await askBoth(world, buckets)).toEqual({ pages: first.pages, wide: 0 });
});

test("[MBR-2] [RMA-2] a late event, a rebuild, its undo, rules applied to the past and an erasure are in the next answer, each by the rows it changed", async () => {
  const world = await sealedDays();
  const buckets = new BucketMemory();
  let { pages } = await ask(world, buckets);
  const changes = async (wide: number, isOver = true): Promise<void> => {
    const now = await askBoth(world, buckets);
    expect(now.pages).not.toEqual(pages);
    expect(now.wide).toBe(wide);
    pages = now.pages;
    expect((await askBoth(world, buckets)).wide).toBe(0);
    await checkAnswers(pages, isOver);
  };
  const answers = new AnswerMemory();
  /** No answer from before the change is found; once the change is over, the second look asks no database. */
  const checkAnswers = async (now: unknown, isOver: boolean): Promise<void> => {
    const look = () => ask(world, new BucketMemory(), 1, answers);
    expect((await look()).pages).toEqual(now);
    world.it.now += CHANGE_TAKES_MS;
    if (!isOver) return;
    expect(await look()).toMatchObject({ pages: now, asked: 1 });
    expect(await look()).toEqual({ pages: now, wide: 0, asked: 0 });
  };

  await world.send([{ id: "late", visitor: "00000000000000cc", timestamp: TUESDAY }]);
  await world.settle();
  world.it.now += DAY_MS;
  await world.seal();
  await changes(1);

  await world.decide(1, NO_CHROME);
  const job = await world.run({ kind: "rebuild", ...RANGE, merchants: [1], rules: "current" });
  await changes(1);
  await world.change(job.id, "undo");
  await world.work();
  await changes(1);
  // The same version once more, with other numbers: totals are even the same as before the undo's own rebuild.
  await world.decide(1, ELSEWHERE);
  await world.run({ kind: "rebuild", ...RANGE, merchants: [1], rules: "current" });
  await changes(1);

  world.it.now += 60_000;
  const { directory, ledgers, now, pace, log, bucket } = world.deps();
  const erasing = { erase: async (request: Parameters<typeof erase>[1]) => erase(world.it.partition, request) };
  const erasure = await createErasure(world.d1, {
    erasure: {
      id: "ers_1",
      merchant: 1,
      kind: "visitor",
      visitor: "00000000000000bb",
      fromDay: DAY - 1,
      toDay: DAY + 1,
      createdAt: world.it.now,
    },
    partitions: ["pool-0"],
    openDays: [DAY + 3],
  });
  await driveErasure(erasure, { directory, ledgers, now, pace, log, bucket, partition: () => erasing });
  await world.seal();
  await changes(1, false); // two Days of one block
});

test("[MBR-3] what is remembered of one merchant answers no other", async () => {
  const world = await sealedDays();
  await world.spoil("DELETE FROM daily WHERE merchant = 2 AND bucket <> (SELECT max(bucket) FROM daily)");
  const buckets = new BucketMemory();
  const [own, other] = [await ask(world, buckets, 1), await ask(world, buckets, 2)];
  expect([own.wide, other.wide]).toEqual([10, 1]);
  expect(await ask(world, buckets, 2)).toMatchObject({ pages: other.pages, wide: 0 });
  expect(await ask(world, buckets, 1)).toMatchObject({ pages: own.pages, wide: 0 });
  expect(other.pages).not.toEqual(own.pages);
});

test("[MBR-2] rows that were read before an undo, or while there is one, are read again; blocks have versions of their own", () => {
  const pieces = new BucketMemory().of("1");
  const name = { at: 1, partition: "pool-0", version: 5, rows: [rowOf({ bucket: 1, seen: {} })] };
  const known = () => (["row", "block"] as const).map((kind) => pieces.known(kind, 0, 9).length);
  const after = (undone: number | null) => {
    pieces.hear(undone);
    return [pieces.undone(), ...known()];
  };
  expect(after(0)).toEqual([0, 0, 0]);
  for (const kind of ["row", "block"] as const) pieces.keep({ ...name, kind }, 0);
  expect(after(0)).toEqual([0, 1, 1]);
  expect(after(null)).toEqual([null, 0, 1]);
  pieces.keep({ ...name, kind: "row" }, null);
  expect(after(1)).toEqual([1, 0, 1]);
  // A question that has read before the undo, and goes on after another has heard of it.
  pieces.keep({ ...name, kind: "row" }, 0);
  expect(after(1)).toEqual([1, 0, 1]);
});

test("[MBR-4] a memory holds so many bytes; what was unused for longest goes first", () => {
  const memory = new BucketMemory();
  const row = { ...rowOf({ bucket: 1, seen: {} }), sketch: new Uint8Array(BUCKETS_KEPT_BYTES / 4) };
  const piece = { kind: "block", at: 1, partition: "pool-0", version: 1, rows: [row] } as const;
  const names = ["1 a", "1 b", "1 c", "1 d", "1 e"];
  for (const name of names) memory.of(name).keep(piece, 0);
  memory.of("1 c").keep(piece, 0); // again: takes no more room
  expect(names.map((name) => memory.has(name))).toEqual([false, false, true, true, true]);
  expect(memory.of("1 c").known("block", 0, 10)).toEqual([piece]);
  expect(memory.of("1 c").known("block", 2, 10)).toEqual([]);
});
