// What a replay says of rows that differ: which numbers, and which differences are none yet because the archive is
// behind.

import { describe, expect, test } from "vitest";
import { differencesOf, heldRows } from "../../../core/counting/difference.ts";
import { replay } from "../../../core/counting/replay.ts";
import { encodeBreakdown } from "../../../core/counting/rollup.ts";
import type { RollupRow } from "../../../core/counting/rollup-row.ts";
import type { Event } from "../../../core/event.ts";
import { eventOf, GOOGLEBOT, settingsOf, TUESDAY } from "../../support/events.ts";

const rowsOf = (events: readonly Event[]): readonly RollupRow[] =>
  replay(
    events.map((event, index) => ({ partition: "pool-0", position: index + 1, event })),
    () => settingsOf(),
  );
const EVENTS = [
  eventOf({ id: "a", visitor: "00000000000000aa", url: "https://shop.example/cart", revenue: 10 }),
  eventOf({ id: "b", visitor: "10000000000000bb", url: "https://shop.example/", timestamp: TUESDAY + 60_000 }),
  eventOf({ id: "c", visitor: "", userAgent: GOOGLEBOT }),
];
const ROWS = rowsOf(EVENTS);
const DAY = ROWS.find(({ grain }) => grain === "day") as RollupRow;
const published = (rows: readonly RollupRow[]) => heldRows({ stored: rows, live: [] });
const compare = (held: RollupRow, archivedPosition = 100) =>
  differencesOf({ held: published([held]), replayed: [DAY], archivedPosition, day: DAY.day });

test("[RPL-1] rows of the same events do not differ, in whatever order they were counted", () => {
  const held = published(rowsOf([...EVENTS]));
  expect(differencesOf({ held, replayed: [...ROWS].reverse(), archivedPosition: 100, day: DAY.day })).toEqual([]);
});

describe("[RPL-2] a difference names the bucket and each number on both sides", () => {
  const without = (id: string) =>
    rowsOf(EVENTS.filter((event) => event.id !== id)).find(({ grain }) => grain === "day") as RollupRow;
  const cases: readonly (readonly [string, RollupRow, object])[] = [
    ["a counter", { ...DAY, counts: { ...DAY.counts, pageviews: 9 } }, { what: "pageviews", held: 9, replayed: 2 }],
    ["a drop", { ...DAY, drops: {} }, { what: "dropped bot", held: 0, replayed: 1 }],
    ["the sketch", { ...DAY, sketch: without("a").sketch }, expect.objectContaining({ what: "sketch" })],
    [
      "a value of a breakdown",
      { ...DAY, breakdowns: { ...DAY.breakdowns, page: without("a").breakdowns.page as Uint8Array } },
      { what: "page=/cart visitors", held: 0, replayed: 1 },
    ],
    [
      "a breakdown that is not there",
      { ...DAY, breakdowns: { ...DAY.breakdowns, browser: encodeBreakdown({ cut: false, entries: [] }) } },
      { what: "browser=Chrome visitors", held: 0, replayed: 2 },
    ],
  ];
  test.each(cases)("[RPL-2] %s", (_, held, mismatch) => {
    const [difference, ...more] = compare(held);
    expect(more).toEqual([]);
    expect(difference).toMatchObject({ merchant: 1, grain: "day", bucket: DAY.day, inDoubt: false });
    expect(difference?.mismatches[0]).toEqual(mismatch);
  });
});

test("[RPL-2] other visitors who live one Day show although every counter is the same", () => {
  const daily = (visitor: string) =>
    rowsOf([eventOf({ id: "a", visitor, visitorKind: "daily" })]).find(({ grain }) => grain === "day") as RollupRow;
  const [held, replayed] = [daily("00000000000000aa"), daily("00000000000000ab")];
  expect(held.sketch).toEqual(replayed.sketch);
  const compared = { held: published([held]), replayed: [replayed], archivedPosition: 100, day: held.day };
  expect(differencesOf(compared).map(({ mismatches }) => mismatches.map(({ what }) => what))).toEqual([["presence"]]);
});

test("[RPL-3] a row that nobody holds and a row that no event explains are differences", () => {
  const missing = differencesOf({ held: [], replayed: [DAY], archivedPosition: 100, day: DAY.day });
  expect(missing).toMatchObject([{ held: undefined, inDoubt: false, replayed: DAY }]);
  const extra = differencesOf({ held: published([DAY]), replayed: [], archivedPosition: 100, day: DAY.day });
  expect(extra).toMatchObject([{ inDoubt: false, replayed: { counts: { visitors: 0 }, drops: {} } }]);
});

test("[RPL-4] a bucket with an event the archive may not have yet is in doubt; one that agrees is not", () => {
  const held = { ...DAY, version: 50, counts: { ...DAY.counts, events: 7 } };
  expect(compare(held, 50)).toMatchObject([{ inDoubt: true }]);
  expect(compare(held, 51)).toMatchObject([{ inDoubt: false }]);
  expect(compare({ ...DAY, version: 50 }, 50)).toEqual([]);
  const counted = { held: published([{ ...held, version: 40 }]), replayed: [{ ...DAY, version: 50 }] };
  expect(differencesOf({ ...counted, archivedPosition: 50, day: DAY.day })).toMatchObject([{ inDoubt: true }]);
  expect(differencesOf({ ...counted, held: [], archivedPosition: 50, day: DAY.day })).toMatchObject([
    { inDoubt: true },
  ]);
});

test("[RPL-5] of two rows of a bucket the one a reader uses is compared", () => {
  const older = { ...DAY, version: 1, counts: { ...DAY.counts, events: 1 } };
  expect(heldRows({ stored: [older], live: [DAY] })).toEqual([{ row: DAY, published: false }]);
  expect(heldRows({ stored: [DAY], live: [older] })).toEqual([{ row: DAY, published: true }]);
  expect(heldRows({ stored: [DAY], live: [DAY] })).toEqual([{ row: DAY, published: false }]);
});
