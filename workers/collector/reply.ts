// How the collector answers: a report as JSON, a transparent image, or a refusal that says what was wrong and what to do.

import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { RATE_LIMIT_PERIOD_SECONDS } from "../../core/limits.ts";
import type { Outcome, RejectionCode } from "../../core/outcome.ts";
import type { Report } from "./collect.ts";

/** When a client may come again, by the status it got. */
const RETRY_AFTER_SECONDS = { 429: RATE_LIMIT_PERIOD_SECONDS, 503: 5 } as const;

/**
 * 202 with the report; 400 when the request or every event in it was refused; 429 when a tracking ID comes too often; 503
 * when nothing could be stored. A 202 may list single events as "unavailable": those alone must be sent again.
 */
export function replyWithReport(c: Context, outcome: Outcome<Report>): Response {
  if (!outcome.ok) {
    const { code, message } = outcome.rejection;
    return code === "rate_limited" ? refusal(c, 429, code, message, retryAfter(429)) : refusal(c, 400, code, message);
  }
  if (isUnavailable(outcome.value)) return c.json(outcome.value, 503, retryAfter(503));
  return c.json(outcome.value, isRefused(outcome.value) ? 400 : 202);
}

/** The image, or a refusal: a developer looking at the request should see why nothing is counted. */
export function replyWithPixel(c: Context, outcome: Outcome<Report>): Response {
  if (!outcome.ok || isRefused(outcome.value)) return replyWithReport(c, outcome);
  return imageReply(c);
}

/** One transparent pixel, never from a cache. */
export function imageReply(c: Context): Response {
  return c.body(PIXEL.slice().buffer, 200, { "Content-Type": "image/gif", "Cache-Control": "no-store" });
}

export function retryAfter(status: keyof typeof RETRY_AFTER_SECONDS): Record<string, string> {
  return { "Retry-After": String(RETRY_AFTER_SECONDS[status]) };
}

/** Every error of the collector has this shape. */
export function refusal(
  c: Context,
  status: ContentfulStatusCode,
  code: RejectionCode,
  message: string,
  headers: Record<string, string> = {},
): Response {
  return c.json({ error: { code, message } }, status, headers);
}

function isRefused(report: Report): boolean {
  return report.rejected.length > 0 && report.accepted + report.duplicates + report.dropped.length === 0;
}

/** Nothing was taken, and at least one event only because it could not be stored: the client should come again. */
function isUnavailable(report: Report): boolean {
  return isRefused(report) && report.rejected.some((rejection) => rejection.code === "unavailable");
}

/** A transparent GIF of one pixel: 43 bytes. */
const PIXEL = Uint8Array.from(atob("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw=="), (character) =>
  character.charCodeAt(0),
);
