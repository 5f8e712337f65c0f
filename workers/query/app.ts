// The query Worker's routes: one list that reads as a table of contents. Questions keep the error shape of the Plausible
// API; admin requests need the deployment's token and have a shape of their own. What no route expects is answered here,
// as JSON, whatever it was.

import { type Context, Hono } from "hono";
import { causeOf } from "../../core/outcome.ts";
import { isSecret } from "../../storage/signing.ts";
import { getArchiveDays, postSeal } from "./archive-days.ts";
import { ask } from "./ask.ts";
import { bearerOf } from "./authorize.ts";
import { type Deps, depsOf } from "./deps.ts";
import type { QueryEnv } from "./env.ts";
import { deleteKey, getKeys, postKey } from "./keys.ts";
import { getMerchant, getMerchants, patchMerchant, postMerchant } from "./merchants.ts";
import { getDeadLetters, getMeter, getPartitions, postRedrive } from "./operations.ts";
import { type Checked, PROBLEM_STATUS, type ProblemCode, replyWithProblem } from "./problem.ts";
import { getReplay, getReplays, postReplay, postReplayVerb } from "./replays.ts";
import type { Reply } from "./request.ts";
import { getStreams, postStream } from "./streams.ts";

type AdminHandler = (c: Context, deps: Deps) => Promise<Checked<Reply>>;

const ADMIN_ROUTES: readonly (readonly [method: string, path: string, handler: AdminHandler])[] = [
  ["POST", "/api/v1/merchants", postMerchant],
  ["GET", "/api/v1/merchants", getMerchants],
  ["GET", "/api/v1/merchants/:id", getMerchant],
  ["PATCH", "/api/v1/merchants/:id", patchMerchant],
  ["POST", "/api/v1/merchants/:id/streams", postStream],
  ["GET", "/api/v1/merchants/:id/streams", getStreams],
  ["POST", "/api/v1/merchants/:id/keys", postKey],
  ["GET", "/api/v1/merchants/:id/keys", getKeys],
  ["DELETE", "/api/v1/merchants/:id/keys/:key_id", deleteKey],
  ["GET", "/api/v1/meter", getMeter],
  ["GET", "/api/v1/partitions", getPartitions],
  ["GET", "/api/v1/dead-letters", getDeadLetters],
  ["POST", "/api/v1/dead-letters/redrive", postRedrive],
  ["GET", "/api/v1/archive/days", getArchiveDays],
  ["POST", "/api/v1/archive/seal", postSeal],
  ["POST", "/api/v1/replays", postReplay],
  ["GET", "/api/v1/replays", getReplays],
  ["GET", "/api/v1/replays/:id", getReplay],
  ["POST", "/api/v1/replays/:id/pause", postReplayVerb("pause")],
  ["POST", "/api/v1/replays/:id/resume", postReplayVerb("resume")],
  ["POST", "/api/v1/replays/:id/cancel", postReplayVerb("cancel")],
  ["POST", "/api/v1/replays/:id/undo", postReplayVerb("undo")],
];

export const app = new Hono<{ Bindings: QueryEnv; Variables: { deps: Deps } }>();

app.use(async (c, next) => {
  const deps = depsOf(c.env);
  deps.meter.worker_requests += 1;
  c.set("deps", deps);
  await next();
});

app.get("/health", (c) => c.json({ ok: true }));

app.use("/api/*", async (c, next) => {
  const encoding = c.req.header("content-encoding") ?? "identity";
  if (encoding.toLowerCase() === "identity") return next();
  return refuse(c, "unsupported_encoding", "Content-Encoding is not supported. Send the body as it is.");
});

app.post("/api/v2/query", (c) => ask(c, c.get("deps")));

app.use("/api/v1/*", async (c, next) => {
  const token = bearerOf(c.req.header("authorization")) ?? "";
  if (isSecret(token, c.get("deps").adminToken)) return next();
  return replyWithProblem(c, { code: "unauthorized", message: "Send Authorization: Bearer <ADMIN_TOKEN>." });
});
for (const [method, path, handler] of ADMIN_ROUTES) {
  app.on(method, path, async (c) => {
    const reply = await handler(c, c.get("deps"));
    if (!reply.ok) return replyWithProblem(c, reply.problem);
    const { body, status = 200, location } = reply.value;
    return c.json(body, status, location === undefined ? {} : { location });
  });
}

const PATHS = ["/health", "/api/v2/query", ...new Set(ADMIN_ROUTES.map(([, path]) => path))];
for (const path of PATHS)
  app.all(path, (c) => refuse(c, "method_not_allowed", `${c.req.method} is not possible here.`));
app.notFound((c) => refuse(c, "not_found", "There is nothing here."));
app.onError((error, c) => {
  console.error(JSON.stringify({ event: "request_failed", path: c.req.path, error: causeOf(error) }));
  c.header("Retry-After", "5");
  return refuse(c, "unavailable", "The request could not be answered just now. Try again.");
});

/** A refusal in the shape of the API that was meant. */
function refuse(c: Context, code: ProblemCode, message: string): Response {
  if (c.req.path.startsWith("/api/v2/")) return c.json({ error: message }, PROBLEM_STATUS[code]);
  return replyWithProblem(c, { code, message });
}
