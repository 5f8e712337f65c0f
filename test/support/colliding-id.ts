// Ids as an attacker makes them who has read core/hash.ts: as many as wanted that have the same 32 bits under a seed
// that is in the source. Each step of that hash can be turned back, so for any beginning there is a last pair of
// letters that leads to the wanted hash: a hundred thousand ids take a fifth of a second. In a table that is entered by
// those bits they all stand in one row.

import { hash32 } from "../../core/hash.ts";

/** With which the set of counted ids was entered by, as long as its hash had no key. */
export const PUBLIC_LOW_SEED = 0x2545f491;
const PUBLIC_HIGH_SEED = 0x51ed270b;
/** Even, as the hash reads pairs. */
const LENGTH = 10;
const TARGET = 0x5eed_c0de;

/** Different ids with the same hash. A mark keeps those of two calls apart. */
export function collidingIds(count: number, mark = "a"): readonly string[] {
  const ids = new Map<number, string>();
  for (let number = 0; ids.size < count; number++) {
    const id = toCollide(`${mark}${number.toString(36).padStart(LENGTH - 2 - mark.length, "0")}`);
    // Those that are alike in the other half as well would be taken for one another.
    if (id !== undefined) ids.set(hash32(id, PUBLIC_HIGH_SEED), id);
  }
  return [...ids.values()];
}

/**
 * A beginning of even length with the pair of letters that makes its hash the wanted one; undefined where those are no
 * text.
 */
function toCollide(beginning: string): string | undefined {
  const before = stateAfter(beginning);
  const wanted = unfinish(TARGET) ^ (LENGTH * 2);
  const scrambled = before ^ rotate(Math.imul(wanted - 0xe6546b64, inverse(5)), 32 - 13);
  const block = Math.imul(rotate(Math.imul(scrambled, inverse(0x1b873593)), 32 - 15), inverse(0xcc9e2d51));
  const units = [block & 0xffff, block >>> 16];
  // Letters and signs, none of which an id is cleaned of.
  if (!units.every((unit) => (unit > 0x4e00 && unit < 0x9fa0) || (unit > 0xac00 && unit < 0xd7a0))) return undefined;
  return beginning + String.fromCharCode(...units);
}

/** Where the hash stands after a text of even length, before its end is worked in. */
function stateAfter(text: string): number {
  return unfinish(hash32(text, PUBLIC_LOW_SEED)) ^ (text.length * 2);
}

function unfinish(hash: number): number {
  let value = hash ^ (hash >>> 16);
  value = Math.imul(value, inverse(0xc2b2ae35));
  value = value ^ (value >>> 13) ^ (value >>> 26);
  value = Math.imul(value, inverse(0x85ebca6b));
  return value ^ (value >>> 16);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

/** The number that undoes a multiplication by an odd one, modulo 2^32. */
function inverse(odd: number): number {
  let found = odd;
  for (let round = 0; round < 5; round++) found = Math.imul(found, 2 - Math.imul(odd, found));
  return found;
}
