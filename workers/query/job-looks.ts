// What an isolate has seen of jobs that their askers wait for (`Prefer: wait`). Everybody who waits looks three times a
// second. So that a thousand who wait for one job cost its ledger no more than one does, they look in turn, and each
// takes what another has seen meanwhile. Results are shared and not promises: a request must not wait for another
// one's, which may have been left by its client.

import { JOB_WAIT_EVERY_MS, JOBS_LOOKED_MAX } from "../../core/limits.ts";
import type { QuestionJob } from "../../storage/ledger/question-job.ts";

interface Look {
  /** UTC ms when it was begun. */
  readonly at: number;
  /** Undefined until it has seen something. */
  readonly job: QuestionJob | undefined;
}

export class JobLooks {
  /** By job; the one looked for longest ago is the first. */
  readonly #looks = new Map<string, Look>();

  /** The job as it was seen within the last moment, or is now; undefined where nobody has seen it yet. */
  async find(
    id: string,
    { now, ask }: { readonly now: number; readonly ask: () => Promise<QuestionJob | undefined> },
  ): Promise<QuestionJob | undefined> {
    const last = this.#looks.get(id);
    if (last !== undefined && now - last.at < JOB_WAIT_EVERY_MS) return last.job;
    this.#keep(id, { at: now, job: last?.job });
    const job = await ask();
    this.#keep(id, { at: now, job });
    return job;
  }

  #keep(id: string, look: Look): void {
    this.#looks.delete(id);
    this.#looks.set(id, look);
    const [oldest] = this.#looks.keys();
    if (this.#looks.size > JOBS_LOOKED_MAX && oldest !== undefined) this.#looks.delete(oldest);
  }
}
