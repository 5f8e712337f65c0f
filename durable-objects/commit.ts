// The commit: it writes what appends left pending as rows of the log, in one transaction. Every append of the moment
// shares it, so all of them together take one row and one fsync. If the transaction throws, the object resets itself:
// memory must not hold what the disk does not, and no append has been answered yet.

import {
  GROUP_COMMIT_EVENTS,
  GROUP_COMMIT_LONG_MS,
  GROUP_COMMIT_MISSES,
  GROUP_COMMIT_MS,
  GROUP_COMMIT_SHORT_FOR_MS,
  LOG_ROW_BYTES_MAX,
} from "../core/limits.ts";
import { causeOf } from "../core/outcome.ts";
import { scheduleAlarm } from "./alarm.ts";
import type { Partition } from "./state.ts";

/** A commit that waits for further appends to share its row. */
export interface Gathering {
  readonly done: Promise<void>;
  /** Ends the wait at once, when waiting longer would gain nothing. */
  readonly end: () => void;
  /** UTC ms. */
  readonly since: number;
  /** How many appends came after the short wait would have been over: what the long wait has gained. */
  late: number;
}

/** What is remembered of earlier waits, to choose how long the next one is. */
export interface Patience {
  /** How many long waits in a row no append has joined. */
  misses: number;
  /** UTC ms until which waits are short. */
  shortUntil: number;
}

/**
 * The first append of a moment waits for others, then commits for all of them. How long it waits is a trade: a row is
 * the dearest part of a hit, and at some fifty hits a second a wait of a tenth of a second gathers five. But where a
 * few servers send one event after the other, and each waits for its answer, no wait brings another append. So the wait
 * is long while others join it, and short for a while after several waits that nobody joined. It ends early when enough
 * appends share the row.
 */
export function groupCommit(partition: Partition): Promise<void> {
  const known = partition.commit;
  if (known !== undefined && partition.deps.now() - known.since > GROUP_COMMIT_MS) known.late += 1;
  const gathering = known ?? gather(partition);
  partition.commit = gathering;
  if (partition.pending.length >= GROUP_COMMIT_EVENTS) gathering.end();
  return gathering.done;
}

function gather(partition: Partition): Gathering {
  const { deps, patience } = partition;
  const since = deps.now();
  const waitsLong = since >= patience.shortUntil;
  const waitMs = Math.min(waitsLong ? GROUP_COMMIT_LONG_MS : GROUP_COMMIT_MS, deps.commitWaitMsMax ?? Infinity);
  const enough = Promise.withResolvers<void>();
  let full = false;
  const end = () => {
    full = true;
    enough.resolve();
  };
  const work = async () => {
    await Promise.race([deps.pause(waitMs), enough.promise]);
    partition.commit = undefined;
    if (waitsLong && !full) learn(patience, { joined: gathering.late > 0, now: deps.now() });
    commitPending(partition);
    // The alarm is set in the same turn as the write, so either both become durable or neither does: there is no log
    // without an alarm. A Durable Object's output gate holds every answer back until then.
    scheduleAlarm(partition);
  };
  const gathering: Gathering = { done: work(), end, since, late: 0 };
  return gathering;
}

function learn(patience: Patience, { joined, now }: { readonly joined: boolean; readonly now: number }): void {
  patience.misses = joined ? 0 : patience.misses + 1;
  if (patience.misses < GROUP_COMMIT_MISSES) return;
  patience.misses = 0;
  patience.shortUntil = now + GROUP_COMMIT_SHORT_FOR_MS;
}

/** Writes what is pending as log rows, in one transaction, now. */
export function commitPending(partition: Partition): void {
  if (partition.pending.length === 0 && partition.pendingSalts.length === 0) return;
  orReset(partition, () => writePending(partition));
}

/**
 * Runs work that changes memory and disk together. Where it fails the object is reset, before anybody can see half of
 * the change.
 */
export function orReset<T>(partition: Partition, work: () => T): T {
  try {
    return work();
  } catch (error) {
    partition.deps.reset(`append failed: ${causeOf(error)}`);
    throw error;
  }
}

/** Writes the whole group as one row, or as a few where it is larger than the platform's row size. */
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
