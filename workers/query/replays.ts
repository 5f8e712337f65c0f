// Admin requests about replay jobs: start one, follow it, pause, resume, cancel or undo it. The background Worker does
// the work, as the consumer of footfall-replay (queues/replay.ts).

import type { Context } from "hono";
import { firstOpenDay } from "../../core/counting/closed.ts";
import type { DimensionName } from "../../core/counting/dimension.ts";
import { ALL_DIMENSIONS } from "../../core/counting/rollup.ts";
import { REVENUE_SCALE } from "../../core/event.ts";
import { isObject } from "../../core/formats/field.ts";
import {
  ADMIN_PAGE_MAX,
  REPLAY_DAYS_MAX,
  REPLAY_KEPT_MS,
  REPLAY_LIST_MAX,
  REPLAY_MERCHANTS_MAX,
  REPLAYS_A_DAY_MAX,
  REPLAYS_OF_MERCHANT_MAX,
} from "../../core/limits.ts";
import { parseRules } from "../../core/rule-parser.ts";
import { DAY_MS, dateOf } from "../../core/time.ts";
import { archiveOf } from "../../storage/archive/bucket.ts";
import { isMerchantIdShaped } from "../../storage/directory/credential.ts";
import { findMerchantIds, findMerchantNumbers } from "../../storage/directory/merchants.ts";
import {
  countJobs,
  findJob,
  hasApplied,
  isOfGoals,
  isOver,
  listJobs,
  type ReplayJob,
  type ReplayVerb,
} from "../../storage/directory/replay-job.ts";
import { REPLAY_KINDS, type ReplayKind } from "../../storage/directory/schema.ts";
import { parseHostname } from "../../storage/hostname.ts";
import type { JobTotal } from "../../storage/ledger/replay-part.ts";
import { changeJob, listOutcomes, listTotals, readProgress } from "../../storage/replay.ts";
import { driveJob } from "../../storage/replay-drive.ts";
import type { Deps } from "./deps.ts";
import { DATE, type Field, oneOf, required, TIME_ZONE } from "./field.ts";
import { ownMerchant, principalOf } from "./principal.ts";
import { type Checked, problem } from "./problem.ts";
import { type AskedReplay, startReplay, takenBack } from "./replay-start.ts";
import { bodyOf, type Reply } from "./request.ts";

const MERCHANTS: Field<readonly string[], false> = {
  required: false,
  expected: `a list of 1 to ${REPLAY_MERCHANTS_MAX} merchants' ids`,
  schema: { type: "array", items: { type: "string" }, minItems: 1, maxItems: REPLAY_MERCHANTS_MAX },
  parse: (value) => {
    if (!Array.isArray(value) || value.length === 0 || value.length > REPLAY_MERCHANTS_MAX) return undefined;
    return value.every((id) => typeof id === "string" && isMerchantIdShaped(id)) ? [...new Set(value)] : undefined;
  },
};
const RULES: Field<unknown, false> = {
  required: false,
  expected: '"current" or rules',
  schema: { oneOf: [{ type: "string", enum: ["current"] }, { type: "object" }] },
  parse: (value) => (value === "current" || isObject(value) ? value : undefined),
};
const DIMENSION_LIST: Field<readonly DimensionName[], false> = {
  required: false,
  expected: `a list of dimensions: ${ALL_DIMENSIONS.join(", ")}`,
  schema: { type: "array", items: { type: "string", enum: ALL_DIMENSIONS }, minItems: 1 },
  parse: (value) => {
    if (!Array.isArray(value) || value.length === 0 || value.length > ALL_DIMENSIONS.length) return undefined;
    return value.every((name) => ALL_DIMENSIONS.includes(name)) ? [...new Set<DimensionName>(value)] : undefined;
  },
};
export const NEW_REPLAY = {
  kind: required(oneOf(REPLAY_KINDS)),
  from: required(DATE),
  to: required(DATE),
  merchants: MERCHANTS,
  rules: RULES,
  dimensions: DIMENSION_LIST,
  time_zone: TIME_ZONE,
};

/**
 * POST /api/v1/replays {"kind","from","to","merchants"?,"rules"?,"dimensions"?,"time_zone"?}: 202 with the job. Both
 * dates belong to the range.
 */
export async function postReplay(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const body = await bodyOf(c, NEW_REPLAY);
  if (!body.ok) return body;
  const { kind, from, to, merchants: named, dimensions, time_zone: zone } = body.value;
  if (to < from) return problem("invalid_field", '"to" must not lie before "from".', "to");
  if (to - from >= REPLAY_DAYS_MAX)
    return problem("invalid_field", `A replay spans at most ${REPLAY_DAYS_MAX} Days.`, "to");
  const counted = countedBy(body.value, deps);
  if (!counted.ok) return counted;
  if (zone !== undefined && (kind === "backfill" || counted.value.rules !== "dated"))
    return problem("invalid_field", "A zone is for a verify or a rebuild without rules.", "time_zone");
  const whose = await merchantsOf(c, named, deps);
  if (!whose.ok) return whose;
  if (kind === "backfill" && counted.value.rules === "current" && whose.value === undefined)
    return problem("invalid_field", "Goals are a merchant's own: name the merchants.", "merchants");
  const asked = { kind, fromDay: from, toDay: to + 1, merchants: whose.value, dimensions, zone, ...counted.value };
  const job = await startReplay(asked, { ...deps, ...archiveOf(deps) });
  if (!job.ok) return job;
  if (hasApplied(job.value)) deps.keys.clear();
  return {
    ok: true,
    value: { status: 202, location: `/api/v1/replays/${job.value.id}`, body: await shown(c, job.value, deps) },
  };
}

