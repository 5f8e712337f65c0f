// What handles the messages of each queue, by the queue's name in wrangler.toml: fresh batches, and single bodies that come
// back out of the dead letters. Both lists name the same code for the same queue.

import { type ArchiveDeps, archive, archiveBody } from "../../queues/archive.ts";
import { storeDeadLetters } from "../../queues/dead-letter.ts";
import type { QueueBatch } from "../../queues/message.ts";
import { deliverBody, deliverOverflow, type OverflowDeps } from "../../queues/overflow.ts";
import { unpackOverflow } from "../../storage/overflow-message.ts";
import type { Deps } from "./deps.ts";

type Consumer = (batch: QueueBatch, deps: Deps) => Promise<void>;

export const CONSUMERS: Readonly<Record<string, Consumer>> = {
  "footfall-archive": (batch, deps) => archive(batch, archiveDeps(deps)),
  "footfall-archive-dead-letter": storeDeadLetters,
  "footfall-overflow": (batch, deps) => deliverOverflow(batch, overflowDeps(deps)),
  "footfall-overflow-dead-letter": storeDeadLetters,
};

/** What handles a dead letter of each queue again. */
export function letterHandlers(deps: Deps): Readonly<Record<string, (body: unknown) => Promise<void>>> {
  return {
    "footfall-archive": (body) => archiveBody(body, archiveDeps(deps)),
    "footfall-overflow": (body) => deliverBody(body, overflowDeps(deps)),
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
