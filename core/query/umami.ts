// The reading requests that Umami's own client sends, as questions, and their answers in its shape. The numbers are
// those of any other question, in the merchant's Days and zone, over whole Hours. What Umami has and Footfall has not
// is refused by name, because an ignored filter gives a wrong number.

import { hourOf, type ZonePeriod, zoneAt } from "../merchant.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { hourAfter } from "../time.ts";
import type { Answer, Result } from "./answer.ts";

export const UMAMI_READS = ["stats", "pageviews", "metrics"] as const;
export type UmamiRead = (typeof UMAMI_READS)[number];

/** Attributes for breakdowns and filters: Umami's name and ours. */
export const UMAMI_ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ["path", "event:page"],
  ["url", "event:page"],
  ["entry", "visit:entry_page"],
  ["exit", "visit:exit_page"],
  ["hostname", "event:hostname"],
  ["referrer", "visit:referrer"],
  ["channel", "visit:channel"],
  ["event", "event:name"],
  ["browser", "visit:browser"],
  ["os", "visit:os"],
  ["device", "visit:device"],
  ["language", "visit:language"],
  ["country", "visit:country"],
  ["region", "visit:region"],
  ["city", "visit:city"],
  ["utmSource", "visit:utm_source"],
  ["utmMedium", "visit:utm_medium"],
  ["utmCampaign", "visit:utm_campaign"],
  ["utmContent", "visit:utm_content"],
  ["utmTerm", "visit:utm_term"],
]);

const UNITS = ["minute", "hour", "day", "month"];
const COMPARISONS: ReadonlyMap<string, string> = new Map([
  ["prev", "previous_period"],
  ["yoy", "year_over_year"],
]);
/** `timezone` is accepted and not used, because Days are the merchant's. */
export const UMAMI_RANGE = ["startAt", "endAt", "startDate", "endDate", "timezone"];
export const UMAMI_OWN: Readonly<Record<UmamiRead, readonly string[]>> = {
  stats: ["unit", "compare"],
  pageviews: ["unit", "compare"],
  metrics: ["type", "limit", "offset", "unit"],
};

/** Metrics of `stats`, with Umami's names. */
const TOTALS = [
  ["pageviews", "pageviews"],
  ["visitors", "visitors"],
  ["visits", "visits"],
  ["bounces", "bounces"],
  ["totaltime", "total_duration"],
] as const;

const LIMIT = 500;
const LIMIT_MAX = 9_000;

