// Where a partition stands, for operators and tests.

import type { PartitionStatus } from "./rpc.ts";
import type { Partition } from "./state.ts";

export function statusOf(partition: Partition): PartitionStatus {
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
    archivedPosition: Math.min(partition.bundled, ...partition.bundles.map(({ first }) => first)),
    unpublishedRollups,
    merchants: merchants.size,
  };
}
