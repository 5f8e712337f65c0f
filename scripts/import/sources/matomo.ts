// Matomo, in two forms. Its log tables, by the one statement of docs/import.md: a row for each action, and one for each
// product of an order. And visits as its API gives them (`Live.getLastVisitsDetails`), a visit a line with its actions.
// Both give an action the same id, so importing both counts once. Matomo keeps no agents, only what it made of them;
// in its tables these are codes (matomo-code.ts). Who referred a visit, and by which campaign, belongs to its first
// action: Matomo takes campaigns out of the addresses that it keeps.

import { isAddress } from "../../../core/enrichment/address.ts";
import { withCampaign } from "../../../core/formats/loose.ts";
import { countryOf } from "../country.ts";
import { parseInstant } from "../instant.ts";
import { type ImportedEvent, type Row, read, rejectedRow, skipped } from "../row.ts";
import type { TableReader } from "../source.ts";
import { type Fields, filled, moneyOf, numberOf, objectsOf, regionOf, textOf } from "../value.ts";
import { BROWSERS, DEVICES, SYSTEMS } from "./matomo-code.ts";

/** An action of a visit, whichever form it came in. Texts are "" where nothing is known. */
interface Action {
  readonly kind: "page" | "event" | "download" | "outlink" | "search" | "order" | "other";
  /** What it is called, where it is "other". */
  readonly called: string;
  readonly id: string;
  readonly time: string;
  readonly url: string;
  readonly title: string;
  /** Category, action and name of an event; the words of a search are its name. */
  readonly category: string;
  readonly action: string;
  readonly name: string;
  readonly value: string;
  readonly order: string;
  readonly revenue: unknown;
  readonly products: readonly Fields[];
}

/** What all actions of a visit share. */
interface Visit {
  readonly visitor: string;
  readonly referrer: string;
  readonly campaign: Readonly<Record<string, string>>;
  readonly currency: string;
  readonly facts: Partial<ImportedEvent>;
}

const NEEDED = ["idsite", "idvisit", "idvisitor", "server_time", "idlink_va", "type"] as const;
const JOINED = [
  "url",
  "url_prefix",
  "title",
  "idorder",
  "revenue",
  "currency",
  "location_country",
  "config_os",
] as const;

export function isMatomo(columns: readonly string[]): boolean {
  return ["idvisit", "idvisitor", "server_time"].every((name) => columns.includes(name));
}

/** A reader of the statement's rows, which stand visit by visit. */
export function matomoReader(columns: readonly string[]): TableReader | string {
  const lacking = [...NEEDED, ...JOINED].filter((name) => !columns.includes(name));
  if (lacking.length > 0)
    return `this is a table of Matomo alone (it lacks ${lacking.join(", ")}); addresses, visits and orders are in tables of their own: export what the statement under "Matomo" of docs/import.md gives`;
  let last = "";
  return (column) => {
    const cell = (name: string) => (/^(?:NULL|\\N)$/.test(column(name)) ? "" : column(name));
    const row = toRow(actionOfCells(cell), visitOfCells(cell), cell("idvisit") !== last);
    if (row.kind === "event") last = cell("idvisit");
    return [row];
  };
}

const PREFIXES: Readonly<Record<string, string>> = {
  "0": "http://",
  "1": "http://www.",
  "2": "https://",
  "3": "https://www.",
};
/** Types of `log_action`. */
const KINDS: Readonly<Record<string, Action["kind"]>> = {
  "1": "page",
  "2": "outlink",
  "3": "download",
  "4": "page",
  "8": "search",
  order: "order",
};

function actionOfCells(cell: (column: string) => string): Action {
  const type = cell("type");
  const order = cell("idorder");
  return {
    kind: cell("event_action") === "" ? (KINDS[type] ?? "other") : "event",
    called: `action of type ${type.slice(0, 20)}`,
    id: type === "order" ? `order-${order}` : actionId(cell("idsite"), cell("idlink_va")),
    time: cell("server_time"),
    url: `${PREFIXES[cell("url_prefix")] ?? ""}${cell("url")}`,
    title: cell("title"),
    category: cell("event_category"),
    action: cell("event_action"),
    name: cell("title"),
    value: cell("custom_float"),
    order,
    revenue: cell("revenue"),
    products:
      cell("sku") === "" && cell("item") === ""
        ? []
        : [
            productOf(cell("sku"), cell("item"), cell("category"), {
              price: cell("price"),
              quantity: cell("quantity"),
            }),
          ],
  };
}

function visitOfCells(cell: (column: string) => string): Visit {
  const country = countryOf(cell("location_country")) ?? "";
  return {
    visitor: cell("idvisitor").toLowerCase() || cell("user_id"),
    referrer: cell("referer_url"),
    // 6 is a campaign; of other kinds the name is a search engine's or a site's.
    campaign:
      cell("referer_type") === "6" ? { utm_campaign: cell("referer_name"), utm_term: cell("referer_keyword") } : {},
    currency: cell("currency"),
    facts: filled({
      country,
      region: regionOf(country, cell("location_region")),
      city: cell("location_city"),
      language: cell("location_browser_lang"),
      screen: screenOf(cell("config_resolution")),
      browser: BROWSERS[cell("config_browser_name")] ?? "",
      os: SYSTEMS[cell("config_os")] ?? "",
      device: DEVICES[cell("config_device_type")] ?? "",
    }),
  };
}

/** The actions of a visit of the API; undefined where an object is none. */
export function readMatomoVisit(object: Fields): readonly Row[] | undefined {
  if (!Array.isArray(object["actionDetails"]) || textOf(object["idVisit"]) === "") return undefined;
  const visit = visitOfObject(object);
  let isFirst = true;
  return objectsOf(object["actionDetails"]).map((told, index) => {
    const row = toRow(actionOfObject(told, object, index), visit, isFirst);
    if (row.kind === "event") isFirst = false;
    return row;
  });
}

