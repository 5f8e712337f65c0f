// What a partition does when a ledger was lost: every rollup of the Days that it holds counts as not published. Answers
// take them from here at once, and the next publishing writes them. It writes absolute values under versions it has
// written before, so doing it twice, or to a ledger that has them, changes nothing.

import { markAll } from "../core/counting/day.ts";
import { wholeDay } from "../core/counting/layer.ts";
import { ALL_MERCHANTS } from "../core/limits.ts";
import { scheduleAlarm } from "./alarm.ts";
import { noteChange } from "./change.ts";
import { checkpoint } from "./checkpoint.ts";
import { claim } from "./claim.ts";
import { commitPending } from "./commit.ts";
import type { HeldDay } from "./rpc.ts";
import { findShelf, type Partition, touch } from "./state.ts";
import { FIRST_POSITION } from "./store.ts";

/**
 * Gives whose events it holds of which Days: where they lie is noted in the ledger, and lost with it. So is its claim,
 * which it makes again; where the ledger was told meanwhile that its storage is another one, it finds that it is lost.
 */
export async function republish(partition: Partition): Promise<readonly HeldDay[]> {
  if (partition.next > FIRST_POSITION) await claim(partition);
  if (partition.standing === "lost") return [];
  commitPending(partition);
  return markAllDays(partition);
}

/** The same, of a partition with nothing pending. */
export function markAllDays(partition: Partition): readonly HeldDay[] {
  noteChange(partition, [ALL_MERCHANTS]);
  const held = new Map<number, number[]>();
  for (const key of new Set([...partition.shelves.keys(), ...partition.stored.keys()])) {
    const [day = 0, number = 0] = key.split(":").map(Number);
    const shelf = findShelf(partition, { day, shelf: number });
    if (shelf === undefined) continue;
    for (const state of shelf.days.values()) markAll(wholeDay(state), partition.next - 1);
    held.set(day, [...(held.get(day) ?? []), ...shelf.days.keys()]);
    touch(partition, shelf);
  }
  checkpoint(partition);
  scheduleAlarm(partition);
  return [...held].map(([day, merchants]) => ({ day, merchants }));
}
