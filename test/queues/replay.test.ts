// Replay jobs on a sealed Day, one behaviour at a time: rules applied to the past and taken back, gaps filled, and what
// happens when a seal writes in the middle or a database write is the last thing a process does.

import { expect, test } from "vitest";
import { GOALS_RETRY_MS, LATE_COALESCE_MS, REPLAY_KEPT_MS, SEAL_AFTER_MS, SEAL_RETRY_MS } from "../../core/limits.ts";
import { NO_RULES, type Rules } from "../../core/rules.ts";
import { DAY_MS } from "../../core/time.ts";
import { startGoalsBackfill } from "../../storage/goals-backfill.ts";
import { pruneJobs } from "../../storage/replay.ts";
import { driveJob } from "../../storage/replay-drive.ts";
import { settingsOf, TUESDAY } from "../support/events.ts";
import { allRows, unpackAll } from "../support/packed.ts";
import { ReplayedWorld } from "../support/replayed-world.ts";
import { putSettings } from "../support/sealed-world.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const RANGE = { fromDay: DAY, toDay: DAY + 1 };
const NO_CHROME: Rules = { ...NO_RULES, bots: { drop: ["*Chrome*"], admit: [] } };
const CART: Rules = { ...NO_RULES, goals: [{ name: "cart", page: "/cart" }] };

/** Merchants with events of one Day, which is sealed. */
async function sealedDay(merchants = 2): Promise<ReplayedWorld> {
  const numbers = Array.from({ length: merchants }, (_, index) => index + 1);
  const world = new ReplayedWorld(numbers.map((merchant) => settingsOf("UTC", { merchant })));
  await world.send(
    numbers.flatMap((merchant) => [
      { merchant, id: "a", url: "https://shop.example/cart" },
      { merchant, id: "b", url: "https://shop.example/", timestamp: TUESDAY - 3_600_000 },
    ]),
  );
  await world.settle();
  world.it.now = DAY * DAY_MS + SEAL_AFTER_MS;
  for (let published = 0; published < merchants; published += 20) await world.settle();
  await world.seal();
  expect(await world.row(DAY)).toMatchObject({ generation: 1, error: "" });
  return world;
}

async function late(world: ReplayedWorld, merchant: number, id: string): Promise<void> {
  await world.send([{ merchant, id, timestamp: TUESDAY }]);
  await world.settle();
}

async function pageviews(world: ReplayedWorld, merchant: number): Promise<unknown> {
  const row = allRows(world.database, "daily").find((one) => one["merchant"] === merchant);
  return [row?.["pageviews"], JSON.parse(String(row?.["drops"]))];
}

test("[RPL-14] a preview shows before and after, of a draft and of what was decided, and changes nothing", async () => {
  const world = await sealedDay();
  const before = [world.dump(), world.timeline(1)];
  const draft = await world.run({ kind: "verify", ...RANGE, merchants: [1], rules: "draft", draft: NO_CHROME });
  expect(draft).toMatchObject({ state: "done", differences: 3, replaced: 0 });
  expect(await world.totals(draft.id)).toEqual([
    { merchant: 1, what: "dropped bot", before: 0, after: 2 },
    { merchant: 1, what: "events", before: 2, after: 0 },
    { merchant: 1, what: "pageviews", before: 2, after: 0 },
    { merchant: 1, what: "visitors", before: 1, after: 0 },
    { merchant: 1, what: "visits", before: 2, after: 0 },
  ]);
  const all = await world.run({ kind: "verify", ...RANGE, rules: "draft", draft: NO_CHROME });
  expect(new Set((await world.totals(all.id)).map(({ merchant }) => merchant))).toEqual(new Set([1, 2]));
  expect(await world.run({ kind: "verify", ...RANGE, merchants: [1], rules: "current" })).toMatchObject({
    differences: 0,
  });
  expect([world.dump(), world.timeline(1)]).toEqual(before);
  await world.decide(1, NO_CHROME);
  const decided = [world.dump(), world.timeline(1)];
  expect(await world.run({ kind: "verify", ...RANGE, merchants: [1], rules: "current" })).toMatchObject({
    differences: 3,
  });
  expect(await world.run({ kind: "verify", ...RANGE, merchants: [1] })).toMatchObject({ differences: 0 });
  expect([world.dump(), world.timeline(1)]).toEqual(decided);
});

