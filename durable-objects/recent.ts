// recentEvents: a merchant's events in the part of the log that may not lie in the archive yet. Whoever reads events
// reads these first and the archive afterwards. A bundle that is confirmed in between is then read twice, and never
// missed.

import type { RecentReply, RecentRequest, RecentRow } from "../core/archive/recent.ts";
import { RECENT_BYTES_MAX, RECENT_ROWS_MAX } from "../core/limits.ts";
import { commitPending } from "./commit.ts";
import { merchantOf } from "./late.ts";
import { type Partition, unarchivedFrom } from "./state.ts";

export function recentEvents(partition: Partition, { merchant, from, to }: RecentRequest): RecentReply {
  commitPending(partition);
  const { store } = partition.deps;
  const first = unarchivedFrom(partition);
  if (first === partition.next) return { rows: [] };
  if (store.logBytes(first) > RECENT_BYTES_MAX) return "too many";
  const found: RecentRow[] = [];
  for (const [index, row] of store.readLog({ first, end: partition.next }).entries()) {
    if (row[0] < from || row[0] >= to || merchantOf(row) !== merchant) continue;
    found.push({ position: first + index, row });
  }
  return found.length > RECENT_ROWS_MAX ? "too many" : { rows: found };
}
