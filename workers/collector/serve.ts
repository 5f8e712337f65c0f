// One hit from its first byte to its answer: whether its address may come, its body, what collect.ts makes of it, and that in
// the words of its protocol. Any page may send, so every answer may be read across origins.

import { uuidv7 } from "uuidv7";
import type { Answer } from "../../core/formats/hit-reply.ts";
import type { Route } from "../../core/formats/route.ts";
import type { Hit } from "../../core/hit.ts";
import { REQUEST_BYTES_MAX } from "../../core/limits.ts";
import { accepted, causeOf, type Outcome, rejected } from "../../core/outcome.ts";
import { EMPTY_REPORT, type Report } from "../../core/report.ts";
import { readBody } from "../../storage/request-body.ts";
import { addressOf, clientOf, hitOf } from "./client.ts";
import { collect } from "./collect.ts";
import { headerOf, type Incoming } from "./incoming.ts";
import { countRefused, isAddressWithinLimit } from "./limit.ts";
import { corsOf, refuse, respond } from "./reply.ts";
import { keyOf } from "./sender.ts";

const TOO_OFTEN = "this address sends too many requests; send the same events again later, several in one request";
const NOT_STORED = "the events could not be stored; send them again with the same ids";

/** Answers a hit of a route; never throws. */
export async function serve(incoming: Incoming, route: Route): Promise<Response> {
  const headers = corsOf(headerOf(incoming, "origin"));
  try {
    if (!(await isAddressWithinLimit(incoming))) return refuse("rate_limited", TOO_OFTEN, { headers });
    return await serveHit(incoming, route, headers);
  } catch (error) {
    console.error(JSON.stringify({ event: "collect_failed", path: incoming.path, error: causeOf(error) }));
    return refuse("unavailable", NOT_STORED, { headers });
  }
}

async function serveHit(incoming: Incoming, route: Route, headers: Record<string, string>): Promise<Response> {
  const hit = hitOf(incoming, Date.now());
  const body = await bodyOf(incoming);
  const read = body.ok ? { ...hit, body: body.value } : hit;
  if ("reply" in route) return respond(route.reply(read), headers);
  const outcome = body.ok ? await take(incoming, route, read) : await countUnread(incoming, body);
  const answer = route.format.answer({ hit: read, outcome, requestId: uuidv7() });
  return respond(answer, { ...headers, ...retryOf(answer, outcome) });
}

/** When to come again, where the refusal says it better than the code does; in each header in which the answer says it. */
function retryOf({ headers }: Answer, outcome: Outcome<Report>): Record<string, string> {
  const seconds = outcome.ok ? undefined : outcome.rejection.retryAfterSeconds;
  if (seconds === undefined) return {};
  const names = ["Retry-After", "X-RateLimit-Reset"].filter((name) => name in headers);
  return Object.fromEntries(names.map((name) => [name, String(seconds)]));
}

async function take(
  incoming: Incoming,
  { format }: Extract<Route, { format: unknown }>,
  hit: Hit,
): Promise<Outcome<Report>> {
  // HEAD comes here as GET does; whoever only asks whether there is an image has not shown it to anybody.
  if (incoming.request.method === "HEAD") return accepted(EMPTY_REPORT);
  const looking = { env: incoming.env, now: hit.receivedAt, later: incoming.later };
  const key = await keyOf(headerOf(incoming, "authorization"), looking);
  const client = clientOf(incoming, hit.receivedAt);
  if (!key.ok)
    return countRefused(incoming.env, key, { address: client.address, length: hit.body.length, isKeyed: false });
  return collect({ format, hit: { ...hit, keyed: key.value !== undefined }, client, key: key.value, looking });
}

/** A body that was read, and perhaps unpacked, to where it became too large counts like one of that size. */
function countUnread(incoming: Incoming, refusal: ReturnType<typeof rejected>) {
  const length = refusal.rejection.code === "body_too_large" ? REQUEST_BYTES_MAX : 0;
  return countRefused(incoming.env, refusal, { address: addressOf(incoming), length, isKeyed: false });
}

/**
 * A body's own first bytes say whether it is packed, whatever the headers say: PostHog's browser client packs without a
 * word, and proxies unpack without taking the word away. It is unpacked no further than any body may go, so that a few bytes
 * of a stranger cannot fill the memory.
 */
async function bodyOf(incoming: Incoming): Promise<Outcome<string>> {
  const { request } = incoming;
  if (request.method === "GET" || request.method === "HEAD") return accepted("");
  const body = await readBody(request, REQUEST_BYTES_MAX, { unpacks: true });
  if (body.ok && body.packing === undefined && !isReadable(headerOf(incoming, "content-encoding")))
    return rejected("unsupported_encoding", "Content-Encoding is not supported; send the body as it is, or as gzip");
  if (body.ok) return accepted(body.text);
  return body.problem === "too_large"
    ? rejected("body_too_large", `the body exceeds ${REQUEST_BYTES_MAX} bytes; send fewer events at once`)
    : rejected("incomplete_body", "the body ended before its announced end; send it again");
}

/** Whether a body that is not packed may be what a header announced: with "br" it is, in a packing that is not read here. */
function isReadable(encoding: string): boolean {
  return encoding
    .slice(0, 100)
    .split(",")
    .every((part) => READABLE.has(part.trim().toLowerCase()));
}

const READABLE: ReadonlySet<string> = new Set(["", "identity", "gzip", "x-gzip", "deflate"]);
