// A partition is brought back from what stands outside of it (storage/partition-recovery.ts reads that and drives
// this). It begins anew above every position that anybody knows, counts the events of its open Days as the archive has
// them, each id once, and takes up again what its own log has and the archive has not. Until the end it takes nothing
// and tells nobody anything. Whatever it dies of, the recovery begins anew and comes to the same: what was counted is
// forgotten first, and the part of the log that is nowhere else is copied before it goes.

import { decodeLogged, encodeLogged, type LoggedEvent, type LoggedRow } from "../core/archive/bundle.ts";
import { firstOpenDay } from "../core/counting/closed.ts";
import { countErased, heldBytes } from "../core/counting/day.ts";
import type {
  MissedRows,
  RecoveredRow,
  RecoveryBegin,
  RecoveryBegun,
  RecoveryEnd,
  RecoveryEnded,
  RecoveryRows,
  Superseded,
} from "../core/counting/recovered.ts";
import { opine } from "../core/enrichment/opinion.ts";
import type { Event } from "../core/event.ts";
import { ALL_MERCHANTS } from "../core/limits.ts";
import { assert } from "../core/outcome.ts";
import { GLOBAL_MERCHANT } from "../core/rules.ts";
import { scheduleAlarm } from "./alarm.ts";
import { noteChange } from "./change.ts";
import { checkpoint, writePositions } from "./checkpoint.ts";
import { whyNotOwn } from "./claim.ts";
import { commitPending, groupCommit, orReset } from "./commit.ts";
import { takeLate } from "./late.ts";
import { markAllDays } from "./republish.ts";
import { isClosed } from "./seal.ts";
import { ensureSettings } from "./settings.ts";
import { countInto, dayToChange, findDay, type Partition, ruledMoment, rulesFor, unarchivedFrom } from "./state.ts";
import { FIRST_POSITION } from "./store.ts";

/** Forgets everything but the log that may lie nowhere else. */
export function beginRecovery(
  partition: Partition,
  { partition: name, first: known, events }: RecoveryBegin,
): RecoveryBegun {
  const { deps } = partition;
  commitPending(partition);
  const first = Math.max(known, partition.next);
  return orReset(partition, () => {
    const log = { first: unarchivedFrom(partition), end: partition.next };
    Object.assign(partition, {
      name,
      named: true,
      claim: deps.newClaim(),
      standing: "recovering",
      next: first,
      checkpointed: first,
      bundled: first,
      bundles: [],
      unbundledBytes: 0,
      unbundledSince: undefined,
      skipped: first - FIRST_POSITION - events,
      recoveredFrom: first,
      missed: false,
      openFrom: Math.max(partition.openFrom, firstOpenDay(deps.now(), deps.timing.sealAfterMs)),
      heldBytes: 0,
      recalled: [],
      late: undefined,
      loadedAtCheckpoint: 0,
      checkpointedAt: deps.now(),
    } satisfies Partial<Partition>);
    for (const one of [partition.shelves, partition.layers, partition.stored, partition.erased, partition.lateNoted])
      one.clear();
    deps.store.transaction(() => {
      deps.store.keepLog(log);
      deps.store.clear();
      writePositions(partition, {});
    });
    noteChange(partition, [ALL_MERCHANTS]);
    return { first, openFrom: partition.openFrom, claim: partition.claim };
  });
}

/** Counts some events of the archive. What was counted already is passed over. */
export async function countRecovered(
  partition: Partition,
  { first, rows: text }: RecoveryRows,
): Promise<"counted" | Superseded> {
  const rows = JSON.parse(text) as readonly RecoveredRow[];
  const events = rows.map(({ row }) => decodeLogged(row));
  const unread = await ensureSettings(
    partition,
    new Set([GLOBAL_MERCHANT, ...events.map(({ event }) => event.merchant)]),
  );
  assert(unread.size === 0, "the directory says what the settings of all merchants are");
  if (!isUnderWay(partition, first)) return "superseded";
  return orReset(partition, () => {
    for (const [index, logged] of events.entries()) {
      const { day } = logged;
      const { position, erased } = rows[index] as RecoveredRow;
      const event = recalled(partition, logged);
      const settings = partition.settings.get(logged.event.merchant)?.settings;
      if (settings === undefined || event === undefined) continue; // its merchant has ended, or it is counted
      const opinion = opine(event, rulesFor(partition, settings, ruledMoment(event, day)));
      const counted = { event, opinion, settings, position };
      if (erased === undefined) countInto(partition, day, counted);
      else {
        const state = dayToChange(partition, counted, day);
        const before = heldBytes(state);
        countErased(state, counted, erased === "all");
        partition.heldBytes += heldBytes(state) - before;
      }
    }
    checkpoint(partition);
    return "counted";
  });
}

