// Guards that stand between the directory and the ledgers: fences of settings, of jobs, and of merchants
// that end. Whoever changes both dies here at each of its calls, before and after it took effect; then
// the cron comes, as it does.

import { describe, expect, test } from "vitest";
import { REPLAY_START_STALE_MS } from "../../../core/limits.ts";
import { GLOBAL_MERCHANT, NO_RULES } from "../../../core/rules.ts";
import { DAY_MS } from "../../../core/time.ts";
import { driveErasures } from "../../../queues/erasure.ts";
import { updateMerchant } from "../../../storage/directory/merchants.ts";
import { findHeader, findJob, listJobs, type ReplayJob } from "../../../storage/directory/replay-job.ts";
import { findScope, writeTimeline } from "../../../storage/directory/rules.ts";
import { readSettings } from "../../../storage/directory/settings.ts";
import { createErasure, listRunning } from "../../../storage/ledger/erasure.ts";
import { type Ledger, ledgersOf } from "../../../storage/ledger/ledgers.ts";
import { findPart, finishPart, layParts, putFence, takeParts } from "../../../storage/ledger/replay-part.ts";
import { sealRollups } from "../../../storage/ledger/replay-write.ts";
import { writeRollups } from "../../../storage/ledger/rollup-write.ts";
import { noteClosed } from "../../../storage/ledger/sealed-day.ts";
import { fenceSettings, healSettings } from "../../../storage/ledger/settings-fence.ts";
import { changeJob, createJob, finishJob, mendJobs } from "../../../storage/replay.ts";
import { sendDue } from "../../../storage/seal-due.ts";
import { type Databases, dyingStorage, makeDatabases } from "../../support/databases.ts";
import { settingsOf } from "../../support/events.ts";
import { memoryArchive } from "../../support/memory-bucket.ts";
import { rowOf } from "../../support/rollup-rows.ts";
import { putSettings, SealedWorld } from "../../support/sealed-world.ts";

const DAY = 20_522;
const NOW = 1e12;
const PARTS = ["pool-0", "pool-1", "pool-2"].map((partition) => ({ day: DAY, partition }));

function threeLedgers(): Databases {
  const databases = makeDatabases(3);
  for (const merchant of [1, 2]) putSettings(databases.database, settingsOf("UTC", { merchant }));
  return databases;
}

function jobOf(id: string, changes: Partial<ReplayJob> = {}): ReplayJob {
  const days = { fromDay: DAY, toDay: DAY + 1, createdAt: NOW, finishedAt: null };
  const none = { merchants: undefined, draft: undefined, applied: undefined, dimensions: undefined };
  return { id, kind: "rebuild", state: "running", ...days, ...none, rules: "dated", ...changes };
}

const newJob = (id: string, changes: Partial<ReplayJob> = {}) => ({
  job: jobOf(id, changes),
  parts: PARTS.map((part) => ({ job: id, ...part })),
  applies: [],
});

/** Merchant 1's Day in pool-0. */
const dayRow = (version: number) => rowOf({ bucket: DAY, version });

/** The job's fence in each ledger. */
const fences = ({ database }: Databases, job: string) =>
  database.prepare("SELECT state, epoch FROM job_fences WHERE job = ? ORDER BY 1, 2").all(job);
const count = ({ database }: Databases, table: string) =>
  Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"]);

/** Lets `work` die at each of its calls, and gives what is left to `after`. Ends when it has lived. */
async function atEveryCall(
  make: () => Databases,
  work: (storage: Pick<Databases, "directory" | "ledgers">, databases: Databases) => Promise<unknown>,
  after: (databases: Databases, died: boolean) => Promise<void>,
): Promise<number> {
  for (let fatal = 0; ; fatal++) {
    for (const isAfter of [false, true]) {
      const databases = make();
      const dying = dyingStorage(databases, { fatal, isAfter });
      const died = await work(dying, databases).then(
        () => dying.calls() > fatal + (isAfter ? 1 : 0),
        () => true,
      );
      await after(databases, died);
      if (dying.calls() <= fatal) return fatal;
    }
  }
}

