// Simple Analytics' data points, page views and events, as its export API writes them as CSV. Only the fields come that
// were asked for. It tells no visitors apart: a session is one here, so visitors are its visits.

import { withCampaign } from "../../../core/formats/loose.ts";
import { countryOf } from "../country.ts";
import { parseInstant } from "../instant.ts";
import { needsHostname, type Row, read, rejectedRow, skipped } from "../row.ts";
import type { SourceOptions, TableReader } from "../source.ts";
import { filled, numberOf } from "../value.ts";

export function isSimpleAnalytics(columns: readonly string[]): boolean {
  const has = (name: string) => columns.includes(name);
  return (has("added_iso") || has("added_unix")) && ["path", "datapoint", "is_unique", "session_id"].some(has);
}

const CAMPAIGN = ["utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"] as const;
const FIELDS =
  "added_iso,hostname,path,query,datapoint,uuid,session_id,is_robot,document_referrer,utm_source,utm_medium," +
  "utm_campaign,utm_content,utm_term,country_code,browser_name,os_name,device_type,lang_language,lang_region," +
  "screen_width,screen_height,user_agent,duration_seconds,scrolled_percentage";

export function simpleAnalyticsReader(columns: readonly string[], { origin }: SourceOptions): TableReader | string {
  const lacking = ["path", "session_id"].filter((name) => !columns.includes(name));
  if (lacking.length > 0)
    return `this is an export of Simple Analytics without ${lacking.join(" and ")}; export it again with fields=${FIELDS}`;
  const metadata = columns.flatMap((column) => {
    const [, key] = /^metadata\.(.+)_(?:text|int|bool|date)$/.exec(column) ?? [];
    return key === undefined ? [] : [[column, key] as const];
  });
  return (cell) => [readRow(cell, metadata, origin)];
}

function readRow(
  cell: (column: string) => string,
  metadata: readonly (readonly [column: string, key: string])[],
  origin: string | undefined,
): Row {
  if (isTrue(cell("is_robot"))) return skipped("robot");
  const time = cell("added_iso") || cell("added_unix");
  const timestamp = parseInstant(time);
  if (timestamp === undefined) return rejectedRow("invalid_timestamp", `added_iso is "${time}"`);
  const name = cell("datapoint") === "pageview" ? "" : cell("datapoint");
  const path = cell("path");
  const host = cell("hostname");
  const base = host === "" ? origin : `https://${host}`;
  if (path !== "" && base === undefined) return needsHostname(path);
  if (path === "" && name === "") return rejectedRow("no_page", "a page view without a path");
  if (cell("session_id") === "") return skipped("names no visitor");
  const query = cell("query").replace(/^\?/, "");
  const address =
    path === "" ? "" : `${base}${path.startsWith("/") ? "" : "/"}${path}${query === "" ? "" : `?${query}`}`;
  const campaign = Object.fromEntries(CAMPAIGN.map((field) => [field, cell(field)]));
  const agent = cell("user_agent");
  const [seconds, scroll] = [numberOf(cell("duration_seconds")), numberOf(cell("scrolled_percentage"))];
  const props = metadata.filter(([column]) => cell(column) !== "").map(([column, key]) => [key, cell(column)]);
  return read({
    ...filled({
      id: cell("uuid"),
      name,
      url: withCampaign(address, campaign),
      referrer: referrerOf(cell("document_referrer")),
      visitor_id: cell("session_id"),
      user_agent: agent,
      language: [cell("lang_language"), cell("lang_region")].filter((part) => part !== "").join("-"),
      screen: screenOf(cell("screen_width"), cell("screen_height")),
      country: countryOf(cell("country_code")) ?? "",
    }),
    ...(agent === "" && filled({ browser: cell("browser_name"), os: cell("os_name"), device: cell("device_type") })),
    timestamp,
    ...(seconds !== undefined && seconds > 0 && { engagement_ms: Math.round(seconds * 1000) }),
    ...(scroll !== undefined && scroll > 0 && { scroll: Math.min(Math.round(scroll), 100) }),
    ...(props.length > 0 && { props: Object.fromEntries(props) }),
  });
}

function isTrue(text: string): boolean {
  return text === "true" || text === "1";
}

function referrerOf(text: string): string {
  return text === "" || /^[a-z]+:\/\//i.test(text) ? text : `https://${text}`;
}

function screenOf(width: string, height: string): string {
  return /^\d{1,5}$/.test(width) && /^\d{1,5}$/.test(height) ? `${width}x${height}` : "";
}
