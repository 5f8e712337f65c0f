// Percent escapes of addresses. Broken escapes are found without an exception. One exception takes as long as decoding
// a page of text, and a body may have 100,000 broken escapes.

/** Characters of UTF-8 of two, three or four bytes (RFC 3629), as escapes. */
const WIDE = [
  "(?:%c[2-9a-f]|%d[0-9a-f])T",
  "(?:%e0%[ab][0-9a-f]|%e[1-9a-cef]T|%ed%[89][0-9a-f])T",
  "(?:%f0%[9ab][0-9a-f]|%f[1-3]T|%f4%8[0-9a-f])TT",
]
  .join("|")
  .replaceAll("T", "%[89ab][0-9a-f]");

/** An escaped character of several bytes, or any one escaped byte. */
export const ESCAPE = new RegExp(`${WIDE}|%[0-9a-f]{2}`, "gi");
/** An escaped character of several bytes, or one of ASCII. */
const WHOLE = new RegExp(`${WIDE}|%[0-7][0-9a-f]`, "gi");

/**
 * A text with its escapes decoded. Where any of them is broken the text stays as it is, which still tells pages apart.
 */
export function decodeEscapes(text: string): string {
  if (!text.includes("%") || text.replace(WHOLE, "").includes("%")) return text;
  return decodeURIComponent(text);
}
