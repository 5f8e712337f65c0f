// The second caller of the counting rules (L3): from archived events to rollup rows, as the partition that counted them
// would publish them now. Opinions are formed again from the facts under today's rules; nothing derived is copied. The
// caller reads the archive and decides what to do with the rows: compare them, write them, show them.

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

/**
 * The rollups of archived events, one row per merchant, bucket and partition. Events may come in any order and more than
 * once; an id counts once per merchant and Day. Whole Days of a partition have to be given, or the Day's rows lack them.
 */
export function replay(events: Iterable<ArchivedEvent>, settingsOf: SettingsOf): readonly RollupRow[] {
  const days = new Map<string, { readonly state: DayState; readonly partition: string }>();
  for (const { partition, position, event } of events) {
    const settings = settingsOf(event.merchant);
    if (settings === undefined) continue;
    const day = dayAt(zoneAt(settings.zones, event.timestamp), event.timestamp);
    const key = `${partition} ${event.merchant} ${day}`;
    const found = days.get(key) ?? { state: emptyDay(event.merchant, day), partition };
    days.set(key, found);
    if (found.state.ids.has(event.id)) continue;
    const opinion = opine(event, settings.rules);
    const judged = { ...event, dropped: opinion.dropped };
    countEvent(found.state, { event: judged, opinion, settings, position });
  }
  return [...days.values()].flatMap(({ state, partition }) =>
    [...state.changed].map(([slot, version]) =>
      toRollupRow(state, { slot, partition, version, dimensions: ALL_DIMENSIONS }),
    ),
  );
}
