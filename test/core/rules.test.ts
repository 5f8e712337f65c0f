// Which rules hold for an event, and how rules are read.

import fc from "fast-check";
import { expect, test } from "vitest";
import { RULE_TIMELINE_LENGTH_MAX, RULES_LENGTH_MAX } from "../../core/limits.ts";
import { parseRules } from "../../core/rule-parser.ts";
import {
  asRead,
  extendGoals,
  extendTimeline,
  type Goal,
  goalsDecided,
  goalsOfDays,
  knowsGoals,
  latestRules,
  NO_RULES,
  type RulePeriod,
  type Rules,
  type RuleTimeline,
  rulesAt,
  settlePeriod,
  takeBackFromDays,
} from "../../core/rules.ts";
import { parseHostname } from "../../storage/hostname.ts";

const rulesNamed = (name: string) => ({ ...NO_RULES, goals: [{ name, page: "/" }] });
const nameAt = (timeline: RuleTimeline, instant: number, day: number) =>
  rulesAt(timeline, { instant, day }).goals[0]?.name;

const TIMELINE: RuleTimeline = [
  { version: 1, rules: rulesNamed("first"), from: 1_000 },
  { version: 2, rules: rulesNamed("second"), from: 3_000 },
  { version: 3, rules: rulesNamed("past"), days: [0, 2] },
  { version: 4, rules: rulesNamed("third"), from: 5_000 },
];

test.each([
  [500, 9, undefined],
  [1_000, 9, "first"],
  [2_999, 9, "first"],
  [3_000, 9, "second"],
  [500, 0, "past"],
  [3_000, 1, "past"],
  [3_000, 2, "second"],
  [5_000, 1, "third"],
])("[RUL-1] at %i on Day %i the rules that hold are %s", (instant, day, expected) => {
  expect(nameAt(TIMELINE, instant, day)).toBe(expected);
});

const period = (version: number): fc.Arbitrary<RulePeriod> => {
  const rules = rulesNamed(`v${version}`);
  const days = fc.tuple(fc.integer({ min: 0, max: 8 }), fc.integer({ min: 1, max: 4 }));
  return fc.oneof(
    fc.integer({ min: 0, max: 100 }).map((from): RulePeriod => ({ version, rules, from })),
    days.map(([from, length]): RulePeriod => ({ version, rules, days: [from, from + length] })),
  );
};
const timelines = fc
  .integer({ min: 0, max: 8 })
  .chain((length) => fc.tuple(...Array.from({ length }, (_, index) => period(index + 1))));

test("[RUL-1] the last period that holds an event wins, and one that does not hold it changes nothing", () => {
  const moment = fc.record({ instant: fc.integer({ min: 0, max: 100 }), day: fc.integer({ min: 0, max: 12 }) });
  fc.assert(
    fc.property(timelines, period(99), moment, (timeline, added, at) => {
      const holds = "from" in added ? added.from <= at.instant : added.days[0] <= at.day && at.day < added.days[1];
      const rules = "rules" in added ? added.rules : undefined;
      expect(rulesAt([...timeline, added], at)).toBe(holds ? rules : rulesAt(timeline, at));
    }),
  );
});

test("[RUL-12] rules applied to past Days are taken back whole: every event has the rules it had", () => {
  fc.assert(
    fc.property(timelines, period(99), (timeline, added) => {
      fc.pre("days" in added);
      const extended = extendTimeline(timeline, added) as RuleTimeline;
      const days = (added as { days: readonly [number, number] }).days;
      expect(takeBackFromDays(extended, { version: 99, days })).toEqual(timeline);
      expect(takeBackFromDays(timeline, { version: 99, days })).toEqual(timeline);
      expect(latestRules(extended)).toEqual(latestRules(timeline));
    }),
  );
});