test("[RPL-15] a rebuild with the current rules puts them on the timeline; late events count by them; undo takes all back", async () => {
  const world = await sealedDay();
  const before = world.dump();
  await world.decide(1, NO_CHROME);
  const timeline = world.timeline(1);
  const job = await world.run({ kind: "rebuild", ...RANGE, merchants: [1], rules: "current" });
  expect(job).toMatchObject({ state: "done", replaced: 3 });
  expect(world.timeline(1)).toEqual([...timeline, { version: 1, rules: NO_CHROME, days: [DAY, DAY + 1] }]);
  expect(await pageviews(world, 1)).toEqual([0, { bot: 2 }]);
  expect(await pageviews(world, 2)).toEqual([2, {}]);
  expect(await world.run({ kind: "verify", ...RANGE })).toMatchObject({ differences: 0, inDoubt: 0 });
  await world.change(job.id, "undo");
  expect(world.timeline(1)).toEqual(timeline);
  await world.work();
  expect((await world.look(job.id)).state).toBe("undone");
  expect(world.dump()).toEqual(before);
});

test("[RPL-15] what a late event has changed since is counted again by the undo, under the rules that hold again", async () => {
  const world = await sealedDay();
  await world.decide(1, NO_CHROME);
  const job = await world.run({ kind: "rebuild", ...RANGE, merchants: [1], rules: "current" });
  await late(world, 1, "late");
  world.it.now += LATE_COALESCE_MS;
  await world.consume();
  expect(await pageviews(world, 1)).toEqual([0, { bot: 3 }]);
  await world.change(job.id, "undo");
  await world.work();
  expect(await pageviews(world, 1)).toEqual([3, {}]);
  expect(await world.run({ kind: "verify", ...RANGE })).toMatchObject({ differences: 0, inDoubt: 0 });
});

test("[RPL-15] cancelled half way, a job that applied rules is undone", async () => {
  const world = await sealedDay();
  const before = [world.dump(), world.timeline(1)];
  const { id } = await world.start({ kind: "rebuild", ...RANGE, rules: "current" });
  expect(world.timeline(0)).toHaveLength(1);
  expect(await world.change(id, "cancel")).toBe(true);
  expect(await world.change(id, "undo")).toBe(false);
  await world.work();
  expect((await world.look(id)).state).toBe("undone");
  expect(world.timeline(0)).toHaveLength(0);
  expect([world.dump(), world.timeline(1)]).toEqual(before);
});

test("[RPL-15] a Day that is not sealed, and rules that were changed meanwhile, refuse the job and leave nothing behind", async () => {
  const world = await sealedDay();
  await late(world, 1, "late");
  world.database.exec("UPDATE archive_days SET generation = 0");
  await expect(world.start({ kind: "rebuild", ...RANGE, rules: "current" })).rejects.toThrow(
    "2026-03-10 is not sealed yet",
  );
  world.database.exec("UPDATE archive_days SET generation = 1");
  const batch: D1Database["batch"] = (statements) => {
    world.database.exec("UPDATE merchants SET version = version + 1 WHERE number = 2");
    return world.d1.batch(statements);
  };
  world.seen = { ...world.d1, batch } as D1Database;
  const job = { kind: "rebuild", ...RANGE, merchants: [1, 2], rules: "current" } as const;
  await expect(world.start(job)).rejects.toThrow("changed this moment");
  expect([world.timeline(1), world.timeline(2)]).toEqual([[], []]);
  expect(world.database.prepare("SELECT count(*) AS n FROM replay_jobs").get()).toEqual({ n: 0 });
});

