// What rules make of an event: each list by itself, and a merchant's beside the deployment's.

import { describe, expect, test } from "vitest";
import { exclusionsOf } from "../../../core/enrichment/matcher.ts";
import { opine } from "../../../core/enrichment/opinion.ts";
import type { Event } from "../../../core/event.ts";
import { NO_RULES, type Rules } from "../../../core/rules.ts";
import { CHROME, eventOf, GOOGLEBOT } from "../../support/events.ts";

const under = (own: Partial<Rules>, global: Partial<Rules> = {}) => ({
  own: { ...NO_RULES, ...own },
  global: { ...NO_RULES, ...global },
});
const drop = <T>(...entries: T[]) => ({ drop: entries, admit: [] });
const admit = <T>(...entries: T[]) => ({ drop: [], admit: entries });
const office = [{ name: "office", networks: ["203.0.113.0/24"] }];

const DROPS: readonly (readonly [what: string, facts: Partial<Event>, own: object, global: object, reason: string])[] =
  [
    ["a browser", {}, {}, {}, ""],
    ["an agent the merchant drops", {}, { bots: drop("*chrome/140*") }, {}, "bot"],
    ["an agent the deployment drops", {}, {}, { bots: drop("*Windows NT*") }, "bot"],
    ["an agent dropped for all and admitted here", {}, { bots: admit("*chrome*") }, { bots: drop("*chrome*") }, ""],
    ["an agent admitted for all and dropped here", {}, { bots: drop("*chrome*") }, { bots: admit("*chrome*") }, "bot"],
    ["an agent both dropped and admitted", {}, { bots: { drop: ["*"], admit: ["*chrome*"] } }, {}, ""],
    ["a crawler that is admitted", { userAgent: GOOGLEBOT }, { bots: admit("*Googlebot*") }, {}, ""],
    ["an unknown agent", { userAgent: "" }, { bots: drop("*") }, {}, ""],
    ["a spam referrer", { referrer: "https://Spam.example/x" }, { referrers: drop("spam.example") }, {}, "referrer"],
    ["its subdomain", { referrer: "https://a.spam.example/" }, {}, { referrers: drop("spam.example") }, "referrer"],
    ["a name that ends alike", { referrer: "https://notspam.example/" }, { referrers: drop("spam.example") }, {}, ""],
    [
      "a part of a spam site that is admitted",
      { referrer: "https://good.spam.example/" },
      { referrers: { drop: ["spam.example"], admit: ["good.spam.example"] } },
      {},
      "",
    ],
    ["an excluded address", { excluded: "office" }, { addresses: office }, {}, "address"],
    ["one of several exclusions", { excluded: "home\noffice" }, { addresses: office }, {}, "address"],
    ["an exclusion for all", { excluded: "office" }, {}, { addresses: office }, "address"],
    ["an exclusion that was taken back", { excluded: "office" }, {}, {}, ""],
    ["an excluded network", { asn: 64_500 }, { asns: drop(64_500) }, {}, "network"],
    ["a network admitted here", { asn: 64_500 }, { asns: admit(64_500) }, { asns: drop(64_500) }, ""],
    ["a foreign hostname", { url: "https://copy.example/" }, { hostnames: ["shop.example"] }, {}, "hostname"],
    ["a subdomain of ours", { url: "https://www.shop.example/" }, { hostnames: ["shop.example"] }, {}, ""],
    ["a hostname, whatever the deployment lists", {}, {}, { hostnames: ["other.example"] }, ""],
    ["two reasons: the first in order", { excluded: "office", userAgent: GOOGLEBOT }, { addresses: office }, {}, "bot"],
  ];

test.each(DROPS)("[RUL-6] %s", (_, facts, own, global, reason) => {
  expect(opine(eventOf(facts), under(own, global)).dropped).toBe(reason);
});

describe("excluded addresses", () => {
  const home = [{ name: "home", networks: ["2001:db8::/32", "203.0.113.9/32"] }];
  test.each([
    ["203.0.113.1", "office"],
    ["203.0.113.9", "home\noffice"],
    ["2001:db8:1::1", "home"],
    ["::ffff:203.0.113.9", "home\noffice"],
    ["::FFFF:cb00:7101", "office"],
    ["198.51.100.1", ""],
    ["", ""],
  ])("[RUL-7] [SPL-4] of the address %s only the names of exclusions are kept: %j", (address, names) => {
    expect(exclusionsOf(address, under({ addresses: office }, { addresses: home }))).toBe(names);
  });
});

