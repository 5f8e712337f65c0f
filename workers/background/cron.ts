// How the cron does its steps (index.ts lists them): side by side, each for itself. One that fails is logged by its
// name and keeps none of the others from being done; the cron as a whole has then failed, so that the platform shows
// it. The next one comes in five minutes and does every step again, which each of them may be.

import type { Log } from "../../core/log.ts";
import { causeOf } from "../../core/outcome.ts";

/** What is to be done, by the name under which the log has it when it fails. */
export type CronSteps<Deps> = Readonly<Record<string, (deps: Deps) => Promise<void>>>;

export async function runCron<Deps extends { readonly log: Log }>(steps: CronSteps<Deps>, deps: Deps): Promise<void> {
  const names = Object.keys(steps);
  const results = await Promise.allSettled(Object.values(steps).map(async (step) => step(deps)));
  const failed = results.flatMap((result, at) => {
    if (result.status === "fulfilled") return [];
    const step = names[at] as string;
    deps.log({ event: "cron_step_failed", step, error: causeOf(result.reason) });
    return [step];
  });
  if (failed.length > 0) throw new Error(`steps of the cron failed: ${failed.join(", ")}`);
}
