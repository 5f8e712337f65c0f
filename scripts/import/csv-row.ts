// A CSV file's columns mapped onto the fields of an event, by name: once for the header (`planColumns`), then for each
// row (`readCsvRow`). Names are compared without case; usual other names are known; `--map column=field` overrides
// both. A column that means nothing is left out and named, so that a mistyped one is noticed.

import { PRODUCT_NUMBERS, PRODUCT_TEXTS } from "../../core/formats/product.ts";
import { countryOf } from "./country.ts";
import { parseInstant } from "./instant.ts";
import { visitorText } from "./request.ts";
import { type ImportedEvent, needsHostname, type Row, read, rejectedRow, skipped } from "./row.ts";

/**
 * Fields a column can fill. "props.<key>" fills one property, "product.<key>" what is known of the one product in a
 * row; rows of one order that follow one another are then one order (order-row.ts). "products" is a whole list as JSON.
 * "address" is hashed into the visitor and never sent.
 */
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
  "order_id",
  "products",
  "country",
  "region",
  "city",
  "browser",
  "os",
  "device",
  "hostname",
  "path",
  "query",
  "utm_source",
  "utm_medium",
  "utm_campaign",
  "utm_content",
  "utm_term",
] as const;
type Field = (typeof FIELDS)[number];

export const PRODUCT_FIELDS = [...PRODUCT_TEXTS, ...PRODUCT_NUMBERS].map((key) => `product.${key}` as const);
type ProductField = (typeof PRODUCT_FIELDS)[number];

