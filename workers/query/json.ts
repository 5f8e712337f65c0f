// Parses JSON that somebody sent, in a body or in a parameter. Invalid JSON is the sender's mistake. It is refused in
// the words of the API to which it was sent.

import { accepted } from "../../core/outcome.ts";

/** The value of a JSON text, or that it is not JSON. */
export function parseJson(text: string): { readonly ok: true; readonly value: unknown } | { readonly ok: false } {
  try {
    return accepted(JSON.parse(text) as unknown);
  } catch {
    return { ok: false }; // a SyntaxError: the text is not JSON
  }
}
