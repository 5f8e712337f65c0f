// Several questions about one merchant that are answered together. Each is answered by the code that answers it
// alone (execute.ts, report.ts), with three differences behind what it is given: partitions are asked once for the
// numbers that several want; a statement of D1 that several ask is asked once; and what has to be counted from
// events is counted in one pass. For that they wait for each other: once all that are not answered yet wait, what
// they wait for is done for all of them.
//
// Partitions are asked before D1, always (L1, L2): what D1 has said is forgotten whenever partitions have been asked
// again.

import type { LiveRequest } from "../../core/counting/live.ts";
import type { Outcome } from "../../core/outcome.ts";
import type { Counting } from "../../core/query/count.ts";
import type { Merchant } from "../../storage/directory/merchants.ts";
import { ledgersOf, withMonths } from "../../storage/ledger/ledgers.ts";
import { ReadOnce } from "../../storage/read-once.ts";
import { type Counted, countAll } from "./count-events.ts";
import type { Deps } from "./deps.ts";
import { type Live, readLive } from "./live.ts";

type LiveWanted = Omit<LiveRequest, "merchant">;

interface Waiting<In, Out> {
  readonly wanted: In;
  readonly settle: (value: Out) => void;
  readonly fail: (error: unknown) => void;
}

export class Together {
  /** What each of the questions is answered with. */
  readonly deps: Deps;
  readonly #merchant: Merchant;
  /** What is read for all of them is read with these. */
  readonly #own: Deps;
  readonly #reads = new ReadOnce();
  /** Questions that are not answered yet. */
  #going = 0;
  #lives: Waiting<LiveWanted, Live>[] = [];
  #counts: Waiting<Counted, Outcome<Counting>>[] = [];

  constructor(merchant: Merchant, deps: Deps) {
    this.#merchant = merchant;
    const now = deps.now();
    const directory = this.#reads.of(deps.directory);
    const ledgers = ledgersOf(deps.ledgers.all.map((ledger) => withMonths(this.#reads.of(ledger), ledger.months)));
    // Reading itself may be told how late it is; questions are all of one instant.
    this.#own = { ...deps, directory, ledgers, partition: forgetting(deps, this.#reads) };
    this.deps = { ...this.#own, now: () => now, together: this };
  }

  /** Answers them all; what `answer` gives or throws is that question's own. */
  async each<Q, A>(questions: readonly Q[], answer: (question: Q, deps: Deps) => Promise<A>): Promise<readonly A[]> {
    this.#going += questions.length;
    return Promise.all(
      questions.map(async (question) => {
        try {
          return await answer(question, this.deps);
        } finally {
          this.#going -= 1;
          this.#turn();
        }
      }),
    );
  }

  /** What only partitions know of the merchant's numbers. */
  live(wanted: LiveWanted): Promise<Live> {
    return new Promise((settle, fail) => {
      this.#lives.push({ wanted, settle, fail });
      this.#turn();
    });
  }

  /** Counts a plan from events, with those of the others. */
  count<C extends Counting>(wanted: Counted<C>): Promise<Outcome<C>> {
    return new Promise((settle, fail) => {
      this.#counts.push({ wanted, settle: settle as (value: Outcome<Counting>) => void, fail });
      this.#turn();
    });
  }

  #turn(): void {
    const waiting = this.#lives.length + this.#counts.length;
    if (waiting === 0 || waiting < this.#going) return;
    if (this.#lives.length > 0) void this.#askPartitions(this.#lives.splice(0));
    else void this.#countAll(this.#counts.splice(0));
  }

  /** Once for each range of buckets, with the breakdowns of all that want it. */
  async #askPartitions(waiting: readonly Waiting<LiveWanted, Live>[]): Promise<void> {
    const ranges = Map.groupBy(waiting, ({ wanted: { grain, from, to } }) => [grain, from, to].join());
    await Promise.all(
      [...ranges.values()].map(async (alike) => {
        const [{ wanted }] = alike as [Waiting<LiveWanted, Live>];
        const dimensions = [...new Set(alike.flatMap(({ wanted: { dimensions: own } }) => own))];
        try {
          const live = await readLive(this.#merchant, { ...wanted, dimensions }, this.#own);
          for (const { settle } of alike) settle(live);
        } catch (error) {
          for (const { fail } of alike) fail(error);
        }
      }),
    );
  }

  async #countAll(waiting: readonly Waiting<Counted, Outcome<Counting>>[]): Promise<void> {
    try {
      const wanted = waiting.map((one) => one.wanted);
      const outcomes = await countAll(wanted, this.#merchant, this.#own);
      for (const [index, { settle }] of waiting.entries()) settle(outcomes[index] as Outcome<Counting>);
    } catch (error) {
      for (const { fail } of waiting) fail(error);
    }
  }
}

/** Partitions whose answers make what D1 has said before them old. */
function forgetting({ partition }: Deps, reads: ReadOnce): Deps["partition"] {
  return (name) => {
    const stub = partition(name);
    return {
      live: async (request) => forget(await stub.live(request), reads),
      recentEvents: async (request) => forget(await stub.recentEvents(request), reads),
      present: (request) => stub.present(request),
      refreshSettings: (merchant) => stub.refreshSettings(merchant),
      status: () => stub.status(),
      erase: (request) => stub.erase(request),
      republish: () => stub.republish(),
      beginRecovery: (request) => stub.beginRecovery(request),
      countRecovered: (request) => stub.countRecovered(request),
      endRecovery: (request) => stub.endRecovery(request),
    };
  };
}

function forget<T>(reply: T, reads: ReadOnce): T {
  reads.forget();
  return reply;
}
