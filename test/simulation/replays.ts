// Replay jobs in a run whose Days are sealed: rules, or a zone, are decided on and applied to past Days while late
// events come, seals count them, D1 and R2 fail and messages repeat; then the job is undone in the same weather.
// Between the two a verify must find no difference, and at the end all laws hold as if there had been no job.

import type { ReplayPart } from "../../core/counting/replay-part.ts";
import { GOALS_RETRY_MS } from "../../core/limits.ts";
import type { Settings } from "../../core/merchant.ts";
import { GLOBAL_MERCHANT } from "../../core/rules.ts";
import { HOUR_MS } from "../../core/time.ts";
import { type ReplayDeps, replayParts } from "../../queues/replay.ts";
import {
  findJob,
  listActiveJobs,
  listJobs,
  type ReplayJob,
  type ReplayVerb,
} from "../../storage/directory/replay-job.ts";
import type { ReplayKind } from "../../storage/directory/schema.ts";
import { readSettings } from "../../storage/directory/settings.ts";
import { startGoalsBackfill } from "../../storage/goals-backfill.ts";
import { changeJob, mendJobs, readProgress } from "../../storage/replay.ts";
import { driveJob } from "../../storage/replay-drive.ts";
import { type StartDeps, startReplay, takenBack } from "../../workers/query/replay-start.ts";
import { SimulatedQueue } from "./queue.ts";
import { decideRules } from "./rules.ts";
import { type Simulation, sealDeps, sendLate, setSettings } from "./simulation.ts";

