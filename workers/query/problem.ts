// The mistakes of admin requests: a closed list of codes, each with its status. All are answered in one shape:
// {"error": {"code", "message", "field"?}}.

import type { Context } from "hono";

/** Every code and its status. */
export const PROBLEM_STATUS = {
  invalid_json: 400,
  invalid_body: 400,
  incomplete_body: 400,
  missing_field: 400,
  invalid_field: 400,
  unknown_field: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  body_too_large: 413,
  unsupported_encoding: 415,
  rate_limited: 429,
  unavailable: 503,
} as const;
export type ProblemCode = keyof typeof PROBLEM_STATUS;

export interface Problem {
  readonly code: ProblemCode;
  readonly message: string;
  /** The field of the body or the query parameter that is wrong. */
  readonly field?: string;
}

/** Either a value or what is wrong with the request. */
export type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

export function problem(code: ProblemCode, message: string, field?: string) {
  return { ok: false, problem: { code, message, ...(field !== undefined && { field }) } } as const;
}

export function replyWithProblem(c: Context, error: Problem): Response {
  return c.json({ error }, PROBLEM_STATUS[error.code]);
}
