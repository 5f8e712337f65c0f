// How an answer is sent: as JSON, or as CSV to whoever asks for that, by `Accept: text/csv` or, where headers cannot be set, by
// `?format=csv`.

import type { Context } from "hono";
import { toCsv } from "../../core/query/csv.ts";

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

function wantsCsv(c: Context): boolean {
  const format = new URL(c.req.url).searchParams.get("format");
  return format === null ? /^\s*text\/csv\b/i.test(c.req.header("accept") ?? "") : format === "csv";
}
