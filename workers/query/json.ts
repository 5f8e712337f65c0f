// JSON that somebody sent, in a body or in a parameter: what is none is the sender's mistake, to be refused in the
// words of the API that was meant.

import { accepted } from "../../core/outcome.ts";

/** JSON text to a value. */
export function parseJson(text: string): { readonly ok: true; readonly value: unknown } | { readonly ok: false } {
  try {
    return accepted(JSON.parse(text) as unknown);
  } catch {
    return { ok: false }; // a SyntaxError is the answer to the question that was asked
  }
}
