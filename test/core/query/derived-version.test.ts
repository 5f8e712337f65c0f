// Derived rows of older code must not be read. This test notices when code gives the same events other opinions, visits
// or earnings. Then DERIVED_VERSION (core/query/derived.ts) is to be raised, and the digest here replaced by the new
// one.

import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { columnsOf, eventAt } from "../../../core/archive/event-columns.ts";
import { derive, derivedUnder } from "../../../core/query/derived.ts";
import { always, CHROME, eventOf, GOOGLEBOT, IPHONE, settingsOf, TUESDAY } from "../../support/events.ts";

const VERSION_AND_DIGEST = "3418eecc49334713 d00196bcdff1ee2a";

const REFERRERS = [
  "",
  "https://www.google.com/",
  "https://shop.example/a",
  "https://t.co/x",
  "android-app://com.slack/",
];
const URLS = [
  "https://shop.example/",
  "https://shop.example/a?utm_source=News&utm_medium=email&gclid=1",
  "https://shop.example/x/123#/cart",
  "https://till.example/pay?ref=partner",
];
const NAMES = ["pageview", "engagement", "signup", "purchase", "refund", "web_vitals", "add_to_cart"];
const pick = <T>(from: readonly T[], at: number): T => from[at % from.length] as T;

test("[SCN-10] code that derives other rows from the same events has another version", () => {
  const events = Array.from({ length: 420 }, (_, at) =>
    eventOf({
      id: `e${at}`,
      visitor: (at % 23).toString(16).padStart(16, "0"),
      visitorKind: pick(["known", "daily"] as const, at % 23),
      timestamp: TUESDAY + ((at * 7_919_000) % 70_000_000),
      name: pick(NAMES, at >> 1),
      url: pick(URLS, at),
      referrer: pick(REFERRERS, at >> 2),
      userAgent: pick([CHROME, IPHONE, CHROME, GOOGLEBOT], at % 23),
      language: pick(["de-AT", "en", ""], at % 23),
      country: pick(["AT", "IN", ""], at % 23),
      order: at % 9 === 0 ? `A${at % 4}` : "",
      revenue: at % 9 === 0 ? 10_000 * (at % 5) : 0,
      products: at % 18 === 0 ? '[{"id":"A","name":"Mat","price":12.5,"quantity":2}]' : "",
      purpose: at % 31 === 0 ? "prefetch" : "",
      keyed: at % 2,
      engagementMs: at % 5 === 0 ? 4_000 : 0,
      scroll: at % 3 === 0 ? at % 100 : -1,
    }),
  );
  const rules = always({
    channels: [{ channel: "Friends", source: "*news*" }],
    returns: { drop: ["paypal.example"], admit: [] },
    paths: { strip_ids: true, keep_query: ["q"], replace: [] },
  });
  const under = { settings: settingsOf("Europe/Vienna", { rules }), global: [] };
  const rows = columnsOf(events.map((event, position) => ({ partition: "pool-0", position, event })));
  const day = Math.floor(TUESDAY / 86_400_000);
  const { derived, ...columns } = derive(rows, day, under);
  const { visits, opinions, earnings } = derived;
  const shown = Array.from({ length: columns.count }, (_, row) => [
    eventAt(columns, row).name,
    eventAt(columns, row).timestamp,
    ...Object.values(opinions).map(({ codes, values }) => values[codes[row] as number]),
    earnings.get(row),
  ]);
  const numbers = Object.values(visits).map((list) => (typeof list === "number" ? list : [...list]));
  const text = JSON.stringify([shown, numbers]);
  expect(shown.length).toBeGreaterThan(200);
  const digest = createHash("sha256").update(text).digest("hex").slice(0, 16);
  const plain = { settings: settingsOf("UTC"), global: [] };
  expect(`${derivedUnder(plain, 0)} ${digest}`, "raise DERIVED_VERSION, then note both here").toBe(VERSION_AND_DIGEST);
});
