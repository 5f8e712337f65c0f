// The collector's own format as JSON Schema, made from the lists by which core/formats/native.ts parses. The protocols
// of other clients have their own documents (docs/clients.md).

import { GIVEN_FIELDS } from "../../../core/enrichment/given.ts";
import { REVENUE_SCALE } from "../../../core/event.ts";
import { ENGAGEMENT_RULE, type NumberRule, SCROLL_RULE, TEXT_RULES } from "../../../core/formats/field.ts";
import { GIVEN_RULE, IMPORT_RULE, NATIVE_TEXTS, STREAM_RULE } from "../../../core/formats/native.ts";
import { PRODUCT_NUMBERS, PRODUCT_TEXTS } from "../../../core/formats/product.ts";
import { ORDER_UNITS_MAX, PRODUCT_NUMBER_MAX, REQUEST_EVENTS_MAX } from "../../../core/limits.ts";
import { DROP_REASONS, REJECTION_CODES } from "../../../core/outcome.ts";
import type { Schema } from "../../../core/type-text.ts";
import { list, object } from "./shape.ts";

/** The meaning of events' fields, beyond what a schema says. */
const MEANINGS: Readonly<Record<string, string>> = {
  tracking_id: "The merchant's stream. It may stand beside `events`, and may be absent with an API key of scope write.",
  id: "The duplicate key: the same id counts once. Made at the edge when absent.",
  visitor_id: "First-party mode: hashed before it is stored.",
  name: '"pageview" when absent; "engagement" reports time and scroll; any other name is an event of yours.',
  url: "Absolute: https://…, or app://… for the screens of an app.",
  order_id: "The order's number.",
  country: "With an API key of scope write only: the visitor's, in two capital letters of ISO 3166-1.",
  region: "With an API key of scope write only.",
  city: "With an API key of scope write only.",
  address: "With an API key of scope write only: the visitor's address instead of the server's.",
};

const COUNT: Schema = { type: "integer", minimum: 0 };

/**
 * An optional field. Absent and null are the same. Texts beyond their bound are cut, except those that name something.
 */
function optional(schema: Schema): Schema {
  return { ...schema, type: [schema["type"], "null"].flat() };
}

const texts = NATIVE_TEXTS.map(([wire, name]) => {
  const { lengthMax, cut } = TEXT_RULES[name];
  const description = MEANINGS[wire] ?? (cut ? `Cut at ${lengthMax} characters.` : undefined);
  const bound = cut ? {} : { maxLength: lengthMax };
  return [
    `${wire}?`,
    optional({ type: ["string", "number"], ...bound, ...(description !== undefined && { description }) }),
  ] as const;
});

function ranged({ min, max }: NumberRule): Schema {
  return optional({ type: ["number", "string"], minimum: min, maximum: max });
}

const PRODUCT: Schema = object({
  ...Object.fromEntries(PRODUCT_TEXTS.map((name) => [`${name}?`, optional({ type: ["string", "number"] })])),
  ...Object.fromEntries(
    PRODUCT_NUMBERS.map((name) => {
      const max = name === "quantity" ? ORDER_UNITS_MAX / REVENUE_SCALE : PRODUCT_NUMBER_MAX;
      return [`${name}?`, optional({ type: ["number", "string"], minimum: -max, maximum: max })];
    }),
  ),
});

const GIVEN: Schema = optional({
  type: ["string", "number"],
  description: `With an API key of scope write only, and where there is no user_agent. Cut at ${GIVEN_RULE.lengthMax} characters.`,
});

const EVENT_REF: Schema = { $ref: "#/components/schemas/Event" };

export const COLLECTOR_SHAPES = {
  Event: {
    ...object({
      ...Object.fromEntries(texts),
      "timestamp?": optional({
        type: ["integer", "string"],
        description: "ms since 1970 or ISO 8601, from 2000-01-01 to ten minutes ahead.",
      }),
      "props?": optional({ type: "object", description: "Properties of your own: texts, numbers, true and false." }),
      "revenue?": optional(
        object({ amount: { type: ["number", "string"] }, "currency?": { type: ["string", "null"] } }),
      ),
      "products?": optional(list({ ...PRODUCT, additionalProperties: true })),
      "engagement_ms?": ranged(ENGAGEMENT_RULE),
      "scroll?": ranged(SCROLL_RULE),
      "hash?": optional({
        type: ["boolean", "number", "string"],
        description: 'Whether the part of `url` after "#" is the page.',
      }),
      ...Object.fromEntries(GIVEN_FIELDS.map((name) => [`${name}?`, GIVEN])),
      "import?": {
        ...ranged(IMPORT_RULE),
        description: "With an API key of scope write only: the number of an import.",
      },
      "exported?": optional({
        type: "object",
        description: "Of an import alone: what an export of Footfall has and no other field carries.",
      }),
      "stream?": ranged(STREAM_RULE),
      "interactive?": optional({
        type: "boolean",
        description: "false for what the page reports by itself: it leaves a visit the bounce that it was.",
      }),
    }),
    additionalProperties: true, // other properties are ignored
  },
  Events: {
    anyOf: [
      EVENT_REF,
      { type: "array", items: EVENT_REF, minItems: 1, maxItems: REQUEST_EVENTS_MAX },
      {
        ...object({
          "tracking_id?": optional({ type: ["string", "number"] }),
          "stream?": ranged(STREAM_RULE),
          "import?": ranged(IMPORT_RULE),
          events: { type: "array", items: EVENT_REF, minItems: 1, maxItems: REQUEST_EVENTS_MAX },
        }),
        additionalProperties: true,
      },
    ],
  },
  CollectorProblem: object({
    error: object({ code: { type: "string", enum: REJECTION_CODES }, message: { type: "string" } }),
  }),
  Report: object({
    accepted: COUNT,
    duplicates: COUNT,
    dropped: list(object({ index: COUNT, reason: { type: "string", enum: DROP_REASONS } })),
    rejected: list(
      object({ index: COUNT, code: { type: "string", enum: REJECTION_CODES }, "message?": { type: "string" } }),
    ),
  }),
} as const satisfies Readonly<Record<string, Schema>>;
