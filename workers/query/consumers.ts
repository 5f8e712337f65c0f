// What handles the messages of each queue, by the queue's name in wrangler.toml: fresh batches, and single bodies that come
// back out of the dead letters. Both lists name the same code for the same queue.

import { lateWaits } from "../../core/counting/late-turn.ts";
import { encodeArrivals } from "../../core/overflow.ts";
import { type ArchiveDeps, archive, archiveBody } from "../../queues/archive.ts";
import { storeDeadLetters } from "../../queues/dead-letter.ts";
import type { QueueBatch } from "../../queues/message.ts";
import { deliverBody, deliverOverflow, type OverflowDeps } from "../../queues/overflow.ts";
import { answerParts, type QuestionDeps } from "../../queues/question.ts";
import { type ReplayDeps, replayBody, replayParts } from "../../queues/replay.ts";
import { type SealDeps, sealDays } from "../../queues/seal.ts";
import type { ArchiveBucket } from "../../storage/archive/bucket.ts";
import { noteOverflow, settleOverflow } from "../../storage/ledger/overflow-note.ts";
import { type ArchivedBundle, countUncounted, noteArchived } from "../../storage/ledger/places.ts";
import { unpackOverflow } from "../../storage/overflow-message.ts";
import type { Deps } from "./deps.ts";

type Consumer = (batch: QueueBatch, deps: Deps) => Promise<void>;

export const CONSUMERS: Readonly<Record<string, Consumer>> = {
  "footfall-archive": (batch, deps) => archive(batch, archiveDeps(deps)),
  "footfall-archive-dead-letter": storeDeadLetters,
  "footfall-overflow": (batch, deps) => deliverOverflow(batch, overflowDeps(deps)),
  "footfall-overflow-dead-letter": storeDeadLetters,
  "footfall-replay": (batch, deps) => replayParts(batch, replayDeps(deps)),
  "footfall-replay-dead-letter": storeDeadLetters,
  "footfall-question": (batch, deps) => answerParts(batch, questionDeps(deps)),
  "footfall-seal": (batch, deps) => sealDays(batch, sealDeps(deps)),
};

/** What handles a dead letter of each queue again. */
export function letterHandlers(deps: Deps): Readonly<Record<string, (body: unknown) => Promise<void>>> {
  return {
    "footfall-archive": (body) => archiveBody(body, archiveDeps(deps)),
    "footfall-overflow": (body) => deliverBody(body, overflowDeps(deps)),
    "footfall-replay": (body) => replayBody(body, replayDeps(deps)),
  };
}

export function replayDeps(deps: Deps): ReplayDeps {
  return { ...deps, bucket: archiveBucketOf(deps.bucket) };
}

export function sealDeps(deps: Deps): SealDeps {
  return { ...deps, bucket: archiveBucketOf(deps.bucket) };
}

export function questionDeps(deps: Deps): QuestionDeps {
  return { ...deps, bucket: archiveBucketOf(deps.bucket) };
}

/** R2's own shape says more than the archive needs, in unions that structural types cannot follow. */
export function archiveBucketOf(bucket: R2Bucket): ArchiveBucket {
  return {
    get: (key, options) => bucket.get(key, options),
    put: (key, value) => bucket.put(key, value),
    delete: (keys) => bucket.delete(keys),
    list: async (options) => {
      const page = await bucket.list(options);
      const { objects, delimitedPrefixes } = page;
      return page.truncated
        ? { objects, delimitedPrefixes, truncated: true, cursor: page.cursor }
        : { objects, delimitedPrefixes, truncated: false };
    },
  };
}

function archiveDeps(deps: Deps): ArchiveDeps {
  return {
    ...deps,
    confirm: (name, first) => deps.partition(name).confirm(first),
    note: (bundle) => noteBundle(bundle, deps),
  };
}

/** A recount of Days with late events is set going after a while, so that many of them cost one; a merchant's many Days in turn, so
 *  that those of its neighbours do not wait for them. */
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

function overflowDeps(deps: Deps): OverflowDeps {
  return {
    ...deps,
    append: (partition, arrivals) =>
      deps.partition(partition).append({ partition, arrivals: encodeArrivals(arrivals) }),
    note: (note) => noteOverflow(deps.ledgers, note),
    settle: (note) => settleOverflow(deps.ledgers, { ...note, now: deps.now() }),
    unpack: (bytes) => unpackOverflow(bytes, deps.sealSecrets),
  };
}