/** The rules by which the Days will be counted: those that hold now, those decided last, or a draft. */
function countedBy(
  {
    kind,
    rules,
    to,
    dimensions,
  }: { kind: ReplayKind; rules: unknown; to: number; dimensions?: readonly DimensionName[] | undefined },
  deps: Deps,
): Checked<Pick<AskedReplay, "rules" | "draft">> {
  if (dimensions !== undefined && kind !== "backfill")
    return problem("invalid_field", 'Only a backfill takes "dimensions".', "dimensions");
  if (rules === undefined) return { ok: true, value: { rules: "dated", draft: undefined } };
  const lastClosed = firstOpenDay(deps.now(), deps.pace.sealAfterMs) - 1;
  if (to > lastClosed)
    return problem("conflict", `Rules are applied to closed Days only; the last is ${dateOf(lastClosed)}.`, "to");
  if (rules === "current" && kind === "backfill" && dimensions?.some((name) => name !== "goal"))
    return problem(
      "invalid_field",
      "By the current rules a backfill counts goals; for what else they change, ask for a rebuild.",
      "dimensions",
    );
  if (rules === "current") return { ok: true, value: { rules, draft: undefined } };
  if (kind !== "verify")
    return problem("invalid_field", 'A draft is tried out by a "verify"; decide on it, then use "current".', "rules");
  const draft = parseRules(rules, parseHostname);
  if (!draft.ok) return problem("invalid_field", `${draft.rejection.message}.`, "rules");
  return { ok: true, value: { rules: "draft", draft: draft.value } };
}

/** GET /api/v1/replays: the latest jobs. */
export async function getReplays(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const jobs = await listJobs(deps.directory, { merchant: ownNumber(c), rowsMax: ADMIN_PAGE_MAX });
  const ids = await findMerchantIds(
    deps.directory,
    jobs.flatMap(({ merchants }) => merchants ?? []).slice(0, REPLAY_MERCHANTS_MAX),
  );
  return { ok: true, value: { body: { replays: jobs.map((job) => summaryOf(job, ids)), next: null } } };
}

/** GET /api/v1/replays/:id: how much of the job is done, and what it has found. */
export async function getReplay(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const job = await jobOf(c, deps);
  return job === undefined ? unknown() : { ok: true, value: { body: await shown(c, job, deps) } };
}

/** POST /api/v1/replays/:id/pause, and the same for resume, cancel and undo. */
export function postReplayVerb(verb: ReplayVerb) {
  return async (c: Context, deps: Deps): Promise<Checked<Reply>> => {
    const job = await jobOf(c, deps);
    if (job === undefined) return unknown();
    if ((verb === "undo" || verb === "resume") && isOver(job, deps.now())) {
      const kept = `${REPLAY_KEPT_MS / DAY_MS} days`;
      return problem(
        "conflict",
        `This ${job.kind} ended more than ${kept} ago: what it kept is deleted. Ask for a new one.`,
      );
    }
    if (verb === "undo" && isOfGoals(job))
      return problem(
        "conflict",
        "A backfill of goals changes no answer, so there is nothing to undo: take the goal out of the rules.",
      );
    const taken = await takenBack(job, verb, deps);
    if (!(await changeJob(deps, { job, verb, now: deps.now(), taken }))) {
      return problem("conflict", `A ${job.kind} that is ${job.state} cannot ${verb}: ${WHY_NOT[verb]}`);
    }
    if (taken.length > 0) deps.keys.clear();
    await driveJob(job.id, deps);
    const changed = await findJob(deps.directory, job.id);
    return { ok: true, value: { body: await shown(c, changed ?? job, deps) } };
  };
}

const WHY_NOT: Record<ReplayVerb, string> = {
  pause: "only one that is running.",
  resume: "only one that is paused, or that has failed parts while no other rebuild writes or has written these Days.",
  cancel: "only one that is running or paused.",
  undo: "only a rebuild or backfill that is done, cancelled or paused, and before it every later rebuild of these Days.",
};

/**
 * The merchants that a job is for. Somebody of one merchant always replays that merchant, named or not, and only a few
 * times a day.
 */
