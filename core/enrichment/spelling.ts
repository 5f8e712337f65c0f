// One spelling for what can be written in several ways. For example, "/%C3%BCber%20uns" and "/%c3%bcber uns" are
// compared and shown as people read them, "/über uns". Texts of filters, goals and rules are brought into the same form
// before they are compared. Events keep their addresses as they came, so this is an opinion like any other.

import { compose } from "./compose.ts";
import { ESCAPE } from "./escape.ts";
import { readHost, spellHost } from "./hostname.ts";

/**
 * A path, or a part of one. Escapes become the characters they stand for, in Unicode's form NFC. Some stay escapes, in
 * upper case: characters that RFC 3986 reserves ("%2F" is no "/"), the percent sign, bytes that are no UTF-8, and
 * invisible characters.
 */
export function spellPath(text: string): string {
  if (!UNUSUAL.test(text)) return text;
  // Beside a lone percent sign a decoded digit could make an escape that was never sent: "%%341".
  const hasLone = LONE_PERCENT.test(text);
  const decoded = text.includes("%") ? text.replace(ESCAPE, (bytes) => decodeBytes(bytes, hasLone)) : text;
  return compose(decoded.toWellFormed().replace(UNSEEN, encodeURIComponent).replace(MARKED_ESCAPE, encodeMarks));
}

/** A page as filters, goals and rules name one: a path, perhaps with kept parameters behind it. */
export function spellPage(text: string): string {
  const question = text.indexOf("?");
  if (question < 0) return spellPath(text);
  return `${spellPath(text.slice(0, question))}?${spellQuery(text.slice(question + 1))}`;
}

/** Parameters as they stand in a query, where "+" is a blank. */
export function spellQuery(text: string): string {
  return spellPath(text.replaceAll("+", " "));
}

/** A referrer as answers show it: a host without "www.", its path without final slashes, and the scheme of an app. */
export function spellReferrer(text: string): string {
  const [scheme, host, path] = splitReferrer(compose(text)); // the sign for Kelvin is a "K"
  return (
    (/^https?:/i.test(scheme) ? "" : scheme.toLowerCase()) + bare(spellName(withoutPort(host))) + withoutSlash(path)
  );
}

/** A host without the port behind it. A malformed address may have several ports. */
function withoutPort(host: string): string {
  let start = host.length;
  while (/[\d:]/.test(host.charAt(start - 1))) start -= 1;
  const colon = host.indexOf(":", start);
  return colon < 0 ? host : host.slice(0, colon);
}

/** A path without the slashes at its end. */
export function withoutSlash(path: string): string {
  let end = path.length;
  while (path[end - 1] === "/") end -= 1;
  return path.slice(0, end);
}

/** A part of a referrer: nothing is taken off it. */
function spellReferrerPart(text: string): string {
  const [scheme, host, path] = splitReferrer(text);
  return IS_PLAIN.test(host) ? scheme + host + path : scheme + spellName(host) + path;
}

function splitReferrer(text: string): readonly [scheme: string, host: string, path: string] {
  const [, scheme = "", host = "", path = ""] = /^([a-z][a-z0-9+.-]*:\/\/)?([^/]*)(.*)$/is.exec(text) ?? [];
  return [scheme, host, spellPath(path)];
}

/**
 * The one spelling of a text that may be the name of a host. Any other text is put into lower case, and into NFC after
 * that: the accent that "İ" gets in lower case may belong behind another one.
 */
function spellName(text: string): string {
  return spellHost(text) || compose(text.toLowerCase().toWellFormed());
}

/** The one spelling of a source. Sources are hosts or names ("Google"), and only hosts have several spellings. */
export function spellSource(text: string): string {
  return IS_PLAIN.test(text) || !text.includes(".") ? text : spellHost(text) || text;
}

const IS_PLAIN = /^[ -~]*$/;

/**
 * A host without the labels that only say how its pages are shown: "www.shop.example" and
 * "m.shop.example" are one shop.
 */
export function bare(hostname: string): string {
  return hostname.replace(/^(?:(?:www|m|l|lm)\.)+(?=[^.]+\.)/, "");
}

/** How an attribute's values are written. */
export interface Spelling {
  /** The one spelling of a value, and of a text that is compared with it. */
  readonly spell: (text: string) => string;
  /** The one spelling of a text that is searched in values. */
  readonly spellPart: (text: string) => string;
  /** The spellings of a value in which a part or a regular expression is searched. */
  readonly forms: (value: string) => readonly string[];
}

export const PAGES: Spelling = {
  spell: spellPage,
  spellPart: spellPage,
  forms: (value) => withEscapes(spellPage(value)),
};
export const HOSTS: Spelling = { spell: spellName, spellPart: spellName, forms: withReadable };
export const SOURCES: Spelling = { spell: spellSource, spellPart: spellSource, forms: withReadable };
export const REFERRERS: Spelling = { spell: spellReferrer, spellPart: spellReferrerPart, forms: withReadable };

function withEscapes(page: string): readonly string[] {
  if (!UNUSUAL.test(page)) return [page];
  return [page, page.toWellFormed().replace(/[^\x21-\x7e]+/g, encodeURIComponent)];
}

function withReadable(host: string): readonly string[] {
  return host.includes("xn--") ? [host, readHost(host)] : [host];
}

/** Percent signs, control characters, and what is not ASCII: most paths have none of them. */
const UNUSUAL = /[^\x20-\x24\x26-\x7e]/;
const LONE_PERCENT = /%(?![0-9a-f]{2})/i;
/** RFC 3986, section 2.2, and the percent sign. */
const RESERVED = /[:/?#[\]@!$&'()*+,;=%]/;
/** Control and format characters and blanks but the common one, without the joiners that words of some scripts need. */
const UNSEEN = /(?![ \u200c\u200d])[\p{Cc}\p{Cf}\p{Z}]/gu;
/**
 * An escape that stays, and accents behind it. NFC would put the accent on the last letter of the escape: "%0A" and an
 * acute would become "%0\u00c1".
 */
const MARKED_ESCAPE = /(%[0-9A-F]{2})(\p{M}+)/gu;

function encodeMarks(_: string, escaped: string, marks: string): string {
  return escaped + encodeURIComponent(marks);
}

function decodeBytes(bytes: string, hasLone: boolean): string {
  if (bytes.length > "%00".length) return decodeURIComponent(bytes);
  const code = Number.parseInt(bytes.slice(1), 16);
  const character = String.fromCharCode(code);
  return hasLone || code >= 0x80 || RESERVED.test(character) ? bytes.toUpperCase() : character;
}
