// Since when the numbers that the ledger has of a merchant are what they are, as a partition says it.

import { expect, test } from "vitest";
import { ALL_MERCHANTS, CHANGE_TAKES_MS, SEAL_AFTER_MS } from "../../core/limits.ts";
import { DAY_MS } from "../../core/time.ts";
import { changedAt, noteChange } from "../../durable-objects/change.ts";
import { live } from "../../durable-objects/live.ts";
import { eventOf, settingsOf, TUESDAY } from "../support/events.ts";
import { TestPartition } from "../support/partition.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);

function open(): TestPartition {
  const it = new TestPartition();
  for (const merchant of [1, 2]) it.settings.set(merchant, settingsOf("UTC", { merchant }));
  it.now = (DAY + 3) * DAY_MS + SEAL_AFTER_MS;
  return it;
}

test("[RMA-3] a change that was announced is under way for an hour, and then has an instant of its own, also after a restart", () => {
  const it = open();
  expect([1, 2].map((merchant) => changedAt(it.partition, merchant))).toEqual([0, 0]);
  noteChange(it.partition, [1]);
  expect([1, 2].map((merchant) => changedAt(it.partition, merchant))).toEqual([undefined, 0]);
  it.restart();
  expect(changedAt(it.partition, 1)).toBeUndefined();
  it.now += CHANGE_TAKES_MS;
  const first = changedAt(it.partition, 1) as number;
  expect(first).toBeGreaterThan(0);
  it.now -= 2 * CHANGE_TAKES_MS; // a clock that goes back names no instant twice
  noteChange(it.partition, [1]);
  it.now += 4 * CHANGE_TAKES_MS;
  expect(changedAt(it.partition, 1)).toBeGreaterThan(first);
  noteChange(it.partition, [ALL_MERCHANTS]);
  expect([1, 2].map((merchant) => changedAt(it.partition, merchant))).toEqual([undefined, undefined]);
});

test("[RMA-3] an event of a closed Day changes the numbers of its merchant, once for each Day until the archive has it", async () => {
  const it = open();
  const said = () => live(it.partition, { merchant: 1, grain: "day", from: 0, to: DAY + 9, dimensions: [] });
  await it.send([eventOf({ merchant: 1, id: "a", timestamp: TUESDAY })]);
  expect(said()).toMatchObject({ late: [DAY], changedAt: undefined });
  it.now += CHANGE_TAKES_MS;
  const first = said().changedAt;
  await it.send([eventOf({ merchant: 1, id: "b", timestamp: TUESDAY })]);
  expect(said().changedAt).toBe(first);
  await it.send([eventOf({ merchant: 1, id: "c", timestamp: TUESDAY - DAY_MS })]);
  expect(said().changedAt).toBeUndefined();
});
