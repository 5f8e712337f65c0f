// Filters: what is refused with which words, and what passes.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columnsOf } from "../../../core/archive/event-columns.ts";
import { attributeOf } from "../../../core/query/attribute.ts";
import { comparisonsOf, parseFilters, passes, withoutGoals } from "../../../core/query/filter.ts";
import { type Seen, seeDay } from "../../../core/query/seen.ts";
import { eventOf, settingsOf, TUESDAY } from "../../support/events.ts";
import { valueFrom } from "../../support/questions.ts";

const REFUSED: readonly (readonly [filter: unknown, message: string])[] = [
  [["is"], '#/filters/0: Invalid filter ["is"]'],
  [[], "#/filters/0: Invalid filter []"],
  ["is", '#/filters/0: Invalid filter "is"'],
  [["and"], '#/filters/0: Invalid filter ["and"]'],
  [["or", []], '#/filters/0: Invalid filter ["or", []]'],
  [["not", []], '#/filters/0: Invalid filter ["not", []]'],
  [["has_done"], '#/filters/0: Invalid filter ["has_done"]'],
  [["exists?", "event:name", ["foo"]], '#/filters/0: Invalid filter ["exists?", "event:name", ["foo"]]'],
  [["is", "event:device", ["foo"]], '#/filters/0: Invalid filter ["is", "event:device", ["foo"]]'],
  [["is", "visit:name", ["foo"]], '#/filters/0: Invalid filter ["is", "visit:name", ["foo"]]'],
  [["is", "time", ["foo"]], '#/filters/0: Invalid filter ["is", "time", ["foo"]]'],
  [["is", "event:page", "foo"], '#/filters/0: Invalid filter ["is", "event:page", "foo"]'],
  [["is", "event:page", []], '#/filters/0: Invalid filter ["is", "event:page", []]'],
  [["is", "event:page", [7]], '#/filters/0: Invalid filter ["is", "event:page", [7]]'],
  [["is", "event:props:", ["a"]], '#/filters/0: Invalid filter ["is", "event:props:", ["a"]]'],
  [["is", "event:page", ["/"], true], '#/filters/0: Invalid filter ["is", "event:page", ["/"], true]'],
  [
    ["matches", "event:page", ["/"], { case_sensitive: false }],
    '#/filters/0: Invalid filter ["matches", "event:page", ["/"], Object]',
  ],
  [["is", "event:page", ["/"], { case: 1 }], '#/filters/0: Invalid filter ["is", "event:page", ["/"], Object]'],
  [["is_not", "event:goal", ["A"]], "#/filters/0: Goals can be filtered by `is` and `contains` only."],
  [
    ["is", "visit:country", ["USA"]],
    "Invalid visit:country filter, visit:country needs to be a valid 2-letter country code.",
  ],
  [
    ["has_done", ["is", "visit:browser", ["Chrome"]]],
    "Invalid filters. Behavioral filters (has_done, has_not_done) can only be used with event dimension filters.",
  ],
  [
    ["has_done", ["has_not_done", ["is", "visit:browser", ["Chrome"]]]],
    "Invalid filters. Behavioral filters (has_done, has_not_done) cannot be nested.",
  ],
  [["matches", "event:page", ["("]], '#/filters/0: The regular expression is not valid: a ")" is missing.'],
];

