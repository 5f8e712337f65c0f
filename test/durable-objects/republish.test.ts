// A partition whose ledger was lost: what it holds is published once more, and answered from here until then.

import { expect, test } from "vitest";
import type { RollupRow } from "../../core/counting/rollup-row.ts";
import { DAY_MS } from "../../core/time.ts";
import { live } from "../../durable-objects/live.ts";
import { publish } from "../../durable-objects/publish.ts";
import { republish } from "../../durable-objects/republish.ts";
import { settingsOf, TUESDAY } from "../support/events.ts";
import { TestPartition } from "../support/partition.ts";

const HOUR_MS = 3_600_000;
const DAY = Math.floor(TUESDAY / DAY_MS);

/** What a row says, whatever position it was made at. */
function rowsOf(rows: readonly RollupRow[]) {
  const key = ({ merchant, grain, bucket }: RollupRow) => `${merchant} ${grain} ${String(bucket).padStart(14, "0")}`;
  return new Map(rows.map(({ version: _, ...row }): [string, object] => [key(row as RollupRow), row]).sort());
}

test("[RCV-7] all rollups of open Days are published once more, with what they said, through a restart too", async () => {
  const it = new TestPartition();
  for (const merchant of [1, 2]) it.settings.set(merchant, settingsOf("UTC", { merchant }));
  const bots = { userAgent: "Googlebot/2.1", id: "bot" };
  await it.send([
    { merchant: 1, id: "a" },
    { merchant: 2, id: "b" },
    { merchant: 1, ...bots },
  ]);
  it.now += HOUR_MS;
  await it.send([
    { merchant: 1, id: "c", visitor: "" },
    { merchant: 1, id: "d", name: "signup" },
  ]);
  it.now = (DAY + 1) * DAY_MS + HOUR_MS;
  await publish(it.partition);
  const published = rowsOf(it.published);
  expect(published.size).toBeGreaterThan(4);
  const request = { merchant: 1, from: DAY, to: DAY + 1, dimensions: ["page" as const] };
  expect(live(it.partition, { ...request, grain: "day" }).rows).toEqual([]);
  for (let time = 0; time < 2; time++) {
    it.published.length = 0;
    expect(await republish(it.partition)).toEqual([{ day: DAY, merchants: expect.arrayContaining([1, 2]) }]);
    it.restart();
    expect(live(it.partition, { ...request, grain: "day" }).rows).toHaveLength(1);
    await publish(it.partition);
    expect(rowsOf(it.published)).toEqual(published);
  }
});
