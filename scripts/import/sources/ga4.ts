// GA4's events as its BigQuery export has them, a JSON object a line
// (`bq extract --destination_format NEWLINE_DELIMITED_JSON`). Times are µs in UTC. Places are names. Of visitors
// without consent there is nothing that tells them apart; their rows are left out, or all of a Day would be one
// visitor. What GA4's names mean is core/formats/ga4.ts, as for live hits.

import { ga4Name, isPaid } from "../../../core/formats/ga4.ts";
import { countryOf } from "../country.ts";
import { parseInstant } from "../instant.ts";
import { type ImportedEvent, type Row, read, rejectedRow, skipped } from "../row.ts";
import { type Fields, filled, known, moneyOf, objectOf, objectsOf, textOf } from "../value.ts";

export function readGa4(object: Fields): readonly Row[] | undefined {
  if (!Array.isArray(object["event_params"]) || textOf(object["event_timestamp"]) === "") return undefined;
  return [readEvent(object)];
}

function readEvent(object: Fields): Row {
  const told = textOf(object["event_name"]);
  const name = ga4Name(told);
  if (name.startsWith("$")) return skipped(`${told} (describes a session)`);
  const visitor = textOf(object["user_pseudo_id"]);
  if (visitor === "") return skipped("without consent: no visitor is named");
  const timestamp = parseInstant(textOf(object["event_timestamp"]));
  if (timestamp === undefined)
    return rejectedRow("invalid_timestamp", `event_timestamp is "${textOf(object["event_timestamp"])}"`);
  const params = paramsOf(object["event_params"] as readonly unknown[]);
  const param = (key: string) => params.get(key) ?? "";
  const geo = objectOf(object["geo"]);
  const device = objectOf(object["device"]);
  const web = objectOf(device["web_info"]);
  const engagement = name === "engagement" ? Number(param("engagement_time_msec") || 0) : 0;
  const texts: Partial<Record<keyof ImportedEvent, string>> = {
    name: name === "pageview" ? "" : name,
    url: param("page_location"),
    referrer: param("page_referrer"),
    title: param("page_title"),
    language: textOf(device["language"]),
    country: countryOf(known(geo["country"])) ?? "",
    region: known(geo["region"]),
    city: known(geo["city"]),
    browser: known(web["browser"]) || known(device["browser"]),
    os: known(device["operating_system"]),
    device: known(device["category"]),
  };
  const event: ImportedEvent = {
    ...filled(texts),
    timestamp,
    visitor_id: visitor,
    ...(engagement > 0 && { engagement_ms: engagement }),
    ...commerceOf(object, told, param),
  };
  if (name === "pageview" && event.url === undefined)
    return rejectedRow("no_page", "a page_view without page_location");
  return read(event);
}

function commerceOf(object: Fields, name: string, param: (key: string) => string): Partial<ImportedEvent> {
  const order = known(objectOf(object["ecommerce"])["transaction_id"]) || param("transaction_id");
  const products = objectsOf(object["items"]).map((item) => {
    const texts = {
      id: "item_id",
      name: "item_name",
      category: "item_category",
      brand: "item_brand",
      variant: "item_variant",
    };
    const named = Object.entries(texts).flatMap(([field, key]) =>
      known(item[key]) === "" ? [] : [[field, known(item[key])]],
    );
    const numbers = ["price", "quantity"].flatMap((key) =>
      textOf(item[key]) === "" ? [] : [[key, Number(textOf(item[key]))]],
    );
    return Object.fromEntries([...named, ...numbers]) as Readonly<Record<string, unknown>>;
  });
  return {
    ...(order !== "" && { order_id: order }),
    ...(products.length > 0 && { products }),
    ...(isPaid(name, order) && moneyOf(param("value"), param("currency"))),
  };
}

/** The first value that a parameter has, as text. */
function paramsOf(list: readonly unknown[]): ReadonlyMap<string, string> {
  const params = new Map<string, string>();
  for (const one of list.map(objectOf)) {
    const value = objectOf(one["value"]);
    const text = ["string_value", "int_value", "float_value", "double_value"]
      .map((kind) => textOf(value[kind]))
      .find((found) => found !== "");
    if (text !== undefined) params.set(textOf(one["key"]), text);
  }
  return params;
}
