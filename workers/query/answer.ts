// How a question is answered or refused. A refusal has its text where clients of the Plausible Stats API look for it.
// It also has what all refusals of Footfall have: a code of the closed list, and the field. An answer is sent as JSON.
// It is sent as CSV if the request has `Accept: text/csv`, or `?format=csv` where headers cannot be set.

import type { Context } from "hono";
import { toCsv } from "../../core/query/csv.ts";
import { told } from "../../core/query/refusal.ts";
import { PROBLEM_STATUS, type ProblemCode } from "./problem.ts";

export function sendAnswer(c: Context, answer: unknown): Response {
  if (!wantsCsv(c)) return c.json(answer as object);
  const headers = {
    "content-type": "text/csv; charset=utf-8; header=present",
    "content-disposition": 'attachment; filename="answer.csv"',
    "x-content-type-options": "nosniff",
    vary: "Accept",
  };
  return c.body(toCsv(answer as Parameters<typeof toCsv>[0]), 200, headers);
}

/** Refuses a question with {"error": "…", "code", "field"?} and the code's status. */
export function refuseQuestion(c: Context, code: ProblemCode, message: string): Response {
  return c.json(refusalOf(code, message), PROBLEM_STATUS[code]);
}

export function refusalOf(code: ProblemCode, message: string) {
  return told(code, message);
}

function wantsCsv(c: Context): boolean {
  const format = new URL(c.req.url).searchParams.get("format");
  return format === null ? /^\s*text\/csv\b/i.test(c.req.header("accept") ?? "") : format === "csv";
}
