// GET /api/v2/now?site_id: how many visitors are there now, what they look at, and the last orders. It is read from the
// memory of the merchant's partitions, by one call to each. A merchant that is not spread has one partition. The
// archive is not read. D1 is read only to find out who is asking.

import type { Context } from "hono";
import { type Present, type PresentOrder, type PresentRequest, presentTogether } from "../../core/counting/present.ts";
import { REVENUE_SCALE } from "../../core/event.ts";
import {
  NOW_LOOKED_OF_READ,
  NOW_SHOWN_MAX,
  REALTIME_MINUTES,
  REALTIME_NOW_MINUTES,
  TIMESTAMP_AHEAD_MS,
} from "../../core/limits.ts";
import { zoneAt } from "../../core/merchant.ts";
import { accepted, type Outcome } from "../../core/outcome.ts";
import { type Attribute, attributeOf, shownValue } from "../../core/query/attribute.ts";
import { type Budgets, outOfSteps } from "../../core/query/budget.ts";
import { parseRealtime } from "../../core/query/realtime.ts";
import { invalid } from "../../core/query/refusal.ts";
import { visitsOf } from "../../core/query/report-count.ts";
import { refusalOf } from "../../core/query/scan.ts";
import type { SeenVisit } from "../../core/query/seen.ts";
import { TextMap } from "../../core/text-map.ts";
import { dayAt, MINUTE_MS } from "../../core/time.ts";
import { zonesOf } from "../../storage/directory/merchants.ts";
import { refuseQuestion } from "./answer.ts";
import { refusedForNow } from "./ask.ts";
import { type Asker, admitAsker, budgetsOf, MISSING_KEY, MISSING_SITE, readingAs, saysWho } from "./asker.ts";
import type { Deps } from "./deps.ts";
import { askPartitions } from "./live.ts";
import { NOTHING_LEFT, openEvents } from "./scan.ts";
import { inTurn } from "./turn.ts";

const PAGE = attributeOf("event:page") as Attribute;
const SOURCE = attributeOf("visit:source") as Attribute;

/** GET /api/v2/now?site_id */
export async function getNow(c: Context, deps: Deps): Promise<Response> {
  if (!saysWho(c)) return refuseQuestion(c, "unauthorized", MISSING_KEY);
  const siteId = c.req.query("site_id") ?? "";
  if (siteId === "") return refuseQuestion(c, "missing_field", MISSING_SITE);
  const asker = await admitAsker(c, siteId, deps);
  if ("error" in asker) return refuseQuestion(c, asker.code, asker.error);
  const now = deps.now();
  const since = now - REALTIME_MINUTES * MINUTE_MS;
  const zones = zonesOf(asker.merchant);
  const days = [...new Set([since, now].map((instant) => dayAt(zoneAt(zones, instant), instant)))];
  const paying = readingAs(asker, deps);
  const budgets = budgetsOf(asker, deps);
  const refusal = () => refusedForNow(c, { budgets, reading: paying.reading });
  const before = refusal();
  if (before !== undefined) return before;
  const present = await readPresent(asker, { since, days, budgets }, paying);
  if (!present.ok) return refusal() ?? refuseQuestion(c, "invalid_field", present.rejection.message);
  // The cost of the answer is known only now. An asker whose purse was not empty is answered, and owes what the purse
  // lacked.
  paying.reading?.owe(Math.ceil(present.value.looked / NOW_LOOKED_OF_READ));
  c.header("Cache-Control", "no-store");
  return c.json(shown(present.value, now));
}

interface Window extends Omit<PresentRequest, "merchant"> {
  readonly budgets: Budgets;
}

/** Partitions do not know the filters of a share link. So what such a link shows is read from events. */
async function readPresent(asker: Asker, window: Window, deps: Deps): Promise<Outcome<Present>> {
  const { merchant, filters } = asker;
  if (filters.length > 0) return readAdmitted(asker, window, deps);
  const request = { merchant: merchant.number, days: window.days, since: window.since };
  return accepted(presentTogether(await askPartitions(merchant, deps, (stub) => stub.present(request))));
}

async function readAdmitted(
  asker: Asker,
  { since, days, budgets: given }: Window,
  deps: Deps,
): Promise<Outcome<Present>> {
  const { merchant, filters } = asker;
  const question = parseRealtime({ site_id: merchant.id }, filters, given);
  if (!question.ok) return question;
  const { view, budgets } = question.value;
  const cost = { rows: 0, objects: 0, bytes: 0 };
  const range = { from: Math.min(...days), to: Math.max(...days) + 1 };
  // Events since then cannot have been archived earlier, except those of clients whose clock is ahead.
  const putSince = since - TIMESTAMP_AHEAD_MS;
  const wanted = { ...range, columns: ["products"], together: "partition", putSince } as const;
  const events = await openEvents(merchant, wanted, { deps, cost });
  if (!events.ok) return events;
  const { days: read, under } = events.value;
  const counted = await inTurn(deps, async (turn) => {
    const all: Present[] = [];
    for await (const rows of read((rows) => turn.giveWayAfter(rows))) {
      all.push(admittedOf(await turn.run(visitsOf(rows, { under, view, budgets })), since));
      const problem = outOfSteps(budgets);
      if (problem !== undefined) return refusalOf(problem);
    }
    return accepted(presentTogether(all));
  });
  return counted ?? invalid(NOTHING_LEFT);
}

function admittedOf(visits: readonly SeenVisit[], since: number): Present {
  const events = visits.flatMap((visit) => visit.events);
  const visitors = events
    .filter(({ event }) => event.timestamp >= since)
    .map(({ event, visit }) => {
      const page = visit.exit?.opinion.page;
      return { visitor: event.visitor, at: event.timestamp, page, source: visit.profile.opinion.source };
    });
  const orders = events.flatMap(({ event, earning }) => {
    if (earning === undefined || earning.sign < 0 || !earning.ofOrder) return [];
    const { currency, revenue, lines } = earning.sale;
    const products = [...new Set(lines.map(({ label }) => label))];
    return [{ at: event.timestamp, currency, revenue, units: sum(lines.map(({ units }) => units)), products }];
  });
  return { visitors, orders, looked: 0 }; // the events that were read are already paid for
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function shown({ visitors, orders }: Present, now: number) {
  const here = visitors.filter(({ at }) => at > now - REALTIME_NOW_MINUTES * MINUTE_MS);
  return {
    as_of: new Date(now).toISOString(),
    visitors: {
      [`last_${REALTIME_NOW_MINUTES}_minutes`]: here.length,
      [`last_${REALTIME_MINUTES}_minutes`]: visitors.filter(({ at }) => at > now - REALTIME_MINUTES * MINUTE_MS).length,
    },
    pages: most(
      PAGE,
      here.map(({ page = "" }) => page),
    ).map(([page, count]) => ({ page, visitors: count })),
    sources: most(
      SOURCE,
      here.map(({ source }) => source),
    ).map(([source, count]) => ({ source, visitors: count })),
    orders: orders.map(shownOrder),
  };
}

/** How often each value occurs, the most frequent first. */
function most(of: Attribute, values: readonly string[]): readonly (readonly [value: string, count: number])[] {
  const counts = new TextMap<number>();
  for (const value of values.map((one) => shownValue(of, one))) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, NOW_SHOWN_MAX);
}

function shownOrder({ at, currency, revenue, units, products }: PresentOrder) {
  return {
    at: new Date(at).toISOString(),
    currency,
    revenue: revenue / REVENUE_SCALE,
    units: units / REVENUE_SCALE,
    products,
  };
}
