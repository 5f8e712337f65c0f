// The cron's look at the whole deployment. It adds up the state of every ledger, raises and ends alerts by the rules of
// core, and tells receivers. A failure is logged. The next cron, in five minutes, does it again, and tells an alert
// that was not told. At the end the heartbeat is sent. If heartbeats stop, their watcher outside learns that the cron
// does not run.

import { causeOf } from "../../core/outcome.ts";
import { HOUR_MS } from "../../core/time.ts";
import { afterTelling, alertsToTell, raiseAlerts } from "../../core/watch/alert.ts";
import { type LedgerStanding, type Standing, sumLedgers } from "../../core/watch/standing.ts";
import { listDeadLetters } from "../../storage/dead-letter.ts";
import { instantOf, listBackups } from "../../storage/directory/backup.ts";
import { readEpochs } from "../../storage/directory/epoch.ts";
import { listAlerts, readStanding, sizeOf, writeAlerts, writeStanding } from "../../storage/directory/standing.ts";
import { askEach } from "../../storage/ledger/ledgers.ts";
import { readLedgerStanding } from "../../storage/ledger/partition-status.ts";
import { sealedBytes } from "../../storage/ledger/sealed-day.ts";
import type { Deps } from "./deps.ts";
import { beat, type TellDeps, tellAlert } from "./tell.ts";

export type WatchDeps = Pick<Deps, "directory" | "ledgers" | "bucket" | "objects" | "pace" | "now" | "log"> &
  TellDeps &
  Pick<Deps, "heartbeatUrl">;

/**
 * Adds up the state, raises alerts and tells receivers. Throws if an alert could not be told, so that the platform
 * shows the failure as well.
 */
export async function watch(deps: WatchDeps): Promise<void> {
  const standing = await standingOf(deps);
  await writeStanding(deps.directory, standing);
  const alerts = raiseAlerts(await listAlerts(deps.directory), standing);
  // Alerts are written before they are told, so the API shows them even where no receiver can be reached.
  await writeAlerts(deps.directory, alerts);
  const untold: string[] = [];
  let kept = alerts;
  for (const alert of alertsToTell(alerts, standing.at)) {
    if (!(await tellAlert(alert, deps))) {
      untold.push(alert.name);
      continue;
    }
    const after = afterTelling(alert, standing.at);
    kept = kept.flatMap((one) => (one.name !== alert.name ? [one] : after === undefined ? [] : [after]));
  }
  if (kept !== alerts) await writeAlerts(deps.directory, kept);
  await beat(deps);
  if (untold.length > 0) throw new Error(`alerts could not be told: ${untold.join(", ")}`);
}

async function standingOf({ directory, ledgers, objects, bucket, pace, now, log }: WatchDeps): Promise<Standing> {
  const at = now();
  const ask = async (ledger: D1Database, position: number): Promise<LedgerStanding | undefined> => {
    try {
      return await readLedgerStanding(ledger, { now: at, sealAfterMs: pace.sealAfterMs });
    } catch (error) {
      log({ event: "ledger_failed", ledger: position, error: causeOf(error) });
      return undefined;
    }
  };
  const standings = await askEach(ledgers, ask);
  const { letters } = await listDeadLetters(objects);
  const { own, known } = await readEpochs({ directory, bucket });
  const directoryBehind = Math.max(0, known - own);
  const directoryBytes = await sizeOf(directory);
  const [newest] = await listBackups({ bucket });
  const before = await readStanding(directory);
  const backedUpAt = newest === undefined ? (before?.backedUpAt ?? at) : instantOf(newest);
  const archiveBytes = await archiveBytesOf(ledgers, { before, at, log });
  const deployment = { deadLetters: letters.length, directoryBytes, directoryBehind, backedUpAt, archiveBytes };
  return sumLedgers(standings, { at, ...deployment });
}

/** Added up once an hour: it reads a row for each sealed Day. */
async function archiveBytesOf(
  ledgers: WatchDeps["ledgers"],
  { before, at, log }: { readonly before: Standing | undefined; readonly at: number } & Pick<WatchDeps, "log">,
): Promise<number> {
  const known = before?.archiveBytes;
  if (known !== undefined && Math.floor(at / HOUR_MS) === Math.floor((before?.at ?? 0) / HOUR_MS)) return known;
  try {
    return (await askEach(ledgers, sealedBytes)).reduce((sum, bytes) => sum + bytes, 0);
  } catch (error) {
    log({ event: "cron_step_failed", step: "archive bytes", error: causeOf(error) });
    return known ?? 0;
  }
}
