// Where a partition stands, for operators and tests.

import { dutiesDue } from "./alarm.ts";
import { durableEvents, storageFailing } from "./claim.ts";
import { loadUnpublished } from "./publish.ts";
import type { PartitionStatus } from "./rpc.ts";
import { oldestOf, type Partition, unarchivedFrom } from "./state.ts";

/** Where it stands now. Numbers that are not yet published are loaded into memory; nothing else changes. */
export function statusOf(partition: Partition): PartitionStatus {
  loadUnpublished(partition); // a partition that has just woken has none of them in memory
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
    durableEvents: durableEvents(partition),
    recoveredClaim: partition.recoveredFrom > 0 && partition.standing !== "recovering" ? partition.claim : null,
    checkpointPosition: partition.checkpointed,
    bundledPosition: partition.bundled,
    unconfirmedBundles: partition.bundles.length,
    // It is made from stored facts (bundles that were cut, and confirmations), so a restart does not set it back.
    archivedPosition,
    unarchivedSince: oldestOf(partition.deps.store, unarchived, partition.bundles[0]?.cutAt ?? now) ?? null,
    publishDue: Number.isFinite(publishDue) ? publishDue : null,
    failing: [...partition.retries.keys(), ...storageFailing(partition)],
    unpublishedRollups,
    heldBytes: partition.heldBytes,
    merchants: merchants.size,
    slowedAt: partition.slowedAt,
    hotAt: partition.hotAt,
  };
}
