// CSV columns mapped onto the fields of an event, and the values they hold.

import { expect, test } from "vitest";
import { parseMap, planColumns, readCsvRow } from "../../scripts/import/csv-row.ts";
import { parseInstant } from "../../scripts/import/instant.ts";

const NO_MAP = new Map<string, string>();

const PLANS: readonly (readonly [string, string, string, readonly (string | undefined)[]])[] = [
  ["the sessions file as it is", "visitor,unix_s,url", "", ["visitor_id", "timestamp", "url"]],
  ["any case and blanks", " Visitor , Unix_S,URL", "", ["visitor_id", "timestamp", "url"]],
  ["a map", "who,at,where", "who=visitor_id,at=timestamp,where=url", ["visitor_id", "timestamp", "url"]],
  ["a map over a name", "url,page,time", "page=url,url=title", ["title", "url", "timestamp"]],
  ["a name over an alias", "time,timestamp,url", "", [undefined, "timestamp", "url"]],
  ["the first of two aliases", "date,time,url", "", ["timestamp", undefined, "url"]],
  ["properties", "ts,url,props.plan", "", ["timestamp", "url", "props.plan"]],
  ["a map to a property", "ts,url,Plan", "plan=props.plan", ["timestamp", "url", "props.plan"]],
  ["events without a url", "ts,event,amount,currency", "", ["timestamp", "name", "revenue", "currency"]],
  [
    "an order's columns",
    "ts,Order_Number,Total,product_id,product.price",
    "",
    ["timestamp", "order_id", "revenue", "product.id", "product.price"],
  ],
  ["an order's products", "ts,items,no", "no=order_id", ["timestamp", "products", "order_id"]],
  ["an unknown column left out", "ts,url,colour", "", ["timestamp", "url", undefined]],
];

test.each(PLANS)("[IMP-5] maps %s", (_, header, map, targets) => {
  const planned = planColumns(header.split(","), map === "" ? NO_MAP : (parseMap(map) ?? NO_MAP));
  expect(planned).toMatchObject({ ok: true, plan: { targets } });
});

const REFUSED: readonly (readonly [string, string, string, RegExp])[] = [
  ["no time", "url,visitor", "", /no column is a timestamp; name one with --map/],
  ["neither url nor name", "time,visitor", "", /no column is a url/],
  ["products told in two ways", "time,order_id,products,product.id", "", /both products and product\.id/],
  ["one column", "what is this", "", /looks like no table/],
  [
    "Footfall's own export",
    "date,event_id,name,timestamp,received_at,visitor,url,revenue,dropped",
    "",
    /an export of Footfall; convert it .* revenue \/ 10000/,
  ],
  ["a mapped column that is not there", "time,url", "wer=visitor_id", /no column "wer".*time, url/],
  ["a field that is none", "time,url,x", "x=colour", /"colour" is not a field/],
  ["two columns for one field", "time,a,b", "a=url,b=url", /two columns are mapped to "url"/],
];

test.each(REFUSED)("[IMP-6] refuses a file with %s", (_, header, map, why) => {
  const planned = planColumns(header.split(","), map === "" ? NO_MAP : (parseMap(map) ?? NO_MAP));
  expect(planned.ok ? "" : planned.why).toMatch(why);
});

test.each(["", "a", "a=", "=b", "a=b,", "a=b,c"])("[IMP-5] does not read the map %j", (text) => {
  expect(parseMap(text)).toBeUndefined();
});

test.each([
  ["1389052815", 1389052815000],
  ["1389052815.25", 1389052815250],
  ["946684800", 946684800000],
  ["1389052815123", 1389052815123],
  ["1389052815123456", 1389052815123],
  ["946684800123456", 946684800123],
  ["1389052815123999999", 1389052815123],
  ["2014-01-07T00:00:15Z", 1389052815000],
  ["2014-01-07T00:00:15.5Z", 1389052815500],
  ["2014-01-07 00:00:15", 1389052815000],
  ["2014-01-07 00:00:15 UTC", 1389052815000],
  ["2014-01-07T05:30:15+05:30", 1389052815000],
  ["2014-01-06T19:00:15-0500", 1389052815000],
  ["2014-01-07 02:00:15+02", 1389052815000],
  ["2014-01-07", 1389052800000],
])("[IMP-7] reads the time %s", (text, instant) => {
  expect(parseInstant(text)).toBe(instant);
});

test.each([
  "",
  "now",
  "7",
  "01/02/2014",
  "2014-13-01",
  "2014-01-07T25:00",
  "13890528151234",
  "13890528151234567",
  "-1389052815",
  "2026-02-30",
  "2026-02-30T10:00:00Z",
  "2025-02-29 10:00",
  "2026-04-31T00:00:00+02:00",
  "2026-01-00",
])("[IMP-7] does not read the time %j", (text) => {
  expect(parseInstant(text)).toBeUndefined();
});

test("[IMP-22] a campaign of an event without an address is a property of it", () => {
  const read = row("timestamp,name,utm_source", ["1389052815", "purchase", "news"]);
  expect(read).toMatchObject({ kind: "event", event: { name: "purchase", props: { utm_source: "news" } } });
});

const NO_ROW = { kind: "rejected", code: "no_page" };

