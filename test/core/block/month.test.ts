// Month files as bytes: what goes in comes out, and what a question reads of one is few ranges.

import fc from "fast-check";
import { expect, test } from "vitest";
import { blocksOfMonth, encodeMonth, monthOf, rangesOf, readMonthIndex } from "../../../core/block/month.ts";
import { SECTIONS } from "../../../core/block/section.ts";
import { MONTH_GAP_BYTES, MONTH_INDEX_BYTES } from "../../../core/limits.ts";

const part = fc.uint8Array({ maxLength: 40 });
const parts = fc.array(part, { minLength: 1 + SECTIONS.length, maxLength: 1 + SECTIONS.length });
const block = fc.record({ events: fc.string({ maxLength: 90 }), versions: fc.string({ maxLength: 190 }), parts });

test("[BLK-11] a month file has of each block its lists and its parts, to the byte, and its index says where", () => {
  fc.assert(
    fc.property(
      fc.subarray([...blocksOfMonth(monthOf(20_507))], { minLength: 1 }),
      fc.array(block, { minLength: 3, maxLength: 3 }),
      (firsts, made) => {
        const blocks = firsts.map((firstDay, at) => ({ firstDay, ...(made[at] as (typeof made)[number]) }));
        const { bytes, spans } = encodeMonth({ merchant: 7, partition: "pool-3", blocks });
        for (const [at, { parts: own }] of blocks.entries())
          expect(spans[at]?.map(([offset, length]) => bytes.slice(offset, offset + length))).toEqual(own);
        const read = readMonthIndex(bytes.subarray(0, MONTH_INDEX_BYTES));
        expect(read).toEqual({
          merchant: 7,
          partition: "pool-3",
          blocks: blocks.map(({ parts: _, ...named }, at) => ({ ...named, spans: spans[at] })),
        });
      },
    ),
  );
});

test("[BLK-11] a month begins at a multiple of thirty Days, and blocks of two months are not in one file", () => {
  expect([monthOf(20_490), monthOf(20_519), monthOf(20_520)]).toEqual([20_490, 20_490, 20_520]);
  expect(blocksOfMonth(20_490)).toEqual([20_490, 20_500, 20_510]);
  const one = { events: "", versions: "", parts: [] };
  const blocks = [
    { firstDay: 20_510, ...one },
    { firstDay: 20_520, ...one },
  ];
  expect(() => encodeMonth({ merchant: 1, partition: "pool-0", blocks })).toThrow("blocks of one month");
});

test.each([
  ["nothing", [], []],
  ["an empty part", [[5, 0]], []],
  [
    "parts side by side",
    [
      [10, 5],
      [0, 10],
    ],
    [[0, 15]],
  ],
  [
    "parts with a gap that is quicker read",
    [
      [0, 10],
      [10 + MONTH_GAP_BYTES, 5],
    ],
    [[0, 15 + MONTH_GAP_BYTES]],
  ],
  [
    "parts far apart",
    [
      [0, 10],
      [11 + MONTH_GAP_BYTES, 5],
    ],
    [
      [0, 10],
      [11 + MONTH_GAP_BYTES, 5],
    ],
  ],
  [
    "a part in another",
    [
      [0, 100],
      [10, 5],
    ],
    [[0, 100]],
  ],
] as const)("[BLK-12] what is read of a file for %s", (_, spans, ranges) => {
  expect(rangesOf(spans)).toEqual(ranges);
});

test("[BLK-3] a month file of a version that this release does not know is refused", () => {
  expect(() => readMonthIndex(new Uint8Array([2, 0, 0]))).toThrow("month file version 2");
});
