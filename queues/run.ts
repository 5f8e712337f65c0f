// Sorts the bundles of an open Day into runs, so that a question of one merchant reads only that merchant's rows
// (core/archive/runs.ts). The archive's consumer asks for it now and then. To do it again is harmless, even at the same
// time, because a run depends only on its bundles. Where it dies or was never asked for, questions read bundles.

import type { Bundle } from "../core/archive/bundle.ts";
import { parseBundleKey, runKey } from "../core/archive/object-key.ts";
import { coverOf, mergedSpan, nextRun } from "../core/archive/runs.ts";
import { firstOpenDay } from "../core/counting/closed.ts";
import { hash32 } from "../core/hash.ts";
import { RUN_FAN, RUN_READ_BYTES, RUN_TURN_MS } from "../core/limits.ts";
import { dateOf } from "../core/time.ts";
import { findDay, sourceOfBundles } from "../storage/archive/archive-day.ts";
import { mergeSources } from "../storage/archive/archive-merge.ts";
import { listRuns, openRun, writeRun } from "../storage/archive/archive-run.ts";
import type { Archive } from "../storage/archive/bucket.ts";
import type { SealPlace } from "../storage/ledger/sealed-day.ts";

export interface RunDeps extends Archive {
  /** UTC ms. */
  readonly now: () => number;
  /** How long after its midnight in UTC a Day is closed. */
  readonly pace: { readonly sealAfterMs: number };
}

const SEED = 0x72756e73;

/** The Days to sort after a bundle was archived: its open Days for one bundle of four, else none. */
export function daysToSort(
  { partition, first, events }: Pick<Bundle, "partition" | "first"> & { readonly events: readonly { day: number }[] },
  openFrom: number,
): readonly SealPlace[] {
  if (hash32(`${partition} ${first}`, SEED) % RUN_FAN !== 0) return [];
  const days = new Set(events.map(({ day }) => day));
  return [...days].filter((day) => day >= openFrom).map((day) => ({ day, partition }));
}

/** Makes the runs that an open Day lacks, for a while. The rest is made when somebody asks again. */
export async function makeRuns({ day, partition }: SealPlace, deps: RunDeps): Promise<void> {
  if (day < firstOpenDay(deps.now(), deps.pace.sealAfterMs)) return; // the seal sorts it, and deletes runs
  const place = { date: dateOf(day), partition };
  const { bundles } = await findDay(deps, place, "");
  const byFirst = new Map(bundles.map((bundle) => [parseBundleKey(bundle.key)?.first as number, bundle]));
  let runs = await listRuns(deps, place);
  const startedAt = deps.now();
  while (deps.now() - startedAt <= RUN_TURN_MS) {
    const pieces = nextRun(coverOf([...byFirst.keys()], runs));
    if (pieces === undefined) return;
    const sources = pieces.map((piece) => {
      const bundle = byFirst.get(piece.first);
      return piece.count === 1 && bundle !== undefined
        ? sourceOfBundles(deps, [bundle])
        : openRun(
            deps,
            { key: runKey(place, piece), partition },
            { after: 0, isWanted: () => true, bytesMax: RUN_READ_BYTES },
          );
    });
    const run = mergedSpan(pieces);
    await writeRun(deps, runKey(place, run), mergeSources(await Promise.all(sources)));
    runs = [...runs, run];
  }
}
