// Reports: POST /api/v2/{funnel,retention,paths,orders,realtime}. Reports over a range are counted from the merchant's
// events, as questions are (scan.ts). If they are too large for one request they become jobs. The realtime report is
// read from the last events alone.

import { Slices } from "../../core/gradual.ts";
import { TIMESTAMP_AHEAD_MS } from "../../core/limits.ts";
import { zoneAt } from "../../core/merchant.ts";
import { accepted, type Outcome } from "../../core/outcome.ts";
import { sourcesOf } from "../../core/query/answer.ts";
import { type Budgets, outOfSteps } from "../../core/query/budget.ts";
import { checkGoals } from "../../core/query/goal.ts";
import { resolveRange } from "../../core/query/range.ts";
import { addRealtimeDay, closeRealtime, openRealtime, parseRealtime, realtimeFrom } from "../../core/query/realtime.ts";
import { invalid } from "../../core/query/refusal.ts";
import {
  REPORTS,
  type Report,
  type ReportName,
  reportAnswer,
  reportPlanOf,
  visitsOf,
} from "../../core/query/report-count.ts";
import { refusalOf } from "../../core/query/scan.ts";
import { dayAt } from "../../core/time.ts";
import { type Merchant, zonesOf } from "../../storage/directory/merchants.ts";
import { answering } from "./ask.ts";
import { countEvents } from "./count-events.ts";
import type { Deps } from "./deps.ts";
import { findFirstDay, type Large } from "./execute.ts";
import { readCompleteUntil } from "./live.ts";
import { answerByJob } from "./question-jobs.ts";
import { type Cost, isTooLarge, NOTHING_LEFT, openEvents } from "./scan.ts";
import { inTurn } from "./turn.ts";

export const askFunnel = asking("funnel");
export const askRetention = asking("retention");
export const askPaths = asking("paths");
export const askOrders = asking("orders");

/** POST /api/v2/realtime {"site_id","filters"?}: who is there now. */
export const askRealtime = answering((body, merchant, { deps, fixed, budgets }) =>
  readRealtime(body, { merchant, fixed, budgets }, deps),
);

/** The visitors who are there now, and what they look at. */
export async function readRealtime(
  body: unknown,
  {
    merchant,
    fixed,
    budgets,
  }: { readonly merchant: Merchant; readonly fixed: readonly unknown[]; readonly budgets: Budgets },
  deps: Deps,
) {
  const question = parseRealtime(body, fixed, budgets);
  if (!question.ok) return question;
  const goals = checkGoals([question.value.filter], merchant.rules, question.value);
  if (!goals.ok) return goals;
  const now = deps.now();
  const completeUntil = await readCompleteUntil(merchant, deps);
  const first = realtimeFrom(now);
  const zones = zonesOf(merchant);
  const days = { from: dayAt(zoneAt(zones, first), first), to: dayAt(zoneAt(zones, now), now) + 1 };
  const realtime = openRealtime(question.value, now);
  // Events since then cannot have been archived earlier, except those of clients whose clock is ahead.
  const putSince = first - TIMESTAMP_AHEAD_MS;
  const cost: Cost = { rows: 0, objects: 0, bytes: 0 };
  const wanted = { ...days, columns: ["props"], together: "partition", putSince } as const;
  const events = await openEvents(merchant, wanted, { deps, cost });
  if (!events.ok) return events;
  const { under } = events.value;
  const { siteId: site_id, filters, view, budgets: spent } = question.value;
  const counted = await inTurn(deps, async (turn) => {
    for await (const rows of events.value.days((rows) => turn.giveWayAfter(rows))) {
      const visits = await turn.run(visitsOf(rows, { under, view, budgets: spent }));
      await turn.run(addRealtimeDay(realtime, { visits, slices: new Slices(spent) }));
      const problem = outOfSteps(spent);
      if (problem !== undefined) return refusalOf(problem);
    }
    return accepted(realtime);
  });
  if (counted === undefined) return invalid(NOTHING_LEFT);
  if (!counted.ok) return counted;
  return accepted({
    results: closeRealtime(realtime, zones),
    meta: { as_of: new Date(completeUntil).toISOString(), sources: sourcesOf({ source: "archive" }, { cost, view }) },
    query: { site_id, filters },
  });
}

function asking(kind: ReportName) {
  return answering(async (body, merchant, given) => {
    const report = REPORTS[kind](body, given.fixed, given.budgets);
    if (!report.ok) return report;
    const answered = await readReport(report.value, merchant, given.deps);
    return "places" in answered ? answerByJob({ kind, body, large: answered }, merchant, given) : answered;
  });
}

/** A report over a range, or which places a job would have to read for it. */
export async function readReport(report: Report, merchant: Merchant, deps: Deps): Promise<Outcome<unknown> | Large> {
  const goals = checkGoals([report.question.filter, ...report.filters], merchant.rules, report.question);
  if (!goals.ok) return goals;
  const asOf = deps.now();
  const completeUntil = await readCompleteUntil(merchant, deps);
  const zones = zonesOf(merchant);
  const { dateRange, view } = report.question;
  const asksAll = dateRange.kind === "relative" && dateRange.name === "all";
  const firstDay = asksAll ? await findFirstDay(merchant, { now: asOf, view }, deps) : undefined;
  const range = resolveRange(dateRange, { zones, now: asOf, firstDay });
  if (!range.ok) return range;
  const cost: Cost = { rows: 0, objects: 0, bytes: 0 };
  const counted = await countEvents(reportPlanOf(report, range.value), merchant, { deps, cost });
  if (isTooLarge(counted)) return { ...counted, asOf, completeUntil, firstDay };
  if (!counted.ok) return counted;
  const facts = { range: range.value, zones, results: counted.value.results() };
  const { imported } = merchant;
  return accepted(reportAnswer(report, facts, { asOf: completeUntil, cost, imported }));
}
