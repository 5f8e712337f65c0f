// GoatCounter's page views as it exports them (CSV, version 2; the first column's name begins with the version). There
// is no host in it. Agents are always empty; browser and system are told. A path of an event is the event's name.

import { parseInstant } from "../instant.ts";
import { type ImportedEvent, needsHostname, type Row, read, rejectedRow, skipped } from "../row.ts";
import type { SourceOptions, TableReader } from "../source.ts";
import { filled, regionOf } from "../value.ts";

export function isGoatcounter([first = "", ...others]: readonly string[]): boolean {
  return /^\d+Path$/.test(first) && ["Session", "FirstVisit", "Date"].every((name) => others.includes(name));
}

const VERSION = "2Path";

export function goatcounterReader([first]: readonly string[], { origin }: SourceOptions): TableReader | string {
  if (first !== VERSION)
    return `this is GoatCounter's export of another version (its first column is ${first}); export it once more with a GoatCounter of version 2 or later`;
  return (cell) => [readRow(cell, origin)];
}

function readRow(cell: (column: string) => string, origin: string | undefined): Row {
  if (cell("Bot") !== "" && cell("Bot") !== "0") return skipped("bot");
  const timestamp = parseInstant(cell("Date"));
  if (timestamp === undefined)
    return rejectedRow("invalid_timestamp", `the time of a page view (Date) is "${cell("Date")}"`);
  const path = cell(VERSION);
  const isEvent = cell("Event") === "true" || cell("Event") === "1";
  const rooted = path.startsWith("/") ? path : `/${path}`;
  if (!isEvent && origin === undefined) return needsHostname(rooted);
  const [country = "", region = ""] = cell("Location").split("-");
  const [, width, height] = /^(\d{1,5}), ?(\d{1,5})/.exec(cell("Screen size")) ?? [];
  const referrer = referrerOf(cell);
  const texts: Partial<Record<keyof ImportedEvent, string>> = {
    name: isEvent ? path : "",
    url: isEvent ? "" : withCampaign(`${origin}${rooted}`, cell),
    title: cell("Title"),
    visitor_id: cell("Session"),
    referrer,
    country: /^[A-Z]{2}$/.test(country) ? country : "",
    region: regionOf(country, region),
    browser: cell("Browser").replace(/ [\d.]+$/, ""),
    os: cell("System"),
    screen: width === undefined ? "" : `${width}x${height}`,
  };
  return read({ ...filled(texts), timestamp });
}

/** A referrer of scheme "h" is an address without its scheme; others are names, and "c" is a campaign. */
function referrerOf(cell: (column: string) => string): string {
  const referrer = cell("Referrer");
  if (referrer === "" || cell("Referrer scheme") !== "h") return "";
  return /^https?:\/\//.test(referrer) ? referrer : `https://${referrer}`;
}

function withCampaign(url: string, cell: (column: string) => string): string {
  if (cell("Referrer") === "" || !["c", "g"].includes(cell("Referrer scheme"))) return url;
  const parsed = URL.parse(url);
  if (parsed === null || parsed.searchParams.has("utm_source")) return url;
  parsed.searchParams.set("utm_source", cell("Referrer"));
  return parsed.href;
}
