// Shares what an isolate has seen of jobs whose askers wait (`Prefer: wait`). Each waiting asker looks three times a
// second. A thousand askers of one job must cost its ledger no more than one does. So they look in turn, and each takes
// what another one saw meanwhile. Results are shared, not promises: a request must not wait for another request, whose
// client may have left.

import { JOB_WAIT_EVERY_MS, JOBS_LOOKED_MAX } from "../../core/limits.ts";
import type { QuestionJob } from "../../storage/ledger/question-job.ts";

interface Look {
  /** When the look began, UTC ms. */
  readonly at: number;
  /** The job that was seen. Undefined until the look has ended. */
  readonly job: QuestionJob | undefined;
}

export class JobLooks {
  /** The looks by job. The first one was looked for longest ago. */
  readonly #looks = new Map<string, Look>();

  /**
   * The job as it was seen within the last moment, or as it is now. Undefined while the first look runs, or if there is
   * no such job.
   */
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
