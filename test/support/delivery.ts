// Queue deliveries and an R2 bucket as tests see them: a message that remembers how it ended, a bucket that is a map.

import type { LogEntry } from "../../core/log.ts";
import type { QueueBatch, QueueMessage } from "../../queues/message.ts";

/** A message with its end: "open" until the consumer acknowledged or retried it. */
export interface Delivery extends QueueMessage {
  readonly end: () => "open" | "acknowledged" | { readonly retriedAfterSeconds: number };
}

export function deliver(id: string, body: unknown, attempts = 1): Delivery {
  let end: ReturnType<Delivery["end"]> = "open";
  const finish = (how: typeof end) => {
    if (end !== "open") throw new Error(`message ${id} ended twice`);
    end = how;
  };
  return {
    id,
    body,
    attempts,
    ack: () => finish("acknowledged"),
    retry: ({ delaySeconds }) => finish({ retriedAfterSeconds: delaySeconds }),
    end: () => end,
  };
}

export function batchOf(queue: string, ...messages: readonly QueueMessage[]): QueueBatch {
  return { queue, messages };
}

export interface StoredObject {
  readonly bytes: Uint8Array;
  readonly customMetadata: Readonly<Record<string, string>>;
}

/** A bucket in memory. `failing` decides, put by put, whether one throws; its effect stays out then. */
export function memoryBucket(failing: (key: string) => boolean = () => false) {
  const objects = new Map<string, StoredObject>();
  return {
    objects,
    async put(key: string, bytes: Uint8Array, options?: { readonly customMetadata?: Record<string, string> }) {
      if (failing(key)) throw new Error("R2 is unavailable");
      objects.set(key, { bytes, customMetadata: options?.customMetadata ?? {} });
    },
    async list({ prefix, limit, cursor = "" }: { prefix: string; limit: number; cursor?: string }) {
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > cursor).sort();
      const page = keys.slice(0, limit).map((key) => {
        const { bytes, customMetadata } = objects.get(key) as StoredObject;
        return { key, size: bytes.length, customMetadata };
      });
      const last = page.at(-1)?.key;
      const truncated = keys.length > limit;
      return truncated && last !== undefined
        ? { objects: page, truncated, cursor: last }
        : { objects: page, truncated };
    },
  };
}

/** A log that keeps its lines. */
export function memoryLog(): { readonly lines: LogEntry[]; readonly log: (line: LogEntry) => void } {
  const lines: LogEntry[] = [];
  return { lines, log: (line) => lines.push(line) };
}
