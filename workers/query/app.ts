// The query Worker's routes: one list that reads as a table of contents, with who may use each and what the audit log
// calls it. Questions keep the error shape of the Plausible API; admin requests have a shape of their own. What no
// route expects is answered here, as JSON, whatever it was.

import { type Context, Hono } from "hono";
import { causeOf } from "../../core/outcome.ts";
import { refuseQuestion } from "./answer.ts";
import { getArchiveDays, getArchiveFiles, postSeal } from "./archive-days.ts";
import { ask } from "./ask.ts";
import { audited, getAudit } from "./audit.ts";
import { askBatch } from "./batch.ts";
import { type Deps, depsOf } from "./deps.ts";
import { getDoctor } from "./doctor.ts";
import type { QueryEnv } from "./env.ts";
import { deleteMerchant, getErasure, getErasures, postErasure } from "./erasures.ts";
import { getEvents } from "./events.ts";
import { GUESSING, limitGuesses } from "./guess.ts";
import { getImport, getImports, patchImport, postImport, postImportRedo, postImportUndo } from "./imports.ts";
import { deleteKey, getKeys, postKey, postKeyRotation } from "./keys.ts";
import { admit, TOO_OFTEN } from "./limit.ts";
import { deleteInvite, deleteMember, getInvites, getMembers, patchMember, postInvite } from "./members.ts";
import { getMerchant, getMerchants, patchMerchant, postMerchant } from "./merchants.ts";
import { getNow } from "./now.ts";
import type { DocumentedRoute } from "./openapi/document.ts";
import { OPERATIONS } from "./openapi/operation.ts";
import { sendDocument, sendReference } from "./openapi/send.ts";
import { getDeadLetters, getMeter, getPartitions, postRedrive } from "./operations.ts";
import { deleteOperator, getOperators, postOperator } from "./operators.ts";
import { PAGE_PATHS, sendAsset, sendHome, sendPage, servePage } from "./page.ts";
import { actorOf, authenticate, type Door, type Principal, refusalAt } from "./principal.ts";
import { type Checked, type ProblemCode, replyWithProblem } from "./problem.ts";
import { getProof } from "./proof.ts";
import { getQuery } from "./question-jobs.ts";
import { getOwnRates, getRates, postOwnRates, postRates } from "./rates.ts";
import { getBackups, postBackup, postDirectoryRecovery, postErasureRecovery, postLedgerRecovery } from "./recovery.ts";
import { getReplay, getReplays, postReplay, postReplayVerb } from "./replays.ts";
import { askFunnel, askPaths, askRealtime, askRetention } from "./report.ts";
import { type FileReply, parametersOf, type Reply } from "./request.ts";
import { getRules, getRuleVersion, getRuleVersions, putRules } from "./rules.ts";
import { deleteSegment, getSegments, patchSegment, postSegment } from "./segments.ts";
import { deleteSession, getSession, postAcceptance, postSession, putPassword } from "./sessions.ts";
import { deleteShare, getShared, getShares, postShare } from "./shares.ts";
import { getShops } from "./shops.ts";
import { getSpread, postSpread } from "./spread.ts";
import { getStreams, postStream } from "./streams.ts";
import { UMAMI_ROUTES } from "./umami.ts";
import { getAlerts, getHealth, getMetrics } from "./watch.ts";

type AdminHandler = (c: Context, deps: Deps) => Promise<Checked<Reply | FileReply>>;

/** The directory that it recovers may be no directory yet: the entry is written when it is one. */
const NOTED_BY_ITSELF = "directory.recover";

/** Method, path, who may (principal.ts), what does it; and the name of what is done, where anything is (audit.ts). */
type AdminRoute = readonly [method: string, path: string, door: Door, handler: AdminHandler, act?: string];

