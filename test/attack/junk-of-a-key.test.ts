// A merchant's key sends requests of 1,000 events that are none. What is refused of a key counts for no address, as a
// server sends for many visitors. But it took the lane of all who have no key: one address with 100 requests of 93
// bytes a second locked the large requests of every page out.

import { expect, test } from "vitest";
import { native } from "../../core/formats/native.ts";
import { BLANK_HIT } from "../../core/hit.ts";
import { collect } from "../../workers/collector/collect.ts";
import type { CollectorEnv } from "../../workers/collector/env.ts";

const env = { POOL_SIZE: "4", TRACKING_SECRET: "secret", RATE_LIMITS: "off" } as unknown as CollectorEnv;
const KEY = { id: "key_1", merchant: 7, streams: [1], mayWrite: true, endsAt: null, isUseNews: false };

/** The code of the refusal, or of the first event's. */
async function send(key: typeof KEY | undefined): Promise<string | undefined> {
  const body = JSON.stringify(Array.from({ length: 1_000 }, () => 1));
  const looking = { env, now: Date.UTC(2027, 0, 10), later: () => {} };
  const facts = { country: "", region: "", city: "", asn: 0, verifiedBot: "", hints: "", purpose: "" };
  const client = { address: "198.51.100.1", facts, continent: "", receivedAt: looking.now };
  const hit = { ...BLANK_HIT, path: "/v1/events", body, receivedAt: looking.now, keyed: key !== undefined };
  const outcome = await collect({ format: native, hit, client, key, looking });
  return outcome.ok ? outcome.value.rejected[0]?.code : outcome.rejection.code;
}

test("[BCK-5] what comes with a key has its merchant's lane, also where all of it is refused", async () => {
  const junk = Array.from({ length: 30 }, () => send(KEY));
  await new Promise((resolve) => setImmediate(resolve)); // they have come
  expect(await send(undefined)).toBe("invalid_body");
  expect(await Promise.all(junk)).toContain("rate_limited");
});
