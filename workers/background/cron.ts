// Runs the steps of the cron (index.ts lists them) side by side. If a step fails, it is logged by its name, and the
// other steps are done all the same. The cron as a whole has then failed, so that the platform shows it. The next cron
// comes in five minutes and does every step again. That is harmless, because every step may be repeated.

import type { Log } from "../../core/log.ts";
import { causeOf } from "../../core/outcome.ts";

/** The steps, each by the name that the log gives if it fails. */
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