export const ADMIN_ROUTES: readonly AdminRoute[] = [
  ["POST", "/api/v1/merchants", "deployment", postMerchant, "merchant.create"],
  ["GET", "/api/v1/merchants", "deployment", getMerchants],
  ["GET", "/api/v1/merchants/:id", "read", getMerchant],
  ["PATCH", "/api/v1/merchants/:id", "admin", patchMerchant, "merchant.change"],
  ["POST", "/api/v1/merchants/:id/spread", "operate", postSpread, "merchant.spread"],
  ["GET", "/api/v1/merchants/:id/spread", "operate", getSpread],
  ["GET", "/api/v1/merchants/:id/rules", "read", getRules],
  ["PUT", "/api/v1/merchants/:id/rules", "admin", putRules, "rules.change"],
  ["GET", "/api/v1/merchants/:id/rules/versions", "read", getRuleVersions],
  ["GET", "/api/v1/merchants/:id/rules/versions/:version", "read", getRuleVersion],
  ["GET", "/api/v1/rules", "watch", getRules],
  ["PUT", "/api/v1/rules", "deployment", putRules, "global_rules.change"],
  ["GET", "/api/v1/rules/versions", "watch", getRuleVersions],
  ["GET", "/api/v1/rules/versions/:version", "watch", getRuleVersion],
  ["POST", "/api/v1/rates", "deployment", postRates, "rates.import"],
  ["GET", "/api/v1/rates", "watch", getRates],
  ["POST", "/api/v1/merchants/:id/rates", "admin", postOwnRates, "own_rates.change"],
  ["GET", "/api/v1/merchants/:id/rates", "read", getOwnRates],
  ["GET", "/api/v1/merchants/:id/proof", "read", getProof],
  ["GET", "/api/v1/merchants/:id/events", "admin", getEvents, "events.export"],
  ["DELETE", "/api/v1/merchants/:id", "owner", deleteMerchant, "merchant.erase"],
  ["POST", "/api/v1/merchants/:id/erasures", "admin", postErasure, "erasure.create"],
  ["GET", "/api/v1/merchants/:id/erasures", "admin", getErasures],
  ["GET", "/api/v1/merchants/:id/erasures/:erasure_id", "admin", getErasure],
  ["GET", "/api/v1/erasures", "deployment", getErasures],
  ["GET", "/api/v1/erasures/:erasure_id", "deployment", getErasure],
  ["POST", "/api/v1/merchants/:id/streams", "admin", postStream, "stream.create"],
  ["GET", "/api/v1/merchants/:id/streams", "read", getStreams],
  ["POST", "/api/v1/merchants/:id/keys", "admin", postKey, "key.create"],
  ["GET", "/api/v1/merchants/:id/keys", "admin", getKeys],
  ["POST", "/api/v1/merchants/:id/keys/:key_id/rotate", "admin", postKeyRotation, "key.rotate"],
  ["DELETE", "/api/v1/merchants/:id/keys/:key_id", "admin", deleteKey, "key.revoke"],
  ["GET", "/api/v1/merchants/:id/members", "owner", getMembers],
  ["PATCH", "/api/v1/merchants/:id/members/:member_id", "owner", patchMember, "member.change"],
  ["DELETE", "/api/v1/merchants/:id/members/:member_id", "owner", deleteMember, "member.remove"],
  ["POST", "/api/v1/merchants/:id/invites", "owner", postInvite, "invite.create"],
  ["GET", "/api/v1/merchants/:id/invites", "owner", getInvites],
  ["DELETE", "/api/v1/merchants/:id/invites/:invite_id", "owner", deleteInvite, "invite.revoke"],
  ["POST", "/api/v1/merchants/:id/shares", "admin", postShare, "share.create"],
  ["GET", "/api/v1/merchants/:id/shares", "admin", getShares],
  ["DELETE", "/api/v1/merchants/:id/shares/:share_id", "admin", deleteShare, "share.revoke"],
  ["POST", "/api/v1/merchants/:id/segments", "admin", postSegment, "segment.create"],
  ["GET", "/api/v1/merchants/:id/segments", "read", getSegments],
  ["PATCH", "/api/v1/merchants/:id/segments/:segment_id", "admin", patchSegment, "segment.change"],
  ["DELETE", "/api/v1/merchants/:id/segments/:segment_id", "admin", deleteSegment, "segment.delete"],
  ["POST", "/api/v1/merchants/:id/imports", "admin", postImport, "import.create"],
  ["GET", "/api/v1/merchants/:id/imports", "admin", getImports],
  ["GET", "/api/v1/merchants/:id/imports/:number", "admin", getImport],
  ["PATCH", "/api/v1/merchants/:id/imports/:number", "admin", patchImport, "import.change"],
  ["POST", "/api/v1/merchants/:id/imports/:number/undo", "admin", postImportUndo, "import.undo"],
  ["POST", "/api/v1/merchants/:id/imports/:number/redo", "admin", postImportRedo, "import.redo"],
  ["GET", "/api/v1/session", "read", getSession],
  ["DELETE", "/api/v1/session", "read", deleteSession, "session.end"],
  ["PUT", "/api/v1/session/password", "read", putPassword, "member.password"],
  ["GET", "/api/v1/audit", "admin", getAudit],
  ["GET", "/api/v1/meter", "watch", getMeter],
  ["POST", "/api/v1/operators", "deployment", postOperator, "operator.create"],
  ["GET", "/api/v1/operators", "deployment", getOperators],
  ["DELETE", "/api/v1/operators/:operator_id", "deployment", deleteOperator, "operator.revoke"],
  ["GET", "/api/v1/partitions", "watch", getPartitions],
  ["GET", "/api/v1/alerts", "watch", getAlerts],
  ["GET", "/api/v1/dead-letters", "watch", getDeadLetters],
  ["POST", "/api/v1/dead-letters/redrive", "operate", postRedrive, "dead_letter.redrive"],
  ["GET", "/api/v1/doctor", "watch", getDoctor],
  ["POST", "/api/v1/backups", "operate", postBackup, "backup.create"],
  ["GET", "/api/v1/backups", "watch", getBackups],
  ["POST", "/api/v1/recover/directory", "deployment", postDirectoryRecovery, NOTED_BY_ITSELF],
  ["POST", "/api/v1/recover/ledger", "deployment", postLedgerRecovery, "ledger.recover"],
  ["POST", "/api/v1/recover/erasures", "deployment", postErasureRecovery, "erasures.recover"],
  ["GET", "/api/v1/archive/days", "watch", getArchiveDays],
  ["POST", "/api/v1/archive/seal", "operate", postSeal, "archive.seal"],
  ["GET", "/api/v1/archive/files", "watch", getArchiveFiles],
  ["POST", "/api/v1/replays", "replay", postReplay, "replay.create"],
  ["GET", "/api/v1/replays", "replay", getReplays],
  ["GET", "/api/v1/replays/:id", "replay", getReplay],
  ["POST", "/api/v1/replays/:id/pause", "replay", postReplayVerb("pause"), "replay.pause"],
  ["POST", "/api/v1/replays/:id/resume", "replay", postReplayVerb("resume"), "replay.resume"],
  ["POST", "/api/v1/replays/:id/cancel", "replay", postReplayVerb("cancel"), "replay.cancel"],
  ["POST", "/api/v1/replays/:id/undo", "replay", postReplayVerb("undo"), "replay.undo"],
];

