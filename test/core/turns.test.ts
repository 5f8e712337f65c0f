// When parts of large requests are worked on.

import { expect, test } from "vitest";
import { LARGE_REQUEST_PARTS_MAX, LARGE_REQUEST_WAIT_MS_MAX, REQUEST_PART_EVERY_MS } from "../../core/limits.ts";
import { KEYLESS, type LargeRequest, Turns } from "../../core/turns.ts";

const AT = Date.parse("2026-11-30T12:00:00Z");
/** Two merchants whose servers send with keys. */
const SHOP = 1;
const OTHER = 2;

test("[BCK-4] parts of a lane come one after the other, with a pause before each", async () => {
  const parts = await partsOf(new Turns(), [{ name: SHOP, parts: 5 }]);
  expect(parts.map(({ at }) => at - AT)).toEqual([1, 2, 3, 4, 5].map((part) => part * REQUEST_PART_EVERY_MS));
});

test("[BCK-4] there is a pause between any two parts, also of many lanes in an isolate that is behind", async () => {
  for (const workMs of [0, 1, 30]) {
    const requests = Array.from({ length: 20 }, (_, at) => ({ name: at % 4, parts: 8 }));
    const parts = await partsOf(new Turns(), requests, workMs);
    expect(parts).toHaveLength(160);
    for (const [index, { at }] of parts.entries()) {
      const before = parts[index - 1];
      if (before !== undefined)
        expect(at - before.at).toBeGreaterThanOrEqual(Math.max(workMs + 1, REQUEST_PART_EVERY_MS));
    }
  }
});

test("[BCK-5] a lane has half of all parts, a second one half of what is left, and is told when to come again", async () => {
  const turns = new Turns();
  const half = LARGE_REQUEST_PARTS_MAX / 2;
  const first = enter(turns, KEYLESS, half);
  expect(first.fullForSeconds).toBe(0);
  expect(enter(turns, KEYLESS, 1).fullForSeconds).toBe(1);
  expect(enter(turns, SHOP, half / 2).fullForSeconds).toBe(0);
  expect(enter(turns, SHOP, 1).fullForSeconds).toBe(1);
  expect(enter(turns, OTHER, half / 4).fullForSeconds).toBe(0);
  await partsOf(turns, [{ name: KEYLESS, parts: half, request: first }]);
  expect(enter(turns, KEYLESS, 32).fullForSeconds).toBe(0);
});

test("[BCK-5] where nothing waits, a request of any size is let in", () => {
  const turns = new Turns();
  expect(enter(turns, SHOP, 10 * LARGE_REQUEST_PARTS_MAX).fullForSeconds).toBe(0);
  expect(enter(turns, OTHER, 1).fullForSeconds).toBeGreaterThan(0);
});

test("[BCK-5] whole requests count when they come, not only the part that each waits for", () => {
  const turns = new Turns();
  let taken = 0;
  for (let request = 0; request < 200; request++) {
    const entered = enter(turns, KEYLESS, 32);
    if (entered.fullForSeconds > 0) continue;
    taken += 1;
    turns.take(entered, AT); // its first part waits
  }
  expect(taken * 32).toBeLessThanOrEqual(LARGE_REQUEST_PARTS_MAX / 2 + 32);
  expect(taken).toBeGreaterThan(5);
});

test("[BCK-5] a neighbour's request beside a lane that is full takes twice as long as alone, behind or not", async () => {
  for (const workMs of [0, 1, 30]) {
    const own = { name: SHOP, parts: 32 };
    const alone = endOf(await partsOf(new Turns(), [own], workMs), own);
    const turns = new Turns();
    const sent: Sent[] = fill(turns).map((request) => ({ name: KEYLESS, parts: 32, request }));
    const entered = enter(turns, SHOP, 32);
    expect(entered.fullForSeconds).toBe(0);
    const last = { ...own, request: entered };
    const beside = endOf(await partsOf(turns, [...sent, last], workMs), last);
    expect(beside / alone).toBeLessThan(2.2);
  }
});

test("[BCK-5] what its client has left waits for nobody: its lane is empty after a while", () => {
  const turns = new Turns();
  fill(turns);
  expect(enter(turns, KEYLESS, 32, AT + LARGE_REQUEST_WAIT_MS_MAX - 1).fullForSeconds).toBeGreaterThan(0);
  expect(enter(turns, KEYLESS, 32, AT + LARGE_REQUEST_WAIT_MS_MAX).fullForSeconds).toBe(0);
});

test("[BCK-5] a request that was slower than any should be goes on, and has its place again", () => {
  const turns = new Turns();
  const slow = enter(turns, SHOP, 200);
  const later = AT + 2 * LARGE_REQUEST_WAIT_MS_MAX;
  expect(enter(turns, SHOP, 200, later).fullForSeconds).toBe(0);
  turns.take(slow, later);
  expect(enter(turns, OTHER, 100, later).fullForSeconds).toBeGreaterThan(0);
});

interface Sent {
  readonly name: number;
  readonly parts: number;
  /** Where it was let in before. */
  readonly request?: LargeRequest;
}

function enter(turns: Turns, name: number, parts: number, now = AT): LargeRequest {
  return turns.enter(name, { parts, now });
}

/** Lets in as many requests of 1,000 events without a key as there may be at once. */
function fill(turns: Turns): readonly LargeRequest[] {
  const all: LargeRequest[] = [];
  for (let one = enter(turns, KEYLESS, 32); one.fullForSeconds === 0; one = enter(turns, KEYLESS, 32)) all.push(one);
  return all;
}

/** A clock that stands still while somebody works, and goes on to the next who waits. */
class Clock {
  at = AT;
  readonly #sleepers: { readonly until: number; readonly wake: () => void }[] = [];
  readonly pause = (ms: number) =>
    new Promise<void>((wake) => this.#sleepers.push({ until: this.at + Math.max(1, Math.ceil(ms)), wake }));

  /** Until nobody waits any more. */
  async run(): Promise<void> {
    for (;;) {
      await new Promise(setImmediate);
      this.#sleepers.sort((a, b) => a.until - b.until);
      const next = this.#sleepers.shift();
      if (next === undefined) return;
      this.at = Math.max(this.at, next.until);
      next.wake();
    }
  }
}

/** When each part of some requests came, in their order; each of them takes so long to be worked on. */
async function partsOf(turns: Turns, requests: readonly Sent[], workMs = 0): Promise<readonly Part[]> {
  const clock = new Clock();
  const parts: Part[] = [];
  for (const request of requests) {
    const entered = request.request ?? enter(turns, request.name, request.parts);
    expect(entered.fullForSeconds).toBe(0);
    void (async () => {
      for (let part = 0; part < request.parts; part++) {
        const turn = turns.take(entered, clock.at);
        for (let ms = turns.leftMs(turn, clock.at); ms > 0; ms = turns.leftMs(turn, clock.at)) await clock.pause(ms);
        parts.push({ request, at: clock.at });
        clock.at += workMs;
      }
    })();
  }
  await clock.run();
  return parts;
}

interface Part {
  readonly request: Sent;
  readonly at: number;
}

function endOf(parts: readonly Part[], request: Sent): number {
  return (parts.filter((part) => part.request === request).at(-1) as Part).at - AT;
}