export interface UmamiQuestion {
  /** The body of a question, still without its merchant. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly toReply: (answer: Answer) => unknown;
}

/** What a request asks: its parameters by name. */
export function parseUmami(
  read: UmamiRead,
  parameters: ReadonlyMap<string, string>,
  zones: readonly ZonePeriod[],
): Outcome<UmamiQuestion> {
  const known = [...UMAMI_RANGE, ...UMAMI_OWN[read], ...UMAMI_ATTRIBUTES.keys()];
  const unknown = [...parameters.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) return invalid(`${unknown.slice(0, 50)} is not available; known: ${known.join(", ")}`);
  const range = parseRange(parameters, zones);
  if (!range.ok) return range;
  const filters = [...parameters].flatMap(([name, value]) => {
    const attribute = UMAMI_ATTRIBUTES.get(name);
    return attribute === undefined ? [] : [["is", attribute, [value]]];
  });
  const comparisons = COMPARISONS.get(parameters.get("compare") ?? (read === "stats" ? "prev" : ""));
  if (parameters.has("compare") && comparisons === undefined) return invalid("compare must be prev or yoy");
  const asked = {
    date_range: range.value,
    filters,
    ...(comparisons !== undefined && { include: { comparisons: { mode: comparisons } } }),
  };
  if (read === "stats") return accepted(statsOf(asked));
  return read === "pageviews" ? seriesOf(asked, parameters) : metricsOf(asked, parameters);
}

function invalid(message: string) {
  return rejected("invalid_field", message);
}

/**
 * The Hours that the range touches, as two instants. Umami's range ends with the last millisecond of an Hour, which
 * belongs to that Hour.
 */
function parseRange(
  parameters: ReadonlyMap<string, string>,
  zones: readonly ZonePeriod[],
): Outcome<readonly [string, string]> {
  const [start, end] = (["start", "end"] as const).map((name) => {
    const text = parameters.get(`${name}At`);
    return text === undefined
      ? Date.parse(parameters.get(`${name}Date`) ?? "")
      : Number(text === "" ? Number.NaN : text);
  });
  const isInstant = (ms: number | undefined): ms is number => Math.abs(ms ?? Number.NaN) < 4e12;
  if (!isInstant(start) || !isInstant(end)) return invalid("startAt and endAt must be instants in ms since 1970");
  if (end < start) return invalid("endAt must not be before startAt");
  const from = hourOf(zones, start);
  const last = hourOf(zones, Math.max(from, end - 1));
  const to = hourAfter(zoneAt(zones, last), last);
  return accepted([new Date(from).toISOString(), new Date(to).toISOString()]);
}

function statsOf(asked: Readonly<Record<string, unknown>>): UmamiQuestion {
  const totals = ({ metrics }: Pick<Result, "metrics"> = { metrics: [] }) =>
    Object.fromEntries(TOTALS.map(([name], index) => [name, numberOf(metrics[index])]));
  return {
    body: { ...asked, metrics: TOTALS.map(([, metric]) => metric) },
    toReply: ({ results: [all] }) => ({ ...totals(all), comparison: totals(all?.comparison) }),
  };
}

function seriesOf(
  asked: Readonly<Record<string, unknown>>,
  parameters: ReadonlyMap<string, string>,
): Outcome<UmamiQuestion> {
  const unit = parameters.get("unit") ?? "day";
  if (!UNITS.includes(unit)) return invalid(`unit must be one of ${UNITS.join(", ")}`);
  const series = (rows: readonly Pick<Result, "metrics" | "dimensions">[]) => {
    const of = (index: number) =>
      rows.map((row) => ({ x: clock(row.dimensions[0], unit), y: numberOf(row.metrics[index]) }));
    return { pageviews: of(0), sessions: of(1) };
  };
  return accepted({
    body: {
      ...asked,
      metrics: ["pageviews", "visitors"],
      dimensions: [`time:${unit}`],
      order_by: [[`time:${unit}`, "asc"]],
    },
    toReply: ({ results, meta, query }) => {
      const compared = results.flatMap(({ comparison }) => comparison ?? []);
      const [startDate, endDate] = query["date_range"] as readonly string[];
      const [before, after] = meta.comparison_date_range ?? [];
      const compare = { ...series(compared), startDate: before, endDate: after };
      return { ...series(results), ...(before !== undefined && { startDate, endDate, compare }) };
    },
  });
}

function metricsOf(
  asked: Readonly<Record<string, unknown>>,
  parameters: ReadonlyMap<string, string>,
): Outcome<UmamiQuestion> {
  const dimension = UMAMI_ATTRIBUTES.get(parameters.get("type") ?? "");
  if (dimension === undefined) return invalid(`type must be one of ${[...UMAMI_ATTRIBUTES.keys()].join(", ")}`);
  const [limit, offset] = [Number(parameters.get("limit") ?? LIMIT), Number(parameters.get("offset") ?? 0)];
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX)
    return invalid(`limit must be a whole number from 1 to ${LIMIT_MAX}`);
  if (!Number.isInteger(offset) || offset < 0 || offset > LIMIT_MAX)
    return invalid(`offset must be a whole number from 0 to ${LIMIT_MAX}`);
  const toRow = ({ dimensions, metrics }: Result) => ({ x: dimensions[0], y: numberOf(metrics[0]) });
  const body = { ...asked, metrics: ["visitors"], dimensions: [dimension] };
  if (dimension !== "event:name")
    return accepted({ body: { ...body, pagination: { limit, offset } }, toReply: ({ results }) => results.map(toRow) });
  // In Umami page views are no events, so their row is left out.
  const isShown = ({ dimensions }: Result) => dimensions[0] !== "pageview";
  return accepted({
    body: { ...body, pagination: { limit: offset + limit + 1, offset: 0 } },
    toReply: ({ results }) =>
      results
        .filter(isShown)
        .slice(offset, offset + limit)
        .map(toRow),
  });
}

/** A label as Umami writes it: always with a time. A month has its first date, even if the range begins later. */
function clock(label = "", unit = ""): string {
  if (label.length > 10) return label;
  return `${unit === "month" ? `${label.slice(0, 7)}-01` : label} 00:00:00`;
}

function numberOf(value: Result["metrics"][number] | undefined): number {
  return typeof value === "number" ? value : 0;
}
