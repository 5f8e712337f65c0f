// What every consumer sees of its queue, and how it says that a message failed. The shapes are the smallest part of the
// platform's own that the consumers use, so that a simulation can deliver messages as well. What a message means is for
// the file that carries its queue's name.

import { RETRY_MAX_MS, RETRY_MIN_MS } from "../core/limits.ts";

/** A delivery: `retry` and `ack` are the only two ways it may end. */
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

/** One line of the log, for operators and alerts. */
export type LogLine = Readonly<Record<string, string | number>>;
export type Log = (line: LogLine) => void;

/** How long a failed message waits: twice as long after every delivery, up to five minutes. */
export function retryDelaySeconds(attempts: number): number {
  const doublings = Math.min(Math.max(attempts, 1) - 1, 30);
  return Math.ceil(Math.min(RETRY_MIN_MS * 2 ** doublings, RETRY_MAX_MS) / 1000);
}

/** What went wrong, short: a parser's message may quote what it was given, and a log is no place for a visitor's data. */
export function reasonOf(error: unknown): string {
  if (error instanceof SyntaxError) return "SyntaxError: not JSON";
  return String(error).slice(0, 200);
}
