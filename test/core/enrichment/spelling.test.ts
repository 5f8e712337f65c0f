// One thing, one spelling: paths, hosts, pages in fragments, and what filters, goals and rules say of them.

import { domainToUnicode } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAddress } from "../../../core/enrichment/address.ts";
import { readHost, spellHost } from "../../../core/enrichment/hostname.ts";
import { opine } from "../../../core/enrichment/opinion.ts";
import { REFERRERS, SOURCES, spellPage, spellPath } from "../../../core/enrichment/spelling.ts";
import { type Event, NO_FACTS } from "../../../core/event.ts";
import { parseFilters } from "../../../core/query/filter.ts";
import { NO_RULES, NO_RULES_IN_FORCE, type Rules } from "../../../core/rules.ts";
import { eventOf } from "../../support/events.ts";
import { GROWTH_TIMES_MAX, growthOf } from "../../support/growth.ts";

const pageOf = (facts: Partial<Event>, rules: Partial<Rules> = {}) =>
  opine(eventOf(facts), { own: { ...NO_RULES, ...rules }, global: NO_RULES }).page;

describe("paths", () => {
  const ONE: readonly (readonly [page: string, ...sent: string[]])[] = [
    [
      "/über-uns",
      "/über-uns",
      "/%C3%BCber-uns",
      "/%c3%bcber-uns",
      "/%C3%bcber-uns",
      "/u%CC%88ber-uns",
      "/u\u0308ber-uns",
    ],
    ["/~a-b_c.d", "/%7Ea-b_c.d", "/~a%2Db%5Fc%2ed"],
    ["/new shoes", "/new shoes", "/new%20shoes"],
    ["/a%2Fb", "/a%2Fb", "/a%2fb"],
    ["/a/b", "/a/b"],
    ["/50%25", "/50%25"],
    ["/50%", "/50%"],
    ["/%zz/ü", "/%zz/ü", "/%zz/%C3%BC"],
    ["/%E9t%E9", "/%e9t%e9", "/%E9t%E9"], // Latin-1: no UTF-8
    ["/%C3", "/%c3"],
    ["/%ED%A0%80", "/%ed%a0%80"], // half a pair
    ["/鞋", "/%E9%9E%8B", "/鞋"],
    ["/👟", "/%F0%9F%91%9F", "/👟"],
    ["/a%E2%80%8Bb%C2%A0c%0A", "/a\u200bb\u00a0c%0a", "/a%E2%80%8Bb%C2%A0c%0A"], // nobody sees these
    ["/می‌خواهم", "/%D9%85%DB%8C%E2%80%8C%D8%AE%D9%88%D8%A7%D9%87%D9%85"],
    ["/a+b", "/a+b"],
    ["/"],
  ];
  test.each(ONE)("[SPL-1] the page %s", (page, ...sent) => {
    for (const path of sent) expect(pageOf({ url: `https://shop.example${path}?x=1` })).toBe(page);
  });

  test("[SPL-1] an empty path is the page /", () => {
    for (const rest of ["", "/", "?x=1", "#top", "/#top"])
      expect(pageOf({ url: `https://shop.example${rest}` })).toBe("/");
  });

  test("[SPL-1] what RFC 3986 reserves is another character when it is escaped", () => {
    for (const character of ":/?#[]@!$&'()*+,;=") {
      const escaped = `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
      expect(spellPath(`/a${escaped}b`)).toBe(`/a${escaped}b`);
    }
  });

  test("[SPL-1] a spelling is its own spelling, whatever it is of, and an escaped text has that of the text", () => {
    const piece = fc.constantFrom(
      "%",
      "%2",
      "%C3",
      "%bc",
      "%34",
      "%61",
      "%25",
      "a",
      "1",
      "ü",
      "u\u0308",
      "é",
      "/",
      "\u037e",
    );
    const text = fc.oneof(
      fc.array(piece).map((pieces) => pieces.join("")),
      fc.string({ unit: "binary" }),
    );
    fc.assert(
      fc.property(text, (path) => {
        const spelt = spellPath(path);
        expect(spellPath(spelt)).toBe(spelt);
      }),
      { numRuns: 2_000 },
    );
    const written = fc.string({ unit: "grapheme" }).filter((path) => path.isWellFormed() && !/[\p{C}%]/u.test(path));
    fc.assert(
      fc.property(written, (path) => {
        expect(spellPath(encodeURI(path))).toBe(spellPath(path));
      }),
    );
  });

  test("[SPL-1] a path of a hundred thousand percent signs takes no longer than its length", () => {
    for (const part of ["%", "%C3", "%e9%9e", "%F0%9F%91", "ü%", "%2"]) {
      const spell = (size: number) => void spellPath(part.repeat(size));
      expect(growthOf(spell, 200_000), part).toBeLessThan(GROWTH_TIMES_MAX);
    }
  });

  const KEPT: readonly (readonly [query: string, page: string])[] = [
    ["q=red+shoes", "/s?q=red shoes"],
    ["Q=red%20shoes", "/s?q=red shoes"],
    ["q=%c3%bc%26b", "/s?q=ü%26b"],
    ["x=1&amp;q=a", "/s?q=a"],
    ["q", "/s?q"],
  ];
  test.each(KEPT)("[SPL-1] the kept parameters of %s make the page %s", (query, page) => {
    const paths = { ...NO_RULES.paths, keep_query: ["q"] };
    expect(pageOf({ url: `https://shop.example/s?${query}` }, { paths })).toBe(page);
    expect(spellPage(page)).toBe(page);
  });
});

describe("hosts", () => {
  const ONE: readonly (readonly [host: string, ...sent: string[]])[] = [
    ["shop.example", "Shop.Example", "shop.example.", "shop.example:443", "user:secret@shop.example:8443"],
    ["xn--mller-kva.example", "müller.example", "MÜLLER.example", "mu\u0308ller.example", "m%C3%BCller.example"],
    ["xn--strae-oqa.example", "straße.example"],
    ["xn--fiqs8s.example", "中国.example", "中国。example"],
    ["shop.example", "ｓｈｏｐ.example", "sh\u00adop.example"],
    ["[2001:db8::1]", "[2001:DB8::1]:80"],
    ["", "(none)", "(other)", "a|b.example", "%zz.example"],
  ];
  test.each(ONE)("[SPL-2] the host %s", (host, ...sent) => {
    for (const one of sent) expect(parseAddress(`https://${one}/x`)?.hostname).toBe(host);
  });

  test("[SPL-2] international names are those that browsers send", () => {
    const letters = fc.constantFrom(..."abcxyz0189-äöüßéñøłşğабвгдежзיראωαβγδ中国鞋店日本語ひらカタ한국어");
    const label = fc.array(letters, { minLength: 1, maxLength: 12 }).map((found) => `a${found.join("")}z`);
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 3 }), (labels) => {
        const host = `${labels.join(".")}.example`;
        const url = `https://${host}/`;
        if (!URL.canParse(url)) return; // two directions in one label, or too long
        const expected = new URL(url).hostname;
        expect(spellHost(host)).toBe(expected);
        expect(readHost(expected)).toBe(domainToUnicode(expected));
      }),
      { numRuns: 1_000 },
    );
  });

  test("[SPL-2] what is no encoded name is left as it is, and hosts of any length are read in time by it", () => {
    for (const host of ["xn--", "xn---", "xn--a!b.example", "xn--99999999999.example", "xn--ab-.xn--"])
      expect(typeof readHost(host)).toBe("string");
    for (const unit of ["ü", "ü.", "中国"]) {
      const spell = (size: number) => void spellHost(unit.repeat(size));
      expect(growthOf(spell, 800_000), unit).toBeLessThan(GROWTH_TIMES_MAX);
    }
  });

  test("[SPL-2] rules name hosts in either spelling", () => {
    const drop = (rules: Partial<Rules>, url: string) =>
      opine(eventOf({ url }), { own: { ...NO_RULES, ...rules }, global: NO_RULES }).dropped;
    const rules = { hostnames: ["xn--mller-kva.example"] }; // as the parser stores "müller.example"
    expect(drop(rules, "https://www.MÜLLER.example./")).toBe("");
    expect(drop(rules, "https://xn--mller-kva.example/")).toBe("");
    expect(drop(rules, "https://muller.example/")).toBe("hostname");
  });
});

