// The parts of the dashboard that need no page: the view in the address, the catalogues, the sizes of what is built.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  buildDashboard,
  DASHBOARD_BYTES_MAX,
  LANGUAGE_CODES,
  PAGE_NAMES,
  PART_NAMES,
} from "../../../scripts/build-dashboard.ts";
import {
  addDays,
  COMPARISONS,
  INTERVALS,
  OPERATORS,
  type Operator,
  parsePlace,
  parseView,
  RANGES,
  toSearch,
  usualInterval,
  type View,
} from "../../../workers/query/dashboard/address.ts";
import { DIMENSION_NAMES, PANELS } from "../../../workers/query/dashboard/dimension.ts";
import {
  changeOf,
  medianOf,
  moversOf,
  sumOf,
  usualOf,
  warningsOf,
} from "../../../workers/query/dashboard/pages/morning/reckon.ts";
import {
  fieldOf,
  type Rules,
  toTexts,
  withLine,
  withTexts,
} from "../../../workers/query/dashboard/pages/rules/rule-text.ts";
import { endOfDay } from "../../../workers/query/dashboard/pages/settings/end-of-day.ts";
import { frameLine } from "../../../workers/query/dashboard/pages/settings/frame-line.ts";
import { arrived } from "../../../workers/query/dashboard/pages/settings/heard.ts";
import {
  type Day,
  knownLists,
  type LeftOut,
  lastDays,
  lineFor,
  reasonsOf,
  stateOf,
  verdictOf,
} from "../../../workers/query/dashboard/pages/trust/proof.ts";
import { PAGES, PAGES_OF_NO_SHOP } from "../../../workers/query/dashboard/pages.ts";

const ROOT = join(import.meta.dirname, "../../..");

describe("the view in the address", () => {
  const date = fc.integer({ min: 0, max: 20_000 }).map((days) => addDays("2000-01-01", days));
  const range = fc.oneof(
    fc.constantFrom(...RANGES),
    fc.tuple(date, date).map(([one, other]) => (one < other ? ([one, other] as const) : ([other, one] as const))),
  );
  const filter = fc.record({
    operator: fc.constantFrom(...(Object.keys(OPERATORS) as Operator[])),
    dimension: fc.constantFrom(...DIMENSION_NAMES),
    // A lone surrogate is no text that an address can hold.
    values: fc.array(fc.string({ minLength: 1, unit: "grapheme" }), { minLength: 1, maxLength: 3 }),
  });
  const tabs = fc
    .tuple(...PANELS.map(([panel, names]) => fc.constantFrom(...names).map((name) => [panel, name, names[0]] as const)))
    .map((all) => Object.fromEntries(all.filter(([, name, first]) => name !== first)));
  const view: fc.Arbitrary<View> = fc
    .record({
      range,
      vs: fc.constantFrom(...COMPARISONS),
      metric: fc.option(fc.constantFrom("visitors", "total_revenue"), { nil: undefined }),
      by: fc.option(fc.constantFrom(...INTERVALS), { nil: undefined }),
      filters: fc.array(filter, { maxLength: 4 }),
      tabs,
      all: fc.option(fc.constantFrom(...DIMENSION_NAMES), { nil: undefined }),
      steps: fc.option(fc.array(filter, { minLength: 1, maxLength: 8 }), { nil: undefined }),
      at: fc.option(fc.stringMatching(/^[\w-]{1,80}$/), { nil: undefined }),
    })
    .map(
      (made) => Object.fromEntries(Object.entries(made).filter(([, value]) => value !== undefined)) as unknown as View,
    );

  test("[DSH-5] any view is the same after it was written and read", () => {
    fc.assert(
      fc.property(view, (given) => {
        expect(parseView(toSearch(given))).toEqual(given);
      }),
    );
  });

  test("[DSH-5] whatever stands in an address is read as some view, which is then always the same", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.webQueryParameters()), (text) => {
        const read = parseView(`?${text}`);
        expect(parseView(toSearch(read))).toEqual(read);
      }),
    );
  });

  const WEEK: View = { range: "7d", vs: "prev", filters: [], tabs: {} };
  /** Addresses of version 1 that people have kept. They are never taken out. */
  const KEPT: readonly (readonly [search: string, view: View])[] = [
    ["?v=1&range=7d", WEEK],
    ["", WEEK],
    ["?v=1&range=nonsense&vs=never&by=second&f=is:shoe-size:44&f=is:source&where=page&all=x", WEEK],
    ["?v=1&range=2026-11-01~2026-11-07", { ...WEEK, range: ["2026-11-01", "2026-11-07"] }],
    ["?v=1&range=2026-11-31~2026-12-07", WEEK],
    ["?v=1&range=2026-11-07~2026-11-01", WEEK],
    [
      "?v=1&range=day&vs=none&metric=visitors&by=hour",
      { ...WEEK, range: "day", vs: "none", metric: "visitors", by: "hour" },
    ],
    [
      "?v=1&range=7d&f=is:source:Google:Bing&f=hasnt:page:%2Fa~:b~~c&where=channel&all=country",
      {
        ...WEEK,
        filters: [
          { operator: "is", dimension: "source", values: ["Google", "Bing"] },
          { operator: "hasnt", dimension: "page", values: ["/a:b~c"] },
        ],
        tabs: { where: "channel" },
        all: "country",
      },
    ],
  ];
  test.each(KEPT)("[DSH-5] the address %s shows what it showed", (search, shown) => {
    expect(parseView(search)).toEqual(shown);
  });

  test("[DSH-5] a range without an interval has one that gives no more points than can be told apart", () => {
    const rows = [
      ["2026-11-01", "2026-11-02", "hour"],
      ["2026-11-01", "2026-11-03", "day"],
      ["2026-01-01", "2026-12-31", "week"],
      ["2020-01-01", "2026-12-31", "month"],
    ] as const;
    for (const [from, to, by] of rows) expect(usualInterval([from, to])).toBe(by);
  });
});

