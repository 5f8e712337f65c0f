// The part of the OpenAPI document about Umami's own client. Its parameters come from the lists by which
// core/query/umami.ts parses.

import { UMAMI_ATTRIBUTES, UMAMI_OWN, UMAMI_RANGE, type UmamiRead } from "../../../core/query/umami.ts";
import type { Schema } from "../../../core/type-text.ts";
import type { DocumentedOperation, Parameter } from "./document.ts";
import { JSON_TYPE, named } from "./operation-text.ts";
import { list, object } from "./shape.ts";

const COUNT: Schema = { type: "number", minimum: 0 };
const TOTALS = { pageviews: COUNT, visitors: COUNT, visits: COUNT, bounces: COUNT, totaltime: COUNT };
const POINTS: Schema = list(object({ x: { type: "string" }, y: COUNT }));
const INSTANT: Schema = { type: "string" };

export const UMAMI_SHAPES = {
  UmamiStats: object({ ...TOTALS, comparison: object(TOTALS) }),
  UmamiSeries: object({
    pageviews: POINTS,
    sessions: POINTS,
    "startDate?": INSTANT,
    "endDate?": INSTANT,
    "compare?": object({ pageviews: POINTS, sessions: POINTS, startDate: INSTANT, endDate: INSTANT }),
  }),
  UmamiRows: POINTS,
  UmamiActive: object({ visitors: COUNT }),
  UmamiRefusal: object({ error: object({ code: { type: "string" }, message: { type: "string" }, status: COUNT }) }),
} as const satisfies Readonly<Record<string, Schema>>;

const MEANINGS: Readonly<Record<string, string>> = {
  startAt: "In ms since 1970; or startDate, ISO 8601.",
  endAt: "In ms since 1970; or endDate, ISO 8601.",
  timezone: "Taken and not used: Days are the merchant's.",
  unit: "minute, hour, day or month.",
  compare: "prev or yoy.",
  type: `What to break down by: ${[...UMAMI_ATTRIBUTES.keys()].join(", ")}.`,
};

function parametersOf(read: UmamiRead | "active"): readonly Parameter[] {
  const website: Parameter = {
    name: "website",
    in: "path",
    required: true,
    description: "A tracking ID, the merchant's id or a hostname.",
    schema: { type: "string" },
  };
  if (read === "active") return [website];
  const names = [...UMAMI_RANGE, ...UMAMI_OWN[read], ...UMAMI_ATTRIBUTES.keys()];
  return [
    website,
    ...names.map((name): Parameter => {
      const description = MEANINGS[name] ?? (UMAMI_ATTRIBUTES.has(name) ? "Only this value." : undefined);
      const schema = { type: "string" };
      return { name, in: "query", required: name === "type", ...(description && { description }), schema };
    }),
  ];
}

function reading(id: string, read: UmamiRead | "active", summary: string, shape: keyof typeof UMAMI_SHAPES) {
  const operation: DocumentedOperation = {
    operationId: id,
    summary,
    description: "As Umami's own client has it (docs/api.md).",
    tags: ["Questions"],
    security: [{ bearer: [] }, { session: [] }],
    parameters: parametersOf(read),
    responses: {
      200: { description: "The numbers.", content: { [JSON_TYPE]: { schema: named(shape) } } },
      default: {
        description: "Refused.",
        content: { [JSON_TYPE]: { schema: { anyOf: [named("UmamiRefusal"), named("Problem")] } } },
      },
    },
  };
  return ["GET", `/api/websites/:website/${read}`, operation] as const;
}

export const UMAMI_OPERATIONS = [
  reading("getWebsiteStats", "stats", "Totals of a range, and of the one before.", "UmamiStats"),
  reading("getWebsitePageviews", "pageviews", "Page views and visitors by time.", "UmamiSeries"),
  reading("getWebsiteMetrics", "metrics", "Visitors by a dimension.", "UmamiRows"),
  reading("getWebsiteActive", "active", "Who is there now.", "UmamiActive"),
];
