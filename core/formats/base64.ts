// Base64 texts, in the usual and the URL alphabet. Some clients wrap their JSON in it. Core has no platform decoder, so
// it is written here: bytes become escapes, and the language's own decoder reads those as UTF-8.

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The decoded text. Undefined where it is not Base64 of UTF-8. */
export function decodeBase64(encoded: string): string | undefined {
  const digits = encoded.replaceAll("-", "+").replaceAll("_", "/");
  let end = digits.length;
  while (digits[end - 1] === "=") end -= 1; // an expression for it would look at a run of them once for each
  const escapes: string[] = [];
  let rest = 0;
  let bits = 0;
  for (const digit of digits.slice(0, end)) {
    const value = DIGITS.indexOf(digit);
    if (value < 0) return undefined;
    rest = (rest << 6) | value;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    escapes.push(`%${((rest >>> bits) & 255).toString(16).padStart(2, "0")}`);
    rest &= (1 << bits) - 1;
  }
  try {
    return decodeURIComponent(escapes.join(""));
  } catch {
    return undefined; // a URIError: the bytes are not UTF-8
  }
}
