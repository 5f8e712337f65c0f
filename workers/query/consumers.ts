// What handles the messages of each queue, by the queue's name in wrangler.toml: fresh batches, and single bodies that come
// back out of the dead letters. Both lists name the same code for the same queue.

import { type ArchiveDeps, archive, archiveBody } from "../../queues/archive.ts";
import { storeDeadLetters } from "../../queues/dead-letter.ts";
import type { QueueBatch } from "../../queues/message.ts";
import { deliverBody, deliverOverflow, type OverflowDeps } from "../../queues/overflow.ts";
import { type ReplayDeps, replayBody, replayParts } from "../../queues/replay.ts";
import type { DayBucket } from "../../storage/archive-day.ts";
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
  return { ...deps, bucket: dayBucketOf(deps.bucket) };
}

/** R2's own shape says more than a replay needs, in unions that structural types cannot follow. */
function dayBucketOf(bucket: R2Bucket): DayBucket {
  return {
    get: (key) => bucket.get(key),
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
  return { ...deps, confirm: (name, first) => deps.partition(name).confirm(first) };
}

function overflowDeps(deps: Deps): OverflowDeps {
  return {
    ...deps,
    append: (partition, arrivals) => deps.partition(partition).append({ partition, arrivals }),
    unpack: (bytes) => unpackOverflow(bytes, deps.sealSecrets),
  };
}