test("[RUL-2] a timeline that no longer fits a row is not extended", () => {
  const long = { ...NO_RULES, bots: { drop: ["x".repeat(RULE_TIMELINE_LENGTH_MAX / 2)], admit: [] } };
  const first = extendTimeline([], { version: 1, rules: long, from: 0 });
  expect(extendTimeline(first as RuleTimeline, { version: 2, rules: long, from: 1 })).toBe("full");
});

const parse = (value: unknown) => parseRules(value, parseHostname);

test("[RUL-4] rules come out complete, in one spelling", () => {
  const read = parse({
    bots: { drop: [" *Monitor* "] },
    referrers: { drop: ["Spam.Example.", "bücher.example", "spam.example"] },
    addresses: [{ name: "office", networks: ["203.0.113.7/24", "2001:DB8::/32"] }],
    hostnames: ["Shop.example"],
    goals: [{ name: "order", event: "purchase" }],
  });
  expect(read).toEqual({
    ok: true,
    value: {
      ...NO_RULES,
      bots: { drop: ["*Monitor*"], admit: [] },
      referrers: { drop: ["spam.example", "xn--bcher-kva.example"], admit: [] },
      addresses: [{ name: "office", networks: ["203.0.113.0/24", "2001:db8::/32"] }],
      hostnames: ["shop.example"],
      goals: [{ name: "order", event: "purchase" }],
    },
  });
  expect(parse({})).toEqual({ ok: true, value: NO_RULES });
});

test.each([
  [[], "rules must be a JSON object"],
  [{ robots: {} }, "rules/robots is not known; known: bots, "],
  [{ bots: { block: [] } }, "rules/bots/block is not known; known: drop, admit"],
  [{ bots: { drop: [""] } }, "rules/bots/drop/0 must be a text of 1 to 256 characters"],
  [{ bots: { drop: "curl" } }, "rules/bots/drop must be a list of at most 500 entries"],
  [{ referrers: { admit: ["https://a.example/"] } }, "rules/referrers/admit/0 must be a hostname"],
  [{ addresses: [{ name: "x", networks: ["10.0.0.0/40"] }] }, "rules/addresses/0/networks/0 must be an address"],
  [{ addresses: [{ networks: [] }] }, "rules/addresses/0/name is missing"],
  [{ asns: { drop: [0] } }, "rules/asns/drop/0 must be the number of an autonomous system"],
  [{ paths: { strip_ids: "yes" } }, "rules/paths/strip_ids must be true or false"],
  [{ paths: { replace: [{ match: "/a", page: "a" }] } }, 'rules/paths/replace/0/page must begin with "/"'],
  [{ channels: [{ channel: "x" }] }, "rules/channels/0 needs one of source, medium, campaign, referrer"],
  [{ goals: [{ name: "x" }] }, "rules/goals/0 needs one of event, page"],
  [
    {
      goals: [
        { name: "x", page: "/" },
        { name: "x", page: "/a" },
      ],
    },
    "rules/goals names the same thing twice",
  ],
  [
    { goals: Array.from({ length: 51 }, (_, index) => ({ name: `${index}`, page: "/" })) },
    "rules/goals must be a list",
  ],
  [
    { bots: { drop: Array.from({ length: 500 }, (_, index) => `${index}${"x".repeat(200)}`) } },
    `at most ${RULES_LENGTH_MAX} are possible`,
  ],
])("[RUL-4] refuses %j and says where and why", (value, message) => {
  const read = parse(value);
  expect(read.ok ? "taken" : read.rejection.message).toContain(message);
});