/** As merchants have them, and two that are far away. */
const ZONES = ["UTC", "Europe/Athens", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Kiritimati", "Pacific/Niue"];
/** Bad weather for jobs: worse, and every part would need a dozen turns. */
const WEATHER = { failure: 0.03, crash: 0.005, repeat: 0.2 };
const CALM = { failure: 0, crash: 0, repeat: 0 };
/** Longer than anything that failed may take effect late. */
const SETTLED_MS = HOUR_MS;
/** Verifies of a settled world that may find something in doubt, one after the other. */
const DOUBTS_MAX = 4;
const POLLS_MAX = 40;

/** Runs the jobs over the three Days before `toDay`. What is wrong ends up in `simulation.problem`. */
export async function playReplays(simulation: Simulation, toDay: number): Promise<void> {
  const replays = new Replays(simulation);
  const { world } = simulation;
  if (world.random.chance(0.5)) return playZone(simulation, replays, toDay);
  const scope = decideRules(simulation);
  const asked = {
    fromDay: toDay - 3,
    toDay,
    merchants: scope === GLOBAL_MERCHANT ? undefined : [scope],
    draft: undefined,
    dimensions: undefined,
  };
  world.faults = WEATHER;
  sendLate(simulation);
  await sealBegins(simulation);
  const isRebuild = world.random.chance(0.8) || scope === GLOBAL_MERCHANT;
  const kind: ReplayKind = isRebuild ? "rebuild" : "backfill";
  const job = await replays.start({ ...asked, kind, rules: "current" });
  if (job === undefined) return;
  if (world.random.chance(0.3)) sendLate(simulation);
  // A backfill counts goals alone. It is not taken back: the Days are what their rules and its goals say.
  const isCancelled = world.random.chance(0.25) && isRebuild;
  if (!isCancelled && (await replays.ended(job.id)) !== "done") return;
  if (!isCancelled) await replays.verify(asked);
  if (!isRebuild) return;
  world.faults = WEATHER;
  sendLate(simulation);
  await sealBegins(simulation);
  await replays.takeBack(job.id);
  if ((await replays.ended(job.id)) !== "undone") return;
  await replays.verify({ ...asked, merchants: undefined });
}

/** A merchant's Days get another zone, which is taken back again or stays until the laws are checked. */
async function playZone(simulation: Simulation, replays: Replays, toDay: number): Promise<void> {
  const { world, settings } = simulation;
  const asked = {
    fromDay: toDay - world.random.integer(1, 4),
    toDay: toDay + world.random.integer(-1, 1),
    merchants: [world.random.pick([...settings.keys()])],
    draft: undefined,
    dimensions: undefined,
  };
  if (asked.fromDay >= asked.toDay) return;
  world.faults = WEATHER;
  sendLate(simulation);
  await sealBegins(simulation);
  const job = await replays.start({ ...asked, kind: "rebuild", rules: "dated", zone: world.random.pick(ZONES) });
  if (job === undefined) return;
  if (world.random.chance(0.5)) sendLate(simulation);
  const isCancelled = world.random.chance(0.25);
  if (!isCancelled && (await replays.ended(job.id)) !== "done") return;
  if (!isCancelled) await replays.verify({ ...asked, fromDay: toDay - 6, toDay: toDay + 2, merchants: undefined });
  world.faults = WEATHER;
  sendLate(simulation);
  await sealBegins(simulation);
  if (isCancelled || world.random.chance(0.5)) {
    await replays.takeBack(job.id);
    if ((await replays.ended(job.id)) !== "undone") return;
  }
  await replays.verify({ ...asked, fromDay: toDay - 6, toDay: toDay + 2, merchants: undefined });
}

/** Jobs are asked for in the middle of a seal where there is one: then both want to write the same rows. */
function sealBegins({ world, sealing }: Simulation): Promise<void> {
  return new Promise((resolve) => {
    const later = () => world.at(world.now + world.random.integer(0, 600), resolve);
    sealing.push(later);
    world.at(world.now + 2 * HOUR_MS, resolve);
  });
}

type Asked = Parameters<typeof startReplay>[0];

class Replays {
  readonly #simulation: Simulation;
  readonly #queue: SimulatedQueue;
  #ids = 0;

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
    const { world } = simulation;
    this.#queue = new SimulatedQueue("replay", world, (batch) => replayParts(batch, this.#deps()));
    const cron = () => {
      this.#drive().catch((error: unknown) => world.note(`the replay cron failed: ${String(error)}`));
      world.at(world.now + HOUR_MS / 2, cron);
    };
    world.at(world.now, cron);
  }

  /** Asks until there is a job; an answer that was lost may have made one. */
  async start(asked: Asked): Promise<ReplayJob | undefined> {
    const { world, d1 } = this.#simulation;
    const known = new Set((await listJobs(d1, { merchant: undefined, rowsMax: 100 })).map(({ id }) => id));
    for (let poll = 0; poll < POLLS_MAX; poll++) {
      try {
        const started = await startReplay(asked, this.#deps());
        if (!started.ok) world.note(`a replay was refused: ${JSON.stringify(started)}`);
        // The zone they have already, or Days that none can be put on.
        if (!started.ok && started.problem.field === "time_zone") return undefined;
      } catch (error) {
        world.note(`asking for a replay failed: ${String(error)}`);
        await world.sleep(SETTLED_MS);
      }
      const jobs = await listJobs(d1, { merchant: undefined, rowsMax: 100 });
      const made = jobs.find(({ id, rules }) => !known.has(id) && rules !== "goals_due");
      await this.#loadSettings();
      if (made !== undefined) return made;
      await world.sleep(HOUR_MS / 4);
    }
    this.#fail(`there was no way to start a ${asked.kind}`);
    return undefined;
  }

  async takeBack(id: string): Promise<void> {
    const { world, d1 } = this.#simulation;
    const deps = this.#deps();
    for (let poll = 0; poll < POLLS_MAX; poll++) {
      const job = (await findJob(d1, id)) as ReplayJob;
      if (job.state === "undoing" || job.state === "undone") break;
      const verb: ReplayVerb = job.state === "done" ? "undo" : "cancel";
      try {
        await changeJob(deps, { job, verb, now: world.now, taken: await takenBack(job, verb, deps) });
      } catch (error) {
        world.note(`${verb} failed: ${String(error)}`);
        await world.sleep(SETTLED_MS);
      }
    }
    await this.#loadSettings();
  }

  /** The state in which a job ends, when all its parts have. The weather turns meanwhile, so that it can. */
  async ended(id: string): Promise<string> {
    const { world, d1 } = this.#simulation;
    for (let poll = 0; poll < POLLS_MAX; poll++) {
      await world.sleep(HOUR_MS / 4);
      if (poll > 8) world.faults = CALM;
      const job = (await findJob(d1, id)) as ReplayJob;
      const { failed } = await readProgress(this.#simulation.databases, id);
      if (job.state === "undone" || (job.state === "done" && failed === 0)) {
        this.#simulation.statistics.replays += 1;
        return job.state;
      }
      if (failed > 0 && job.state === "done")
        await changeJob(this.#simulation.databases, { job, verb: "resume", now: world.now });
    }
    const { state } = (await findJob(d1, id)) as ReplayJob;
    this.#fail(`replay ${id} does not end: ${state}`);
    return state;
  }

  /** In a world that has settled: what is shown is what the rules in force make of the archive. */
  async verify(asked: Omit<Asked, "kind" | "rules">): Promise<void> {
    const { world, d1, database } = this.#simulation;
    world.faults = CALM;
    const waiting = database.prepare("SELECT count(*) AS late FROM archive_days WHERE late_since IS NOT NULL");
    const isWaiting = async () => waiting.get()?.["late"] !== 0 || (await listActiveJobs(d1)).length > 0;
    let doubt = "";
    // What a backfill of goals has not counted is in doubt, and its questions go to events. One that had to give way
    // goes on when somebody asks for the goals: here it is asked to.
    for (let attempt = 0; attempt < DOUBTS_MAX; attempt++) {
      for (let poll = 0; poll < POLLS_MAX && (await isWaiting()); poll++) await world.sleep(HOUR_MS / 2);
      await this.#loadSettings();
      const job = await this.start({ ...asked, kind: "verify", rules: "dated" });
      if (job === undefined) return;
      await this.ended(job.id);
      const { differences, inDoubt } = await readProgress(this.#simulation.databases, job.id);
      doubt = `L3: replay ${job.id} finds ${differences} differences, ${inDoubt} in doubt`;
      if (differences > 0) break;
      if (inDoubt > 0) await world.sleep(GOALS_RETRY_MS);
      // A backfill may have given way on Days that were not asked for here.
      if (!(await this.#goalsGoOn()) && inDoubt === 0) return;
    }
    this.#fail(doubt);
  }

  /** Whether a backfill of goals has begun. */
  async #goalsGoOn(): Promise<boolean> {
    const { world } = this.#simulation;
    let isBegun = false;
    for (const merchant of this.#simulation.settings.keys()) {
      try {
        const goals = await startGoalsBackfill(merchant, this.#deps(), { goesOn: true });
        if (goals === undefined) continue;
        isBegun = true;
        await driveJob(goals, this.#deps());
      } catch (error) {
        isBegun = true; // nobody knows whether it has
        world.note(`asking for goals failed: ${String(error)}`);
        await world.sleep(SETTLED_MS);
      }
    }
    return isBegun;
  }

  async #drive(): Promise<void> {
    const deps = this.#deps();
    await mendJobs(deps, this.#simulation.world.now, deps.log);
    for (const job of await listActiveJobs(deps.directory)) await driveJob(job, deps);
  }

  #fail(problem: string): void {
    this.#simulation.problem ??= problem;
  }

  /** Settings as D1 has them since a job changed them. */
  async #loadSettings(): Promise<void> {
    const { settings, d1 } = this.#simulation;
    for (const merchant of [GLOBAL_MERCHANT, ...settings.keys()])
      setSettings(this.#simulation, (await readSettings(d1, merchant)) as Settings);
  }

  #deps(): ReplayDeps & StartDeps {
    const simulation = this.#simulation;
    const { world } = simulation;
    const deps = sealDeps(simulation);
    return {
      ...deps,
      placement: simulation.placement,
      random: (bytes) => new Uint8Array(bytes).fill(++this.#ids),
      sendParts: (parts: readonly ReplayPart[]) =>
        world.call("replay send", () => {
          for (const part of parts) this.#queue.send(part);
        }),
    };
  }
}
