// Turns an answer, which is data, into a response. Also here are the refusals of the collector itself, for which no
// format has words: wrong paths and methods, and addresses that send too often.

import { type Answer, refusal, statusOf } from "../../core/formats/hit-reply.ts";
import type { RejectionCode } from "../../core/outcome.ts";

/** The response of an answer, with more headers. */
export function respond({ status, headers, body }: Answer, more: Readonly<Record<string, string>> = {}): Response {
  const content = typeof body === "string" ? body : (body.slice().buffer as ArrayBuffer);
  return new Response(isBodiless(status) ? null : content, { status, headers: { ...headers, ...more } });
}

/**
 * Headers with which any page may read the answer, which holds nothing but counts. The origin is named, because beacons
 * send credentials. Answers depend on nothing else of the request's headers.
 */
export function corsOf(origin: string): Record<string, string> {
  const headers = {
    "Access-Control-Allow-Origin": origin || "*",
    "Access-Control-Allow-Credentials": "true",
    "Access-Control-Expose-Headers": "Retry-After",
  };
  return origin === "" ? headers : { ...headers, Vary: "Origin" };
}

/** A refusal of the collector itself, which has the native format's shape. */
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
