// Where visits come from: hosts and apps by name, campaigns, marks, and hosts that visitors only come back from.

import { describe, expect, test } from "vitest";
import { opine } from "../../../core/enrichment/opinion.ts";
import type { Event } from "../../../core/event.ts";
import { parseRules } from "../../../core/rule-parser.ts";
import { NO_RULES, NO_RULES_IN_FORCE, type Rules } from "../../../core/rules.ts";
import { parseHostname } from "../../../storage/hostname.ts";
import { eventOf } from "../../support/events.ts";

const under = (own: Partial<Rules>, global: Partial<Rules> = {}) => ({
  own: { ...NO_RULES, ...own },
  global: { ...NO_RULES, ...global },
});
const opinionOf = (facts: Partial<Event>, rules = NO_RULES_IN_FORCE) => opine(eventOf(facts), rules);
const SHOP = "https://shop.example/";

describe("search engines and shops", () => {
  test.each([
    ["https://www.google.com/", "Google", "Organic Search"],
    ["https://www.google.com.au/", "Google", "Organic Search"],
    ["https://google.cat/", "Google", "Organic Search"],
    ["https://images.google.de/", "Google", "Organic Search"],
    ["https://lens.google.com/", "Google", "Organic Search"],
    ["https://de.search.yahoo.com/", "Yahoo!", "Organic Search"],
    ["https://r.search.yahoo.com/", "Yahoo!", "Organic Search"],
    ["https://cn.bing.com/", "Bing", "Organic Search"],
    ["https://m.baidu.com/", "Baidu", "Organic Search"],
    ["https://yandex.ru/search/", "Yandex", "Organic Search"],
    ["https://ya.ru/", "Yandex", "Organic Search"],
    ["https://m.search.naver.com/", "Naver", "Organic Search"],
    ["https://html.duckduckgo.com/", "DuckDuckGo", "Organic Search"],
    ["https://smile.amazon.co.uk/", "Amazon", "Organic Shopping"],
    ["https://www.amazon.com.br/", "Amazon", "Organic Shopping"],
    ["https://de.aliexpress.com/", "AliExpress", "Organic Shopping"],
    ["https://item.rakuten.co.jp/", "Rakuten", "Organic Shopping"],
    ["https://market.yandex.ru/", "Yandex Market", "Organic Shopping"],
  ])("[ENR-8] people search or shop on %s: %s, %s", (referrer, source, channel) => {
    expect(opinionOf({ referrer })).toMatchObject({ source, channel });
  });

  test.each([
    "docs.google.com",
    "drive.google.com",
    "console.cloud.google.com",
    "analytics.google.com",
    "ads.google.com",
    "classroom.google.com",
    "sites.google.com",
    "mail.yandex.ru",
    "disk.yandex.com",
    "pan.baidu.com",
    "blog.naver.com",
    "email.seznam.cz",
    "finance.yahoo.com",
    "rewards.bing.com",
    "google.abc.com",
    "google.example.com",
    "sellercentral.amazon.de",
    "sellercentral-europe.amazon.com",
    "aws.amazon.com",
    "console.aws.amazon.com",
    "music.amazon.com",
    "developer.amazon.com",
    "signin.ebay.de",
    "amazon.jobs",
    "platform.openai.com",
    "console.x.ai",
    "developers.facebook.com",
  ])("[ENR-8] nobody searches or shops on %s: it is itself", (host) => {
    expect(opinionOf({ referrer: `https://${host}/a` })).toMatchObject({ source: host, channel: "Referral" });
    expect(opinionOf({ url: `${SHOP}?utm_source=${host}` })).toMatchObject({ source: host, channel: "Referral" });
  });

  test.each(["login.yahoo.com", "accounts.google.com", "passport.yandex.ru", "pay.google.com", "payments.amazon.de"])(
    "[ENR-8] [ENR-11] signing in and paying at %s is no search, and no source",
    (host) => {
      expect(opinionOf({ referrer: `https://${host}/` })).toMatchObject({
        source: "",
        channel: "Direct",
        isReturn: true,
      });
    },
  );
});

