// Hits that come to one isolate within a moment share a piece of work: one call of a partition (coalesce.ts), one
// message to the overflow queue (overflow.ts). The first hit of a moment does the work in its own context; the others
// wait for it, and do their own where it does not come back: all that is shared here may be repeated. Free of the
// platform, so that the simulation runs it as it is.

export interface Moment {
  /** How long the first hit waits for others, ms. */
  readonly waitMs: number;
  /** Items at which the work is done at once. */
  readonly itemsMax: number;
  /** A hit that has waited so long for another's work does its own, ms. Far longer than the work ever takes. */
  readonly patienceMs: number;
}

/** Timers of the platform, or of a simulated world. */
export interface Clock {
  readonly set: (run: () => void, ms: number) => unknown;
  readonly clear: (timer: unknown) => void;
}

const PLATFORM: Clock = { set: (run, ms) => setTimeout(run, ms), clear: (timer) => clearTimeout(timer as number) };

export interface Sharing<Item, Reply> {
  /** Does the work. */
  call(key: string, items: readonly Item[]): Promise<Reply>;
  /** Keeps the context of a hit until work is done for others, should its own client go away. */
  later(work: Promise<void>): void;
}

/** What comes of the work, for one of the hits that share it. */
export interface Share<Reply> {
  /** `LATE` where the work does not come back; fails as it does. */
  readonly reply: Promise<Reply | typeof LATE>;
  /** Where this hit's items begin among all. */
  readonly start: number;
  /** Once the reply is there: how many hits have shared it. */
  readonly group: { readonly hits: number };
}

/** The hits of a moment. */
interface Group<Item, Reply> {
  readonly items: Item[];
  hits: number;
  /** Of the work, in the context of the hit that does it. */
  readonly reply: Promise<Reply>;
  /**
   * The same for the other hits, or `late` when the work takes longer than it ever does. They wait for this one
   * promise: each that is of another context takes 5 µs to wait for.
   */
  readonly shared: PromiseWithResolvers<Reply | typeof LATE>;
  /** Does the work now. */
  readonly close: () => void;
}

/** Instead of a reply that takes longer than it ever does. */
export const LATE = Symbol("late");

/** One list of groups for an isolate and kind of work. */
export class Gatherer<Item, Reply> {
  /** By key: what may be done together. */
  readonly #gathering = new Map<string, Group<Item, Reply>>();
  readonly #moment: Moment;
  readonly #clock: Clock;

  constructor(moment: Moment, clock = PLATFORM) {
    this.#moment = moment;
    this.#clock = clock;
  }

  /** Adds items to the moment's, and answers what comes of all of them. */
  share(key: string, items: readonly Item[], how: Sharing<Item, Reply>): Share<Reply> {
    const known = this.#gathering.get(key);
    const group = known ?? this.#gather(key, how);
    const start = group.items.length;
    group.hits += 1;
    group.items.push(...items);
    if (group.items.length >= this.#moment.itemsMax) group.close();
    // The second hit keeps the time for all but the first, in its own context: should the first one's die with its
    // work, so would a timer in it. One in each would take 25 µs of a hit's 260.
    if (group.hits === 2) void this.#guard(group);
    return { reply: known === undefined ? group.reply : group.shared.promise, start, group };
  }

  #gather(key: string, how: Sharing<Item, Reply>): Group<Item, Reply> {
    const full = Promise.withResolvers<void>();
    const items: Item[] = [];
    const run = async () => {
      const timer = this.#clock.set(full.resolve, this.#moment.waitMs);
      await full.promise;
      this.#clock.clear(timer);
      if (this.#gathering.get(key) === group) this.#gathering.delete(key);
      return how.call(key, items);
    };
    const reply = run();
    const shared = Promise.withResolvers<Reply | typeof LATE>();
    reply.then(shared.resolve, shared.reject);
    shared.promise.catch(done); // whether it fails is for each of the hits to say
    const close = () => {
      this.#gathering.delete(key);
      full.resolve();
    };
    const group: Group<Item, Reply> = { items, hits: 0, reply, shared, close };
    this.#gathering.set(key, group);
    how.later(reply.then(done, done));
    return group;
  }

  /** Tells those who wait for a group's work when it has taken too long. */
  async #guard({ reply, shared }: Group<Item, Reply>): Promise<void> {
    const timer = this.#clock.set(() => shared.resolve(LATE), this.#moment.patienceMs);
    await reply.then(done, done);
    this.#clock.clear(timer);
  }
}

function done(): void {}
