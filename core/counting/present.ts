// Who of a merchant's visitors is there, read from what a partition holds of the Day: visits know when they were last heard of, which
// page was looked at last and what brought the visitor. And what was bought last, as orders stand at this instant.

import { NOW_SHOWN_MAX } from "../limits.ts";
import { settle } from "../order.ts";
import { type DayState, namesOf } from "./day.ts";
import { PROFILE_FIELDS } from "./dimension.ts";
import type { DayClaim } from "./order-book.ts";
import { settledVisits } from "./settled.ts";
import { tupleAt } from "./tuple.ts";
import type { Visit } from "./visit.ts";

export interface PresentRequest {
  readonly merchant: number;
  /** Numbers of the Days that may have them. */
  readonly days: readonly number[];
  /** UTC ms: whoever was last heard of before is gone. */
  readonly since: number;
}

export interface Present {
  readonly visitors: readonly PresentVisitor[];
  /** The last ones, the newest first. */
  readonly orders: readonly PresentOrder[];
}

export interface PresentVisitor {
  readonly visitor: string;
  /** UTC ms of the last event. */
  readonly at: number;
  /** The page looked at last; undefined where none was. */
  readonly page: string | undefined;
  readonly source: string;
}

export interface PresentOrder {
  /** UTC ms. */
  readonly at: number;
  readonly currency: string;
  /** In ten-thousandths, as units are. */
  readonly revenue: number;
  readonly units: number;
  readonly products: readonly string[];
}

/** Those of one Day. */
export function presentOf(state: DayState, since: number): Present {
  const names = namesOf(state);
  const recent = [...state.visitors.since(since)];
  const runs = new Map(recent);
  const visitors: PresentVisitor[] = [];
  for (const [visitor, visits] of settledVisits(state, names, recent)) {
    const last = visits.at(-1) as Visit;
    // A run that belongs to the visit before it is heard of all the same.
    const at = Math.max(last.end, ...(runs.get(visitor) ?? []).map(({ end }) => end));
    const source = tupleAt(names.tuples[last.profile] as string, PROFILE_FIELDS.indexOf("source")) as number;
    visitors.push({
      visitor,
      at,
      page: last.exit === undefined ? undefined : (names.texts[last.exit.page] as string),
      source: names.texts[source] as string,
    });
  }
  return { visitors, orders: ordersOf(state, names.texts) };
}

function ordersOf({ orders }: DayState, texts: readonly string[]): readonly PresentOrder[] {
  const found: PresentOrder[] = [];
  for (const claims of orders?.values() ?? []) {
    for (const [{ time }, { sign, ofOrder, sale }] of settle<DayClaim["sale"]["lines"][number], DayClaim>(claims)) {
      if (sign < 0 || !ofOrder) continue;
      found.push({
        at: time,
        currency: sale.currency,
        revenue: sale.revenue,
        units: sale.lines.reduce((sum, { units }) => sum + units, 0),
        products: [...new Set(sale.lines.map(({ label }) => texts[label] as string))].slice(0, NOW_SHOWN_MAX),
      });
    }
  }
  return newest(found);
}

/** The last orders of several lists. */
function newest(orders: readonly PresentOrder[]): readonly PresentOrder[] {
  return orders.toSorted((a, b) => b.at - a.at || b.revenue - a.revenue).slice(0, NOW_SHOWN_MAX);
}

/** What several Days, or several partitions, say. */
export function presentTogether(all: readonly Present[]): Present {
  const visitors = new Map<string, PresentVisitor>();
  for (const one of all.flatMap((own) => own.visitors)) {
    const known = visitors.get(one.visitor);
    if (known === undefined || known.at < one.at) visitors.set(one.visitor, one);
  }
  return { visitors: [...visitors.values()], orders: newest(all.flatMap(({ orders }) => orders)) };
}
