// Reports: POST /api/v2/{funnel,retention,paths,realtime}. Each reads a merchant's events Day by Day, puts them together to visits
// and hands them to core, which counts; what may be read for one is bounded as for any question (scan.ts).

import { PATHS_MAX, REGEX_STEPS_MAX, SCAN_VISITORS_MAX, TIMESTAMP_AHEAD_MS } from "../../core/limits.ts";
import { zoneAt } from "../../core/merchant.ts";
import { accepted, type Outcome } from "../../core/outcome.ts";
import { type Filter, stepsOf } from "../../core/query/filter.ts";
import { addFunnelDay, closeFunnel, openFunnel, parseFunnel } from "../../core/query/funnel.ts";
import { checkGoals } from "../../core/query/goal.ts";
import { addPathsDay, closePaths, openPaths, parsePaths } from "../../core/query/path.ts";
import { echoRange, type Range, resolveRange } from "../../core/query/range.ts";
import { addRealtimeDay, closeRealtime, openRealtime, parseRealtime, realtimeFrom } from "../../core/query/realtime.ts";
import { invalid } from "../../core/query/refusal.ts";
import type { ReportQuestion } from "../../core/query/report.ts";
import { addRetentionDay, closeRetention, openRetention, parseRetention } from "../../core/query/retention.ts";
import { refusalOf } from "../../core/query/scan.ts";
import { type SeenVisit, seeDay } from "../../core/query/seen.ts";
import { dayAt } from "../../core/time.ts";
import { type Merchant, settingsOf, zonesOf } from "../../storage/merchants.ts";
import { answering } from "./ask.ts";
import type { Deps } from "./deps.ts";
import { findFirstDay } from "./execute.ts";
import { type Cost, type EventsWanted, openEvents } from "./scan.ts";

/** POST /api/v2/funnel {"site_id","date_range","steps":[{"name"?,"filters"}],"window_seconds"?,"filters"?} */
export const askFunnel = answering(async (body, merchant, { deps, fixed }) => {
  const question = parseFunnel(body, fixed);
  if (!question.ok) return question;
  const { steps, windowSeconds } = question.value;
  const filters = steps.map(({ filter }) => filter);
  const echo = { steps: steps.map(({ name }) => name), window_seconds: windowSeconds };
  return ranged({ question: question.value, filters, echo }, merchant, deps, (range) => {
    const funnel = openFunnel(question.value, range);
    return {
      add: (day, visits) => addFunnelDay(funnel, day, visits) <= SCAN_VISITORS_MAX,
      close: () => closeFunnel(funnel),
    };
  });
});

/** POST /api/v2/retention {"site_id","date_range","filters"?} */
export const askRetention = answering(async (body, merchant, { deps, fixed }) => {
  const question = parseRetention(body, fixed);
  if (!question.ok) return question;
  return ranged({ question: question.value, filters: [], echo: {} }, merchant, deps, (range) => {
    const retention = openRetention(question.value, range);
    return {
      add: (day, visits) => addRetentionDay(retention, day, visits) <= SCAN_VISITORS_MAX,
      close: () => closeRetention(retention),
    };
  });
});

/** POST /api/v2/paths {"site_id","date_range","depth"?,"limit"?,"filters"?} */
export const askPaths = answering(async (body, merchant, { deps, fixed }) => {
  const question = parsePaths(body, fixed);
  if (!question.ok) return question;
  const { depth, limit } = question.value;
  return ranged({ question: question.value, filters: [], echo: { depth, limit } }, merchant, deps, (range) => {
    const paths = openPaths(question.value, range);
    return { add: (day, visits) => addPathsDay(paths, day, visits) <= PATHS_MAX, close: () => closePaths(paths) };
  });
});

/** POST /api/v2/realtime {"site_id","filters"?} */
export const askRealtime = answering((body, merchant, { deps, fixed }) =>
  readRealtime(body, { merchant, fixed }, deps),
);

