// drain: cuts the log into bundles and sends them to the archive queue, and sends again what was not confirmed in time.
// The cut is written before the bundle is first sent, so that a resend after any crash is the same bundle: the archive
// consumer then writes the same object again. The log keeps a bundle until it is confirmed, so a lost message loses
// nothing.

import { encodeBundle, type LoggedRow } from "../core/archive/bundle.ts";
import type { Confirmation } from "../core/counting/recovered.ts";
import { BUNDLE_BYTES, BUNDLE_DAYS_MAX, BUNDLE_MESSAGE_BYTES_MAX, BUNDLES_UNCONFIRMED_MAX } from "../core/limits.ts";
import { mayCut, scheduleAlarm, sendDueAt } from "./alarm.ts";
import { writePositions } from "./checkpoint.ts";
import { commitPending } from "./commit.ts";
import { forgetLate } from "./late.ts";
import type { Partition, SentBundle } from "./state.ts";

/** Sends bundles that are due, up to a bound. Throws on the first send that fails, which leaves that bundle due. */
export async function drain(partition: Partition): Promise<void> {
  while (isCutDue(partition)) {
    commitPending(partition);
    cut(partition);
    await partition.deps.pause(0); // a cut takes some 10 ms: others are answered between two
  }
  // Waits until the cut is on disk. Otherwise the archive could hold a bundle that a restart does not know as cut.
  await partition.deps.durable();
  const due = partition.bundles.filter((bundle) => isSendDue(partition, bundle)).slice(0, BUNDLES_UNCONFIRMED_MAX);
  for (const bundle of due) {
    if (partition.bundles.includes(bundle)) await send(partition, bundle); // else it was confirmed meanwhile
  }
  // Between two resends the object may be evicted. So the number of sends is written down: else it would begin at zero
  // each time for a bundle that cannot be archived.
  if (due.some(({ sends }) => sends > 1)) writePositions(partition, {});
}

/**
 * Called when the archive's consumer has put a bundle into R2. A bundle that is not known was confirmed before, so a
 * second call is harmless.
 */
export function confirm(partition: Partition, first: number): Confirmation {
  const left = partition.bundles.filter((bundle) => bundle.first !== first);
  if (left.length === partition.bundles.length) {
    if (partition.standing === "lost" || first >= partition.recoveredFrom) return "confirmed";
    noteMissed(partition);
    return "missed";
  }
  writePositions(partition, { bundles: left });
  partition.bundles = left;
  forgetLate(partition);
  scheduleAlarm(partition); // what was told of it may be over
  return "confirmed";
}

/**
 * A bundle that the storage of before has cut came into the archive after the recovery has begun: it may have events
 * of open Days that are counted nowhere until their Day is sealed, so the recovery is to be run again. Those of closed
 * Days its consumer brings (takeMissed).
 */
function noteMissed(partition: Partition): void {
  if (partition.missed) return;
  writePositions(partition, { missed: true });
  partition.missed = true;
  partition.toldAt = 0; // and is told at once
  scheduleAlarm(partition);
}

function isCutDue(partition: Partition): boolean {
  if (partition.unbundledSince === undefined || !mayCut(partition)) return false;
  const waited = partition.deps.now() - partition.unbundledSince;
  return partition.unbundledBytes >= BUNDLE_BYTES || waited >= partition.deps.timing.drainAfterMs;
}

/** Cuts the next bundle: about BUNDLE_BYTES of log, or less where those do not fit into a queue message when packed. */
function cut(partition: Partition): void {
  const first = partition.bundled;
  let rows = withinDays(partition.deps.store.readLog({ first, end: partition.next }, BUNDLE_BYTES));
  let message = pack(partition, first, rows);
  while (rows.length > 1 && message.length > BUNDLE_MESSAGE_BYTES_MAX) {
    rows = rows.slice(0, Math.ceil(rows.length / 2));
    message = pack(partition, first, rows);
  }
  const end = first + rows.length;
  const bundles = [...partition.bundles, { first, end, cutAt: partition.deps.now(), sentAt: 0, sends: 0, message }];
  writePositions(partition, { bundled: end, bundles });
  partition.bundled = end;
  partition.bundles = bundles;
  partition.unbundledBytes = end < partition.next ? partition.deps.store.logBytes(end) : 0;
  if (end === partition.next) partition.unbundledSince = undefined;
}

/** The first rows of these that are of so few Days as one bundle may have: a bundle becomes one object for each Day. */
function withinDays(rows: LoggedRow[]): LoggedRow[] {
  const days = new Set<number>();
  for (let index = 0; index < rows.length; index++) {
    days.add((rows[index] as LoggedRow)[0]);
    if (days.size > BUNDLE_DAYS_MAX) return rows.slice(0, index);
  }
  return rows;
}

async function send(partition: Partition, bundle: SentBundle): Promise<void> {
  const { first, end } = bundle;
  const message = bundle.message ?? pack(partition, first, partition.deps.store.readLog({ first, end }));
  bundle.message = undefined; // a resend is rare: it need not wait for it in memory
  await partition.deps.sendBundle({ first, end, message });
  bundle.sentAt = partition.deps.now();
  bundle.sends += 1;
}

function isSendDue(partition: Partition, bundle: SentBundle): boolean {
  return sendDueAt(partition, bundle) <= partition.deps.now();
}

function pack({ deps, name }: Partition, first: number, rows: readonly LoggedRow[]): Uint8Array<ArrayBuffer> {
  return deps.packBundle(encodeBundle({ partition: name, first, rows }));
}