describe("the pages of a shop", () => {
  const PLACES = [
    ["/s/mer_1/now", { first: "s", id: "mer_1", page: "now" }],
    ["/s/mer_1", { first: "s", id: "mer_1", page: "overview" }],
    ["/s/mer_1/", { first: "s", id: "mer_1", page: "overview" }],
    ["/share", { first: "share", id: "", page: "overview" }],
    ["/share/now", { first: "share", id: "", page: "now" }],
    ["/shops", { first: "shops", id: "", page: "overview" }],
    ["/", { first: "", id: "", page: "overview" }],
  ] as const;
  test.each(PLACES)("[DSH-13] the path %s names its page", (path, place) => {
    expect(parsePlace(path)).toEqual(place);
  });

  test("[DSH-13] every page has an address and a key of its own, and what is under pages/ is in the list", () => {
    const loaded = PAGES.filter(({ load }) => load !== undefined).map(({ name }) => name);
    expect([...loaded, ...Object.keys(PAGES_OF_NO_SHOP)].sort()).toEqual(PAGE_NAMES);
    expect(PAGES[0]?.name).toBe("overview");
    expect(new Set(PAGES.map(({ name }) => name)).size).toBe(PAGES.length);
    const keyed = PAGES.filter(({ under }) => under === undefined);
    expect(new Set([...keyed.map(({ key }) => key), "h"]).size).toBe(keyed.length + 1);
    for (const { name, key = "" } of keyed)
      expect([name, /^[a-z-]+$/.test(name), /^[a-z]$/.test(key)]).toEqual([name, true, true]);
    for (const { under } of PAGES.filter((one) => !keyed.includes(one)))
      expect(keyed.map(({ name }) => name)).toContain(under);
  });
});

