// What single consumers use beside what all of them use (deps.ts): where archived bundles, overflowed arrivals and dead
// letters go, and who is told about them.

import { type Bundle, encodeLogged } from "../../core/archive/bundle.ts";
import { lateWaits } from "../../core/counting/late-turn.ts";
import { encodeArrivals } from "../../core/overflow.ts";
import type { ArchiveDeps } from "../../queues/archive.ts";
import type { DeadLetterDeps } from "../../queues/dead-letter.ts";
import type { OverflowDeps } from "../../queues/overflow.ts";
import type { LetterBucket } from "../../queues/redrive.ts";
import { encodeParquet } from "../../storage/archive/parquet.ts";
import { noteOverflow, settleOverflow } from "../../storage/ledger/overflow-note.ts";
import { listErased } from "../../storage/ledger/partition-claim.ts";
import { type ArchivedBundle, countUncounted, noteArchived } from "../../storage/ledger/places.ts";
import { unpackOverflow } from "../../storage/overflow-message.ts";
import type { Deps } from "./deps.ts";

export function archiveDeps(deps: Deps): ArchiveDeps {
  return {
    ...deps,
    encode: encodeParquet,
    confirm: (name, first) => deps.partition(name).confirm(first),
    takeMissed: (name, events) => takeMissed(name, events, deps),
    note: (bundle) => noteBundle(bundle, deps),
  };
}

/** Hands the events of a missed bundle to their partition, with what it must leave out (RCV-18). */
async function takeMissed(name: string, events: Bundle["events"], deps: Deps): Promise<void> {
  const merchants = [...new Set(events.map(({ event }) => event.merchant))];
  const removals = await listErased(deps.ledgers.of(name), merchants);
  await deps.partition(name).takeMissed({ rows: JSON.stringify(events.map(encodeLogged)), removals });
}

/**
 * Days with late events are counted again after a while, so that many late events cost one recount. The Days of one
 * merchant are counted in turn, so that Days of its neighbours do not wait for them.
 */
async function noteBundle(bundle: ArchivedBundle, deps: Deps): Promise<void> {
  const { lateCoalesceMs } = deps.pace;
  const ledger = deps.ledgers.of(bundle.partition);
  const waiting = await countUncounted(ledger, bundle);
  const waits = lateWaits(bundle.uncounted, (merchant) => waiting.get(merchant) ?? 0);
  const noted = { bundle, now: deps.now(), coalesceMs: lateCoalesceMs, waits };
  const woken = await noteArchived(ledger, noted);
  for (const [seconds, own] of Map.groupBy(woken, ({ day }) => waits.get(day) ?? 0))
    await deps.sendSeals(own, Math.ceil(lateCoalesceMs / 1_000) + seconds);
}

export function overflowDeps(deps: Deps): OverflowDeps {
  return {
    ...deps,
    append: (partition, arrivals) =>
      deps.partition(partition).append({ partition, arrivals: encodeArrivals(arrivals) }),
    note: (note) => noteOverflow(deps.ledgers, note),
    settle: (note) => settleOverflow(deps.ledgers, { ...note, now: deps.now() }),
    unpack: (bytes) => unpackOverflow(bytes, deps.sealSecrets),
  };
}

/** Dead letters have two things that the archive's own objects do not have: where they came from, and when. */
export function letterDeps(deps: Deps): DeadLetterDeps & { readonly bucket: LetterBucket } {
  return { ...deps, bucket: deps.objects };
}
