// Admin requests about replay jobs: ask for one, follow it, pause, resume, cancel or undo it; and the cron that sends on
// what got lost. The work itself is done by the consumer of footfall-replay (queues/replay.ts).

import type { Context } from "hono";
import { partitionsOf } from "../../core/counting/placement.ts";
import type { ReplayPart } from "../../core/counting/replay-part.ts";
import {
  ADMIN_PAGE_MAX,
  REPLAY_DAYS_MAX,
  REPLAY_LIST_MAX,
  REPLAY_MERCHANTS_MAX,
  REPLAY_PARTS_MAX,
  REPLAYS_A_DAY_MAX,
  REPLAYS_OF_MERCHANT_MAX,
} from "../../core/limits.ts";
import { DAY_MS, dateOf, parseDate } from "../../core/time.ts";
import { driveJob } from "../../queues/replay.ts";
import { listPartitions } from "../../storage/archive-day.ts";
import { ID_RANDOM_BYTES, isMerchantIdShaped, replayId } from "../../storage/credential.ts";
import { findMerchantIds, findMerchantNumbers } from "../../storage/merchants.ts";
import {
  changeJob,
  countJobs,
  createJob,
  findJob,
  listActiveJobs,
  listJobs,
  listOutcomes,
  type ReplayJob,
  type ReplayVerb,
  readProgress,
} from "../../storage/replay-job.ts";
import type { ReplayKind } from "../../storage/schema.ts";
import { replayDeps } from "./consumers.ts";
import type { Deps } from "./deps.ts";
import { type Field, required } from "./field.ts";
import { allPartitions } from "./operations.ts";
import { ownMerchant, principalOf } from "./principal.ts";
import { type Checked, problem } from "./problem.ts";
import { bodyOf, parametersOf, type Reply } from "./request.ts";

const KIND: Field<ReplayKind, false> = {
  required: false,
  expected: '"verify" or "rebuild"',
  parse: (value) => (value === "verify" || value === "rebuild" ? value : undefined),
};
const DATE: Field<number, false> = {
  required: false,
  expected: 'a date such as "2026-11-21"',
  parse: (value) => (typeof value === "string" ? parseDate(value) : undefined),
};
const MERCHANTS: Field<readonly string[], false> = {
  required: false,
  expected: `a list of 1 to ${REPLAY_MERCHANTS_MAX} merchants' ids`,
  parse: (value) => {
    if (!Array.isArray(value) || value.length === 0 || value.length > REPLAY_MERCHANTS_MAX) return undefined;
    return value.every((id) => typeof id === "string" && isMerchantIdShaped(id)) ? [...new Set(value)] : undefined;
  },
};
const NEW_REPLAY = { kind: required(KIND), from: required(DATE), to: required(DATE), merchants: MERCHANTS };

/** POST /api/v1/replays {"kind","from","to","merchants"?}: 202 with the job; both dates are part of it. */
export async function postReplay(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const body = await bodyOf(c, NEW_REPLAY);
  if (!body.ok) return body;
  const { kind, from, to, merchants: named } = body.value;
  if (to < from) return problem("invalid_field", '"to" must not lie before "from".', "to");
  if (to - from >= REPLAY_DAYS_MAX)
    return problem("invalid_field", `A replay spans at most ${REPLAY_DAYS_MAX} Days.`, "to");
  const whose = await merchantsOf(c, named, deps);
  if (!whose.ok) return whose;
  const merchants = whose.value;
  const created = { createdAt: deps.now(), finishedAt: null };
  const id = replayId(deps.random(ID_RANDOM_BYTES));
  const job: ReplayJob = { id, kind, state: "running", fromDay: from, toDay: to + 1, merchants, ...created };
  const parts = await partsOf(job, deps);
  if (parts === undefined) {
    return problem(
      "invalid_field",
      `A replay has at most ${REPLAY_PARTS_MAX} parts (Days × partitions): ask for less.`,
    );
  }
  if ((await createJob(deps.db, { job, parts }, deps.meter)) === "overlaps") {
    return problem(
      "conflict",
      "Another rebuild of some of these Days has not ended yet: GET /api/v1/replays shows your own.",
    );
  }
  await driveJob(id, replayDeps(deps));
  return { ok: true, value: { status: 202, location: `/api/v1/replays/${id}`, body: await shown(c, job, deps) } };
}

/** GET /api/v1/replays: the latest. It takes no parameters, and says so. */
export async function getReplays(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const none = parametersOf(c, {});
  if (!none.ok) return none;
  const jobs = await listJobs(deps.db, { merchant: ownNumber(c), rowsMax: ADMIN_PAGE_MAX }, deps.meter);
  const ids = await findMerchantIds(
    deps.db,
    jobs.flatMap(({ merchants }) => merchants ?? []).slice(0, REPLAY_MERCHANTS_MAX),
    deps.meter,
  );
  return { ok: true, value: { body: { replays: jobs.map((job) => summaryOf(job, ids)), next: null } } };
}

/** GET /api/v1/replays/:id: how far it is, and what it found. */
export async function getReplay(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const job = await jobOf(c, deps);
  return job === undefined ? unknown() : { ok: true, value: { body: await shown(c, job, deps) } };
}

/** POST /api/v1/replays/:id/pause and its like. */
export function postReplayVerb(verb: ReplayVerb) {
  return async (c: Context, deps: Deps): Promise<Checked<Reply>> => {
    const job = await jobOf(c, deps);
    if (job === undefined) return unknown();
    if (!(await changeJob(deps.db, { job, verb, now: deps.now() }, deps.meter))) {
      return problem("conflict", `A ${job.kind} that is ${job.state} cannot ${verb}: ${WHY_NOT[verb]}`);
    }
    await driveJob(job.id, replayDeps(deps));
    const changed = await findJob(deps.db, job.id, deps.meter);
    return { ok: true, value: { body: await shown(c, changed ?? job, deps) } };
  };
}

