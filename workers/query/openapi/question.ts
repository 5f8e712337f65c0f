// Questions, reports and their answers as JSON Schema, made from the lists by which the parser itself reads
// (core/query/). A metric or a dimension that is added to these lists is documented here without a change. No schema
// can say which metrics go with which dimensions. A refusal says that.

import {
  BATCH_NAME_LENGTH_MAX,
  BATCH_QUESTIONS_MAX,
  DIMENSIONS_COUNT_MAX,
  FILTER_CLAUSES_MAX,
  FUNNEL_STEPS_MAX,
  FUNNEL_STEPS_MIN,
  FUNNEL_WINDOW_SECONDS_MAX,
  ORDER_LIST_MAX,
  PATH_DEPTH_MAX,
  REALTIME_MINUTES,
  REALTIME_NOW_MINUTES,
  RESULTS_MAX,
  URL_LENGTH_MAX,
} from "../../../core/limits.ts";
import { ATTRIBUTES } from "../../../core/query/attribute.ts";
import { BATCH_KINDS } from "../../../core/query/batch.ts";
import { METRICS } from "../../../core/query/metric.ts";
import { DROP_REASON, TIMES } from "../../../core/query/question.ts";
import { RELATIVE_RANGES } from "../../../core/query/range.ts";
import type { Schema } from "../../../core/type-text.ts";
import { PROBLEM_STATUS } from "../problem.ts";
import { DATES, list, nullable, object } from "./shape.ts";

const TEXT: Schema = { type: "string" };
const COUNT: Schema = { type: "integer", minimum: 0 };
const DATE: Schema = { type: "string", format: "date" };
const NUMBER: Schema = { type: "number" };
const FLAG: Schema = { type: "boolean" };
const SITE: Schema = {
  type: "string",
  minLength: 1,
  description: "A merchant's id, a tracking ID or a hostname of it.",
};
const PROPERTY: Schema = { type: "string", pattern: "^event:props:.+$" };

const PAGE: Schema = { type: "string", minLength: 1, maxLength: URL_LENGTH_MAX };

const METRIC: Schema = { type: "string", enum: METRICS.map(({ name }) => name) };
const ATTRIBUTE: Schema = { anyOf: [{ type: "string", enum: ATTRIBUTES.map(({ question }) => question) }, PROPERTY] };
const DIMENSION: Schema = {
  anyOf: [
    { type: "string", enum: [...TIMES.keys(), ...ATTRIBUTES.map(({ question }) => question), DROP_REASON] },
    PROPERTY,
  ],
};

const DATE_RANGE: Schema = {
  anyOf: [
    { type: "string", enum: RELATIVE_RANGES },
    { ...DATE, description: "One date." },
    {
      type: "array",
      items: TEXT,
      minItems: 1,
      maxItems: 2,
      description: "A date, two, or two instants on whole hours.",
    },
  ],
};

const OPERATORS = ["is", "is_not", "contains", "contains_not", "matches", "matches_not"];
const FILTER_REF: Schema = { $ref: "#/components/schemas/Filter" };

function tuple(first: readonly string[], rest: readonly Schema[], required = rest.length + 1): Schema {
  return {
    type: "array",
    prefixItems: [{ type: "string", enum: first }, ...rest],
    items: false,
    minItems: required,
  };
}

const FILTER: Schema = {
  anyOf: [
    tuple(
      OPERATORS,
      [
        ATTRIBUTE,
        { type: "array", items: { type: ["string", "integer"] }, minItems: 1, maxItems: FILTER_CLAUSES_MAX },
        { type: "object", properties: { case_sensitive: FLAG }, additionalProperties: false },
      ],
      3,
    ),
    tuple(["and", "or"], [{ type: "array", items: FILTER_REF, minItems: 1 }]),
    tuple(["not", "has_done", "has_not_done"], [FILTER_REF]),
  ],
};

const FILTERS: Schema = list(FILTER_REF);

const COMPARISONS: Schema = {
  anyOf: [
    object({ mode: { enum: ["previous_period", "year_over_year"] }, "match_day_of_week?": FLAG }),
    object({ mode: { const: "custom" }, "match_day_of_week?": FLAG, date_range: DATE_RANGE }),
    { const: false },
    { type: "null" },
  ],
};

