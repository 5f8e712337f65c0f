// Blocks: that nothing is lost, that each part is read alone, what a golden block of each version says, and bytes that
// are none.

import { Buffer } from "node:buffer";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  BLOCK_VERSION,
  type BlockDay,
  blockOf,
  encodeBlock,
  partsOf,
  readDays,
  readHead,
  toDayRow,
  toHourRow,
} from "../../../core/block/block.ts";
import { toBlockDay } from "../../../core/block/closed-day.ts";
import { SECTIONS } from "../../../core/block/section.ts";
import { replay } from "../../../core/counting/replay.ts";
import { ALL_DIMENSIONS } from "../../../core/counting/rollup.ts";
import { breakdownOf, type RollupRow, thinned } from "../../../core/counting/rollup-row.ts";
import { BLOCK_DAYS } from "../../../core/limits.ts";
import { DAY_MS, HOUR_MS } from "../../../core/time.ts";
import { anyBlock } from "../../support/block-days.ts";
import { always, CHROME, eventOf, GOOGLEBOT, IPHONE, settingsOf } from "../../support/events.ts";

const GOLDEN = join(import.meta.dirname, "../../golden/block");
const FIRST = 20_500;

function partAt(parts: readonly Uint8Array[], only?: readonly number[]): (place: number) => Uint8Array {
  return (place) => {
    if (only !== undefined && !only.includes(place)) throw new Error(`part ${place} was not to be read`);
    return parts[place] as Uint8Array;
  };
}

test("[BLK-1] whatever Days hold comes out of a block as it went in, to the byte", () => {
  fc.assert(
    fc.property(anyBlock, (days) => {
      expect(readDays(partAt(encodeBlock(days)), ALL_DIMENSIONS)).toEqual(days);
    }),
    { numRuns: 80 },
  );
});

test("[BLK-2] a question reads the head and the parts of its dimensions, and no other", () => {
  expect(partsOf([])).toEqual([0]);
  expect(partsOf(["exit_page", "page"])).toEqual([0, 1, 2]);
  fc.assert(
    fc.property(anyBlock, fc.subarray([...ALL_DIMENSIONS], { maxLength: 2 }), (days, dimensions) => {
      const parts = encodeBlock(days);
      expect(parts.length).toBe(1 + SECTIONS.length);
      const read = readDays(partAt(parts, partsOf(dimensions)), dimensions);
      const wanted = days.map(({ breakdowns, ...day }) => {
        const own = Object.entries(breakdowns).filter(([name]) => (dimensions as string[]).includes(name));
        return { ...day, breakdowns: Object.fromEntries(own) };
      });
      expect(read).toEqual(wanted);
      expect(readHead(parts[0] as Uint8Array)).toEqual(days.map(({ breakdowns: _, ...head }) => head));
    }),
    { numRuns: 60 },
  );
});

/** A shop's Days as events make them: cut by nothing, with orders, a bot, a visitor that comes again. */
function storyRows(): readonly RollupRow[] {
  const told = Array.from({ length: 60 }, (_, at) => {
    const isSale = at % 12 === 7;
    return eventOf({
      id: `e${at}`,
      timestamp: (FIRST + (at % 3)) * DAY_MS + 9 * HOUR_MS + at * 1_100_000,
      visitor: `${at % 2 === 0 ? "00000000000000" : "1f00000000000"}${at % 7}${at % 2 === 0 ? "1" : "02"}`.slice(0, 16),
      visitorKind: at % 2 === 0 ? "daily" : "known",
      url: `https://shop.example/products/${["mat", "mug", "über-uns"][at % 3]}?utm_source=${at % 5 === 0 ? "news" : ""}`,
      referrer: at % 4 === 0 ? "https://www.google.com/" : "",
      userAgent: at === 20 ? GOOGLEBOT : at % 3 === 0 ? IPHONE : CHROME,
      country: ["AT", "DE", "IN"][at % 3] as string,
      ...(isSale && { name: "purchase", order: `A${at}`, revenue: 125_000, currency: at % 24 === 7 ? "USD" : "EUR" }),
      ...(isSale && { products: '[{"id":"A","name":"Mat","price":12.5,"quantity":1}]' }),
    });
  });
  const rules = always({ goals: [{ name: "bought", event: "purchase" }] });
  return replay(
    told.map((event, position) => ({ event, position, partition: "pool-0" })),
    () => settingsOf("Europe/Vienna", { rules }),
  );
}

