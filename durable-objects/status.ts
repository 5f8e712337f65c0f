// Where a partition stands, for operators and tests.

import { dutiesDue } from "./alarm.ts";
import { loadUnpublished } from "./publish.ts";
import type { PartitionStatus } from "./rpc.ts";
import { oldestOf, type Partition, unarchivedFrom } from "./state.ts";

/** Where it stands now. It loads what is not published, and changes nothing. */
export function statusOf(partition: Partition): PartitionStatus {
  loadUnpublished(partition); // one that has just woken has none in memory
  let unpublishedRollups = 0;
  const merchants = new Set<number>();
  for (const shelf of partition.shelves.values()) {
    for (const state of shelf.days.values()) {
      unpublishedRollups += state.changed.size;
      merchants.add(state.merchant);
    }
  }
  const archivedPosition = unarchivedFrom(partition);
  const now = partition.deps.now();
  const publishDue = dutiesDue(partition, now).publish;
  const unarchived = { first: archivedPosition, end: partition.next };
  return {
    partition: partition.name,
    nextPosition: partition.next,
    checkpointPosition: partition.checkpointed,
    bundledPosition: partition.bundled,
    unconfirmedBundles: partition.bundles.length,
    // Cuts and confirmations are stored, so this never goes back.
    archivedPosition,
    unarchivedSince: oldestOf(partition.deps.store, unarchived, partition.bundles[0]?.cutAt ?? now) ?? null,
    publishDue: Number.isFinite(publishDue) ? publishDue : null,
    failing: [...partition.retries.keys()],
    unpublishedRollups,
    heldBytes: partition.heldBytes,
    merchants: merchants.size,
  };
}
