// What an address counts as, and that what the documentation says of the limits is what wrangler.toml has.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Arrival } from "../../../core/event.ts";
import { LIMIT_REQUESTS, RATE_LIMIT_PERIOD_SECONDS } from "../../../core/limits.ts";
import { accepted } from "../../../core/outcome.ts";
import { addressKey } from "../../../storage/rate-limit.ts";
import type { CollectorEnv } from "../../../workers/collector/env.ts";
import { areWithinLimit, sentBy } from "../../../workers/collector/limit.ts";
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
  expect(periods).toEqual(Array(4).fill(RATE_LIMIT_PERIOD_SECONDS));
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