describe("settings", () => {
  const known = { day: DAY, partition: "pool-0", erasures: [], since: 0 };
  const seal = { day: DAY, partition: "pool-0", generation: 0 };

  async function sealing({ ledgers, database }: Databases, countedBy: { own: number; global: number }) {
    const ledger = ledgers.all[0] as Ledger;
    database.exec(`DELETE FROM archive_days; INSERT INTO archive_days (day, "partition", generation, folder, rows, merchants, bytes,
      duplicates, differences, shown, late_marks, attempts, error) VALUES (${DAY}, 'pool-0', 0, '', 0, 0, 0, 0, 0, '[]', 0, 0, '')`);
    const replayed = dayRow(9);
    const differences = [{ merchant: 1, held: undefined, replayed, inDoubt: false, mismatches: [] } as never];
    return sealRollups(ledger, { seal, differences, corrected: 0, shown: [], countedBy, known });
  }

  test.each([
    ["the merchant's", 1],
    ["the deployment's", GLOBAL_MERCHANT],
  ])(
    "[LED-3] rows counted by %s settings of before are refused from the moment on at which a change begins",
    async (_, scope) => {
      const databases = makeDatabases();
      await fenceSettings(databases.ledgers, [{ scope, version: 7 }]);
      await expect(sealing(databases, { own: 6, global: 6 })).rejects.toThrow("changed while the Day was counted");
      expect(count(databases, "daily")).toBe(0);
      await fenceSettings(databases.ledgers, [{ scope, version: 5 }]); // one that came late takes nothing back
      await expect(sealing(databases, { own: 6, global: 6 })).rejects.toThrow("changed while the Day was counted");
      await sealing(databases, { own: 7, global: 7 });
      expect(count(databases, "daily")).toBe(1);
    },
  );

  test("[LED-3] whoever changes what numbers depend on tells the ledger first; a name is no such thing", async () => {
    const databases = makeDatabases(3);
    putSettings(databases.database, settingsOf("UTC", { merchant: 1 }));
    const merchant = async () => {
      const found = await findScope(databases.directory, 1);
      if (found === undefined) throw new Error("no merchant");
      return found;
    };
    const fence = () => databases.database.prepare("SELECT merchant, version FROM settings_fences").all();
    await updateMerchant(databases, { merchant: await merchant(), change: { name: "another" } });
    expect(fence()).toEqual([]);
    const { version } = await merchant();
    for (const change of [{ currency: "USD" }, { retentionDays: 30 }, { zones: [{ from: 0, zone: "UTC" }] }])
      await updateMerchant(databases, { merchant: await merchant(), change });
    expect(fence()).toEqual([{ merchant: 1, version: version + 3 }]);
    const timeline = [{ version: 1, from: 0, rules: NO_RULES }];
    await writeTimeline(databases, { merchant: await merchant(), timeline });
    expect(fence()).toEqual([{ merchant: 1, version: version + 4 }]);
    const global = await findScope(databases.directory, GLOBAL_MERCHANT);
    if (global === undefined) throw new Error("no rules of the deployment");
    await writeTimeline(databases, { merchant: global, timeline });
    const deployment = databases.database.prepare("SELECT version FROM settings_fences WHERE merchant = 0").all();
    expect(deployment).toEqual(Array.from({ length: 3 }, () => ({ version: global.version + 1 })));
  });

  test("[LED-4] a seal that finds a change that died raises the directory's version, and is done the next time", async () => {
    for (const scope of [1, GLOBAL_MERCHANT]) {
      const world = new SealedWorld([settingsOf("UTC", { merchant: 1 })]);
      await world.send([{ id: "a" }, { id: "b" }]);
      const day = Math.floor(world.it.now / DAY_MS);
      world.it.now = (day + 4) * DAY_MS;
      await world.settle();
      world.database.exec("UPDATE daily SET pageviews = 7");
      const before = await readSettings(world.databases.directory, scope);
      const ahead = (before?.version ?? 0) + 1;
      await fenceSettings(world.databases.ledgers, [{ scope, version: ahead }]);
      await world.seal();
      expect(await world.row(day)).toMatchObject({
        generation: 0,
        error: expect.stringContaining("rules were changed"),
      });
      expect(await readSettings(world.databases.directory, scope)).toEqual({ ...before, version: ahead });
      await world.sealAt((day + 5) * DAY_MS);
      expect(await world.row(day)).toMatchObject({ generation: 1, error: "" });
    }
  });

  test("[LED-4] a change that was slow, and not dead, finds its version gone", async () => {
    const databases = makeDatabases();
    putSettings(databases.database, settingsOf("UTC", { merchant: 1 }));
    const merchant = await findScope(databases.directory, 1);
    if (merchant === undefined) throw new Error("no merchant");
    await fenceSettings(databases.ledgers, [{ scope: 1, version: merchant.version + 1 }]);
    await healSettings(databases, 1);
    expect(await updateMerchant(databases, { merchant, change: { currency: "USD" } })).toBe("stale");
    await healSettings(databases, 1); // nothing is left to heal
    expect((await findScope(databases.directory, 1))?.version).toBe(merchant.version + 2 - 1);
  });
});

