// Snowplow's enriched events: values between tabs in an order that never changes, without a header. An event becomes
// the payload that its tracker sent, and is read as a live one (core/formats/snowplow.ts); what the enrichment found
// out (place, browser) is given beside it. A page ping counts ten seconds, since none says how far apart they are.

import { snowplow } from "../../../core/formats/snowplow.ts";
import { countryOf } from "../country.ts";
import { parseInstant } from "../instant.ts";
import { liveRow } from "../live.ts";
import { type Row, rejectedRow } from "../row.ts";
import { regionOf } from "../value.ts";

/** Its columns, in the order of the enriched event. */
const COLUMNS = [
  ...["app_id", "platform", "etl_tstamp", "collector_tstamp", "dvce_created_tstamp", "event", "event_id", "txn_id"],
  ...["name_tracker", "v_tracker", "v_collector", "v_etl", "user_id", "user_ipaddress", "user_fingerprint"],
  ...["domain_userid", "domain_sessionidx", "network_userid", "geo_country", "geo_region", "geo_city", "geo_zipcode"],
  ...["geo_latitude", "geo_longitude", "geo_region_name", "ip_isp", "ip_organization", "ip_domain", "ip_netspeed"],
  ...["page_url", "page_title", "page_referrer", "page_urlscheme", "page_urlhost", "page_urlport", "page_urlpath"],
  ...["page_urlquery", "page_urlfragment", "refr_urlscheme", "refr_urlhost", "refr_urlport", "refr_urlpath"],
  ...["refr_urlquery", "refr_urlfragment", "refr_medium", "refr_source", "refr_term", "mkt_medium", "mkt_source"],
  ...["mkt_term", "mkt_content", "mkt_campaign", "contexts", "se_category", "se_action", "se_label", "se_property"],
  ...["se_value", "unstruct_event", "tr_orderid", "tr_affiliation", "tr_total", "tr_tax", "tr_shipping", "tr_city"],
  ...["tr_state", "tr_country", "ti_orderid", "ti_sku", "ti_name", "ti_category", "ti_price", "ti_quantity"],
  ...["pp_xoffset_min", "pp_xoffset_max", "pp_yoffset_min", "pp_yoffset_max", "useragent", "br_name", "br_family"],
  ...["br_version", "br_type", "br_renderengine", "br_lang", "br_features_pdf", "br_features_flash"],
  ...["br_features_java", "br_features_director", "br_features_quicktime", "br_features_realplayer"],
  ...["br_features_windowsmedia", "br_features_gears", "br_features_silverlight", "br_cookies", "br_colordepth"],
  ...["br_viewwidth", "br_viewheight", "os_name", "os_family", "os_manufacturer", "os_timezone", "dvce_type"],
  ...["dvce_ismobile", "dvce_screenwidth", "dvce_screenheight", "doc_charset", "doc_width", "doc_height"],
  ...["tr_currency", "tr_total_base", "tr_tax_base", "tr_shipping_base", "ti_currency", "ti_price_base"],
  ...["base_currency", "geo_timezone", "mkt_clickid", "mkt_network", "etl_tags", "dvce_sent_tstamp"],
  ...["refr_domain_userid", "refr_device_tstamp", "derived_contexts", "domain_sessionid", "derived_tstamp"],
  ...["event_vendor", "event_name", "event_format", "event_version", "event_fingerprint", "true_tstamp"],
];

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TIME = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/;

/** Whether values are those of an enriched event: the place of its id and its time shows it. */
export function isSnowplow(values: readonly string[]): boolean {
  const at = (name: string) => values[COLUMNS.indexOf(name)] ?? "";
  return values.length >= 100 && UUID.test(at("event_id")) && TIME.test(at("collector_tstamp"));
}

const KINDS: Readonly<Record<string, string>> = {
  page_view: "pv",
  page_ping: "pp",
  struct: "se",
  unstruct: "ue",
  transaction: "tr",
  transaction_item: "ti",
};

export function readSnowplow(values: readonly string[]): Row {
  if (!isSnowplow(values)) {
    const why = "no enriched event of Snowplow: the fourth value is its time, the seventh its id, of 131 between tabs";
    return rejectedRow("wrong_columns", why);
  }
  const fields = new Map(COLUMNS.map((name, index) => [name, values[index] ?? ""]));
  const cell = (name: string) => fields.get(name) ?? "";
  const time =
    [cell("true_tstamp"), cell("derived_tstamp"), cell("collector_tstamp")].find((text) => text !== "") ?? "";
  const timestamp = parseInstant(time);
  if (timestamp === undefined)
    return rejectedRow("invalid_timestamp", `the time of an event is "${time.slice(0, 40)}"`);
  const country = countryOf(cell("geo_country")) ?? "";
  const payload = Object.entries(payloadOf(cell, timestamp)).filter(([, text]) => text !== "");
  return liveRow(
    snowplow,
    { data: [Object.fromEntries(payload)] },
    {
      country,
      region: regionOf(country, cell("geo_region")),
      city: cell("geo_city"),
      browser: cell("br_family"),
      os: cell("os_family") || cell("os_name"),
      device: cell("dvce_type"),
    },
  );
}

/** By the names of the tracker protocol. */
function payloadOf(cell: (name: string) => string, timestamp: number): Readonly<Record<string, string>> {
  const size = (width: string, height: string) =>
    cell(width) === "" || cell(height) === "" ? "" : `${cell(width)}x${cell(height)}`;
  return {
    e: KINDS[cell("event")] ?? cell("event"),
    eid: cell("event_id"),
    ttm: String(timestamp),
    duid: cell("domain_userid"),
    uid: cell("user_id"),
    nuid: cell("network_userid"),
    ip: cell("user_ipaddress"),
    url: cell("page_url"),
    page: cell("page_title"),
    refr: cell("page_referrer"),
    lang: cell("br_lang"),
    ua: cell("useragent"),
    res: size("dvce_screenwidth", "dvce_screenheight"),
    vp: size("br_viewwidth", "br_viewheight"),
    ds: size("doc_width", "doc_height"),
    pp_may: cell("pp_yoffset_max"),
    se_ca: cell("se_category"),
    se_ac: cell("se_action"),
    se_la: cell("se_label"),
    se_pr: cell("se_property"),
    se_va: cell("se_value"),
    ue_pr: cell("unstruct_event"),
    co: cell("contexts"),
    tr_id: cell("tr_orderid"),
    tr_tt: cell("tr_total"),
    tr_cu: cell("tr_currency"),
    ti_id: cell("ti_orderid"),
    ti_sk: cell("ti_sku"),
    ti_nm: cell("ti_name"),
    ti_ca: cell("ti_category"),
    ti_pr: cell("ti_price"),
    ti_qu: cell("ti_quantity"),
    ti_cu: cell("ti_currency"),
  };
}
