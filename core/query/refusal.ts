// The refusal of a question: a code, and a public text that begins with the path of the field ("#/metrics/1: …"). A
// value is repeated in a text only if it is short and shallow, because it may be hostile.

import { rejected } from "../outcome.ts";

/** A text may stand in a message up to this length, in UTF-16 units. */
const SHOWN_LENGTH_MAX = 100;
/** A list in a message is written out to this depth, to this many entries, and to this length in all. */
const SHOWN_DEPTH_MAX = 3;
const SHOWN_ENTRIES_MAX = 4;
const QUOTED_LENGTH_MAX = 300;

export function invalid(message: string) {
  return rejected("invalid_field", message);
}

export function mismatch(path: string, expected: string, value: unknown) {
  return invalid(`${path}: Type mismatch. Expected ${expected} but got ${typeName(value)}.`);
}

/** Texts without a path that clients of the Plausible API know, and the field that each is about. */
const FIELDS: readonly (readonly [text: RegExp, field: string])[] = [
  [/^Metric `/, "metrics"],
  [/^Invalid (\S+ )?filters?[.,]/, "filters"],
  [/^Missing site ID/, "site_id"],
];

/** The field that a refusal is about, such as "metrics/0". Undefined where it is about the whole question. */
export function fieldOf(message: string): string | undefined {
  const [, pointer] = /^#\/([^\s:]+):/.exec(message) ?? [];
  const [, missing] = /^#: Required property (\w+)/.exec(message) ?? [];
  return pointer ?? missing ?? FIELDS.find(([text]) => text.test(message))?.[1];
}

/** A refusal as the asker gets it instead of an answer. */
export function told<Code extends string>(code: Code, message: string) {
  const field = fieldOf(message);
  return { error: message, code, ...(field !== undefined && { field }) };
}

/** A value for a message. Short lists are written out. Objects and deeper values are named only by their type. */
export function quote(value: unknown): string {
  return shown(written(value, SHOWN_DEPTH_MAX), QUOTED_LENGTH_MAX);
}

export function shown(text: string, lengthMax = SHOWN_LENGTH_MAX): string {
  return text.length > lengthMax ? `${text.slice(0, lengthMax)}…` : text;
}

function written(value: unknown, depth: number): string {
  if (Array.isArray(value) && depth > 0 && value.length <= SHOWN_ENTRIES_MAX)
    return `[${value.map((item) => written(item, depth - 1)).join(", ")}]`;
  if (typeof value === "string") return `"${shown(value)}"`;
  return typeof value === "object" ? typeName(value) : String(value);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isIntegerIn(value: unknown, min: number, max: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max;
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return "Null";
  if (Array.isArray(value)) return "Array";
  if (typeof value === "number") return Number.isInteger(value) ? "Integer" : "Number";
  return (typeof value).replace(/^./, (letter) => letter.toUpperCase());
}
