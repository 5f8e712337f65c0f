// Starts a replay job, and finds what its undo must take back. This file decides which parts the job has, by which
// rules or zone its Days are counted, and whether it may start. Only sealed Days may be counted by rules or zones that
// differ from the present ones. A partition counts an open Day by the rules that it knew at each event. A closed Day
// that is not sealed yet will be corrected by its seal, which keeps nothing for an undo. `replays.ts` parses the
// requests.

import { firstOpenDay } from "../../core/counting/closed.ts";
import { isExpired } from "../../core/counting/erasure.ts";
import { partitionsOf } from "../../core/counting/placement.ts";
import {
  FOLDERS_APART_MAX,
  PAST_ZONES_MAX,
  REPLAY_PARTS_MAX,
  REPLAY_TIMELINES_LENGTH_MAX,
  TIMESTAMP_MIN_MS,
} from "../../core/limits.ts";
import type { PastZone, Settings } from "../../core/merchant.ts";
import {
  daysBetween,
  foldersOf,
  isMovedDay,
  planPastZone,
  shownDay,
  shownZones,
  withPastZone,
} from "../../core/past-zone.ts";
import {
  extendGoals,
  extendTimeline,
  GLOBAL_MERCHANT,
  goalsOfDays,
  periodOfDays,
  redoneOnDays,
  takeBackFromDays,
  undoneOnDays,
} from "../../core/rules.ts";
import { DAY_MS, dateOf } from "../../core/time.ts";
import { listPartitions } from "../../storage/archive/archive-day.ts";
import type { Archive } from "../../storage/archive/bucket.ts";
import { ID_RANDOM_BYTES, replayId } from "../../storage/directory/credential.ts";
import { hasApplied, isOfGoals, type ReplayJob, type ReplayVerb } from "../../storage/directory/replay-job.ts";
import type { TimelineChange } from "../../storage/directory/rules.ts";
import type { AppliedRules } from "../../storage/directory/schema.ts";
import { readSettingsOf } from "../../storage/directory/settings.ts";
import { hasTaken } from "../../storage/ledger/erasure.ts";
import { findUnsealed, type SealPlace } from "../../storage/ledger/sealed-day.ts";
import { createJob, endGoalsInTheWay } from "../../storage/replay.ts";
import { type DriveDeps, driveJob } from "../../storage/replay-drive.ts";
import type { Deps } from "./deps.ts";
import { findPartitions } from "./operations.ts";
import { type Checked, problem } from "./problem.ts";

export type StartDeps = DriveDeps & Archive & Pick<Deps, "placement">;

/** The fields of a valid request for a job. */
export type AskedReplay = Pick<
  ReplayJob,
  "kind" | "fromDay" | "toDay" | "merchants" | "rules" | "draft" | "dimensions"
> & {
  /** A time zone for past Days of the one named merchant. The dates of the job are dates of that zone. */
  readonly zone?: string | undefined;
  /** The import that no longer counts on these Days of the one named merchant. */
  readonly importNumber?: number | undefined;
};

/** Makes the job and sends its first parts to the queue. */
export async function startReplay(given: AskedReplay, deps: StartDeps): Promise<Checked<ReplayJob>> {
  const { zone, ...asked } = ofGoals(given);
  if (zone === undefined) return startJob({ ...asked, pastZone: undefined }, [], deps);
  const moved = await moveDays({ ...asked, zone }, deps);
  if (!moved.ok) return moved;
  const { settings, pastZone } = moved.value;
  const [fromDay, toDay] = pastZone.days;
  return startJob({ ...asked, fromDay, toDay, pastZone }, [settings], deps);
}

/** A backfill by the rules decided last only fills in goals. Any other change by new rules needs a rebuild. */
function ofGoals(asked: AskedReplay): AskedReplay {
  if (asked.kind !== "backfill" || asked.rules !== "current") return asked;
  return { ...asked, rules: "goals", dimensions: ["goal"] };
}

