// The second caller of the counting rules (L3): from archived events to rollup rows, as the partition that counted them
// would publish them now. Opinions are formed again from the facts under the rules that hold for them; nothing derived
// is copied. The caller reads the archive, as much at a time as its memory allows. It decides what to do with the rows:
// compare, write or show them.

import type { ArchivedEvent } from "../archive/file.ts";
import { opine } from "../enrichment/opinion.ts";
import type { Event } from "../event.ts";
import type { Settings } from "../merchant.ts";
import { countedBy, shownDay } from "../past-zone.ts";
import { GLOBAL_MERCHANT, type RuleTimeline, rulesInForce } from "../rules.ts";
import { countEvent, type DayState, emptyDay, namesOf, WHOLE_DAY } from "./day.ts";
import { ALL_DIMENSIONS } from "./rollup.ts";
import { type RollupRow, toRollupRow } from "./rollup-row.ts";
import { settledVisits, type VisitsByVisitor } from "./settled.ts";
import type { Visit } from "./visit.ts";

/**
 * Settings by merchant number; undefined leaves a merchant's events out. Those of GLOBAL_MERCHANT are the deployment's.
 */
export type SettingsOf = (merchant: number) => Settings | undefined;

/** What archived events of a merchant are counted by. */
export interface ReplayedUnder {
  readonly settings: Settings;
  /** The deployment's own rules. */
  readonly global: RuleTimeline;
}

/** One merchant's Day in one partition while its events come in. */
export interface ReplayedDay {
  readonly state: DayState;
  readonly partition: string;
}

/**
 * Counts one archived event under the rules that hold for it. Returns the event as it is to be kept, or undefined where
 * it repeats one that was counted. Of two rows with one id the first counts: when they came, that was the one with the
 * lower position. A row that has the id of another and tells another story is kept as a duplicate (DUP-2). That holds
 * as well for one that came after its Day was closed, when nobody compared them.
 */
export function replayEvent(
  { state }: ReplayedDay,
  row: ArchivedEvent,
  { settings, global }: ReplayedUnder,
): ArchivedEvent | undefined {
  const { position, event } = row;
  const known = state.ids.recall(event);
  if (known === "same") return undefined;
  const moment = { instant: event.timestamp, day: state.day, importNumber: event.importNumber };
  const opinion = opine(event, rulesInForce({ own: settings.rules, global }, moment));
  // An event that was a duplicate when it came stays one, also where the first of that id lies on the Day beside this
  // one.
  const isDuplicate = known === "other" || event.dropped === "duplicate";
  const judged: Event = { ...event, dropped: isDuplicate ? "duplicate" : opinion.dropped };
  countEvent(state, { event: judged, opinion, settings, position });
  return isDuplicate && event.dropped !== "duplicate" ? { ...row, event: judged } : row;
}

/** The rollups of one merchant's Day: a row per Hour with anything in it, and one for the Day. */
export function replayedRows({ state, partition }: ReplayedDay): readonly RollupRow[] {
  const names = namesOf(state);
  const all = settledVisits(state, names);
  const visits = visitsBySlot(all);
  return [...state.changed].map(([slot, version]) => {
    const visitors = slot === WHOLE_DAY ? all : (visits.get(slot) ?? []);
    return toRollupRow(state, { slot, partition, version, dimensions: ALL_DIMENSIONS, visitors, names });
  });
}

/**
 * The visits of each Hour, found in one pass: looking for each Hour by itself would go through all visitors 24 times.
 */
function visitsBySlot(visitors: VisitsByVisitor): ReadonlyMap<number, VisitsByVisitor> {
  const bySlot = new Map<number, [string, readonly Visit[]][]>();
  for (const [visitor, visits] of visitors) {
    for (const visit of visits) {
      for (const slot of visit.slots) {
        const found = bySlot.get(slot) ?? [];
        if (found.length === 0) bySlot.set(slot, found);
        // A visitor with two visits in one Hour is listed once.
        if (found.at(-1)?.[0] !== visitor) found.push([visitor, visits]);
      }
    }
  }
  return bySlot;
}

/** The rollups of events that are all at hand, in any order: one row per merchant, bucket and partition. */
export function replay(events: Iterable<ArchivedEvent>, settingsOf: SettingsOf): readonly RollupRow[] {
  const global = settingsOf(GLOBAL_MERCHANT)?.rules ?? [];
  const days = new Map<string, ReplayedDay>();
  for (const archived of [...events].sort((a, b) => a.position - b.position)) {
    const { event, partition } = archived;
    const known = settingsOf(event.merchant);
    if (known === undefined) continue;
    const settings = countedBy(known);
    const day = shownDay(settings.zones, event.timestamp);
    const key = `${partition} ${event.merchant} ${day}`;
    const found = days.get(key) ?? { state: emptyDay(event.merchant, day), partition };
    days.set(key, found);
    replayEvent(found, archived, { settings, global });
  }
  return [...days.values()].flatMap(replayedRows);
}
