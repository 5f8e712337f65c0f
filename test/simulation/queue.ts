// A queue as the platform promises it and no better: at least once, in any order, in batches of any size, each message
// delayed, repeated or given back as fate and its consumer decide.

import type { QueueBatch, QueueMessage } from "../../queues/message.ts";
import type { World } from "./world.ts";

interface Waiting {
  readonly id: string;
  readonly body: unknown;
  attempts: number;
  acknowledged: boolean;
}

export class SimulatedQueue {
  readonly #name: string;
  readonly #world: World;
  readonly #consume: (batch: QueueBatch) => Promise<void>;
  readonly #waiting: Waiting[] = [];
  #count = 0;
  #unsettled = 0;

  /** Messages sent and not yet acknowledged. */
  get size(): number {
    return this.#unsettled;
  }

  constructor(name: string, world: World, consume: (batch: QueueBatch) => Promise<void>) {
    this.#name = name;
    this.#world = world;
    this.#consume = consume;
  }

  send(body: unknown, delayMs = 0): void {
    this.#count += 1;
    this.#unsettled += 1;
    this.#put(
      { id: `${this.#name} ${this.#count}`, body, attempts: 0, acknowledged: false },
      delayMs + this.#world.random.integer(10, 30_000),
    );
  }

  #put(message: Waiting, delayMs: number): void {
    this.#world.at(this.#world.now + delayMs, () => {
      const { random } = this.#world;
      this.#waiting.splice(random.integer(0, this.#waiting.length), 0, message);
      const batch = this.#waiting.splice(0, random.integer(1, 4));
      if (batch.length > 0) void this.#deliver(batch);
      if (this.#waiting.length > 0) this.#put(this.#waiting.pop() as Waiting, random.integer(10, 5_000));
    });
  }

  async #deliver(batch: readonly Waiting[]): Promise<void> {
    const settled = new Set<Waiting>();
    const messages = batch.map((waiting): QueueMessage => {
      waiting.attempts += 1;
      return {
        id: waiting.id,
        body: structuredClone(waiting.body),
        attempts: waiting.attempts,
        ack: () => {
          settled.add(waiting);
          this.#unsettled -= waiting.acknowledged ? 0 : 1;
          waiting.acknowledged = true;
        },
        retry: ({ delaySeconds }) => {
          settled.add(waiting);
          this.#put(waiting, delaySeconds * 1_000);
        },
      };
    });
    await this.#consume({ queue: this.#name, messages });
    for (const waiting of batch) {
      if (!settled.has(waiting)) throw new Error(`${waiting.id} was neither acknowledged nor retried`);
      if (this.#world.random.chance(this.#world.faults.repeat))
        this.#put(waiting, this.#world.random.integer(10, 600_000));
    }
  }
}
