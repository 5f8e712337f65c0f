// The collector's ways in: every route of every wire format (core/formats/route.ts), the tracker, and two of its own. Each hit is read,
// taken by collect.ts, and answered in the words of its protocol.

import { type Context, Hono, type MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { uuidv7 } from "uuidv7";
import { ROUTES, type Route } from "../../core/formats/route.ts";
import type { Hit } from "../../core/hit.ts";
import { REQUEST_BYTES_MAX } from "../../core/limits.ts";
import { accepted, causeOf, type Outcome, rejected } from "../../core/outcome.ts";
import { EMPTY_REPORT, type Report } from "../../core/report.ts";
import { isolateMeter } from "../../storage/isolate-meter.ts";
import { readBody } from "../../storage/request-body.ts";
import { isSecret } from "../../storage/signing.ts";
import { clientOf, hitOf } from "./client.ts";
import { collect } from "./collect.ts";
import type { CollectorEnv } from "./env.ts";
import { limitAddress } from "./limit.ts";
import { refuse, respond } from "./reply.ts";
import { PINNED, serveScript } from "./script.ts";
import { keyOf } from "./sender.ts";

type CollectorContext = Context<{ Bindings: CollectorEnv }>;

export const app = new Hono<{ Bindings: CollectorEnv }>();

const preflight = cors({
  origin: (origin) => origin || "*",
  credentials: true,
  allowMethods: ["GET", "POST"],
  exposeHeaders: ["Retry-After"],
  maxAge: 86_400,
});

/**
 * Any page may send; the answer holds nothing but counts. Beacons send credentials, so the origin is named. Only a preflight
 * is Hono's own middleware's: for every other answer that would build two more responses (50 µs of 300).
 */
const anyOrigin: MiddlewareHandler<{ Bindings: CollectorEnv }> = async (c, next) => {
  if (c.req.method === "OPTIONS") return preflight(c, next);
  await next();
  const origin = c.req.header("origin");
  const { headers } = c.res;
  headers.set("Access-Control-Allow-Origin", origin || "*");
  if (origin) headers.append("Vary", "Origin");
  headers.set("Access-Control-Allow-Credentials", "true");
  headers.set("Access-Control-Expose-Headers", "Retry-After");
};

const SCRIPT_PATHS = ["/t.js", "/p.js", PINNED];

for (const route of ROUTES) {
  for (const path of route.paths) {
    app.use(path, anyOrigin);
    app.on([...route.methods], path, limitAddress, (c) => serve(c, route));
  }
}
for (const path of SCRIPT_PATHS) app.get(path, serveScript);
app.get("/v1/meter", async (c) => {
  const token = c.req.header("authorization")?.replace(/^Bearer /i, "") ?? "";
  if (!isSecret(token, c.env.ADMIN_TOKEN)) return refuse("unauthorized", "send Authorization: Bearer <ADMIN_TOKEN>");
  return c.json(isolateMeter);
});
app.get("/health", (c) => c.json({ ok: true }));

const OWN_ROUTES = ["/v1/meter", "/health", ...SCRIPT_PATHS].map((path) => ({ methods: ["GET"], paths: [path] }));
for (const { paths, methods } of [...ROUTES, ...OWN_ROUTES]) {
  const allowed = methods.join(", ");
  const verb = methods.length > 1 ? "are" : "is";
  for (const path of paths) {
    app.all(path, (c) =>
      refuse("method_not_allowed", `${c.req.method} is not possible here; ${allowed} ${verb}`, {
        status: 405,
        headers: { Allow: allowed },
      }),
    );
  }
}
app.notFound(() => refuse("not_found", "there is nothing here; see POST /v1/events", { status: 404 }));
app.onError((error, c) => {
  console.error(JSON.stringify({ event: "collect_failed", path: c.req.path, error: causeOf(error) }));
  return refuse("unavailable", "the events could not be stored; send them again with the same ids");
});

/** One hit from its first byte to its answer. */
async function serve(c: CollectorContext, route: Route): Promise<Response> {
  const hit = hitOf(c, Date.now());
  const body = await bodyOf(c, route);
  const read = body.ok ? { ...hit, body: body.value } : hit;
  if ("reply" in route) return respond(route.reply(read));
  const outcome = body.ok ? await take(c, route, read) : body;
  return respond(route.format.answer({ hit: read, outcome, requestId: uuidv7() }));
}

async function take(
  c: CollectorContext,
  { format }: Extract<Route, { format: unknown }>,
  hit: Hit,
): Promise<Outcome<Report>> {
  // HEAD comes here as GET does; whoever only asks whether there is an image has not shown it to anybody.
  if (c.req.method === "HEAD") return accepted(EMPTY_REPORT);
  const later = (work: Promise<void>) => c.executionCtx.waitUntil(work);
  const looking = { env: c.env, now: hit.receivedAt, later };
  const key = await keyOf(c.req.header("authorization") ?? "", looking);
  if (!key.ok) return key;
  const client = clientOf(c, hit.receivedAt);
  return collect({ format, hit: { ...hit, keyed: key.value !== undefined }, client, key: key.value, looking });
}

/**
 * Bodies are read as they come: unpacking what strangers packed could let a few bytes fill the memory. Only where a
 * protocol's clients pack theirs is it unpacked, no further than any body may go.
 */
async function bodyOf(c: CollectorContext, route: Route): Promise<Outcome<string>> {
  if (c.req.method === "GET" || c.req.method === "HEAD") return accepted("");
  const encoding = (c.req.header("content-encoding") ?? "identity").toLowerCase();
  const isGzip = encoding === "gzip" || /[?&]compression=gzip/.test(c.req.url);
  const packing = route.unpacks === true && isGzip ? "gzip" : undefined;
  if (packing === undefined && encoding !== "identity")
    return rejected("unsupported_encoding", "Content-Encoding is not supported; send the body as it is");
  const body = await readBody(c.req.raw, REQUEST_BYTES_MAX, packing);
  if (body.ok) return accepted(body.text);
  return body.problem === "too_large"
    ? rejected("body_too_large", `the body exceeds ${REQUEST_BYTES_MAX} bytes; send fewer events at once`)
    : rejected("incomplete_body", "the body ended before its announced end; send it again");
}
