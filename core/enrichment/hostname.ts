// A host in its one spelling: lower case, without a final dot, and international names in Punycode
// ("xn--mller-kva.example" for "Müller.example"). Browsers send it so, streams and rules store it so, and it shows
// look-alikes as different. Core has no URL class, so RFC 3492 is implemented here.
// test/core/enrichment/spelling.test.ts compares it with Node's.

import { HOSTNAME_LENGTH_MAX } from "../limits.ts";
import { compose } from "./compose.ts";
import { decodeEscapes } from "./escape.ts";

/**
 * A host as browsers send it, without final dots. "" for a text that cannot be a host, such as "(none)", because
 * answers use names in parentheses.
 */
export function spellHost(text: string): string {
  const lower = text.toLowerCase();
  const ascii = USUAL.test(lower) ? lower : toAscii(lower);
  let end = ascii.length;
  while (ascii[end - 1] === ".") end -= 1;
  return end > HOSTNAME_LENGTH_MAX ? "" : ascii.slice(0, end);
}

/** The same host for people to read. A host that cannot be read stays as it was. */
export function readHost(host: string): string {
  if (!host.includes("xn--")) return host;
  return host
    .split(".")
    .map((label) => (isEncoded(label) ? readLabel(label) : label))
    .join(".");
}

/**
 * A label that its reading would not be encoded as ("xn--google-" would read as "google") names nothing else, so it
 * stays.
 */
function readLabel(label: string): string {
  const read = decodeLabel(label.slice(ENCODED.length));
  return read !== undefined && toAscii(read) === label ? read : label;
}

function isEncoded(label: string): boolean {
  return label.startsWith(ENCODED) && label.length <= LABEL_LENGTH_MAX;
}

/** The beginning of an encoded label. A label that begins like this and is not ASCII is no host. */
const ENCODED = "xn--";
/** Letters, digits, hyphens, underscores; an address of IPv6 in brackets. */
const USUAL = /^(?:[a-z0-9._-]*|\[[0-9a-f:.]+\])$/;
/** A longer label is not valid (RFC 1035). Encoding takes time that grows with the square of its length. */
const LABEL_LENGTH_MAX = 63;

function toAscii(lower: string): string {
  const decoded = decodeEscapes(lower);
  const composed = compose(decoded, "NFKC").toLowerCase().replace(/[。｡]/g, ".").replace(IGNORED, "");
  if (composed.length > HOSTNAME_LENGTH_MAX) return "";
  const labels = composed.split(".");
  if (labels.some((label) => label.length > LABEL_LENGTH_MAX)) return "";
  if (labels.some((label) => label.startsWith(ENCODED) && !IS_ASCII.test(label))) return "";
  const host = labels.map((label) => (IS_ASCII.test(label) ? label : encodeLabel(label))).join(".");
  return USUAL.test(host) ? host : "";
}

/** Soft hyphens and similar characters, which names do not show (UTS 46). */
const IGNORED = /[\u00ad\u200b\u2060\ufeff]/g;
const IS_ASCII = /^[ -~]*$/;

// RFC 3492, sections 5 and 6. Numbers have digits of base 36, the lowest first. The last digit of each is below a
// threshold.
const DIGITS = "abcdefghijklmnopqrstuvwxyz0123456789";
const BASE = 36;
const THRESHOLD_MIN = 1;
const THRESHOLD_MAX = 26;
const SKEW = 38;
const DAMP = 700;
const FIRST_BIAS = 72;
const FIRST_POINT = 0x80;

function encodeLabel(label: string): string {
  const points = Array.from(label, (character) => character.codePointAt(0) as number);
  const basic = points.filter((point) => point < FIRST_POINT);
  let encoded = `${ENCODED}${String.fromCharCode(...basic)}${basic.length > 0 ? "-" : ""}`;
  let done = basic.length;
  let delta = 0;
  let bias = FIRST_BIAS;
  for (let point = FIRST_POINT; done < points.length; point++) {
    const next = Math.min(...points.filter((other) => other >= point));
    delta += (next - point) * (done + 1);
    point = next;
    for (const other of points) {
      if (other < point) delta += 1;
      if (other !== point) continue;
      encoded += encodeNumber(delta, bias);
      bias = adapt(delta, done + 1, done === basic.length);
      delta = 0;
      done += 1;
    }
    delta += 1;
  }
  return encoded;
}

function encodeNumber(number: number, bias: number): string {
  let digits = "";
  let left = number;
  for (let k = BASE; ; k += BASE) {
    const threshold = thresholdOf(k, bias);
    if (left < threshold) return digits + DIGITS[left];
    digits += DIGITS[threshold + ((left - threshold) % (BASE - threshold))];
    left = Math.floor((left - threshold) / (BASE - threshold));
  }
}

/** Undefined for a text that encodes nothing. */
function decodeLabel(encoded: string): string | undefined {
  const hyphen = encoded.lastIndexOf("-");
  const points = Array.from(encoded.slice(0, Math.max(0, hyphen)), (character) => character.charCodeAt(0));
  let at = hyphen + 1;
  let position = 0;
  let point = FIRST_POINT;
  let bias = FIRST_BIAS;
  while (at < encoded.length) {
    const before = position;
    let weight = 1;
    for (let k = BASE; ; k += BASE) {
      const digit = DIGITS.indexOf(encoded[at++] ?? "?");
      if (digit < 0) return undefined;
      position += digit * weight;
      const threshold = thresholdOf(k, bias);
      if (digit < threshold) break;
      weight *= BASE - threshold;
    }
    const count = points.length + 1;
    bias = adapt(position - before, count, before === 0);
    point += Math.floor(position / count);
    if (!(point <= POINT_MAX)) return undefined;
    position %= count;
    points.splice(position++, 0, point);
  }
  return String.fromCodePoint(...points).toWellFormed();
}

const POINT_MAX = 0x10ffff;

function thresholdOf(k: number, bias: number): number {
  return Math.min(THRESHOLD_MAX, Math.max(THRESHOLD_MIN, k - bias));
}

function adapt(delta: number, count: number, isFirst: boolean): number {
  let left = Math.floor(delta / (isFirst ? DAMP : 2));
  left += Math.floor(left / count);
  let k = 0;
  for (; left > ((BASE - THRESHOLD_MIN) * THRESHOLD_MAX) / 2; k += BASE)
    left = Math.floor(left / (BASE - THRESHOLD_MIN));
  return k + Math.floor(((BASE - THRESHOLD_MIN + 1) * left) / (left + SKEW));
}
