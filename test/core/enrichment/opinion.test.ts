// What the built-in lists make of events: one table for each step.

import fc from "fast-check";
import { expect, test } from "vitest";
import { NO_AGENT } from "../../../core/enrichment/bot.ts";
import { opine } from "../../../core/enrichment/opinion.ts";
import type { Event } from "../../../core/event.ts";
import { NO_RULES, NO_RULES_IN_FORCE } from "../../../core/rules.ts";
import { CHROME, eventOf, GOOGLEBOT, IPHONE } from "../../support/events.ts";

const opinionOf = (facts: Partial<Event>) => opine(eventOf(facts), NO_RULES_IN_FORCE);
const hints = (brand: string, platform: string, mobile = "?0") =>
  JSON.stringify({
    brands: `"Chromium";v="140", "Not=A?Brand";v="24", "${brand}";v="140"`,
    mobile,
    platform: `"${platform}"`,
  });
const ANDROID =
  "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36";
const LINUX = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
const AMAZON = 16_509;

test.each<[what: string, facts: Partial<Event>, reason: string]>([
  ["a browser", {}, ""],
  ["a crawler", { userAgent: GOOGLEBOT }, "bot"],
  ["a library", { userAgent: "curl/8.5.0" }, "bot"],
  ["a headless browser", { userAgent: CHROME.replace("Chrome/", "HeadlessChrome/") }, "bot"],
  ["one that only its hints give away", { hints: hints("HeadlessChrome", "Linux") }, "bot"],
  ["a bot that the platform has verified", { verifiedBot: "Search Engine Crawler" }, "bot"],
  ["a browser format's hit without an agent", { userAgent: NO_AGENT, format: "pixel" }, "bot"],
  ["a server's event of a visitor whose agent it does not tell", { userAgent: "" }, ""],
])("[ENR-2] %s", (_, facts, reason) => {
  expect(opinionOf(facts).dropped).toBe(reason);
});

test("[ENR-2] an agent that rules admit is no machine, whoever says so", () => {
  const event = eventOf({ userAgent: GOOGLEBOT, verifiedBot: "Search Engine Crawler" });
  const own = { ...NO_RULES, bots: { drop: [], admit: ["*googlebot*"] } };
  expect(opine(event, { own, global: NO_RULES }).dropped).toBe("");
});

test.each<[what: string, facts: Partial<Event>, reason: string]>([
  ["a merchant's server that tells of a visitor", { asn: AMAZON, userAgent: CHROME }, ""],
  ["a merchant's server that tells of nobody", { asn: AMAZON, userAgent: "" }, ""],
  ["a browser in a data centre, by its hints", { asn: AMAZON, hints: hints("Google Chrome", "Linux") }, "network"],
  ["a pixel asked for from a data centre", { asn: AMAZON, format: "pixel" }, "network"],
  ["a browser at home", { asn: 3320, hints: hints("Google Chrome", "Windows"), format: "pixel" }, ""],
  ["Apple's Private Relay by way of Cloudflare", { asn: 13_335, format: "pixel" }, ""],
])("[ENR-3] %s", (_, facts, reason) => {
  expect(opinionOf(facts).dropped).toBe(reason);
});

test("[ENR-3] a data centre that rules admit counts: an office may be behind it", () => {
  const own = { ...NO_RULES, asns: { drop: [], admit: [AMAZON] } };
  expect(opine(eventOf({ asn: AMAZON, format: "pixel" }), { own, global: NO_RULES }).dropped).toBe("");
});

test.each<[facts: Partial<Event>, browser: string, os: string, device: string]>([
  [{ userAgent: IPHONE }, "Mobile Safari", "iOS", "Mobile"],
  [{ userAgent: CHROME, hints: hints("Google Chrome", "Windows") }, "Chrome", "Windows", "Desktop"],
  [{ userAgent: CHROME, hints: hints("Brave", "Windows") }, "Brave", "Windows", "Desktop"],
  [{ userAgent: `${CHROME} Edg/140.0.0.0`, hints: hints("Microsoft Edge", "Windows") }, "Edge", "Windows", "Desktop"],
  [{ userAgent: LINUX, hints: hints("Google Chrome", "Chrome OS") }, "Chrome", "Chromium OS", "Desktop"],
  [{ userAgent: LINUX, hints: hints("Google Chrome", "Android", "?1") }, "Chrome", "Android", "Mobile"],
  [{ userAgent: LINUX, hints: hints("Google Chrome", "Android") }, "Chrome", "Android", "Tablet"],
  [{ userAgent: ANDROID, hints: hints("Samsung Internet", "Android", "?1") }, "Samsung Browser", "Android", "Mobile"],
  [{ userAgent: CHROME, hints: "no JSON" }, "Chrome", "Windows", "Desktop"],
  [{ userAgent: `${IPHONE} Instagram 300.0` }, "Instagram", "iOS", "Mobile"],
  [{ userAgent: `${IPHONE} [FBAN/FBIOS;FBAV/400.0]` }, "Facebook", "iOS", "Mobile"],
  [{ userAgent: `${ANDROID} musical_ly_2023 BytedanceWebview/d8a21c6` }, "TikTok", "Android", "Mobile"],
  [{ userAgent: `${IPHONE} Barcelona 300.0` }, "Threads", "iOS", "Mobile"],
  [{ userAgent: "" }, "", "", ""],
])("[ENR-4] %j is %s on %s, a %s", (facts, browser, os, device) => {
  expect(opinionOf(facts)).toMatchObject({ browser, os, device });
});

