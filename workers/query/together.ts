// Answers several questions about one merchant together. The code that answers one question alone also answers each of
// these (execute.ts, report.ts). It gets `deps` with three differences. Partitions are asked once for numbers that
// several questions need. D1 is asked once for a statement that several need. What must be counted from events is
// counted in one pass. For that, questions wait for each other. Once all unanswered questions wait, what they wait for
// is done for all of them.
//
// Partitions are always asked before D1 (L1, L2). So the answers of D1 are forgotten whenever partitions are asked
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
import type { Cost } from "./scan.ts";
import { countUncounted, type NotCounted, type Recounted } from "./uncounted.ts";

type LiveWanted = Omit<LiveRequest, "merchant">;

/** Late events that are counted for a question, and where their cost is added up. */
interface Lacking {
  readonly lacking: NotCounted;
  readonly cost: Cost;
}

interface Waiting<In, Out> {
  readonly wanted: In;
  readonly settle: (value: Out) => void;
  readonly fail: (error: unknown) => void;
}

export class Together {
  /** The `deps` with which each question is answered. */
  readonly deps: Deps;
  readonly #merchant: Merchant;
  /** The `deps` for what is read once for all questions. */
  readonly #own: Deps;
  readonly #reads = new ReadOnce();
  /** How many questions are not answered yet. */
  #going = 0;
  #lives: Waiting<LiveWanted, Live>[] = [];
  #uncounted: Waiting<Lacking, Outcome<Recounted>>[] = [];
  #counts: Waiting<Counted, Outcome<Counting>>[] = [];

  constructor(merchant: Merchant, deps: Deps) {
    this.#merchant = merchant;
    const now = deps.now();
    const directory = this.#reads.of(deps.directory);
    const ledgers = ledgersOf(deps.ledgers.all.map((ledger) => withMonths(this.#reads.of(ledger), ledger.months)));
    // These `deps` keep the real clock, because a slow read must know how late it is. The questions' `deps` stop the
    // clock, so that all questions have the same instant.
    this.#own = { ...deps, directory, ledgers, partition: forgetting(deps, this.#reads) };
    this.deps = { ...this.#own, now: () => now, together: this };
  }

  /** Answers all questions. A result or an exception of `answer` belongs to its question alone. */
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

  /** What only partitions know about the merchant's numbers. */
  live(wanted: LiveWanted): Promise<Live> {
    return new Promise((settle, fail) => {
      this.#lives.push({ wanted, settle, fail });
      this.#turn();
    });
  }

  /** Counts late events that no rollup has yet, once for all questions that lack the same ones. */
  uncounted(wanted: Lacking): Promise<Outcome<Recounted>> {
    return new Promise((settle, fail) => {
      this.#uncounted.push({ wanted, settle, fail });
      this.#turn();
    });
  }

  /** Counts a plan from events, together with those of the other questions. */
  count<C extends Counting>(wanted: Counted<C>): Promise<Outcome<C>> {
    return new Promise((settle, fail) => {
      this.#counts.push({ wanted, settle: settle as (value: Outcome<Counting>) => void, fail });
      this.#turn();
    });
  }

  #turn(): void {
    const waiting = this.#lives.length + this.#uncounted.length + this.#counts.length;
    if (waiting === 0 || waiting < this.#going) return;
    if (this.#lives.length > 0) void this.#askPartitions(this.#lives.splice(0));
    else if (this.#uncounted.length > 0) void this.#countLate(this.#uncounted.splice(0));
    else void this.#countAll(this.#counts.splice(0));
  }

  /** Asks once for each range of buckets, for all breakdowns that the waiting questions need. */
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

  /** Counts late events for all breakdowns that the waiting questions need, as one question that has them all. */
  async #countLate(waiting: readonly Waiting<Lacking, Outcome<Recounted>>[]): Promise<void> {
    const lacks = Map.groupBy(waiting, ({ wanted: { lacking } }) => nameOf(lacking));
    await Promise.all(
      [...lacks.values()].map(async (alike) => {
        const [{ wanted }] = alike as [Waiting<Lacking, Outcome<Recounted>>];
        const breakdowns = [...new Set(alike.flatMap(({ wanted: { lacking } }) => lacking.plan.breakdowns))];
        const cost: Cost = { rows: 0, objects: 0, bytes: 0 };
        try {
          const lacking = { ...wanted.lacking, plan: { ...wanted.lacking.plan, breakdowns } };
          const recounted = await countUncounted(lacking, this.#merchant, { deps: this.#own, cost });
          for (const { wanted: own, settle } of alike) {
            own.cost.rows += cost.rows;
            own.cost.objects += cost.objects;
            own.cost.bytes += cost.bytes;
            settle(recounted);
          }
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

/** Names what a question lacks and how it reads rollups, without its breakdowns. */
function nameOf({ plan: { grain, range, openFrom, question }, late, behind }: NotCounted): string {
  const { fromDay, toDay } = range;
  return JSON.stringify([grain, fromDay, toDay, openFrom, question.metrics.includes("drops"), late, behind]);
}

/** Partitions whose answers make the earlier answers of D1 forgotten, since those may be out of date then. */
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