type Planned = Omit<AskedReplay, "zone"> & { readonly pastZone: PastZone | undefined };

/** Starts a job. `moved` has the settings of the merchant whose Days get another zone, if any do. */
async function startJob(asked: Planned, moved: readonly Settings[], deps: StartDeps): Promise<Checked<ReplayJob>> {
  const places = await placesOf(asked, deps);
  if (places === undefined) {
    return problem(
      "invalid_field",
      `A replay has at most ${REPLAY_PARTS_MAX} parts (Days × partitions): ask for less.`,
    );
  }
  if (asked.rules !== "dated" || asked.pastZone !== undefined) {
    const unsealed = await firstUnsealed(places.archived, deps);
    if (unsealed !== undefined) {
      const date = dateOf(unsealed.day);
      return problem(
        "conflict",
        `Rules and zones are applied to sealed Days, and imports undone on them, and ${date} is not sealed yet: try again later.`,
        "to",
      );
    }
  }
  const changesTimelines = asked.rules === "current" || asked.rules === "without_import" || isOfGoals(asked);
  const isApplied = asked.kind !== "verify" && changesTimelines;
  const timelines = isApplied ? await appliedTimelines(asked, deps) : NOTHING_APPLIED;
  if (!timelines.ok) return timelines;
  const { applied } = timelines.value;
  const { pastZone } = asked;
  const zoned = pastZone === undefined || asked.kind === "verify" ? [] : moved.map((one) => withZone(one, pastZone));
  const applies = [...timelines.value.applies, ...zoned];
  const job: ReplayJob = {
    ...asked,
    id: replayId(deps.random(ID_RANDOM_BYTES)),
    state: "running",
    createdAt: deps.now(),
    finishedAt: null,
    applied,
  };
  const parts = places.all.map((place) => ({ job: job.id, ...place }));
  if (job.kind !== "verify") await endGoalsInTheWay(deps, job);
  const created = await createJob(deps, { job, parts, applies });
  if (created === "overlaps") {
    return problem(
      "conflict",
      "Another rebuild of some of these Days has not ended yet: GET /api/v1/replays shows your own.",
    );
  }
  if (created === "erasing")
    return problem("conflict", "Some of these Days are being erased: try again when that has ended.");
  if (created === "stale") return problem("conflict", "The settings were changed this moment: try again.");
  await driveJob(job.id, deps);
  return { ok: true, value: job };
}

/** The first Day that is not sealed in some ledger. */
async function firstUnsealed(
  places: readonly SealPlace[],
  { ledgers }: Pick<StartDeps, "ledgers">,
): Promise<SealPlace | undefined> {
  const unsealed: SealPlace[] = [];
  for (const [ledger, own] of Map.groupBy(places, ({ partition }) => ledgers.of(partition))) {
    const first = await findUnsealed(ledger, own);
    if (first !== undefined) unsealed.push(first);
  }
  return unsealed.sort((a, b) => a.day - b.day)[0];
}

function withZone(
  { merchant: scope, version, rules: timeline, past = [] }: Settings,
  pastZone: PastZone,
): TimelineChange {
  return { scope, version, timeline, past: [...past, pastZone] };
}

