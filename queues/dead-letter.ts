// The consumer of the dead-letter queues: what the archive or the overflow consumer could not handle in all its
// attempts is kept whole in R2 and raises the alert; redrive.ts takes it from there. A bundle's partition keeps its
// events as well and sends them again; an overflowed event is nowhere else. Dead letters are named by their content, so
// a bundle that dies once an hour takes one place, not one an hour.

import { deadLetterKey } from "../core/archive/object-key.ts";
import type { Log } from "../core/log.ts";
import type { Metered } from "../core/meter.ts";
import { bytesOf } from "../storage/archive/bundle-message.ts";
import { handleEach, type QueueBatch, type QueueMessage } from "./message.ts";

/** A dead-letter queue is named after the queue whose letters it takes. */
const QUEUE_SUFFIX = /-dead-letter$/;

/** The part of an R2 bucket that keeps dead letters. */
export interface DeadLetterBucket {
  put(
    key: string,
    value: Uint8Array<ArrayBuffer>,
    options: { readonly customMetadata: Record<string, string> },
  ): Promise<unknown>;
}

export interface DeadLetterDeps {
  readonly bucket: DeadLetterBucket;
  /** UTC ms. */
  readonly now: () => number;
  readonly meter: Metered;
  readonly log: Log;
}

/** Stores a batch of dead letters. */
export async function storeDeadLetters(batch: QueueBatch, deps: DeadLetterDeps): Promise<void> {
  const queue = batch.queue.replace(QUEUE_SUFFIX, "");
  const handle = (message: QueueMessage) => storeDeadLetter(message, queue, deps);
  await handleEach(batch, { ...deps, handle });
}

/** A second run writes the same body under the same key, and newer metadata. */
async function storeDeadLetter(message: QueueMessage, queue: string, deps: DeadLetterDeps): Promise<void> {
  const { bytes, encoding } = letterOf(message.body);
  const key = deadLetterKey({ queue, digest: await sha256Hex(bytes) });
  await deps.bucket.put(key, bytes, {
    customMetadata: { queue, message: message.id, encoding, stored_at: new Date(deps.now()).toISOString() },
  });
  deps.log({ event: "dead_letter", queue, message: message.id, key, bytes: bytes.byteLength });
}

/** A body as bytes: as they are, or, where somebody sent something else, what JSON makes of it. */
function letterOf(body: unknown): { readonly bytes: Uint8Array<ArrayBuffer>; readonly encoding: "bytes" | "json" } {
  const bytes = bytesOf(body);
  if (bytes !== undefined) return { bytes: bytes.slice(), encoding: "bytes" };
  const text = JSON.stringify(body) ?? "null";
  return { bytes: new Uint8Array(new TextEncoder().encode(text)), encoding: "json" };
}

async function sha256Hex(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
