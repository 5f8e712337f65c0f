// Umami's events: `website_event.csv` of its Cloud or of ClickHouse, or what PostgreSQL gives for `website_event`
// joined with `session`. Times are UTC and do not say so. What is told of an event beside it (`event_data`) is a
// file of its own and not read.

import { countryOf } from "../country.ts";
import { parseInstant } from "../instant.ts";
import { type ImportedEvent, needsHostname, type Row, read, rejectedRow, skipped } from "../row.ts";
import type { SourceOptions, TableReader } from "../source.ts";

export function isUmami(columns: readonly string[]): boolean {
  return ["session_id", "event_id", "url_path", "event_type", "created_at"].every((name) => columns.includes(name));
}

const JOIN =
  "this is Umami's table website_event alone, without browser and country, which are in its table session; export both: " +
  "COPY (SELECT e.*, s.browser, s.os, s.device, s.screen, s.language, s.country, s.region, s.city FROM website_event e " +
  "JOIN session s USING (session_id)) TO STDOUT CSV HEADER";

export function umamiReader(columns: readonly string[], { origin }: SourceOptions): TableReader | string {
  if (!columns.includes("browser") || !columns.includes("country")) return JOIN;
  return (cell) => [readRow(cell, origin)];
}

function readRow(cell: (column: string) => string, origin: string | undefined): Row {
  const type = cell("event_type");
  if (type !== "1" && type !== "2") return skipped(`event of type ${type}`);
  const timestamp = parseInstant(cell("created_at"));
  if (timestamp === undefined) return rejectedRow("invalid_timestamp", `created_at is "${cell("created_at")}"`);
  const host = cell("hostname");
  const base = host === "" ? origin : `https://${host}`;
  const path = cell("url_path");
  if (path !== "" && base === undefined) return needsHostname(path);
  const query = cell("url_query").replace(/^\?/, "");
  const from = cell("referrer_domain");
  const asked = cell("referrer_query").replace(/^\?/, "");
  const texts: Partial<Record<keyof ImportedEvent, string>> = {
    id: cell("event_id"),
    name: type === "2" ? cell("event_name") : "",
    url: path === "" ? "" : `${base}${path}${query === "" ? "" : `?${query}`}`,
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
  return read({ ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== "")), timestamp });
}