const MONEY: Schema = object({ value: NUMBER, currency: TEXT, short: TEXT, long: TEXT });
const VALUES: Schema = list({ anyOf: [NUMBER, MONEY, { type: "null" }] });
const RESULT = { metrics: VALUES, dimensions: list(TEXT) };

const SOURCES: Schema = object({
  from: { type: "string", enum: ["rollups", "archive", "both"] },
  "rows?": COUNT,
  "objects?": COUNT,
  "bytes?": COUNT,
  "remembered?": {
    ...COUNT,
    description: "Days of one partition each that were not read, since it was remembered what they came to.",
  },
  "days_from_events?": {
    ...list(object({ dates: DATES, why: { type: "string", enum: ["part", "hours", "breakdown", "cut", "goals"] } })),
    description: "Days of which rollups do not know what is asked for, so that they were counted from events.",
  },
});

const GOALS: Schema = {
  ...object({ backfill: nullable(TEXT), "uncounted?": list(DATES) }),
  description:
    "Where Days were counted before a goal was made: the replay that counts them again, and Days whose events are deleted.",
};

const META: Schema = object({
  as_of: { type: "string", format: "date-time" },
  sources: SOURCES,
  "rules?": COUNT,
  "visitors?": object({ exact: FLAG, "standard_error?": NUMBER }),
  "orders?": object({ exact: FLAG }),
  "cut?": object({ dimension: TEXT, buckets: COUNT, value: TEXT }),
  "goals?": GOALS,
  "metric_warnings?": { type: "object" },
  "time_labels?": list(TEXT),
  "total_rows?": COUNT,
  "comparison_date_range?": list(TEXT),
  "imports_included?": FLAG,
  "imports_note?": TEXT,
  "imports_skip_reason?": { type: "string", enum: ["unsupported_query", "unsupported_interval"] },
  "imports_warning?": { ...TEXT, description: "Why Days of imported rollups are not in it." },
  "imports?": {
    ...object({
      days: list(DATES),
      of: list(object({ number: COUNT, source: TEXT })),
      estimated: list(TEXT),
      without: list(TEXT),
      "partly?": list(DATES),
    }),
    description: "What of it is of imported rollups.",
  },
  "notice?": { ...TEXT, description: "While numbers are later than usual, or somebody tells of an incident." },
});

const ECHO: Schema = { type: "object", description: "The question as it was understood." };
const REPORT = { site_id: SITE, date_range: DATE_RANGE, "filters?": FILTERS };

function answer(results: Schema): Schema {
  return object({ results, meta: META, query: ECHO });
}

