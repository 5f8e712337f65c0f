// Questions as they are asked: filters, regular expressions, whole questions and reports. Each is understood or refused
// with its place, costs no more steps than its budget, and finds what the language's own expressions find.

import { columnsOf } from "../../../core/archive/event-columns.ts";
import { parseQuery } from "../../../core/enrichment/address.ts";
import {
  FILTERS_COUNT_MAX,
  QUESTION_STEPS_MAX,
  REGEX_INSTRUCTIONS_MAX,
  REGEX_LENGTH_MAX,
} from "../../../core/limits.ts";
import type { Outcome } from "../../../core/outcome.ts";
import { parseBatch } from "../../../core/query/batch.ts";
import { openBudget } from "../../../core/query/budget.ts";
import {
  comparisonsOf,
  type Filter,
  needsVisits,
  parseFilters,
  passes,
  withoutGoals,
} from "../../../core/query/filter.ts";
import { parseFunnel } from "../../../core/query/funnel.ts";
import { parsePaths } from "../../../core/query/path.ts";
import { planQuestion } from "../../../core/query/plan.ts";
import { parseQuestion } from "../../../core/query/question.ts";
import { resolveRange } from "../../../core/query/range.ts";
import { parseRealtime } from "../../../core/query/realtime.ts";
import { fieldOf } from "../../../core/query/refusal.ts";
import { finds, parseRegex } from "../../../core/query/regex.ts";
import { REPORTS } from "../../../core/query/report-count.ts";
import { parseRetention } from "../../../core/query/retention.ts";
import { type Seen, seeDay } from "../../../core/query/seen.ts";
import { segmentsIn, withSegments } from "../../../core/query/segment.ts";
import { parseUmami, UMAMI_READS } from "../../../core/query/umami.ts";
import { savedFilters } from "../../../workers/query/field.ts";
import { eventOf, settingsOf, TUESDAY } from "../../support/events.ts";
import { expectSame, expectThat, jsonOf, type Target } from "../target.ts";

const UTC = [{ from: 0, zone: "UTC" }];