describe("apps and links of networks", () => {
  test.each([
    ["android-app://com.google.android.gm/", "Gmail", "Email"],
    ["android-app://com.google.android.gm", "Gmail", "Email"],
    ["android-app://com.Facebook.Orca/", "Facebook", "Organic Social"],
    ["android-app://com.zhiliaoapp.musically/", "TikTok", "Organic Social"],
    ["android-app://com.google.android.googlequicksearchbox/https/www.google.com", "Google", "Organic Search"],
    ["android-app://com.openai.chatgpt/", "ChatGPT", "AI Assistant"],
    ["android-app://org.example.app/", "android-app://org.example.app", "Referral"],
    ["ios-app://389801252/", "Instagram", "Organic Social"],
    ["ios-app://284882215/fb/profile", "Facebook", "Organic Social"],
    ["ios-app://com.burbn.instagram/", "Instagram", "Organic Social"],
    ["ios-app://1/", "ios-app://1", "Referral"],
    ["https://m.me/shop", "Facebook", "Organic Social"],
    ["https://l.messenger.com/l.php?u=x", "Facebook", "Organic Social"],
    ["https://lm.facebook.com/l.php", "Facebook", "Organic Social"],
    ["https://l.instagram.com/?u=x", "Instagram", "Organic Social"],
    ["https://l.threads.com/", "Threads", "Organic Social"],
    ["https://t.co/abc", "X", "Organic Social"],
    ["https://out.reddit.com/t3", "Reddit", "Organic Social"],
    ["https://away.vk.com/", "VK", "Organic Social"],
    ["https://l.wl.co/l", "WhatsApp", "Organic Social"],
    ["https://lnkd.in/x", "LinkedIn", "Organic Social"],
    ["https://vm.tiktok.com/x", "TikTok", "Organic Social"],
    ["https://discord.gg/x", "Discord", "Organic Social"],
    ["https://deref-gmx.net/mail/client", "GMX", "Email"],
    ["https://amzn.to/x", "Amazon", "Organic Shopping"],
    ["https://www.bücher.example/Ü/", "xn--bcher-kva.example", "Referral"],
  ])("[ENR-9] %s is %s", (referrer, source, channel) => {
    expect(opinionOf({ referrer })).toMatchObject({ source, channel });
  });
});

describe("marks of our own", () => {
  test.each([
    ["utm_source=newsletter&utm_medium=(none)", "newsletter", "", "Email"],
    ["utm_source=partner&utm_medium=(referral)", "partner", "referral", "Referral"],
    ["utm_source=partner&utm_medium=(organic)", "partner", "organic", "Organic Search"],
    ["utm_source=partner&utm_medium=(not%20set)", "partner", "", "Referral"],
    ["utm_source=partner&utm_medium=((not+set))", "partner", "", "Referral"],
    ["utm_source=partner&utm_medium=(gclid)", "partner", "gclid", "Unassigned"],
    ["utm_source=(direct)&utm_medium=(none)", "", "", "Direct"],
    ["utm_source=(other)", "", "", "Direct"],
    ["utm_source=Direct%20/%20None", "", "", "Direct"],
    ["utm_source=(not+provided)&utm_campaign=(not+set)", "", "", "Direct"],
    ["utm_source=()&utm_campaign=(", "(", "", "Unassigned"],
  ])("[ENR-10] %s is %j by %j: %s", (query, source, utm_medium, channel) => {
    expect(opinionOf({ url: `${SHOP}?${query}` })).toMatchObject({ source, utm_medium, channel });
  });

  test("[ENR-10] nor by a host", () => {
    expect(opinionOf({ url: "https://(other)/a", referrer: "https://(none)/" })).toMatchObject({
      hostname: "",
      page: "/a",
      source: "",
      channel: "Direct",
    });
  });
});

