// What operators of the deployment watch: GET /metrics for Prometheus, and GET /api/v1/alerts for people. Both read
// what the cron has written, in two statements, and wake no partition.

import type { Context } from "hono";
import { causeOf } from "../../core/outcome.ts";
import { MINUTE_MS } from "../../core/time.ts";
import { costLines, totalUsd } from "../../core/watch/cost.ts";
import { metricsText, usageOf } from "../../core/watch/metrics.ts";
import { listAlerts, readStanding, sizeOf } from "../../storage/directory/standing.ts";
import { askEach } from "../../storage/ledger/ledgers.ts";
import { healthOf, type VersionEnv } from "../../storage/version.ts";
import { bearerOf } from "./authorize.ts";
import type { Deps } from "./deps.ts";
import { findValidOperator, isAdminToken } from "./principal.ts";
import type { Checked } from "./problem.ts";
import type { Reply } from "./request.ts";

/** GET /metrics, for operators. 503 before the first cron. */
export async function getMetrics(c: Context, deps: Deps): Promise<Response> {
  if (!(await mayWatch(c, deps))) return c.text(TAKES_TOKEN, 401);
  const standing = await readStanding(deps.directory);
  if (standing === undefined) return c.text("the cron has not run yet: ask again in five minutes\n", 503);
  const text = metricsText({ standing, alerts: await listAlerts(deps.directory), now: deps.now() });
  return c.body(text, 200, { "content-type": "text/plain; version=0.0.4; charset=utf-8", "cache-control": "no-store" });
}

/**
 * GET /health: says that the Worker answers. With `?deep` and a token it also says whether the services that it depends
 * on answer. It is 503 if one does not.
 */
export async function getHealth(c: Context, deps: Deps): Promise<Response> {
  if (c.req.query("deep") === undefined) return c.json(healthOf(c.env as VersionEnv));
  if (!(await mayWatch(c, deps))) return c.text(TAKES_TOKEN, 401);
  const [directory, standing, bucket, ledgers] = await Promise.all([
    tried(() => sizeOf(deps.directory)),
    tried(() => readStanding(deps.directory)),
    tried(() => deps.bucket.head("health")),
    askEach(deps.ledgers, (ledger) => tried(() => sizeOf(ledger))),
  ]);
  const checkedAt = "value" in standing ? standing.value?.at : undefined;
  const checks = {
    directory: saysOf(directory),
    ledgers: ledgers.map(saysOf),
    archive: saysOf(bucket),
    cron: checkedAt !== undefined && checkedAt > deps.now() - CRON_SILENT_MS ? "ok" : "has not run for 15 minutes",
  };
  const ok = [checks.directory, checks.archive, checks.cron, ...checks.ledgers].every((said) => said === "ok");
  return c.json({ ok, checks }, ok ? 200 : 503);
}

/** As long as three crons are apart. */
const CRON_SILENT_MS = 15 * MINUTE_MS;

type Tried<T> = { readonly value: T } | { readonly error: string };

async function tried<T>(ask: () => Promise<T>): Promise<Tried<T>> {
  try {
    return { value: await ask() };
  } catch (error) {
    return { error: causeOf(error) };
  }
}

function saysOf(tried: Tried<unknown>): string {
  return "error" in tried ? tried.error : "ok";
}

const TAKES_TOKEN = "send Authorization: Bearer <the token of an operator, or ADMIN_TOKEN>\n";

/** Whether a request may see these. Every operator may, since the smallest scope is "metrics". */
async function mayWatch(c: Context, deps: Deps): Promise<boolean> {
  const token = bearerOf(c.req.header("authorization")) ?? "";
  return isAdminToken(token, deps) || (await findValidOperator(token, deps)) !== undefined;
}

/** GET /api/v1/alerts: alerts that are raised, and ended alerts that could not be told yet. */
export async function getAlerts(_: Context, deps: Deps): Promise<Checked<Reply>> {
  const standing = await readStanding(deps.directory);
  const alerts = await listAlerts(deps.directory);
  const instant = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  const shown = alerts.map(({ since, until, toldAt, ...alert }) => ({
    ...alert,
    since: instant(since),
    until: instant(until),
    told_at: instant(toldAt),
  }));
  return { ok: true, value: { body: { checked_at: instant(standing?.at ?? null), alerts: shown } } };
}

/** GET /api/v1/cost: the cost of the month so far, as of the cron's last look. */
export async function getCost(_: Context, deps: Deps): Promise<Checked<Reply>> {
  const standing = await readStanding(deps.directory);
  if (standing === undefined) return { ok: true, value: { body: { as_of: null, lines: [], total_usd: 0 } } };
  const lines = costLines(usageOf(standing));
  const as_of = new Date(standing.at).toISOString();
  return { ok: true, value: { body: { as_of, lines, total_usd: totalUsd(lines) } } };
}
