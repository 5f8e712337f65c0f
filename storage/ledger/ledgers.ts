// The ledgers: the D1s of numbers, and which of them has what. A ledger's type differs from the directory's, so that
// the compiler sees when a function is given the other database. `storage/open.ts` makes them from a Worker's bindings.

import { ledgerOf, ledgerOfMerchant } from "../../core/counting/ledger-placement.ts";
import { causeOf } from "../../core/outcome.ts";

export type Ledger = D1Database & { readonly is?: "ledger" };

export interface Ledgers {
  /** By position. */
  readonly all: readonly Ledger[];
  /** The one that has a partition's numbers. */
  readonly of: (partition: string) => Ledger;
  /** The one that has all of a merchant's. */
  readonly ofMerchant: (merchant: number) => Ledger;
}

export function ledgersOf(all: readonly Ledger[]): Ledgers {
  const at = (position: number) => all[position] as Ledger;
  return {
    all,
    of: (partition) => at(ledgerOf(partition, all.length)),
    ofMerchant: (merchant) => at(ledgerOfMerchant(merchant, all.length)),
  };
}

/** Asks every ledger, a few at a time, and gives what they say in the order of their positions. */
export async function askEach<T>(
  { all }: Pick<Ledgers, "all">,
  ask: (ledger: Ledger, position: number) => Promise<T>,
): Promise<readonly T[]> {
  const answers: T[] = [];
  for (let start = 0; start < all.length; start += ASKED_ONCE) {
    const some = all.slice(start, start + ASKED_ONCE);
    answers.push(...(await Promise.all(some.map((ledger, index) => ask(ledger, start + index)))));
  }
  return answers;
}

/**
 * The cron's work in each ledger. One that fails is logged and keeps no other from its turn; the next run comes to it
 * again.
 */
export async function visitEach(
  ledgers: Pick<Ledgers, "all">,
  visit: (ledger: Ledger) => Promise<void>,
  log: (line: Readonly<Record<string, string | number>>) => void,
): Promise<void> {
  await askEach(ledgers, async (ledger, position) => {
    try {
      await visit(ledger);
    } catch (error) {
      log({ event: "ledger_failed", ledger: position, error: causeOf(error) });
    }
  });
}

/** As many connections as a Worker has at once. */
const ASKED_ONCE = 6;
