// Which events a filter admits, for callers that want the events themselves (exports) and not numbers made of them. A
// filter means what it means in a question (filter.ts, seen.ts): it looks at events that are counted, by the rules of
// their Day.

import type { ArchivedEvent } from "../archive/file.ts";
import type { DayRows } from "./count.ts";
import { type Filter, passes } from "./filter.ts";
import { type SeenUnder, seeAlone, seeVisits } from "./seen.ts";

/** Whether a filter that looks at no visit (needsVisits) admits an event. */
export function admitsAlone(filter: Filter, { event }: ArchivedEvent, day: number, under: SeenUnder): boolean {
  const seen = seeAlone(event, day, under);
  return seen !== undefined && passes(filter, seen);
}

/** Positions of the rows that a filter admits, where visitors' rows of a Day and partition come together. */
export function admittedPositions(
  filter: Filter,
  { day, partitions, isCounted }: DayRows,
  under: SeenUnder,
): readonly number[] {
  return partitions.flatMap((rows) =>
    [...seeVisits({ rows, day, isCounted }, under)].flatMap(({ events }) =>
      events.filter((seen) => passes(filter, seen)).map(({ row }) => rows.positions[row] as number),
    ),
  );
}
