// What the platform says about who sent a request: address, place and headers. A client's own claims about its address
// are never believed. On a developer's machine there is no platform in front, so there, and only there (DEVELOPMENT),
// two headers may stand in for it.

import { Buffer } from "node:buffer";
import type { Event } from "../../core/event.ts";
import { clean, isObject } from "../../core/formats/field.ts";
import { BLANK_HIT, type Hit } from "../../core/hit.ts";
import { HINT_LENGTH_MAX, PLACE_LENGTH_MAX, URL_LENGTH_MAX, USER_AGENT_LENGTH_MAX } from "../../core/limits.ts";
import { headerOf, type Incoming } from "./incoming.ts";

export interface Client {
  readonly address: string;
  /** What is kept of it with each event. */
  readonly facts: Pick<Event, "country" | "region" | "city" | "asn" | "verifiedBot" | "hints" | "purpose">;
  /** Of its address, two letters; "" where nobody says. */
  readonly continent: string;
  /** UTC ms. */
  readonly receivedAt: number;
}

export function clientOf(incoming: Incoming, receivedAt: number): Client {
  const { env, request } = incoming;
  const isLocal = env.DEVELOPMENT === "true";
  const claims = isLocal ? parsePlace(headerOf(incoming, "x-footfall-place")) : (request.cf as Claims | undefined);
  const facts = { ...platformFacts(claims ?? {}), hints: hintsOf(incoming), purpose: purposeOf(incoming) };
  return {
    address: addressOf(incoming),
    facts,
    continent: typeof claims?.continent === "string" ? claims.continent : "",
    receivedAt,
  };
}

/** The client's address, "" where nobody says. */
export function addressOf(incoming: Incoming): string {
  if (incoming.env.DEVELOPMENT === "true") return incoming.request.headers.get("x-footfall-address") ?? "127.0.0.1";
  return headerOf(incoming, "cf-connecting-ip");
}

/** The request as formats see it; its body and its key are added once they were read. */
export function hitOf(incoming: Incoming, receivedAt: number): Hit {
  const header = (name: string, lengthMax: number) => {
    const value = headerOf(incoming, name);
    return value === "" ? "" : clean(value.slice(0, lengthMax));
  };
  return {
    ...BLANK_HIT,
    path: incoming.path,
    query: incoming.query,
    userAgent: header("user-agent", USER_AGENT_LENGTH_MAX),
    referrer: header("referer", URL_LENGTH_MAX),
    acceptLanguage: header("accept-language", 100),
    origin: header("origin", URL_LENGTH_MAX),
    forwardedFor: header("x-forwarded-for", 1_000),
    ifModifiedSince: header("if-modified-since", 100),
    basicUser: basicUserOf(headerOf(incoming, "authorization")),
    receivedAt,
  };
}

/** The user of `Authorization: Basic base64(user:password)`. */
function basicUserOf(authorization: string): string {
  const encoded = authorization === "" ? undefined : /^Basic +([A-Za-z0-9+/=_-]{1,400}) *$/i.exec(authorization)?.[1];
  if (encoded === undefined) return "";
  const text = Buffer.from(encoded, "base64").toString("utf8");
  return clean(text.slice(0, Math.max(0, text.indexOf(":"))));
}

/** The header that stands in for the platform's word on a developer's machine; nothing when it is not an object. */
function parsePlace(text: string): Claims | undefined {
  try {
    const place: unknown = text === "" ? undefined : JSON.parse(text);
    return isObject(place) ? place : undefined;
  } catch {
    return undefined; // a SyntaxError: an unknown place, as when the header is missing
  }
}

type PlatformFact = "country" | "region" | "city" | "asn" | "verifiedBot";

/** What Cloudflare says of the request, by the names of `request.cf`. */
interface Claims {
  readonly country?: unknown;
  readonly region?: unknown;
  readonly city?: unknown;
  readonly continent?: unknown;
  readonly asn?: unknown;
  readonly verifiedBotCategory?: unknown;
}

function platformFacts(claims: Claims): Pick<Event, PlatformFact> {
  const text = (value: unknown) => (typeof value === "string" ? clean(value).slice(0, PLACE_LENGTH_MAX) : "");
  const asn = Number.isSafeInteger(claims.asn) && (claims.asn as number) > 0 ? (claims.asn as number) : 0;
  return {
    country: text(claims.country),
    region: text(claims.region),
    city: text(claims.city),
    asn,
    verifiedBot: text(claims.verifiedBotCategory),
  };
}

/** Header of a client hint and its name in an event. */
const HINTS = [
  ["sec-ch-ua", "brands"],
  ["sec-ch-ua-mobile", "mobile"],
  ["sec-ch-ua-platform", "platform"],
  ["sec-ch-ua-model", "model"],
] as const;

/** The client hints that came, as a JSON object; empty when none did. */
function hintsOf(incoming: Incoming): string {
  const hints = HINTS.flatMap(([header, name]) => {
    const value = headerOf(incoming, header);
    const kept = value === "" ? "" : clean(value.slice(0, HINT_LENGTH_MAX));
    return kept === "" ? [] : [[name, kept] as const];
  });
  return hints.length === 0 ? "" : JSON.stringify(Object.fromEntries(hints));
}

/** Headers in which browsers say that a page is only being prepared: "prefetch", "prefetch;prerender", "prerender", "preview". */
const PURPOSES = ["sec-purpose", "purpose", "x-purpose", "x-moz"] as const;

/** "prefetch" where the browser says that nobody looks at the page yet. */
function purposeOf(incoming: Incoming): string {
  const isPrepared = PURPOSES.some((header) => /^(prefetch|prerender|preview)\b/i.test(headerOf(incoming, header)));
  return isPrepared ? "prefetch" : "";
}