test.each([
  ["host, path and query", "hostname,path,query", "shop.example,/a,x=1", "https://shop.example/a?x=1"],
  ["a path of the file's host", "host,url_path", "shop.example,a", "https://shop.example/a"],
  ["a path of --hostname", "path,query", "/a,?x=1", "https://given.example/a?x=1"],
  [
    "a campaign",
    "url,utm_source,utm_term",
    "https://a.example/?q=1,news,red shoes",
    "https://a.example/?q=1&utm_source=news&utm_term=red+shoes",
  ],
  [
    "a campaign that the address names",
    "url,utm_source",
    "https://a.example/?utm_source=own,news",
    "https://a.example/?utm_source=own",
  ],
])("[IMP-22] puts an address together of %s", (_, columns, values, url) => {
  const read = row(`timestamp,${columns}`, ["1389052815", ...values.split(",")], "https://given.example");
  expect(read).toMatchObject({ kind: "event", event: { url } });
});

test.each([
  ["AT", "AT"],
  ["at", "AT"],
  ["Austria", "AT"],
  ["United States", "US"],
  ["Türkiye", "TR"],
  ["UK", "GB"],
  ["(not set)", undefined],
  ["Unknown", undefined],
])("[IMP-22] reads the country %s", (text, country) => {
  const read = row("timestamp,url,country,city", ["1389052815", "https://a.example/", text, "(not set)"]);
  expect(read).toMatchObject({ kind: "event" });
  expect(read.kind === "event" && [read.event.country, read.event.city]).toEqual([country, undefined]);
});

test("[IMP-22] a country that is none rejects the row", () => {
  expect(row("timestamp,url,country", ["1389052815", "https://a.example/", "Atlantis"])).toMatchObject({
    kind: "rejected",
    message: expect.stringMatching(/two letters .* not "Atlantis"/),
  });
});

test("[IMP-23] a row without address, name and order is no page view: Umami's column of event names is no address", () => {
  expect(row("created_at,event_name,session_id", ["2026-01-01 10:00:00", "", "s1"])).toMatchObject(NO_ROW);
  expect(row("created_at,event_name", ["2026-01-01 10:00:00", "signup"])).toMatchObject({ kind: "event" });
  expect(row("timestamp,order_id", ["1389052815", "A1"])).toMatchObject({ kind: "event" });
});

const row = (header: string, values: readonly string[], origin?: string) => {
  const planned = planColumns(header.split(","), NO_MAP);
  if (!planned.ok) throw new Error(planned.why);
  return readCsvRow(values, planned.plan, origin);
};

test("[IMP-5] fills an event from every kind of column", () => {
  const header = "id,ts,name,url,amount,currency,props.sku,props,scroll,screen";
  const values = ["e1", "1389052815", "purchase", "/thanks", "12.50", "EUR", "A1", '{"n":2}', "80", ""];
  expect(row(header, values, "https://shop.example")).toEqual({
    kind: "event",
    event: {
      id: "e1",
      name: "purchase",
      url: "https://shop.example/thanks",
      timestamp: 1389052815000,
      revenue: { amount: 12.5, currency: "EUR" },
      props: { n: 2, sku: "A1" },
      scroll: 80,
    },
  });
});

test("[IMP-4] turns an address column into a visitor and never sends it", () => {
  const read = row("ts,url,ip,ua", ["1389052815", "https://a.example/", "1.2.3.4", "Firefox"]);
  expect(read).toMatchObject({ kind: "event", visitor: "2014-01-07|1.2.3.4|Firefox" });
  expect(read.kind === "event" && JSON.stringify(read.event)).not.toContain("1.2.3.4");
});

test.each([
  ["a time that is none", "ts,url", ["soon", "/"], "invalid_timestamp"],
  ["a date that there is not", "ts,url", ["2026-02-30", "https://a.example/"], "invalid_timestamp"],
  ["too few values", "url,ts", ["/"], "wrong_columns"],
  ["too many", "ts,url", ["1389052815", "https://a.example/", "x"], "wrong_columns"],
  ["products that are no list", "ts,order_id,products", ["1389052815", "1", "Mat"], "invalid_field"],
  ["products that are no objects", "ts,order_id,products", ["1389052815", "1", '["Mat"]'], "invalid_field"],
  ["a price that is none", "ts,order_id,product.price", ["1389052815", "1", "12,50"], "invalid_field"],
  ["a path and no host", "ts,url", ["1389052815", "/"], "needs_hostname"],
  ["a number that is none", "ts,name,amount", ["1389052815", "sale", "12,50 €"], "invalid_field"],
  ["props that are no object", "ts,name,props", ["1389052815", "sale", "[1]"], "invalid_field"],
])("[IMP-3] rejects a row with %s", (_, header, values, code) => {
  expect(row(header, values)).toMatchObject({ kind: "rejected", code });
});

test("[IMP-16] products come from a JSON column or from columns of their own, as numbers", () => {
  const json = row("ts,order_id,products", [
    "1389052815",
    "17",
    '[{"id":"A1","price":12.5,"quantity":2},{"name":"Mug"}]',
  ]);
  expect(json).toMatchObject({
    event: { order_id: "17", products: [{ id: "A1", price: 12.5, quantity: 2 }, { name: "Mug" }] },
  });
  const columns = "ts,order_id,revenue,product.id,product.name,product.category,product.price,product.quantity";
  const own = row(columns, ["1389052815", "17", "25", "A1", "Mat", "", "12.50", "2"]);
  expect(own).toMatchObject({ event: { products: [{ id: "A1", name: "Mat", price: 12.5, quantity: 2 }] } });
});

test.each([
  [["", "  ", ""], "a row of blanks, as spreadsheets leave them"],
  [[""], "a line of blanks"],
])("[IMP-15] %j is skipped: %s", (values) => {
  expect(row("ts,url,title", values)).toEqual({ kind: "skipped", reason: "empty line" });
});

test("[IMP-15] empty values beyond the last column are no mistake", () => {
  expect(row("ts,url", ["1389052815", "https://a.example/", "", " "])).toMatchObject({ kind: "event" });
});
