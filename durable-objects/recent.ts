// recentEvents: a merchant's events in the part of the log that may not lie in the archive yet. Whoever reads events
// reads these first and the archive afterwards. A bundle that is confirmed in between is then read twice, and never
// missed. Of what others have sent only the text is looked at, so that a merchant's question does not wait for a
// neighbour's flood, nor the neighbours for its question.

import type { LoggedRow } from "../core/archive/bundle.ts";
import type { RecentReply, RecentRequest, RecentRow } from "../core/archive/recent.ts";
import { RECENT_BYTES_MAX, RECENT_ROWS_MAX } from "../core/limits.ts";
import { commitPending } from "./commit.ts";
import { merchantOf } from "./late.ts";
import { type Partition, unarchivedFrom } from "./state.ts";

export function recentEvents(partition: Partition, { merchant, from, to }: RecentRequest): RecentReply {
  commitPending(partition);
  const { store } = partition.deps;
  const first = unarchivedFrom(partition);
  if (first === partition.next) return { rows: [], looked: 0 };
  if (store.logBytes(first) > RECENT_BYTES_MAX) return "too many";
  const found: RecentRow[] = [];
  let looked = 0;
  for (const chunk of store.readChunks({ first, end: partition.next })) {
    if (!mayHold(chunk.rows, merchant)) continue;
    looked += chunk.count;
    for (const [index, row] of (JSON.parse(chunk.rows) as LoggedRow[]).entries()) {
      const position = chunk.first + index;
      if (position < first || row[0] < from || row[0] >= to || merchantOf(row) !== merchant) continue;
      found.push({ position, row });
    }
    if (found.length > RECENT_ROWS_MAX) return "too many";
  }
  return { rows: found, looked };
}

/** Whether a chunk's text may hold rows of a merchant: a row begins with Day, whether it is late, and merchant. */
function mayHold(text: string, merchant: number): boolean {
  return text.includes(`,0,${merchant},`) || text.includes(`,1,${merchant},`);
}
