// An answer, which is data, as a response; and the collector's own refusals, which no format words: wrong paths and
// methods, and addresses that come too often.

import { type Answer, refusal, statusOf } from "../../core/formats/hit-reply.ts";
import type { RejectionCode } from "../../core/outcome.ts";

/** The answer with headers of its own and some more. */
export function respond({ status, headers, body }: Answer, more: Readonly<Record<string, string>> = {}): Response {
  const content = typeof body === "string" ? body : (body.slice().buffer as ArrayBuffer);
  return new Response(isBodiless(status) ? null : content, { status, headers: { ...headers, ...more } });
}

/**
 * Any page may read the answer, which holds nothing but counts. Beacons send credentials, so the origin is named. No
 * answer varies by anything else.
 */
export function corsOf(origin: string): Record<string, string> {
  const headers = {
    "Access-Control-Allow-Origin": origin || "*",
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Expose-Headers": "Retry-After",
  };
  return origin === "" ? headers : { ...headers, Vary: "Origin" };
}

/** Every refusal of the collector itself has the native format's shape. */
export function refuse(
  code: RejectionCode,
  message: string,
  {
    status = statusOf(code),
    headers = {},
  }: { readonly status?: number; readonly headers?: Record<string, string> } = {},
): Response {
  return respond(refusal({ status, code, message }), headers);
}

function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}
