// Who may ask (a read key, a share link) tries to keep a Worker busy with one question: regular expressions by the
// hundred against long pages, ranges in brackets, expressions that unfold, `contains` with a thousand values,
// filters that nest, steps of a funnel, goals by the thousand. One budget of steps holds for a question, whatever it
// is made of (core/query/budget.ts).

import { expect, test } from "vitest";
import { columnsOf, type EventColumns } from "../../core/archive/event-columns.ts";
import type { ArchivedEvent } from "../../core/archive/file.ts";
import { opine } from "../../core/enrichment/opinion.ts";
import { finish } from "../../core/gradual.ts";
import { JUDGED_STEPS_MAX, QUESTION_BYTES_MAX, QUESTION_STEPS_MAX, RULES_LENGTH_MAX } from "../../core/limits.ts";
import { openBudget, openBudgets } from "../../core/query/budget.ts";
import { type Counting, type CountPlan, countPlanOf } from "../../core/query/count.ts";
import { derive } from "../../core/query/derived.ts";
import { parseFilters } from "../../core/query/filter.ts";
import { checkGoals } from "../../core/query/goal.ts";
import { planQuestion } from "../../core/query/plan.ts";
import { parseQuestion, type Question } from "../../core/query/question.ts";
import { resolveRange } from "../../core/query/range.ts";
import { finds, parseRegex } from "../../core/query/regex.ts";
import { REPORTS, reportPlanOf } from "../../core/query/report-count.ts";
import { refusalOf } from "../../core/query/scan.ts";
import { parseRules } from "../../core/rule-parser.ts";
import { NO_RULES } from "../../core/rules.ts";
import { DAY_MS, dateOf } from "../../core/time.ts";
import { eventOf, settingsOf, TUESDAY } from "../support/events.ts";
import { UTC, valueFrom } from "../support/questions.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const UNDER = { settings: settingsOf("UTC"), global: [] };
const ASKED = { site_id: "shop", date_range: [dateOf(DAY), dateOf(DAY)] };
/**
 * A question may hold a Worker up for about as long as its steps take by themselves. Those below took 0.01 to 0.5 of
 * that, and before there was one budget 6 to 48 times.
 */
const HELD_UP_TIMES_MAX = 4;
/**
 * An expression that is looked at once for each character and place, and a text of as many characters as
 * give a tenth of all steps.
 */
const PLAIN = valueFrom(parseRegex("(ab?c?d?e?f?g?h?)+Z"));
const PLAIN_TEXT = "abcdefgh".repeat(2_000);

/** One visitor's Day of long pages, all different. */
const LONG: readonly ArchivedEvent[] = Array.from({ length: 200 }, (_, position) => {
  const url = `https://shop.example/${"a".repeat(1_900)}${position}`;
  return { partition: "pool-0", position, event: eventOf({ url, timestamp: TUESDAY + position }) };
});
const MANY: readonly ArchivedEvent[] = Array.from({ length: 15_000 }, (_, position) => {
  const url = `https://shop.example/${position % 5_000}/${"a".repeat(60)}`;
  const visitor = (position % 3_000).toString(16).padStart(16, "0");
  return { partition: "pool-0", position, event: eventOf({ url, visitor, timestamp: TUESDAY + position }) };
});

const SLOW = (index: number) => `(${"a?".repeat(150)})*b${index}`;
const slow = (count: number) => ["matches", "event:page", Array.from({ length: count }, (_, index) => SLOW(index))];
const some = <T>(count: number, of: (index: number) => T) => Array.from({ length: count }, (_, index) => of(index));
const RANGES = `(${"[b-ce-fh-ik-ln-oq-rt-uw-x0-12-34-56-7]?".repeat(11)})*Z`;

interface Attack {
  readonly what: string;
  readonly filters: readonly unknown[];
  readonly rows: readonly ArchivedEvent[];
  readonly place: RegExp;
}

