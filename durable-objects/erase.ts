// The partition's side of an erasure: a visitor, or all visitors of a merchant, leave the state of Days that are not sealed
// yet. The numbers follow with the next publish. A checkpoint comes with it, because a restart counts the log after the last
// one again; the log itself and the bundles in the archive are taken care of when the Day is sealed. Doing so twice is
// harmless.

import { eraseFrom } from "../core/counting/erasure.ts";
import { scheduleAlarm } from "./alarm.ts";
import { checkpoint } from "./checkpoint.ts";
import { commitPending } from "./commit.ts";
import type { EraseRequest } from "./rpc.ts";
import { findShelf, keyOf, type Partition, shelfOf } from "./state.ts";

export function erase(partition: Partition, { merchant, visitor, fromDay, toDay, forget }: EraseRequest): void {
  commitPending(partition);
  const { shelf } = shelfOf(merchant, 0);
  const days = new Set(
    [...partition.shelves.keys(), ...partition.stored.keys()].map((key) => Number(key.split(":")[0])),
  );
  for (const day of days) {
    if (day < fromDay || day >= toDay) continue;
    const found = findShelf(partition, { day, shelf });
    const state = found?.days.get(merchant);
    if (found === undefined || state === undefined) continue;
    if (forget) found.days.delete(merchant);
    else if (!eraseFrom(state, visitor, partition.next - 1)) continue;
    found.dirty = true;
    partition.shelves.set(keyOf({ day, shelf }), found);
  }
  checkpoint(partition);
  if (forget) {
    partition.deps.store.deleteSettings(merchant);
    partition.settings.delete(merchant);
  }
  scheduleAlarm(partition);
}