test("[RUL-4] what was read once is read again as it is", () => {
  const text = fc.string({ minLength: 1, maxLength: 20, unit: "binary" });
  const value = fc.record(
    {
      bots: fc.record({ drop: fc.array(text) }),
      asns: fc.record({ admit: fc.array(fc.integer({ min: 1 })) }),
      paths: fc.record({ strip_ids: fc.boolean(), keep_query: fc.array(text) }),
      goals: fc.uniqueArray(fc.record({ name: text, event: text }), { selector: ({ name }) => name.trim() }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(value, (given) => {
      const read = parse(given);
      fc.pre(read.ok);
      expect(parse(JSON.parse(JSON.stringify(read.ok && read.value)))).toEqual(read);
    }),
  );
});

const A = { name: "a", page: "/a" };
const B = { name: "b", page: "/b" };
const goalsOf = (...goals: readonly Goal[]): Rules => ({ ...NO_RULES, goals });
/** On Days 5 to 7 the goals of 2,000 were counted again, on Day 8 they are being. */
const WITH_GOALS: RuleTimeline = [
  { version: 1, from: 1_000, rules: { ...goalsOf(A), hostnames: ["shop.example"] } },
  { version: 2, from: 2_000, rules: goalsOf(A, B) },
  { version: 2, days: [5, 8], goals: [A, B] },
  { version: 2, days: [8, 9], goals: [A, B], counting: true },
];

test("[RPL-20] goals that were put on Days alone hold there in the place of those of their rules, and nothing else does", () => {
  const first = rulesAt(WITH_GOALS, { instant: 1_500, day: 5 });
  expect(first).toMatchObject({ goals: [A, B], hostnames: ["shop.example"] });
  expect(rulesAt(WITH_GOALS, { instant: 1_500, day: 5 })).toBe(first);
  expect(rulesAt(WITH_GOALS, { instant: 1_500, day: 4 }).goals).toEqual([A]);
  expect(rulesAt(WITH_GOALS, { instant: 500, day: 6 })).toEqual(goalsOf(A, B));
  const wrong: RuleTimeline = [...WITH_GOALS, { version: 1, days: [6, 7], rules: goalsOf(A) }];
  expect(rulesAt(wrong, { instant: 1_500, day: 6 }).goals).toEqual([A]);
});

test("[RUL-15] events are read by the goals decided last, and by their own rules otherwise", () => {
  const read = asRead(WITH_GOALS);
  for (const instant of [0, 1_500, 2_500]) expect(rulesAt(read, { instant, day: 1 }).goals).toEqual([A, B]);
  expect(rulesAt(read, { instant: 1_500, day: 1 }).hostnames).toEqual(["shop.example"]);
  expect(asRead([])).toEqual([]);
  expect(goalsDecided(WITH_GOALS)).toEqual([A, B]);
});

test.each([
  // A Day is known by a goal when all of its instants were counted by it, as it is now.
  [[A], { day: 1, from: 1_000, to: 3_000 }, true],
  [[A, B], { day: 1, from: 1_000, to: 3_000 }, false],
  [[A, B], { day: 1, from: 2_000, to: 3_000 }, true],
  [[A], { day: 1, from: 500, to: 3_000 }, false],
  [[{ ...A, page: "/other" }], { day: 1, from: 1_000, to: 3_000 }, false],
  [[A, B], { day: 5, from: 500, to: 3_000 }, true],
  [[A, B], { day: 8, from: 2_000, to: 3_000 }, false],
  [[], { day: 1, from: 0, to: 3_000 }, true],
])("[RUL-15] rollups know the goals %j of %j: %s", (goals, bucket, expected) => {
  expect(knowsGoals(WITH_GOALS, goals, bucket)).toBe(expected);
});

test("[RPL-21] goals put on Days again take the place of those that were there, and are settled when they are counted", () => {
  const period = goalsOfDays(WITH_GOALS, [4, 9]);
  const extended = extendGoals(WITH_GOALS, period) as RuleTimeline;
  expect(extended).toEqual([...WITH_GOALS.slice(0, 2), { version: 2, days: [4, 9], goals: [A, B], counting: true }]);
  const settled = settlePeriod(extended, { version: 2, days: [4, 9], what: "goals" });
  expect(settled.at(-1)).toEqual({ version: 2, days: [4, 9], goals: [A, B] });
  expect(settlePeriod(extended, { version: 2, days: [4, 9], what: "rules" })).toEqual(extended);
});