describe("jobs", () => {
  test("[LED-5] a start that dies at any call runs in all ledgers once the cron has come, or is gone from all", async () => {
    const settings = { merchants: undefined, applied: [[GLOBAL_MERCHANT, 1]] as const, rules: "current" as const };
    let [run, gone] = [0, 0];
    const calls = await atEveryCall(
      threeLedgers,
      async (storage, { directory }) => {
        const version = (await readSettings(directory, GLOBAL_MERCHANT))?.version ?? 0;
        const timeline = [{ version: 1, from: 0, rules: NO_RULES }];
        const applies = [{ scope: GLOBAL_MERCHANT, version, timeline, past: [] }];
        return createJob(storage, { ...newJob("rpl_a", settings), applies });
      },
      async (databases) => {
        const later = NOW + REPLAY_START_STALE_MS + 1;
        await mendJobs(databases, NOW, () => {}); // too early to give a start up
        await mendJobs(databases, later, () => {});
        await mendJobs(databases, later, () => {});
        const job = await findHeader(databases.directory, "rpl_a");
        const rules = (await readSettings(databases.directory, GLOBAL_MERCHANT))?.rules ?? [];
        if (job === undefined) {
          gone += 1;
          expect([count(databases, "replay_parts"), rules.length]).toEqual([0, 0]);
        } else {
          run += 1;
          expect(job).toMatchObject({ state: "running", epoch: 2, fenced: 2, ledgers: [0, 1, 2] });
          expect(fences(databases, "rpl_a")).toEqual(Array.from({ length: 3 }, () => ({ state: "running", epoch: 2 })));
          expect([count(databases, "replay_parts"), rules.length]).toEqual([3, 1]);
        }
        // Nobody is in the way of the next job, nor a fence in that of a seal.
        await healSettings(databases, GLOBAL_MERCHANT);
        const version = (await readSettings(databases.directory, GLOBAL_MERCHANT))?.version ?? 0;
        expect(count(databases, `settings_fences WHERE version > ${version}`)).toBe(0);
        if (job === undefined) expect(await createJob(databases, newJob("rpl_b"))).toBe("created");
      },
    );
    expect(calls).toBeGreaterThan(6);
    expect([run > 2, gone > 2]).toEqual([true, true]);
  });

  test("[LED-5] parts that are laid long after their start was given up are not there, and fence no settings", async () => {
    const databases = threeLedgers();
    const { directory, ledgers } = databases;
    const dead = dyingStorage(databases, { fatal: 2, isAfter: false });
    await expect(createJob(dead, newJob("rpl_a"))).rejects.toThrow("killed");
    await mendJobs(databases, NOW + REPLAY_START_STALE_MS + 1, () => {});
    expect(await findHeader(directory, "rpl_a")).toBeUndefined();
    const { job, parts } = newJob("rpl_a");
    for (const ledger of ledgers.all) {
      expect(await layParts(ledger, { job, parts, settings: [{ scope: 1, version: 99 }] })).not.toBe("laid");
    }
    expect([count(databases, "replay_parts"), count(databases, "settings_fences")]).toEqual([0, 0]);
  });

  test("[LED-5] a job that is being started, or was given up, is no job that anybody sees", async () => {
    const databases = threeLedgers();
    const dead = dyingStorage(databases, { fatal: 1, isAfter: true });
    await expect(createJob(dead, newJob("rpl_a"))).rejects.toThrow("killed");
    expect(await findJob(databases.directory, "rpl_a")).toBeUndefined();
    expect(await listJobs(databases.directory, { merchant: undefined, rowsMax: 9 })).toEqual([]);
    expect(await createJob(databases, newJob("rpl_b"))).toBe("overlaps"); // until it is given up
  });

  test("[LED-6] a change that dies at any call is known to all ledgers once the cron has come, and excludes others till then", async () => {
    let halfWay = 0;
    const make = () => threeLedgers();
    await atEveryCall(
      make,
      async (storage, databases) => {
        expect(await createJob(databases, newJob("rpl_a"))).toBe("created");
        const job = (await findJob(databases.directory, "rpl_a")) as ReplayJob;
        return changeJob(storage, { job, verb: "cancel", now: NOW });
      },
      async (databases) => {
        const states = () => new Set(fences(databases, "rpl_a").map(({ state }) => state));
        const mayWrite = states().has("running");
        const header = await findJob(databases.directory, "rpl_a");
        if (header?.state === "cancelled" && mayWrite) halfWay += 1;
        // As long as one ledger would still let it write, nobody else may.
        if (mayWrite) expect(await createJob(databases, newJob("rpl_b"))).toBe("overlaps");
        await mendJobs(databases, NOW + 1, () => {});
        expect(states()).toEqual(new Set([header?.state]));
      },
    );
    expect(halfWay).toBeGreaterThan(2);
  });

  test("[LED-6] a fence of an earlier epoch, however late it comes, changes nothing and sends no part again", async () => {
    const databases = threeLedgers();
    await createJob(databases, newJob("rpl_a"));
    const old = await findJob(databases.directory, "rpl_a");
    if (old === undefined) throw new Error("no job");
    await changeJob(databases, { job: old, verb: "pause", now: NOW });
    await changeJob(databases, { job: old, verb: "resume", now: NOW });
    const ledger = databases.ledgers.all[0] as Ledger;
    const taken = await takeParts(ledger, { job: "rpl_a", now: NOW, sentMax: 9 });
    expect(taken).toHaveLength(1);
    for (const state of ["paused", "running", "undoing"] as const) await putFence(ledger, { ...old, state });
    expect(fences(databases, "rpl_a")).toEqual(Array.from({ length: 3 }, () => ({ state: "running", epoch: 4 })));
    expect(await takeParts(ledger, { job: "rpl_a", now: NOW, sentMax: 9 })).toEqual([]);
  });

  test("[LED-7] a part whose job paused while it ran is counted once more; a job ends by the epoch that was seen", async () => {
    const databases = threeLedgers();
    const ledger = databases.ledgers.all[0] as Ledger;
    await createJob(databases, newJob("rpl_a"));
    const job = await findJob(databases.directory, "rpl_a");
    if (job === undefined) throw new Error("no job");
    const part = { job: "rpl_a", day: DAY, partition: "pool-0" };
    const begun = await findPart(ledger, part);
    await changeJob(databases, { job, verb: "pause", now: NOW });
    await changeJob(databases, { job, verb: "resume", now: NOW });
    const zero = {
      events: 0,
      buckets: 0,
      differences: 0,
      inDoubt: 0,
      unpublished: 0,
      durationMs: 0,
      shown: [],
      totals: [],
    };
    await finishPart(ledger, { part, result: zero, epoch: begun?.epoch ?? 0 });
    expect((await findPart(ledger, part))?.state).toBe("waiting");
    await finishPart(ledger, { part, result: zero, epoch: 4 });
    expect((await findPart(ledger, part))?.state).toBe("done");
    expect(await finishJob(databases, { header: job, now: NOW })).toBe(false);
  });
});