export const targets: readonly Target[] = [
  {
    name: "query-filter",
    fields: { filters: "json" },
    words: [
      ...[
        "is",
        "is_not",
        "contains",
        "contains_not",
        "matches",
        "matches_not",
        "and",
        "or",
        "not",
        "has_done",
        "has_not_done",
      ],
      ...["case_sensitive", "segment", "event:props:plan", "event:hostname", "visit:country", "(none)", "^/a.*$"],
    ],
    seeds: () =>
      [
        [["is", "event:page", ["/", "/cart"]]],
        [
          [
            "and",
            [
              ["contains", "visit:source", ["goo"], { case_sensitive: false }],
              ["not", ["is", "event:goal", ["x"]]],
            ],
          ],
        ],
        [
          ["has_done", ["is", "event:name", ["purchase"]]],
          ["matches", "event:page", ["^/(a|b)+$", "\\d{2,4}"]],
        ],
        [
          [
            "or",
            [
              ["is", "visit:country", ["GB"]],
              ["is_not", "event:props:plan", ["pro"]],
            ],
          ],
        ],
        [["is", "segment", ["a"]]],
        [
          ["is", "visit:city", [2643743]],
          ["is", "visit:referrer", ["www.x.example/a/"]],
        ],
      ].map((value) => ({ filters: JSON.stringify(value) })),
    lengthMax: 3_000,
    steps: { fixed: 400_000, perCharacter: 2_000 },
    run: ({ filters = "" }) => runFilters(jsonOf(filters)),
  },
  {
    name: "query-regex",
    fields: { pattern: "text", text: "text" },
    words: [
      "(?i)",
      "(?:",
      "{2,4}",
      "\\d",
      "\\W",
      "\\b",
      "\\B",
      "\\A",
      "\\z",
      "[^a-z]",
      "|",
      "*?",
      "+?",
      "\\.",
      "[\\w-]",
    ],
    seeds: () =>
      [
        ["^/(a|b)+$", "/abab"],
        ["(?i)c[^a-f\\d]{2,3}\\b.?", "CXY z"],
        ["(?:x*)*y|\\Aq\\z", "xxxy"],
        ["[]a-c-]+\\B", "]-b"],
      ].map(([pattern = "", text = ""]) => ({ pattern, text })),
    lengthMax: 120,
    steps: { fixed: 200_000, perCharacter: 20_000 },
    run: ({ pattern = "", text = "" }) => runRegex(pattern, text),
  },
  {
    name: "query-question",
    fields: { question: "json" },
    words: [
      "time:day",
      "7d",
      "month",
      "all",
      "custom",
      "comparisons",
      "previous_period",
      "year_over_year",
      "match_day_of_week",
      "exact",
    ],
    seeds: () =>
      [
        {
          site_id: "shop.example",
          metrics: ["visitors", "pageviews", "conversion_rate"],
          date_range: ["2026-01-01", "2026-01-31"],
          dimensions: ["time:day", "event:goal"],
          filters: [["is", "event:page", ["/"]]],
          order_by: [["visitors", "desc"]],
          include: { time_labels: true, total_rows: true, comparisons: { mode: "previous_period" } },
          pagination: { limit: 10, offset: 0 },
          accuracy: "exact",
        },
        { site_id: "x", metrics: ["drops"], date_range: "7d", dimensions: ["event:drop_reason"] },
        { site_id: "x", metrics: ["visits"], date_range: ["2026-01-01T00:00:00Z", "2026-01-02T12:00:00+05:30"] },
        {
          site_id: "x",
          date_range: "28d",
          steps: [{ filters: [["is", "event:page", ["/"]]] }, { filters: [["is", "event:name", ["b"]]] }],
        },
      ].map((value) => ({ question: JSON.stringify(value) })),
    lengthMax: 3_000,
    steps: { fixed: 400_000, perCharacter: 2_000 },
    run: ({ question = "" }) => runQuestion(jsonOf(question)),
  },
  {
    name: "query-batch",
    fields: { batch: "json" },
    words: ["questions", "kind", "query", "funnel", "retention", "paths", "if_version", "include", "__proto__", "7d"],
    seeds: () => [
      {
        batch: JSON.stringify({
          site_id: "shop.example",
          date_range: "7d",
          filters: [["is", "event:page", ["/"]]],
          include: { comparisons: { mode: "previous_period" } },
          if_version: "00",
          questions: {
            top: { metrics: ["visitors"] },
            pages: { metrics: ["pageviews"], dimensions: ["event:page"], filters: [["is", "visit:source", ["a"]]] },
            way: { kind: "funnel", steps: [{ filters: [["is", "event:name", ["b"]]] }] },
            __proto: { kind: "paths", depth: 2 },
          },
        }),
      },
    ],
    lengthMax: 3_000,
    steps: { fixed: 400_000, perCharacter: 2_000 },
    run: ({ batch = "" }) => runBatch(jsonOf(batch)),
  },
  {
    name: "query-umami",
    fields: { query: "query" },
    words: ["startAt", "endAt", "unit", "timezone", "compare", "type", "limit", "offset"],
    seeds: () =>
      [
        "startAt=1795000000000&endAt=1795262400000&unit=day&timezone=UTC&compare=prev",
        "startAt=1795000000000&endAt=1795262400000&type=url&limit=10&offset=3&country=DE",
        "startDate=2026-11-01&endDate=2026-11-21&type=event",
      ].map((query) => ({ query })),
    lengthMax: 800,
    steps: { fixed: 50_000, perCharacter: 500 },
    run: ({ query = "" }) => runUmami(query),
  },
];

/** Events of one visit, for filters to be asked about. */
const SEEN: readonly Seen[] = seeDay(
  {
    rows: columnsOf(
      [
        eventOf({
          url: "https://www.shop.example/caf%C3%A9/?utm_source=news&id=3",
          referrer: "https://m.x.example/a/",
        }),
        eventOf({ timestamp: TUESDAY + 1_000, props: '{"plan":"pro","__proto__":"x"}', name: "Sign up" }),
        eventOf({
          timestamp: TUESDAY + 2_000,
          name: "purchase",
          order: "17",
          revenue: 125_000,
          products: '[{"id":"A1","name":"Mat","price":6.25,"quantity":2}]',
        }),
      ].map((event, position) => ({ partition: "pool-0", position, event })),
    ),
    day: Math.floor(TUESDAY / 86_400_000),
  },
  { settings: settingsOf(), global: [] },
).visits.flatMap(({ events }) => events);

function checkRefusal(outcome: Outcome<unknown>): void {
  if (outcome.ok) return;
  const { message } = outcome.rejection;
  expectThat(message.length > 5 && message.length < 1_000, `a refusal has ${message.length} characters`);
}

