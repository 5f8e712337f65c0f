// Numbers of merchants, streams, imports, versions of rules and erasures are claimed in R2 before anything is made
// under them in D1. A D1 that was restored to an earlier instant, or lost, knows no longer which numbers it gave; the
// claims do. Tracking IDs, partitions and the archive go on naming the merchants of before, so a number that is given
// again would show one merchant the history of another (L6).
//
// A claim is an object whose key ends with what is left of the numbers, so that the highest one is the first of a
// listing: "numbers/merchant/4294967253" for number 42. It is put on the condition that there is none: of two at
// once one goes on to the next.

import { CLAIMED_NUMBER_MAX, IMPORT_NUMBER_MAX, NUMBER_CLAIM_TRIES_MAX } from "../../core/limits.ts";
import { MERCHANT_NUMBER_MAX, STREAM_NUMBER_MAX } from "../../core/tracking-id.ts";

/** The part of an R2 bucket that claims use. */
export interface ClaimBucket {
  list(options: { prefix: string; limit: number }): Promise<{ readonly objects: readonly { readonly key: string }[] }>;
  /** null where there is an object of the key. */
  put(key: string, value: string, options: { onlyIf: { etagDoesNotMatch: "*" } }): Promise<object | null>;
}

export interface Claims {
  readonly bucket: ClaimBucket;
}

/** What numbers are given to. */
export interface Numbered {
  /** "merchant"; "stream" or "import" with its merchant, "rules" with their scope, "erasure" with its ledger. */
  readonly kind: "merchant" | `${"stream" | "import" | "rules" | "erasure"}/${number}`;
  readonly max: number;
}

export const MERCHANTS: Numbered = { kind: "merchant", max: MERCHANT_NUMBER_MAX };

export function streamsOf(merchant: number): Numbered {
  return { kind: `stream/${merchant}`, max: STREAM_NUMBER_MAX };
}

export function importsOf(merchant: number): Numbered {
  return { kind: `import/${merchant}`, max: IMPORT_NUMBER_MAX };
}

/** Versions of the rules of a merchant, or of GLOBAL_MERCHANT: replay jobs and receipts of seals name them. */
export function rulesOf(scope: number): Numbered {
  return { kind: `rules/${scope}`, max: CLAIMED_NUMBER_MAX };
}

/** Erasures of the ledger at a position: sealed files are named by them. */
export function erasuresOf(position: number): Numbered {
  return { kind: `erasure/${position}`, max: CLAIMED_NUMBER_MAX };
}

/**
 * A number that nobody ever had: above all claims, and above `known`, the highest one of D1. "full" when there is none
 * left.
 */
export async function claimNumber(numbered: Numbered, known: number, claims: Claims): Promise<number | "full"> {
  const first = Math.max(known, (await highestClaim(numbered, claims)) ?? 0) + 1;
  for (let number = first; number < first + NUMBER_CLAIM_TRIES_MAX; number++) {
    if (number > numbered.max) return "full";
    if (await putClaim(numbered, number, claims)) return number;
  }
  throw new Error(`${NUMBER_CLAIM_TRIES_MAX} numbers were claimed by others meanwhile`);
}

/**
 * Claims the highest number of D1 where it has no claim: it was given before there were claims, or the bucket was lost.
 * Returns whether it had none. Doing so again is harmless.
 */
export async function claimKnown(numbered: Numbered, known: number, claims: Claims): Promise<boolean> {
  return known > ((await highestClaim(numbered, claims)) ?? 0) && (await putClaim(numbered, known, claims));
}

/** undefined where nothing was ever claimed. */
export async function highestClaim({ kind, max }: Numbered, { bucket }: Claims): Promise<number | undefined> {
  const prefix = `numbers/${kind}/`;
  const [first] = (await bucket.list({ prefix, limit: 1 })).objects;
  return first === undefined ? undefined : max - Number(first.key.slice(prefix.length));
}

export function claimKey({ kind, max }: Numbered, number: number): string {
  return `numbers/${kind}/${String(max - number).padStart(String(max).length, "0")}`;
}

async function putClaim(numbered: Numbered, number: number, { bucket }: Claims): Promise<boolean> {
  return (await bucket.put(claimKey(numbered, number), "", { onlyIf: { etagDoesNotMatch: "*" } })) !== null;
}
