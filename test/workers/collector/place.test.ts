// How the collector finds a hot merchant's partitions: by being told, once.

import { expect, test } from "vitest";
import { partitionOf, partitionsOf } from "../../../core/counting/placement.ts";
import type { Arrival } from "../../../core/event.ts";
import { SPREADS_KNOWN_MAX } from "../../../core/limits.ts";
import type { Nearby } from "../../../core/region.ts";
import type { AppendReply } from "../../../durable-objects/rpc.ts";
import { place, SpreadMemory } from "../../../workers/collector/place.ts";
import { eventOf, TUESDAY } from "../../support/events.ts";

const POOL_SIZE = 4;
const SPREAD = [{ from: 0, partitions: 3 }];
const [POOL] = partitionsOf({ merchant: 1 }, { poolSize: POOL_SIZE, regions: [] }) as [string];

test("[SPR-3] what was sent to the wrong partition goes on to the right ones, and the next hits there at once", async () => {
  const { calls, send } = world();
  const arrivals = Array.from({ length: 30 }, (_, index) => arrivalOf(`${index}`.padStart(16, "0")));
  expect(await send(arrivals)).toEqual(arrivals.map(() => "accepted"));
  expect(calls.map(([name]) => name).sort()).toEqual(["merchant-1-0", "merchant-1-1", "merchant-1-2", POOL]);
  expect(calls.slice(1).reduce((sum, [, count]) => sum + count, 0)).toBe(30);
  calls.length = 0;
  await send(arrivals.slice(0, 1));
  expect(calls).toEqual([[partitionOf(arrivals[0] as Arrival, SPREAD, POOL_SIZE), 1]]);
});

test("[SPR-3] fates keep the order of the events, also where only some of them had to go on", async () => {
  const { send } = world();
  const arrivals = [arrivalOf("a"), { ...arrivalOf("b", 2) }, arrivalOf("c")];
  const fates = await send(arrivals);
  expect(fates).toEqual(["accepted", { dropped: "bot" }, "accepted"]);
});

test("[SPR-3] partitions that do not agree are not asked for ever: the events overflow", async () => {
  const { calls, overflowed, send } = world();
  expect(await send([arrivalOf("a")], () => ({ moved: { merchant: 1, version: 9, spread: [] } }))).toEqual([
    "accepted",
  ]);
  expect(calls).toHaveLength(3);
  expect(overflowed).toEqual([1]);
});

test("[SPR-3] an isolate remembers the newest it heard, of so many merchants", () => {
  const spreads = new SpreadMemory();
  spreads.learn({ merchant: 1, version: 3, spread: SPREAD });
  spreads.learn({ merchant: 1, version: 2, spread: [] });
  expect(spreads.of(1)).toBe(SPREAD);
  for (let merchant = 2; merchant <= SPREADS_KNOWN_MAX; merchant++)
    spreads.learn({ merchant, version: 1, spread: SPREAD });
  expect(spreads.of(1)).toBe(SPREAD);
  spreads.learn({ merchant: SPREADS_KNOWN_MAX + 1, version: 1, spread: SPREAD });
  expect(spreads.of(1)).toEqual([]);
});

test("[REG-1] a client's hits go to the partitions of its region, those from before regions were to the others", async () => {
  const { calls, send } = world({ region: "weur", from: TUESDAY });
  const arrivals = [TUESDAY - 1, TUESDAY].map((timestamp) => {
    const arrival = arrivalOf("a");
    return { ...arrival, event: { ...arrival.event, timestamp } };
  });
  await send(arrivals, () => "accepted");
  expect(calls.map(([name]) => name)).toEqual([POOL, `${POOL}-weur`]);
});

/** Partitions that know how merchant 1 is spread; merchant 2's drops what comes. */
function world(nearby?: Nearby) {
  const calls: [string, number][] = [];
  const overflowed: number[] = [];
  const spreads = new SpreadMemory();
  const answer = (name: string, arrival: Arrival) => {
    if (arrival.event.merchant !== 1) return { dropped: "bot" } as const;
    const isHere = partitionOf(arrival, SPREAD, POOL_SIZE) === name;
    return isHere ? ("accepted" as const) : { moved: { merchant: 1, version: 2, spread: SPREAD } };
  };
  const send = (arrivals: readonly Arrival[], fate: (name: string, arrival: Arrival) => unknown = answer) => {
    const append = async (name: string, own: readonly Arrival[]) => {
      calls.push([name, own.length]);
      return own.map((arrival) => fate(name, arrival)) as unknown as AppendReply;
    };
    const overflow = async ({ arrivals: own }: { readonly arrivals: readonly Arrival[] }) =>
      void overflowed.push(own.length);
    return place(arrivals, { spreads, poolSize: POOL_SIZE, nearby, delivery: { append, overflow, log: () => {} } });
  };
  return { calls, overflowed, send };
}

function arrivalOf(visitor: string, merchant = 1): Arrival {
  return { event: eventOf({ merchant, visitor }), address: "203.0.113.1", floating: false };
}
