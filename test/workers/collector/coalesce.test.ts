// Hits that share a call of their partition, in every way in which it may end; and a call that never ends.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Arrival } from "../../../core/event.ts";
import {
  COALESCE_EVENTS_MAX,
  COALESCE_HIT_EVENTS_MAX,
  COALESCE_PATIENCE_MS,
  LARGE_REQUEST_EVENTS,
} from "../../../core/limits.ts";
import type { AppendReply } from "../../../durable-objects/rpc.ts";
import { Coalescer } from "../../../workers/collector/coalesce.ts";
import { eventOf } from "../../support/events.ts";

type Append = (partition: string, arrivals: readonly Arrival[]) => Promise<AppendReply>;

let calls: string[];
/** What the partition does; the id says its fate. */
let answer: Append;

beforeEach(() => {
  calls = [];
  answer = async (_, arrivals) =>
    arrivals.map(({ event }) => (event.id.startsWith("again") ? "duplicate" : "accepted"));
});
afterEach(() => void vi.useRealTimers());

const append: Append = (partition, arrivals) => {
  calls.push(`${partition} ${arrivals.map(({ event }) => event.id).join(",")}`);
  return answer(partition, arrivals);
};

function send(coalescer: Coalescer, ids: readonly string[], partition = "pool-0"): Promise<AppendReply> {
  const arrivals = ids.map((id) => ({ event: eventOf({ id }), address: "203.0.113.1", floating: false }));
  return coalescer.append(partition, arrivals, { call: append, later: () => undefined });
}

test("[COA-1] hits of a moment for one partition share a call, and each hears of its own events", async () => {
  const it = new Coalescer();
  const replies = await Promise.all([
    send(it, ["a"]),
    send(it, ["b", "again b"]),
    send(it, ["c"], "pool-1"),
    send(it, ["again d"]),
  ]);
  expect(replies).toEqual([["accepted"], ["accepted", "duplicate"], ["accepted"], ["duplicate"]]);
  expect(calls).toEqual(["pool-0 a,b,again b,again d", "pool-1 c"]);
  await send(it, ["e"]);
  expect(calls.at(-1)).toBe("pool-0 e");
});

test("[COA-1] a batch is a call of its own, and a full call is made at once", async () => {
  const it = new Coalescer();
  const batch = Array.from({ length: COALESCE_HIT_EVENTS_MAX + 1 }, (_, index) => `b${index}`);
  const hits = Array.from({ length: COALESCE_EVENTS_MAX + 1 }, (_, index) => send(it, [`s${index}`]));
  expect(await send(it, batch)).toHaveLength(batch.length);
  await Promise.all(hits);
  expect(calls.map((call) => call.split(",").length).sort((a, b) => a - b)).toEqual([
    1,
    batch.length,
    COALESCE_EVENTS_MAX,
  ]);
});

test("[COA-1] hits whose events are too many for one call take two: none becomes a large request", async () => {
  const it = new Coalescer();
  const full = Array.from({ length: COALESCE_HIT_EVENTS_MAX }, (_, index) => `f${index}`);
  const hits = Array.from({ length: COALESCE_EVENTS_MAX - 1 }, (_, index) => send(it, [`s${index}`]));
  expect(await send(it, full)).toHaveLength(full.length);
  await Promise.all(hits);
  expect(calls.map((call) => call.split(",").length)).toEqual([COALESCE_EVENTS_MAX - 1, full.length]);
  expect(COALESCE_EVENTS_MAX).toBeLessThanOrEqual(LARGE_REQUEST_EVENTS);
});

test("[COA-2] a call that fails fails each of its hits, which then try again by themselves", async () => {
  const it = new Coalescer();
  answer = () => Promise.reject(new Error("reset"));
  const ends = await Promise.allSettled([send(it, ["a"]), send(it, ["b"])]);
  expect(ends.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(calls).toEqual(["pool-0 a,b"]);
});

test("[COA-2] where a shared call is turned away, each hit is told of its own", async () => {
  const it = new Coalescer();
  answer = async (_, arrivals) =>
    arrivals.some(({ event }) => event.id === "flood") ? "overloaded" : arrivals.map(() => "accepted");
  expect(await Promise.all([send(it, ["flood"]), send(it, ["quiet"])])).toEqual(["overloaded", ["accepted"]]);
  expect(calls).toEqual(["pool-0 flood,quiet", "pool-0 flood", "pool-0 quiet"]);
});

test("[COA-3] a hit whose shared call does not come back makes its own", async () => {
  vi.useFakeTimers();
  const it = new Coalescer();
  answer = async (_, arrivals) =>
    arrivals.some(({ event }) => event.id === "a") ? new Promise(() => undefined) : arrivals.map(() => "accepted");
  void send(it, ["a"]);
  const others = Promise.all([send(it, ["b"]), send(it, ["c"])]);
  await vi.advanceTimersByTimeAsync(COALESCE_PATIENCE_MS + 100);
  expect(await others).toEqual([["accepted"], ["accepted"]]);
  expect(calls).toEqual(["pool-0 a,b,c", "pool-0 b", "pool-0 c"]);
});