/** Takes up what its log has and the archive has not, and opens. All that it has counts as not published. */
export function endRecovery(partition: Partition, { first, removals }: RecoveryEnd): RecoveryEnded | Superseded {
  if (!isUnderWay(partition, first)) return "superseded";
  return orReset(partition, () => {
    const { store } = partition.deps;
    let kept = 0;
    for (const row of store.readKept()) if (takeUp(partition, decodeLogged(row), removals)) kept += 1;
    commitPending(partition);
    partition.standing = "own";
    partition.isChecked = true;
    markAllDays(partition); // and writes the positions, with them that it is whole
    store.dropKept();
    scheduleAlarm(partition);
    return { kept, next: partition.next };
  });
}

/**
 * Takes the events of closed Days of a bundle that the storage of before has cut, and that came into the archive after
 * the recovery has begun. Positions go on above it, so the sealed files of such a Day may pass for having it, and it is
 * deleted with what they stand for. Under new positions they are late events like any other: the Day is counted again,
 * each id once. So it does not matter whether the seal had the bundle, nor that the queue delivers it twice.
 */
export async function takeMissed(partition: Partition, { rows, removals }: MissedRows): Promise<void> {
  const events = (JSON.parse(rows) as readonly LoggedRow[]).map(decodeLogged);
  const closed = events.filter(({ day }) => isClosed(partition, day));
  if (closed.length === 0) return;
  const merchants = new Set([GLOBAL_MERCHANT, ...closed.map(({ event }) => event.merchant)]);
  const unread = await ensureSettings(partition, merchants);
  assert(unread.size === 0, "the directory says what the settings of all merchants are");
  // While it is recovered it takes nothing; then the queue brings the bundle once more.
  if (partition.standing !== "own") throw new Error(whyNotOwn(partition));
  orReset(partition, () => {
    for (const logged of closed) takeUp(partition, logged, removals);
  });
  await groupCommit(partition);
}

/** Logs an event again, under a new position; false where the archive has it, or an erasure means it. */
function takeUp(partition: Partition, logged: LoggedEvent, removals: RecoveryEnd["removals"]): boolean {
  const { day } = logged;
  const settings = partition.settings.get(logged.event.merchant)?.settings;
  const isLate = logged.late || isClosed(partition, day);
  const event = isLate ? logged.event : recalled(partition, logged);
  if (settings === undefined || event === undefined) return false;
  if (removals.some((removal) => isMeant(removal, { day, event }))) return false;
  const position = partition.next;
  if (isLate) takeLate(partition, { merchant: event.merchant, day, position });
  else {
    const opinion = opine(event, rulesFor(partition, settings, ruledMoment(event, day)));
    countInto(partition, day, { event, opinion, settings, position });
  }
  partition.next += 1;
  const row = JSON.stringify(encodeLogged({ day, late: isLate, event }));
  partition.pending.push(row);
  partition.pendingBytes += row.length;
  return true;
}

function isMeant(
  { merchant, visitor, fromDay, toDay, createdAt }: RecoveryEnd["removals"][number],
  { day, event }: Pick<LoggedEvent, "day" | "event">,
): boolean {
  const isTheirs = merchant === event.merchant && (visitor === "" || visitor === event.visitor);
  return isTheirs && day >= fromDay && day < toDay && event.receivedAt <= createdAt;
}

/** An event as its Day recalls it (DUP-1, DUP-2). Undefined where it is counted; dropped where it is another story. */
function recalled(partition: Partition, { day, event }: Pick<LoggedEvent, "day" | "event">): Event | undefined {
  const verdict = findDay(partition, event.merchant, day)?.ids.recall(event) ?? "new";
  if (verdict === "same") return undefined;
  return verdict === "other" ? { ...event, dropped: "duplicate" } : event;
}

function isUnderWay({ standing, recoveredFrom }: Partition, first: number): boolean {
  return standing === "recovering" && recoveredFrom === first;
}
