// Which ledger has what, as a pure function of names.

import { expect, test } from "vitest";
import { checkLedgers, ledgerOf, ledgerOfMerchant } from "../../../core/counting/ledger-placement.ts";
import { partitionsOf } from "../../../core/counting/placement.ts";

const MERCHANTS = Array.from({ length: 300 }, (_, index) => index + 1);

test.each([1, 2, 8, 64])(
  "[LED-1] of %i ledgers one has all of a merchant: pool, own partitions, every region",
  (count) => {
    for (const merchant of MERCHANTS) {
      const spread = [{ from: 0, partitions: 5 }];
      const names = partitionsOf({ merchant, spread }, { poolSize: 256, regions: ["weur", "apac"] });
      expect(new Set(names.map((name) => ledgerOf(name, count)))).toEqual(new Set([ledgerOfMerchant(merchant, count)]));
    }
    const used = new Set(MERCHANTS.map((merchant) => ledgerOfMerchant(merchant, count)));
    expect(used.size).toBe(count);
  },
);

test("[LED-1] a merchant stays in its ledger whatever POOL_SIZE becomes, as long as the number of ledgers divides it", () => {
  for (const merchant of MERCHANTS)
    for (const poolSize of [8, 16, 256, 1_024]) {
      const [pool = ""] = partitionsOf({ merchant }, { poolSize, regions: [] });
      expect(ledgerOf(pool, 8)).toBe(ledgerOfMerchant(merchant, 8));
    }
  // A known answer: another hash would look for every merchant in another ledger.
  expect([1, 2, 3, 1_000_000].map((merchant) => ledgerOfMerchant(merchant, 8))).toEqual(KNOWN);
});

const KNOWN = [3, 7, 3, 3];

test.each([
  ["pool-11", 3],
  ["pool-11-weur", 3],
  ["pool-4", 0],
])("[LED-1] %s of 4 ledgers is in ledger %i", (partition, ledger) => {
  expect(ledgerOf(partition, 4)).toBe(ledger);
});

test.each(["", "pool", "pool-x", "shop-1", "xpool-1"])('[LED-1] "%s" is in no ledger', (name) => {
  expect(() => ledgerOf(name, 4)).toThrow("is a partition's name");
});

test.each([
  [0, 256],
  [129, 129],
  [3, 256],
  [96, 256],
])("[LED-1] %i ledgers do not go with a pool of %i", (ledgers, poolSize) => {
  expect(() => checkLedgers(ledgers, poolSize)).toThrow();
});
