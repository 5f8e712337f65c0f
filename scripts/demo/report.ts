// What the demo shows at the end: the API's own numbers for the days it sent, as tables and a small picture.

import { type Answer, estimateNote, type Question, toAnswerText, toMetricCell } from "../footfall/query.ts";
import { type Cell, toBar, toSparkline, toTable } from "../table.ts";

export type Ask = (question: Question) => Promise<Answer>;

const BAR_WIDTH = 20;

/** Asks for totals, days, hours, pages and sources, and answers the text to print. */
export async function makeReport(ask: Ask, site: string, range: readonly [string, string]): Promise<string> {
  const about = (metrics: readonly string[], dimension?: string, limit?: number): Promise<Answer> =>
    ask({
      site_id: site,
      metrics,
      date_range: range,
      dimensions: dimension === undefined ? [] : [dimension],
      ...(limit === undefined ? {} : { pagination: { limit } }),
    });
  const totals = [
    "visitors",
    "visits",
    "pageviews",
    "views_per_visit",
    "bounce_rate",
    "visit_duration",
    "total_revenue",
  ];
  return [
    `${range[0]} to ${range[1]}, UTC`,
    section("In total", totals, await about(totals)),
    daysSection(
      await about(["visitors", "visits", "pageviews", "total_revenue"], "time:day"),
      await about(["pageviews"], "time:hour"),
    ),
    section("Top pages", ["page", "visitors", "pageviews"], await about(["visitors", "pageviews"], "event:page", 8)),
    section(
      "Top sources",
      ["source", "visitors", "bounce_rate"],
      await about(["visitors", "bounce_rate"], "visit:source", 8),
    ),
    section("Countries", ["country", "visitors", "visits"], await about(["visitors", "visits"], "visit:country", 8)),
  ].join("\n\n");
}

function section(title: string, head: readonly string[], answer: Answer): string {
  return `${title}\n${toAnswerText(answer, head)}`;
}

/** A row per Day: figures, a bar of its visitors, and its 24 hours of page views. */
function daysSection(days: Answer, hours: Answer): string {
  const visitorsMost = Math.max(...days.results.map(({ metrics }) => Number(metrics[0])));
  const rows = days.results.map(({ dimensions: [day = ""], metrics }): Cell[] => [
    day,
    ...metrics.map(toMetricCell),
    toBar(Number(metrics[0]), visitorsMost, BAR_WIDTH),
    toSparkline(hoursOf(hours, day)),
  ]);
  const head = ["day", "visitors", "visits", "pageviews", "revenue", "visitors ▸", "page views by hour ▸"];
  return ["By day", toTable(head, rows), ...estimateNote(days)].join("\n");
}

/** Buckets are labelled "2026-11-21 09:00:00"; an hour without a hit is not in the answer. */
function hoursOf(hours: Answer, day: string): readonly number[] {
  const values = new Array<number>(24).fill(0);
  for (const { dimensions, metrics } of hours.results) {
    const label = dimensions[0] ?? "";
    if (label.startsWith(day)) values[Number(label.slice(11, 13))] = Number(metrics[0]);
  }
  return values;
}
