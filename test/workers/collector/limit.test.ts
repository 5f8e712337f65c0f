// What an address counts as, and that what the documentation says of the limits is what wrangler.toml has.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import type { Arrival } from "../../../core/event.ts";
import { LIMIT_EVENTS, LIMIT_REQUESTS, RATE_LIMIT_PERIOD_SECONDS } from "../../../core/limits.ts";
import { accepted } from "../../../core/outcome.ts";
import { addressKey } from "../../../storage/rate-limit.ts";
import type { CollectorEnv } from "../../../workers/collector/env.ts";
import { areWithinLimit, mayPass, sentBy, type Weighed } from "../../../workers/collector/limit.ts";
import { eventOf } from "../../support/events.ts";

const KEYS: readonly (readonly [address: string, key: string])[] = [
  ["203.0.113.7", "203.0.113.7"],
  ["2001:db8::1", "2001:db8:0:0"],
  ["2001:0DB8:0000:0000:abcd::", "2001:db8:0:0"],
  ["2001:db8:0:0:7:8:9:a", "2001:db8:0:0"],
  ["2001:db8:0:1::7", "2001:db8:0:1"],
  ["::1", "0:0:0:0"],
  ["::", "0:0:0:0"],
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["", ""],
  ["x".repeat(1_000), "x".repeat(45)],
];
test.each(KEYS)("[LIM-2] the address %j counts as %j", (address, key) => {
  expect(addressKey(address)).toBe(key);
});

test("[LIM-1] every limit in wrangler.toml has the period that Retry-After promises", () => {
  const text = readFileSync(join(import.meta.dirname, "../../../wrangler.toml"), "utf8");
  const periods = [...text.matchAll(/^simple = .*period = (\d+)/gm)].map(([, seconds]) => Number(seconds));
  const limits = text.match(/^\[\[.*ratelimits\]\]/gm) ?? [];
  expect(limits.length).toBeGreaterThan(0);
  expect(periods).toEqual(limits.map(() => RATE_LIMIT_PERIOD_SECONDS));
});

test("[LIM-5] a counter that does not answer lets the hit through", async () => {
  let asked = 0;
  const limit = async () => {
    asked += 1;
    throw new Error("no answer");
  };
  const env = { RATE_LIMITS: "on", LIMIT_TRACKING_ID: { limit } } as unknown as CollectorEnv;
  const arrival = accepted<Arrival>({ event: eventOf(), address: "", floating: false });
  for (let times = 0; times < LIMIT_REQUESTS; times++)
    expect(await areWithinLimit(env, [arrival], sentBy("", { length: 0, passed: undefined }))).toBe(true);
  expect(asked).toBe(1);
});

test("[LIM-13] a key whose merchant sent too much is refused at closed addresses for that period, and not for the next", async () => {
  vi.useFakeTimers({ now: RATE_LIMIT_PERIOD_SECONDS * 1_000 });
  try {
    const answer = Promise.withResolvers<{ success: boolean }>();
    const counters = { LIMIT_TRACKING_ID: { limit: () => answer.promise } };
    const env = { RATE_LIMITS: "on", ...counters } as unknown as CollectorEnv;
    const merchant = 77;
    const event = eventOf({ merchant, keyed: 1 });
    const many = Array.from({ length: LIMIT_REQUESTS * LIMIT_EVENTS }, () => accepted<Weighed>({ event }));
    const late = areWithinLimit(env, many, sentBy("203.0.113.9", { length: 0, passed: merchant }));
    vi.setSystemTime(2 * RATE_LIMIT_PERIOD_SECONDS * 1_000);
    expect(await mayPass(env, merchant)).toBe(true);
    answer.resolve({ success: false });
    expect(await late).toBe(false);
    expect(await mayPass(env, merchant)).toBe(true);
    expect(await areWithinLimit(env, many, sentBy("203.0.113.9", { length: 0, passed: merchant }))).toBe(false);
    expect(await mayPass(env, merchant)).toBe(false);
  } finally {
    vi.useRealTimers();
  }
});
