// The overflow consumer, message by message: what it delivers, what it leaves for later, and for how much later.

import { describe, expect, test } from "vitest";
import { partitionOf } from "../../core/counting/placement.ts";
import type { Arrival } from "../../core/event.ts";
import { zeroMeter } from "../../core/meter.ts";
import type { OverflowNote } from "../../core/overflow.ts";
import { retryDelaySeconds } from "../../queues/message.ts";
import { deliverOverflow } from "../../queues/overflow.ts";
import { batchOf, deliver, memoryLog } from "../support/delivery.ts";
import { eventOf } from "../support/events.ts";

const QUEUE = "footfall-overflow";
const arrivals: readonly Arrival[] = [{ event: eventOf(), address: "203.0.113.8", floating: false }];

/** A consumer's surroundings in which a partition's name is the message's text, and says how the partition fares. */
function world() {
  const asked: string[] = [];
  const notes: string[] = [];
  const { lines, log } = memoryLog();
  const deps = {
    unpack: (bytes: Uint8Array) => {
      const partition = new TextDecoder().decode(bytes);
      if (partition === "poison") throw new Error("not sealed by us");
      return { id: `of ${partition}`, parts: partition.split(" ").map((name) => ({ partition: name, arrivals })) };
    },
    note: async ({ id }: OverflowNote) => void notes.push(`waits: ${id}`),
    settle: async ({ id }: OverflowNote) => void notes.push(`done: ${id}`),
    append: async (partition: string) => {
      asked.push(partition);
      if (partition === "broken") throw new Error("D1 is down");
      if (partition === "blind") return ["unread"];
      return partition === "busy" ? "overloaded" : ["accepted"];
    },
    meter: zeroMeter(),
    log,
    poolSize: 4,
    now: () => Date.now(),
  };
  return { asked, notes, lines, deps };
}

const message = (id: string, partition: string, attempts = 1) =>
  deliver(id, new TextEncoder().encode(partition), attempts);

describe("the overflow consumer", () => {
  test("[DLQ-1] each message ends on its own", async () => {
    const { asked, lines, deps } = world();
    const messages = ["poison", "fine", "broken", "busy", "fine"].map((name, at) => message(`m${at}`, name));
    await deliverOverflow(batchOf(QUEUE, ...messages), deps);
    const retried = { retriedAfterSeconds: 1 };
    expect(messages.map(({ end }) => end())).toEqual([retried, "acknowledged", retried, retried, "acknowledged"]);
    expect(asked).toEqual(["fine", "broken", "busy", "fine"]);
    expect(lines.map((line) => line.event === "message_failed" && line.message)).toEqual(["m0", "m2", "m3"]);
    expect(JSON.stringify(lines)).not.toContain("203.0.113.8");
    expect(deps.meter.queue_operations).toBe(5 + 2); // a read each, and the deletes
  });

  test("[OVF-8] what was delivered waits no more; what was not is noted, by whom it may not have been", async () => {
    const { notes, deps } = world();
    const messages = ["fine", "broken", "busy", "blind"].map((name, at) => message(`m${at}`, name));
    await deliverOverflow(batchOf(QUEUE, ...messages), deps);
    expect(notes).toEqual(["done: of fine", "waits: of broken", "waits: of busy", "waits: of blind"]);
    const settle = () => Promise.reject(new Error("D1 is down"));
    const again = message("m3", "fine");
    await deliverOverflow(batchOf(QUEUE, again), { ...deps, settle });
    expect(again.end()).toEqual({ retriedAfterSeconds: 1 });
    const unnoted = message("m4", "busy");
    await deliverOverflow(batchOf(QUEUE, unnoted), { ...deps, note: settle });
    expect(unnoted.end()).toEqual({ retriedAfterSeconds: 1 });
  });

  test("[OVF-9] of a message for several partitions each is asked, whatever becomes of the others; then it comes again", async () => {
    const { asked, notes, deps } = world();
    const mixed = message("m", "busy fine broken other");
    await deliverOverflow(batchOf(QUEUE, mixed), deps);
    expect(mixed.end()).toEqual({ retriedAfterSeconds: 1 });
    expect(asked).toEqual(["busy", "fine", "broken", "other"]);
    expect(notes).toEqual(["waits: of busy fine broken other"]);
  });

  test("[SPR-3] what another partition counts by now is delivered to that one", async () => {
    const { deps } = world();
    const spread = [{ from: 0, partitions: 2 }];
    const arrivals = ["a", "b", "c", "d", "e"].map((visitor) => ({
      event: eventOf({ visitor, timestamp: 1 }),
      address: "203.0.113.8",
      floating: false,
    }));
    const taken = new Map<string, string[]>();
    const append = async (name: string, own: readonly Arrival[]) =>
      own.map((arrival) => {
        if (partitionOf(arrival, spread, 4) !== name) return { moved: { merchant: 1, version: 2, spread } };
        taken.set(name, [...(taken.get(name) ?? []), arrival.event.visitor]);
        return "accepted";
      });
    const unpack = () => ({ id: "m", parts: [{ partition: "pool-0", arrivals }] });
    const sent = message("m", "");
    await deliverOverflow(batchOf(QUEUE, sent), { ...deps, append, unpack });
    expect(sent.end()).toBe("acknowledged");
    expect([...taken.keys()].sort()).toEqual(["merchant-1-0", "merchant-1-1"]);
    expect([...taken.values()].flat().sort()).toEqual(["a", "b", "c", "d", "e"]);
    const never = message("n", "");
    const stubborn = async (_: string, own: readonly Arrival[]) =>
      own.map(() => ({ moved: { merchant: 1, version: 2, spread } }));
    await deliverOverflow(batchOf(QUEUE, never), { ...deps, append: stubborn, unpack });
    expect(never.end()).toEqual({ retriedAfterSeconds: 1 });
  });

  test("[OVF-7] what overflowed together comes back spread over the wait, which grows with every attempt", async () => {
    for (const attempts of [2, 5, 9, 50]) {
      const { deps } = world();
      const messages = Array.from({ length: 1_000 }, (_, at) => message(`message ${at}`, "busy", attempts));
      await deliverOverflow(batchOf(QUEUE, ...messages), deps);
      const max = retryDelaySeconds(attempts);
      const halves = [0, 0];
      for (const { end } of messages) {
        const { retriedAfterSeconds: seconds } = end() as { retriedAfterSeconds: number };
        expect(seconds).toBeGreaterThanOrEqual(1);
        expect(seconds).toBeLessThanOrEqual(max);
        halves[seconds > max / 2 ? 1 : 0] = (halves[seconds > max / 2 ? 1 : 0] ?? 0) + 1;
      }
      for (const half of halves) expect(half).toBeGreaterThan(400);
    }
  });
});
