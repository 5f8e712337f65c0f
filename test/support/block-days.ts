// Random closed Days: whatever a rollup may hold, not only what events make of it. Names of every script,
// breakdowns that were cut or are younger than the Day, counters as large as the codec holds, several
// currencies, sketches of every kind.

import fc from "fast-check";
import type { BlockDay } from "../../core/block/block.ts";
import type { ThinHour } from "../../core/block/head.ts";
import { encodePresence, type Pair } from "../../core/counting/presence.ts";
import {
  ALL_DIMENSIONS,
  type BreakdownEntry,
  COUNTERS,
  type Counts,
  encodeBreakdown,
} from "../../core/counting/rollup.ts";
import { encodeTotalSketch } from "../../core/counting/rollup-row.ts";
import { addEntry, emptySketch, entryOf, type Sketch } from "../../core/counting/sketch.ts";
import { type Money, TAKINGS } from "../../core/counting/takings.ts";
import { hash64Hex } from "../../core/hash.ts";
import { COUNT_MAX, REBUILD_VERSION_STEP, TOTAL_SKETCH_PRECISION, VALUE_SKETCH_PRECISION } from "../../core/limits.ts";
import { DROP_REASONS } from "../../core/outcome.ts";

const anyCount = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 6, arbitrary: fc.nat(20) },
  { weight: 3, arbitrary: fc.integer({ min: -1_000, max: 10_000_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(COUNT_MAX, -COUNT_MAX) },
);
const anyTakings = fc.record(Object.fromEntries(TAKINGS.map((taking) => [taking, anyCount]))) as fc.Arbitrary<
  Record<(typeof TAKINGS)[number], number>
>;
/** A currency with nothing but zeros is none: equal sums have equal bytes. */
const anyMoney: fc.Arbitrary<Money> = fc
  .uniqueArray(fc.constantFrom("EUR", "USD", "JPY"), { maxLength: 2 })
  .chain((currencies) =>
    fc.tuple(...currencies.sort().map((currency) => anyTakings.map((one) => ({ currency, ...one })))),
  )
  .map((money) => money.filter((one) => TAKINGS.some((taking) => one[taking] !== 0)))
  .map((money) => (money.length === 0 ? undefined : money));
const anyCounts: fc.Arbitrary<Counts> = fc
  .tuple(fc.record(Object.fromEntries(COUNTERS.map((counter) => [counter, anyCount]))), anyMoney)
  .map(([counts, money]) => ({ ...counts, money }) as Counts);
const anyDrops = fc.dictionary(fc.constantFrom(...DROP_REASONS), fc.nat(1_000), { maxKeys: 3 });

const anyName = fc.oneof(
  fc.constantFrom("", "(other)", "/", "/products/mat", "/products/mug", "/über-uns", "🛒", "🛒🛍", "__proto__"),
  fc.string({ unit: "grapheme", maxLength: 30 }).map((text) => text.toWellFormed()),
);

/** Visitors by number. Above so many a sketch is dense. */
const visitors = Array.from({ length: 4_000 }, (_, who) => entryOf(hash64Hex(`visitor ${who}`)));

function sketchOf(precision: number, who: Iterable<number>): Sketch {
  const sketch = emptySketch(precision);
  for (const one of who) addEntry(sketch, visitors[one] as number);
  return sketch;
}

interface Seen {
  /** How many the Day has: none, some, or more than a sparse sketch holds. */
  readonly ofDay: number;
}

function anyEntry({ ofDay }: Seen): fc.Arbitrary<Omit<BreakdownEntry, "value">> {
  const some = fc.uniqueArray(fc.nat(Math.max(0, ofDay - 1)), { maxLength: ofDay === 0 ? 0 : 6 });
  // Some that the Day's own sketch does not have, and more than a sparse one holds.
  const strange = fc.constantFrom(
    [3_990, 3_991],
    Array.from({ length: 300 }, (_, who) => who),
  );
  const who = fc.oneof({ weight: 8, arbitrary: some }, { weight: 1, arbitrary: strange });
  return fc.record({ counts: anyCounts, sketch: who.map((own) => sketchOf(VALUE_SKETCH_PRECISION, own)) });
}

function anyBreakdown(seen: Seen): fc.Arbitrary<Uint8Array | undefined> {
  const names = fc.uniqueArray(anyName, { maxLength: 8 });
  const filled = fc.tuple(names, fc.boolean()).chain(([values, cut]) =>
    fc.tuple(...values.map(() => anyEntry(seen))).map((entries) => {
      return encodeBreakdown({ cut, entries: entries.map((one, at) => ({ value: values[at] as string, ...one })) });
    }),
  );
  return fc.oneof({ weight: 1, arbitrary: fc.constant(undefined) }, { weight: 6, arbitrary: filled });
}

const anyVersion = fc.oneof(
  fc.nat(2 ** 30),
  fc.nat(2 ** 40).map((step) => step * REBUILD_VERSION_STEP),
);
const anySlot = fc.integer({ min: -56, max: 152 });
const anyPresence = fc.oneof(
  fc.constant(new Uint8Array()),
  fc
    .tuple(
      fc.tuple(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
      fc.uniqueArray(fc.tuple(anySlot, fc.integer({ min: 1, max: 90 })), { selector: String, maxLength: 12 }),
    )
    .map(([digest, steps]) => {
      const pairs = steps.map(([slot, step]): Pair => ({ slot, next: slot + step, visitors: step }));
      return encodePresence({ digest, pairs: pairs.sort((a, b) => a.slot - b.slot || a.next - b.next) });
    }),
);
const anyHours: fc.Arbitrary<readonly ThinHour[]> = fc
  .uniqueArray(anySlot, { maxLength: 25 })
  .chain((slots) =>
    fc.tuple(
      ...slots
        .sort((a, b) => a - b)
        .map((slot) => fc.record({ slot: fc.constant(slot), version: anyVersion, counts: anyCounts, drops: anyDrops })),
    ),
  );

const anyBlockDay: fc.Arbitrary<BlockDay> = fc.constantFrom(0, 20, 3_500).chain((ofDay) =>
  fc
    .record({
      day: fc.constant(0),
      version: anyVersion,
      counts: anyCounts,
      drops: anyDrops,
      sketch: fc.constant(encodeTotalSketch(sketchOf(TOTAL_SKETCH_PRECISION, Array(ofDay).keys()))),
      presence: anyPresence,
      hours: anyHours,
      breakdowns: fc.tuple(...ALL_DIMENSIONS.map(() => anyBreakdown({ ofDay }))),
    })
    .map(({ breakdowns, ...day }) => {
      const named = ALL_DIMENSIONS.flatMap((name, at) =>
        breakdowns[at] === undefined ? [] : [[name, breakdowns[at]]],
      );
      return { ...day, breakdowns: Object.fromEntries(named) as BlockDay["breakdowns"] };
    }),
);

/** Days of one block, in order; none of them need follow on the one before. */
export const anyBlock: fc.Arbitrary<readonly BlockDay[]> = fc
  .uniqueArray(fc.nat(9), { minLength: 1, maxLength: 4 })
  .chain((places) =>
    fc.tuple(
      ...places.sort((a, b) => a - b).map((place) => anyBlockDay.map((day) => ({ ...day, day: 20_500 + place }))),
    ),
  );
