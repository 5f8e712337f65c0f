// Filters by goals that there are, that there were once, and that there never were.

import { expect, test } from "vitest";
import { openBudgets } from "../../../core/query/budget.ts";
import { ownOf, parseFilters, viewOf } from "../../../core/query/filter.ts";
import { checkGoals } from "../../../core/query/goal.ts";
import { NO_RULES, type RuleTimeline } from "../../../core/rules.ts";
import { valueFrom } from "../../support/questions.ts";

const goals = (...names: readonly string[]) => ({ ...NO_RULES, goals: names.map((name) => ({ name, page: "/" })) });
/** "Old" is gone, "Past" was put on some Days by a replay: neither is a goal now, of whatever Day. */
const RULES: RuleTimeline = [
  { version: 1, from: 5, rules: goals("Order", "Old") },
  { version: 3, days: [1, 2], rules: goals("Past") },
  { version: 2, from: 9, rules: goals("Order", "Sign up") },
];
const OWN = { budgets: openBudgets(), view: undefined };
const KNOWN = "Its goals are `Order`, `Sign up`.";

const CASES: readonly (readonly [filters: readonly unknown[], problem: string | undefined])[] = [
  [[["is", "event:page", ["/"]]], undefined],
  [[["is", "event:goal", ["Order", "Sign up"]]], undefined],
  [[["is", "event:goal", ["Order", "Old"]]], `#/filters/0: The goal \`Old\` is not configured for this site. ${KNOWN}`],
  [[["is", "event:goal", ["Past"]]], `#/filters/0: The goal \`Past\` is not configured for this site. ${KNOWN}`],
  [[["is", "event:goal", ["order"], { case_sensitive: false }]], undefined],
  [[["contains", "event:goal", ["ign"]]], undefined],
  [[["is", "event:goal", ["order"]]], `#/filters/0: The goal \`order\` is not configured for this site. ${KNOWN}`],
  [
    [
      ["is", "visit:source", ["x"]],
      ["or", [["not", ["has_done", ["is", "event:goal", ["Order", "Ordr"]]]]]],
    ],
    `#/filters/1: The goal \`Ordr\` is not configured for this site. ${KNOWN}`,
  ],
  [[["contains", "event:goal", ["xyz"]]], `#/filters/0: The goal \`xyz\` is not configured for this site. ${KNOWN}`],
];

test.each(CASES)("[QRY-27] %j", (filters, problem) => {
  const checked = checkGoals([valueFrom(parseFilters(filters))], RULES, OWN);
  expect(checked.ok ? undefined : checked.rejection.message).toBe(problem);
});

test("[QRY-27] a merchant without goals, a list that is long, and what a share link fixes", () => {
  const filter = [["is", "event:goal", ["A"]]];
  const refusal = (rules: RuleTimeline, fixed: readonly unknown[] = [], own: readonly unknown[] = filter) => {
    const filter = valueFrom(parseFilters(own, fixed));
    const checked = checkGoals([ownOf(filter)], rules, { ...OWN, view: viewOf(filter) });
    return checked.ok ? "" : checked.rejection.message;
  };
  expect(refusal([])).toMatch(/It has no goals: they are made in its rules\.$/);
  const many = Array.from({ length: 45 }, (_, index) => `goal ${index}`);
  expect(refusal([{ version: 1, from: 0, rules: goals(...many) }])).toMatch(/`goal 26` and 25 more\.$/);
  expect(refusal([], filter, [])).toBe("");
  expect(refusal([], filter)).toBe("");
});