test("[RPL-16] a backfill fills what is missing, leaves what disagrees, and is undone", async () => {
  const world = await sealedDay(3);
  const right = world.numbers();
  await world.spoil("UPDATE daily SET by_page = NULL WHERE merchant = 1");
  await world.spoil("DELETE FROM hourly WHERE merchant = 2");
  await world.spoil("UPDATE daily SET pageviews = 99, by_page = NULL WHERE merchant = 3");
  const wrong = world.dump();
  const job = await world.run({ kind: "backfill", ...RANGE });
  expect(job).toMatchObject({ state: "done", replaced: 3, differences: 1 });
  await world.spoil("UPDATE daily SET pageviews = 2 WHERE merchant = 3");
  expect(world.numbers().filter((row) => (row as { merchant: number }).merchant < 3)).toEqual(
    right.filter((row) => (row as { merchant: number }).merchant < 3),
  );
  await world.spoil("UPDATE daily SET pageviews = 99 WHERE merchant = 3");
  await world.change(job.id, "undo");
  await world.work();
  expect(world.dump()).toEqual(wrong);
});

test("[RPL-20] a backfill of a new goal writes that breakdown and no other, whatever else the rules change, and is not undone", async () => {
  const world = await sealedDay();
  const before = world.dump();
  // The current rules would take away both page views of the Day.
  await world.decide(1, { ...CART, bots: NO_CHROME.bots });
  const job = await world.run({ kind: "backfill", ...RANGE, merchants: [1], rules: "current" });
  expect(job).toMatchObject({ state: "done", rules: "goals", replaced: 1, differences: 0 });
  const withoutGoal = (rows: readonly object[]) => rows.map((row) => ({ ...row, version: 0, by_goal: "" }));
  expect(withoutGoal(world.dump())).toEqual(withoutGoal(before));
  expect(world.timeline(1).at(-1)).toEqual({ version: 1, goals: CART.goals, days: [DAY, DAY + 1] });
  expect(await world.run({ kind: "verify", ...RANGE })).toMatchObject({ differences: 0 });
  const after = world.dump();
  expect(await world.change(job.id, "undo")).toBe(false);
  await world.work();
  expect(world.dump()).toEqual(after);
});

test("[RPL-20] it writes the goal also where a counter disagrees, and lists what else differs", async () => {
  const world = await sealedDay();
  await world.spoil("UPDATE daily SET pageviews = 99 WHERE merchant = 1");
  await world.decide(1, CART);
  const job = await world.run({ kind: "backfill", ...RANGE, merchants: [1], rules: "current" });
  expect(job).toMatchObject({ state: "done", replaced: 1, differences: 1 });
  expect(await world.run({ kind: "verify", ...RANGE })).toMatchObject({ differences: 1 });
});

/** Sets a merchant's backfill going as the change of its goals does, and brings it to its end. */
async function startByItself(world: ReplayedWorld, merchant = 1): Promise<string | undefined> {
  world.it.now += 1;
  const id = await startGoalsBackfill(merchant, world.replayDeps());
  if (id !== undefined) await driveJob(id, world.replayDeps());
  return id;
}

test("[RPL-21] the backfill of goals starts by itself, one of a merchant at most, and goes on while Days are left", async () => {
  const world = await sealedDay();
  expect(await startByItself(world)).toBeUndefined();
  await world.decide(1, CART);
  const id = (await startByItself(world)) as string;
  expect(world.timeline(1).at(-1)).toMatchObject({ goals: CART.goals, days: [DAY, DAY + 1], counting: true });
  // Another goal while it is under way: it waits, and one more backfill is for all that changed.
  const both = { ...CART, goals: [...CART.goals, { name: "home", page: "/" }] };
  await world.decide(1, both);
  expect(await startByItself(world)).toBeUndefined();
  await world.work();
  expect(await world.look(id)).toMatchObject({ state: "done", rules: "goals_due", replaced: 1, differences: 0 });
  expect(world.timeline(1).filter((period) => "goals" in period)).toEqual([
    { version: 3, goals: both.goals, days: [DAY, DAY + 1] },
  ]);
  const jobs = world.database.prepare("SELECT rules, state FROM replay_jobs").all();
  expect(jobs.map((job) => ({ ...job }))).toEqual([
    { rules: "goals_due", state: "done" },
    { rules: "goals_due", state: "done" },
  ]);
  expect(await startByItself(world)).toBeUndefined();
  expect(await world.run({ kind: "verify", ...RANGE })).toMatchObject({ differences: 0, inDoubt: 0 });
});

