// The collector's routes: those of every wire format (core/formats/route.ts), the tracker's scripts, and two of its own
// (/v1/meter and /health). serve.ts serves hits. Nearly all hits reach it directly, by one look-up in `fetch`. The
// router takes all other requests: paths with a name in them, HEAD, preflights, and whatever must be refused.

import { Hono, type MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { withoutSlashes } from "../../core/formats/path.ts";
import { ROUTES, type Route } from "../../core/formats/route.ts";
import { causeOf } from "../../core/outcome.ts";
import { isolateMeter } from "../../storage/isolate-meter.ts";
import { isolateKeeper, meterPaceOf } from "../../storage/ledger/month-meter.ts";
import { writeLog } from "../../storage/log.ts";
import { openStorage } from "../../storage/open.ts";
import { isSecret } from "../../storage/signing.ts";
import { healthOf } from "../../storage/version.ts";
import type { CollectorEnv } from "./env.ts";
import { incomingOf } from "./incoming.ts";
import { corsOf, refuse } from "./reply.ts";
import { PINNED, serveScript } from "./script.ts";
import { serve } from "./serve.ts";

export const app = new Hono<{ Bindings: CollectorEnv }>();

/** Routes by method and path, such as "POST /v1/events". */
const DIRECT: ReadonlyMap<string, Route> = new Map(
  ROUTES.flatMap((route) =>
    route.methods.flatMap((method) =>
      route.paths.filter((path) => !path.includes(":")).map((path) => [`${method} ${path}`, route] as const),
    ),
  ),
);

export async function fetch(request: Request, env: CollectorEnv, context: ExecutionContext): Promise<Response> {
  const incoming = incomingOf(request, env, context);
  keepMeterOf(env, context);
  const path = withoutSlashes(incoming.path);
  const route = DIRECT.get(`${request.method} ${path}`);
  if (route !== undefined) return serve(path === incoming.path ? incoming : { ...incoming, path }, route);
  return app.fetch(path === incoming.path ? request : new Request(moved(request.url, path), request), env, context);
}

/** Adds what this isolate has counted to the month's meter, if that is due. No request waits for it. */
function keepMeterOf(env: CollectorEnv, context: ExecutionContext): void {
  const now = Date.now();
  const everyMs = meterPaceOf(env);
  if (!isolateKeeper.isDue({ now, everyMs })) return;
  context.waitUntil(isolateKeeper.keep(openStorage(env).ledgers.all[0], { now, log: writeLog, everyMs }));
}

/** The same address with another path. */
function moved(url: string, path: string): string {
  const whole = new URL(url);
  whole.pathname = path;
  return whole.href;
}

const preflight = cors({
  origin: (origin) => origin || "*",
  credentials: true,
  allowMethods: ["GET", "POST"],
  exposeHeaders: ["Retry-After"],
  maxAge: 86_400,
});
const onlyPreflight: MiddlewareHandler = (c, next) => (c.req.method === "OPTIONS" ? preflight(c, next) : next());

const SCRIPT_PATHS = ["/t.js", "/p.js", PINNED];

for (const route of ROUTES) {
  for (const path of route.paths) {
    app.use(path, onlyPreflight);
    app.on([...route.methods], path, (c) =>
      serve({ ...incomingOf(c.req.raw, c.env, c.executionCtx), path: c.req.path }, route),
    );
    refuseOthers(path, route.methods, (origin) => corsOf(origin));
  }
}
for (const path of SCRIPT_PATHS) app.get(path, serveScript);
app.get("/v1/meter", async (c) => {
  const token = c.req.header("authorization")?.replace(/^Bearer /i, "") ?? "";
  if (!isSecret(token, c.env.ADMIN_TOKEN)) return refuse("unauthorized", "send Authorization: Bearer <ADMIN_TOKEN>");
  return c.json(isolateMeter);
});
app.get("/health", (c) => c.json(healthOf(c.env)));
for (const path of ["/v1/meter", "/health", ...SCRIPT_PATHS]) refuseOthers(path, ["GET"], () => ({}));

app.notFound(() => refuse("not_found", "there is nothing here; see POST /v1/events", { status: 404 }));
app.onError((error, c) => {
  writeLog({ event: "collect_failed", path: c.req.path, error: causeOf(error) });
  return refuse("unavailable", "this could not be answered; try again");
});

function refuseOthers(
  path: string,
  methods: readonly string[],
  headersFor: (origin: string) => Record<string, string>,
): void {
  const allowed = methods.join(", ");
  const verb = methods.length > 1 ? "are" : "is";
  app.all(path, (c) =>
    refuse("method_not_allowed", `${c.req.method} is not possible here; ${allowed} ${verb}`, {
      status: 405,
      headers: { Allow: allowed, ...headersFor(c.req.header("origin") ?? "") },
    }),
  );
}
