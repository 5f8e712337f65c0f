// Web addresses, split without a URL class: core has none, and no address may throw. It follows RFC 3986's generic
// syntax as far as counting needs it. Hosts get their one spelling. Paths stay as they were sent (spelling.ts).

import { QUERY_PARAMETERS_MAX } from "../limits.ts";
import { decodeEscapes } from "./escape.ts";
import { spellHost } from "./hostname.ts";

export interface Address {
  readonly scheme: string;
  /** In its one spelling, without user and port. */
  readonly hostname: string;
  /** As sent, from its "/" on, without query and fragment. A missing "/" is added ("https://shop.example cart"). */
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  /** Without the hash sign. */
  readonly fragment: string;
}

/** The parts of an absolute address, or undefined when it is not one. */
export function parseAddress(url: string): Address | undefined {
  if (parsedLast?.url !== url) parsedLast = { url, address: splitAddress(url) };
  return parsedLast.address;
}

/** The last address that was parsed. Several steps of enrichment ask for the same referrer. */
let parsedLast: { readonly url: string; readonly address: Address | undefined } | undefined;

/** Whether `parseAddress` finds an address. Anything may follow its scheme. */
export function isAddress(url: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(url);
}

function splitAddress(url: string): Address | undefined {
  const match = /^([a-z][a-z0-9+.-]*):\/\/([^/?#\s]*)([^?#]*)(?:\?([^#]*))?(?:#(.*))?/is.exec(
    url.includes("&#") ? url.replace(/&#0*38;/g, "&") : url, // "&" as some pages escape it in links
  );
  if (match === null) return undefined;
  const [, scheme = "", authority = "", path = "", query = "", fragment = ""] = match;
  const hostname = spellHost(authority.slice(authority.lastIndexOf("@") + 1).replace(/:\d*$/, ""));
  return { scheme: scheme.toLowerCase(), hostname, path: path.startsWith("/") ? path : `/${path}`, query, fragment };
}

/**
 * The first value of each parameter of a query string, by its name in lower case. It reads QUERY_PARAMETERS_MAX
 * parameters.
 */
export function parseQuery(query: string): ReadonlyMap<string, string> {
  return readPairs(pairsOf(query), toKey);
}

/** The first parameters of a query string, not decoded. */
export function pairsOf(query: string): readonly string[] {
  return query.split("&", QUERY_PARAMETERS_MAX);
}

/** The first value of each parameter, by its exact name. Some protocols distinguish "A" from "a". */
export function parseParameters(query: string): ReadonlyMap<string, string> {
  return readPairs(query.split("&"), (name) => name);
}

/** Decodes names and values. Broken escapes stay as they are. */
function readPairs(pairs: readonly string[], toKey: (name: string) => string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of pairs) {
    const equals = pair.indexOf("=");
    const key = toKey(queryName(pair));
    if (key !== "" && !parameters.has(key)) parameters.set(key, equals < 0 ? "" : decode(pair.slice(equals + 1)));
  }
  return parameters;
}

/** The name of a parameter, decoded and in lower case, from "name=value" as a query has it. */
export function queryKey(pair: string): string {
  return toKey(queryName(pair));
}

/** Some links were escaped for HTML once too often and have "&amp;" between their parameters. */
function toKey(name: string): string {
  return name.toLowerCase().replace(/^(?:amp;)+/, "");
}

function queryName(pair: string): string {
  const equals = pair.indexOf("=");
  return decode(equals < 0 ? pair : pair.slice(0, equals));
}

function decode(text: string): string {
  return decodeEscapes(text.replaceAll("+", " "));
}
