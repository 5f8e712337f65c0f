// What the platform says about who sent a request: address, country, region, city and headers. A client's own claims
// about its address are never believed. On a developer's machine (DEVELOPMENT) there is no platform in front. There,
// and only there, two headers may replace what the platform says.

import { Buffer } from "node:buffer";
import type { Event } from "../../core/event.ts";
import { clean, isObject } from "../../core/formats/field.ts";
import type { Hit } from "../../core/hit.ts";
import { HINT_LENGTH_MAX, PLACE_LENGTH_MAX, URL_LENGTH_MAX, USER_AGENT_LENGTH_MAX } from "../../core/limits.ts";
import { headerOf, type Incoming } from "./incoming.ts";

export interface Client {
  readonly address: string;
  /** What is kept of the client with each event. */
  readonly facts: Pick<Event, "country" | "region" | "city" | "asn" | "verifiedBot" | "hints" | "purpose">;
  /** The continent of the address, two letters. "" where it is not known. */
  readonly continent: string;
  /** When the request was received, UTC ms. */
  readonly receivedAt: number;
}

export function clientOf(incoming: Incoming, receivedAt: number): Client {
  const { env, request } = incoming;
  const isLocal = env.DEVELOPMENT === "true";
  const claims = isLocal ? parsePlace(headerOf(incoming, "x-footfall-place")) : (request.cf as Claims | undefined);
  return {
    address: addressOf(incoming),
    facts: factsOf(incoming, claims ?? {}),
    continent: typeof claims?.continent === "string" ? claims.continent : "",
    receivedAt,
  };
}

/** The client's address. "" where it is not known. */
export function addressOf(incoming: Incoming): string {
  if (incoming.env.DEVELOPMENT === "true") return incoming.headers.get("x-footfall-address") ?? "127.0.0.1";
  return headerOf(incoming, "cf-connecting-ip");
}

/**
 * The request as formats see it. Most formats ask for two of the seven headers, so each header is read when a format
 * asks for it.
 */
export class IncomingHit implements Hit {
  readonly path: string;
  readonly query: string;
  readonly receivedAt: number;
  /** "" until the body was read. */
  body = "";
  /** False until the key was looked up. */
  keyed = false;
  readonly #incoming: Incoming;

  constructor(incoming: Incoming, receivedAt: number) {
    this.path = incoming.path;
    this.query = incoming.query;
    this.receivedAt = receivedAt;
    this.#incoming = incoming;
  }

  get userAgent(): string {
    return this.#header("user-agent", USER_AGENT_LENGTH_MAX);
  }

  get referrer(): string {
    return this.#header("referer", URL_LENGTH_MAX);
  }

  get acceptLanguage(): string {
    return this.#header("accept-language", 100);
  }

  get origin(): string {
    return this.#header("origin", URL_LENGTH_MAX);
  }

  get forwardedFor(): string {
    return this.#header("x-forwarded-for", 1_000);
  }

  get ifModifiedSince(): string {
    return this.#header("if-modified-since", 100);
  }

  get basicUser(): string {
    return basicUserOf(headerOf(this.#incoming, "authorization"));
  }

  #header(name: string, lengthMax: number): string {
    const value = headerOf(this.#incoming, name);
    return value === "" ? "" : clean(value.slice(0, lengthMax));
  }
}

/** The user of `Authorization: Basic base64(user:password)`. "" for any other text. */
export function basicUserOf(authorization: string): string {
  const encoded = authorization === "" ? undefined : /^Basic +([A-Za-z0-9+/=_-]{1,400}) *$/i.exec(authorization)?.[1];
  if (encoded === undefined) return "";
  const text = Buffer.from(encoded, "base64").toString("utf8");
  return clean(text.slice(0, Math.max(0, text.indexOf(":"))));
}

/** The place from the header that replaces `request.cf` on a developer's machine. Undefined if it is not an object. */
function parsePlace(text: string): Claims | undefined {
  try {
    const place: unknown = text === "" ? undefined : JSON.parse(text);
    return isObject(place) ? place : undefined;
  } catch {
    return undefined; // a SyntaxError: the place is unknown, as when the header is missing
  }
}

/** What Cloudflare says about the request. The names are those of `request.cf`. */
interface Claims {
  readonly country?: unknown;
  readonly region?: unknown;
  readonly city?: unknown;
  readonly continent?: unknown;
  readonly asn?: unknown;
  readonly verifiedBotCategory?: unknown;
}

function factsOf(incoming: Incoming, claims: Claims): Client["facts"] {
  const asn = Number.isSafeInteger(claims.asn) && (claims.asn as number) > 0 ? (claims.asn as number) : 0;
  return {
    country: placeText(claims.country),
    region: placeText(claims.region),
    city: placeText(claims.city),
    asn,
    verifiedBot: placeText(claims.verifiedBotCategory),
    hints: hintsOf(incoming),
    purpose: purposeOf(incoming),
  };
}

function placeText(value: unknown): string {
  return typeof value === "string" ? clean(value).slice(0, PLACE_LENGTH_MAX) : "";
}

/** The header of each client hint, and its name in an event. */
const HINTS = [
  ["sec-ch-ua", "brands"],
  ["sec-ch-ua-mobile", "mobile"],
  ["sec-ch-ua-platform", "platform"],
  ["sec-ch-ua-model", "model"],
] as const;

/** The client hints of the request as a JSON object. "" if there are none. */
function hintsOf(incoming: Incoming): string {
  let hints: Record<string, string> | undefined;
  for (const [header, name] of HINTS) {
    const value = headerOf(incoming, header);
    const kept = value === "" ? "" : clean(value.slice(0, HINT_LENGTH_MAX));
    if (kept === "") continue;
    hints ??= {};
    hints[name] = kept;
  }
  return hints === undefined ? "" : JSON.stringify(hints);
}

/**
 * Headers in which browsers say that a page is only being prepared. Their values begin with "prefetch"
 * ("prefetch;prerender"), "prerender" or "preview".
 */
const PURPOSES = ["sec-purpose", "purpose", "x-purpose", "x-moz"] as const;

/** "prefetch" if the browser says that nobody looks at the page yet, else "". */
function purposeOf(incoming: Incoming): string {
  for (const header of PURPOSES) {
    const value = headerOf(incoming, header);
    if (value !== "" && /^(prefetch|prerender|preview)\b/i.test(value)) return "prefetch";
  }
  return "";
}
