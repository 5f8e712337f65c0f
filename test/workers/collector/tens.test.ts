// How an isolate counts by tens between two questions to the platform's counter.

import { expect, test } from "vitest";
import { COUNTED_AT_ONCE_MAX, LIMIT_REQUESTS, RATE_LIMIT_PERIOD_SECONDS, TENS_KEYS_MAX } from "../../../core/limits.ts";
import { Tens } from "../../../workers/collector/tens.ts";

const PERIOD_MS = RATE_LIMIT_PERIOD_SECONDS * 1_000;

test("[LIM-2] the counter is asked with every tenth request of a key, and a key that is over stays closed for the period", async () => {
  let now = 0;
  let asked = 0;
  const tens = new Tens(() => now);
  const counter = { limit: async () => ({ success: ++asked <= 2 }) };
  const heard: boolean[] = [];
  for (let at = 0; at < 40; at++) heard.push(await tens.isWithin(counter, "a", 1));
  expect(heard.indexOf(false)).toBe(3 * LIMIT_REQUESTS - 1);
  expect([heard.slice(3 * LIMIT_REQUESTS).includes(true), asked]).toEqual([false, 3]);
  expect(tens.isWithin(counter, "b", LIMIT_REQUESTS - 1)).toBe(true);
  now += PERIOD_MS;
  expect(tens.isWithin(counter, "a", 1)).toBe(true);
  expect(asked).toBe(3);
});

test("[LIM-2] a request that counts as thousands asks the counter no more after it has said no", async () => {
  let asked = 0;
  const counter = { limit: async () => ({ success: ++asked <= 2 * COUNTED_AT_ONCE_MAX }) };
  expect(await new Tens(() => 0).isWithin(counter, "a", 5_000)).toBe(false);
  expect(asked).toBe(3 * COUNTED_AT_ONCE_MAX);
  asked = 0;
  expect(await new Tens(() => 0).isWithin(counter, "a", 2 * COUNTED_AT_ONCE_MAX * LIMIT_REQUESTS)).toBe(true);
  expect(asked).toBe(2 * COUNTED_AT_ONCE_MAX);
});

test("[LIM-2] an answer that comes in the next period closes nothing there", async () => {
  let now = 0;
  const tens = new Tens(() => now);
  const { promise, resolve } = Promise.withResolvers<{ success: boolean }>();
  const late = tens.isWithin({ limit: () => promise }, "a", LIMIT_REQUESTS);
  now += PERIOD_MS;
  expect(tens.isClosed("a")).toBe(false);
  resolve({ success: false });
  expect(await late).toBe(false);
  expect(tens.isClosed("a")).toBe(false);
});

test("[LIM-2] keys beyond what an isolate counts make it begin again, and let nothing through that the counter refuses", async () => {
  const tens = new Tens(() => 0);
  const closed = { limit: async () => ({ success: false }) };
  for (let at = 0; at < 2 * TENS_KEYS_MAX; at++) tens.isWithin(closed, `${at}`, 1);
  const heard: boolean[] = [];
  for (let at = 0; at < LIMIT_REQUESTS; at++) heard.push(await tens.isWithin(closed, "a", 1));
  expect(heard.at(-1)).toBe(false);
});