const PAGES: readonly (readonly [url: string, paths: Partial<Rules["paths"]>, page: string])[] = [
  ["https://a.example/orders/4711/items?x=1#top", {}, "/orders/4711/items"],
  ["https://a.example/orders/4711/items", { strip_ids: true }, "/orders/:id/items"],
  ["https://a.example/u/0b0f8a52-8d3c-4e9e-9f9f-5b8f6f1e2d3c", { strip_ids: true }, "/u/:id"],
  ["https://a.example/c/9f86d081884c7d65/", { strip_ids: true }, "/c/:id/"],
  ["https://a.example/defaced/v2/2026-11-21", { strip_ids: true }, "/defaced/v2/2026-11-21"],
  ["https://a.example/s?b=2&utm_source=x&Q=shoes%20red&a=1", { keep_query: ["q", "b"] }, "/s?q=shoes red&b=2"],
  ["https://a.example/s?x=1", { keep_query: ["q"] }, "/s"],
  ["https://a.example/Product/77", { replace: [{ match: "/product/*", page: "/product" }] }, "/product"],
  [
    "https://a.example/a/1?q=1",
    {
      strip_ids: true,
      keep_query: ["q"],
      replace: [
        { match: "/b/*", page: "/b" },
        { match: "/a/*", page: "/a" },
      ],
    },
    "/a",
  ],
];

test.each(PAGES)("[RUL-8] %s under %j is the page %s", (url, paths, page) => {
  const rules = { paths: { ...NO_RULES.paths, ...paths } };
  expect(opine(eventOf({ url }), under(rules)).page).toBe(page);
  expect(opine(eventOf({ url }), under({}, rules)).page).toBe(page);
});

test("[RUL-9] a merchant's channels come before the deployment's, and both before the built-in ones", () => {
  const event = eventOf({
    url: "https://shop.example/?utm_source=Partner-7&utm_medium=cpc&utm_campaign=Spring",
    userAgent: CHROME,
  });
  const partners = { channels: [{ channel: "Partners", source: "partner-*" }] };
  const spring = { channels: [{ channel: "Spring", campaign: "spring", medium: "cpc" }] };
  const both = { channels: [{ channel: "Both", campaign: "spring", medium: "email" }, ...partners.channels] };
  expect(opine(event, under({})).channel).toBe("Paid Other");
  expect(opine(event, under({}, spring)).channel).toBe("Spring");
  expect(opine(event, under(partners, spring)).channel).toBe("Partners");
  expect(opine(event, under(both)).channel).toBe("Partners");
  const fromPress = eventOf({ referrer: "https://press.example/2026/shop" });
  const press = under({ channels: [{ channel: "Press", referrer: "press.example/*" }] });
  expect(opine(fromPress, press).channel).toBe("Press");
});

const GOALS: Rules["goals"] = [
  { name: "thanks", page: "/thanks*" },
  { name: "bought", event: "purchase" },
  { name: "a big one", event: "purchase", page: "/thanks/big" },
];

test.each([
  ["pageview", "/thanks/big", ["thanks"]],
  ["purchase", "/thanks/big", ["a big one", "bought"]],
  ["purchase", "/cart", ["bought"]],
  ["Purchase", "/cart", ["bought"]],
  ["pageview", "/", []],
  ["engagement", "/thanks", []],
])("[RUL-10] the event %s on %s reaches %j", (name, path, reached) => {
  const event = eventOf({ name, url: `https://shop.example${path}` });
  expect(opine(event, under({ goals: GOALS })).goals).toEqual(reached);
});

test("[ORD-10] where only senders with a key earn, what a page tells of orders is a step, and a server's word counts", () => {
  const bought = { name: "purchase", order: "1", revenue: 10_000 };
  const rules = { orders: { keyed_only: true } };
  const actOf = (facts: Partial<Event>, own: object, global = {}) => opine(eventOf(facts), under(own, global)).act;
  expect(actOf(bought, {})).toBe("purchase");
  expect(actOf(bought, rules)).toBe("step");
  expect(actOf(bought, {}, rules)).toBe("step");
  expect(actOf({ name: "tip", revenue: 10_000 }, rules)).toBe("step"); // earns nothing, whatever it is called
  expect(actOf({ ...bought, keyed: 1 }, rules)).toBe("purchase");
  expect(actOf({ ...bought, name: "refund", keyed: 1 }, rules)).toBe("refund");
});
