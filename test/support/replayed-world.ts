// A SealedWorld in which replay jobs run as well: asked for as the admin API asks for them, their messages consumed one
// by one. What fails and when is up to the test.

import type { ReplayPart } from "../../core/counting/replay-part.ts";
import type { Rules, RuleTimeline } from "../../core/rules.ts";
import { type ReplayDeps, replayParts } from "../../queues/replay.ts";
import { findJob, type ReplayJob, type ReplayVerb } from "../../storage/directory/replay-job.ts";
import { readSettings } from "../../storage/directory/settings.ts";
import { changeJob, listTotals, readProgress } from "../../storage/replay.ts";
import { driveJob } from "../../storage/replay-drive.ts";
import { type AskedReplay, type StartDeps, startReplay, takenBack } from "../../workers/query/replay-start.ts";
import { type AnyDatabase, storageOf } from "./databases.ts";
import { batchOf, deliver } from "./delivery.ts";
import { allRows, unpackAll } from "./packed.ts";
import { putSettings, SealedWorld } from "./sealed-world.ts";

export type Asked = Pick<AskedReplay, "kind" | "fromDay" | "toDay"> & Partial<AskedReplay>;

export class ReplayedWorld extends SealedWorld {
  readonly parts: ReplayPart[] = [];
  /** What jobs and seals see of D1; a test may put one here that fails. */
  seen: AnyDatabase | undefined;
  #ids = 0;

  replayDeps(): ReplayDeps & StartDeps {
    const deps = this.deps();
    return {
      ...deps,
      ...(this.seen === undefined ? this.databases : storageOf(this.seen)),
      placement: { poolSize: 1, regions: [] },
      random: (bytes) => new Uint8Array(bytes).fill(++this.#ids),
      sendParts: async (parts) => void this.parts.push(...parts),
    };
  }

  /** Asks for a job; its messages wait. Throws when it is refused. */
  async start(asked: Asked): Promise<ReplayJob> {
    const started = await this.tryStart(asked);
    if (!started.ok) throw new Error(JSON.stringify(started));
    return started.value;
  }

  async tryStart(asked: Asked) {
    const none = { merchants: undefined, rules: "dated", draft: undefined, dimensions: undefined } as const;
    this.it.now += 1;
    return startReplay({ ...none, ...asked }, this.replayDeps());
  }

  async change(id: string, verb: ReplayVerb): Promise<boolean> {
    const deps = this.replayDeps();
    const job = (await findJob(this.d1, id)) as ReplayJob;
    const changed = await changeJob(this.databases, {
      job,
      verb,
      now: this.it.now,
      taken: await takenBack(job, verb, deps),
    });
    await this.sendAgain(id);
    return changed;
  }

  /** As the cron does when messages were lost: whatever waits is sent again. */
  async sendAgain(id: string): Promise<void> {
    this.database.exec(`UPDATE replay_parts SET sent_at = 0 WHERE job = '${id}'`);
    await driveJob(id, this.replayDeps());
  }

  /** Delivers messages until there are none; what fails is delivered `attempts` times. */
  async work(attempts = 1): Promise<void> {
    for (let part = this.parts.shift(); part !== undefined; part = this.parts.shift()) {
      for (let attempt = 1; attempt <= attempts; attempt++)
        await replayParts(batchOf("footfall-replay", deliver("r", part, attempt)), this.replayDeps());
    }
  }

  async run(asked: Asked): Promise<ReplayJob & Awaited<ReturnType<typeof readProgress>>> {
    const { id } = await this.start(asked);
    await this.work();
    return await this.look(id);
  }

  async look(id: string): Promise<ReplayJob & Awaited<ReturnType<typeof readProgress>>> {
    return { ...((await findJob(this.d1, id)) as ReplayJob), ...(await readProgress(this.databases, id)) };
  }

  totals(id: string) {
    return listTotals(this.databases, id);
  }

  /** Decides on rules that hold from now on, in D1 alone: its Days are closed. */
  async decide(merchant: number, rules: Rules): Promise<void> {
    const known = await readSettings(this.d1, merchant);
    if (known === undefined) throw new Error("no such merchant");
    const period = { version: known.rules.length + 1, rules, from: this.it.now };
    putSettings(this.database, { ...known, version: known.version + 1, rules: [...known.rules, period] });
  }

  timeline(merchant: number) {
    const [row] = this.database.prepare("SELECT rules FROM merchants WHERE number = ?").all(merchant);
    return JSON.parse(String(row?.["rules"])) as RuleTimeline;
  }

  /** Every rollup, to the byte, in rows or packed. */
  dump(): readonly object[] {
    return (["hourly", "daily"] as const).flatMap((table) => allRows(this.database, table));
  }

  /** Changes rollups behind everybody's back: packed ones are rows again for it. */
  async spoil(text: string): Promise<void> {
    await unpackAll(this.database);
    this.database.exec(text);
  }

  /** The same without versions, which say how often something was written. */
  numbers(): readonly object[] {
    return this.dump().map((row) => ({ ...row, version: 0 }));
  }
}
