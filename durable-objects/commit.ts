// The commit: what appends left pending becomes rows of the log, in one transaction, shared by every append of the moment
// (a row and an fsync for all of them). If it throws, the object resets itself: memory must not hold what the disk does
// not, and nobody has been answered yet.

import { LOG_ROW_BYTES_MAX } from "../core/limits.ts";
import { causeOf } from "../core/outcome.ts";
import { scheduleAlarm } from "./alarm.ts";
import type { Partition } from "./state.ts";

/** The first append of a moment waits a little for others, then commits for all of them. */
export function groupCommit(partition: Partition): Promise<void> {
  partition.commit ??= (async () => {
    await partition.deps.pause();
    partition.commit = undefined;
    commitPending(partition);
    // The alarm is set in the same turn as the write, so that both become durable or neither: no log without an alarm.
    // The host holds every answer back until then (a Durable Object's output gate).
    scheduleAlarm(partition);
  })();
  return partition.commit;
}

/** Writes what is pending as log rows, in one transaction, now. */
export function commitPending(partition: Partition): void {
  if (partition.pending.length === 0 && partition.pendingSalts.length === 0) return;
  orReset(partition, () => writePending(partition));
}

/** Runs work that changes memory and disk together; a failure resets the object before anybody sees half of it. */
export function orReset<T>(partition: Partition, work: () => T): T {
  try {
    return work();
  } catch (error) {
    partition.deps.reset(`append failed: ${causeOf(error)}`);
    throw error;
  }
}

/** One row for the whole group, or as few as fit the platform's row size. */
function writePending(partition: Partition): void {
  const { pending, pendingSalts } = partition;
  let first = partition.next - pending.length;
  partition.deps.store.transaction(() => {
    for (const salt of pendingSalts) partition.deps.store.writeSalt(salt);
    for (const rows of chunksOf(pending)) {
      partition.deps.store.appendLog({ first, count: rows.length, rows: `[${rows.join(",")}]` });
      first += rows.length;
    }
  });
  partition.unbundledBytes += partition.pendingBytes;
  partition.unbundledSince ??= pending.length > 0 ? partition.deps.now() : undefined;
  partition.pending = [];
  partition.pendingBytes = 0;
  partition.pendingSalts = [];
}

function* chunksOf(rows: readonly string[]): Generator<readonly string[]> {
  let chunk: string[] = [];
  let bytes = 0;
  for (const row of rows) {
    if (bytes + row.length > LOG_ROW_BYTES_MAX / 3) {
      yield chunk; // UTF-8 takes at most three bytes for a UTF-16 unit
      chunk = [];
      bytes = 0;
    }
    chunk.push(row);
    bytes += row.length;
  }
  if (chunk.length > 0) yield chunk;
}