test("[RPL-21] it waits for Days to be sealed, and leaves those whose events retention takes", async () => {
  const world = await sealedDay();
  await world.decide(1, CART);
  world.database.exec("UPDATE archive_days SET generation = 0");
  expect(await startByItself(world)).toBeUndefined();
  world.database.exec("UPDATE archive_days SET generation = 1");
  world.database.exec("UPDATE merchants SET retention_days = 1 WHERE number = 1");
  expect(await startByItself(world)).toBeUndefined();
  world.database.exec("UPDATE merchants SET retention_days = NULL WHERE number = 1");
  expect(await startByItself(world)).toBeDefined();
});

test("[RPL-21] a job that somebody asks for goes first; afterwards the goals are as the Days' rules say", async () => {
  const world = await sealedDay();
  await world.decide(1, CART);
  const id = (await startByItself(world)) as string;
  const asked = await world.run({ kind: "rebuild", ...RANGE, merchants: [1], rules: "current" });
  expect(asked).toMatchObject({ state: "done" });
  expect(await world.look(id)).toMatchObject({ state: "cancelled" });
  expect(world.timeline(1).at(-1)).toEqual({ version: 1, rules: CART, days: [DAY, DAY + 1] });
  expect(await world.run({ kind: "verify", ...RANGE })).toMatchObject({ differences: 0, inDoubt: 0 });
});

test("[RPL-21] a part that fails leaves its Days to events, and the same goals are tried again an hour later", async () => {
  const world = await sealedDay();
  await world.decide(1, CART);
  const id = (await startByItself(world)) as string;
  world.database.exec(`UPDATE replay_parts SET state = 'failed' WHERE job = '${id}'`);
  await world.work();
  await driveJob(id, world.replayDeps());
  expect(await world.look(id)).toMatchObject({ state: "done", failed: 1 });
  expect(world.timeline(1).at(-1)).toMatchObject({ counting: true });
  expect(await startByItself(world)).toBeUndefined();
  world.it.now += GOALS_RETRY_MS;
  expect(await startByItself(world)).toBeDefined();
  await world.work();
  expect(world.timeline(1).at(-1)).toEqual({ version: 1, goals: CART.goals, days: [DAY, DAY + 1] });
});

test("[RPL-11] jobs that write are refused where another writes: rebuild, backfill, and one that applies rules", async () => {
  const world = await sealedDay();
  const { id } = await world.start({ kind: "backfill", ...RANGE, merchants: [1] });
  const rebuild = { kind: "rebuild", ...RANGE } as const;
  await expect(world.start({ ...rebuild, merchants: [1], rules: "current" })).rejects.toThrow("has not ended yet");
  await expect(world.start(rebuild)).rejects.toThrow("has not ended yet");
  expect(world.timeline(1)).toEqual([]);
  await world.work();
  const later = await world.run({ ...rebuild, merchants: [1], rules: "current" });
  expect(await world.change(id, "undo")).toBe(false);
  expect(await world.change(later.id, "undo")).toBe(true);
});

