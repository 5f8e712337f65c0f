// What one Parquet object of the archive holds: the events of one bundle that belong to one Day, in the archive's
// order. A bundle becomes one file for each Day that it has events of. `columns.ts` says which columns a row has;
// `storage/archive/parquet.ts` writes the file.

import type { Event } from "../event.ts";
import { assert } from "../outcome.ts";
import { dateOf } from "../time.ts";
import type { Bundle } from "./bundle.ts";
import type { ObjectName } from "./object-key.ts";

/** An event with its position in the log that it was counted from. */
export interface ArchivedEvent {
  readonly partition: string;
  /** Position in the partition's log: with the partition, unique in the whole archive. */
  readonly position: number;
  readonly event: Event;
}

/** One object: its name, which is also written inside it, and its rows. */
export interface ArchiveFile extends ObjectName {
  readonly rows: readonly ArchivedEvent[];
}

/** The files a bundle becomes, by date; none for an empty bundle. The same bundle always gives the same files. */
export function filesOf({ partition, first, events }: Bundle): readonly ArchiveFile[] {
  const days = new Map<number, ArchivedEvent[]>();
  events.forEach(({ day, event }, index) => {
    assert(Number.isInteger(day), "a Day is the number of a date");
    const rows = days.get(day);
    const row = { partition, position: first + index, event };
    if (rows === undefined) days.set(day, [row]);
    else rows.push(row);
  });
  return [...days]
    .sort(([a], [b]) => a - b)
    .map(([day, rows]) => ({ date: dateOf(day), partition, first, rows: rows.sort(compareArchived) }));
}

/**
 * The archive's order: by merchant, so that one merchant's rows are one range; then by time; then by position in the
 * log.
 */
export function compareArchived(a: ArchivedEvent, b: ArchivedEvent): number {
  return a.event.merchant - b.event.merchant || a.event.timestamp - b.event.timestamp || a.position - b.position;
}
