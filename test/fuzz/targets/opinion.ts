// What is made of an event's facts: device and bot of a user agent, campaign and source of its addresses, and all
// steps in their order. An opinion is made of texts that are no longer than what they came from; nobody outside
// can write a mark of ours.

import { parseCampaign } from "../../../core/enrichment/campaign.ts";
import { parseHints } from "../../../core/enrichment/client-hint.ts";
import { versionsOf } from "../../../core/enrichment/device.ts";
import { opine } from "../../../core/enrichment/opinion.ts";
import { REFERRERS, SOURCES } from "../../../core/enrichment/spelling.ts";
import { URL_LENGTH_MAX, USER_AGENT_LENGTH_MAX } from "../../../core/limits.ts";
import { NO_RULES, NO_RULES_IN_FORCE, type RulesInForce } from "../../../core/rules.ts";
import { CHROME, eventOf, GOOGLEBOT, IPHONE } from "../../support/events.ts";
import { expectSame, expectThat, type Target } from "../target.ts";

const RULES: RulesInForce = {
  own: {
    ...NO_RULES,
    bots: { drop: ["*curl*"], admit: ["*shop*"] },
    hostnames: ["shop.example"],
    paths: { strip_ids: true, keep_query: ["id", "q"], replace: [{ match: "/old/*", page: "/old" }] },
    channels: [{ channel: "Newsletter", source: "news*" }],
    goals: [{ name: "Cart", page: "/cart*" }],
  },
  global: NO_RULES,
};

export const targets: readonly Target[] = [
  {
    name: "opinion-agent",
    fields: { agent: "text", hints: "json" },
    words: [
      "Mozilla/5.0 (",
      "Version/18.0",
      "Mobile",
      "bot",
      "Android 14",
      "; wv)",
      "Headless",
      "FBAN/",
      "Windows NT 10.0",
      '"Brave";v="1"',
    ],
    seeds: () =>
      [
        CHROME,
        IPHONE,
        GOOGLEBOT,
        "curl/8.5.0",
        "Mozilla/5.0 (Linux; Android 14; SM-S918B; wv) AppleWebKit/537.36 Chrome/120 Mobile",
      ].map((agent) => ({
        agent,
        hints: JSON.stringify({ brands: '"Chromium";v="140", "Brave";v="140"', platform: '"Windows"', mobile: "?0" }),
      })),
    lengthMax: USER_AGENT_LENGTH_MAX + 256,
    steps: { fixed: 60_000, perCharacter: 300 },
    run: ({ agent = "", hints = "" }) => runAgent(agent.slice(0, USER_AGENT_LENGTH_MAX), hints),
  },
  {
    name: "opinion-source",
    fields: { url: "text", referrer: "text", name: "text" },
    words: [
      ...[
        "utm_source=",
        "utm_medium=",
        "utm_campaign=",
        "gclid=",
        "fbclid=",
        "ref=",
        "(none)",
        "(gclid)",
        "(",
        ")",
        "%28",
        "https://",
      ],
      ...[
        "www.google.com",
        "android-app://",
        "l.facebook.com",
        "checkout.stripe.com",
        "#/cart?utm_source=x",
        "purchase",
        "direct / none",
      ],
    ],
    seeds: () =>
      [
        [
          "https://shop.example/cart?utm_source=news&utm_medium=email&gclid=x",
          "https://www.google.com/search?q=a",
          "pageview",
        ],
        ["https://shop.example/#/route?ref=a", "android-app://com.google.android.gm/", "purchase"],
        ["https://shop.example/old/1?id=3&q=a+b", "https://checkout.stripe.com/pay", "Sign up"],
        [
          "https://shop.example/?utm_source=(direct)&utm_medium=%28none%29",
          "https://www.shop.example/a/",
          "engagement",
        ],
      ].map(([url = "", referrer = "", name = ""]) => ({ url, referrer, name })),
    lengthMax: URL_LENGTH_MAX,
    steps: { fixed: 60_000, perCharacter: 600 },
    run: ({ url = "", referrer = "", name = "" }) => runSource(url, referrer, name),
  },
];

function runAgent(userAgent: string, hints: string): void {
  const event = eventOf({ userAgent, hints });
  for (const rules of [NO_RULES_IN_FORCE, RULES]) {
    const { browser, os, device, dropped } = opine(event, rules);
    for (const text of [browser, os])
      expectThat(typeof text === "string" && text.length <= userAgent.length + hints.length + 40, `a name is ${text}`);
    expectThat(
      ["", "Desktop", "Mobile", "Tablet", "TV", "Console", "Wearable"].includes(device),
      `the device is ${device}`,
    );
    expectThat(dropped === "" || dropped === "bot", `it is dropped as ${dropped}`);
  }
  const versions = versionsOf(userAgent);
  for (const text of Object.values(versions))
    expectThat(typeof text === "string" && text.length <= userAgent.length, "a version is long");
  const { brands, platform } = parseHints(hints);
  for (const text of [...brands, platform]) expectThat(text.length <= 64, "a brand is long");
}

const ACTS = ["purchase", "refund", "cancellation", "step", "none"];

/** Marks of ours; a sender's own words lose their parentheses. */
const MARK = /^\(.*\)$/s;

function runSource(url: string, referrer: string, name: string): void {
  const event = eventOf({ url, referrer, name });
  for (const rules of [NO_RULES_IN_FORCE, RULES]) {
    const { goals, passive, isReturn, act, ...texts } = opine(event, rules);
    for (const [key, text] of Object.entries(texts)) {
      expectThat(typeof text === "string", `${key} is no text`);
      expectThat(text.length <= URL_LENGTH_MAX * 9, `${key} has ${text.length} characters`);
    }
    expectThat(goals.every((goal) => goal === "Cart") && typeof passive === "boolean", "a goal is none");
    expectThat(!MARK.test(texts.source), `the source is a mark: ${texts.source}`);
    expectSame(SOURCES.spell(texts.source), texts.source, "a source is not what a filter for it is spelt as");
    expectSame(REFERRERS.spell(texts.referrer), texts.referrer, "a referrer is not what a filter for it is spelt as");
    expectThat(typeof isReturn === "boolean" && ACTS.includes(act), `an act is ${act}`);
    for (const key of ["utm_source", "utm_campaign", "utm_content", "utm_term"] as const)
      expectThat(!MARK.test(texts[key]), `${key} is a mark: ${texts[key]}`);
    for (const key of ["utm_source", "utm_campaign", "utm_content", "utm_term", "utm_medium"] as const) {
      const once = texts[key];
      if (MARK.test(once) || once === "") continue;
      expectSame(
        parseCampaign(`${key}=${encodeURIComponent(once.toWellFormed())}`)?.[key],
        once.toWellFormed(),
        `${key} is another one when it is sent again`,
      );
    }
  }
}