describe("refusals", () => {
  test.each(REFUSED)("[FIL-1] %j", (filter, message) => {
    expect(parseFilters([filter])).toMatchObject({ ok: false, rejection: { message } });
  });

  test("[FIL-1] nesting and number are bounded, and nothing long is repeated", () => {
    const leaf = ["is", "event:page", ["/"]];
    const deep = Array.from({ length: 5_000 }).reduce<unknown>((inner) => ["not", inner], leaf);
    const many = Array.from({ length: 300 }, () => leaf);
    const wide = [["is", "event:page", Array.from({ length: 1_001 }, () => "x")]];
    for (const filters of [
      [deep],
      many,
      wide,
      [["x".repeat(10_000), leaf]],
      JSON.parse("[".repeat(5_000) + "]".repeat(5_000)),
    ]) {
      const read = parseFilters(filters);
      expect(read.ok ? "" : read.rejection.message).toMatch(/^#\/filters.{1,200}$/);
    }
  });
});

const GOALS = [
  { name: "Signup", event: "signup" },
  { name: "Pay", page: "/pay*" },
];
const VISIT: readonly Parameters<typeof eventOf>[0][] = [
  { url: "https://shop.example/", props: '{"plan":"Pro","__proto__":"x"}', referrer: "https://www.google.com/" },
  { url: "https://till.example/pay?a=1", timestamp: TUESDAY + 1_000 },
  { url: "https://shop.example/thanks", name: "signup", timestamp: TUESDAY + 2_000 },
];

function visitSeen(): readonly Seen[] {
  const rules = {
    bots: { drop: [], admit: [] },
    referrers: { drop: [], admit: [] },
    returns: { drop: [], admit: [] },
    addresses: [],
    asns: { drop: [], admit: [] },
    hostnames: [],
    paths: { strip_ids: false, keep_query: [], replace: [] },
    channels: [],
    goals: GOALS,
    orders: { keyed_only: false },
  };
  const settings = settingsOf("UTC", { rules: [{ version: 1, from: 0, rules }] });
  const rows = VISIT.map((changes, position) => ({ partition: "pool-0", position, event: eventOf(changes) }));
  const { visits } = seeDay({ rows: columnsOf(rows), day: Math.floor(TUESDAY / 86_400_000) }, { settings, global: [] });
  expect(visits).toHaveLength(1);
  return visits[0]?.events as readonly Seen[];
}

/** Which of the visit's three events pass. */
const PASSES: readonly (readonly [filter: unknown, which: string])[] = [
  [["is", "event:page", ["/", "/pay"]], "110"],
  [["is_not", "event:page", ["/"]], "011"],
  [["contains", "event:page", ["A"]], "000"],
  [["contains", "event:page", ["A"], { case_sensitive: false }], "011"],
  [["is", "event:page", ["/PAY"], { case_sensitive: false }], "010"],
  [["contains_not", "event:page", ["a"]], "100"],
  [["matches", "event:page", ["^/(pay|thanks)$"]], "011"],
  [["matches_not", "event:page", ["^/(pay|thanks)$"]], "100"],
  [["is", "event:props:plan", ["Pro"]], "100"],
  [["is", "event:props:plan", ["(none)"]], "011"],
  [["is", "event:props:__proto__", ["x"]], "100"],
  [["is", "event:property", ["__proto__", "nothing"]], "100"],
  [["is_not", "event:property", ["plan"]], "011"],
  [["is", "event:hostname", ["till.example"]], "010"],
  [["is", "event:goal", ["Signup"]], "001"],
  [["contains", "event:goal", ["ay"]], "010"],
  [["is", "visit:source", ["Google"]], "111"],
  [["is", "visit:utm_source", ["(not set)"]], "111"],
  [["is", "visit:entry_page", ["/"]], "111"],
  [["is", "visit:exit_page", ["/pay"]], "111"],
  [["is", "visit:exit_page_hostname", ["till.example"]], "111"],
  [["is", "visit:country_name", ["United Kingdom"]], "111"],
  [["is", "visit:country", ["GB"]], "111"],
  [["is", "visit:browser_version", ["140.0"]], "111"],
  [["is", "visit:screen", ["Desktop"]], "111"],
  [["has_done", ["is", "event:name", ["signup"]]], "111"],
  [["has_not_done", ["is", "event:name", ["signup"]]], "000"],
  [["not", ["has_done", ["is", "event:page", ["/nowhere"]]]], "111"],
  [
    [
      "and",
      [
        ["is", "event:page", ["/"]],
        ["is", "event:name", ["signup"]],
      ],
    ],
    "000",
  ],
  [
    [
      "or",
      [
        ["is", "event:page", ["/"]],
        ["is", "event:name", ["signup"]],
      ],
    ],
    "101",
  ],
  [
    [
      "not",
      [
        "or",
        [
          ["is", "event:page", ["/"]],
          ["is", "event:name", ["signup"]],
        ],
      ],
    ],
    "010",
  ],
];

describe("what passes", () => {
  test.each(PASSES)("[FIL-2] %j", (filter, which) => {
    const read = valueFrom(parseFilters([filter]));
    expect(
      visitSeen()
        .map((seen) => (passes(read, seen) ? "1" : "0"))
        .join(""),
    ).toBe(which);
  });

  test("[FIL-2] and, or, not, and negated operators follow logic", () => {
    const leaf = fc.constantFrom(...PASSES.slice(0, 12).map(([filter]) => filter));
    const tree = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie("node"), { minLength: 1, maxLength: 3 }).map((of) => ["and", of]),
        fc.array(tie("node"), { minLength: 1, maxLength: 3 }).map((of) => ["or", of]),
        tie("node").map((of) => ["not", of]),
      ),
    })).node;
    const bitsOf = (filter: unknown): string => {
      const [operator, of] = filter as [string, unknown];
      const known = PASSES.find(([one]) => one === filter)?.[1];
      if (known !== undefined) return known;
      const flip = (bits: string) => [...bits].map((bit) => (bit === "1" ? "0" : "1")).join("");
      if (operator === "not") return flip(bitsOf(of));
      const all = (of as unknown[]).map(bitsOf);
      const isAnd = operator === "and";
      return [0, 1, 2].map((at) => (all[isAnd ? "every" : "some"]((bits) => bits[at] === "1") ? "1" : "0")).join("");
    };
    const seen = visitSeen();
    fc.assert(
      fc.property(tree, (filter) => {
        const read = valueFrom(parseFilters([filter]));
        expect(seen.map((one) => (passes(read, one) ? "1" : "0")).join("")).toBe(bitsOf(filter));
      }),
      { numRuns: 300 },
    );
  });
});

test("[FIL-3] without goals and properties a filter keeps what is about everybody", () => {
  const left = (filters: unknown) =>
    comparisonsOf(withoutGoals(valueFrom(parseFilters(filters)))).map(({ attribute }) => attribute.question);
  const goal = ["is", "event:goal", ["A"]];
  const prop = ["is", "event:props:a", ["A"]];
  const source = ["is", "visit:source", ["A"]];
  expect(left([goal, source])).toEqual(["visit:source"]);
  expect(left([["and", [goal, prop, ["not", source]]]])).toEqual(["visit:source"]);
  expect(
    left([
      ["or", [goal, source]],
      ["or", [source, source]],
    ]),
  ).toEqual(["visit:source", "visit:source"]);
  expect(left([["has_done", goal]])).toEqual([]);
});

test("[FIL-5] an attribute is what the grammar names, and nothing that objects happen to have", () => {
  for (const name of ["visit:constructor", "event:__proto__", "event:props:", 7, null, "time:day"])
    expect(attributeOf(name)).toBeUndefined();
  expect(attributeOf("event:props:constructor")?.question).toBe("event:props:constructor");
});