function runFilters(value: unknown): void {
  const budgets = { own: openBudget(), fixed: openBudget() };
  const read = parseFilters(value, [], { budgets });
  checkRefusal(read);
  if (!read.ok)
    expectThat(
      fieldOf(read.rejection.message)?.startsWith("filters") === true,
      `a refusal has no place: ${read.rejection.message}`,
    );
  for (const name of segmentsIn(value)) expectThat(typeof name === "string", "a segment has no name");
  checkRefusal(withSegments(value, (name) => (name.length % 2 === 0 ? [["is", "event:page", ["/"]]] : undefined)));
  savedFilters((filters) => parseFilters(filters).ok)(value);
  if (!read.ok) return;
  const filter = read.value;
  expectThat(comparisonsOf(filter).length <= FILTERS_COUNT_MAX, "there are more filters than may be");
  const left = budgets.own.left;
  for (const seen of SEEN) {
    const verdict = passes(filter, seen);
    if (budgets.own.ranOutAt === undefined) expectSame(passes(filter, seen), verdict, "a filter changes its mind");
    const turned: Filter = { kind: "not", of: filter };
    if (budgets.own.ranOutAt === undefined)
      expectSame(passes(turned, seen), !verdict, "a filter and its opposite agree");
  }
  expectThat(budgets.own.left <= left && left <= QUESTION_STEPS_MAX, "a filter gives steps back");
  const stripped = withoutGoals(filter);
  expectThat(
    withoutGoals(stripped) === stripped ||
      comparisonsOf(withoutGoals(stripped)).length === comparisonsOf(stripped).length,
    "goals are left in a filter",
  );
  needsVisits(filter);
}

/** Where the language's own engine takes no long time and means the same. */
const COMPARED_LENGTH_MAX = 16;
/** What it means otherwise, or does not know. */
const OTHERWISE = /\[\^?\]|\\[Az]|\(\?[^:]/;

function runRegex(pattern: string, text: string): void {
  const regex = parseRegex(pattern);
  checkRefusal(regex);
  if (!regex.ok) return;
  expectThat(pattern.length <= REGEX_LENGTH_MAX, "a pattern is too long");
  expectThat(regex.value.program.length <= REGEX_INSTRUCTIONS_MAX, "a pattern has too many instructions");
  const budget = openBudget();
  const isFound = finds(regex.value, text, budget);
  const spent = QUESTION_STEPS_MAX - budget.left;
  const most = (text.length + 1) * regex.value.program.length * (20 + pattern.length) + text.length + 100;
  expectThat(spent <= most, `a match took ${spent} steps, where ${most} are the most`);
  if (finds(regex.value, text, openBudget(5))) expectThat(isFound, "with fewer steps more is found");
  if (pattern.includes("\u0000")) return; // it stands for a dot below
  const folded = pattern.startsWith("(?i)");
  const plain = (folded ? pattern.slice(4) : pattern).replace(/\./g, "\u0000").replaceAll("\\\u0000", "\\.");
  if (plain.length > COMPARED_LENGTH_MAX || text.length > COMPARED_LENGTH_MAX || OTHERWISE.test(plain)) return;
  if (!/^[\x20-\x7e\0]*$/.test(plain) || !/^[\x20-\x7e]*$/.test(text) || /\[[^\]]*\0/.test(plain)) return;
  const own = ownRegex(plain.replaceAll("\u0000", "[^\\n]"), folded);
  if (own !== undefined) expectSame(isFound, own.test(text), `/${pattern}/ finds otherwise in ${JSON.stringify(text)}`);
}

function ownRegex(pattern: string, folded: boolean): RegExp | undefined {
  try {
    return new RegExp(pattern, folded ? "iu" : "u");
  } catch {
    return undefined; // a SyntaxError: the language takes less than RE2, such as a lone "{"
  }
}

function runQuestion(body: unknown): void {
  for (const parse of [parseFunnel, parseRetention, parsePaths, parseRealtime]) checkRefusal(parse(body));
  const question = parseQuestion(body);
  checkRefusal(question);
  if (!question.ok) return;
  const range = resolveRange(question.value.dateRange, { zones: UTC, now: TUESDAY });
  checkRefusal(range);
  if (!range.ok) return;
  const plan = planQuestion(question.value, range.value, UTC);
  checkRefusal(plan);
}

/** What a batch asks is what each of its questions would ask alone, under its own name. */
function runBatch(body: unknown): void {
  const batch = parseBatch(body);
  checkRefusal(batch);
  if (!batch.ok) return;
  const { questions, site_id: site } = body as { readonly questions: object; readonly site_id: unknown };
  expectSame(
    batch.value.questions.map(({ name }) => name),
    Object.keys(questions),
    "a question has another name",
  );
  for (const { kind, body: own } of batch.value.questions) {
    expectSame(own["site_id"], site, "a question is of another merchant");
    if (kind === "query") runQuestion(own);
    else checkRefusal(REPORTS[kind](own, []));
  }
}

function runUmami(query: string): void {
  const parameters = parseQuery(query);
  for (const read of UMAMI_READS) {
    const asked = parseUmami(read, parameters, UTC);
    checkRefusal(asked);
    if (!asked.ok) continue;
    const question = parseQuestion({ site_id: "x", ...asked.value.body });
    checkRefusal(question);
    if (question.ok) checkRefusal(resolveRange(question.value.dateRange, { zones: UTC, now: TUESDAY }));
  }
}