describe("campaigns", () => {
  test.each([
    ["utm_campaign=spring", "", "spring", "Unassigned"],
    ["utm_campaign=newsletter", "", "newsletter", "Email"],
    ["utm_campaign=Summer+Shop", "", "Summer Shop", "Organic Shopping"],
    ["utm_campaign=spring", "https://www.google.com/", "Google", "Organic Search"],
    ["utm_campaign=spring", "https://news.example/", "news.example", "Referral"],
    ["utm_medium=email", "", "email", "Email"],
    ["utm_source=%20Google+&utm_medium=+cpc%20", "", "Google", "Paid Search"],
    ["utm_source=%20&utm_medium=%C2%A0", "", "", "Direct"],
    ["utm_source=letter&amp;utm_medium=email", "", "letter", "Email"],
    ["utm_source=letter&amp;amp;utm_medium=email", "", "letter", "Email"],
    ["utm_source=letter&#038;utm_medium=email", "", "letter", "Email"],
    ["utm_source=letter&amp%3Butm_medium=email", "", "letter", "Email"],
    ["srsltid=AfmBOo", "https://www.google.de/", "Google", "Organic Shopping"],
    ["srsltid=AfmBOo", "", "Google", "Organic Shopping"],
    ["srsltid=AfmBOo", "https://news.example/", "news.example", "Unassigned"],
    ["gad_source=1", "", "Google", "Paid Search"],
    ["gad_source=1&gbraid=x", "https://www.google.com/", "Google", "Paid Search"],
    ["gad_campaignid=1", "", "Google", "Paid Search"],
    ["wbraid=1", "", "Google", "Paid Search"],
    ["ttclid=1", "", "TikTok", "Paid Social"],
    ["twclid=1", "", "X", "Paid Social"],
    ["epik=1", "", "Pinterest", "Organic Social"],
    ["igshid=1", "", "Instagram", "Organic Social"],
    ["ysclid=1", "", "Yandex", "Organic Search"],
    ["yclid=1", "", "Yandex", "Paid Search"],
    ["srsltid=1&gclid=2", "", "Google", "Paid Search"],
    ["MSCLKID=1", "", "Bing", "Paid Search"],
  ])("[ENR-13] %s from %j is %s by %s", (query, referrer, source, channel) => {
    expect(opinionOf({ url: `${SHOP}?${query}`, referrer })).toMatchObject({ source, channel });
  });

  test("[ENR-13] values have no blanks around them and are in one spelling", () => {
    const url = `${SHOP}?utm_source=%20a%20b+&utm_campaign=u%CC%88ber`;
    expect(opinionOf({ url })).toMatchObject({ utm_source: "a b", utm_campaign: "über" });
  });
});

