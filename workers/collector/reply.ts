// An answer, which is data, as a response; and the collector's own refusals, which no format words: wrong paths and
// methods, and addresses that come too often.

import { type Answer, refusal, statusOf } from "../../core/formats/answer.ts";
import type { RejectionCode } from "../../core/outcome.ts";

export function respond({ status, headers, body }: Answer): Response {
  const content = typeof body === "string" ? body : (body.slice().buffer as ArrayBuffer);
  return new Response(isBodiless(status) ? null : content, { status, headers: { ...headers } });
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
  const answer = refusal({ status, code, message });
  return respond({ ...answer, headers: { ...answer.headers, ...headers } });
}

function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}
