// Sketches against exact sets: the error is what the theory says, and merging is a function of the union alone.

import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader, ByteWriter } from "../../../core/bytes.ts";
import {
  absorbEncoded,
  addVisitor,
  decodeSketch,
  emptySketch,
  encodeSketch,
  estimate,
  mergeSketches,
  type Sketch,
  skipSketch,
  standardError,
} from "../../../core/counting/sketch.ts";

const visitorOf = (seed: string) => createHash("sha256").update(seed).digest("hex").slice(0, 16);

function sketchOf(precision: number, visitors: Iterable<string>): Sketch {
  const sketch = emptySketch(precision);
  for (const visitor of visitors) addVisitor(sketch, visitor);
  return sketch;
}

function bytesOf(sketch: Sketch): Uint8Array {
  const writer = new ByteWriter();
  encodeSketch(sketch, writer);
  return writer.finish();
}

const setArbitrary = fc.uniqueArray(fc.integer({ min: 0, max: 3_000 }), { maxLength: 600 });

test.each([10, 14])("[SKE-1] small sets are counted exactly at precision %i", (precision) => {
  for (const size of [0, 1, 2, 50, precision === 10 ? 190 : 3_000]) {
    const visitors = Array.from({ length: size }, (_, index) => visitorOf(`${precision} ${index}`));
    expect(estimate(sketchOf(precision, visitors))).toBe(size);
  }
});

test.each([
  [10, 20_000, 40],
  [14, 50_000, 10],
])(
  "[SKE-2] at precision %i, %i visitors are estimated within the stated error (rms of %i trials)",
  (precision, size, trials) => {
    let squares = 0;
    for (let trial = 0; trial < trials; trial++) {
      const sketch = emptySketch(precision);
      for (let index = 0; index < size; index++) addVisitor(sketch, visitorOf(`${trial} ${index}`));
      squares += (estimate(sketch) / size - 1) ** 2;
    }
    expect(Math.sqrt(squares / trials)).toBeLessThan(standardError(precision) * 1.5);
  },
);

test("[SKE-3] a merge is the sketch of the union, whatever the order and the grouping", () => {
  fc.assert(
    fc.property(setArbitrary, setArbitrary, (a, b) => {
      const names = (numbers: readonly number[]) => numbers.map((number) => visitorOf(String(number)));
      const whole = bytesOf(sketchOf(10, names([...a, ...b])));
      expect(bytesOf(mergeSketches(sketchOf(10, names(a)), sketchOf(10, names(b))))).toEqual(whole);
      expect(bytesOf(mergeSketches(sketchOf(10, names(b)), sketchOf(10, names(a))))).toEqual(whole);
    }),
    { numRuns: 100 },
  );
});

test("[SKE-3] so it is merged from bytes, with visitors who come again, and what is not merged is read past", () => {
  fc.assert(
    fc.property(fc.array(setArbitrary, { minLength: 1, maxLength: 4 }), (sets) => {
      const names = sets.map((set) => set.map((number) => visitorOf(String(number))));
      const writer = new ByteWriter();
      for (const set of [...names, ...names]) encodeSketch(sketchOf(10, [...set, ...set]), writer);
      const bytes = writer.finish();
      const reader = new ByteReader(bytes);
      let union: Sketch | undefined;
      while (!reader.done) union = absorbEncoded(union, reader);
      expect(bytesOf(union as Sketch)).toEqual(bytesOf(sketchOf(10, names.flat())));
      const skipped = new ByteReader(bytes);
      for (const _ of [...names, ...names]) skipSketch(skipped);
      expect(skipped.done).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test("[SKE-4] a sketch survives its bytes, sparse and dense", () => {
  for (const size of [0, 1, 100, 5_000]) {
    const sketch = sketchOf(
      10,
      Array.from({ length: size }, (_, index) => visitorOf(`bytes ${index}`)),
    );
    const bytes = bytesOf(sketch);
    const restored = decodeSketch(new ByteReader(bytes));
    expect(bytesOf(restored)).toEqual(bytes);
    expect(estimate(restored)).toBe(estimate(sketch));
  }
});
