// Counts events once more, for somebody who wants to see that the numbers add up. Every received event is counted in a
// visit, or dropped for a reason, or belongs to no visit (it only says that somebody read on). These numbers stand
// beside those that questions are answered with.

import { type EventColumns, eventAt, filterRows, textAt, textsOf, toEvent } from "../archive/event-columns.ts";
import { IdSet } from "../counting/duplicate.ts";
import { isEngagement, isPageview } from "../event.ts";
import type { Gradual } from "../gradual.ts";
import type { HashKey } from "../keyed-hash.ts";
import type { DropReason } from "../outcome.ts";
import type { DayRows } from "./count.ts";
import { addLeftOut, type LeftOut } from "./left-out.ts";
import { type SeenUnder, seeDayGradually } from "./seen.ts";

/** The counts of one Day. */
export interface Recount {
  received: number;
  counted: number;
  readonly dropped: Map<DropReason, number>;
  /** Reports of reading on a page without a known visit. */
  outsideVisits: number;
  visits: number;
  pageviews: number;
  /** Page views and other events, as in the metric of this name. */
  events: number;
}

export function openRecount(): Recount {
  return {
    received: 0,
    counted: 0,
    dropped: new Map(),
    outsideVisits: 0,
    visits: 0,
    pageviews: 0,
    events: 0,
  };
}

interface Recounting {
  readonly under: SeenUnder;
  /** The key of hashes of ids. */
  readonly key: HashKey;
  /** The events that were left out, of all Days. */
  readonly leftOut: LeftOut;
}

/** Adds rows of the Day, all of them or those of some visitors. */
export function* addRecount(
  recount: Recount,
  { day, partitions, isCounted = () => true }: DayRows,
  { under, key, leftOut }: Recounting,
): Gradual<void> {
  for (const rows of partitions) {
    const visitors = textsOf(rows, "visitor");
    const own = filterRows(rows, (row) => isCounted(textAt(visitors, row)));
    const judged = judgedOf(recount, own, { key, leftOut });
    const { visits, dropped } = yield* seeDayGradually({ rows, day, isCounted }, under);
    for (const { event, opinion } of dropped) {
      const reason = opinion.dropped as DropReason;
      drop(recount, reason);
      addLeftOut(leftOut, reason, event, opinion);
    }
    const events = visits.flatMap((visit) => visit.events);
    recount.visits += visits.length;
    recount.counted += events.length;
    recount.outsideVisits += judged - dropped.length - events.length;
    for (const { event } of events) {
      if (isPageview(event.name)) recount.pageviews += 1;
      if (!isEngagement(event.name)) recount.events += 1;
    }
  }
}

/**
 * How many events are to be judged. A copy that came after its Day was closed is no received event. Another story under
 * a known id is one, and is dropped (DUP-2).
 */
function judgedOf(recount: Recount, rows: EventColumns, { key, leftOut }: Omit<Recounting, "under">): number {
  const ids = new IdSet(key);
  let judged = 0;
  const order = Uint32Array.from(rows.positions, (_, row) => row);
  for (const row of order.sort((a, b) => (rows.positions[a] as number) - (rows.positions[b] as number))) {
    const event = eventAt(rows, row);
    const known = ids.recall(event);
    if (known === "same") continue;
    recount.received += 1;
    const isDuplicate = known === "other" || event.dropped === "duplicate";
    ids.remember(isDuplicate ? { ...toEvent(event), dropped: "duplicate" } : event);
    if (!isDuplicate) judged += 1;
    else {
      drop(recount, "duplicate");
      addLeftOut(leftOut, "duplicate", event);
    }
  }
  return judged;
}

function drop({ dropped }: Recount, reason: DropReason): void {
  dropped.set(reason, (dropped.get(reason) ?? 0) + 1);
}

/** Whether each received event is in one of the counts. */
export function addsUp({ received, counted, dropped, outsideVisits }: Recount): boolean {
  const left = [...dropped.values()].reduce((sum, count) => sum + count, 0);
  return outsideVisits >= 0 && received === counted + left + outsideVisits;
}
