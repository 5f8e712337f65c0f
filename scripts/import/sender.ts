// Batches on their way to the collector: a few at a time, at a pace it takes, and in the order of the file wherever the
// order counts. As each is settled, the place to go on from moves with it (resume.ts).

import { setTimeout as sleep } from "node:timers/promises";
import { firstOpenDay } from "../../core/counting/closed.ts";
import { DAY_MS } from "../../core/time.ts";
import type { Batch } from "./batch.ts";
import { EVENTS_PER_SECOND, Pace } from "./pace.ts";
import type { Settlement } from "./resume.ts";
import { type Destination, sendEvents } from "./send.ts";
import { Tally } from "./tally.ts";

const REQUESTS_MAX = 4;
const SAVE_EVERY_MS = 500;
/** The collector's clock has gone on between two requests that must not come at one instant. */
const ARRIVAL_APART_MS = 2;
/** A service that stays away is spoken of again after this. */
const TROUBLE_EVERY_MS = 30_000;

export interface SenderOptions {
  readonly destination: Destination;
  /** Events a second; without it as many as a partition takes (pace.ts). */
  readonly eventsPerSecond?: number | undefined;
  readonly say: (text: string) => void;
}

/** A batch on its way, and whose instants are in it. */
interface Flight {
  readonly instants: ReadonlySet<string>;
  readonly done: Promise<void>;
}

/**
 * Keeps a few requests in flight; a failure of one surfaces at the next call. Events of one visitor and one instant are
 * told apart by when they came and by their place in the request, so a batch that shares such an instant with one in
 * flight waits for its answer: the order of the file is the order of arrival.
 */
export class Sender {
  readonly tally = new Tally();
  readonly #flying = new Set<Flight>();
  readonly #destination: Destination;
  readonly #settlement: Settlement;
  readonly #save: () => Promise<void>;
  readonly #say: (text: string) => void;
  readonly #pace: Pace;
  #savedAt = 0;
  #troubleSaidAt = Number.NEGATIVE_INFINITY;

  constructor(options: SenderOptions, settlement: Settlement, save: () => Promise<void>) {
    this.#destination = options.destination;
    this.#pace = new Pace(options.eventsPerSecond ?? EVENTS_PER_SECOND);
    this.#settlement = settlement;
    this.#save = save;
    this.#say = options.say;
  }

  async send(batch: Batch): Promise<void> {
    const instants = instantsOf(batch);
    const before = [...this.#flying].filter((flight) => shares(flight.instants, instants));
    await Promise.all(before.map(({ done }) => done));
    if (before.length > 0) await sleep(ARRIVAL_APART_MS);
    while (this.#flying.size >= REQUESTS_MAX) await Promise.race([...this.#flying].map(({ done }) => done));
    await this.#pace.wait(batch.events.length);
    const settle = this.#settlement.open(batch.end);
    const flight: Flight = {
      instants,
      done: this.#deliver(batch, settle).then(() => void this.#flying.delete(flight)),
    };
    flight.done.catch(() => undefined); // it stays in the set, where the next race or `finish` throws it
    this.#flying.add(flight);
    if (Date.now() - this.#savedAt < SAVE_EVERY_MS) return;
    this.#savedAt = Date.now();
    await this.#save();
  }

  async finish(): Promise<void> {
    await Promise.all([...this.#flying].map(({ done }) => done));
  }

  async #deliver({ events }: Batch, settle: () => void): Promise<void> {
    if (events.length > 0) {
      const answer = await sendEvents(
        this.#destination,
        events.map(({ event }) => event),
        (trouble) => this.#sayTrouble(trouble),
      );
      this.tally.answer(answer, events);
      for (const { event } of events) this.tally.time(event.timestamp, firstOpenDay(Date.now()) * DAY_MS);
    }
    settle();
  }

  /** Once for all requests that fail together. */
  #sayTrouble(trouble: string): void {
    if (Date.now() - this.#troubleSaidAt < TROUBLE_EVERY_MS) return;
    this.#troubleSaidAt = Date.now();
    this.#say(trouble);
  }
}

function instantsOf({ events }: Batch): ReadonlySet<string> {
  return new Set(
    events.map(({ event }) => JSON.stringify([event.timestamp, event.visitor_id ?? [event.user_agent ?? ""]])),
  );
}

function shares(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  for (const one of others) if (some.has(one)) return true;
  return false;
}
