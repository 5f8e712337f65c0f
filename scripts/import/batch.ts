// Events gathered into request bodies that the collector takes: bounded in number and in bytes. The last place of every
// batch travels with it, so that settling the batch settles its lines, skipped ones included.

import type { Place } from "./resume.ts";
import type { ImportedEvent } from "./row.ts";

export const BATCH_EVENTS_MAX = 1_000;
/** Below the collector's bound on a body by as much as the envelope and a careless estimate could need. */
export const BATCH_BYTES_MAX = 500_000;

/** One event with the number of its line, and what the line says (cut). */
export interface NumberedEvent {
  readonly line: number;
  readonly text: string;
  readonly event: ImportedEvent;
}

export interface Batch {
  readonly events: readonly NumberedEvent[];
  /** Where the file stands after it. */
  readonly end: Place;
}

/** Collects events; `add` answers the batch that was full before. */
export class Batcher {
  #events: NumberedEvent[] = [];
  #bytes = 0;

  /** `before` is the place just before the event's line, where a full batch ends. */
  add(event: NumberedEvent, before: Place): Batch | undefined {
    const bytes = Buffer.byteLength(JSON.stringify(event.event)) + 1;
    const full = this.#events.length >= BATCH_EVENTS_MAX || this.#bytes + bytes > BATCH_BYTES_MAX;
    const batch = full ? this.take(before) : undefined;
    this.#events.push(event);
    this.#bytes += bytes;
    return batch;
  }

  /** What is left, however little. */
  take(end: Place): Batch | undefined {
    const events = this.#events;
    this.#events = [];
    this.#bytes = 0;
    return events.length === 0 ? undefined : { events, end };
  }
}