const SHOP = "https://shop.example/";

test.each<[url: string, referrer: string, source: string, channel: string]>([
  ["", "", "", "Direct"],
  ["", "https://shop.example/cart", "", "Direct"],
  ["", "https://www.google.co.uk/", "Google", "Organic Search"],
  ["", "https://duckduckgo.com/", "DuckDuckGo", "Organic Search"],
  ["", "https://l.instagram.com/?u=x", "Instagram", "Organic Social"],
  ["", "https://m.youtube.com/watch", "YouTube", "Organic Video"],
  ["", "https://chatgpt.com/", "ChatGPT", "AI Assistant"],
  ["", "https://www.perplexity.ai/search", "Perplexity", "AI Assistant"],
  ["", "https://gemini.google.com/app", "Gemini", "AI Assistant"],
  ["", "https://mail.google.com/mail/u/0", "Gmail", "Email"],
  ["", "https://www.amazon.de/", "Amazon", "Organic Shopping"],
  ["", "https://news.example/today", "news.example", "Referral"],
  ["", "android-app://com.google.android.googlequicksearchbox/", "Google", "Organic Search"],
  ["", "android-app://com.linkedin.android/", "LinkedIn", "Organic Social"],
  ["", "android-app://org.example.app/", "android-app://org.example.app", "Referral"],
  ["?utm_source=chatgpt.com", "", "ChatGPT", "AI Assistant"],
  ["?utm_source=fb&utm_medium=paid_social", "", "Facebook", "Paid Social"],
  ["?utm_source=google&utm_medium=cpc", "https://news.example/", "Google", "Paid Search"],
  ["?utm_source=google&utm_medium=cpc&utm_campaign=Summer+Shop", "", "Google", "Paid Shopping"],
  ["?utm_source=x&utm_medium=banner", "", "X", "Display"],
  ["?utm_source=partner&utm_medium=affiliate", "", "partner", "Affiliates"],
  ["?utm_source=letter&utm_medium=e-mail", "", "letter", "Email"],
  ["?utm_source=shop&utm_medium=sms", "", "shop", "SMS"],
  ["?utm_source=firebase&utm_medium=app_alert", "", "firebase", "Mobile Push"],
  ["?utm_source=podcast&utm_medium=audio", "", "podcast", "Audio"],
  ["?utm_source=a&utm_campaign=cross-network", "", "a", "Cross-network"],
  ["?utm_source=poster&utm_medium=qr", "", "poster", "Unassigned"],
  ["?utm_source=friend&utm_medium=link", "", "friend", "Referral"],
  ["?gclid=1", "", "Google", "Paid Search"],
  ["?wbraid=1", "https://www.google.com/", "Google", "Paid Search"],
  ["?msclkid=1", "", "Bing", "Paid Search"],
  ["?li_fat_id=1", "", "LinkedIn", "Paid Social"],
  ["?ScCid=1", "", "Snapchat", "Paid Social"],
  ["?rdt_cid=1", "", "Reddit", "Paid Social"],
  ["?fbclid=1", "", "Facebook", "Organic Social"],
  ["?fbclid=1", "https://l.facebook.com/", "Facebook", "Organic Social"],
])("[ENR-5] %s from %j is %s by %s", (query, referrer, source, channel) => {
  expect(opinionOf({ url: SHOP + query, referrer })).toMatchObject({ source, channel });
});

test.each([
  ["https://semalt.com/crawler.php", "referrer"],
  ["http://site7.free-share-buttons.com/", "referrer"],
  ["https://notsemalt.com/", ""],
])("[ENR-6] the referrer %s: %j", (referrer, reason) => {
  expect(opinionOf({ referrer }).dropped).toBe(reason);
});

test("[ENR-7] an opinion is a function of event and rules: nothing that was judged before shows in it", () => {
  const agent = fc.constantFrom(CHROME, IPHONE, GOOGLEBOT, LINUX, "");
  const hint = fc.constantFrom("", hints("Brave", "Windows"), hints("Google Chrome", "Android", "?1"));
  const admitted = { ...NO_RULES, bots: { drop: ["*iphone*"], admit: ["*googlebot*"] } };
  const rules = fc.constantFrom(NO_RULES, admitted);
  const facts = fc.record({ userAgent: agent, hints: hint });
  fc.assert(
    fc.property(fc.array(fc.tuple(facts, rules, rules), { minLength: 1, maxLength: 20 }), (sequence) => {
      const judge = ([given, own, global]: (typeof sequence)[number]) =>
        JSON.stringify(opine(eventOf(given), { own, global }));
      const once = sequence.map(judge);
      expect(sequence.toReversed().map(judge).reverse()).toEqual(once);
      // The same rules as another value, as after a restart.
      const again = ([given, own, global]: (typeof sequence)[number]) =>
        JSON.stringify(opine(eventOf(given), structuredClone({ own, global })));
      expect(sequence.map(again)).toEqual(once);
    }),
  );
});
