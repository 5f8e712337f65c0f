// Converts an answer's money. The rates to read are known once its sums are known. In nearly all answers all money is
// in the merchant's own currency, and no rate is read.

import { type Convert, convertBy, foreignOf, type Purse, UNCONVERTED } from "../../core/query/money.ts";
import type { Directory } from "./directory.ts";
import type { RateMemory } from "./rate-memory.ts";

export interface ConversionDeps {
  readonly directory: Directory;
  readonly rates: RateMemory;
}

/** Converts the money of purses into a merchant's currency. */
export async function conversionOf(
  purses: Iterable<Purse>,
  { number: merchant, currency }: { readonly number: number; readonly currency: string },
  { directory, rates }: ConversionDeps,
): Promise<Convert> {
  const wanted = foreignOf(purses, currency);
  if (wanted === undefined) return UNCONVERTED;
  return convertBy(await rates.ratesFor(directory, { merchant, ...wanted }), currency);
}
