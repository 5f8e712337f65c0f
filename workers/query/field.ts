// Bodies and query parameters of the admin API. Each request has a table of its fields, and one function reads any body
// by its table. Each field has a check, and a text for callers that says what its value must be. Each field also has a
// JSON Schema, from which the OpenAPI document is made (openapi/).

import { isPartitionName } from "../../core/counting/ledger-placement.ts";
import { clean } from "../../core/formats/field.ts";
import {
  EXPORT_FILTERS_LENGTH_MAX,
  ID_LENGTH_MAX,
  NAME_LENGTH_MAX,
  QUESTION_DAY_MAX,
  SHARE_FILTERS_DEPTH_MAX,
  SHARE_FILTERS_LENGTH_MAX,
} from "../../core/limits.ts";
import { isCurrency } from "../../core/merchant.ts";
import { isTimeZone, parseDate } from "../../core/time.ts";
import type { Schema } from "../../core/type-text.ts";
import { parseStreamHostname } from "../../storage/hostname.ts";
import { parseJson } from "./json.ts";
import { type Checked, problem } from "./problem.ts";

export interface Field<T, Required extends boolean = boolean> {
  readonly required: Required;
  /** Completes the sentence "<field> must be …". */
  readonly expected: string;
  /** A schema of the value before `parse`. Everything that `parse` accepts fits it. */
  readonly schema: Schema;
  /** The parsed value. Undefined when the value is not what is expected. */
  readonly parse: (value: unknown) => T | undefined;
  /** Set where the value must never be repeated, not even in the audit log. */
  readonly hidden?: true;
}

export type FieldTable = Readonly<Record<string, Field<unknown>>>;

/** The parsed fields of a table. A field that was left out is undefined. */
export type Fields<Table extends FieldTable> = {
  readonly [Name in keyof Table]: Table[Name] extends Field<infer T, infer Required>
    ? Required extends true
      ? T
      : T | undefined
    : never;
};

/** Reads a body by a table. A body with unknown or missing fields, or with one that is not as expected, is refused. */
export function parseFields<Table extends FieldTable>(body: unknown, table: Table): Checked<Fields<Table>> {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    return problem("invalid_body", "The body must be a JSON object.");
  const given = body as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(table, name));
  if (unknown !== undefined) {
    const name = unknown.slice(0, NAME_LENGTH_MAX);
    return problem("unknown_field", `There is no field "${name}" here; known: ${Object.keys(table).join(", ")}.`, name);
  }
  const values: Record<string, unknown> = {};
  for (const [name, { required, expected, parse }] of Object.entries(table)) {
    const value = given[name];
    if (value === undefined && required) return problem("missing_field", `"${name}" is missing.`, name);
    values[name] = value === undefined ? undefined : parse(value);
    if (value !== undefined && values[name] === undefined)
      return problem("invalid_field", `"${name}" must be ${expected}.`, name);
  }
  return { ok: true, value: values as Fields<Table> };
}

export function required<T>(field: Field<T>): Field<T, true> {
  return { ...field, required: true };
}

/** One text of a closed list. */
export function oneOf<const T extends string>(list: readonly T[]): Field<T, false> {
  return {
    required: false,
    expected: list.map((text) => `"${text}"`).join(" or "),
    schema: { type: "string", enum: list },
    parse: (value) => list.find((text) => text === value),
  };
}

export const NAME: Field<string, false> = {
  required: false,
  expected: `a text of 1 to ${NAME_LENGTH_MAX} characters`,
  schema: { type: "string", minLength: 1 },
  parse: (value) => {
    const name = typeof value === "string" ? clean(value).trim() : "";
    return name.length > 0 && name.length <= NAME_LENGTH_MAX ? name : undefined;
  },
};

export const TIME_ZONE: Field<string, false> = {
  required: false,
  expected: 'an IANA time zone such as "Europe/Berlin"',
  schema: { type: "string", examples: ["Europe/Berlin"] },
  parse: (value) => (typeof value === "string" && isTimeZone(value) ? value : undefined),
};

export const CURRENCY: Field<string, false> = {
  required: false,
  expected: 'an ISO 4217 currency such as "EUR"',
  schema: { type: "string", pattern: "^[A-Z]{3}$", examples: ["EUR"] },
  parse: (value) => (typeof value === "string" && isCurrency(value) ? value : undefined),
};

