// Hits that come to one isolate within a moment share a piece of work: one call of a partition (coalesce.ts), or one
// message to the overflow queue (overflow.ts). The first hit of a moment does the work in its own context, and the
// others wait for it. If the work does not end in time, each hit does its own. That is harmless, since all work shared
// here may be repeated. This file does not use the platform, so the simulation runs it as it is.

export interface Moment {
  /** How long the first hit waits for other hits, ms. */
  readonly waitMs: number;
  /** The work is done at once when there are this many items. */
  readonly itemsMax: number;
  /**
   * How long a hit waits for another hit's work before it does its own, ms. It is far longer than the work should take.
   */
  readonly patienceMs: number;
}

/** The timers of the platform, or of a simulated world. */
export interface Clock {
  readonly set: (run: () => void, ms: number) => unknown;
  readonly clear: (timer: unknown) => void;
}

const PLATFORM: Clock = { set: (run, ms) => setTimeout(run, ms), clear: (timer) => clearTimeout(timer as number) };

export interface Sharing<Item, Reply> {
  /** Does the work. */
  call(key: string, items: readonly Item[]): Promise<Reply>;
  /**
   * Keeps the context of a hit alive until the work is done, so that other hits get it even if this hit's client has
   * left.
   */
  later(work: Promise<void>): void;
}

/** The result of the work, for one of the hits that share it. */
export interface Share<Reply> {
  /** The reply, or `LATE` where the work does not end in time. Rejects where the work fails. */
  readonly reply: Promise<Reply | typeof LATE>;
  /** The index among all items at which this hit's items begin. */
  readonly start: number;
  /** How many hits have shared the reply. It is final once the reply is there. */
  readonly group: { readonly hits: number };
}

/** The hits of a moment, and the work they share. */
interface Group<Item, Reply> {
  readonly items: Item[];
  hits: number;
  /** The reply, in the context of the hit that does the work. */
  readonly reply: Promise<Reply>;
  /**
   * The reply for the other hits, or `LATE` when the work takes too long. All of them wait for this one promise, since
   * to wait for a promise of another context takes 5 µs each.
   */
  readonly shared: PromiseWithResolvers<Reply | typeof LATE>;
  /** Starts the work now. */
  readonly close: () => void;
}

/** Stands for a reply that takes too long. */
export const LATE = Symbol("late");

/** The groups of one isolate for one kind of work. */
export class Gatherer<Item, Reply> {
  /** The groups that still take items, by key. Items of one key may be done together. */
  readonly #gathering = new Map<string, Group<Item, Reply>>();
  readonly #moment: Moment;
  readonly #clock: Clock;

  constructor(moment: Moment, clock = PLATFORM) {
    this.#moment = moment;
    this.#clock = clock;
  }

  /** Adds items to those of the moment. Returns the result of the work for all of them. */
  share(key: string, items: readonly Item[], how: Sharing<Item, Reply>): Share<Reply> {
    const open = this.#gathering.get(key);
    const hasRoom = open !== undefined && open.items.length + items.length <= this.#moment.itemsMax;
    if (!hasRoom) open?.close();
    const known = hasRoom ? open : undefined;
    const group = known ?? this.#gather(key, how);
    const start = group.items.length;
    group.hits += 1;
    group.items.push(...items);
    if (group.items.length >= this.#moment.itemsMax) group.close();
    // The second hit sets a timer for all hits but the first. It does so in its own context: a timer in the context of
    // the first hit would die with it. A timer in every hit would take 25 µs of a hit's 260.
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
    shared.promise.catch(done); // each hit handles a failure itself
    const close = () => {
      this.#gathering.delete(key);
      full.resolve();
    };
    const group: Group<Item, Reply> = { items, hits: 0, reply, shared, close };
    this.#gathering.set(key, group);
    how.later(reply.then(done, done));
    return group;
  }

  /** Tells the hits that wait for a group's work when it takes too long. */
  async #guard({ reply, shared }: Group<Item, Reply>): Promise<void> {
    const timer = this.#clock.set(() => shared.resolve(LATE), this.#moment.patienceMs);
    await reply.then(done, done);
    this.#clock.clear(timer);
  }
}

function done(): void {}
