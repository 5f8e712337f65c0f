// Serves one hit from its first byte to its answer. The steps: check the limit of its address, read the body, have
// collect.ts take the events, and answer in the words of the hit's protocol. Any page may send, so every answer may be
// read across origins.

import { uuidv7 } from "uuidv7";
import type { Answer } from "../../core/formats/hit-reply.ts";
import type { Route } from "../../core/formats/route.ts";
import type { Hit, Settled } from "../../core/hit.ts";
import { REQUEST_BYTES_MAX } from "../../core/limits.ts";
import { accepted, causeOf, type Outcome, type Rejection, rejected } from "../../core/outcome.ts";
import { EMPTY_REPORT, type Report } from "../../core/report.ts";
import { writeLog } from "../../storage/log.ts";
import { isLimiting } from "../../storage/rate-limit.ts";
import { type RequestBody, readBody } from "../../storage/request-body.ts";
import { addressOf, clientOf, IncomingHit } from "./client.ts";
import { type Collecting, collect } from "./collect.ts";
import { headerOf, type Incoming } from "./incoming.ts";
import { areWithinLimit, countRefused, isAddressWithinLimit, mayPass, type Sent, sentBy } from "./limit.ts";
import { corsOf, refuse, respond } from "./reply.ts";
import { keyOf, knownMerchant } from "./sender.ts";

const TOO_OFTEN = "this address sends too many requests; send the same events again later, several in one request";
const NOT_STORED = "the events could not be stored; send them again with the same ids";

/** Answers a hit of a route. Never throws. */
export async function serve(incoming: Incoming, route: Route): Promise<Response> {
  const headers = corsOf(headerOf(incoming, "origin"));
  try {
    const isOpen = !isLimiting(incoming.env) || (await isAddressWithinLimit(incoming));
    const passed = isOpen ? undefined : await passedBy(incoming);
    if (!isOpen && passed === undefined) return refuse("rate_limited", TOO_OFTEN, { headers });
    const hit = new IncomingHit(incoming, Date.now());
    const read = hasBody(incoming) ? await readBody(incoming.request, REQUEST_BYTES_MAX, PACKED) : EMPTY;
    const body = toText(incoming, read);
    if (body.ok) hit.body = body.value;
    if ("reply" in route) {
      if (await areWithinLimit(incoming.env, [], sentOf(incoming, read, passed)))
        return respond(route.reply(hit), headers);
      return refuse("rate_limited", TOO_OFTEN, { headers });
    }
    const outcome = await (body.ok
      ? take(incoming, route, { hit, passed })
      : countRefused(incoming.env, body, sentOf(incoming, read, passed)));
    const answer = route.format.answer(new SettledHit(hit, outcome));
    return respond(answer, outcome.ok ? headers : { ...headers, ...retryOf(answer, outcome.rejection) });
  } catch (error) {
    writeLog({ event: "collect_failed", path: incoming.path, error: causeOf(error) });
    return refuse("unavailable", NOT_STORED, { headers });
  }
}

/** What a request without events counts for. */
function sentOf(incoming: Incoming, read: RequestBody, passed: number | undefined): Sent {
  return sentBy(addressOf(incoming), { length: read.ok ? read.text.length : read.bytes, passed });
}

/** A hit that has its report. Its id is made once, and only for a format that asks for it. */
class SettledHit implements Settled {
  readonly hit: Hit;
  readonly outcome: Outcome<Report>;
  #requestId = "";

  constructor(hit: Hit, outcome: Outcome<Report>) {
    this.hit = hit;
    this.outcome = outcome;
  }

  get requestId(): string {
    this.#requestId ||= uuidv7();
    return this.#requestId;
  }
}

/**
 * Headers that say when to send again, for a refusal that has a time of its own. They replace each header in which the
 * answer already says a time.
 */
function retryOf({ headers }: Answer, { retryAfterSeconds: seconds }: Rejection): Record<string, string> {
  if (seconds === undefined) return {};
  const names = ["Retry-After", "X-RateLimit-Reset"].filter((name) => name in headers);
  return Object.fromEntries(names.map((name) => [name, String(seconds)]));
}

type FormatRoute = Extract<Route, { format: unknown }>;

/** The merchant whose key lets a request pass although its address is closed. Undefined if no key does. */
async function passedBy(incoming: Incoming): Promise<number | undefined> {
  const merchant = knownMerchant(headerOf(incoming, "authorization"), Date.now());
  return merchant !== undefined && (await mayPass(incoming.env, merchant)) ? merchant : undefined;
}

interface Admitted {
  readonly hit: IncomingHit;
  /** The merchant whose key let the hit in although its address is closed. */
  readonly passed: number | undefined;
}

function take(incoming: Incoming, { format }: FormatRoute, { hit, passed }: Admitted): Promise<Outcome<Report>> {
  // HEAD takes the same route as GET. It only asks whether there is an image. Nobody has seen a page, so nothing is
  // counted.
  if (incoming.request.method === "HEAD") return NOTHING_TAKEN;
  const looking = { env: incoming.env, now: hit.receivedAt, later: incoming.later };
  const client = clientOf(incoming, hit.receivedAt);
  const authorization = headerOf(incoming, "authorization");
  if (authorization !== "") return takeAuthorized({ format, hit, client, passed, authorization, looking });
  return collect({ format, hit, client, key: undefined, passed: undefined, looking });
}

const NOTHING_TAKEN = Promise.resolve(accepted(EMPTY_REPORT));

interface Authorized extends Omit<Collecting, "key" | "hit"> {
  readonly hit: IncomingHit;
  readonly authorization: string;
}

async function takeAuthorized({ authorization, hit, ...more }: Authorized): Promise<Outcome<Report>> {
  const { client, looking } = more;
  const key = await keyOf(authorization, looking);
  if (!key.ok)
    return countRefused(looking.env, key, sentBy(client.address, { length: hit.body.length, passed: undefined }));
  hit.keyed = key.value !== undefined;
  return collect({ ...more, hit, key: key.value });
}

function hasBody({ request: { method } }: Incoming): boolean {
  return method !== "GET" && method !== "HEAD";
}

const PACKED = { unpacks: true };
const EMPTY: RequestBody = { ok: true, text: "" };

/**
 * The text of a body. Its first bytes decide whether it is packed, whatever the headers say. PostHog's browser client
 * packs without saying so, and proxies unpack without removing the header. A body is never unpacked beyond the bound of
 * a body, so a few bytes of a stranger cannot fill the memory.
 */
function toText(incoming: Incoming, body: RequestBody): Outcome<string> {
  if (body.ok && body.packing === undefined && !isReadable(headerOf(incoming, "content-encoding")))
    return rejected("unsupported_encoding", "Content-Encoding is not supported; send the body as it is, or as gzip");
  if (body.ok) return accepted(body.text);
  return body.problem === "too_large"
    ? rejected("body_too_large", `the body exceeds ${REQUEST_BYTES_MAX} bytes; send fewer events at once`)
    : rejected("incomplete_body", "the body ended before its announced end; send it again");
}

/**
 * Whether a body that does not look packed can be read as it is. With the encoding "br" it cannot, since that is not
 * supported here.
 */
function isReadable(encoding: string): boolean {
  return encoding
    .slice(0, 100)
    .split(",")
    .every((part) => READABLE.has(part.trim().toLowerCase()));
}

const READABLE: ReadonlySet<string> = new Set(["", "identity", "gzip", "x-gzip", "deflate"]);
