// The numbers of a report. They come from three questions, asked as any client of the API asks them. So a report has
// the same numbers as the API. A report waits until each acknowledged hit of its period is counted.

import { isObject } from "../../core/formats/field.ts";
import { REPORT_ROWS_LOOKED_AT } from "../../core/limits.ts";
import { zoneAt } from "../../core/merchant.ts";
import type { Days, Period } from "../../core/notice/period.ts";
import {
  type Compared,
  REPORT_METRICS,
  type ReportMetric,
  type ReportNumbers,
  type ReportRow,
} from "../../core/notice/report.ts";
import type { ReportTopic } from "../../core/notice/subscription.ts";
import type { Outcome } from "../../core/outcome.ts";
import { accepted, rejected } from "../../core/outcome.ts";
import type { Answer } from "../../core/query/answer.ts";
import { parseQuestion } from "../../core/query/question.ts";
import { dateOf, dayStart } from "../../core/time.ts";
import { type Merchant, zonesOf } from "../../storage/directory/merchants.ts";
import type { Deps } from "./deps.ts";
import { execute } from "./execute.ts";

/** The numbers, or "incomplete" where hits of the period wait to be counted. */
export async function readReportNumbers(
  { topic, period }: { readonly topic: ReportTopic; readonly period: Period },
  merchant: Merchant,
  deps: Deps,
): Promise<Outcome<ReportNumbers> | "incomplete"> {
  const ask = (own: object) => answerTo({ ...rangesOf(period), ...own }, merchant, deps);
  const totals = await ask({ metrics: REPORT_METRICS });
  if (!totals.ok) return totals;
  const zone = zoneAt(zonesOf(merchant), deps.now());
  const asOf = Date.parse(totals.value.meta.as_of);
  if (asOf < dayStart(zone, period.to)) return "incomplete";
  const list = { metrics: ["visitors"], pagination: { limit: REPORT_ROWS_LOOKED_AT } };
  const sources = await ask({ ...list, dimensions: ["visit:source"] });
  if (!sources.ok) return sources;
  const pages = await ask({ ...list, dimensions: ["event:page"] });
  if (!pages.ok) return pages;
  const [row] = totals.value.results;
  const compared = REPORT_METRICS.map((metric, at) => [metric, comparedAt(row, at)] as const);
  return accepted({
    topic,
    period,
    shop: { id: merchant.id, name: merchant.name, zone, currency: merchant.currency },
    totals: Object.fromEntries(compared) as unknown as Record<ReportMetric, Compared>,
    sources: sources.value.results.map(toRow),
    pages: pages.value.results.map(toRow),
    asOf,
  });
}

/** The range of a question and the range that it is compared with, in the form that clients write. */
function rangesOf({ from, to, before }: Period) {
  const dates = (days: Days) => [dateOf(days.from), dateOf(days.to - 1)];
  const comparisons = { mode: "custom", date_range: dates(before) };
  return { date_range: dates({ from, to }), include: { comparisons } };
}

/** The answer to a question of the API. It names no filters, so it never needs a job. */
export async function answerTo(question: object, merchant: Merchant, deps: Deps): Promise<Outcome<Answer>> {
  const parsed = parseQuestion({ site_id: merchant.id, ...question }, [], undefined);
  if (!parsed.ok) return parsed;
  const answered = await execute(parsed.value, merchant, deps);
  if ("places" in answered) return rejected("invalid_field", "The question is too large for a notice.");
  return answered;
}

type Result = Answer["results"][number];

function comparedAt(row: Result | undefined, at: number): Compared {
  return { now: numberOf(row?.metrics[at]), before: numberOf(row?.comparison?.metrics[at]) };
}

function toRow(row: Result): ReportRow {
  return { name: String(row.dimensions[0] ?? ""), ...comparedAt(row, 0) };
}

/** A number, or the value of an amount of money. Null for anything else. */
export function numberOf(metric: unknown): number | null {
  const value = isObject(metric) ? metric["value"] : metric;
  return typeof value === "number" ? value : null;
}
