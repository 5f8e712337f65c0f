// Whether a partition's storage is the one that its name stands for. An object whose storage was lost opens like a new
// one, at the first position: it would cut bundles under positions that the archive has, count what was counted, and
// publish a Day of a few hits over a Day of many. One that was put back to an earlier instant would do the same. So an
// object claims its name in its ledger before it takes its first event (storage/ledger/partition-claim.ts), and looks
// there once more each time it starts, before anything leaves it. What is not its own takes nothing: hits wait in the
// overflow queue, until `footfall recover partition` has brought back what stands outside of it (recover.ts).

import { SETTINGS_FRESH_MS } from "../core/limits.ts";
import { causeOf } from "../core/outcome.ts";
import { STORAGE_LOST } from "../core/watch/standing.ts";
import { writePositions } from "./checkpoint.ts";
import type { Partition } from "./state.ts";
import { FIRST_POSITION } from "./store.ts";

/**
 * "unclaimed": it has not claimed its name yet. "own": it is the one that the ledger knows. "lost": another one has
 * claimed its name, or had more events. "recovering": it is being brought back.
 */
export type Standing = "unclaimed" | "own" | "lost" | "recovering";

/** Whether events may be counted here; claims the name where nobody has. False too while the ledger is silent. */
export async function isOwn(partition: Partition): Promise<boolean> {
  if (partition.standing !== "unclaimed") return partition.standing === "own";
  try {
    await claim(partition);
  } catch (error) {
    partition.deps.log({ event: "partition_unclaimed", partition: partition.name, error: causeOf(error) });
  }
  return (partition.standing as Standing) === "own";
}

/** Throws where the partition does not know what it should. */
export async function ensureOwn(partition: Partition): Promise<void> {
  if (!(await isOwn(partition))) throw new Error(whyNotOwn(partition));
}

/**
 * Asks the ledger while hits are taken, at the pace at which settings are asked for: a storage that was put back is
 * found before it is evicted and starts with more events than it had.
 */
export function checkSoon(partition: Partition): void {
  const { deps, lease, claiming } = partition;
  const isFresh = deps.now() - (lease?.readAt ?? Number.NEGATIVE_INFINITY) <= SETTINGS_FRESH_MS;
  if (isFresh || claiming !== undefined) return;
  deps.background(
    claim(partition).catch((error: unknown) => {
      deps.log({ event: "partition_unclaimed", partition: partition.name, error: causeOf(error) });
    }),
  );
}

/** What is wrong with it, and what to do. */
export function whyNotOwn({ standing, name }: Pick<Partition, "standing" | "name">): string {
  const command = `footfall recover partition ${name}`;
  if (standing === "lost") return `the storage of ${name} was lost or put back: ${command}`;
  if (standing === "recovering") return `${name} is being recovered; where nobody does so any more: ${command}`;
  return `${name} has not claimed its name: its ledger does not answer`;
}

/** Events that it ever made durable. */
export function durableEvents({ next, skipped }: Pick<Partition, "next" | "skipped">): number {
  return next - FIRST_POSITION - skipped;
}

/**
 * Claims the name where nobody has, and looks whether the ledger knows a later state of this storage. Calls that come
 * meanwhile wait for the same answer. Throws where the ledger does not answer.
 */
export function claim(partition: Partition): Promise<void> {
  partition.claiming ??= askLedger(partition).finally(() => {
    partition.claiming = undefined;
  });
  return partition.claiming;
}

async function askLedger(partition: Partition): Promise<void> {
  const { deps, name, claim: asked } = partition;
  // Stored before it is told to anybody: whoever dies in between comes back as the same.
  if (partition.standing === "unclaimed") writePositions(partition, {});
  await deps.durable();
  const isOld = partition.next > FIRST_POSITION;
  const known = await deps.claimName({ partition: name, claim: asked, isOld, now: deps.now() });
  if (partition.claim !== asked) return; // a recovery has made another storage of it meanwhile
  // What it has taken since it started says nothing of what it had before. Once that was checked, it has told of more.
  const next = partition.isChecked ? partition.next : partition.opened;
  const opened = durableEvents({ next, skipped: partition.skipped });
  const standing = known.claim === asked && known.events <= opened ? "own" : "lost";
  if (standing === "lost") {
    deps.log({ event: "partition_lost", partition: name, events: opened, of: known.events });
    // Before it is stored here: a lost storage does not ask again, and somebody has to hear of it.
    await deps.noteLost(name);
    if (partition.claim !== asked) return;
  }
  if (standing !== partition.standing) {
    writePositions(partition, { standing });
    partition.standing = standing;
  }
  partition.isChecked = true;
}

/** What stands in `failing` of its status while it is not as it should be. */
export function storageFailing({ standing, missed }: Pick<Partition, "standing" | "missed">): readonly string[] {
  return standing === "lost" || standing === "recovering" || missed ? [STORAGE_LOST] : [];
}
