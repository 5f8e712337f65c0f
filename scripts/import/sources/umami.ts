// Umami's events: `website_event.csv` of its Cloud or of ClickHouse, or what PostgreSQL gives for `website_event`
// joined with `session`. Times are UTC and do not say so. What is told of an event beside it is in rows of another
// table, `event_data`; the statement of docs/import.md brings them along, as one object of JSON in the column
// `event_data`.

import { looseCommerce, looseProps } from "../../../core/formats/loose.ts";
import { countryOf } from "../country.ts";
import { parseInstant } from "../instant.ts";
import { commerceOf } from "../live.ts";
import { type ImportedEvent, needsHostname, type Row, read, rejectedRow, skipped } from "../row.ts";
import type { SourceOptions, TableReader } from "../source.ts";
import { type Fields, filled, jsonOf, objectInText } from "../value.ts";

export function isUmami(columns: readonly string[]): boolean {
  return ["session_id", "event_id", "url_path", "event_type", "created_at"].every((name) => columns.includes(name));
}

const JOIN =
  "this is Umami's table website_event alone, without browser and country, which are in its table session; export both " +
  'by the statement under "Umami" of docs/import.md';

/** What a row is by its event_type, beside page views (1) and events (2). */
const LEFT_OUT: Readonly<Record<string, string>> = {
  "3": "click of a link (of Umami's links)",
  "4": "view of a pixel (of Umami's pixels)",
  "5": "load time of a page",
};

const CAMPAIGN = ["utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"] as const;

/** What is no event by itself: a row for each property. */
export function isUmamiData(columns: readonly string[]): boolean {
  return ["data_key", "string_value", "number_value", "data_type"].every((name) => columns.includes(name));
}

export function refuseUmamiData(): string {
  return 'this is Umami\'s table event_data, whose rows belong to events; bring them in with website_event, in a column event_data, by the statement under "Umami" of docs/import.md';
}

export function umamiReader(columns: readonly string[], { origin }: SourceOptions): TableReader | string {
  if (!columns.includes("browser") || !columns.includes("country")) return JOIN;
  let first: string | undefined;
  return (cell) => {
    const website = cell("website_id");
    first ??= website;
    return [website === first ? readRow(cell, origin) : ofAnother(website, first)];
  };
}

/** A database holds all websites of its Umami, and here they would be one shop. */
function ofAnother(website: string, first: string): Row {
  return rejectedRow(
    "another_website",
    `website_id is ${website.slice(0, 40)}, and the file begins with ${first.slice(0, 40)}; export one website at a time`,
  );
}

function readRow(cell: (column: string) => string, origin: string | undefined): Row {
  const type = cell("event_type");
  if (type !== "1" && type !== "2") return skipped(LEFT_OUT[type] ?? `event of type ${type.slice(0, 20)}`);
  const timestamp = parseInstant(cell("created_at"));
  if (timestamp === undefined) return rejectedRow("invalid_timestamp", `created_at is "${cell("created_at")}"`);
  const host = cell("hostname");
  const base = host === "" ? origin : `https://${host}`;
  const path = cell("url_path");
  if (path !== "" && base === undefined) return needsHostname(path);
  const from = cell("referrer_domain");
  const asked = cell("referrer_query").replace(/^\?/, "");
  const texts: Partial<Record<keyof ImportedEvent, string>> = {
    id: cell("event_id"),
    name: type === "2" ? cell("event_name") : "",
    url: path === "" ? "" : addressOf(`${base}${path}`, cell),
    referrer: from === "" ? "" : `https://${from}${cell("referrer_path")}${asked === "" ? "" : `?${asked}`}`,
    title: cell("page_title"),
    visitor_id: cell("distinct_id") || cell("session_id"),
    language: cell("language"),
    screen: /^\d{1,5}x\d{1,5}$/.test(cell("screen")) ? cell("screen") : "",
    country: countryOf(cell("country")) ?? "",
    region: cell("region"),
    city: cell("city"),
    browser: cell("browser"),
    os: cell("os"),
    device: cell("device"),
  };
  if (type === "1" && texts.url === "") return rejectedRow("no_page", "a page view without url_path");
  const data = objectInText(cell("event_data"));
  if (data === undefined) return rejectedRow("invalid_field", "event_data is no JSON object");
  return read({ ...filled(texts), ...toldOf(data, cell("tag")), timestamp });
}

/** Umami cuts a query here. */
const QUERY_LENGTH = 500;

/**
 * The address as it was. Umami keeps a path decoded and with its fragment, and of a long query its beginning: the last
 * parameter of that is not whole, and a campaign behind it stands in columns of its own.
 */
function addressOf(located: string, cell: (column: string) => string): string {
  const [, page = "", fragment = ""] = /^([^#]*)(.*)$/s.exec(located.replace(/%(?![\da-f]{2})/gi, "%25")) ?? [];
  const kept = cell("url_query").replace(/^\?/, "");
  const whole = kept.length < QUERY_LENGTH ? kept : kept.slice(0, Math.max(kept.lastIndexOf("&"), 0));
  const named = new URLSearchParams(whole);
  const lost = new URLSearchParams(
    CAMPAIGN.filter((name) => cell(name) !== "" && !named.has(name)).map((name) => [name, cell(name)]),
  );
  const query = [whole, lost.toString()].filter((part) => part !== "").join("&");
  return `${page}${query === "" ? "" : `?${query}`}${fragment}`;
}

/** Money and order number as for live hits (core/formats/umami.ts); all of it is properties as well. */
function toldOf(data: Fields, tag: string): Partial<ImportedEvent> {
  const props = looseProps({ ...data, ...(tag !== "" && { tag }) });
  const { revenue: amount, currency, order_id: order } = data as Record<string, unknown>;
  return {
    ...(props !== "" && { props: jsonOf(props) as Fields }),
    ...commerceOf(looseCommerce({ amount, currency, order })),
  };
}
