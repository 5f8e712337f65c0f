// The backfill of goals that starts by itself. Questions about a goal are answered from events for every Day that was
// counted before the goal was made; this counts such Days again, so that rollups answer. It changes no number of any
// answer: there is nothing to undo. One of a merchant at most is under way, and goes by the goals that are decided when
// it starts: what changes meanwhile is the matter of the next one, which starts when this one ends (replay-drive.ts).
// Open Days follow when they are sealed.

import { firstOpenDay } from "../core/counting/closed.ts";
import { FOLDERS_APART_MAX, GOALS_RETRY_MS, REPLAY_DAYS_MAX, REPLAY_PARTS_MAX } from "../core/limits.ts";
import type { Settings } from "../core/merchant.ts";
import { isMovedDay, shownZones } from "../core/past-zone.ts";
import { rangeOfDays } from "../core/query/range.ts";
import { extendGoals, goalsDecided, goalsOfDays, knowsGoals, RULE_TIMELINE_ROOM } from "../core/rules.ts";
import { DAY_MS } from "../core/time.ts";
import { ID_RANDOM_BYTES, replayId } from "./directory/credential.ts";
import { findGoalsJob, type ReplayJob } from "./directory/replay-job.ts";
import { readSettings } from "./directory/settings.ts";
import { listTakenDays } from "./ledger/erasure.ts";
import { listPlacesOf, readFirstDay } from "./ledger/rollups.ts";
import { listSealedOf, type SealPlace } from "./ledger/sealed-day.ts";
import { createJob, type JobStorage } from "./replay.ts";

export interface GoalsDeps extends JobStorage {
  /** UTC ms. */
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
  readonly pace: { readonly sealAfterMs: number };
}

/**
 * Makes the next job of a merchant's goals; its parts are to be sent (driveJob). Undefined where none is needed, or may
 * be made now.
 * `goesOn`: one was cancelled because another job was in its way, and that has ended.
 */
export async function startGoalsBackfill(
  merchant: number,
  deps: GoalsDeps,
  { goesOn = false } = {},
): Promise<string | undefined> {
  const settings = await readSettings(deps.directory, merchant);
  if (settings === undefined || goalsDecided(settings.rules).length === 0) return undefined;
  const last = await findGoalsJob(deps.directory, merchant);
  if (last?.state === "running" || last?.state === "paused") return undefined;
  const next = await nextDays(settings, goesOn && last?.state === "cancelled" ? undefined : last, deps);
  if (next === undefined) return undefined;
  const { days, places } = next;
  const period = goalsOfDays(settings.rules, days);
  const timeline = extendGoals(settings.rules, period);
  // What starts by itself must not take the room that the merchant's own changes need.
  if (timeline === "full" || JSON.stringify(timeline).length > RULE_TIMELINE_ROOM) return undefined;
  const job: ReplayJob = {
    id: replayId(deps.random(ID_RANDOM_BYTES)),
    kind: "backfill",
    state: "running",
    fromDay: days[0],
    toDay: days[1],
    merchants: [merchant],
    createdAt: deps.now(),
    finishedAt: null,
    rules: "goals_due",
    draft: undefined,
    applied: [[merchant, period.version]],
    dimensions: ["goal"],
  };
  const { version, past = [] } = settings;
  const parts = places.map((place) => ({ job: job.id, ...place }));
  const applies = [{ scope: merchant, version, timeline, past }];
  // "overlaps", "stale": somebody else is at work on these Days, and ends with another look.
  return (await createJob(deps, { job, parts, applies })) === "created" ? job.id : undefined;
}

interface NextDays {
  readonly days: readonly [from: number, to: number];
  readonly places: readonly SealPlace[];
}

/** The latest Days in a row that were counted before their goals, are sealed, and have all their events. */
async function nextDays(
  settings: Settings,
  last: ReplayJob | undefined,
  deps: GoalsDeps,
): Promise<NextDays | undefined> {
  const { merchant, retentionDays } = settings;
  const ledger = deps.ledgers.ofMerchant(merchant);
  const first = await readFirstDay(ledger, merchant);
  const kept = retentionDays === undefined ? 0 : Math.floor(deps.now() / DAY_MS) - retentionDays + FOLDERS_APART_MAX;
  const from = Math.max(first ?? Number.POSITIVE_INFINITY, kept);
  const to = firstOpenDay(deps.now(), deps.pace.sealAfterMs);
  if (from >= to || !hasUncounted(settings, from, to)) return undefined;
  const places = Map.groupBy(await listPlacesOf(ledger, { merchant, from, to }), ({ day }) => day);
  const sealed = await listSealedOf(ledger, { places: [...places.values()].flat(), from, to });
  const taken = new Set(await listTakenDays(ledger, { merchant, days: [from, to] }));
  const isReady = (day: number) =>
    !isCounted(settings, day) &&
    !taken.has(day) &&
    !isMovedDay(settings, day) &&
    (places.get(day) ?? []).every(({ partition }) => sealed.has(`${day} ${partition}`));
  let end = to;
  while (end > from && !(isReady(end - 1) && places.has(end - 1))) end -= 1;
  let start = end;
  let count = 0;
  while (start > from && end - start < REPLAY_DAYS_MAX && isReady(start - 1)) {
    count += places.get(start - 1)?.length ?? 0;
    if (count > REPLAY_PARTS_MAX) break;
    start -= 1;
  }
  if (start >= end || isTriedJustNow(settings, { last, start, end }, deps.now())) return undefined;
  return { days: [start, end], places: [...places].flatMap(([day, own]) => (day >= start && day < end ? own : [])) };
}

function hasUncounted(settings: Settings, from: number, to: number): boolean {
  for (let day = from; day < to; day++) if (!isCounted(settings, day)) return true;
  return false;
}

function isCounted(settings: Settings, day: number): boolean {
  const { fromInstant, toInstant } = rangeOfDays(shownZones(settings), { from: day, to: day + 1 });
  return knowsGoals(settings.rules, goalsDecided(settings.rules), { day, from: fromInstant, to: toInstant });
}

/**
 * A job that ended with parts that failed, or was cancelled, left its Days as they were: the same goals are tried again
 * later.
 */
function isTriedJustNow(
  { rules }: Settings,
  { last, start, end }: { readonly last: ReplayJob | undefined; readonly start: number; readonly end: number },
  now: number,
): boolean {
  if (last === undefined || last.createdAt <= now - GOALS_RETRY_MS) return false;
  if (last.fromDay >= end || last.toDay <= start) return false;
  const period = rules.findLast((one) => "goals" in one && one.days[0] === last.fromDay && one.days[1] === last.toDay);
  const isSame =
    period !== undefined && "goals" in period && JSON.stringify(period.goals) === JSON.stringify(goalsDecided(rules));
  return isSame && period.counting === true;
}
