// Which visitors of a merchant are there now, read from what a partition holds of the Day. A visit knows its last
// event, the page looked at last and the source. And what was bought last, as orders stand at this instant.

import { keyedHash } from "../keyed-hash.ts";
import { NOW_SHOWN_MAX } from "../limits.ts";
import { settle } from "../order.ts";
import { type DayState, namesOf } from "./day.ts";
import { PROFILE_FIELDS } from "./dimension.ts";
import { recentDay, wholeDay } from "./layer.ts";
import type { DayClaim } from "./order-book.ts";
import { orderKey, visitorKey } from "./rested.ts";
import { settledVisits } from "./settled.ts";
import { tupleAt } from "./tuple.ts";
import { isVisit, type Visit } from "./visit.ts";

export interface PresentRequest {
  readonly merchant: number;
  /** Numbers of the Days that may have them. */
  readonly days: readonly number[];
  /** UTC ms. Visitors without an event since then are gone. */
  readonly since: number;
}

export interface Present {
  readonly visitors: readonly PresentVisitor[];
  /** The last ones, the newest first. */
  readonly orders: readonly PresentOrder[];
  /** How many visitors, order numbers and texts were looked through: the cost. */
  readonly looked: number;
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

/** Who is there, from one Day. Of what rests, it reads only what left memory since then, unless older events decide. */
export function presentOf(state: DayState, since: number): Present {
  const { visitors, orders } = state.rested;
  if (visitors === 0 && orders === 0) return presentIn(state, since);
  const recent = recentDay(state, since);
  const present = presentIn(recent, since);
  return isDecided(recent, present, since) ? present : presentIn(wholeDay(state), since);
}

/**
 * Whether the whole Day would say the same as its recent part. An older run may belong to a visit that no event opened
 * or that came back, or may show that a prefetched page was seen. Older events may have the same order numbers. All of
 * them are older than the shown orders, if those are enough and recent.
 */
function isDecided(recent: DayState, { orders }: Present, since: number): boolean {
  const hasOlder = (key: string) => {
    const [high, low] = keyedHash(key, recent.idKey);
    return (recent.lookUp?.outlinesOf(high, low, since) ?? []).length > 0;
  };
  for (const [visitor, runs] of recent.visitors) {
    if (!runs.some(({ end }) => end >= since)) continue;
    const isPlain = runs.every(isVisit) && recent.prefetches?.has(visitor) !== true;
    if (!isPlain && hasOlder(visitorKey(visitor))) return false;
  }
  if (recent.rested.orders === 0) return true;
  if ((orders[NOW_SHOWN_MAX - 1]?.at ?? 0) < since) return false;
  return ![...(recent.orders?.keys() ?? [])].some((number) => hasOlder(orderKey(number)));
}

function presentIn(state: DayState, since: number): Present {
  const names = namesOf(state);
  const recent = [...state.visitors.since(since)];
  const runs = new Map(recent);
  const visitors: PresentVisitor[] = [];
  // No shown visit says what orders have earned, so orders are not settled for it.
  for (const [visitor, visits] of settledVisits({ ...state, orders: undefined }, names, recent)) {
    const last = visits.at(-1) as Visit;
    // A run that belongs to the visit before it counts as an event of it too.
    const at = Math.max(last.end, ...(runs.get(visitor) ?? []).map(({ end }) => end));
    const source = tupleAt(names.tuples[last.profile] as string, PROFILE_FIELDS.indexOf("source")) as number;
    visitors.push({
      visitor,
      at,
      page: last.exit === undefined ? undefined : (names.texts[last.exit.page] as string),
      source: names.texts[source] as string,
    });
  }
  const { textNumbers, tupleNumbers } = state.dictionary;
  const looked = recent.length + (state.orders?.size ?? 0) + textNumbers.size + tupleNumbers.size;
  return { visitors, orders: ordersOf(state, names.texts), looked };
}

type Line = DayClaim["sale"]["lines"][number];

/**
 * The last orders. An order earns at one of its claims. So numbers are settled by their latest claim, the newest first,
 * until no other can be later.
 */
function ordersOf({ orders }: DayState, texts: readonly string[]): readonly PresentOrder[] {
  const byLatest = [...(orders?.values() ?? [])]
    .map((claims) => ({ claims, latest: claims.reduce((latest, { time }) => Math.max(latest, time), 0) }))
    .sort((a, b) => b.latest - a.latest);
  let found: readonly PresentOrder[] = [];
  for (const { claims, latest } of byLatest) {
    const last = found[NOW_SHOWN_MAX - 1];
    if (last !== undefined && last.at > latest) break;
    const own = [...settle<Line, DayClaim>(claims)].filter(([, { sign, ofOrder }]) => sign > 0 && ofOrder);
    found = newest([...found, ...own.map(([{ time }, { sale }]) => orderOf(time, sale, texts))]);
  }
  return found;
}

function orderOf(at: number, { currency, revenue, lines }: DayClaim["sale"], texts: readonly string[]): PresentOrder {
  return {
    at,
    currency,
    revenue,
    units: lines.reduce((sum, { units }) => sum + units, 0),
    products: [...new Set(lines.map(({ label }) => texts[label] as string))].slice(0, NOW_SHOWN_MAX),
  };
}

/** The last orders of several lists. */
function newest(orders: readonly PresentOrder[]): readonly PresentOrder[] {
  return orders.toSorted((a, b) => b.at - a.at || b.revenue - a.revenue).slice(0, NOW_SHOWN_MAX);
}

/** What several Days or several partitions say, together. */
export function presentTogether(all: readonly Present[]): Present {
  const visitors = new Map<string, PresentVisitor>();
  for (const one of all.flatMap((own) => own.visitors)) {
    const known = visitors.get(one.visitor);
    if (known === undefined || known.at < one.at) visitors.set(one.visitor, one);
  }
  return {
    visitors: [...visitors.values()],
    orders: newest(all.flatMap(({ orders }) => orders)),
    looked: all.reduce((sum, { looked }) => sum + looked, 0),
  };
}