const ATTACKS: readonly Attack[] = [
  { what: "one clause", filters: [slow(1)], rows: LONG, place: /^#\/filters\/0: / },
  {
    what: "200 clauses",
    filters: [["is", "event:name", ["pageview"]], slow(200)],
    rows: LONG,
    place: /^#\/filters\/1: /,
  },
  { what: "clauses in many filters", filters: some(150, () => slow(1)), rows: LONG, place: /^#\/filters\/\d+: / },
  {
    what: "clauses in filters that nest",
    filters: [["not", ["has_done", ["or", some(100, () => slow(1))]]]],
    rows: LONG,
    place: /^#\/filters\/0: /,
  },
  {
    what: "brackets of many ranges",
    filters: [["or", some(90, () => ["matches", "event:page", [RANGES]])]],
    rows: LONG,
    place: /^#\/filters\/\d+: /,
  },
  {
    what: "expressions that unfold",
    filters: some(190, () => ["matches", "event:page", some(20, () => "(a{99}){10}")]),
    rows: [],
    place: /^#\/filters\/\d+: /,
  },
  {
    what: "a thousand values to contain",
    filters: [["or", some(8, () => ["contains", "event:page", some(1_000, (at) => `b${at}`)])]],
    rows: MANY,
    place: /^#\/filters\/\d+: /,
  },
  {
    what: "two hundred comparisons",
    filters: [["or", some(195, (at) => ["is", "event:props:x", [`${at}`]])]],
    rows: MANY.concat(
      MANY.map((row) => ({
        ...row,
        position: row.position + 20_000,
        event: { ...row.event, id: `again ${row.position}` },
      })),
    ),
    place: /^#\/filters\/0: /,
  },
];

test.each(ATTACKS)("[FIL-6] $what: refused in time, with the place", ({ filters, rows, place }) => {
  const body = { ...ASKED, metrics: ["visitors"], filters };
  expect(JSON.stringify(body).length).toBeLessThan(QUESTION_BYTES_MAX);
  const { problem, ms, allStepsMs } = refusalTo(() => {
    const question = parseQuestion(body);
    return question.ok ? counted(questionPlan(body), rows) : question.rejection.message;
  });
  expect(problem).toMatch(place);
  expect(problem).toMatch(new RegExp(`more than (${QUESTION_STEPS_MAX}|${JUDGED_STEPS_MAX}) steps`));
  expect(ms).toBeLessThan(HELD_UP_TIMES_MAX * allStepsMs);
});

test("[FIL-6] one event, or one visit that has_done looks through, does not hold the others up for long", () => {
  const dear = slow(60);
  for (const filters of [[dear], [["has_done", ["or", some(3, () => slow(1))]]]]) {
    let longestMs = 0;
    const { problem, allStepsMs } = refusalTo(() => {
      const plan = questionPlan({ ...ASKED, metrics: ["visitors"], filters });
      const work = plan.open(UNDER, "whole").add({ day: DAY, partitions: [columnsOf(LONG)] });
      for (;;) {
        const begun = performance.now();
        const { done, value } = work.next();
        longestMs = Math.max(longestMs, performance.now() - begun);
        if (done) return value === undefined ? "" : refusalOf(value).rejection.message;
      }
    });
    expect(problem).toMatch(/^#\/filters\/0: One event of the query, or one visit, needs more than 4000000 steps/);
    expect(longestMs).toBeLessThan((HELD_UP_TIMES_MAX * allStepsMs) / 20);
  }
});

test.each([
  ["", columnsOf],
  [", as a seal derives them", derivedOf],
])(
  "[FIL-6] events that each take half of what one may are counted, however many, while the query has steps%s",
  (_, of) => {
    const filters = [["matches_not", "event:page", some(2, SLOW)]];
    const plan = questionPlan({ ...ASKED, metrics: ["visitors"], filters });
    expect(counted(plan, LONG.slice(0, 20), of)).toBe("");
  },
);

test("[FIL-6] the steps of a funnel draw on one budget, and the place says which took the last", () => {
  const steps = some(10, () => ({ filters: [["not", slow(20)]] }));
  const { problem, ms, allStepsMs } = refusalTo(() => {
    const report = valueFrom(REPORTS.funnel({ ...ASKED, steps }, []));
    const range = valueFrom(resolveRange(report.question.dateRange, { zones: UTC, now: TUESDAY }));
    return counted(reportPlanOf(report, range), LONG);
  });
  expect(problem).toMatch(/^#\/steps\/\d\/filters\/0: (The query|One event .*) needs more than/);
  expect(ms).toBeLessThan(HELD_UP_TIMES_MAX * allStepsMs);
});

test("[FIL-6] goals by the thousand are compared with names by the thousand no longer than that", () => {
  const goals = some(900, (index) => ({ name: `goal ${index} ${"x".repeat(20)}`, page: "/" })) as never;
  const rules = some(20, (from) => ({ version: 1, from, rules: { ...NO_RULES, goals } })) as never;
  const budgets = openBudgets();
  const filters = some(60, () => ["contains", "event:goal", some(1_000, () => "x")]);
  const { problem, ms, allStepsMs } = refusalTo(() => {
    const checked = checkGoals([valueFrom(parseFilters(filters, [], { budgets }))], rules, {
      budgets,
      view: undefined,
    });
    return checked.ok ? "" : checked.rejection.message;
  });
  expect(problem).toMatch(/^#\/filters\/\d+: The query needs more than/);
  expect(ms).toBeLessThan(HELD_UP_TIMES_MAX * allStepsMs);
});

test("[FIL-6] what a share link fixes has a budget of its own: a question cannot tell from it how much the link hides", () => {
  const budgets = openBudgets();
  valueFrom(parseFilters([["is", "event:page", ["/"]]], [["matches", "event:page", ["^/blog/"]]], { budgets }));
  expect([budgets.own.left, budgets.fixed.left < QUESTION_STEPS_MAX]).toEqual([QUESTION_STEPS_MAX, true]);
});

test("[FIL-6] an ordinary dashboard of 20,000 events takes a small part of it", () => {
  const filters = [
    ["contains", "event:page", ["/1", "/2", "/3"]],
    ["matches_not", "event:page", ["^/(admin|staff)/.*\\.html$"]],
    ["is", "visit:country", ["GB", "AT"]],
    ["has_done", ["is", "event:name", ["pageview"]]],
  ];
  const body = { ...ASKED, metrics: ["visitors", "bounce_rate"], dimensions: ["visit:source"], filters };
  const question = valueFrom(parseQuestion(body));
  expect(counted(planOf(question), MANY)).toBe("");
  expect(question.budgets.own.left).toBeGreaterThan(0.85 * QUESTION_STEPS_MAX);
});

test("[HOS-10] the dearest rules that a merchant can have cost an event at most 60 times what none cost", () => {
  const dear = (index: number) => `*${"a*".repeat(110)}Z${index}*`;
  const channels = some(30, (at) => ({
    channel: `c${at}`,
    source: "*",
    medium: "*",
    campaign: dear(at),
    referrer: dear(at),
  }));
  const goals = some(50, (at) => ({ name: `g${at}`, event: "*", page: dear(at) }));
  const replace = some(100, (at) => ({ match: dear(at), page: "/x" }));
  const rules = { channels, goals, paths: { strip_ids: true, replace } };
  expect(JSON.stringify(rules).length).toBeGreaterThan(0.8 * RULES_LENGTH_MAX);
  const own = valueFrom(parseRules(rules, (text) => text as never));
  const referrer = `https://other.example/${"a".repeat(1_900)}`;
  const costOf = (mine: typeof own, rounds: number) => {
    const begun = performance.now();
    for (let round = 0; round < rounds; round++) {
      const url = `https://shop.example/${"a".repeat(1_900)}${round}?utm_campaign=${"a".repeat(90)}`;
      opine(eventOf({ url, referrer }), { own: mine, global: NO_RULES });
    }
    return (performance.now() - begun) / rounds;
  };
  const best = (mine: typeof own, rounds: number) => Math.min(...some(3, () => costOf(mine, rounds)));
  const [dearest, none] = [best(own, 200), best(NO_RULES, 2_000)];
  console.log(`  ${(1_000 * dearest).toFixed(0)} µs with the dearest rules, ${(1_000 * none).toFixed(0)} without any`);
  expect(dearest).toBeLessThan(60 * none);
});

function questionPlan(body: unknown): CountPlan<Counting> {
  return planOf(valueFrom(parseQuestion(body)));
}

function planOf(question: Question): CountPlan<Counting> {
  const range = valueFrom(resolveRange(question.dateRange, { zones: UTC, now: TUESDAY }));
  return countPlanOf([valueFrom(planQuestion(question, range, UTC))]);
}

function derivedOf(rows: readonly ArchivedEvent[]): EventColumns {
  return derive(columnsOf(rows), DAY, UNDER);
}

function counted(plan: CountPlan<Counting>, rows: readonly ArchivedEvent[], of = columnsOf): string {
  const problem = finish(plan.open(UNDER, "whole").add({ day: DAY, partitions: [of(rows)] }));
  return problem === undefined ? "" : refusalOf(problem).rejection.message;
}

/**
 * What a question is told, how long that takes, and how long as many steps take by themselves, before and
 * after it on this machine.
 */
function refusalTo(ask: () => string): { readonly problem: string; readonly ms: number; readonly allStepsMs: number } {
  const before = timeOfAllSteps();
  const begun = performance.now();
  const problem = ask();
  const ms = performance.now() - begun;
  const allStepsMs = Math.max(before, timeOfAllSteps());
  console.log(`  ${(ms / allStepsMs).toFixed(2)} of its steps' time: ${problem.slice(0, 60)}`);
  return { problem, ms, allStepsMs };
}

function timeOfAllSteps(): number {
  const budget = openBudget(QUESTION_STEPS_MAX / 10);
  const begun = performance.now();
  while (budget.left >= 0) finds(PLAIN, PLAIN_TEXT, budget);
  return 10 * (performance.now() - begun);
}