describe("what the page Trust makes of a proof", () => {
  const RANGES_PROVEN = [
    [["2026-11-01", "2026-11-07"], { dates: ["2026-11-01", "2026-11-07"], isCut: false }],
    [["2026-11-01", "2026-11-30"], { dates: ["2026-11-01", "2026-11-10"], isCut: false }], // the rest is ahead
    [["2026-10-11", "2026-11-10"], { dates: ["2026-10-11", "2026-11-10"], isCut: false }], // 31 Days
    [["2026-10-10", "2026-11-10"], { dates: ["2026-10-11", "2026-11-10"], isCut: true }],
    [["2020-01-01", "2026-03-01"], { dates: ["2026-01-30", "2026-03-01"], isCut: true }],
    [["2026-11-11", "2026-11-12"], undefined],
  ] as const;
  test.each(RANGES_PROVEN)("[DSH-15] of %j it proves %j", (range, proven) => {
    expect(lastDays(range, "2026-11-10")).toEqual(proven);
  });

  const DAY: Day = {
    date: "2026-11-10",
    state: "sealed",
    received: 5,
    counted: 3,
    outside_visits: 0,
    dropped: { spam: 1, bot: 1 },
    adds_up: true,
    compared: true,
    differences: [],
    seals: [],
  };
  const proofOf = (days: readonly Day[], differences = 0) => ({
    ...DAY,
    received: days.reduce((sum, { received }) => sum + received, 0),
    as_of: "2026-11-10T12:00:00Z",
    rules: 1,
    adds_up: true,
    differences,
    left_out: {},
    days,
  });

  test("[DSH-15] the sentence says the worst that is so", () => {
    expect(verdictOf(proofOf([DAY, DAY]))).toEqual(["good", 10]);
    expect(verdictOf(proofOf([]))).toEqual(["none", 0]);
    expect(verdictOf(proofOf([DAY], 2))).toEqual(["differs", 2]);
    expect(verdictOf(proofOf([DAY, { ...DAY, adds_up: false }], 2))).toEqual(["lost", 1]);
  });

  test("[DSH-15] a Day of which nothing came is not called proven", () => {
    expect(stateOf(DAY)).toBe("sealed");
    expect(stateOf({ ...DAY, received: 0 })).toBe("nothing");
    expect(stateOf({ ...DAY, received: 0, state: "open" })).toBe("open");
  });

  test("[DSH-15] reasons stand by how often they were, then by name", () => {
    expect(reasonsOf({ ...DAY, dropped: { spam: 1, hostname: 9, bot: 1 } })).toEqual([
      ["hostname", 9],
      ["bot", 1],
      ["spam", 1],
    ]);
  });

  test("[DSH-15] a name makes a line of the rules where that line would count it, and a list is known or not shown", () => {
    expect(
      [
        lineFor("bot", "agents", "OurApp"),
        lineFor("network", "networks", "16509"),
        lineFor("referrer", "referrers", "blog.example"),
        lineFor("hostname", "pages", "www.shop.example/a/b"),
        lineFor("bot", "networks", "16509"),
        lineFor("bot", "agents", ""),
        lineFor("duplicate", "agents", "Chrome"),
      ].map((line) => line?.join(" ")),
    ).toEqual([
      "bots/admit *OurApp*",
      "asns/admit 16509",
      "referrers/admit blog.example",
      "hostnames www.shop.example",
      undefined,
      undefined,
      undefined,
    ]);
    const [some, none] = ["curl", ""].map((name) => ({ named: [{ name, events: 1 }], others: 0 }));
    const lists = { agents: some, networks: none, pages: some, referrers: none } as LeftOut;
    expect(knownLists(lists)).toEqual(["agents", "pages"]);
    const choice = { drop: [], admit: ["*a*"] };
    const rules = { bots: choice, referrers: choice, asns: { drop: [], admit: [] }, addresses: [], hostnames: [] };
    const texts = withLine(toTexts(rules), "bots/admit", "*b*");
    expect([texts["bots/admit"], withLine(texts, "bots/admit", "*a*")["bots/admit"]]).toEqual(["*a*\n*b*", "*a*\n*b*"]);
  });
});

test("[DSH-30] the line for a page is markup of its own, whatever the shop is called", () => {
  const line = frameLine({ id: "shr_1", token: "ffs_2" }, { origin: "https://q.example", name: `"><script>&` });
  expect(line).toBe(
    '<iframe src="https://q.example/embed/shr_1?v=1&amp;range=30d#ffs_2" title="&#34;&#62;&#60;script&#62;&#38;" width="100%" height="560" loading="lazy" style="border:0"></iframe>',
  );
});

