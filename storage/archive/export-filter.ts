// Which rows of an export a filter admits. A filter that looks only at events judges each row as it is read. A filter
// that looks at visits (where somebody came from, what else was done) is answered before the first row is sent. For
// that the Days are read once, with a visitor's rows together as questions read them, and the positions of the rows
// that pass are kept.

import type { ArchivedEvent } from "../../core/archive/file.ts";
import { EXPORT_VISITS_BYTES_MAX, SCAN_DAY_ROWS_MAX } from "../../core/limits.ts";
import { admitsAlone, admittedPositions } from "../../core/query/admission.ts";
import { columnsOf } from "../../core/query/attribute.ts";
import { type Budgets, outOfSteps } from "../../core/query/budget.ts";
import { comparisonsOf, type Filter, needsVisits } from "../../core/query/filter.ts";
import type { SeenUnder } from "../../core/query/seen.ts";
import { listRemovalsOf } from "../ledger/erasure.ts";
import type { ExportPlace, ExportSource } from "./archive-export.ts";
import { keyOf, readTogether } from "./merchant-events.ts";

/** Whether a row of a place is wanted. */
export type Admit = (place: ExportPlace, row: ArchivedEvent) => boolean;

export interface Filtered {
  readonly places: readonly ExportPlace[];
  readonly filter: Filter;
  /** Steps that the filter may take. */
  readonly budgets: Budgets;
  /** Its settings are the merchant's. */
  readonly under: SeenUnder;
  /** Rows of a Day that are held at once. */
  readonly rowsMax?: number;
}

/** "bytes" if a filter of visits would read more than one request can; "steps" if it takes too long. */
export async function admitterOf(source: ExportSource, asked: Filtered): Promise<Admit | "bytes" | "steps"> {
  const { filter, budgets, under } = asked;
  if (needsVisits(filter)) return admitVisits(source, asked);
  return ({ day }, row) => {
    const admits = admitsAlone(filter, row, day, under);
    if (outOfSteps(budgets) !== undefined) throw new Error("the filters of an export take too long");
    return admits;
  };
}

async function admitVisits(
  { archive, ledger }: ExportSource,
  { places, filter, budgets, under, rowsMax = SCAN_DAY_ROWS_MAX }: Filtered,
): Promise<Admit | "bytes" | "steps"> {
  if (places.reduce((sum, place) => sum + bytesOf(place), 0) > EXPORT_VISITS_BYTES_MAX) return "bytes";
  const { settings } = under;
  const removals = await listRemovalsOf(ledger, settings.merchant);
  const columns = columnsOf(comparisonsOf(filter).map(({ attribute }) => attribute));
  const read = { settings, removals, columns, together: "partition", rowsMax } as const;
  const admitted = new Map<ExportPlace, Float64Array>();
  let bytes = 0;
  for (const place of places) {
    const positions: number[] = [];
    // A Day with more rows than memory holds is read once for each group of its visitors.
    const folders = new Map(place.folders.map((folder) => [keyOf(folder), folder]));
    const recent = new Map(place.folders.map((folder) => [keyOf(folder), { ...folder, rows: folder.recent }]));
    for await (const rows of readTogether(archive, [place], { ...read, folders, recent })) {
      bytes += bytesOf(place);
      if (bytes > EXPORT_VISITS_BYTES_MAX) return "bytes";
      for (const position of admittedPositions(filter, rows, under)) positions.push(position);
      if (outOfSteps(budgets) !== undefined) return "steps";
    }
    admitted.set(place, Float64Array.from(positions).sort());
  }
  return (place, { position }) => has(admitted.get(place), position);
}

function bytesOf({ folders }: ExportPlace): number {
  return folders.reduce((sum, { cost }) => sum + cost.bytes, 0);
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
