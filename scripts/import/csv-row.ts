// A CSV file's columns mapped onto the fields of an event, by name: once for the header (`planColumns`), then for each row
// (`readCsvRow`). Names are compared without case; usual other names are known; `--map column=field` overrides both.
// A column that means nothing is left out and named, so that a mistyped one is noticed.

import { visitorText } from "./access-log.ts";
import { parseInstant } from "./instant.ts";
import { type ImportedEvent, needsHostname, type Row, read, rejectedRow } from "./row.ts";

/** Fields a column can fill. "props.<key>" fills one property. "address" is hashed into the visitor and never sent. */
export const FIELDS = [
  "id",
  "name",
  "url",
  "referrer",
  "title",
  "timestamp",
  "visitor_id",
  "user_agent",
  "language",
  "screen",
  "engagement_ms",
  "scroll",
  "revenue",
  "currency",
  "props",
  "address",
] as const;
type Field = (typeof FIELDS)[number];

const ALIASES: Readonly<Record<string, Field>> = {
  event_id: "id",
  uuid: "id",
  event: "name",
  event_name: "name",
  page: "url",
  page_url: "url",
  location: "url",
  referer: "referrer",
  ref: "referrer",
  page_title: "title",
  unix_s: "timestamp",
  unix_ms: "timestamp",
  unix: "timestamp",
  time: "timestamp",
  date: "timestamp",
  datetime: "timestamp",
  ts: "timestamp",
  created_at: "timestamp",
  visitor: "visitor_id",
  user_id: "visitor_id",
  client_id: "visitor_id",
  anonymous_id: "visitor_id",
  agent: "user_agent",
  useragent: "user_agent",
  ua: "user_agent",
  lang: "language",
  locale: "language",
  amount: "revenue",
  revenue_amount: "revenue",
  revenue_currency: "currency",
  ip: "address",
  ip_address: "address",
};

/** What each column fills; undefined: nothing. */
export interface ColumnPlan {
  readonly targets: readonly (string | undefined)[];
  readonly ignored: readonly string[];
}

/** Columns that were understood, or the sentence that says why the file cannot be imported as it is. */
export type Planned = { readonly ok: true; readonly plan: ColumnPlan } | { readonly ok: false; readonly why: string };

/** Reads "visitor=visitor_id,unix_s=timestamp". Undefined when it is not of that form. */
export function parseMap(text: string): ReadonlyMap<string, string> | undefined {
  const map = new Map<string, string>();
  for (const pair of text.split(",")) {
    const [column = "", field = ""] = pair.split("=").map((side) => side.trim());
    if (column === "" || field === "") return undefined;
    map.set(column.toLowerCase(), field);
  }
  return map;
}

/** Decides what each column fills. The map wins over a column's own name, and that over another usual name. */
export function planColumns(header: readonly string[], map: ReadonlyMap<string, string>): Planned {
  const names = header.map((column) => column.trim().toLowerCase());
  for (const [column, field] of map) {
    if (!names.includes(column))
      return no(`there is no column "${column}" to map; the columns are ${header.join(", ")}`);
    if (!isTarget(field)) return no(`"${field}" is not a field; fields are ${FIELDS.join(", ")} and props.<key>`);
  }
  const targets: (string | undefined)[] = names.map((column) => map.get(column));
  const claim = (target: (column: string) => string | undefined) => {
    for (const [index, column] of names.entries()) {
      const wanted = targets[index] === undefined && !map.has(column) ? target(column) : undefined;
      if (wanted !== undefined && !targets.includes(wanted)) targets[index] = wanted;
    }
  };
  claim((column) => (isTarget(column) ? column : undefined));
  claim((column) => ALIASES[column]);
  const filled = targets.filter((target) => target !== undefined);
  const twice = filled.find((target, index) => filled.indexOf(target) !== index);
  if (twice !== undefined) return no(`two columns are mapped to "${twice}"`);
  if (!filled.includes("timestamp")) return no(missing("timestamp", header));
  if (!filled.includes("url") && !filled.includes("name")) return no(missing("url", header));
  return { ok: true, plan: { targets, ignored: header.filter((_, index) => targets[index] === undefined) } };
}

/** The event in one row. `origin` completes an address that starts with "/". */
export function readCsvRow(values: readonly string[], plan: ColumnPlan, origin: string | undefined): Row {
  const texts = new Map<string, string>();
  for (const [index, target] of plan.targets.entries()) {
    const value = values[index]?.trim() ?? "";
    if (target !== undefined && value !== "") texts.set(target, value);
  }
  const timestamp = parseInstant(texts.get("timestamp") ?? "");
  if (timestamp === undefined) {
    return rejectedRow("invalid_timestamp", `not a time (ms, seconds or ISO): "${texts.get("timestamp") ?? ""}"`);
  }
  const url = texts.get("url");
  if (url?.startsWith("/") && origin === undefined) return needsHostname(url);
  const numbers = readNumbers(texts);
  if (numbers === undefined) return rejectedRow("invalid_field", "engagement_ms, scroll and revenue must be numbers");
  const props = readProps(texts);
  if (props === undefined) return rejectedRow("invalid_field", "props must be a JSON object");
  const event: ImportedEvent = { ...readTexts(texts, origin), timestamp, ...numbers, ...props };
  const address = texts.get("address");
  if (address === undefined || event.visitor_id !== undefined) return read(event);
  return read(event, visitorText(new Date(timestamp).toISOString().slice(0, 10), address, event.user_agent ?? ""));
}

const TEXT_FIELDS = ["id", "name", "referrer", "title", "visitor_id", "user_agent", "language", "screen"] as const;

function readTexts(texts: ReadonlyMap<string, string>, origin: string | undefined): Partial<ImportedEvent> {
  const fields: Record<string, string> = {};
  for (const field of TEXT_FIELDS) {
    const value = texts.get(field);
    if (value !== undefined) fields[field] = value;
  }
  const url = texts.get("url");
  if (url !== undefined) fields["url"] = url.startsWith("/") && origin !== undefined ? origin + url : url;
  return fields;
}

function readNumbers(texts: ReadonlyMap<string, string>): Partial<ImportedEvent> | undefined {
  const fields: Record<string, unknown> = {};
  for (const field of ["engagement_ms", "scroll", "revenue"]) {
    const text = texts.get(field);
    if (text === undefined) continue;
    const value = Number(text);
    if (!Number.isFinite(value)) return undefined;
    const currency = texts.get("currency");
    if (field !== "revenue") fields[field] = value;
    else fields[field] = currency === undefined ? { amount: value } : { amount: value, currency };
  }
  return fields;
}

function readProps(texts: ReadonlyMap<string, string>): Partial<ImportedEvent> | undefined {
  const props: Record<string, unknown> = {};
  const whole = texts.get("props");
  if (whole !== undefined) {
    const value = parseObject(whole);
    if (value === undefined) return undefined;
    Object.assign(props, value);
  }
  for (const [target, value] of texts) if (target.startsWith("props.")) props[target.slice("props.".length)] = value;
  return Object.keys(props).length === 0 ? {} : { props };
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isTarget(field: string): boolean {
  return (FIELDS as readonly string[]).includes(field) || /^props\../.test(field);
}

function missing(field: Field, header: readonly string[]): string {
  return `no column is a ${field}; name one with --map <column>=${field}. The columns are ${header.join(", ")}`;
}

function no(why: string): Planned {
  return { ok: false, why };
}
