// Turns an answer, which is data, into a response. It also has the collector's own refusals, for which no format has
// words: wrong paths and methods, and addresses that send too often.

import { type Answer, refusal, statusOf } from "../../core/formats/hit-reply.ts";
import type { RejectionCode } from "../../core/outcome.ts";

/** Makes the response of an answer. `more` has additional headers. */
export function respond({ status, headers, body }: Answer, more: Readonly<Record<string, string>> = {}): Response {
  const content = typeof body === "string" ? body : (body.slice().buffer as ArrayBuffer);
  return new Response(isBodiless(status) ? null : content, { status, headers: { ...headers, ...more } });
}

/**
 * Headers that let any page read the answer, which contains nothing but counts. The origin is named, because beacons
 * send credentials. Answers depend on no other header of the request.
 */
export function corsOf(origin: string): Record<string, string> {
  const headers = {
    "Access-Control-Allow-Origin": origin || "*",
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Expose-Headers": "Retry-After",
  };
  return origin === "" ? headers : { ...headers, Vary: "Origin" };
}

/** A refusal of the collector itself, in the native format's shape. */
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
