// Which rows of an export a filter admits. A filter of events alone is asked row by row, while they are read. One that looks at visits
// (where somebody came from, what else was done) is answered before the first row is sent: the Days are read once for it, with a
// visitor's rows together as questions read them, and what is kept are the positions of the rows that pass.

import type { ArchivedEvent } from "../core/archive/file.ts";
import { EXPORT_REGEX_STEPS_MAX, EXPORT_VISITS_BYTES_MAX } from "../core/limits.ts";
import { admitsAlone, admittedPositions } from "../core/query/admission.ts";
import { columnsOf } from "../core/query/attribute.ts";
import { comparisonsOf, type Filter, needsVisits, stepsOf } from "../core/query/filter.ts";
import type { SeenUnder } from "../core/query/seen.ts";
import type { ExportSource } from "./archive-export.ts";
import type { ScanPlace } from "./archive-scan.ts";
import { listRemovalsOf } from "./erasure.ts";
import { readTogether } from "./merchant-events.ts";

/** Whether a row of a place is wanted. */
export type Admit = (place: ScanPlace, row: ArchivedEvent) => boolean;

export interface Filtered {
  readonly merchant: number;
  readonly places: readonly ScanPlace[];
  readonly filter: Filter;
  readonly under: SeenUnder;
}

/** "bytes" where a filter of visits would have to read more than one request can; "regex" where its expressions take too long. */
export async function admitterOf(source: ExportSource, asked: Filtered): Promise<Admit | "bytes" | "regex"> {
  const { filter, under } = asked;
  if (needsVisits(filter)) return admitVisits(source, asked);
  return ({ day }, row) => {
    const admits = admitsAlone(filter, row, day, under);
    if (stepsOf(filter) > EXPORT_REGEX_STEPS_MAX) throw new Error("the regular expressions of an export take too long");
    return admits;
  };
}

async function admitVisits(
  { archive, db, meter }: ExportSource,
  { merchant, places, filter, under }: Filtered,
): Promise<Admit | "bytes" | "regex"> {
  if (places.reduce((sum, { cost }) => sum + cost.bytes, 0) > EXPORT_VISITS_BYTES_MAX) return "bytes";
  const removals = await listRemovalsOf(db, merchant, meter);
  const columns = columnsOf(comparisonsOf(filter).map(({ attribute }) => attribute));
  const read = { merchant, recent: new Map(), removals, columns, together: "partition" } as const;
  const admitted = new Map<ScanPlace, Float64Array>();
  let bytes = 0;
  for (const place of places) {
    const positions: number[] = [];
    // A Day of more rows than memory holds is read once for each part of its visitors.
    for await (const rows of readTogether(archive, [place], read)) {
      bytes += place.cost.bytes;
      if (bytes > EXPORT_VISITS_BYTES_MAX) return "bytes";
      for (const position of admittedPositions(filter, rows, under)) positions.push(position);
      if (stepsOf(filter) > EXPORT_REGEX_STEPS_MAX) return "regex";
    }
    admitted.set(place, Float64Array.from(positions).sort());
  }
  return (place, { position }) => has(admitted.get(place), position);
}

function has(sorted: Float64Array | undefined, wanted: number): boolean {
  let [low, high] = [0, sorted?.length ?? 0];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted?.[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return sorted?.[low] === wanted;
}