describe("the same form for what is compared", () => {
  const fits = (filter: readonly unknown[], value: string): boolean => {
    const parsed = parseFilters([filter]);
    if (!parsed.ok || parsed.value.kind !== "and") throw new Error("no filter");
    const [comparison] = parsed.value.of;
    if (comparison?.kind !== "comparison") throw new Error("no comparison");
    return comparison.fits(value);
  };

  const FITS: readonly (readonly [filter: readonly unknown[], value: string, fits: boolean])[] = [
    [["is", "event:page", ["/%c3%bcber-uns"]], "/über-uns", true],
    [["is", "event:page", ["/über-uns"]], "/%C3%BCber-uns", true], // as rollups of before have it
    [["is", "event:page", ["/a/b"]], "/a%2Fb", false],
    [["is", "visit:entry_page", ["/u\u0308"]], "/ü", true],
    [["is", "visit:exit_page", ["/s?q=red+shoes"]], "/s?q=red shoes", true],
    [["is", "event:page", ["(none)"]], "(none)", true],
    [["contains", "event:page", ["%C3%BCber"]], "/über-uns", true],
    [["contains", "event:page", ["ÜBER"], { case_sensitive: false }], "/über-uns", true],
    [["matches", "event:page", ["^/%C3%BCber"]], "/über-uns", true],
    [["matches", "event:page", ["^/über"]], "/über-uns", true],
    [["is", "event:hostname", ["Müller.example."]], "xn--mller-kva.example", true],
    [["is", "visit:entry_page_hostname", ["xn--mller-kva.example"]], "xn--mller-kva.example", true],
    [["contains", "event:hostname", ["müll"]], "xn--mller-kva.example", true],
    [["matches", "event:hostname", ["^müller"]], "xn--mller-kva.example", true],
    [["is", "event:hostname", ["(none)"]], "(none)", true],
    [["is", "visit:source", ["bücher.example"]], "xn--bcher-kva.example", true],
    [["is", "visit:source", ["Direct / None"]], "Direct / None", true],
    [["is", "visit:source", ["google"]], "Google", false],
    [["is", "visit:referrer", ["https://www.bücher.example/%c3%bc/"]], "xn--bcher-kva.example/ü", true],
    [["is", "visit:referrer", ["Direct / None"]], "Direct / None", true],
    [["contains", "visit:referrer", ["/blog/"]], "news.example/blogger", false],
    [["contains", "visit:referrer", ["/%C3%BC"]], "news.example/ü", true],
  ];
  test.each(FITS)("[SPL-3] %j of %s: %s", (filter, value, expected) => {
    expect(fits(filter, value)).toBe(expected);
  });

  test("[SPL-3] goals and rules of paths may be written in any spelling", () => {
    for (const spelling of ["/über*", "/%C3%BCber*", "/%c3%bcber*", "/u\u0308ber*"]) {
      const goals = [{ name: "about", page: spelling }];
      const event = eventOf({ url: "https://shop.example/%c3%9Cber-uns" });
      expect(opine(event, { own: { ...NO_RULES, goals }, global: NO_RULES }).goals).toEqual(["about"]);
      const paths = { ...NO_RULES.paths, replace: [{ match: spelling, page: "/%c3%bc" }] };
      expect(pageOf({ url: "https://shop.example/über-uns" }, { paths })).toBe("/ü");
    }
  });

  test("[SPL-3] a pattern of a referrer may be written in any spelling", () => {
    const channels = [{ channel: "Press", referrer: "https://www.zürich.example/%c3%bc*" }];
    const event = eventOf({ referrer: "https://xn--zrich-kva.example/ü/1" });
    expect(opine(event, { own: { ...NO_RULES, channels }, global: NO_RULES }).channel).toBe("Press");
  });
});