/** The Days that a zone for the past changes, or why it may not change them. */
async function moveDays(
  { zone, merchants = [], fromDay, toDay }: Omit<AskedReplay, "zone"> & { readonly zone: string },
  deps: StartDeps,
): Promise<Checked<{ readonly settings: Settings; readonly pastZone: PastZone }>> {
  const [settings] = await readSettingsOf(deps.directory, merchants);
  if (settings === undefined || merchants.length !== 1)
    return problem("invalid_field", 'A zone is for the Days of one merchant: name it in "merchants".', "merchants");
  if (fromDay * DAY_MS < TIMESTAMP_MIN_MS)
    return problem("invalid_field", `There are no events before ${dateOf(TIMESTAMP_MIN_MS / DAY_MS)}.`, "from");
  const pastZone = planPastZone(settings, { zone, days: [fromDay, toDay] });
  if (pastZone === undefined) return problem("invalid_field", `These Days are in ${zone} already.`, "time_zone");
  if ((settings.past ?? []).length >= PAST_ZONES_MAX)
    return problem("conflict", `At most ${PAST_ZONES_MAX} zones of the past stand at once: undo one.`, "time_zone");
  const closed = firstOpenDay(deps.now(), deps.pace.sealAfterMs);
  // The last Day gives Hours to the next Day, or takes some from it. So the next Day is counted again as well.
  const folders = daysBetween(settings.zones, [pastZone.from, pastZone.to]);
  const last = Math.max(pastZone.days[1], folders[1]) - 1;
  if (last >= closed) {
    const until = dateOf(toDay - 1 - (last - closed + 1));
    return problem(
      "conflict",
      `A zone is put on closed Days only, with the Day after: ask for Days until ${until}.`,
      "to",
    );
  }
  const cut = splitDay(withPastZone(settings, pastZone));
  if (cut !== undefined && pastZone.days[0] <= cut && cut < pastZone.days[1]) {
    const why = `On ${dateOf(cut)} of that zone the merchant was placed on other partitions, which know nothing of each other's visitors`;
    return problem("conflict", `${why}: ask for the Days before it and for those after it.`, "time_zone");
  }
  const [first] = foldersOf(withPastZone(settings, pastZone), pastZone.days[0]);
  const isGone =
    isExpired(settings, first, Math.floor(deps.now() / DAY_MS)) ||
    (await hasTaken(deps.ledgers.ofMerchant(settings.merchant), {
      merchant: settings.merchant,
      days: [first, last + 1],
    }));
  if (isGone) {
    const why =
      "Events of some of these Days, or of a Day beside them, are gone: the merchant's retention has ended for them, or the bucket was lost";
    return problem("conflict", `${why}: such Days keep their zone. Ask for later Days.`, "from");
  }
  return { ok: true, value: { settings, pastZone } };
}

/**
 * The last moved Day within which the number of the merchant's partitions changed. Such a change takes effect at a
 * midnight, but the new zone moves that midnight into the middle of a Day.
 */
function splitDay(settings: Settings): number | undefined {
  const shown = shownZones(settings);
  const days = (settings.spread ?? []).map(({ from }) => [shownDay(shown, from - 1), shownDay(shown, from)] as const);
  return days.findLast(([before, day]) => before === day && isMovedDay(settings, day))?.[1];
}

/** The timelines without what a job applied to them, for a verb that undoes the job. Empty for all other verbs. */
export async function takenBack(
  job: ReplayJob,
  verb: ReplayVerb,
  deps: Pick<StartDeps, "directory">,
): Promise<readonly TimelineChange[]> {
  if (!hasApplied(job) || (verb !== "undo" && verb !== "cancel")) return [];
  if (job.pastZone !== undefined) return zoneTakenBack(job, job.pastZone, deps);
  if (job.applied === undefined) return [];
  const versions = new Map(job.applied);
  const days = [job.fromDay, job.toDay] as const;
  const settings = await readSettingsOf(deps.directory, [...versions.keys()]);
  return settings.map(({ merchant: scope, version, rules, past = [] }) => {
    const { importNumber } = job;
    const timeline =
      importNumber === undefined
        ? takeBackFromDays(rules, { version: versions.get(scope) as number, days })
        : redoneOnDays(rules, { importNumber, days });
    return { scope, version, past, timeline };
  });
}

