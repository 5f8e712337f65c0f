// Runs of values in a page: what the library reads as so many values is let through, and nothing else.

import { readRleBitPackedHybrid } from "hyparquet/src/encoding.js";
import { expect, test } from "vitest";
import { checkCodes, checkRuns } from "../../../storage/archive/parquet-page.ts";

const BILLION = [0x80, 0xa8, 0xd6, 0xb9, 0x07];

test.each([
  ["one value, five times", [10, 3], 2, 5],
  ["five values of two bits, filled up to eight", [3, 0xe4, 0x03], 2, 5],
  ["a run after an eight", [3, 0xe4, 0x03, 6, 1], 2, 11],
  ["zeros of no bits", [10], 0, 5],
  ["values of twelve bits", [3, ...new Array(12).fill(0xff)], 12, 8],
  ["no values", [], 1, 0],
])("[ARC-23] %s: are let through, and read", (_, bytes, width, values) => {
  expect(() => checkRuns(Uint8Array.from(bytes), { width, values })).not.toThrow();
  const output = new Uint32Array(values);
  // The library may take a byte for values that have no bits.
  const view = new DataView(Uint8Array.from([...bytes, 0]).buffer);
  readRleBitPackedHybrid({ view, offset: 0 }, width, output as never, bytes.length);
  expect(output).toHaveLength(values);
});

test.each([
  ["a billion times one value", [...BILLION, 1], 1, 5],
  ["one time more than there are values", [12, 3], 2, 5],
  ["eights of values beyond the page", [5, 0, 0, 0, 0], 2, 5],
  ["fewer values than there are", [8, 3], 2, 5],
  ["a run of no values", [0, 3, 10, 3], 2, 5],
  ["values that are not there", [3, 0xe4], 2, 5],
  ["eights of no bits, and more behind them", [3, 4], 0, 10],
  ["a number that does not end", new Array(20).fill(0x80), 1, 5],
])("[ARC-23] %s: refused", (_, bytes, width, values) => {
  expect(() => checkRuns(Uint8Array.from(bytes), { width, values })).toThrow("assertion failed");
});

test("[ARC-23] codes of more than 32 bits, or of a page without any, are refused", () => {
  expect(() => checkCodes(Uint8Array.of(33, 10, 1, 2, 3, 4, 5), 5)).toThrow("a code has at most 32 bits");
  expect(() => checkCodes(new Uint8Array(0), 5)).toThrow("a code has at most 32 bits");
});
