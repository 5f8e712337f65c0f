// Whoever knows a shop's tracking ID sends orders of fifty products, always the same ones. The lines of all of them
// were settled in one piece by each question about that Day, and written as one text by its seal, whose isolate died of
// it again and again: the Day of all neighbours in the partition stayed unsealed.

import { expect, test, vi } from "vitest";
import { blockOf, joinBlocks } from "../../core/archive/event-columns.ts";
import { DERIVED_COLUMN_MAX, DERIVED_LINES_MAX, SLICE_EVENTS } from "../../core/limits.ts";
import { seeColumns } from "../../core/query/seen.ts";
import { DAY_MS } from "../../core/time.ts";
import { MerchantRows } from "../../queues/derive.ts";
import { eventOf, settingsOf, TUESDAY } from "../support/events.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const UNDER = { settings: settingsOf("UTC"), global: [] };
const PRODUCTS = JSON.stringify(Array.from({ length: 50 }, (_, at) => ({ id: `x${at}` })));
const BLOCK = 500;

/** Events with the same fifty products, in blocks. */
function blocksOf(count: number, changes: (at: number) => object) {
  return Array.from({ length: Math.ceil(count / BLOCK) }, (_, block) =>
    blockOf(
      Array.from({ length: Math.min(BLOCK, count - block * BLOCK) }, (__, index) => {
        const at = block * BLOCK + index;
        const event = eventOf({ id: `e${at}`, timestamp: TUESDAY + at, products: PRODUCTS, ...changes(at) });
        return { partition: "pool-0", position: at, event };
      }),
    ),
  );
}

const order = (at: number) => ({ name: "purchase", order: `o${at}` });

function derived(count: number, changes: (at: number) => object) {
  const rows = new MerchantRows();
  for (const block of blocksOf(count, changes)) rows.add(block);
  return rows.derive({ day: DAY, partition: "pool-0" }, UNDER, { log: () => expect.unreachable() });
}

test("[SCN-10] a seal derives nothing of a merchant whose orders have more lines than a column holds", () => {
  const fit = DERIVED_LINES_MAX / 50;
  expect(derived(0.5 * fit, order)).toBeDefined();
  // And it does not find that out by making a text of them all.
  const written = vi.spyOn(JSON, "stringify");
  expect(derived(10 * fit, order)).toBeUndefined();
  const longest = Math.max(0, ...written.mock.results.map(({ value }) => String(value).length));
  written.mockRestore();
  expect(longest).toBeLessThan(DERIVED_COLUMN_MAX);
  // Product events are not orders, and are written as they came.
  expect(derived(2 * fit, () => ({ name: "view_item" }))).toBeDefined();
});

test("[LIM-12] a question settles orders slice by slice", () => {
  const count = 1_000;
  const slicesOf = (changes: (at: number) => object) => {
    const work = seeColumns({ rows: joinBlocks(blocksOf(count, changes)), day: DAY }, UNDER);
    let slices = 1;
    while (work.next().done !== true) slices += 1;
    return slices;
  };
  // A line takes as long as looking at an event.
  expect(slicesOf(order) - slicesOf(() => ({}))).toBeGreaterThan((0.2 * 50 * count) / SLICE_EVENTS - 2);
});