function storyDays(): readonly BlockDay[] {
  const rows = storyRows();
  const days = rows.filter(({ grain }) => grain === "day").sort((a, b) => a.day - b.day);
  return days.map((day) =>
    toBlockDay(
      day,
      rows.filter((row) => row.grain === "hour" && row.day === day.day),
    ),
  );
}

test("[BLK-1] a Day's rollup comes out as it was, and its Hours as totals", () => {
  const rows = storyRows();
  const place = { merchant: 1, partition: "pool-0" };
  const read = readDays(partAt(encodeBlock(storyDays())), ALL_DIMENSIONS);
  const days = rows.filter(({ grain }) => grain === "day").sort((a, b) => a.day - b.day);
  expect(days.length).toBeGreaterThan(2);
  expect(read.map((day) => toDayRow(place, day))).toEqual(days);
  const hours = read.flatMap((day) => day.hours.map((hour) => toHourRow(place, day, hour)));
  const held = rows.filter(({ grain }) => grain === "hour").sort((a, b) => a.bucket - b.bucket);
  expect(hours).toEqual(held.map(thinned));
});

interface GoldenBlock {
  readonly version: number;
  /** base64 of each part. */
  readonly parts: readonly string[];
}

test("[BLK-3] a block of each version is read for ever", () => {
  const days = storyDays();
  const file = join(GOLDEN, `version-${BLOCK_VERSION}.json`);
  if (process.env["GOLDEN"] === "write") {
    const parts = encodeBlock(days).map((part) => Buffer.from(part).toString("base64"));
    writeFileSync(file, `${JSON.stringify({ version: BLOCK_VERSION, parts } satisfies GoldenBlock, null, 2)}\n`);
  }
  const names = readdirSync(GOLDEN);
  expect(names).toContain(`version-${BLOCK_VERSION}.json`);
  for (const name of names) {
    const { parts } = JSON.parse(readFileSync(join(GOLDEN, name), "utf8")) as GoldenBlock;
    const bytes = parts.map((part) => new Uint8Array(Buffer.from(part, "base64")));
    expect(readDays(partAt(bytes), ALL_DIMENSIONS)).toEqual(days);
    if (name === `version-${BLOCK_VERSION}.json`) expect(encodeBlock(days)).toEqual(bytes);
  }
  const [day] = readDays(partAt(encodeBlock(days)), ["page"]);
  const pages = breakdownOf(toDayRow({ merchant: 1, partition: "pool-0" }, day as BlockDay), "page");
  expect(pages.entries.map(({ value }) => value)).toContain("/products/mat");
});

test("[BLK-4] bytes that are cut or changed are refused, or are some Days: nothing hangs, and nothing is read past the end", () => {
  const parts = encodeBlock(storyDays());
  for (const [place, part] of parts.entries()) {
    const changed = (bytes: Uint8Array) => partAt(parts.with(place, bytes));
    for (let length = 0; length < part.length; length += length < 200 ? 1 : 7)
      expect(() => readDays(changed(part.subarray(0, length)), ALL_DIMENSIONS)).toThrow();
    expect(() => readDays(changed(Uint8Array.from([...part, 0])), ALL_DIMENSIONS)).toThrow(/ends where its bytes do/);
    expect(() => readDays(changed(Uint8Array.from([9, ...part.subarray(1)])), ALL_DIMENSIONS)).toThrow(/version 9/);
  }
  fc.assert(
    fc.property(
      fc.nat(parts.length - 1),
      fc.nat(),
      fc.uint8Array({ minLength: 1, maxLength: 4 }),
      (place, at, more) => {
        const bytes = Uint8Array.from(parts[place] as Uint8Array);
        bytes.set(more.subarray(0, bytes.length), at % Math.max(1, bytes.length - more.length));
        try {
          expect(readDays(partAt(parts.with(place, bytes)), ALL_DIMENSIONS).length).toBeLessThanOrEqual(
            bytes.length + 3,
          );
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
        }
      },
    ),
    { numRuns: 400 },
  );
});

test("[BLK-5] blocks begin at the multiples of ten Days", () => {
  expect(BLOCK_DAYS).toBe(10);
  expect([20_500, 20_509, 20_510, -1].map(blockOf)).toEqual([20_500, 20_500, 20_510, -10]);
});
