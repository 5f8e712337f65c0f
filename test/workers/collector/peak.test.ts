// A whole peak overflows: every partition turns away every hit of a second of the plan's peak, at many isolates at
// once. Collector, messages, consumer and partitions are the production code, on a clock that is set by hand; a queue
// is a list that takes no more messages a second than the platform's does.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { partitionOf } from "../../../core/counting/placement.ts";
import type { Arrival } from "../../../core/event.ts";
import { zeroMeter } from "../../../core/meter.ts";
import { append } from "../../../durable-objects/append.ts";
import { deliverBody } from "../../../queues/overflow.ts";
import { packOverflow, unpackOverflow } from "../../../storage/overflow-message.ts";
import { deliver } from "../../../workers/collector/deliver.ts";
import { OverflowGate, type OverflowRoad } from "../../../workers/collector/overflow.ts";
import { eventOf, settingsOf, TUESDAY } from "../../support/events.ts";
import { TestPartition } from "../../support/partition.ts";
import { seededRandom } from "../../support/random.ts";

const HITS = 60_000;
const ISOLATES = 500;
const MERCHANTS = 400;
const POOL_SIZE = 4;
const QUEUES = 4;
/** The platform's, of one queue. */
const MESSAGES_PER_SECOND = 5_000;
const SECRET = "secret";

beforeEach(() => void vi.useFakeTimers({ now: TUESDAY }));
afterEach(() => void vi.useRealTimers());

test("[OVF-9] 60,000 hits of one second overflow at 500 isolates: none is refused, each is counted once", {
  timeout: 120_000,
}, async () => {
  const queues: Uint8Array[][] = Array.from({ length: QUEUES }, () => []);
  let messages = 0;
  const road: OverflowRoad = {
    note: async () => {},
    settle: async () => {},
    pack: (overflow) => packOverflow(overflow, SECRET),
    queues: queues.map((queue) => async (message) => {
      if (queue.length >= MESSAGES_PER_SECOND) throw new Error("Too Many Requests");
      queue.push(message);
    }),
    newId: () => `message ${messages++}`,
    wait: (ms) => new Promise((settle) => setTimeout(settle, ms)),
    now: () => Date.now(),
    later: (work) => void work,
    log: () => {},
  };
  const random = seededRandom(11);
  const gates = Array.from({ length: ISOLATES }, () => new OverflowGate());
  const fates: string[] = [];
  const hit = async (number: number) => {
    const arrival = arrivalOf(number, random.integer(1, MERCHANTS));
    const gate = random.pick(gates);
    const [fate] = await deliver(partitionOf(arrival, [], POOL_SIZE), [arrival], {
      append: async () => "overloaded",
      overflow: (part) => gate.send(part, road),
      log: () => {},
    });
    fates.push(String(fate));
  };
  const answers: Promise<void>[] = [];
  for (let number = 0; number < HITS; number++) {
    if (number % (HITS / 1_000) === 0) await vi.advanceTimersByTimeAsync(1);
    answers.push(hit(number));
  }
  await vi.advanceTimersByTimeAsync(1_000);
  await Promise.all(answers);
  expect(new Set(fates)).toEqual(new Set(["accepted"]));
  const sent = queues.flat();
  console.log(
    `peak: ${HITS} hits overflowed as ${sent.length} messages, ${Math.max(...queues.map(({ length }) => length))} of them in one queue`,
  );
  expect(sent.length).toBeLessThan((QUEUES * MESSAGES_PER_SECOND) / 2);

  // Partitions take again what comes. A third of the messages come twice.
  const partitions = Array.from({ length: POOL_SIZE }, (_, at) => openPartition(`pool-${at}`));
  let counted = 0;
  const appendTo = async (name: string, arrivals: readonly Arrival[]) => {
    const it = partitions[Number(name.slice("pool-".length))] as TestPartition;
    it.now += 20; // a message after the other, no faster than a partition takes
    const reply = await append(it.partition, arrivals);
    if (reply === "overloaded") throw new Error(`${name} is overloaded`);
    counted += reply.filter((one) => one === "accepted").length;
    return reply;
  };
  const deps = {
    append: appendTo,
    unpack: (bytes: Uint8Array) => unpackOverflow(bytes, [SECRET]),
    note: async () => {},
    settle: async () => {},
    poolSize: POOL_SIZE,
    now: () => Date.now(),
    meter: zeroMeter(),
    log: () => {},
  };
  for (const [at, message] of sent.entries()) {
    await deliverBody(message, deps);
    if (at % 3 === 0) await deliverBody(message, deps);
  }
  expect(counted).toBe(HITS);
});

function arrivalOf(number: number, merchant: number): Arrival {
  const now = Date.now();
  const event = eventOf({
    id: `hit ${number}`,
    merchant,
    timestamp: now,
    receivedAt: now,
    url: "https://shop.example/",
  });
  return { event, address: `203.0.113.${number % 250}`, floating: false };
}

function openPartition(name: string): TestPartition {
  const it = new TestPartition(name, POOL_SIZE);
  for (let merchant = 1; merchant <= MERCHANTS; merchant++) it.settings.set(merchant, settingsOf("UTC", { merchant }));
  it.now = TUESDAY + 60_000;
  return it;
}
