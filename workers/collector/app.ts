// The collector's routes: one line per way in. What happens to a hit is in collect.ts.

import { type Context, Hono, type MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { native } from "../../core/formats/native.ts";
import { pixel } from "../../core/formats/pixel.ts";
import { REQUEST_BYTES_MAX } from "../../core/limits.ts";
import { causeOf } from "../../core/outcome.ts";
import { isolateMeter } from "../../storage/isolate-meter.ts";
import { readBody } from "../../storage/request-body.ts";
import { isSecret } from "../../storage/signing.ts";
import { collect } from "./collect.ts";
import type { CollectorEnv } from "./env.ts";
import { limitAddress } from "./limit.ts";
import { imageReply, refusal, replyWithPixel, replyWithReport, retryAfter } from "./reply.ts";
import { PINNED, serveScript } from "./script.ts";

export const app = new Hono<{ Bindings: CollectorEnv }>();

/** Any page may send; the answer holds nothing but counts. Beacons send credentials, so the origin is named. */
app.use(
  "/v1/*",
  cors({
    origin: (origin) => origin || "*",
    credentials: true,
    allowMethods: ["GET", "POST"],
    exposeHeaders: ["Retry-After"],
    maxAge: 86_400,
  }),
);

/** Bodies are read as they come: unpacking what strangers packed would let a few bytes fill the memory. */
const unpacked: MiddlewareHandler = async (c, next) => {
  const encoding = c.req.header("content-encoding") ?? "identity";
  if (encoding.toLowerCase() === "identity") return next();
  return refusal(c, 415, "unsupported_encoding", "Content-Encoding is not supported; send the body as it is");
};

app.post("/v1/events", limitAddress, unpacked, async (c) => {
  const body = await readBody(c.req.raw, REQUEST_BYTES_MAX);
  if (body.ok) return replyWithReport(c, await collect(c, native, body.text));
  return body.problem === "too_large"
    ? refusal(c, 413, "body_too_large", `the body exceeds ${REQUEST_BYTES_MAX} bytes; send fewer events at once`)
    : refusal(c, 400, "incomplete_body", "the body ended before its announced end; send it again");
});
app.get("/v1/pixel.gif", limitAddress, async (c) =>
  // HEAD comes here as well; whoever only asks whether there is an image has not shown it to anybody.
  c.req.method === "HEAD" ? imageReply(c) : replyWithPixel(c, await collect(c, pixel, "")),
);
for (const path of ["/t.js", "/p.js", PINNED]) app.get(path, serveScript);
app.get("/v1/meter", async (c) => {
  const token = c.req.header("authorization")?.replace(/^Bearer /i, "") ?? "";
  if (!isSecret(token, c.env.ADMIN_TOKEN))
    return refusal(c, 401, "unauthorized", "send Authorization: Bearer <ADMIN_TOKEN>");
  return c.json(isolateMeter);
});
app.get("/health", (c) => c.json({ ok: true }));

const METHODS = {
  "/v1/events": "POST",
  "/v1/pixel.gif": "GET",
  "/v1/meter": "GET",
  "/health": "GET",
  "/t.js": "GET",
  "/p.js": "GET",
  [PINNED]: "GET",
};
for (const [path, allowed] of Object.entries(METHODS)) {
  app.all(path, (c) =>
    refusal(c, 405, "method_not_allowed", `${c.req.method} is not possible here; ${allowed} is`, { Allow: allowed }),
  );
}
app.notFound((c: Context) => refusal(c, 404, "not_found", "there is nothing here; see POST /v1/events"));
app.onError((error, c) => {
  console.error(JSON.stringify({ event: "collect_failed", path: c.req.path, error: causeOf(error) }));
  return refusal(c, 503, "unavailable", "the events could not be stored; send them again with the same ids", {
    ...retryAfter(503),
  });
});
