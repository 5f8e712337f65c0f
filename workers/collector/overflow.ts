// Sends events that no partition takes now to one of several overflow queues. All events that overflow from an isolate
// in one moment become one message. A note in D1 says since when the message waits, so that no answer claims to be
// complete beyond that instant (`meta.as_of`). The note is written before the message is sent. If D1 is too slow, the
// message is sent without a note, since no hit is refused for lack of one. If the queue's consumer then fails to
// deliver the message, it writes the note. This file does not use the platform, so the simulation runs it as it is.

import { hash32 } from "../../core/hash.ts";
import {
  OVERFLOW_GATHER_MS,
  OVERFLOW_GATHER_PARTS_MAX,
  OVERFLOW_NOTE_MS,
  OVERFLOW_NOTE_PAUSE_MS,
  OVERFLOW_PART_EVENTS_MAX,
  OVERFLOW_PATIENCE_MS,
} from "../../core/limits.ts";
import type { Log } from "../../core/log.ts";
import { assert, causeOf } from "../../core/outcome.ts";
import { halve, joinParts, noteOf, type Overflow, type OverflowNote, type OverflowPart } from "../../core/overflow.ts";
import { type Clock, Gatherer, LATE, type Moment } from "./gather.ts";

const QUEUE_SEED = 0x51f2c9a7;

const MOMENT: Moment = {
  waitMs: OVERFLOW_GATHER_MS,
  itemsMax: OVERFLOW_GATHER_PARTS_MAX,
  patienceMs: OVERFLOW_PATIENCE_MS,
};

export interface OverflowRoad {
  readonly note: (note: OverflowNote) => Promise<void>;
  /** Deletes a note. */
  readonly settle: (note: OverflowNote) => Promise<void>;
  /** Packs the message. Undefined where it would be too large. */
  readonly pack: (overflow: Overflow) => Uint8Array | undefined;
  /** The queues, at least one. Each takes a message, or throws. */
  readonly queues: readonly ((message: Uint8Array) => Promise<void>)[];
  /** Makes the id of a new message. */
  readonly newId: () => string;
  readonly wait: (ms: number) => Promise<unknown>;
  /** The time now, UTC ms. */
  readonly now: () => number;
  /** Lets work continue after the answer was sent. */
  readonly later: (work: Promise<void>) => void;
  readonly log: Log;
}

/** Sends what overflows from one isolate. */
export class OverflowGate {
  readonly #messages: Gatherer<OverflowPart, void>;
  /** Until this instant (UTC ms) no notes are written, because D1 was too slow. */
  #silentUntil = 0;

  constructor(clock?: Clock) {
    this.#messages = new Gatherer(MOMENT, clock);
  }

  /** Resolves once the events are durable in a queue. Throws if no queue takes them. */
  async send(part: OverflowPart, road: OverflowRoad): Promise<void> {
    if (part.arrivals.length > OVERFLOW_PART_EVENTS_MAX) return this.#sendParts([part], road);
    const call = (_: string, parts: readonly OverflowPart[]) => this.#sendParts(joinParts(parts), road);
    const { reply } = this.#messages.share("", [part], { call, later: road.later });
    if ((await reply) === LATE) await this.#sendParts([part], road);
  }

  /** Sends one message, or two halves if one message would be too large for a queue. */
  async #sendParts(parts: readonly OverflowPart[], road: OverflowRoad): Promise<void> {
    const overflow = { id: road.newId(), parts };
    const message = road.pack(overflow);
    if (message !== undefined) return this.#sendNoted(overflow, message, road);
    const halves = halve(parts);
    assert(halves !== undefined, "a single event fits into a message");
    for (const half of halves) await this.#sendParts(half, road);
  }

  async #sendNoted(overflow: Overflow, message: Uint8Array, road: OverflowRoad): Promise<void> {
    const note = noteOf(overflow, road.now());
    await this.#noteInTime(note, road);
    try {
      await sendToOne(overflow.id, message, road);
    } catch (error) {
      // No queue has the message, so nothing waits to be delivered. The note is deleted, whether it is written or still
      // on its way to D1.
      road.later(road.settle(note).catch((cause: unknown) => logUnnoted(road, cause)));
      throw error;
    }
  }

  async #noteInTime(note: OverflowNote, road: OverflowRoad): Promise<void> {
    if (road.now() < this.#silentUntil) return;
    let problem: unknown;
    const noted = road.note(note).then(
      () => true,
      (error: unknown) => {
        problem = error;
        return false;
      },
    );
    if (await Promise.race([noted, road.wait(OVERFLOW_NOTE_MS).then(() => false)])) return;
    this.#silentUntil = road.now() + OVERFLOW_NOTE_PAUSE_MS;
    road.later(noted.then(() => undefined)); // the note may still be written, and is useful while the message waits
    logUnnoted(road, problem ?? new Error("D1 is slow"));
  }
}

/**
 * Sends to the queue that the id names. If that fails it sends to the next one, since a full queue is no reason to
 * refuse a hit. If the first queue took the message but could not say so, the message is delivered twice, and its
 * events count once.
 */
async function sendToOne(id: string, message: Uint8Array, { queues, log }: OverflowRoad): Promise<void> {
  const first = hash32(id, QUEUE_SEED) % queues.length;
  for (const [attempt, at] of [first, (first + 1) % queues.length].entries()) {
    try {
      await queues[at]?.(message);
      return;
    } catch (error) {
      if (attempt === 1 || queues.length === 1) throw error;
      log({ event: "overflow_queue_failed", queue: `overflow-${at}`, error: causeOf(error) });
    }
  }
}

function logUnnoted({ log }: OverflowRoad, error: unknown): void {
  log({ event: "overflow_unnoted", error: causeOf(error) });
}
