// The second caller of the counting rules (L3): from archived events to rollup rows, as the partition that counted them
// would publish them now. Opinions are formed again from the facts under today's rules; nothing derived is copied. The
// caller reads the archive, as much at a time as its memory allows, and decides what to do with the rows: compare them,
// write them, show them.

import type { ArchivedEvent } from "../archive/file.ts";
import { opine } from "../enrichment/opinion.ts";
import type { Settings } from "../merchant.ts";
import { zoneAt } from "../merchant.ts";
import { dayAt } from "../time.ts";
import { countEvent, type DayState, emptyDay } from "./day.ts";
import { ALL_DIMENSIONS } from "./rollup.ts";
import { type RollupRow, toRollupRow } from "./rollup-row.ts";

/** Settings by merchant number; undefined leaves a merchant's events out. */
export type SettingsOf = (merchant: number) => Settings | undefined;

/** One merchant's Day in one partition while its events come in. */
interface ReplayedDay {
  readonly state: DayState;
  readonly partition: string;
}

/** Days being replayed, by partition, merchant and Day. */
export type Replayed = Map<string, ReplayedDay>;

/**
 * Counts archived events. They may come in any order and more than once; an id counts once per merchant and Day. Whole Days
 * of a partition have to be given before `replayedRows`, or the Day's rows lack them.
 */
export function replayInto(replayed: Replayed, events: Iterable<ArchivedEvent>, settingsOf: SettingsOf): void {
  for (const { partition, position, event } of events) {
    const settings = settingsOf(event.merchant);
    if (settings === undefined) continue;
    const day = dayAt(zoneAt(settings.zones, event.timestamp), event.timestamp);
    const key = `${partition} ${event.merchant} ${day}`;
    const found = replayed.get(key) ?? { state: emptyDay(event.merchant, day), partition };
    replayed.set(key, found);
    if (found.state.ids.has(event.id)) continue;
    const opinion = opine(event, settings.rules);
    const judged = { ...event, dropped: opinion.dropped };
    countEvent(found.state, { event: judged, opinion, settings, position });
  }
}

/** The rollups of one merchant's Day: a row per Hour with anything in it, and one for the Day. */
export function replayedRows({ state, partition }: ReplayedDay): readonly RollupRow[] {
  return [...state.changed].map(([slot, version]) =>
    toRollupRow(state, { slot, partition, version, dimensions: ALL_DIMENSIONS }),
  );
}

/** The rollups of events that are all at hand: one row per merchant, bucket and partition. */
export function replay(events: Iterable<ArchivedEvent>, settingsOf: SettingsOf): readonly RollupRow[] {
  const replayed: Replayed = new Map();
  replayInto(replayed, events, settingsOf);
  return [...replayed.values()].flatMap(replayedRows);
}