test("[RPL-17] a seal that counted by rules that have changed since, or compared with a row that has, counts again", async () => {
  for (const rules of ["current", "dated"] as const) {
    const world = await sealedDay();
    await world.decide(1, NO_CHROME);
    await late(world, 1, "late");
    if (rules === "dated") await world.spoil("UPDATE daily SET pageviews = 99 WHERE merchant = 1");
    // The job runs from its start to its end between what the seal has read and what it writes.
    let batches = 0;
    const batch: D1Database["batch"] = async (statements) => {
      batches += 1;
      if (batches === 2) {
        world.database.exec("UPDATE archive_days SET late_since = NULL");
        await world.run({ kind: "rebuild", ...RANGE, merchants: [1], rules });
        world.database.exec("UPDATE archive_days SET late_since = 1");
      }
      return world.d1.batch(statements);
    };
    world.it.now += LATE_COALESCE_MS;
    world.sealsSee = { ...world.d1, batch } as D1Database;
    await world.consume();
    expect(await world.row(DAY)).toMatchObject({ error: expect.stringContaining("changed while the Day was counted") });
    world.sealsSee = world.d1;
    world.it.now += SEAL_RETRY_MS;
    await world.seal();
    expect(await world.row(DAY)).toMatchObject({ error: "", lateSince: null });
    expect(await pageviews(world, 1)).toEqual(rules === "current" ? [0, { bot: 3 }] : [3, {}]);
    expect(await world.run({ kind: "verify", ...RANGE })).toMatchObject({ differences: 0, inDoubt: 0 });
  }
});

test("[RPL-9] an undo that dies at any of its writes, before or after it took effect, ends as if it had not", async () => {
  for (const isDone of [false, true]) {
    for (let dies = 0; dies < 4; dies++) {
      const world = await sealedDay(120);
      const before = world.dump();
      await world.decide(0, NO_CHROME);
      const job = await world.run({ kind: "rebuild", ...RANGE, rules: "current" });
      expect(job.replaced).toBe(360);
      await world.change(job.id, "undo");
      let writes = 0;
      const batch: D1Database["batch"] = async (statements) => {
        const isFatal = writes++ === dies;
        if (isFatal && !isDone) throw new Error("killed");
        const results = await world.d1.batch(statements);
        if (isFatal) throw new Error("killed");
        return results as never;
      };
      world.seen = { ...world.d1, batch } as D1Database;
      await world.work();
      world.seen = world.d1;
      await world.sendAgain(job.id);
      await world.work();
      expect((await world.look(job.id)).state).toBe("undone");
      expect(world.dump()).toEqual(before);
    }
  }
});

test("[DUP-2] another story that differs in its properties alone is one in a replay of sealed files", async () => {
  const world = new ReplayedWorld([settingsOf("UTC", { merchant: 1 })]);
  const stories = ["free", "pro"].map((plan) => ({ merchant: 1, id: "a", props: JSON.stringify({ plan }) }));
  await world.send(stories);
  await world.settle();
  world.it.now = DAY * DAY_MS + SEAL_AFTER_MS;
  await world.settle();
  await world.seal();
  expect(await pageviews(world, 1)).toEqual([1, { duplicate: 1 }]);
  expect(await world.run({ kind: "verify", ...RANGE })).toMatchObject({ events: 2, differences: 0 });
});

test("[RPL-19] 90 days after its end a job's parts go, with what they kept; a zone of the past that stands is kept", async () => {
  const world = await sealedDay(3);
  await world.spoil("UPDATE daily SET pageviews = 9");
  const old = await world.run({ kind: "rebuild", ...RANGE });
  world.it.now += 2 * DAY_MS;
  const zone = await world.run({ kind: "rebuild", ...RANGE, merchants: [1], zone: "Asia/Kolkata" });
  world.it.now += REPLAY_KEPT_MS;
  await world.spoil("UPDATE daily SET pageviews = 9 WHERE merchant = 2");
  const young = await world.run({ kind: "rebuild", ...RANGE });
  const left = () =>
    ["replay_undo", "replay_parts"].map((table) =>
      world.database
        .prepare(`SELECT DISTINCT job FROM ${table} ORDER BY job`)
        .all()
        .map(({ job }) => job),
    );
  while (await pruneJobs(world.databases, world.it.now));
  expect(left()).toEqual([[zone.id, young.id].sort(), [zone.id, young.id].sort()]);
  expect(await world.change(old.id, "undo")).toBe(false);
  for (const { id } of [young, zone]) {
    expect(await world.change(id, "undo")).toBe(true);
    await world.work();
  }
  expect((await world.look(old.id)).state).toBe("done");
  world.it.now += REPLAY_KEPT_MS;
  while (await pruneJobs(world.databases, world.it.now));
  expect(left()).toEqual([[], []]);
});

