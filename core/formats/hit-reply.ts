// The answer to a hit, as data: status, headers and body. A hit can end in a few ways, and each protocol has its own
// words for them. So each format has its own `answer`; this file has what formats share. No protocol reports an event
// as taken that could not be stored. The client gets a 503 and sends it again, and ids make that harmless.

import { RATE_LIMIT_PERIOD_SECONDS, REFUSALS_EXPLAINED_MAX } from "../limits.ts";
import type { Outcome, RejectionCode } from "../outcome.ts";
import { isRefused, isUnavailable, type Report } from "../report.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

/** What went wrong with a hit as a whole. */
export interface Problem {
  readonly status: number;
  readonly code: RejectionCode;
  readonly message: string;
}

/** The statuses of refusals that are not 400. */
const STATUSES: Partial<Record<RejectionCode, number>> = {
  unauthorized: 401,
  forbidden: 403,
  body_too_large: 413,
  unsupported_encoding: 415,
  rate_limited: 429,
  unavailable: 503,
};

/** When a client may come again, by the status it got. */
const RETRY_AFTER_SECONDS: Readonly<Record<number, number>> = { 429: RATE_LIMIT_PERIOD_SECONDS, 503: 5 };

export function json(status: number, value: unknown, headers: Answer["headers"] = {}): Answer {
  return { status, headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(value) };
}

export function plain(status: number, body: string, headers: Answer["headers"] = {}): Answer {
  return { status, headers: { "Content-Type": "text/plain; charset=utf-8", ...headers }, body };
}

/** One transparent pixel, never from a cache. */
export function image(): Answer {
  return { status: 200, headers: { "Content-Type": "image/gif", "Cache-Control": "no-store" }, body: PIXEL };
}

export function retryAfter(status: number): Record<string, string> {
  const seconds = RETRY_AFTER_SECONDS[status];
  return seconds === undefined ? {} : { "Retry-After": String(seconds) };
}

export function statusOf(code: RejectionCode): number {
  return STATUSES[code] ?? 400;
}

/**
 * What a client must be told: what is wrong with the whole hit, with an event that could not be stored, or, if no event
 * was taken, with all of them. Undefined if something was taken. Formats without words for a single event then do not
 * mention the others.
 */
export function problemOf(outcome: Outcome<Report>): Problem | undefined {
  if (!outcome.ok) return toProblem(outcome.rejection);
  const { rejected } = outcome.value;
  const unavailable = rejected.find(({ code }) => code === "unavailable");
  if (unavailable !== undefined) return toProblem(unavailable);
  const [first] = rejected;
  return isRefused(outcome.value) && first !== undefined ? toProblem(first) : undefined;
}

/** Every refusal in Footfall's own words has this shape. */
export function refusal({ status, code, message }: Problem): Answer {
  return json(status, { error: { code, message } }, retryAfter(status));
}

/**
 * The native answer: 202 with the report; 400 when the request or every event in it was refused; 429 when a tracking ID
 * comes too often; 503 when nothing could be stored. A 202 may list single events as "unavailable": those alone must be
 * sent again.
 */
export function reportAnswer(outcome: Outcome<Report>): Answer {
  if (!outcome.ok) return refusal(toProblem(outcome.rejection));
  const report = outcome.value;
  if (report.rejected.length === 0) return json(202, report);
  const told = { ...report, rejected: explained(report.rejected) };
  if (!isRefused(report)) return json(202, told);
  const status = isUnavailable(report) ? 503 : 400;
  return json(status, told, retryAfter(status));
}

/** A refusal with its place and code, and perhaps with a message. */
export interface Explained extends Pick<Report["rejected"][number], "index" | "code"> {
  readonly message?: string;
}

/**
 * Each refusal with its index and code. Only the first ones of each code have a message, so that an answer is not many
 * times longer than the hit.
 */
export function explained(rejected: Report["rejected"]): readonly Explained[] {
  const times = new Map<RejectionCode, number>();
  return rejected.map(({ index, code, message }) => {
    const count = (times.get(code) ?? 0) + 1;
    times.set(code, count);
    return count > REFUSALS_EXPLAINED_MAX ? { index, code } : { index, code, message };
  });
}

function toProblem({ code, message }: { readonly code: RejectionCode; readonly message: string }): Problem {
  return { status: statusOf(code), code, message };
}

/** A transparent GIF of one pixel: 43 bytes. */
const PIXEL = Uint8Array.from(
  "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b".match(/../g) ?? [],
  (byte) => Number.parseInt(byte, 16),
);
