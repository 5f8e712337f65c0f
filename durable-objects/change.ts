// When the numbers that the ledger has of a merchant were changed last, other than by publishing: a question's answer
// is remembered by that instant (workers/query/answer-memory.ts). Whoever is about to change numbers of closed Days
// says so here before it does, so nobody remembers an answer under an instant at which the ledger had other numbers. A
// writer that dies has only been announced, which costs nothing but an answer that is read anew. Late events need no
// word: the partition knows of them itself.

import { ALL_MERCHANTS, CHANGE_TAKES_MS } from "../core/limits.ts";
import { type Partition, unarchivedFrom } from "./state.ts";

/** Numbers of these merchants are about to change, within CHANGE_TAKES_MS. ALL_MERCHANTS stands for all of them. */
export function noteChange(partition: Partition, merchants: readonly number[]): void {
  for (const merchant of new Set(merchants)) {
    // Grows whatever the clock does: an instant that was told once names one state of the numbers.
    const at = Math.max(partition.deps.now(), (partition.changed.get(merchant) ?? 0) + 1);
    partition.deps.store.writeChange(merchant, at);
    partition.changed.set(merchant, at);
  }
}

/**
 * UTC ms of the last change of a merchant's numbers; 0 where there was none. Undefined while one may be under way:
 * what is read then may be other than what is read a moment later.
 */
export function changedAt(partition: Partition, merchant: number): number | undefined {
  const { changed, deps } = partition;
  const last = Math.max(changed.get(merchant) ?? 0, changed.get(ALL_MERCHANTS) ?? 0);
  return last > 0 && deps.now() - last < CHANGE_TAKES_MS ? undefined : last;
}

/**
 * Notes that an event of a closed Day was taken. From now on `live` names its Day, until the archive has it; what is
 * remembered from before must not be found any more after that. Once for each Day of the unarchived log is enough.
 */
export function noteLateChange(
  partition: Partition,
  { merchant, day, position }: { readonly merchant: number; readonly day: number; readonly position: number },
): void {
  const key = `${merchant} ${day}`;
  if (partition.lateNoted.has(key)) return;
  partition.lateNoted.set(key, position);
  noteChange(partition, [merchant]);
}

/** Forgets what the archive has been confirmed to hold: an event that comes after it is noted anew. */
export function forgetLateNoted(partition: Partition): void {
  const first = unarchivedFrom(partition);
  for (const [key, position] of partition.lateNoted) if (position < first) partition.lateNoted.delete(key);
}