test("[RPL-18] a replay of all merchants finds rows that only D1 has, of a Day or of an Hour", async () => {
  const world = await sealedDay(4);
  world.it.settings.set(5, settingsOf("UTC", { merchant: 5 }));
  for (const merchant of [5, 6]) putSettings(world.database, settingsOf("UTC", { merchant }));
  const copy = (table: string, merchant: number, into: number) => {
    const columns = world.database.prepare(`SELECT name FROM pragma_table_info('${table}') WHERE name != 'merchant'`);
    const names = columns.all().map(({ name }) => `"${name}"`);
    const text = `INSERT INTO ${table} (merchant, ${names}) SELECT ${into}, ${names} FROM ${table} WHERE merchant = ${merchant}`;
    world.database.exec(text);
  };
  await unpackAll(world.database);
  copy("daily", 1, 5);
  copy("hourly", 1, 6);
  expect(await world.run({ kind: "verify", ...RANGE })).toMatchObject({ differences: 3, inDoubt: 0 });
  expect(await world.run({ kind: "rebuild", ...RANGE })).toMatchObject({ replaced: 3 });
  expect(await pageviews(world, 5)).toEqual([0, {}]);
});

test("[RPL-8] what one part has kept for its undo is found without looking at what the others have", async () => {
  const world = await sealedDay();
  const texts = new Set<string>();
  const prepare: D1Database["prepare"] = (text) => {
    if (text.includes("replay_undo")) texts.add(text);
    return world.d1.prepare(text);
  };
  world.seen = { ...world.d1, prepare } as D1Database;
  await world.spoil("UPDATE daily SET pageviews = 9");
  const { id } = await world.run({ kind: "rebuild", ...RANGE });
  await world.change(id, "undo");
  await world.work();
  expect(texts.size).toBeGreaterThan(5);
  for (const text of texts) {
    const plan = world.database.prepare(`EXPLAIN QUERY PLAN ${text}`).all();
    for (const detail of plan.map((step) => String(step["detail"])).filter((step) => step.includes("replay_undo")))
      expect(detail).toMatch(/^SEARCH replay_undo USING PRIMARY KEY \(job=\? AND day=\? AND partition=\?/);
  }
});

test("[RPL-22] of an undo's replays two go on at a time, the next when one has ended", async () => {
  const world = await sealedDay(1);
  const ids: string[] = [];
  for (const ago of [30, 20, 10, 0]) {
    const days = { fromDay: DAY - ago, toDay: DAY - ago + 1 };
    const asked = { kind: "rebuild", merchants: [1], rules: "without_import", importNumber: 3 } as const;
    ids.push((await world.start({ ...asked, ...days })).id);
  }
  const states = () => Promise.all(ids.map(async (id) => (await world.look(id)).state));
  expect(world.parts.map(({ job }) => job)).toEqual(ids.slice(0, 2));
  expect(await states()).toEqual(["running", "running", "running", "running"]);
  for (const id of ids) await driveJob(id, world.replayDeps()); // as the cron does
  expect(world.parts).toHaveLength(2);
  const second = world.parts.splice(1);
  await world.work();
  expect(await states()).toEqual(["done", "running", "done", "done"]);
  world.parts.push(...second);
  await world.work();
  expect(await states()).toEqual(["done", "done", "done", "done"]);
});