async function zoneTakenBack(
  { merchants = [] }: ReplayJob,
  pastZone: PastZone,
  deps: Pick<StartDeps, "directory">,
): Promise<readonly TimelineChange[]> {
  const settings = await readSettingsOf(deps.directory, merchants);
  return settings.flatMap(({ merchant: scope, version, rules: timeline, past = [] }) => {
    const at = past.findLastIndex((one) => JSON.stringify(one) === JSON.stringify(pastZone));
    return at < 0 ? [] : [{ scope, version, timeline, past: past.filter((_, index) => index !== at) }];
  });
}

interface Applied {
  readonly applies: readonly TimelineChange[];
  readonly applied: readonly AppliedRules[] | undefined;
}

const NOTHING_APPLIED: Checked<Applied> = { ok: true, value: { applies: [], applied: undefined } };

/**
 * The timelines of the merchants, or of the deployment, after a change by which the rules decided last hold on the
 * job's Days.
 */
async function appliedTimelines(
  { merchants, fromDay, toDay, rules: asked, importNumber }: Planned,
  deps: StartDeps,
): Promise<Checked<Applied>> {
  const applies: TimelineChange[] = [];
  const applied: AppliedRules[] = [];
  let length = 0;
  for (const settings of await readSettingsOf(deps.directory, merchants ?? [GLOBAL_MERCHANT])) {
    const { merchant: scope, version, rules, past = [] } = settings;
    const days = [fromDay, toDay] as const;
    const isGoals = isOfGoals({ rules: asked });
    const period = isGoals
      ? goalsOfDays(rules, days)
      : importNumber !== undefined
        ? undoneOnDays(rules, { importNumber, days })
        : ({ ...periodOfDays(rules, days), counting: true } as const);
    const timeline = isGoals ? extendGoals(rules, period) : extendTimeline(rules, period);
    if (timeline === "full")
      return problem("conflict", "Too many changes are remembered of these rules: no more can be applied to the past.");
    applies.push({ scope, version, timeline, past });
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
  /** The (Day, partition)s that have any event in the archive. */
  readonly archived: readonly SealPlace[];
}

/**
 * The (Day, partition)s of a job. Undefined when there are too many. Events of a Day that has moved, or that the job
 * moves, may be in the folders of Days near it.
 */
async function placesOf(
  { fromDay, toDay, merchants, pastZone }: Planned,
  deps: StartDeps,
): Promise<Places | undefined> {
  const placed = new Set(await findPartitions(deps));
  const named = merchants && (await readSettingsOf(deps.directory, merchants));
  const wanted = named?.flatMap((settings) => partitionsOf(settings, deps.placement)) ?? [...placed];
  const all: SealPlace[] = [];
  const archived: SealPlace[] = [];
  const folders = new Map<number, readonly string[]>();
  const nearby = pastZone === undefined ? 0 : FOLDERS_APART_MAX;
  for (let day = fromDay - FOLDERS_APART_MAX; day < toDay + FOLDERS_APART_MAX; day++) {
    const partitions = await listPartitions(deps, dateOf(day));
    folders.set(day, partitions);
    if (day < fromDay - nearby || day >= toDay + nearby) continue;
    // A Day near the moved Days is included only if it is closed.
    if (nearby > 0 && day >= firstOpenDay(deps.now(), deps.pace.sealAfterMs)) continue;
    archived.push(...partitions.map((partition) => ({ day, partition })));
  }
  for (let day = fromDay; day < toDay; day++) {
    const near = Array.from({ length: 2 * FOLDERS_APART_MAX + 1 }, (_, at) => day - FOLDERS_APART_MAX + at);
    // A folder of a partition that today's placement does not know is from an earlier placement. It may have any
    // merchant's events.
    const unknown = near.flatMap((one) => folders.get(one) ?? []).filter((name) => !placed.has(name));
    const partitions = new Set([...wanted, ...unknown]);
    for (const partition of partitions) all.push({ day, partition });
    if (all.length > REPLAY_PARTS_MAX) return undefined;
  }
  const parts = new Set(all.map(({ partition }) => partition));
  return { all, archived: archived.filter(({ partition }) => parts.has(partition)) };
}
