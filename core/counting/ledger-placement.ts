// Which ledger has a partition's numbers, and a merchant's: pure functions of their names and of how many ledgers there
// are, the same for good. The pool index decides: pool-11 of 4 ledgers is in ledger 3. A merchant's own partitions are
// in the ledger of its pool partition, so everything of a merchant lies in one ledger. The number of ledgers divides
// POOL_SIZE; then a merchant stays in its ledger whatever POOL_SIZE becomes.

import { LEDGERS_MAX } from "../limits.ts";
import { assert } from "../outcome.ts";
import { poolHash } from "./placement.ts";

/** The position of the ledger that has a merchant's numbers. */
export function ledgerOfMerchant(merchant: number, ledgers: number): number {
  return poolHash(merchant) % ledgers;
}

/** The position of the ledger that has a partition's numbers. Throws for a name that is no partition's. */
export function ledgerOf(partition: string, ledgers: number): number {
  const [, kind, number] = /^(pool|merchant)-(\d+)(?:-|$)/.exec(partition) ?? [];
  assert(number !== undefined, `"${partition}" is a partition's name`);
  return kind === "pool" ? Number(number) % ledgers : ledgerOfMerchant(Number(number), ledgers);
}

/** Throws unless so many ledgers go with a pool of that size. */
export function checkLedgers(ledgers: number, poolSize: number): void {
  if (ledgers < 1 || ledgers > LEDGERS_MAX) throw new Error(`there are 1 to ${LEDGERS_MAX} ledgers, not ${ledgers}`);
  if (poolSize % ledgers !== 0)
    throw new Error(`the number of ledgers must divide POOL_SIZE: ${ledgers} does not divide ${poolSize}`);
}