describe("what the page Morning reckons", () => {
  const days = new Map([
    ["2026-11-06", [0.1]],
    ["2026-11-13", [0.2]],
    ["2026-11-14", [5]],
    ["2026-11-20", [0.4]],
    ["2026-11-27", [0.7]],
  ]);
  const friday = { index: 0, date: "2026-11-27", span: 1 };

  test("[DSH-23] usual is the median of the same weekday, of the weeks alone that the shop has", () => {
    expect(usualOf(days, friday)).toEqual({ value: 0.2, weeks: 3 });
    expect(usualOf(days, { ...friday, date: "2026-11-13" })).toEqual({ value: 0.1, weeks: 1 });
    expect(usualOf(days, { ...friday, date: "2026-11-06" })).toBeUndefined();
    // A day without a row is zero.
    expect(usualOf(days, { ...friday, date: "2026-11-21" })).toEqual({ value: 2.5, weeks: 2 });
    expect(usualOf(days, { ...friday, span: 7 })).toEqual({ value: 2.8, weeks: 2 });
    expect(usualOf(new Map(), friday)).toBeUndefined();
    expect([medianOf([3]), medianOf([1, 4]), medianOf([9, 1, 2]), medianOf([4, 1, 3, 2])]).toEqual([3, 2.5, 2, 2.5]);
  });

  test("[DSH-23] money of days adds up to what it is, and a change from nothing is none", () => {
    expect(
      sumOf(
        new Map([
          ["2026-11-26", [0.1]],
          ["2026-11-27", [0.2]],
        ]),
        { ...friday, span: 2 },
      ),
    ).toBe(0.3);
    expect([changeOf(15, 10), changeOf(5, 10), changeOf(5, 0)]).toEqual([50, -50, null]);
  });

  test("[DSH-23] one value grew most, one shrank most, and what a cut list lacks is no zero", () => {
    const listed = (values: Record<string, number>, areAll = true) => ({
      values: new Map(Object.entries(values)),
      areAll,
    });
    const now = listed({ a: 5, b: 2, c: 3, "(other)": 9 });
    expect(moversOf(now, listed({ a: 1, b: 9, c: 2 }))).toEqual([
      { name: "a", now: 5, before: 1 },
      { name: "b", now: 2, before: 9 },
    ]);
    expect(moversOf(now, listed({ b: 2, c: 3 }))).toEqual([{ name: "a", now: 5, before: 0 }]);
    expect(moversOf(now, listed({ b: 2, c: 3 }, false))).toEqual([]);
    expect(moversOf(now, now)).toEqual([]);
  });

  test("[DSH-23] what is worth a look goes by fixed rules", () => {
    const usual = { orders: 3, usualOrders: 3, visitsToday: 9, visitsThen: 9, leftOut: 2, usualLeftOut: 2, visits: 90 };
    const rows = [
      [{}, []],
      [{ orders: 0 }, ["noOrders"]],
      [{ orders: 0, usualOrders: 0.5 }, []],
      [{ visitsToday: 0 }, ["noVisits"]],
      [{ visitsToday: 0, visitsThen: 4 }, []],
      [{ leftOut: 10 }, ["leftOut"]],
      [{ leftOut: 9 }, []],
      [{ leftOut: 10, usualLeftOut: 5 }, []],
    ] as const;
    for (const [change, found] of rows) expect([change, warningsOf({ ...usual, ...change })]).toEqual([change, found]);
  });
});

