// What the platform says about who sent a request: address, place and headers. A client's own claims about its address
// are never believed. On a developer's machine there is no platform in front, so there, and only there (DEVELOPMENT),
// two headers may stand in for it.

import type { Context } from "hono";
import type { Event } from "../../core/event.ts";
import { clean } from "../../core/formats/field.ts";
import type { Hit } from "../../core/hit.ts";
import { PLACE_LENGTH_MAX, URL_LENGTH_MAX, USER_AGENT_LENGTH_MAX } from "../../core/limits.ts";
import type { CollectorEnv } from "./env.ts";

export interface Client {
  readonly address: string;
  readonly place: Pick<Event, "country" | "region" | "city">;
  /** UTC ms. */
  readonly receivedAt: number;
}

export function clientOf(c: Context<{ Bindings: CollectorEnv }>, receivedAt: number): Client {
  if (c.env.DEVELOPMENT === "true") return developmentClient(c, receivedAt);
  const cf = c.req.raw.cf as { country?: string; region?: string; city?: string } | undefined;
  return { address: c.req.header("cf-connecting-ip") ?? "", place: placeOf(cf ?? {}), receivedAt };
}

/** The request as formats see it. */
export function hitOf(c: Context<{ Bindings: CollectorEnv }>, client: Client, body: string): Hit {
  const header = (name: string, lengthMax: number) => (c.req.header(name) ?? "").slice(0, lengthMax);
  const question = c.req.url.indexOf("?");
  return {
    query: question < 0 ? "" : c.req.url.slice(question + 1),
    body,
    userAgent: header("user-agent", USER_AGENT_LENGTH_MAX),
    referrer: header("referer", URL_LENGTH_MAX),
    acceptLanguage: header("accept-language", 100),
    receivedAt: client.receivedAt,
  };
}

function developmentClient(c: Context<{ Bindings: CollectorEnv }>, receivedAt: number): Client {
  const address = c.req.header("x-footfall-address") ?? "127.0.0.1";
  const place = c.req.header("x-footfall-place");
  return { address, place: placeOf(place === undefined ? {} : (JSON.parse(place) as object)), receivedAt };
}

function placeOf(claims: {
  readonly country?: unknown;
  readonly region?: unknown;
  readonly city?: unknown;
}): Client["place"] {
  const text = (value: unknown) => (typeof value === "string" ? clean(value).slice(0, PLACE_LENGTH_MAX) : "");
  return { country: text(claims.country), region: text(claims.region), city: text(claims.city) };
}
