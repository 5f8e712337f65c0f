// Which ledger has the numbers of a partition, and of a merchant. Both depend only on their names and on the number of
// ledgers, and never change. The pool index decides: pool-11 is in ledger 3 of 4. A merchant's own partitions use the
// ledger of its pool partition, so one ledger has everything of a merchant. The number of ledgers divides POOL_SIZE, so
// a merchant stays in its ledger when POOL_SIZE grows.

import { isKeySegment } from "../archive/object-key.ts";
import { LEDGERS_MAX } from "../limits.ts";
import { assert } from "../outcome.ts";
import { poolHash } from "./placement.ts";

/** The position of the ledger that has a merchant's numbers. */
export function ledgerOfMerchant(merchant: number, ledgers: number): number {
  return poolHash(merchant) % ledgers;
}

const NAME = /^(pool|merchant)-(\d{1,10})(?:-|$)/;

/** Whether a text is a partition's name, such as "pool-3" or "merchant-7-0". There may be no such partition. */
export function isPartitionName(text: string): boolean {
  return isKeySegment(text) && NAME.test(text);
}

/** The position of the ledger that has a partition's numbers. Throws for a name that is no partition's. */
export function ledgerOf(partition: string, ledgers: number): number {
  const [, kind, number] = NAME.exec(partition) ?? [];
  assert(number !== undefined, `"${partition}" is a partition's name`);
  return kind === "pool" ? Number(number) % ledgers : ledgerOfMerchant(Number(number), ledgers);
}

/** Throws unless this number of ledgers goes with a pool of that size. */
export function checkLedgers(ledgers: number, poolSize: number): void {
  if (ledgers < 1 || ledgers > LEDGERS_MAX) throw new Error(`there are 1 to ${LEDGERS_MAX} ledgers, not ${ledgers}`);
  if (poolSize % ledgers !== 0)
    throw new Error(`the number of ledgers must divide POOL_SIZE: ${ledgers} does not divide ${poolSize}`);
}