describe("rules as lines of text", () => {
  const word = fc.stringMatching(/^[a-z*][a-z0-9.*-]{0,11}$/);
  const list = fc.array(word, { maxLength: 3 });
  const choice = fc.record({ drop: list, admit: list });
  const network = fc.oneof(fc.ipV4Extended().map(String), fc.constantFrom("203.0.113.0/24", "2001:db8:7::/48"));
  const numbers = fc.array(fc.integer({ min: 1, max: 2 ** 32 - 1 }), { maxLength: 3 });
  const rules: fc.Arbitrary<Rules> = fc.record({
    bots: choice,
    referrers: choice,
    returns: choice,
    asns: fc.record({ drop: numbers, admit: numbers }),
    addresses: fc.array(
      // A name may have colons and blanks, as "floor 2: till".
      fc.record({ name: fc.constantFrom("office", "floor 2", "a:b"), networks: fc.array(network, { maxLength: 3 }) }),
    ),
    hostnames: list,
  });

  test("[DSH-21] rules are the same after they were shown and read, and what the form has not is kept", () => {
    fc.assert(
      fc.property(rules, (given) => {
        expect(withTexts(given, toTexts(given))).toEqual(given);
      }),
    );
  });

  test("[DSH-21] lines may have blanks around them and numbers their usual letters; what is no number is for the API to refuse", () => {
    const none: Rules = {
      bots: { drop: [], admit: [] },
      referrers: { drop: [], admit: [] },
      asns: { drop: [], admit: [] },
      addresses: [],
      hostnames: [],
    };
    const typed = {
      ...toTexts(none),
      hostnames: " shop.example \n\n",
      "asns/drop": "AS64500\nnone",
      addresses: "office",
    };
    expect(withTexts(none, typed)).toMatchObject({
      hostnames: ["shop.example"],
      asns: { drop: [64_500, "none"] },
      addresses: [{ name: "office", networks: [] }],
    });
    expect(fieldOf("rules/asns/drop/1 must be the number of an autonomous system")).toBe("asns/drop");
    expect(fieldOf("rules/addresses/0/networks/0 must be an address")).toBe("addresses");
    expect(fieldOf("rules take 70000 characters of JSON")).toBeUndefined();
  });
});

describe("what the settings reckon with", () => {
  const ENDS = [
    ["2026-11-28", "UTC", "2026-11-28T23:59:59Z"],
    ["2026-11-28", "Europe/Vienna", "2026-11-28T22:59:59Z"],
    ["2026-03-29", "Europe/Vienna", "2026-03-29T21:59:59Z"], // clocks went on in the morning
    ["2026-10-25", "Europe/Vienna", "2026-10-25T22:59:59Z"], // and back
    ["2026-03-07", "America/Los_Angeles", "2026-03-08T07:59:59Z"], // a few hours before they go on
    ["2026-11-28", "Pacific/Kiritimati", "2026-11-28T09:59:59Z"],
    ["2026-11-28", "Asia/Kathmandu", "2026-11-28T18:14:59Z"],
  ] as const;
  test.each(ENDS)("[DSH-18] %s ends in %s at %s", (date, zone, instant) => {
    expect(endOfDay(date, zone)).toBe(Date.parse(instant));
  });

  test("[DSH-20] the check says what has come since it began, also over midnight", () => {
    const first = { counted: 10, dropped: { bot: 2 } };
    expect(arrived(undefined, undefined)).toEqual({ counted: 0, dropped: [] });
    expect(arrived(first, first)).toEqual({ counted: 0, dropped: [] });
    expect(arrived(first, { counted: 13, dropped: { bot: 2, hostname: 1 } })).toEqual({
      counted: 3,
      dropped: [["hostname", 1]],
    });
    expect(arrived(first, { counted: 1, dropped: {} })).toEqual({ counted: 1, dropped: [] });
  });
});

