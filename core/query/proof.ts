// What events come to, counted once more for whoever wants to see that it adds up: every event that was received is counted in a visit,
// or dropped for a reason, or belongs to no visit (it only says that somebody read on). The numbers stand beside those that questions
// are answered with.

import { duplicateKey } from "../counting/duplicate.ts";
import { isEngagement, isPageview } from "../event.ts";
import type { DropReason } from "../outcome.ts";
import type { DayRows } from "./count.ts";
import { type SeenUnder, seeDay } from "./seen.ts";

/** Of one Day. */
export interface Recount {
  received: number;
  counted: number;
  readonly dropped: Map<DropReason, number>;
  /** Reports of reading on a page whose visit nobody told of. */
  outsideVisits: number;
  visits: number;
  pageviews: number;
  /** Page views and other events, as the metric of this name has them. */
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

/** Adds rows of the Day, all of them or those of some visitors. */
export function addRecount(recount: Recount, { day, partitions, isCounted = () => true }: DayRows, under: SeenUnder) {
  for (const rows of partitions) {
    const own = rows.filter(({ event }) => isCounted(event.visitor));
    recount.received += own.length;
    const ids = new Set<string>();
    let judged = 0;
    for (const { event } of own.toSorted((a, b) => a.position - b.position)) {
      const key = duplicateKey(event);
      if (event.dropped === "duplicate" || ids.has(key)) drop(recount, "duplicate");
      else judged += 1;
      ids.add(key);
    }
    const { visits, dropped } = seeDay({ rows, day, isCounted }, under);
    for (const { opinion } of dropped) drop(recount, opinion.dropped as DropReason);
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

function drop({ dropped }: Recount, reason: DropReason): void {
  dropped.set(reason, (dropped.get(reason) ?? 0) + 1);
}

/** Whether every event that was received stands somewhere. */
export function addsUp({ received, counted, dropped, outsideVisits }: Recount): boolean {
  const left = [...dropped.values()].reduce((sum, count) => sum + count, 0);
  return outsideVisits >= 0 && received === counted + left + outsideVisits;
}
