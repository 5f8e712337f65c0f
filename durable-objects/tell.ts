// tell: a partition writes its status to its ledger, after each publish and when the archive has caught up. Whoever
// watches the deployment reads the ledger. To ask each partition would keep all of them awake, and create those that
// never had an event.

import type { ToldStatus } from "../storage/ledger/partition-status.ts";
import { commitPending } from "./commit.ts";
import type { PartitionStatus } from "./rpc.ts";
import type { Partition } from "./state.ts";
import { statusOf } from "./status.ts";

/** Writes the status. Doing it twice is harmless: the values are absolute, and later ones replace earlier ones. */
export async function tell(partition: Partition): Promise<void> {
  const { publishedAt } = partition;
  // What the ledger knows must not be ahead of the disk: after a crash before the commit the storage would have fewer
  // events than it told of, and be taken for one that was put back (claim.ts).
  commitPending(partition);
  const status = statusOf(partition);
  await partition.deps.durable();
  await partition.deps.tellStatus(toldOf(status, partition.deps.now()));
  partition.toldAt = publishedAt;
  partition.toldWaiting = status.unarchivedSince !== null;
}

function toldOf(status: PartitionStatus, now: number): ToldStatus {
  return {
    partition: status.partition,
    toldAt: now,
    publishDue: status.publishDue,
    events: status.durableEvents,
    archivedEvents: Math.max(0, status.durableEvents - (status.nextPosition - status.archivedPosition)),
    unarchivedSince: status.unarchivedSince,
    unconfirmedBundles: status.unconfirmedBundles,
    heldBytes: status.heldBytes,
    merchants: status.merchants,
    failing: status.failing.join(" "),
    slowedAt: status.slowedAt,
    hotAt: status.hotAt,
  };
}
