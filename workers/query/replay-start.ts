// Starts a replay job that was asked for, and says what its undo takes back: which parts it has, which rules its Days are
// counted by, and whether it may. Rules other than those that hold are for sealed Days only: a partition counts an open Day
// by the rules it knew at each event, and a Day that is closed and not sealed is still corrected by its seal, which keeps
// nothing for an undo. `replays.ts` reads the requests.

import { partitionsOf } from "../../core/counting/placement.ts";
import { REPLAY_PARTS_MAX, REPLAY_TIMELINES_LENGTH_MAX } from "../../core/limits.ts";
import { extendTimeline, GLOBAL_MERCHANT, periodOfDays, takeBackFromDays } from "../../core/rules.ts";
import { dateOf } from "../../core/time.ts";
import { driveJob, type ReplayDeps } from "../../queues/replay.ts";
import { listPartitions } from "../../storage/archive-day.ts";
import { ID_RANDOM_BYTES, replayId } from "../../storage/credential.ts";
import { hasApplied, type ReplayJob, type ReplayVerb } from "../../storage/replay-job.ts";
import { createJob } from "../../storage/replay-start.ts";
import type { TimelineChange } from "../../storage/rules.ts";
import type { AppliedRules } from "../../storage/schema.ts";
import { findUnsealed, type SealPlace } from "../../storage/seal.ts";
import { readSettingsOf } from "../../storage/settings.ts";
import type { Deps } from "./deps.ts";
import { findPartitions } from "./operations.ts";
import { type Checked, problem } from "./problem.ts";

export type StartDeps = ReplayDeps & Pick<Deps, "placement" | "random">;

/** What is asked for, once it is known to be well-formed. */
export type AskedReplay = Pick<
  ReplayJob,
  "kind" | "fromDay" | "toDay" | "merchants" | "rules" | "draft" | "dimensions"
>;

/** Makes the job and sends its first parts on their way. */
export async function startReplay(asked: AskedReplay, deps: StartDeps): Promise<Checked<ReplayJob>> {
  const places = await placesOf(asked, deps);
  if (places === undefined) {
    return problem(
      "invalid_field",
      `A replay has at most ${REPLAY_PARTS_MAX} parts (Days × partitions): ask for less.`,
    );
  }
  if (asked.rules !== "dated") {
    const unsealed = await findUnsealed(deps.db, places.archived, deps.meter);
    if (unsealed !== undefined) {
      const date = dateOf(unsealed.day);
      return problem(
        "conflict",
        `Rules are applied to sealed Days, and ${date} is not sealed yet: try again later.`,
        "to",
      );
    }
  }
  const isApplied = asked.kind !== "verify" && asked.rules === "current";
  const timelines = isApplied ? await appliedTimelines(asked, deps) : NOTHING_APPLIED;
  if (!timelines.ok) return timelines;
  const { applies, applied } = timelines.value;
  const job: ReplayJob = {
    ...asked,
    id: replayId(deps.random(ID_RANDOM_BYTES)),
    state: "running",
    createdAt: deps.now(),
    finishedAt: null,
    applied,
  };
  const parts = places.all.map((place) => ({ job: job.id, ...place }));
  const created = await createJob(deps.db, { job, parts, applies }, deps.meter);
  if (created === "overlaps") {
    return problem(
      "conflict",
      "Another rebuild of some of these Days has not ended yet: GET /api/v1/replays shows your own.",
    );
  }
  if (created === "stale") return problem("conflict", "The rules were changed this moment: try again.");
  await driveJob(job.id, deps);
  return { ok: true, value: job };
}

/** The timelines without what a job applied to them, for a verb that takes it back; none for all others. */
export async function takenBack(
  job: ReplayJob,
  verb: ReplayVerb,
  deps: Pick<StartDeps, "db" | "meter">,
): Promise<readonly TimelineChange[]> {
  if (!hasApplied(job) || job.applied === undefined || (verb !== "undo" && verb !== "cancel")) return [];
  const versions = new Map(job.applied);
  const days = [job.fromDay, job.toDay] as const;
  const settings = await readSettingsOf(deps.db, [...versions.keys()], deps.meter);
  return settings.map(({ merchant: scope, version, rules }) => {
    return { scope, version, timeline: takeBackFromDays(rules, { version: versions.get(scope) as number, days }) };
  });
}

interface Applied {
  readonly applies: readonly TimelineChange[];
  readonly applied: readonly AppliedRules[] | undefined;
}

const NOTHING_APPLIED: Checked<Applied> = { ok: true, value: { applies: [], applied: undefined } };

/** The timelines of the merchants, or of the deployment, with the rules decided last put on the job's Days. */
async function appliedTimelines(
  { merchants, fromDay, toDay }: AskedReplay,
  deps: StartDeps,
): Promise<Checked<Applied>> {
  const applies: TimelineChange[] = [];
  const applied: AppliedRules[] = [];
  let length = 0;
  for (const settings of await readSettingsOf(deps.db, merchants ?? [GLOBAL_MERCHANT], deps.meter)) {
    const { merchant: scope, version, rules } = settings;
    const period = periodOfDays(rules, [fromDay, toDay]);
    const timeline = extendTimeline(rules, period);
    if (timeline === "full")
      return problem("conflict", "Too many changes are remembered of these rules: no more can be applied to the past.");
    applies.push({ scope, version, timeline });
    applied.push([scope, period.version]);
    length += JSON.stringify(timeline).length;
  }
  if (length > REPLAY_TIMELINES_LENGTH_MAX)
    return problem(
      "invalid_field",
      "The rules of so many merchants are too long for one job: name fewer.",
      "merchants",
    );
  return { ok: true, value: { applies, applied } };
}

interface Places {
  readonly all: readonly SealPlace[];
  /** Those of which anything lies in the archive. */
  readonly archived: readonly SealPlace[];
}

/** The (Day, partition)s of a job; undefined when they are too many. */
async function placesOf({ fromDay, toDay, merchants }: AskedReplay, deps: StartDeps): Promise<Places | undefined> {
  const placed = new Set(await findPartitions(deps));
  const named = merchants && (await readSettingsOf(deps.db, merchants, deps.meter));
  const wanted = named?.flatMap((settings) => partitionsOf(settings, deps.placement)) ?? [...placed];
  const all: SealPlace[] = [];
  const archived: SealPlace[] = [];
  for (let day = fromDay; day < toDay; day++) {
    // Folders of partitions that today's placement does not know are from an earlier one: anybody may be in them.
    const folders = new Set(await listPartitions(deps, dateOf(day)));
    const partitions = new Set([...wanted, ...[...folders].filter((name) => !placed.has(name))]);
    for (const partition of partitions) {
      all.push({ day, partition });
      if (folders.has(partition)) archived.push({ day, partition });
    }
    if (all.length > REPLAY_PARTS_MAX) return undefined;
  }
  return { all, archived };
}