describe("the end of a merchant", () => {
  const pace = { sealAfterMs: 48 * 3_600_000 };
  const depsOf = (storage: Pick<Databases, "directory" | "ledgers">) => ({
    ...storage,
    bucket: memoryArchive(),
    partition: () => ({ erase: async () => ({ position: 1, archivedPosition: 1 }) }),
    now: () => NOW,
    pace,
    log: () => {},
  });
  const row = dayRow(3);

  test("[LED-8] it dies at any call: the cron takes the merchant from the directory, and then its numbers", async () => {
    const make = () => {
      const databases = makeDatabases();
      putSettings(databases.database, settingsOf("UTC", { merchant: 1 }));
      databases.database.exec("INSERT INTO streams (merchant, number, name, created_at) VALUES (1, 1, 's', 0)");
      return databases;
    };
    const whole = {
      id: "ers_a",
      merchant: 1,
      kind: "merchant",
      visitor: "",
      fromDay: 0,
      toDay: 1e6,
      createdAt: NOW,
    } as const;
    let asked = 0;
    const calls = await atEveryCall(
      make,
      async (storage, { ledgers }) => {
        await writeRollups(ledgers.all[0] as Ledger, [row]);
        await createErasure(storage.ledgers.all[0] as Ledger, { erasure: whole, partitions: ["pool-0"], openDays: [] });
        await driveErasures(depsOf(storage));
      },
      async (databases) => {
        const ledger = databases.ledgers.all[0] as Ledger;
        if ((await listRunning(ledger, { turn: 0, rowsMax: 9 })).length === 0) {
          if (count(databases, "erasures") === 0) return; // nothing was asked for: nothing is gone
        }
        asked += 1;
        // Whatever is published from now on is of a merchant that is ending.
        await writeRollups(ledger, [{ ...row, version: 9 }]);
        expect(count(databases, "daily WHERE version = 9")).toBe(0);
        for (let time = 0; time < 3; time++) await driveErasures(depsOf(databases));
        expect([count(databases, "merchants WHERE number = 1"), count(databases, "streams")]).toEqual([0, 0]);
        expect(count(databases, "daily")).toBe(0);
      },
    );
    expect(calls).toBeGreaterThan(5);
    expect(asked).toBeGreaterThan(8);
  });
});

test("[LED-10] the cron goes on in all ledgers but the one that fails, and says which that is", async () => {
  const { ledgers } = makeDatabases(3);
  const places = PARTS.map((part) => ({ ...part, day: DAY - 9 }));
  for (const place of places) await noteClosed(ledgers.of(place.partition), { places: [place], now: NOW });
  const prepare = () => {
    throw new Error("overloaded");
  };
  const [first, , third] = ledgers.all as [Ledger, Ledger, Ledger];
  const sent: string[] = [];
  const lines: object[] = [];
  await sendDue({
    ledgers: ledgersOf([first, { prepare } as unknown as Ledger, third]),
    now: () => NOW,
    sendSeals: async (due) => void sent.push(...due.map(({ partition }) => partition)),
    log: (line) => void lines.push(line),
  });
  expect(sent.sort()).toEqual(["pool-0", "pool-2"]);
  expect(lines).toEqual([{ event: "ledger_failed", ledger: 1, error: "Error: overloaded" }]);
});