export const HOSTNAME: Field<string, false> = {
  required: false,
  expected: 'a hostname such as "shop.example.com", without scheme, port or path',
  schema: { type: "string", minLength: 1, examples: ["shop.example.com"] },
  parse: (value) => (typeof value === "string" ? parseStreamHostname(value) : undefined),
};

/** An instant with its offset, as UTC ms. */
export const INSTANT: Field<number, false> = {
  required: false,
  expected: 'an ISO 8601 instant with its offset, such as "2027-01-31T12:00:00Z"',
  schema: { type: "string", format: "date-time" },
  parse: (value) => {
    const shaped =
      typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:\d\d)$/.test(value);
    // `Date.parse` reads a date that does not exist as another date. So the date is checked first.
    const instant = shaped && parseDate(value.slice(0, 10)) !== undefined ? Date.parse(value) : Number.NaN;
    return Number.isNaN(instant) ? undefined : instant;
  },
};

/** The name of a partition that may exist. */
export const PARTITION: Field<string, true> = {
  required: true,
  expected: 'the name of a partition, such as "pool-3"; GET /api/v1/partitions lists them',
  schema: { type: "string", pattern: "^(pool|merchant)-[0-9]{1,10}(-[a-z0-9-]*)?$", examples: ["pool-3"] },
  parse: (value) => (typeof value === "string" && isPartitionName(value) ? value : undefined),
};

/** A Day, sent as its date and parsed to its number. */
export const DATE: Field<number, false> = {
  required: false,
  expected: 'a date such as "2026-11-21"',
  schema: { type: "string", format: "date" },
  parse: (value) => {
    const day = typeof value === "string" ? parseDate(value) : undefined;
    return day !== undefined && day < QUESTION_DAY_MAX ? day : undefined;
  },
};

/** A text that is compared with values of events. */
export const TEXT: Field<string, false> = {
  required: false,
  expected: `a text of 1 to ${ID_LENGTH_MAX} characters`,
  schema: { type: "string", minLength: 1, maxLength: ID_LENGTH_MAX },
  parse: (value) => (typeof value === "string" && value !== "" && value.length <= ID_LENGTH_MAX ? value : undefined),
};

/** Yes or no, as a query parameter. */
export const BOOLEAN_PARAMETER: Field<boolean, false> = {
  required: false,
  expected: '"true" or "false"',
  schema: { type: "boolean" },
  parse: (value) => (value === "true" ? true : value === "false" ? false : undefined),
};

/** Filters as a query parameter in JSON. The filters' own parser decides whether they are valid. */
export const FILTERS_PARAMETER: Field<readonly unknown[], false> = {
  required: false,
  expected: `a list of filters as questions have them, at most ${EXPORT_FILTERS_LENGTH_MAX} characters of JSON`,
  schema: { type: "string", maxLength: EXPORT_FILTERS_LENGTH_MAX },
  parse: (value) => {
    if (typeof value !== "string" || value.length > EXPORT_FILTERS_LENGTH_MAX) return undefined;
    const read = parseJson(value);
    return read.ok && Array.isArray(read.value) ? read.value : undefined;
  },
};

/** A whole number, or its text, as in query parameters. */
export function wholeNumber(min: number, max: number): Field<number, false> {
  return {
    required: false,
    expected: `a whole number from ${min} to ${max}`,
    schema: { type: "integer", minimum: min, maximum: max },
    parse: (value) => {
      const text = typeof value === "string" || typeof value === "number" ? String(value) : "";
      const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return number >= min && number <= max ? number : undefined;
    },
  };
}

/** Where a page begins: the "next" of the page before it. */
export const CURSOR: Field<string, false> = {
  required: false,
  expected: 'what the page before gave as "next"',
  schema: { type: "string", maxLength: 1_000 },
  parse: (value) => (typeof value === "string" && value.length <= 1_000 ? value : undefined),
};

/** Parses filters that are saved: a list of bounded length whose filters are all valid. */
export function savedFilters(
  passes: (filters: readonly unknown[]) => boolean,
): (value: unknown) => readonly unknown[] | undefined {
  return (value) => {
    if (!Array.isArray(value) || !isShallow(value, SHARE_FILTERS_DEPTH_MAX)) return undefined;
    if (JSON.stringify(value).length > SHARE_FILTERS_LENGTH_MAX) return undefined;
    return passes(value) ? value : undefined;
  };
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1));
}
