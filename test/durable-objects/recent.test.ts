// What a partition goes through when somebody asks for a merchant's events that may not be archived: of what others
// have sent it parses nothing, and it says how much of the merchant's it has gone through.

import { expect, test } from "vitest";
import { recentEvents } from "../../durable-objects/recent.ts";
import { settingsOf } from "../support/events.ts";
import { TestPartition } from "../support/partition.ts";

const ALL = { from: 0, to: 1e6 };

test("[LIM-8] a merchant's recent events are all there, and rows of others are not gone through", async () => {
  const it = new TestPartition();
  for (const merchant of [2, 12, 120]) it.settings.set(merchant, settingsOf("UTC", { merchant }));
  let sent = 0;
  // Numbers that look like another merchant's do not matter.
  const send = (merchant: number, count: number) =>
    it.send(Array.from({ length: count }, () => ({ merchant, id: `${++sent}`, url: "https://a.example/,0,12," })));
  await send(1, 3);
  for (let times = 0; times < 20; times++) await send(2, 50);
  await send(120, 5);
  await send(1, 4);
  const own = recentEvents(it.partition, { merchant: 1, ...ALL });
  if (own === "too many") throw new Error(own);
  expect(own.rows.map(({ position }) => position)).toEqual([1, 2, 3, 1_009, 1_010, 1_011, 1_012]);
  expect(own.looked).toBe(7);
  const flooded = recentEvents(it.partition, { merchant: 2, ...ALL });
  expect(flooded === "too many" ? 0 : [flooded.rows.length, flooded.looked]).toEqual([1_000, 1_000]);
  const none = recentEvents(it.partition, { merchant: 12, ...ALL });
  expect(none === "too many" ? none : none.rows).toEqual([]);
});
