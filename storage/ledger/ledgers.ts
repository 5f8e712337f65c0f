// The ledgers: the D1s of numbers, and which of them has which merchant and partition. A ledger's type differs from the
// directory's, so the compiler refuses the one where the other is meant. `storage/open.ts` makes them from a Worker's
// bindings. Old blocks of a ledger lie in R2 (month-file.ts), so whoever reads blocks has that with the ledger.

import { ledgerOf, ledgerOfMerchant } from "../../core/counting/ledger-placement.ts";
import type { Log } from "../../core/log.ts";
import { causeOf } from "../../core/outcome.ts";
import type { ArchiveBucket } from "../archive/bucket.ts";

export type Ledger = D1Database & {
  readonly is?: "ledger";
  /** The bucket with the month files. Hosts that read no blocks, as partitions, have none. */
  readonly months?: Pick<ArchiveBucket, "get"> | undefined;
};

export interface Ledgers {
  /** All ledgers, in the order of their positions. */
  readonly all: readonly Ledger[];
  /** The ledger that has a partition's numbers. */
  readonly of: (partition: string) => Ledger;
  /** The ledger that has all of a merchant's numbers. */
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

/** The same ledger, with the bucket that its month files lie in. */
export function withMonths(ledger: Ledger, months: Ledger["months"]): Ledger {
  return { ...ledger, months } as Ledger;
}

/** Asks every ledger, a few at a time. Returns the replies in the order of the ledgers' positions. */
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
 * The cron's work in each ledger. A ledger that fails is logged and does not keep others from their turn. The next run
 * comes to it again.
 */
export async function visitEach(
  ledgers: Pick<Ledgers, "all">,
  visit: (ledger: Ledger) => Promise<void>,
  log: Log,
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