/** Who is there now. */
export async function readRealtime(
  body: unknown,
  { merchant, fixed }: { readonly merchant: Merchant; readonly fixed: readonly unknown[] },
  deps: Deps,
) {
  const question = parseRealtime(body, fixed);
  if (!question.ok) return question;
  const now = deps.now();
  const first = realtimeFrom(now);
  const zones = zonesOf(merchant);
  const days = { from: dayAt(zoneAt(zones, first), first), to: dayAt(zoneAt(zones, now), now) + 1 };
  const realtime = openRealtime(question.value, now);
  // What happened since cannot have been archived before, but for clocks that run ahead.
  const wanted = { ...days, columns: ["props", "products"], putSince: first - TIMESTAMP_AHEAD_MS };
  const add = (_: number, visits: readonly SeenVisit[]) => {
    addRealtimeDay(realtime, visits);
    return true;
  };
  const cost = await readVisits(wanted, { merchant, deps, filters: [question.value.filter] }, add);
  if (!cost.ok) return cost;
  const { siteId: site_id, filters } = question.value;
  return accepted({
    results: closeRealtime(realtime, zones),
    meta: metaOf(now, cost.value),
    query: { site_id, filters },
  });
}

/** What counts a report: false when it has grown too large. */
interface Reporter {
  readonly add: (day: number, visits: readonly SeenVisit[]) => boolean;
  readonly close: () => unknown;
}

interface Asked {
  readonly question: ReportQuestion;
  /** Filters beside the question's own. */
  readonly filters: readonly Filter[];
  /** A report's own fields, as they were understood. */
  readonly echo: Readonly<Record<string, unknown>>;
}

/** A report over a range. */
async function ranged(
  { question, filters, echo }: Asked,
  merchant: Merchant,
  deps: Deps,
  open: (range: Range) => Reporter,
): Promise<Outcome<unknown>> {
  const asOf = deps.now();
  const zones = zonesOf(merchant);
  const { dateRange, filter, siteId } = question;
  const asksAll = dateRange.kind === "relative" && dateRange.name === "all";
  const firstDay = asksAll ? await findFirstDay(merchant, asOf, deps) : undefined;
  const range = resolveRange(dateRange, { zones, now: asOf, firstDay });
  if (!range.ok) return range;
  const reporter = open(range.value);
  const wanted = { from: range.value.fromDay, to: range.value.toDay, columns: ["props", "products"] };
  const cost = await readVisits(wanted, { merchant, deps, filters: [filter, ...filters] }, reporter.add);
  if (!cost.ok) return cost;
  const date_range = echoRange(range.value, zones);
  return accepted({
    results: reporter.close(),
    meta: metaOf(asOf, cost.value),
    query: { site_id: siteId, date_range, filters: question.filters, ...echo },
  });
}

interface Reading {
  readonly merchant: Merchant;
  readonly deps: Deps;
  readonly filters: readonly Filter[];
}

/** Gives each Day's visits, those of all partitions together. */
async function readVisits(
  wanted: EventsWanted,
  { merchant, deps, filters }: Reading,
  add: Reporter["add"],
): Promise<Outcome<Cost>> {
  const goals = checkGoals(filters, merchant.rules);
  if (!goals.ok) return goals;
  const cost: Cost = { rows: 0, objects: 0, bytes: 0 };
  const events = await openEvents(merchant, wanted, { deps, cost });
  if (!events.ok) return events;
  const under = { settings: settingsOf(merchant), global: events.value.global };
  let current: { readonly day: number; readonly visits: SeenVisit[] } | undefined;
  const isOver = () => current !== undefined && !add(current.day, current.visits);
  for await (const { day, rows, isWhole } of events.value.days()) {
    if (!isWhole) return refusalOf("busy");
    if (current?.day !== day) {
      if (isOver()) return TOO_MANY;
      current = { day, visits: [] };
    }
    for (const visit of seeDay(rows, day, under).visits) current.visits.push(visit);
    if (filters.reduce((steps, filter) => steps + stepsOf(filter), 0) > REGEX_STEPS_MAX) return refusalOf("regex");
  }
  return isOver() ? TOO_MANY : accepted(cost);
}

const TOO_MANY = invalid("#/date_range: The query counts more than it may. Ask for a shorter range.");
function metaOf(asOf: number, cost: Cost) {
  return { as_of: new Date(asOf).toISOString(), sources: { from: "archive", ...cost } };
}
