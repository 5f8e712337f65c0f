// Which agents, networks, pages and referrers the events had that were left out.

import { expect, test } from "vitest";
import { agentFamily } from "../../../core/enrichment/agent-family.ts";
import { LEFT_OUT_NAMES_MAX, LEFT_OUT_SHOWN_MAX } from "../../../core/limits.ts";
import { addLeftOut, type LeftOut, shownLeftOut } from "../../../core/query/left-out.ts";
import { CHROME, eventOf, GOOGLEBOT, IPHONE } from "../../support/events.ts";

const FAMILIES: readonly (readonly [agent: string, family: string])[] = [
  [GOOGLEBOT, "Googlebot"],
  ["Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)", "GPTBot"],
  ["Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/bot)", "Slurp"],
  ["Mozilla/5.0 (compatible; Uptime/1.0; ops-bot@example.com)", "Uptime"],
  ["Mozilla/5.0 (X11; Linux) AppleWebKit/537.36 HeadlessChrome/120.0 Safari/537.36", "HeadlessChrome"],
  ["Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1)", "IE"],
  ["curl/8.1", "curl"],
  ["python-requests/2.31", "python-requests"],
  ["Go-http-client/1.1", "Go-http-client"],
  [CHROME, "Chrome"],
  [IPHONE, "Mobile Safari"],
  ["Mozilla/5.0", "Mozilla"],
  ["", ""],
  ["(none)", ""],
  ["((((", ""],
];

test.each(FAMILIES)("[PRF-4] %s is of the family %s", (agent, family) => {
  expect(agentFamily(agent)).toBe(family);
});

test("[PRF-4] each list has its names by number, a network its owner, and a duplicate its address", () => {
  const all: LeftOut = new Map();
  const bot = { userAgent: GOOGLEBOT, asn: 16509, referrer: "https://www.google.com/search" };
  for (let index = 0; index < 3; index++)
    addLeftOut(all, "bot", eventOf(bot), { hostname: "shop.example", page: "/p/:id" });
  addLeftOut(all, "bot", eventOf({ userAgent: "curl/8.1", asn: 64_500 }), { hostname: "", page: "" });
  addLeftOut(all, "duplicate", eventOf({ url: "https://shop.example/tea?a=1" }));
  expect(shownLeftOut(all)).toEqual({
    bot: {
      agents: {
        named: [
          { name: "Googlebot", events: 3 },
          { name: "curl", events: 1 },
        ],
        others: 0,
      },
      networks: {
        named: [
          { name: "16509", label: "Amazon Web Services", events: 3 },
          { name: "64500", events: 1 },
        ],
        others: 0,
      },
      pages: {
        named: [
          { name: "shop.example/p/:id", events: 3 },
          { name: "", events: 1 },
        ],
        others: 0,
      },
      referrers: {
        named: [
          { name: "www.google.com", events: 3 },
          { name: "", events: 1 },
        ],
        others: 0,
      },
    },
    duplicate: {
      agents: { named: [{ name: "Chrome", events: 1 }], others: 0 },
      networks: { named: [{ name: "", events: 1 }], others: 0 },
      pages: { named: [{ name: "shop.example/tea", events: 1 }], others: 0 },
      referrers: { named: [{ name: "", events: 1 }], others: 0 },
    },
  });
});

test("[PRF-4] made-up names are counted together beyond a bound, and the lists add up", () => {
  const all: LeftOut = new Map();
  const count = 3 * LEFT_OUT_NAMES_MAX;
  for (let index = 0; index < count; index++)
    addLeftOut(all, "referrer", eventOf({ url: `https://shop.example/${index}/${"long".repeat(500)}` }));
  const { pages } = shownLeftOut(all)["referrer"] ?? { pages: { named: [], others: 0 } };
  expect(all.get("referrer")?.pages.counts.size).toBe(LEFT_OUT_NAMES_MAX);
  expect(pages.named).toHaveLength(LEFT_OUT_SHOWN_MAX);
  expect(pages.named.reduce((sum, { events }) => sum + events, 0) + pages.others).toBe(count);
});
