// The partition's side of an erasure: it removes a visitor, or all visitors of a merchant, from the state of Days that
// are not sealed yet. The numbers follow with the next publish. A checkpoint is written at once, because a restart
// would count the log after the last checkpoint again, erased events included. The log and the archive's bundles still
// hold these events until the seal of their Day removes them. An erasure is carried out once, at one position of the
// log: events before it are erased, here and by the seal, and events after it stay in both.

import type { EraseReply, EraseRequest } from "../core/counting/erasure.ts";
import { eraseFrom } from "../core/counting/erasure.ts";
import { ERASURES_KEPT_MAX } from "../core/limits.ts";
import { scheduleAlarm } from "./alarm.ts";
import { noteChange } from "./change.ts";
import { checkpoint } from "./checkpoint.ts";
import { commitPending } from "./commit.ts";
import { recall } from "./layers.ts";
import { findShelf, type Partition, shelfOf, touch, unarchivedFrom } from "./state.ts";

export function erase(partition: Partition, request: EraseRequest): EraseReply {
  const known = request.told > 0 ? request.told : partition.erased.get(request.erasure);
  const position = known ?? carryOut(partition, request);
  return { position, archivedPosition: unarchivedFrom(partition) };
}

function carryOut(partition: Partition, request: EraseRequest): number {
  commitPending(partition);
  const position = partition.next;
  noteChange(partition, [request.merchant]);
  for (const key of new Set([...partition.shelves.keys(), ...partition.stored.keys()]))
    eraseDay(partition, key, request);
  partition.erased.set(request.erasure, position);
  const oldest = [...partition.erased.keys()].slice(0, -ERASURES_KEPT_MAX);
  for (const erasure of oldest) partition.erased.delete(erasure);
  checkpoint(partition); // writes the positions, and with them that it was done
  if (request.forget) {
    partition.deps.store.deleteSettings(request.merchant);
    partition.settings.delete(request.merchant);
  }
  scheduleAlarm(partition);
  return position;
}

function eraseDay(
  partition: Partition,
  key: string,
  { merchant, visitor, fromDay, toDay, forget }: EraseRequest,
): void {
  const [day = 0, shelf = 0] = key.split(":").map(Number);
  if (day < fromDay || day >= toDay || shelf !== shelfOf(merchant, day).shelf) return;
  const found = findShelf(partition, { day, shelf });
  const state = found?.days.get(merchant);
  if (found === undefined || state === undefined) return;
  if (forget) {
    found.days.delete(merchant);
    partition.recalled.push({ day, shelf, merchant, isForgotten: true });
  } else if (!eraseFrom(recall(partition, found, state), visitor, partition.next - 1)) return;
  touch(partition, found);
}
