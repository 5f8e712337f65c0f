// Hostnames as they are stored and compared. Collector and query Worker read them: the query Worker when a stream is
// made or a question names one, the collector when a client names a merchant's site by its hostname.

import { HOSTNAME_LENGTH_MAX } from "../core/limits.ts";

/** A hostname in its one spelling: lower case, punycode, no final dot. Undefined when the text is none. */
export function parseHostname(text: string): string | undefined {
  if (text.length > HOSTNAME_LENGTH_MAX || /[\s/:?#@\\[\]%]/.test(text)) return undefined;
  const url = `https://${text}`;
  const name = URL.canParse(url) ? new URL(url).hostname.replace(/\.$/, "") : "";
  return /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(name) && name.length <= HOSTNAME_LENGTH_MAX ? name : undefined;
}

/** The hostname of a stream, as it is stored and as questions name it: "www.example.com" and "example.com" are one. */
export function parseStreamHostname(text: string): string | undefined {
  return parseHostname(text)?.replace(/^(?:www\.)+(?=.*\.)/, "");
}
