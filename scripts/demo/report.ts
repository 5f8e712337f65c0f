// What the demo shows at the end: the API's own numbers for the days it sent, as tables and a small picture, each
// answer with something in it.

import { type Answer, estimateNote, type Question, toAnswerText, toMetricCell } from "../footfall/query.ts";
import type { AskedFields } from "../footfall/question.ts";
import { toFunnelText, toPathsText, toRetentionText } from "../footfall/report.ts";
import { type Cell, toBar, toSparkline, toTable } from "../table.ts";
import type { Books } from "./books.ts";

/** Asks the API: a question, or a report by its path. */
export type Ask = (question: AskedFields, path?: string) => Promise<unknown>;

type Range = readonly [string, string];

const BAR_WIDTH = 20;
const FUNNEL = ["page=/cart", "page=/checkout", "name=purchase"].map((name) => {
  const [dimension, value = ""] = name.split("=");
  return { name, filters: [["is", `event:${dimension}`, [value]]] };
});

/** Asks for everything that the demo has something to show of, and answers the text to print. */
export async function makeReport(ask: Ask, site: string, range: Range): Promise<string> {
  const about = async (metrics: readonly string[], dimension?: string, limit?: number): Promise<Answer> => {
    const question: Question = {
      site_id: site,
      metrics,
      date_range: range,
      dimensions: dimension === undefined ? [] : [dimension],
      ...(limit === undefined ? {} : { pagination: { limit } }),
    };
    return (await ask(question)) as Answer;
  };
  const section = async (title: string, metrics: readonly string[], dimension?: string, limit?: number) => {
    const head = [...(dimension === undefined ? [] : [dimension.replace(/^\w+:/, "")]), ...metrics];
    return `${title}\n${toAnswerText(await about(metrics, dimension, limit), head)}`;
  };
  const report = async <Results>(title: string, path: string, toText: (answer: Results) => string, fields = {}) =>
    `${title}\n${toText((await ask({ site_id: site, date_range: range, ...fields } as AskedFields, path)) as Results)}`;
  const visits = ["visitors", "visits", "pageviews", "views_per_visit", "bounce_rate", "visit_duration"];
  const sales = [
    "orders",
    "refunds",
    "gross_revenue",
    "total_revenue",
    "average_order_value",
    "units",
    "product_revenue",
  ];
  return [
    `${range[0]} to ${range[1]}, UTC`,
    await section("In total", visits),
    await section("Sales", sales),
    daysSection(
      await about(["visitors", "visits", "pageviews", "orders", "total_revenue"], "time:day"),
      await about(["pageviews"], "time:hour"),
    ),
    await section("Top pages", ["visitors", "pageviews"], "event:page", 8),
    await section("Top sources", ["visitors", "bounce_rate", "orders", "total_revenue"], "visit:source", 8),
    await section("Campaigns", ["visitors", "orders", "total_revenue"], "visit:utm_campaign", 5),
    await section("Products", ["orders", "units", "product_revenue"], "event:product", 8),
    await section("Goals", ["visitors", "events", "conversion_rate"], "event:goal"),
    await report("From the basket to the order", "/api/v2/funnel", toFunnelText, { steps: FUNNEL }),
    await report("Visitors who came again, by week", "/api/v2/retention", toRetentionText),
    await report("First pages", "/api/v2/paths", toPathsText, { limit: 6 }),
    await section("Countries", ["visitors", "visits", "orders"], "visit:country", 8),
    await section("Kept and not counted", ["drops"], "event:drop_reason"),
  ].join("\n\n");
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
  const head = ["day", "visitors", "visits", "pageviews", "orders", "revenue", "visitors ▸", "page views by hour ▸"];
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

/** Of money, hundredths may be rounded once for each Day and currency. */
const CLOSE = 0.2;

/** Numbers of the API that are not those of the shop's books: "orders: 131 in the books, 133 counted". */
export async function compareBooks(ask: Ask, { site, range, books }: { site: string; range: Range; books: Books }) {
  const names = Object.keys(books);
  const question: Question = { site_id: site, metrics: names, date_range: range, dimensions: [] };
  const { results } = (await ask(question)) as Answer;
  return names.flatMap((name, index) => {
    const counted = amountOf(results[0]?.metrics[index]);
    const kept = books[name as keyof Books];
    return Math.abs(counted - kept) <= (/revenue/.test(name) ? CLOSE : 0)
      ? []
      : [`${name}: ${round(kept)} in the books, ${round(counted)} counted`];
  });
}

function amountOf(value: unknown): number {
  if (typeof value === "object" && value !== null) return Number((value as { value?: number }).value ?? 0);
  return Number(value ?? 0);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