async function merchantsOf(
  c: Context,
  ids: readonly string[] | undefined,
  deps: Deps,
): Promise<Checked<readonly number[] | undefined>> {
  const own = ownMerchant(principalOf(c));
  if (own === undefined) {
    const numbers = ids && (await findMerchantNumbers(deps.directory, ids));
    return numbers?.length === ids?.length ? { ok: true, value: numbers } : noSuchMerchants();
  }
  if (ids?.some((id) => id !== own.id)) return noSuchMerchants();
  const since = deps.now() - DAY_MS;
  const { active, recent } = await countJobs(deps.directory, { merchant: own.number, since });
  if (active >= REPLAYS_OF_MERCHANT_MAX)
    return problem("conflict", `At most ${REPLAYS_OF_MERCHANT_MAX} replays of a merchant go on at once: end one.`);
  if (recent >= REPLAYS_A_DAY_MAX)
    return problem("conflict", `A merchant asks for at most ${REPLAYS_A_DAY_MAX} replays in 24 hours.`);
  return { ok: true, value: [own.number] };
}

function noSuchMerchants() {
  return problem("invalid_field", '"merchants" must be ids of merchants that exist.', "merchants");
}

/**
 * The job that a path names. Undefined if the caller may not see it. Somebody of one merchant sees only jobs for that
 * merchant alone.
 */
async function jobOf(c: Context, deps: Deps): Promise<ReplayJob | undefined> {
  const job = await findJob(deps.directory, c.req.param("id") ?? "");
  const own = ownNumber(c);
  const isOwn = own === undefined || (job?.merchants?.length === 1 && job.merchants[0] === own);
  return isOwn ? job : undefined;
}

function ownNumber(c: Context): number | undefined {
  return ownMerchant(principalOf(c))?.number;
}

function unknown() {
  return problem("not_found", "There is no replay with this id.");
}

function summaryOf(job: ReplayJob, ids: ReadonlyMap<number, string>) {
  return {
    id: job.id,
    kind: job.kind,
    rules: job.rules,
    dimensions: job.dimensions ?? null,
    time_zone: job.pastZone?.zone ?? null,
    state: job.state,
    from: dateOf(job.fromDay),
    to: dateOf(job.toDay - 1),
    merchants: job.merchants?.map((number) => ids.get(number) ?? number) ?? null,
    created_at: new Date(job.createdAt).toISOString(),
    finished_at: job.finishedAt === null ? null : new Date(job.finishedAt).toISOString(),
  };
}

/**
 * A job with its progress, its first differences and the parts that failed. The reason of a failure may name other
 * merchants of the partition, so only the deployment sees it.
 */
async function shown(c: Context, job: ReplayJob, deps: Deps): Promise<Record<string, unknown>> {
  const progress = await readProgress(deps, job.id);
  const outcomes = await listOutcomes(deps, job.id);
  const differences = outcomes
    .flatMap(({ day, partition, shown }) =>
      shown.map((difference) => ({ date: dateOf(day), partition, ...difference })),
    )
    .slice(0, REPLAY_LIST_MAX);
  const totals = job.kind === "verify" ? await listTotals(deps, job.id) : [];
  const differing = [...differences, ...totals].map(({ merchant }) => merchant);
  const numbers = [...(job.merchants ?? []), ...differing];
  const ids = await findMerchantIds(deps.directory, [...new Set(numbers)].slice(0, REPLAY_MERCHANTS_MAX));
  return {
    ...summaryOf(job, ids),
    parts: { all: progress.parts, done: progress.done, failed: progress.failed, undone: progress.undone },
    events: progress.events,
    /** The speed of one consumer while it works. */
    events_per_second: Math.round((progress.events * 1_000) / Math.max(progress.durationMs, 1)),
    buckets: progress.buckets,
    differences: progress.differences,
    in_doubt: progress.inDoubt,
    unpublished: progress.unpublished,
    replaced: progress.replaced,
    totals: shownTotals(totals, ids),
    first_differences: differences.map(({ merchant, bucket, ...difference }) => ({
      merchant: ids.get(merchant) ?? merchant,
      bucket: difference.grain === "day" ? dateOf(bucket) : new Date(bucket).toISOString(),
      ...difference,
    })),
    failed_parts: outcomes
      .filter(({ error }) => error !== "")
      .map(({ day, partition, state, error }) => ({
        date: dateOf(day),
        partition,
        state,
        error: ownNumber(c) === undefined ? error : "This part could not be counted.",
      })),
  };
}

/**
 * The numbers before and after, of each merchant whose numbers differ. Revenue is in units of the currency, as in
 * answers.
 */
function shownTotals(totals: readonly JobTotal[], ids: ReadonlyMap<number, string>) {
  const merchants = [...new Set(totals.map(({ merchant }) => merchant))];
  return merchants.map((merchant) => {
    const own = totals.filter((total) => total.merchant === merchant);
    const numbers = own.map(({ what, before, after }) => {
      const scale = what.startsWith("revenue ") ? REVENUE_SCALE : 1;
      return { what, before: before / scale, after: after / scale };
    });
    return { merchant: ids.get(merchant) ?? merchant, numbers };
  });
}
