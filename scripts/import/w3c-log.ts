// Logs in the W3C's extended format: IIS separates its fields by blanks and writes "+" for a blank within one;
// CloudFront separates them by tabs and writes "%20" and the like. `#Fields:` names them, and may name others further
// down in the same file. Times are UTC.

import { DAY_MS, parseDate } from "../../core/time.ts";
import { forwardedAddress, type LogOptions, type LogRequest, toPageView } from "./request.ts";
import { type Row, rejectedRow, skipped } from "./row.ts";

/** A reader of one file's lines, which remembers what the directives said. */
export interface W3cReader {
  /** Takes in a line of directives ("#Fields: …") and answers whether it was one. */
  readonly note: (line: string) => boolean;
  readonly read: (line: string, options: LogOptions) => Row;
}

export function w3cReader(): W3cReader {
  let fields: readonly string[] | undefined;
  let fileDate = "";
  return {
    note(line) {
      const [, name = "", value = ""] = /^#\s*([\w-]+):\s*(.*)$/.exec(line) ?? [];
      if (name.toLowerCase() === "fields") fields = value.trim().toLowerCase().split(/\s+/);
      if (/^(?:start-)?date$/i.test(name)) fileDate = value.trim().split(/\s/)[0] ?? "";
      return line.startsWith("#");
    },
    read(line, options) {
      if (line.trim() === "") return skipped("empty line");
      if (fields === undefined) return rejectedRow("no_fields", "no #Fields: line before it says what its fields are");
      const lacking = NEEDED.find((names) => !names.some((name) => fields?.includes(name)));
      if (lacking !== undefined) {
        const why = `#Fields: does not name ${lacking.join(" or ")}; let the server log it (date, time, c-ip, cs-method, cs-uri-stem, sc-status)`;
        return rejectedRow("no_fields", why);
      }
      const tabs = line.includes("\t");
      const values = tabs ? line.split("\t") : line.trim().split(/ +/);
      if (values.length !== fields.length) {
        return rejectedRow("wrong_columns", `${values.length} values, where #Fields: names ${fields.length}`);
      }
      const entries = fields.map(
        (field, index) => [field, values[index] === "-" ? "" : (values[index] ?? "")] as const,
      );
      return toPageView(toW3cRequest(new Map(entries), { tabs, fileDate }), options);
    },
  };
}

/** One of each must be there: without the status redirects would count, without the method forms. */
const NEEDED = [["time"], ["cs-method"], ["cs-uri-stem", "cs-uri"], ["sc-status"]] as const;

interface Writing {
  /** Whether it is written as CloudFront does. */
  readonly tabs: boolean;
  readonly fileDate: string;
}

/** The request in a line's fields, by their names in lower case; what is "" is not known. */
export function toW3cRequest(fields: ReadonlyMap<string, string>, { tabs, fileDate }: Writing): LogRequest {
  const field = (...names: readonly string[]) =>
    names.map((name) => fields.get(name) ?? "").find((text) => text !== "") ?? "";
  const text = (...names: readonly string[]) =>
    tabs ? unpercented(field(...names)) : field(...names).replaceAll("+", " ");
  // Of an address only the writing of the log is undone: "%2520" was "%20", "%20" stays.
  const address = (value: string) => (tabs ? value.replaceAll("%25", "%") : value);
  const date = toDate(field("date") || fileDate);
  const time = field("time");
  const scheme = field("cs-protocol").toLowerCase();
  const forwarded = forwardedAddress(text("x-forwarded-for", "cs(x-forwarded-for)"));
  return {
    // Of CloudFront, cs(Host) is the distribution's own name.
    virtualHost: field("x-host-header", "cs-host", "cs(host)") || undefined,
    scheme: scheme === "http" || scheme === "https" ? scheme : undefined,
    address: forwarded ?? field("c-ip"),
    timestamp: toInstant(date, time),
    time: `${date} ${time}`.trim(),
    date,
    method: field("cs-method"),
    target: address(
      field("cs-uri-stem") === "" ? field("cs-uri") : targetOf(field("cs-uri-stem"), field("cs-uri-query"), tabs),
    ),
    status: Number(field("sc-status")),
    referrer: address(field("cs(referer)", "cs(referrer)")),
    userAgent: text("cs(user-agent)"),
    purpose: text("cs(sec-purpose)", "cs(purpose)", "cs(x-purpose)", "cs(x-moz)"),
    contentType: text("sc-content-type", "sc(content-type)"),
    id: field("x-edge-request-id") === "" ? "" : `edge-${field("x-edge-request-id")}`,
  };
}

/** IIS writes the path decoded: what would begin a query or a fragment is escaped again. */
function targetOf(stem: string, query: string, tabs: boolean): string {
  const path = tabs ? stem : stem.replaceAll("+", "%20").replaceAll("#", "%23").replaceAll("?", "%3F");
  return query === "" ? path : `${path}?${query.replace(/^\?/, "")}`;
}

/** Logs of before 2020 have their agents escaped twice. */
function unpercented(text: string): string {
  const once = decoded(text);
  return /%20/.test(once) ? decoded(once) : once;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** "2007-4-11" is written too. */
function toDate(text: string): string {
  const [, year = "", month = "", day = ""] = /^(\d{4})-(\d\d?)-(\d\d?)$/.exec(text) ?? [];
  return year === "" ? text : `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
}

function toInstant(date: string, time: string): number | undefined {
  const day = parseDate(date);
  const [, hour = "", minute = "", second = "", fraction = "0"] = /^(\d\d):(\d\d):(\d\d)(\.\d+)?$/.exec(time) ?? [];
  if (day === undefined || hour === "" || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59)
    return undefined;
  return (
    day * DAY_MS +
    (Number(hour) * 3600 + Number(minute) * 60 + Number(second)) * 1000 +
    Math.floor(Number(fraction) * 1000)
  );
}
