// The alarm of an object in the simulated world, as the platform has it: one at a time, fired at least once, and again
// where it throws.

import type { World } from "./world.ts";

/** After a failure the platform tries again. */
const AGAIN_MS = 2_000;

export class SimulatedAlarm {
  readonly #world: World;
  readonly #fire: () => Promise<void>;
  readonly #failed: (error: unknown) => void;
  #at: number | undefined;

  constructor(world: World, fire: () => Promise<void>, failed: (error: unknown) => void) {
    this.#world = world;
    this.#fire = fire;
    this.#failed = failed;
  }

  /** Whether it will fire without being set again. It is not set while it fires. */
  get isSet(): boolean {
    return this.#at !== undefined;
  }

  /** UTC ms. What was set before is forgotten. */
  set(at: number): void {
    this.#at = at;
    this.#world.at(at, () => {
      if (this.#at !== at) return;
      this.#at = undefined;
      this.#fire().catch((error: unknown) => {
        this.#failed(error);
        if (!this.isSet) this.set(this.#world.now + AGAIN_MS);
      });
    });
  }
}
