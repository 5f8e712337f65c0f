// The query Worker's routes: questions, pages, and the operations of api.ts, each behind its door. Refusals of
// questions have the shape of the Plausible API. Refusals of other requests have Footfall's own shape. A request
// without a route, and an unexpected failure, are answered here too, as JSON.

import { type Context, Hono } from "hono";
import { causeOf } from "../../core/outcome.ts";
import { logChanges } from "../../storage/directory/change-log.ts";
import { writeLog } from "../../storage/log.ts";
import { refuseQuestion } from "./answer.ts";
import { GUARDED_ROUTES, NOT_NOTED_BEFORE, ROUTES } from "./api.ts";
import { ask } from "./ask.ts";
import { audited } from "./audit.ts";
import { askBatch } from "./batch.ts";
import { type Deps, depsOf } from "./deps.ts";
import type { QueryEnv } from "./env.ts";
import { GUESSING, judgedAsOpen, limitGuesses } from "./guess.ts";
import { admit, TOO_OFTEN } from "./limit.ts";
import { getNotice, postNotice } from "./notice-link.ts";
import { getNow } from "./now.ts";
import { sendDocument, sendReference } from "./openapi/send.ts";
import { EMBED_PATH, PAGE_PATHS, sendAsset, sendEmbed, sendHome, sendPage, servePage } from "./page.ts";
import { actorOf, authenticate, isOutside, type Principal, refusalAt } from "./principal.ts";
import { type Checked, type ProblemCode, replyWithProblem } from "./problem.ts";
import { getQuery } from "./question-jobs.ts";
import { askFunnel, askOrders, askPaths, askRealtime, askRetention } from "./report.ts";
import { type FileReply, parametersOf, type Reply } from "./request.ts";
import { noSession } from "./sessions.ts";
import { getStatusDocument, getStatusFeed, getStatusPage } from "./status.ts";
import { UMAMI_ROUTES } from "./umami.ts";
import { getHealth, getMetrics } from "./watch.ts";

/** The routes of questions. Whoever may use one may use all. */
export const QUESTION_ROUTES: readonly (readonly [path: string, answer: typeof ask])[] = [
  ["/api/v2/query", ask],
  ["/api/v2/funnel", askFunnel],
  ["/api/v2/retention", askRetention],
  ["/api/v2/paths", askPaths],
  ["/api/v2/orders", askOrders],
  ["/api/v2/realtime", askRealtime],
  ["/api/v2/batch", askBatch],
];

/** These routes are outside of the lists. They answer the same to everybody. */
const NOTICE_PATH = "/notice/:token";
const WATCHED_PATHS = ["/health", "/metrics"];
const STATUS_PATHS = ["/status", "/status.json", "/status.atom"];
const DOCUMENT_PATHS = ["/api/openapi.json", "/api/reference"];
const OPEN_PATHS = ["/", ...WATCHED_PATHS, ...STATUS_PATHS, NOTICE_PATH, ...DOCUMENT_PATHS, ...PAGE_PATHS, EMBED_PATH];

const CHANGING: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH", "DELETE"]);

/** Logs what was changed, together with what other requests change meanwhile. */
async function logSoon(deps: Deps): Promise<void> {
  const waitMs = deps.changeLogAfterMs;
  if (waitMs > 0) await new Promise((settle) => setTimeout(settle, waitMs));
  await logChanges(waitMs, deps);
}

export const app = new Hono<{ Bindings: QueryEnv; Variables: { deps: Deps; principal: Principal } }>();

app.use(async (c, next) => {
  const deps = depsOf(c.env, c.executionCtx);
  deps.meter.worker_requests += 1;
  if (deps.isMeterDue()) deps.later("keep_meter", deps.keepMeter());
  c.set("deps", deps);
  await next();
  if (CHANGING.has(c.req.method) && c.req.path.startsWith("/api/v1/") && c.res.ok)
    deps.later("log_changes", logSoon(deps));
});

for (const [path, send] of [["/", sendHome] as const, ...PAGE_PATHS.map((page) => [page, sendPage] as const)])
  app.get(path, (c) => servePage(c, c.get("deps"), send));
app.get(EMBED_PATH, (c) => sendEmbed(c, c.get("deps")));
app.get("/assets/*", (c) => sendAsset(c) ?? refuse(c, "not_found", "There is nothing here."));
for (const path of [...WATCHED_PATHS, NOTICE_PATH]) {
  app.use(path, (c, next) => {
    const refuse = () => c.text(GUESSING, 429);
    return limitGuesses(c, next, { deps: c.get("deps"), refuse, judge: () => judgedAsOpen(c) });
  });
}
app.get(NOTICE_PATH, (c) => getNotice(c, c.get("deps")));
app.post(NOTICE_PATH, (c) => postNotice(c, c.get("deps")));
app.get("/health", (c) => getHealth(c, c.get("deps")));
app.get("/metrics", (c) => getMetrics(c, c.get("deps")));
app.get("/status", (c) => getStatusPage(c, c.get("deps")));
app.get("/status.json", (c) => getStatusDocument(c, c.get("deps")));
app.get("/status.atom", (c) => getStatusFeed(c, c.get("deps")));
app.get("/api/openapi.json", (c) => sendDocument(c));
app.get("/api/reference", (c) => sendReference(c));

