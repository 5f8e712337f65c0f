// tell: after each publish, and when the archive has caught up, a partition leaves in its ledger where it
// stands. Whoever watches reads that: asking each partition would keep all of them awake, and make those that
// nobody has sent anything to.

import type { ToldStatus } from "../storage/ledger/partition-status.ts";
import type { PartitionStatus } from "./rpc.ts";
import type { Partition } from "./state.ts";
import { statusOf } from "./status.ts";
import { FIRST_POSITION } from "./store.ts";

/** Telling again replaces what was told: absolute values, and the later ones win. */
export async function tell(partition: Partition): Promise<void> {
  const { publishedAt } = partition;
  const status = statusOf(partition);
  await partition.deps.tellStatus(toldOf(status, partition.deps.now()));
  partition.toldAt = publishedAt;
  partition.toldWaiting = status.unarchivedSince !== null;
}

function toldOf(status: PartitionStatus, now: number): ToldStatus {
  return {
    partition: status.partition,
    toldAt: now,
    publishDue: status.publishDue,
    events: status.nextPosition - FIRST_POSITION,
    archivedEvents: status.archivedPosition - FIRST_POSITION,
    unarchivedSince: status.unarchivedSince,
    unconfirmedBundles: status.unconfirmedBundles,
    heldBytes: status.heldBytes,
    merchants: status.merchants,
    failing: status.failing.join(" "),
  };
}