describe("what answers show", () => {
  const SHOWN: readonly (readonly [url: string, referrer: string, source: string, shown: string])[] = [
    ["https://shop.example/", "https://www.m.x.example:8080/a///", "x.example", "x.example/a"],
    ["https://shop.example/", "https://x.example cart", "x.example", "x.example/ cart"],
    ["https://shop.example/?utm_source=M%C3%BCller.Example", "", "xn--mller-kva.example", ""],
    ["https://shop.example/?utm_source=Caf%C3%A9%20No.%205", "", "Caf\u00e9 No. 5", ""],
  ];
  test.each(SHOWN)("[SPL-8] %s after %s came from %s", (url, referrer, source, shown) => {
    const opinion = opine(eventOf({ url, referrer }), NO_RULES_IN_FORCE);
    expect(opinion).toMatchObject({ source, referrer: shown });
    expect([SOURCES.spell(source), REFERRERS.spell(shown)]).toEqual([source, shown]);
  });

  test("[SPL-8] filters name a referrer with its port, its slashes or its scheme", () => {
    for (const text of ["https://www.x.example:8080/a//", "x.example/a", "HTTP://X.example./a/"])
      expect(REFERRERS.spell(text)).toBe("x.example/a");
  });
});

describe("pages in fragments", () => {
  const SENT: readonly (readonly [url: string, marked: number, page: string])[] = [
    ["https://shop.example/#/cart", 0, "/#/cart"],
    ["https://shop.example/#!/cart", 0, "/#!/cart"],
    ["https://shop.example/app?a=1#/%C3%BCber?step=2", 0, "/app#/über"],
    ["https://shop.example/#cart", 0, "/"],
    ["https://shop.example/#cart", 1, "/#cart"],
    ["https://shop.example/#/cart?x=1", 1, "/#/cart"],
    ["https://shop.example/#/", 1, "/"],
    ["https://shop.example/#", 1, "/"],
    ["https://shop.example/", 1, "/"],
    ["https://shop.example/a#:~:text=x", 0, "/a"],
  ];
  test.each(SENT)("[SPL-6] %s, marked %i, is the page %s", (url, fragment, page) => {
    expect(pageOf({ url, fragment })).toBe(page);
  });

  test("[SPL-6] campaign, kept parameters, ids and goals are read from the fragment too", () => {
    const paths = { strip_ids: true, keep_query: ["step"], replace: [] };
    const goals = [{ name: "ordered", page: "/#/order/*" }];
    const event = eventOf({ url: "https://shop.example/#/order/4711?utm_source=x&utm_medium=cpc&step=2" });
    const opinion = opine(event, { own: { ...NO_RULES, paths, goals }, global: NO_RULES });
    expect(opinion).toMatchObject({
      page: "/#/order/:id?step=2",
      source: "X",
      utm_source: "x",
      utm_medium: "cpc",
      channel: "Paid Social",
      goals: ["ordered"],
    });
    const both = eventOf({ url: "https://shop.example/?utm_source=first#/a?utm_source=second&utm_campaign=c" });
    expect(opine(both, { own: NO_RULES, global: NO_RULES })).toMatchObject({ utm_source: "first", utm_campaign: "c" });
  });

  test("[SPL-6] what Plausible's hash mode was stored as until now is the same page", () => {
    expect(NO_FACTS.fragment).toBe(0);
    expect(pageOf({ url: "https://shop.example/app%23/cart?step=2", format: "plausible" })).toBe("/app#/cart");
    expect(pageOf({ url: "https://shop.example/%23/", format: "plausible" })).toBe("/");
    expect(pageOf({ url: "https://shop.example/c%23", format: "native" })).toBe("/c%23");
  });
});
