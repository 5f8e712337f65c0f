// Numbers in a JSON text that a double cannot hold. "12345678901234567890" loses its last digits when it is parsed, and
// "1e400" becomes infinite. As order numbers they would make one order of two. So they are put into quotes before the
// text is parsed, and stay as written. Few bodies have such numbers, so a quick search for long digits comes first.

/** A number behind ":", "," or "[" that has 16 digits or an exponent. */
const SUSPICIOUS = /[:,[]\s*-?(?:\d[\d.]{15}|[\d.]+e)/i;
const NUMBER = /-?\d[\d.e+-]*/iy;
/** No two doubles need more significant digits than this to be told apart. */
const DIGITS_MAX = 17;

/** Whether `quoteNumbers` could change anything. */
export function mayLoseDigits(json: string): boolean {
  return SUSPICIOUS.test(json);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** A valid JSON text with quotes around the numbers that a double would change. It looks at each character once. */
export function quoteNumbers(json: string): string {
  const parts: string[] = [];
  let from = 0;
  let isText = false;
  for (let at = 0; at < json.length; at++) {
    const code = json.charCodeAt(at);
    if (isText) {
      if (code === BACKSLASH) at += 1;
      else if (code === QUOTE) isText = false;
    } else if (code === QUOTE) isText = true;
    else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      NUMBER.lastIndex = at;
      const written = NUMBER.exec(json)?.[0] ?? "-"; // a lone "-" is in no valid text
      if (!isHeld(written)) {
        parts.push(json.slice(from, at), `"${written}"`);
        from = at + written.length;
      }
      at += written.length - 1;
    }
  }
  return from === 0 ? json : parts.join("") + json.slice(from);
}

/**
 * Whether a double is the number that was written, or the nearest double to one with no more digits than doubles have.
 */
function isHeld(written: string): boolean {
  const value = Number(written);
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return false;
  if (written.length <= DIGITS_MAX && value !== 0) return true;
  const [mantissa = ""] = written.split(/e/i);
  const digits = mantissa.replace(/[-.]/g, "").replace(/^0+/, "");
  return value === 0 ? digits === "" : significantOf(digits) <= DIGITS_MAX;
}

/**
 * The digits without zeros at the end. A regular expression would look at a run of zeros in the middle again for each
 * zero.
 */
function significantOf(digits: string): number {
  let length = digits.length;
  while (digits[length - 1] === "0") length -= 1;
  return length;
}
