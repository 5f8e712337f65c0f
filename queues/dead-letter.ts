// The consumer of the dead-letter queues. It stores whole in R2 what the archive's or the overflow's consumer could not
// handle in all its attempts, and raises the alert. redrive.ts handles it again. A bundle's partition keeps its events
// as well and sends them again. An overflowed event exists nowhere else. A dead letter is named by its content, so a
// bundle that dies once an hour is stored once.

import { deadLetterKey } from "../core/archive/object-key.ts";
import type { Log } from "../core/log.ts";
import type { Metered } from "../core/meter.ts";
import { bytesOf } from "../storage/archive/bundle-message.ts";
import { handleEach, type QueueBatch, type QueueMessage } from "./message.ts";

/** A dead-letter queue has the name of the queue whose letters it takes, and this. */
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

/** A second run writes the same body under the same key, with newer metadata. */
async function storeDeadLetter(message: QueueMessage, queue: string, deps: DeadLetterDeps): Promise<void> {
  const { bytes, encoding } = letterOf(message.body);
  const key = deadLetterKey({ queue, digest: await sha256Hex(bytes) });
  await deps.bucket.put(key, bytes, {
    customMetadata: { queue, message: message.id, encoding, stored_at: new Date(deps.now()).toISOString() },
  });
  deps.log({ event: "dead_letter", queue, message: message.id, key, bytes: bytes.byteLength });
}

/** A body as bytes. A body that is not bytes becomes its JSON. */
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
