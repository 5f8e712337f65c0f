// Pairs of Hours make visitors of any part of a Day exact, and the digest tells sets of visitors apart.

import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader } from "../../../core/bytes.ts";
import {
  decodePresence,
  encodePresence,
  NOBODY,
  type Presence,
  PresenceCounter,
  visitorsBetween,
} from "../../../core/counting/presence.ts";
import { hash64Hex } from "../../../core/hash.ts";

/** Of each visitor the slots of its Hours, some of them before the Day's midnight in UTC. */
const anyVisitors = fc.array(fc.uniqueArray(fc.integer({ min: -56, max: 152 }), { maxLength: 6 }), { maxLength: 40 });

function presenceOf(visitors: readonly (readonly number[])[], order: (index: number) => number = (at) => at): Presence {
  const counter = new PresenceCounter();
  for (let at = 0; at < visitors.length; at++) {
    const who = order(at);
    counter.add(hash64Hex(`visitor ${who}`), visitors[who] as readonly number[]);
  }
  return counter.finish();
}

test("[VIS-9] visitors of any part of a Day are the sum over its Hours less the pairs inside it", () => {
  const span = fc.tuple(fc.integer({ min: -60, max: 160 }), fc.nat(200));
  fc.assert(
    fc.property(anyVisitors, span, (visitors, [from, length]) => {
      const to = from + length;
      const hours = new Map<number, number>();
      for (const slot of visitors.flat()) hours.set(slot, (hours.get(slot) ?? 0) + 1);
      const truth = visitors.filter((slots) => slots.some((slot) => slot >= from && slot < to)).length;
      expect(visitorsBetween({ from, to }, hours, presenceOf(visitors).pairs)).toBe(truth);
    }),
    { numRuns: 500 },
  );
});

test("[VIS-9] no order of visitors shows, and what is stored is read back", () => {
  fc.assert(
    fc.property(anyVisitors, (visitors) => {
      const presence = presenceOf(visitors);
      expect(presenceOf(visitors, (at) => visitors.length - 1 - at)).toEqual(presence);
      const bytes = encodePresence(presence);
      expect(decodePresence(new ByteReader(bytes))).toEqual(presence);
    }),
  );
  expect(decodePresence(new ByteReader(encodePresence(NOBODY)))).toEqual(NOBODY);
});

test("[VIS-9] other visitors with the same Hours have another digest", () => {
  const hours = [[4], [4, 8], [4, 8]];
  const [first, second] = [presenceOf(hours.slice(0, 2)), presenceOf(hours, (at) => [0, 2, 1][at] as number)];
  const other = new PresenceCounter();
  for (const at of [0, 2]) other.add(hash64Hex(`visitor ${at}`), hours[at] as readonly number[]);
  expect(other.finish().pairs).toEqual(first.pairs);
  expect(other.finish().digest).not.toEqual(first.digest);
  expect(second.digest).toEqual(presenceOf(hours).digest);
});