describe("hosts that visitors come back from", () => {
  test.each<[referrer: string, url: string, isReturn: boolean]>([
    ["https://www.paypal.com/checkoutnow", SHOP, true],
    ["https://checkout.stripe.com/c/pay/x", SHOP, true],
    ["https://pay.klarna.com/", SHOP, true],
    ["https://secure.payu.com/", SHOP, true],
    ["https://www.mollie.com/checkout/x", SHOP, true],
    ["https://checkoutshopper-live.adyen.com/", SHOP, true],
    ["https://pay.sumup.com/", SHOP, true],
    ["https://login.microsoftonline.com/x", SHOP, true],
    ["https://www.klarna.com/uk/store/", SHOP, false],
    ["https://stripe.com/blog", SHOP, false],
    ["https://notpaypal.com/", SHOP, false],
    ["https://paypal.com.evil.example/", SHOP, false],
    ["https://shop.example/cart", SHOP, true],
    ["https://www.shop.example/cart", SHOP, true],
    ["https://shop.example:8443/cart", "https://WWW.shop.example./", true],
    ["https://checkout.shop.example/", SHOP, true],
    ["https://blog.shop.example/", "https://www.shop.example/", true],
    ["https://shop.co.uk/", "https://pay.shop.co.uk/", true],
    ["https://other.co.uk/", "https://shop.co.uk/", false],
    ["https://other.example/", SHOP, false],
    ["https://a.myshopify.com/", "https://b.myshopify.com/", false],
    ["https://a.github.io/", "https://b.github.io/", false],
    ["https://www.google.com/", "https://sites.google.com/view/shop", false],
    ["http://127.0.0.1:8080/", "http://127.0.0.2/", false],
    ["https://müller.example/", "https://xn--mller-kva.example/", true],
    ["android-app://com.paypal.android.p2pmobile/", SHOP, true],
    ["", SHOP, false],
    ["https://paypal.com/", `${SHOP}?utm_source=letter`, false],
    ["https://paypal.com/", `${SHOP}?utm_campaign=spring`, false],
    ["https://paypal.com/", `${SHOP}?gclid=1`, false],
    ["https://paypal.com/", `${SHOP}?order=4711`, true],
    ["https://paypal.com/", "", true],
  ])("[ENR-11] from %s to %s: %s", (referrer, url, isReturn) => {
    const opinion = opinionOf({ referrer, url });
    expect(opinion.isReturn).toBe(isReturn);
    if (isReturn) expect(opinion).toMatchObject({ source: "", referrer: "", channel: "Direct" });
  });

  test("[ENR-12] a merchant names further hosts, and takes hosts of the built-in list for sources", () => {
    const rules = under({ returns: { drop: ["pay.bank.example"], admit: ["paypal.com"] } });
    expect(opinionOf({ referrer: "https://3ds.pay.bank.example/" }, rules).isReturn).toBe(true);
    expect(opinionOf({ referrer: "https://bank.example/" }, rules)).toMatchObject({ source: "bank.example" });
    expect(opinionOf({ referrer: "https://www.paypal.com/" }, rules)).toMatchObject({ source: "paypal.com" });
    const sibling = under({ returns: { drop: [], admit: ["news.shop.example"] } });
    expect(opinionOf({ referrer: "https://news.shop.example/" }, sibling)).toMatchObject({
      source: "news.shop.example",
    });
    expect(opinionOf({ referrer: SHOP }, under({ returns: { drop: [], admit: ["shop.example"] } })).isReturn).toBe(
      true,
    );
  });

  test("[ENR-12] the merchant's word comes before the deployment's, and allowed hostnames are its own", () => {
    const drop = { returns: { drop: ["pay.example"], admit: [] } };
    const admit = { returns: { drop: [], admit: ["pay.example"] } };
    const referrer = "https://pay.example/";
    expect(opinionOf({ referrer }, under({}, drop)).isReturn).toBe(true);
    expect(opinionOf({ referrer }, under(admit, drop)).isReturn).toBe(false);
    expect(opinionOf({ referrer }, under(drop, admit)).isReturn).toBe(true);
    const hostnames = ["shop.example", "till.example"];
    expect(opinionOf({ referrer: "https://m.till.example/" }, under({ hostnames })).isReturn).toBe(true);
  });

  test("[ENR-12] such rules are read like others, and rules stored before there were any have none", () => {
    const read = parseRules({ returns: { drop: ["Zahlung.MÜLLER.example"] } }, parseHostname);
    expect(read.ok && read.value.returns).toEqual({ drop: ["zahlung.xn--mller-kva.example"], admit: [] });
    expect(parseRules({ returns: { drop: ["https://pay.example/"] } }, parseHostname).ok).toBe(false);
    const { returns: _, ...before } = NO_RULES;
    const rules = { own: before as Rules, global: before as Rules };
    expect(opinionOf({ referrer: "https://paypal.com/" }, rules).isReturn).toBe(true);
  });
});

test("[ENR-14] a prefetch is dropped as one, unless there is another reason", () => {
  expect(opinionOf({ purpose: "prefetch" }).dropped).toBe("prefetch");
  expect(opinionOf({ purpose: "" }).dropped).toBe("");
  expect(opinionOf({ purpose: "prefetch", verifiedBot: "Search Engine Crawler" }).dropped).toBe("bot");
  expect(opinionOf({ purpose: "prefetch", url: SHOP }, under({ hostnames: ["other.example"] })).dropped).toBe(
    "hostname",
  );
});
