// The cron's step that writes what merchants are told about the deployment's state. It needs only the bucket. So it
// works while the directory does not answer, and then tells merchants so.

import { causeOf } from "../../core/outcome.ts";
import { statusOf } from "../../core/watch/status.ts";
import { listAlerts } from "../../storage/directory/standing.ts";
import { readStatus, writeStatus } from "../../storage/status.ts";
import type { Deps } from "./deps.ts";

export async function tellStatus({
  directory,
  objects,
  now,
  log,
}: Pick<Deps, "directory" | "objects" | "now" | "log">): Promise<void> {
  const alerts = await listAlerts(directory).catch((error: unknown) => {
    log({ event: "directory_failed", error: causeOf(error) });
    return undefined;
  });
  await writeStatus(objects, statusOf(await readStatus(objects), alerts, now()));
}
