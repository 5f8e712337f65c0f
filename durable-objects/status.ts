// Where a partition stands, for operators and tests.

import { unarchivedFrom } from "./checkpoint.ts";
import { loadUnpublished } from "./publish.ts";
import type { PartitionStatus } from "./rpc.ts";
import type { Partition } from "./state.ts";

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
  return {
    partition: partition.name,
    nextPosition: partition.next,
    checkpointPosition: partition.checkpointed,
    bundledPosition: partition.bundled,
    unconfirmedBundles: partition.bundles.length,
    // Cuts and confirmations are stored, so this never goes back.
    archivedPosition: unarchivedFrom(partition),
    unpublishedRollups,
    heldBytes: partition.heldBytes,
    merchants: merchants.size,
  };
}
