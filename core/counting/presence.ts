// Who was there on a Day, as far as numbers of parts of the Day need it: for two Hours, how many visitors of the first
// were next there in the second, and a digest of all visitors. The visitors of several Hours do not add up, since one
// may stay for several. These pairs correct that: the visitors of a part of a Day are the sum over its Hours, less the
// pairs inside it (VIS-9). Pairs of partitions add up, and take about 40 bytes a Day.
//
// The digest distinguishes two sets of visitors with equal counters, which only a comparison needs (RPL-1). Sketches do
// that where there are any. A Day has none of visitors whom nobody can recognise again.

import { type ByteReader, ByteWriter } from "../bytes.ts";

/** How many visitors of the Hour at `slot` were next there in the Hour at `next`. Slots as in `day.ts`. */
export interface Pair {
  readonly slot: number;
  readonly next: number;
  readonly visitors: number;
}

export interface Presence {
  /** In order of their slots. */
  readonly pairs: readonly Pair[];
  /**
   * The exclusive or of all visitors' 64 bits, in two halves. The order does not matter. Each visitor is in it once.
   */
  readonly digest: readonly [high: number, low: number];
}

export const NOBODY: Presence = { pairs: [], digest: [0, 0] };

/** Takes each visitor once. */
export class PresenceCounter {
  readonly #pairs = new Map<number, number>();
  #high = 0;
  #low = 0;

  /**
   * `visitor` is 16 hex digits. `slots` are the visitor's Hours, in any order, perhaps repeated.
   */
  add(visitor: string, slots: readonly number[]): void {
    this.#high ^= Number.parseInt(visitor.slice(0, 8), 16);
    this.#low ^= Number.parseInt(visitor.slice(8), 16);
    if (slots.length < 2) return;
    const sorted = [...slots].sort((a, b) => a - b);
    for (let at = 1; at < sorted.length; at++) {
      const [slot, next] = [sorted[at - 1] as number, sorted[at] as number];
      if (slot === next) continue;
      const key = slot * SLOTS + next;
      this.#pairs.set(key, (this.#pairs.get(key) ?? 0) + 1);
    }
  }

  finish(): Presence {
    const pairs = [...this.#pairs].map(([key, visitors]): Pair => {
      const slot = Math.round(key / SLOTS);
      return { slot, next: key - slot * SLOTS, visitors };
    });
    return { pairs: pairs.sort(inOrder), digest: [this.#high >>> 0, this.#low >>> 0] };
  }
}

/** More than any two slots differ by, so that two slots fit one number. */
const SLOTS = 4_096;

function inOrder(a: Pair, b: Pair): number {
  return a.slot - b.slot || a.next - b.next;
}

/**
 * How many visitors were there from one slot of a Day up to another. `inHour` has the visitors of each Hour by slot.
 * Exact.
 */
export function visitorsBetween(
  { from, to }: { readonly from: number; readonly to: number },
  hours: Iterable<readonly [slot: number, visitors: number]>,
  pairs: readonly Pair[],
): number {
  let count = 0;
  for (const [slot, visitors] of hours) if (slot >= from && slot < to) count += visitors;
  // A visitor with n Hours between the two slots has n - 1 pairs inside.
  for (const { slot, next, visitors } of pairs) if (slot >= from && next < to) count -= visitors;
  return count;
}

export function encodePresence({ pairs, digest }: Presence): Uint8Array {
  const writer = new ByteWriter();
  for (const half of digest) writer.word(half);
  writePairs(pairs, writer);
  return writer.finish();
}

/** The inverse of `encodePresence`. */
export function decodePresence(reader: ByteReader): Presence {
  const digest = [reader.word(), reader.word()] as const;
  return { digest, pairs: readPairs(reader) };
}

function writePairs(pairs: readonly Pair[], writer: ByteWriter): void {
  writer.unsigned(pairs.length);
  let last = 0;
  for (const { slot, next, visitors } of pairs) {
    writer.signed(slot - last);
    writer.unsigned(next - slot);
    writer.unsigned(visitors);
    last = slot;
  }
}

export function readPairs(reader: ByteReader): Pair[] {
  const pairs: Pair[] = [];
  let last = 0;
  for (let left = reader.unsigned(); left > 0; left--) {
    const slot = last + reader.signed();
    const next = slot + reader.unsigned();
    pairs.push({ slot, next, visitors: reader.unsigned() });
    last = slot;
  }
  return pairs;
}
