// What a partition takes at once: tables of what merchants ask for in a window, and whether they get it.

import { expect, test } from "vitest";
import type { Arrival } from "../../core/event.ts";
import {
  ADMISSION_WINDOW_MS,
  MERCHANT_EVENTS_PER_WINDOW_MAX as SHARE,
  UNCOMMITTED_BYTES_MAX,
} from "../../core/limits.ts";
import { admit } from "../../durable-objects/admission.ts";
import type { Partition } from "../../durable-objects/state.ts";
import { eventOf, TUESDAY } from "../support/events.ts";

type Ask = readonly [atMs: number, events: Readonly<Record<number, number>>, taken: boolean];

const CASES: readonly (readonly [what: string, asks: readonly Ask[]])[] = [
  [
    "a merchant gets its share in a window and again in the next",
    [
      [0, { 1: SHARE }, true],
      [1, { 1: 1 }, false],
      [ADMISSION_WINDOW_MS, { 1: 1 }, true],
    ],
  ],
  [
    "a flood takes nothing of its neighbours'",
    [
      [0, { 1: SHARE }, true],
      [1, { 1: 500 }, false],
      [2, { 2: SHARE }, true],
      [3, { 3: 1 }, true],
    ],
  ],
  [
    "what was turned away is not counted against the share",
    [
      [0, { 1: SHARE - 10 }, true],
      [1, { 1: 11 }, false],
      [2, { 1: 10 }, true],
      [3, { 1: 1 }, false],
    ],
  ],
  [
    "a first request larger than the share is taken: it must not wait for ever",
    [
      [0, { 1: SHARE + 1 }, true],
      [1, { 1: 1 }, false],
    ],
  ],
  [
    "a request of several merchants is taken whole or not at all",
    [
      [0, { 1: SHARE }, true],
      [1, { 1: 1, 2: SHARE }, false],
      [2, { 2: SHARE }, true],
    ],
  ],
];

test.each(CASES)("[BCK-3] %s", (_, asks) => {
  const partition = emptyPartition();
  for (const [atMs, events, taken] of asks) {
    partition.now = TUESDAY + atMs;
    expect(admit(partition.partition, arrivalsOf(events)), `at ${atMs} ms`).toBe(taken);
  }
});

test("[BCK-3] while too much waits for the disk nobody is taken", () => {
  const { partition } = emptyPartition();
  partition.pendingBytes = UNCOMMITTED_BYTES_MAX + 1;
  expect(admit(partition, arrivalsOf({ 1: 1 }))).toBe(false);
  partition.pendingBytes = 0;
  expect(admit(partition, arrivalsOf({ 1: 1 }))).toBe(true);
});

/** Just what admission looks at. */
function emptyPartition() {
  const clock = { now: TUESDAY };
  const admission = { window: 0, taken: new Map() };
  const partition = {
    pendingBytes: 0,
    admission,
    busy: new Map(),
    settings: new Map(),
    deps: { now: () => clock.now },
  };
  return Object.assign(clock, { partition: partition as unknown as Partition });
}

function arrivalsOf(events: Readonly<Record<number, number>>): readonly Arrival[] {
  return Object.entries(events).flatMap(([merchant, count]) => {
    const event = eventOf({ merchant: Number(merchant) });
    return Array.from({ length: count }, () => ({ event, address: "", floating: false }));
  });
}