const WHY_NOT: Record<ReplayVerb, string> = {
  pause: "only one that is running.",
  resume: "only one that is paused, or that has failed parts while no other rebuild writes or has written these Days.",
  cancel: "only one that is running or paused.",
  undo: "only a rebuild that is done, cancelled or paused, and before it every later rebuild of these Days.",
};

/** The cron: parts whose messages were lost go on their way again, and what has ended is noted. Repeating it is harmless:
 *  a part is taken by one statement, and one that is done is left alone. */
export async function driveReplays(deps: Deps): Promise<void> {
  for (const job of await listActiveJobs(deps.db, deps.meter)) await driveJob(job, replayDeps(deps));
}

/** The merchants a job is for. Whoever is of one merchant replays that one, says so or not, and only so often. */
async function merchantsOf(
  c: Context,
  ids: readonly string[] | undefined,
  deps: Deps,
): Promise<Checked<readonly number[] | undefined>> {
  const own = ownMerchant(principalOf(c));
  if (own === undefined) {
    const numbers = ids && (await findMerchantNumbers(deps.db, ids, deps.meter));
    return numbers?.length === ids?.length ? { ok: true, value: numbers } : noSuchMerchants();
  }
  if (ids?.some((id) => id !== own.id)) return noSuchMerchants();
  const since = deps.now() - DAY_MS;
  const { active, recent } = await countJobs(deps.db, { merchant: own.number, since }, deps.meter);
  if (active >= REPLAYS_OF_MERCHANT_MAX)
    return problem("conflict", `At most ${REPLAYS_OF_MERCHANT_MAX} replays of a merchant go on at once: end one.`);
  if (recent >= REPLAYS_A_DAY_MAX)
    return problem("conflict", `A merchant asks for at most ${REPLAYS_A_DAY_MAX} replays in 24 hours.`);
  return { ok: true, value: [own.number] };
}

function noSuchMerchants() {
  return problem("invalid_field", '"merchants" must be ids of merchants that exist.', "merchants");
}

/** The job a path names, when whoever asks may see it: of one merchant only those that are of it alone. */
async function jobOf(c: Context, deps: Deps): Promise<ReplayJob | undefined> {
  const job = await findJob(deps.db, c.req.param("id") ?? "", deps.meter);
  const own = ownNumber(c);
  const isOwn = own === undefined || (job?.merchants?.length === 1 && job.merchants[0] === own);
  return isOwn ? job : undefined;
}

function ownNumber(c: Context): number | undefined {
  return ownMerchant(principalOf(c))?.number;
}

/** The (Day, partition)s of a job; undefined when they are too many. */
async function partsOf(job: ReplayJob, deps: Deps): Promise<readonly ReplayPart[] | undefined> {
  const placed = new Set(allPartitions(deps.placement));
  const wanted = job.merchants?.flatMap((merchant) => partitionsOf(merchant, deps.placement)) ?? [...placed];
  const parts: ReplayPart[] = [];
  for (let day = job.fromDay; day < job.toDay; day++) {
    // Folders of partitions that today's placement does not know are from an earlier one: anybody may be in them.
    const archived = await listPartitions(replayDeps(deps), dateOf(day));
    const partitions = new Set([...wanted, ...archived.filter((name) => !placed.has(name))]);
    for (const partition of partitions) parts.push({ job: job.id, day, partition });
    if (parts.length > REPLAY_PARTS_MAX) return undefined;
  }
  return parts;
}

function unknown() {
  return problem("not_found", "There is no replay with this id.");
}

function summaryOf(job: ReplayJob, ids: ReadonlyMap<number, string>) {
  return {
    id: job.id,
    kind: job.kind,
    state: job.state,
    from: dateOf(job.fromDay),
    to: dateOf(job.toDay - 1),
    merchants: job.merchants?.map((number) => ids.get(number) ?? number) ?? null,
    created_at: new Date(job.createdAt).toISOString(),
    finished_at: job.finishedAt === null ? null : new Date(job.finishedAt).toISOString(),
  };
}

/** A job with its progress, the first differences and the parts that failed. Why a part failed may speak of a partition's
 *  other merchants: only the deployment is told. */
async function shown(c: Context, job: ReplayJob, deps: Deps): Promise<Record<string, unknown>> {
  const progress = await readProgress(deps.db, job.id, deps.meter);
  const outcomes = await listOutcomes(deps.db, job.id, deps.meter);
  const differences = outcomes
    .flatMap(({ day, partition, shown }) =>
      shown.map((difference) => ({ date: dateOf(day), partition, ...difference })),
    )
    .slice(0, REPLAY_LIST_MAX);
  const numbers = [...(job.merchants ?? []), ...differences.map(({ merchant }) => merchant)];
  const ids = await findMerchantIds(deps.db, [...new Set(numbers)].slice(0, REPLAY_MERCHANTS_MAX), deps.meter);
  return {
    ...summaryOf(job, ids),
    parts: { all: progress.parts, done: progress.done, failed: progress.failed, undone: progress.undone },
    events: progress.events,
    /** Of a consumer while it works. */
    events_per_second: Math.round((progress.events * 1_000) / Math.max(progress.durationMs, 1)),
    buckets: progress.buckets,
    differences: progress.differences,
    in_doubt: progress.inDoubt,
    unpublished: progress.unpublished,
    replaced: progress.replaced,
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