export const QUESTION_SHAPES = {
  Filter: FILTER,
  Question: object({
    site_id: SITE,
    metrics: { type: "array", items: METRIC, minItems: 1, uniqueItems: true },
    date_range: DATE_RANGE,
    "dimensions?": { type: "array", items: DIMENSION, maxItems: DIMENSIONS_COUNT_MAX },
    "filters?": FILTERS,
    "order_by?": list({
      type: "array",
      prefixItems: [TEXT, { type: "string", enum: ["asc", "desc"] }],
      items: false,
      minItems: 2,
    }),
    "include?": object({
      "time_labels?": FLAG,
      "total_rows?": FLAG,
      "comparisons?": COMPARISONS,
      "imports?": FLAG,
      "trim_relative_date_range?": FLAG,
    }),
    "pagination?": object({
      "limit?": { type: "integer", minimum: 1, maximum: RESULTS_MAX },
      "offset?": { type: "integer", minimum: 0 },
    }),
    "accuracy?": { type: "string", enum: ["estimate", "exact"] },
  }),
  Answer: answer(list(object({ ...RESULT, "comparison?": object({ ...RESULT, change: list(nullable(NUMBER)) }) }))),
  QueryJob: object({
    id: TEXT,
    state: { const: "running" },
    parts: object({ all: COUNT, done: COUNT }),
  }),
  FunnelQuestion: object({
    ...REPORT,
    steps: {
      type: "array",
      items: object({ "name?": TEXT, filters: FILTERS }),
      minItems: FUNNEL_STEPS_MIN,
      maxItems: FUNNEL_STEPS_MAX,
    },
    "window_seconds?": { type: "integer", minimum: 1, maximum: FUNNEL_WINDOW_SECONDS_MAX },
  }),
  FunnelAnswer: answer(
    list(object({ name: TEXT, visitors: COUNT, conversion_rate: NUMBER, step_conversion_rate: NUMBER })),
  ),
  RetentionQuestion: object(REPORT),
  RetentionAnswer: answer(list(object({ cohort: TEXT, visitors: COUNT, retained: list(COUNT) }))),
  PathsQuestion: object({
    ...REPORT,
    "depth?": { type: "integer", minimum: 2, maximum: PATH_DEPTH_MAX },
    "from?": { ...PAGE, description: "Paths begin with this page, the first time that a visit saw it." },
    "to?": { ...PAGE, description: "Paths end with this page. Not with from." },
    "limit?": { type: "integer", minimum: 1, maximum: RESULTS_MAX },
  }),
  PathsAnswer: answer(list(object({ pages: list(TEXT), visits: COUNT }))),
  OrdersQuestion: object({ ...REPORT, "limit?": { type: "integer", minimum: 1, maximum: ORDER_LIST_MAX } }),
  OrdersAnswer: answer(
    list(
      object({
        at: { type: "string", format: "date-time" },
        currency: TEXT,
        revenue: NUMBER,
        units: NUMBER,
        products: list(TEXT),
        source: TEXT,
        channel: TEXT,
        pages: list(TEXT),
        pages_left_out: { ...COUNT, description: "Between the first page and the others." },
        seconds: { ...COUNT, description: "From the beginning of the visit." },
      }),
    ),
  ),
  RealtimeQuestion: object({ site_id: SITE, "filters?": FILTERS }),
  RealtimeAnswer: answer(
    object({ visitors: COUNT, minutes: list(object({ minute: TEXT, visitors: COUNT, pageviews: COUNT })) }),
  ),
  BatchQuestion: {
    type: "object",
    properties: { kind: { type: "string", enum: BATCH_KINDS }, filters: FILTERS, include: { type: "object" } },
    description: "A question without site_id and date_range; of another kind, the body of that report.",
  },
  Batch: object({
    site_id: SITE,
    date_range: DATE_RANGE,
    "filters?": FILTERS,
    "include?": { type: "object" },
    questions: {
      type: "object",
      propertyNames: { pattern: `^[A-Za-z0-9_-]{1,${BATCH_NAME_LENGTH_MAX}}$` },
      additionalProperties: { $ref: "#/components/schemas/BatchQuestion" },
      minProperties: 1,
      maxProperties: BATCH_QUESTIONS_MAX,
    },
    "if_version?": TEXT,
  }),
  BatchAnswer: object({
    as_of: { type: "string", format: "date-time" },
    version: nullable(TEXT),
    "unchanged?": { const: true },
    "answers?": {
      type: "object",
      additionalProperties: {
        anyOf: ["Answer", "FunnelAnswer", "RetentionAnswer", "PathsAnswer", "OrdersAnswer", "QueryJob", "Refusal"].map(
          (name) => ({
            $ref: `#/components/schemas/${name}`,
          }),
        ),
      },
    },
  }),
  BatchLine: object({
    "name?": TEXT,
    "answer?": { type: "object" },
    "as_of?": { type: "string", format: "date-time" },
    "version?": nullable(TEXT),
    "unchanged?": { const: true },
  }),
  BatchAnswers: object({ answers: { type: "object", additionalProperties: { type: "object" } } }),
  Now: object({
    as_of: { type: "string", format: "date-time" },
    visitors: object({ [`last_${REALTIME_NOW_MINUTES}_minutes`]: COUNT, [`last_${REALTIME_MINUTES}_minutes`]: COUNT }),
    pages: list(object({ page: TEXT, visitors: COUNT })),
    sources: list(object({ source: TEXT, visitors: COUNT })),
    orders: list(
      object({
        at: { type: "string", format: "date-time" },
        currency: TEXT,
        revenue: NUMBER,
        units: NUMBER,
        products: list(TEXT),
      }),
    ),
  }),
  Refusal: object({
    error: { type: "string", description: "What is wrong, beginning with the place: #/metrics/0: Invalid metric." },
    code: { type: "string", enum: Object.keys(PROBLEM_STATUS) },
    "field?": { type: "string", description: "What of the question is wrong, such as metrics/0." },
  }),
} as const satisfies Readonly<Record<string, Schema>>;
