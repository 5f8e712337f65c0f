// Which Days of which merchants have late events in the log that may not lie in the archive. No rollup counts them, and
// until the archive's consumer has noted where they lie only the partition knows of them. `live` names these Days with
// every answer, so a question to rollups is as complete as one to events. The list is kept in memory, and made from the
// log when it is first asked for.

import type { LoggedRow } from "../core/archive/bundle.ts";
import { forgetLateNoted, noteLateChange } from "./change.ts";
import { commitPending } from "./commit.ts";
import { type Partition, unarchivedFrom } from "./state.ts";

/** Merchant → Day → position of the last late event. */
export type LateDays = Map<number, Map<number, number>>;

/** Days in [from, to) of which a merchant has late events that may not lie in the archive. */
export function lateDays(
  partition: Partition,
  { merchant, from, to }: { readonly merchant: number; readonly from: number; readonly to: number },
): readonly number[] {
  partition.late ??= readLate(partition);
  const days = partition.late.get(merchant) ?? new Map<number, number>();
  const first = unarchivedFrom(partition);
  return [...days].filter(([day, last]) => last >= first && day >= from && day < to).map(([day]) => day);
}

interface LateEvent {
  readonly merchant: number;
  readonly day: number;
  readonly position: number;
}

/** An event of a closed Day becomes part of the log. */
export function takeLate(partition: Partition, event: LateEvent): void {
  noteLateChange(partition, event);
  addLate(partition, event);
}

/**
 * Notes that an event of a closed Day is now part of the log. As long as nobody has asked for the list there is none to
 * add to: it will be made from the log.
 */
function addLate({ late }: Pick<Partition, "late">, { merchant, day, position }: LateEvent): void {
  if (late === undefined) return;
  const days = late.get(merchant) ?? new Map<number, number>();
  late.set(merchant, days);
  days.set(day, position);
}

/** Forgets what the archive has been confirmed to hold. */
export function forgetLate(partition: Partition): void {
  forgetLateNoted(partition);
  const first = unarchivedFrom(partition);
  for (const [merchant, days] of partition.late ?? []) {
    for (const [day, last] of days) if (last < first) days.delete(day);
    if (days.size === 0) partition.late?.delete(merchant);
  }
}

function readLate(partition: Partition): LateDays {
  commitPending(partition);
  const late: LateDays = new Map();
  const first = unarchivedFrom(partition);
  for (const [index, row] of partition.deps.store.readLog({ first, end: partition.next }).entries()) {
    const [day, isLate] = row;
    if (isLate === 1) addLate({ late }, { merchant: merchantOf(row), day, position: first + index });
  }
  return late;
}

/** The merchant of a logged row, which is the first of the event's fields: nothing else is decoded. */
export function merchantOf([, , merchant]: LoggedRow): number {
  return merchant as number;
}
