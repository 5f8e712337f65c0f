// A batch: several questions about one merchant. It says once what they have in common: a range, filters, and what to
// include. Each question becomes the body that it would be alone, and the parser of such bodies reads it.

import { BATCH_NAME_LENGTH_MAX, BATCH_QUESTIONS_MAX } from "../limits.ts";
import { accepted, type Outcome, rejected } from "../outcome.ts";
import { invalid, isObject, mismatch, quote, shown } from "./refusal.ts";
import { REPORTS, type ReportName } from "./report-count.ts";

export type BatchKind = "query" | ReportName;

export interface BatchQuestion {
  readonly name: string;
  readonly kind: BatchKind;
  /** The body of the question alone. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Batch {
  readonly questions: readonly BatchQuestion[];
  /** The version that the asker has. */
  readonly ifVersion: string | undefined;
}

/** The last key says which grammar a question follows. */
const KEYS = ["site_id", "date_range", "filters", "include", "questions", "if_version"];
const REQUIRED = ["site_id", "date_range", "questions"];
const OF_BATCH = ["site_id", "date_range"];
export const BATCH_KINDS: readonly BatchKind[] = ["query", ...(Object.keys(REPORTS) as ReportName[])];
const NAME = new RegExp(`^[A-Za-z0-9_-]{1,${BATCH_NAME_LENGTH_MAX}}$`);

/** Reads the body of a batch. A mistake in one question is found when that question is answered. */
export function parseBatch(body: unknown): Outcome<Batch> {
  if (!isObject(body)) return mismatch("#", "Object", body);
  const unknown = Object.keys(body).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) return invalid(`#/${shown(unknown)}: Schema does not allow additional properties.`);
  const missing = REQUIRED.find((key) => body[key] === undefined);
  if (missing !== undefined) return rejected("missing_field", `#: Required property ${missing} was not present.`);
  const { questions, filters = [], include = {}, if_version: ifVersion } = body;
  if (!Array.isArray(filters)) return mismatch("#/filters", "Array", filters);
  if (!isObject(include)) return mismatch("#/include", "Object", include);
  if (ifVersion !== undefined && typeof ifVersion !== "string") return mismatch("#/if_version", "String", ifVersion);
  if (!isObject(questions)) return mismatch("#/questions", "Object", questions);
  const named = Object.entries(questions);
  if (named.length === 0) return invalid("#/questions: Expected a minimum of 1 questions but got 0.");
  if (named.length > BATCH_QUESTIONS_MAX)
    return invalid(`#/questions: Expected a maximum of ${BATCH_QUESTIONS_MAX} questions but got ${named.length}.`);
  const found: BatchQuestion[] = [];
  for (const [name, given] of named) {
    const question = parseOne(name, given, { ...body, filters, include });
    if (!question.ok) return question;
    found.push(question.value);
  }
  return accepted({ questions: found, ifVersion });
}

interface Common extends Readonly<Record<string, unknown>> {
  readonly filters: readonly unknown[];
  readonly include: Readonly<Record<string, unknown>>;
}

function parseOne(name: string, given: unknown, common: Common): Outcome<BatchQuestion> {
  if (!NAME.test(name))
    return invalid(
      `#/questions: Invalid name ${quote(name)}. A name has 1 to ${BATCH_NAME_LENGTH_MAX} letters, digits, "_" and "-".`,
    );
  const at = `#/questions/${name}`;
  if (!isObject(given)) return mismatch(at, "Object", given);
  const { kind = "query", ...own } = given;
  if (!BATCH_KINDS.includes(kind as BatchKind)) return invalid(`${at}/kind: Invalid kind ${quote(kind)}`);
  const twice = OF_BATCH.find((key) => own[key] !== undefined);
  if (twice !== undefined) return invalid(`${at}/${twice}: All questions of a batch have one ${twice}.`);
  const { filters = [], include = {} } = own;
  if (!Array.isArray(filters)) return mismatch(`${at}/filters`, "Array", filters);
  if (!isObject(include)) return mismatch(`${at}/include`, "Object", include);
  const all = [...common.filters, ...filters];
  const included = { ...common.include, ...include };
  const isQuery = kind === "query";
  // Reports have nothing to include. If one says so itself, it is refused when it is answered.
  const { include: _, ...report } = own;
  return accepted({
    name,
    kind: kind as BatchKind,
    body: {
      ...(isQuery ? own : own["include"] === undefined ? report : own),
      site_id: common["site_id"],
      date_range: common["date_range"],
      ...(all.length > 0 && { filters: all }),
      ...(isQuery && Object.keys(included).length > 0 && { include: included }),
    },
  });
}
