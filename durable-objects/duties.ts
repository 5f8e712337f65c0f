// The duties of a partition, as the alarm does them. Each duty does a bounded piece of work on its own: one
// that fails is logged, waits longer each time, and keeps none of the others from running. At the end the
// partition asks for its next alarm.

import { LOADED_EVENTS_MAX, RETRY_MAX_MS, RETRY_MIN_MS } from "../core/limits.ts";
import { causeOf } from "../core/outcome.ts";
import { dutiesDue, isOutgoing, scheduleAlarm } from "./alarm.ts";
import { checkpointTurn, forget, loadedEvents } from "./checkpoint.ts";
import { claim } from "./claim.ts";
import { drain } from "./drain.ts";
import { publish } from "./publish.ts";
import type { Duty, Partition } from "./state.ts";
import { tell } from "./tell.ts";

/**
 * The duties in their order: nothing goes out before its storage is known to be its own; publish before checkpoint, so
 * that the checkpoint can let published shelves go.
 */
const DUTIES: readonly { readonly name: Duty; readonly run: (partition: Partition) => void | Promise<void> }[] = [
  { name: "claim", run: claim },
  { name: "drain", run: drain },
  { name: "publish", run: publish },
  { name: "tell", run: tell },
  { name: "checkpoint", run: checkpointTurn },
  { name: "forget", run: forget },
];

/** Runs every duty that is due and schedules the next alarm. */
export async function tick(partition: Partition): Promise<void> {
  partition.alarmAt = undefined;
  for (const { name, run } of DUTIES) {
    if (!isDue(partition, name)) continue;
    try {
      await run(partition);
      partition.retries.delete(name);
    } catch (error) {
      postpone(partition, name, error);
    }
  }
  scheduleAlarm(partition);
}

/** Memory pressure makes a checkpoint due before its time: only what is written can leave. */
function isDue(partition: Partition, duty: Duty): boolean {
  const now = partition.deps.now();
  if (isOutgoing(duty) && !(partition.isChecked && partition.standing === "own")) return false;
  if (duty === "checkpoint" && loadedEvents(partition) > LOADED_EVENTS_MAX) return true;
  return dutiesDue(partition, now)[duty] <= now;
}

function postpone(partition: Partition, duty: Duty, error: unknown): void {
  const failures = (partition.retries.get(duty)?.failures ?? 0) + 1;
  const waitMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** (failures - 1));
  partition.retries.set(duty, { at: partition.deps.now() + waitMs, failures });
  partition.deps.log({ event: "duty_failed", partition: partition.name, duty, failures, error: causeOf(error) });
}
