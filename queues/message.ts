// What every consumer sees of its queue, and how it reports a failed message. The shapes are the smallest part of the
// platform's own that the consumers use, so the simulation can deliver messages as well. The file with a queue's name
// says what its messages mean.

import { RETRY_MAX_MS, RETRY_MIN_MS } from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import { type Metered, queueOperations } from "../core/meter.ts";
import { causeOf } from "../core/outcome.ts";
import { bytesOf } from "../storage/archive/bundle-message.ts";

/** A delivery. It ends with `retry` or with `ack`. */
export interface QueueMessage {
  readonly id: string;
  readonly body: unknown;
  /** Deliveries so far, this one included. */
  readonly attempts: number;
  ack(): void;
  retry(options: { readonly delaySeconds: number }): void;
}

export interface QueueBatch {
  readonly queue: string;
  readonly messages: readonly QueueMessage[];
}

/** How long a failed message waits: twice as long after every delivery, up to five minutes. */
export function retryDelaySeconds(attempts: number): number {
  const doublings = Math.min(Math.max(attempts, 1) - 1, 30);
  return Math.ceil(Math.min(RETRY_MIN_MS * 2 ** doublings, RETRY_MAX_MS) / 1000);
}

/** What went wrong, in short. A parser's message may quote its input, and a visitor's data does not belong in a log. */
export function reasonOf(error: unknown): string {
  if (error instanceof SyntaxError) return "SyntaxError: not JSON";
  return causeOf(error);
}

export interface Handling {
  /** Throws when the message is not done. Running it again must be harmless, whatever it left behind. */
  readonly handle: (message: QueueMessage) => Promise<void>;
  /** How long a failed message waits. By default it waits longer each time. */
  readonly delaySeconds?: (message: QueueMessage) => number;
  readonly meter: Metered;
  readonly log: Log;
}

/**
 * Handles the messages of a batch one after the other, so that memory holds one. It never throws. A message is
 * acknowledged, or retried until the queue makes it a dead letter. It never takes its neighbours with it.
 */
export async function handleEach(batch: QueueBatch, handling: Handling): Promise<void> {
  const { handle, meter, log, delaySeconds = ({ attempts }) => retryDelaySeconds(attempts) } = handling;
  for (const message of batch.messages) {
    const operations = queueOperations(bytesOf(message.body)?.byteLength ?? 0);
    meter.queue_operations += operations; // the read; every delivery is one
    try {
      await handle(message);
      message.ack();
      meter.queue_operations += operations; // the delete
    } catch (error) {
      const delay = delaySeconds(message);
      const { id, attempts } = message;
      const { queue } = batch;
      log({ event: "message_failed", queue, message: id, attempts, retry_in_seconds: delay, error: reasonOf(error) });
      message.retry({ delaySeconds: delay });
    }
  }
}