const TOLD_KINDS: Readonly<Record<string, Action["kind"]>> = {
  action: "page",
  event: "event",
  download: "download",
  outlink: "outlink",
  search: "search",
  ecommerceOrder: "order",
};

function actionOfObject(told: Fields, visit: Fields, index: number): Action {
  const type = textOf(told["type"]);
  const order = textOf(told["orderId"]);
  const site = textOf(visit["idSite"]);
  // Matomo 2 tells no number of an action.
  const own = textOf(told["pageId"]) || `${textOf(visit["idVisit"])}.${index}`;
  return {
    kind: TOLD_KINDS[type] ?? "other",
    called: type === "goal" ? "goal" : `action "${type.slice(0, 40)}"`,
    id: type === "ecommerceOrder" ? `order-${order}` : actionId(site, own),
    time: textOf(told["timestamp"]),
    url: textOf(told["url"]),
    title: textOf(told["pageTitle"]),
    category: textOf(told["eventCategory"]),
    action: textOf(told["eventAction"]),
    name: textOf(told["eventName"]) || textOf(told["siteSearchKeyword"]),
    value: textOf(told["eventValue"]),
    order,
    revenue: told["revenue"],
    products: objectsOf(told["itemDetails"]).map(({ itemSKU, itemName, itemCategory, price, quantity }) =>
      productOf(textOf(itemSKU), textOf(itemName), textOf(itemCategory), { price, quantity }),
    ),
  };
}

function visitOfObject(object: Fields): Visit {
  const text = (name: string) => textOf(object[name]);
  const country = countryOf(text("countryCode")) ?? "";
  const isCampaign = text("referrerType") === "campaign";
  return {
    visitor: text("visitorId") || text("userId"),
    referrer: text("referrerUrl"),
    campaign: {
      utm_campaign: text("campaignName") || (isCampaign ? text("referrerName") : ""),
      utm_term: text("campaignKeyword") || (isCampaign ? text("referrerKeyword") : ""),
      utm_source: text("campaignSource"),
      utm_medium: text("campaignMedium"),
      utm_content: text("campaignContent"),
    },
    currency: text("siteCurrency"),
    facts: filled({
      country,
      region: regionOf(country, text("regionCode")),
      city: text("city"),
      language: text("languageCode"),
      screen: screenOf(text("resolution")),
      browser: text("browserName"),
      os: text("operatingSystemName") === "Mac" ? "Mac OS" : text("operatingSystemName"),
      device: text("deviceType"),
    }),
  };
}

function toRow(action: Action, visit: Visit, isFirst: boolean): Row {
  const { kind, called, id, time } = action;
  if (kind === "other") return skipped(called);
  const timestamp = parseInstant(time);
  if (timestamp === undefined) return rejectedRow("invalid_timestamp", `the time of an action is "${time}"`);
  if (visit.visitor === "") return skipped("names no visitor");
  const own = unescaped(action.url);
  const page = isAddress(own) && ["page", "event", "order"].includes(kind) ? own : "";
  if (kind === "page" && page === "") return rejectedRow("no_page", `a page view of "${own}"`);
  if (kind === "order" && action.order === "") return rejectedRow("no_order", "an order without a number");
  const url = isFirst && page !== "" ? withCampaign(page, visit.campaign) : page;
  const texts = filled({
    id,
    visitor_id: visit.visitor,
    url,
    referrer: isFirst && isAddress(visit.referrer) ? visit.referrer : "",
  });
  return read({ ...visit.facts, ...texts, ...factsOf(action, own, visit.currency), timestamp });
}

/** What an action says beside where and who. Downloads and links out have the names that the tracker gives them. */
function factsOf(action: Action, url: string, currency: string): Partial<ImportedEvent> {
  const { kind, category, name, value, products } = action;
  const title = unescaped(action.title);
  switch (kind) {
    case "page":
      return filled({ title });
    case "download":
      return { name: "download", props: { url } };
    case "outlink":
      return { name: "outbound", props: { url } };
    case "search":
      return { name: "search", ...propsOf({ keyword: unescaped(name) }) };
    case "order":
      return {
        name: "purchase",
        order_id: action.order,
        ...moneyOf(action.revenue, currency),
        ...(products.length > 0 && { products }),
      };
    default:
      return {
        name: unescaped(action.action) || "event",
        ...propsOf({ category: unescaped(category), name: unescaped(name), value }),
      };
  }
}

function propsOf(props: Readonly<Record<string, string>>): Pick<ImportedEvent, "props"> {
  const said = Object.entries(props).filter(([, text]) => text !== "");
  return said.length === 0 ? {} : { props: Object.fromEntries(said) };
}

function productOf(
  id: string,
  name: string,
  category: string,
  numbers: { readonly price: unknown; readonly quantity: unknown },
): Fields {
  const texts = { id: unescaped(id), name: unescaped(name), category: unescaped(category) };
  const [price, quantity] = [numberOf(numbers.price), numberOf(numbers.quantity)];
  return {
    ...Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== "")),
    ...(price !== undefined && { price }),
    ...(quantity !== undefined && { quantity }),
  };
}

function actionId(site: string, number: string): string {
  return `matomo-${site}-${number}`;
}

function screenOf(resolution: string): string {
  return /^\d{1,5}x\d{1,5}$/.test(resolution) ? resolution : "";
}

const SIGNS: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#039": "'", "#39": "'" };

/** Matomo keeps texts from outside as they would stand in HTML. */
function unescaped(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#0?39);/g, (_, sign: string) => SIGNS[sign] ?? "");
}
