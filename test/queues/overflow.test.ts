// The overflow consumer, message by message: what it delivers, what it leaves for later, and for how much later.

import { describe, expect, test } from "vitest";
import type { Arrival } from "../../core/event.ts";
import { zeroMeter } from "../../core/meter.ts";
import { retryDelaySeconds } from "../../queues/message.ts";
import { deliverOverflow } from "../../queues/overflow.ts";
import { batchOf, deliver, memoryLog } from "../support/delivery.ts";
import { eventOf } from "../support/events.ts";

const QUEUE = "footfall-overflow";
const arrivals: readonly Arrival[] = [{ event: eventOf(), address: "203.0.113.8", floating: false }];

/** A consumer's surroundings in which a partition's name is the message's text, and says how the partition fares. */
function world() {
  const asked: string[] = [];
  const { lines, log } = memoryLog();
  const deps = {
    unpack: (bytes: Uint8Array) => {
      const partition = new TextDecoder().decode(bytes);
      if (partition === "poison") throw new Error("not sealed by us");
      return { partition, arrivals };
    },
    append: async (partition: string) => {
      asked.push(partition);
      if (partition === "broken") throw new Error("D1 is down");
      return partition === "busy" ? "overloaded" : ["accepted"];
    },
    meter: zeroMeter(),
    log,
  };
  return { asked, lines, deps };
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
    expect(lines.map((line) => line["message"])).toEqual(["m0", "m2", "m3"]);
    expect(JSON.stringify(lines)).not.toContain("203.0.113.8");
    expect(deps.meter.queue_operations).toBe(5 + 2); // a read each, and the deletes
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