describe("what is built", () => {
  test("[DSH-3] the entry, each page and the style stay within their bytes in every language", async () => {
    const { files, languages } = await buildDashboard();
    const textOf = (path: string) => files.find((file) => file.path === path)?.text ?? "";
    /** With all that a script imports before it runs, and all that is imported by that. */
    const loadedBy = (path: string): Set<string> => {
      const loaded = new Set([path]);
      for (const one of loaded)
        for (const [, name] of textOf(one).matchAll(/\b(?:import|from)\s*"\.\/([\w-]+\.js)"/g))
          loaded.add(`/assets/${name}`);
      return loaded;
    };
    const bytesOf = (paths: Iterable<string>) =>
      [...paths].reduce((sum, path) => sum + gzipSync(textOf(path), { level: 9 }).length, 0);
    expect(Object.keys(languages)).toEqual(expect.arrayContaining(["de", "en"]));
    for (const [code, { script, style, pages, parts }] of Object.entries(languages)) {
      const entry = loadedBy(script);
      const sizes = [...Object.entries(pages), ...Object.entries(parts)].map(([name, [own = "", ...others]]) => {
        const beyond = [...loadedBy(own)].filter((path) => !entry.has(path));
        expect([name, beyond.sort()]).toEqual([name, [own, ...others].sort()]);
        return [name, bytesOf(beyond)] as const;
      });
      console.log(
        `  dashboard: ${code} entry ${bytesOf(entry)} B, style ${bytesOf([style])} B, ${sizes.join(" B, ")} B`,
      );
      expect([bytesOf(entry) > 5_000, bytesOf(entry) <= DASHBOARD_BYTES_MAX.script]).toEqual([true, true]);
      expect([bytesOf([style]) > 500, bytesOf([style]) <= DASHBOARD_BYTES_MAX.style]).toEqual([true, true]);
      expect(sizes.map(([name]) => name)).toEqual([...PAGE_NAMES, ...PART_NAMES]);
      for (const [name, bytes] of sizes)
        expect([name, bytes > 500, bytes <= DASHBOARD_BYTES_MAX.page]).toEqual([name, true, true]);
    }
    for (const { path, text } of files) {
      expect(path).toMatch(/^\/assets\/[a-z]+-[A-Z0-9]{8}\.(js|css)$/);
      expect(text).not.toMatch(/innerHTML\s*=(?!=)[^=].*dangerously|eval\(|new Function/);
    }
  });

  type Texts = Readonly<Record<string, string>>;
  /** What all pages say, and what each says alone, by language. */
  async function catalogues(page: string): Promise<readonly (readonly [code: string, texts: Texts])[]> {
    const dashboard = "../../../workers/query/dashboard";
    if (page !== "") return Object.entries((await import(`${dashboard}/${page}/text.ts`)).default);
    return await Promise.all(
      LANGUAGE_CODES.map(async (code) => [code, (await import(`${dashboard}/text/${code}.ts`)).default] as const),
    );
  }

  test.each(["", ...PAGE_NAMES.map((name) => `pages/${name}`), ...PART_NAMES.map((name) => `parts/${name}`)])(
    "[DSH-10] every language has every text, with the same places to fill in: %s",
    async (page) => {
      const all = await catalogues(page);
      expect(all.map(([code]) => code).sort()).toEqual(LANGUAGE_CODES);
      const english = all.find(([code]) => code === "en")?.[1] ?? {};
      const placesOf = (text = "") => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
      expect(Object.keys(english).length).toBeGreaterThan(page === "" ? 100 : 1);
      for (const [code, texts] of all) {
        const own = Object.keys(texts).filter((key) => !/_(zero|two|few|many)$/.test(key));
        expect([code, own.sort()]).toEqual([code, Object.keys(english).sort()]);
        for (const [key, text] of Object.entries(texts)) {
          const counterpart = english[key] ?? english[key.replace(/_\w+$/, "_other")];
          expect([code, key, text.trim() === "", placesOf(text)]).toEqual([code, key, false, placesOf(counterpart)]);
        }
        // Whatever plural the language has, there is a text for it.
        for (const stem of own.filter((key) => key.endsWith("_other")).map((key) => key.slice(0, -"_other".length)))
          for (const rule of new Intl.PluralRules(code).resolvedOptions().pluralCategories)
            expect([code, `${stem}_${rule}` in texts || `${stem}_other` in texts]).toEqual([code, true]);
      }
    },
  );

  test("[DSH-10] no page has words of its own: between tags and in labels there are texts of the catalogue alone", () => {
    const pages = readdirSync(join(ROOT, "workers/query/dashboard"), { recursive: true, encoding: "utf8" }).filter(
      (path) => path.endsWith(".tsx"),
    );
    expect(pages).toEqual(expect.arrayContaining(["frame.tsx", "pages/now/page.tsx"]));
    for (const page of pages) {
      const source = readFileSync(join(ROOT, `workers/query/dashboard/${page}`), "utf8");
      const words = [
        ...source.matchAll(/\b(?:aria-label|title|placeholder|alt)="([^"]+)"/g),
        ...source.matchAll(/<\w+[^<>={}]*>\s*([A-Z][a-z]+[^<>{}]*)</g),
      ].map(([, word]) => word);
      expect([page, words]).toEqual([page, []]);
    }
  });
});
