// The parts of the dashboard that need no page: the view in the address, the catalogues, the sizes of what is built.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { buildDashboard, DASHBOARD_BYTES_MAX, LANGUAGE_CODES } from "../../../scripts/build-dashboard.ts";
import {
  addDays,
  COMPARISONS,
  INTERVALS,
  OPERATORS,
  type Operator,
  parseView,
  RANGES,
  toSearch,
  usualInterval,
  type View,
} from "../../../workers/query/dashboard/address.ts";
import { DIMENSION_NAMES, PANELS } from "../../../workers/query/dashboard/dimension.ts";

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

describe("what is built", () => {
  test("[DSH-3] the overview's script and style stay within their bytes in every language", async () => {
    const { files, languages } = await buildDashboard();
    const bytesOf = (path: string) =>
      gzipSync(files.find((file) => file.path === path)?.text ?? "", { level: 9 }).length;
    expect(Object.keys(languages)).toEqual(expect.arrayContaining(["de", "en"]));
    for (const [code, { script, style }] of Object.entries(languages)) {
      console.log(`  dashboard: ${code} script ${bytesOf(script)} B, style ${bytesOf(style)} B`);
      expect([bytesOf(script) > 5_000, bytesOf(script) <= DASHBOARD_BYTES_MAX.script]).toEqual([true, true]);
      expect([bytesOf(style) > 500, bytesOf(style) <= DASHBOARD_BYTES_MAX.style]).toEqual([true, true]);
    }
    for (const { path, text } of files) {
      expect(path).toMatch(/^\/assets\/[a-z]+-[A-Z0-9]{8}\.(js|css)$/);
      expect(text).not.toMatch(/innerHTML\s*=(?!=)[^=].*dangerously|eval\(|new Function/);
    }
  });

  test("[DSH-10] every language has every text, with the same places to fill in", async () => {
    const catalogues = await Promise.all(
      LANGUAGE_CODES.map(async (code) => {
        const { default: texts } = await import(`../../../workers/query/dashboard/text/${code}.ts`);
        return [code, texts as Readonly<Record<string, string>>] as const;
      }),
    );
    const english = catalogues.find(([code]) => code === "en")?.[1] ?? {};
    const placesOf = (text = "") => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
    expect(Object.keys(english).length).toBeGreaterThan(100);
    for (const [code, texts] of catalogues) {
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
  });

  test("[DSH-10] no page has words of its own: between tags and in labels there are texts of the catalogue alone", () => {
    const pages = [
      "api-view",
      "chart",
      "chips",
      "frame",
      "keys",
      "main",
      "overview",
      "panel",
      "people",
      "proof",
      "range",
      "state",
    ];
    for (const page of pages) {
      const source = readFileSync(join(ROOT, `workers/query/dashboard/${page}.tsx`), "utf8");
      const words = [
        ...source.matchAll(/\b(?:aria-label|title|placeholder|alt)="([^"]+)"/g),
        ...source.matchAll(/<\w+[^<>={}]*>\s*([A-Z][a-z]+[^<>{}]*)</g),
      ].map(([, word]) => word);
      expect([page, words]).toEqual([page, []]);
    }
  });
});