app.use("/api/*", (c, next) =>
  limitGuesses(c, next, { deps: c.get("deps"), refuse: () => refuse(c, "rate_limited", GUESSING) }),
);
app.use("/api/*", async (c, next) => {
  const encoding = c.req.header("content-encoding") ?? "identity";
  if (encoding.toLowerCase() === "identity") return next();
  return refuse(c, "unsupported_encoding", "Content-Encoding is not supported. Send the body as it is.");
});

app.get("/api/v2/queries/:id", (c) => getQuery(c, c.get("deps")));
app.get("/api/v2/now", (c) => getNow(c, c.get("deps")));
for (const [path, answer] of UMAMI_ROUTES) app.get(path, (c) => answer(c, c.get("deps")));
for (const [path, answer] of QUESTION_ROUTES) app.post(path, (c) => answer(c, c.get("deps")));

for (const { method, path, door, handler } of ROUTES) {
  if (isOutside(door)) app.on(method, path, async (c) => toResponse(c, await handler(c, c.get("deps"))));
}

app.use("/api/v1/*", async (c, next) => {
  const deps = c.get("deps");
  const authenticated = await authenticate(c, deps);
  if (!authenticated.ok) return replyWithProblem(c, authenticated.problem);
  const principal = authenticated.value;
  if (principal.kind !== "deployment" && !(await admit(c, actorOf(principal), deps.keyLimit)))
    return replyWithProblem(c, { code: "rate_limited", message: TOO_OFTEN });
  c.set("principal", principal);
  return next();
});
for (const { method, path, door, personal, handler, act, query } of GUARDED_ROUTES) {
  app.on(method, path, async (c) => {
    const deps = c.get("deps");
    const principal = c.get("principal");
    const refusal = refusalAt(door, principal);
    if (refusal !== undefined) return replyWithProblem(c, refusal);
    if (personal && principal.kind !== "member") return replyWithProblem(c, noSession().problem);
    const handle = async () => {
      // Handlers with parameters check them. For all other handlers any parameter is refused here.
      const none = query === undefined ? parametersOf(c, {}) : undefined;
      return none?.ok === false ? none : handler(c, deps);
    };
    return toResponse(
      c,
      await (act === undefined || NOT_NOTED_BEFORE.includes(act) ? handle() : audited(c, deps, act, handle)),
    );
  });
}

function toResponse(c: Context, reply: Checked<Reply | FileReply>): Response {
  if (!reply.ok) return replyWithProblem(c, reply.problem);
  if ("file" in reply.value) return toFile(c, reply.value);
  const { body, status = 200, location } = reply.value;
  return c.json(body, status, location === undefined ? {} : { location });
}

/**
 * Bytes are sent as they are made, and no faster than the client takes them. A failure breaks the transfer off, so a
 * part is never taken for the whole.
 */
function toFile(c: Context, { file: { contentType, name, headers, bytes } }: FileReply): Response {
  const deps = c.get("deps") as Deps;
  const stream = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        const { value, done } = await bytes.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        deps.log({ event: "file_failed", path: c.req.path, error: causeOf(error) });
        controller.error(error);
      }
    },
    cancel: async () => {
      await bytes.return(undefined);
    },
  });
  const disposition = `attachment; filename="${name}"`;
  const fixed = { "content-type": contentType, "content-disposition": disposition, "cache-control": "no-store" };
  return c.body(stream, 200, { ...fixed, "x-content-type-options": "nosniff", ...headers });
}

const QUESTION_PATHS = [...QUESTION_ROUTES, ...UMAMI_ROUTES].map(([path]) => path);
const PATHS = [
  ...OPEN_PATHS,
  "/api/v2/queries/:id",
  "/api/v2/now",
  ...QUESTION_PATHS,
  ...new Set(ROUTES.map(({ path }) => path)),
];
for (const path of PATHS)
  app.all(path, (c) => refuse(c, "method_not_allowed", `${c.req.method} is not possible here.`));
app.notFound((c) => refuse(c, "not_found", "There is nothing here."));
app.onError((error, c) => {
  writeLog({ event: "request_failed", path: c.req.path, error: causeOf(error) });
  c.header("Retry-After", "5");
  return refuse(c, "unavailable", "The request could not be answered just now. Try again.");
});

/** A refusal in the shape of the API to which the request was sent. */
function refuse(c: Context, code: ProblemCode, message: string): Response {
  if (c.req.path.startsWith("/api/v2/")) return refuseQuestion(c, code, message);
  return replyWithProblem(c, { code, message });
}
