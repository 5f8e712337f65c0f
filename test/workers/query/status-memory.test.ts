// What an isolate remembers of the deployment's state.

import { expect, test } from "vitest";
import { STATUS_KEPT_MS } from "../../../core/limits.ts";
import type { Told } from "../../../core/watch/status.ts";
import { StatusMemory } from "../../../workers/query/status-memory.ts";

const AT = Date.parse("2026-11-30T12:00:00Z");

function counting() {
  const memory = new StatusMemory();
  let reads = 0;
  const read = async (): Promise<Told> => {
    reads += 1;
    return { status: undefined, incidents: [] };
  };
  const told = (now: number) => memory.told({ now, everyMs: STATUS_KEPT_MS, read });
  return { memory, told, readOnce: () => reads };
}

test("[WCH-8] whoever asks, the state is read twice in a minute by an isolate, and at once after a change there", async () => {
  const { memory, told, readOnce } = counting();
  for (let asked = 0; asked < 100; asked++) await told(AT + asked);
  expect(readOnce()).toBe(1);
  await told(AT + STATUS_KEPT_MS);
  expect(readOnce()).toBe(2);
  memory.forget();
  await told(AT + STATUS_KEPT_MS);
  expect(readOnce()).toBe(3);
});

test("[WCH-8] a read that failed is not remembered", async () => {
  const { memory, told } = counting();
  const broken = { now: AT, everyMs: STATUS_KEPT_MS, read: () => Promise.reject(new Error("R2 is silent")) };
  await expect(memory.told(broken)).rejects.toThrow("R2 is silent");
  expect(await told(AT)).toEqual({ status: undefined, incidents: [] });
});