/** What a merchant's numbers are asked by: whoever may ask one may ask all. */
export const QUESTION_ROUTES: readonly (readonly [path: string, answer: typeof ask])[] = [
  ["/api/v2/query", ask],
  ["/api/v2/funnel", askFunnel],
  ["/api/v2/retention", askRetention],
  ["/api/v2/paths", askPaths],
  ["/api/v2/realtime", askRealtime],
  ["/api/v2/batch", askBatch],
];

/** For those who have no credential yet, or one that is none of the admin API. */
const PUBLIC_ROUTES: readonly (readonly [method: string, path: string, handler: AdminHandler])[] = [
  ["POST", "/api/v1/session", postSession],
  ["POST", "/api/v1/invites/accept", postAcceptance],
  ["GET", "/api/v1/shared", getShared],
  ["GET", "/api/v1/shops", getShops],
];

/** Routes outside of these lists answer the same to everybody. */
const WATCHED_PATHS = ["/health", "/metrics"];
const OPEN_PATHS = ["/", ...WATCHED_PATHS, "/api/openapi.json", "/api/reference", ...PAGE_PATHS];

export const app = new Hono<{ Bindings: QueryEnv; Variables: { deps: Deps; principal: Principal } }>();

app.use(async (c, next) => {
  const deps = depsOf(c.env, c.executionCtx);
  deps.meter.worker_requests += 1;
  c.set("deps", deps);
  await next();
});

for (const [path, send] of [["/", sendHome] as const, ...PAGE_PATHS.map((page) => [page, sendPage] as const)])
  app.get(path, (c) => servePage(c, c.get("deps"), send));
app.get("/assets/*", (c) => sendAsset(c) ?? refuse(c, "not_found", "There is nothing here."));
for (const path of WATCHED_PATHS) {
  app.use(path, (c, next) => limitGuesses(c, next, { deps: c.get("deps"), refuse: () => c.text(GUESSING, 429) }));
}
app.get("/health", (c) => getHealth(c, c.get("deps")));
app.get("/metrics", (c) => getMetrics(c, c.get("deps")));
app.get("/api/openapi.json", (c) => sendDocument(c, documentedRoutes()));
app.get("/api/reference", (c) => sendReference(c, documentedRoutes()));

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

for (const [method, path, handler] of PUBLIC_ROUTES) {
  app.on(method, path, async (c) => toResponse(c, await handler(c, c.get("deps"))));
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
for (const [method, path, door, handler, act] of ADMIN_ROUTES) {
  // Handlers that take parameters check them; here those of all others are refused.
  const takesNone = OPERATIONS.get(`${method} ${path}`)?.query === undefined;
  app.on(method, path, async (c) => {
    const deps = c.get("deps");
    const refusal = refusalAt(door, c.get("principal"));
    if (refusal !== undefined) return replyWithProblem(c, refusal);
    const handle = async () => {
      const none = takesNone ? parametersOf(c, {}) : undefined;
      return none?.ok === false ? none : handler(c, deps);
    };
    return toResponse(
      c,
      await (act === undefined || act === NOTED_BY_ITSELF ? handle() : audited(c, deps, act, handle)),
    );
  });
}

/** What the OpenAPI document describes beside the questions. */
export function documentedRoutes(): readonly DocumentedRoute[] {
  return [
    ...PUBLIC_ROUTES.map(([method, path]) => ({ method, path, door: undefined })),
    ...ADMIN_ROUTES.map(([method, path, door]) => ({ method, path, door })),
  ];
}

function toResponse(c: Context, reply: Checked<Reply | FileReply>): Response {
  if (!reply.ok) return replyWithProblem(c, reply.problem);
  if ("file" in reply.value) return toFile(c, reply.value);
  const { body, status = 200, location } = reply.value;
  return c.json(body, status, location === undefined ? {} : { location });
}

/**
 * Bytes go as they are made, and no faster than they are taken. What fails on the way breaks the transfer off: a part
 * is never taken for the whole.
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
  ...new Set([...PUBLIC_ROUTES, ...ADMIN_ROUTES].map(([, path]) => path)),
];
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
  if (c.req.path.startsWith("/api/v2/")) return refuseQuestion(c, code, message);
  return replyWithProblem(c, { code, message });
}
