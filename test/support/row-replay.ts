// A merchant's Day counted again row by row, as replays did before they read columns (core/counting/replay.ts): each
// event is judged and counted by itself. What the columns give must be equal to it, to the byte.

import type { ArchivedEvent } from "../../core/archive/file.ts";
import { countEvent } from "../../core/counting/day.ts";
import type { ReplayedDay, ReplayedUnder } from "../../core/counting/replay.ts";
import { opine } from "../../core/enrichment/opinion.ts";
import type { Event } from "../../core/event.ts";
import { rulesInForce } from "../../core/rules.ts";

/** Counts one event. Returns it as it is to be kept; undefined where it repeats one that was counted. */
export function replayRow(
  { state }: ReplayedDay,
  row: ArchivedEvent,
  { settings, global }: ReplayedUnder,
): ArchivedEvent | undefined {
  const { position, event } = row;
  const known = state.ids.recall(event);
  if (known === "same") return undefined;
  const moment = { instant: event.timestamp, day: state.day, importNumber: event.importNumber };
  const opinion = opine(event, rulesInForce({ own: settings.rules, global }, moment));
  const isDuplicate = known === "other" || event.dropped === "duplicate";
  const judged: Event = { ...event, dropped: isDuplicate ? "duplicate" : opinion.dropped };
  countEvent(state, { event: judged, opinion, settings, position });
  return isDuplicate && event.dropped !== "duplicate" ? { ...row, event: judged } : row;
}