const ALIASES: Readonly<Record<string, Field | ProductField>> = {
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
  order_number: "order_id",
  order_no: "order_id",
  transaction_id: "order_id",
  total: "revenue",
  items: "products",
  line_items: "products",
  country_code: "country",
  location_country: "country",
  region_name: "region",
  subdivision1: "region",
  city_name: "city",
  browser_name: "browser",
  operating_system: "os",
  os_name: "os",
  system: "os",
  device_type: "device",
  device_category: "device",
  host: "hostname",
  domain: "hostname",
  url_path: "path",
  page_path: "path",
  pathname: "path",
  url_query: "query",
  query_string: "query",
  product_id: "product.id",
  product_name: "product.name",
  product_category: "product.category",
  product_brand: "product.brand",
  product_variant: "product.variant",
  product_price: "product.price",
  product_quantity: "product.quantity",
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

const FIELD_NAMES = `${[...FIELDS, ...PRODUCT_FIELDS].join(", ")} and props.<key>`;

/** Decides what each column fills. The map wins over a column's own name, and that over another usual name. */
export function planColumns(header: readonly string[], map: ReadonlyMap<string, string>): Planned {
  const names = header.map((column) => column.trim().toLowerCase());
  for (const [column, field] of map) {
    if (!names.includes(column))
      return no(`there is no column "${column}" to map; the columns are ${header.join(", ")}`);
    if (!isTarget(field)) return no(`"${field}" is not a field; fields are ${FIELD_NAMES}`);
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
  if (OWN_EXPORT.every((column) => names.includes(column))) return no(NO_OWN_EXPORT);
  if (header.length === 1) return no(`this looks like no table: its first line has no columns (${header[0]})`);
  if (!filled.includes("timestamp")) return no(missing("timestamp", header));
  if (!["url", "path", "name", "order_id"].some((field) => filled.includes(field))) return no(missing("url", header));
  const one = filled.find((target) => target.startsWith("product."));
  if (one !== undefined && filled.includes("products")) {
    return no(`columns fill both products and ${one}; map products either as one JSON column or column by column`);
  }
  return { ok: true, plan: { targets, ignored: header.filter((_, index) => targets[index] === undefined) } };
}

/** Columns that stand together nowhere else: its revenue counts in ten-thousandths, its visitors are hashes already. */
const OWN_EXPORT = ["event_id", "received_at", "visitor", "revenue", "dropped"];
const NO_OWN_EXPORT =
  "this looks like an export of Footfall; convert it to a CSV that has timestamp, name, url, visitor_id and revenue / 10000, " +
  "without the rows that are dropped";

/** The event in one row. `origin` completes an address that starts with "/". */
export function readCsvRow(values: readonly string[], plan: ColumnPlan, origin: string | undefined): Row {
  if (values.every((value) => value.trim() === "")) return skipped("empty line");
  const { length } = plan.targets;
  const surplus = values.slice(length).some((value) => value.trim() !== "");
  if (values.length < length || surplus) {
    return rejectedRow("wrong_columns", `${values.length} values, where the first line names ${length} columns`);
  }
  const texts = new Map<string, string>();
  for (const [index, target] of plan.targets.entries()) {
    const value = values[index]?.trim() ?? "";
    if (target !== undefined && value !== "") texts.set(target, value);
  }
  const timestamp = parseInstant(texts.get("timestamp") ?? "");
  if (timestamp === undefined) {
    return rejectedRow(
      "invalid_timestamp",
      `not a time (seconds, ms, µs, ns or ISO): "${texts.get("timestamp") ?? ""}"`,
    );
  }
  const address = readAddress(texts, origin);
  if (!address.ok) return address.row;
  if (address.url === undefined && !texts.has("name") && !texts.has("order_id")) {
    const why = "neither an address nor a name: a page view has a url (or hostname and path), anything else a name";
    return rejectedRow("no_page", why);
  }
  const fields: Partial<ImportedEvent> = address.url === undefined ? {} : { url: address.url };
  // A campaign is told by an address; where there is none, it is at least not lost.
  for (const name of address.url === undefined ? CAMPAIGN : [])
    if (texts.has(name)) texts.set(`props.${name}`, texts.get(name) as string);
  for (const readFields of [readNumbers, readProps, readProducts, readCountry]) {
    const part = readFields(texts);
    if (typeof part === "string") return rejectedRow("invalid_field", part);
    Object.assign(fields, part);
  }
  const event: ImportedEvent = { ...readTexts(texts), timestamp, ...fields };
  const client = texts.get("address");
  if (client === undefined || event.visitor_id !== undefined) return read(event);
  return read(event, visitorText(new Date(timestamp).toISOString().slice(0, 10), client, event.user_agent ?? ""));
}

/** The address of the page; or the row that says what is wrong with it. */
type Address = { readonly ok: true; readonly url: string | undefined } | { readonly ok: false; readonly row: Row };

const CAMPAIGN = ["utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"] as const;

/**
 * A whole address, or one put together from host, path and query; what it lacks of its campaign is added to its query.
 */
function readAddress(texts: ReadonlyMap<string, string>, origin: string | undefined): Address {
  const whole = texts.get("url") ?? pathOf(texts);
  const campaign = CAMPAIGN.flatMap((name) => {
    const value = texts.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  if (whole === undefined) return { ok: true, url: undefined };
  const host = texts.get("hostname");
  const own = host === undefined ? undefined : host.includes("://") ? host : `https://${host}`;
  const base = texts.has("url") ? (origin ?? own) : (own ?? origin);
  if (whole.startsWith("/") && base === undefined) return { ok: false, row: needsHostname(whole) };
  // Joined as text: resolved as a reference, "//evil.example/" would name another host.
  const url = whole.startsWith("/") ? base + whole : whole;
  if (campaign.length === 0) return { ok: true, url };
  const parsed = URL.parse(url);
  if (parsed === null) return { ok: false, row: rejectedRow("invalid_field", `not an address: ${url}`) };
  for (const [name, value] of campaign) if (!parsed.searchParams.has(name)) parsed.searchParams.set(name, value);
  return { ok: true, url: parsed.href };
}

function pathOf(texts: ReadonlyMap<string, string>): string | undefined {
  const path = texts.get("path");
  if (path === undefined) return undefined;
  const query = texts.get("query")?.replace(/^\?/, "") ?? "";
  const rooted = path.startsWith("/") ? path : `/${path}`;
  return query === "" || rooted.includes("?") ? rooted : `${rooted}?${query}`;
}

function readCountry(texts: ReadonlyMap<string, string>): ReadFields {
  const text = texts.get("country");
  if (text === undefined) return {};
  const country = countryOf(text);
  if (country === undefined) return `country must be two letters of ISO 3166-1 or an English name, not "${text}"`;
  return country === "" ? {} : { country };
}

const TEXT_FIELDS = [
  "id",
  "name",
  "referrer",
  "title",
  "visitor_id",
  "user_agent",
  "language",
  "screen",
  "order_id",
  "region",
  "city",
  "browser",
  "os",
  "device",
] as const;

/** What other products write where they do not know. */
const NOT_KNOWN = /^\(not (set|provided)\)$|^\(none\)$/i;

function readTexts(texts: ReadonlyMap<string, string>): Partial<ImportedEvent> {
  const fields: Record<string, string> = {};
  for (const field of TEXT_FIELDS) {
    const value = texts.get(field);
    if (value !== undefined && !NOT_KNOWN.test(value)) fields[field] = value;
  }
  return fields;
}

/** Fields, or what is wrong with them. */
type ReadFields = Partial<ImportedEvent> | string;

function readNumbers(texts: ReadonlyMap<string, string>): ReadFields {
  const fields: Record<string, unknown> = {};
  for (const field of ["engagement_ms", "scroll", "revenue"]) {
    const text = texts.get(field);
    if (text === undefined) continue;
    const value = Number(text);
    if (!Number.isFinite(value)) return noNumber(field, text);
    const currency = texts.get("currency");
    if (field !== "revenue") fields[field] = value;
    else fields[field] = currency === undefined ? { amount: value } : { amount: value, currency };
  }
  return fields;
}

function readProps(texts: ReadonlyMap<string, string>): ReadFields {
  const props: Record<string, unknown> = {};
  const whole = texts.get("props");
  if (whole !== undefined) {
    const value = parseJson(whole);
    if (!isObject(value)) return `props must be a JSON object, not ${whole}`;
    Object.assign(props, value);
  }
  for (const [target, value] of texts) if (target.startsWith("props.")) props[target.slice("props.".length)] = value;
  return Object.keys(props).length === 0 ? {} : { props };
}

function readProducts(texts: ReadonlyMap<string, string>): ReadFields {
  const whole = texts.get("products");
  if (whole !== undefined) {
    const value = parseJson(whole);
    const list = isObject(value) ? [value] : value;
    if (Array.isArray(list) && list.every(isObject)) return { products: list };
    return `products must be a JSON list such as [{"id":"A1","name":"Mat","price":12.5,"quantity":2}], not ${whole}`;
  }
  const product: Record<string, unknown> = {};
  for (const key of PRODUCT_TEXTS) {
    const text = texts.get(`product.${key}`);
    if (text !== undefined) product[key] = text;
  }
  for (const key of PRODUCT_NUMBERS) {
    const text = texts.get(`product.${key}`);
    if (text === undefined) continue;
    if (!Number.isFinite(Number(text))) return noNumber(`product.${key}`, text);
    product[key] = Number(text);
  }
  return Object.keys(product).length === 0 ? {} : { products: [product] };
}

function noNumber(field: string, text: string): string {
  return `${field} must be a number such as 1234.50, not "${text}"`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTarget(field: string): boolean {
  return ([...FIELDS, ...PRODUCT_FIELDS] as readonly string[]).includes(field) || /^props\../.test(field);
}

function missing(field: Field, header: readonly string[]): string {
  return `no column is a ${field}; name one with --map <column>=${field}. The columns are ${header.join(", ")}`;
}

function no(why: string): Planned {
  return { ok: false, why };
}
