// Who knows a tracking ID tells that somebody has read a page for a whole day: one event of that moves the time on a
// page as much as a thousand readers do. What an event without a key tells counts for an hour at most.

import { expect, test } from "vitest";
import { ENGAGEMENT_KEYLESS_MS_MAX, ENGAGEMENT_MS_MAX } from "../../core/limits.ts";
import { decodeArrivals } from "../../core/overflow.ts";
import { encodeTrackingId } from "../../core/tracking-id.ts";
import type { AppendRequest } from "../../durable-objects/rpc.ts";
import { signsOf } from "../../storage/signing.ts";
import { app } from "../../workers/collector/app.ts";

const SECRETS = { TRACKING_SECRET: "secret", ADMIN_TOKEN: "admin" };

test("[NAT-7] an event without a key tells of an hour of engagement at most, in any format", async () => {
  const told: number[] = [];
  const append = async ({ arrivals }: AppendRequest) => {
    const all = decodeArrivals(arrivals);
    for (const { event } of all) told.push(event.engagementMs);
    return all.map(() => "accepted" as const);
  };
  const env = { ...SECRETS, POOL_SIZE: "1", RATE_LIMITS: "off", PARTITION: { getByName: () => ({ append }) } };
  const context = { waitUntil: () => undefined } as unknown as ExecutionContext;
  const trackingId = encodeTrackingId({ merchant: 1, stream: 1 }, signsOf(SECRETS)[0]);
  const send = (path: string, body: object) =>
    app.request(path, { method: "POST", body: JSON.stringify(body) }, env, context);
  const url = "https://shop.example/";
  const native = { tracking_id: trackingId, name: "engagement", url };
  expect((await send("/v1/events", { ...native, engagement_ms: ENGAGEMENT_MS_MAX })).status).toBe(202);
  expect((await send("/v1/events", { ...native, engagement_ms: 90_000 })).status).toBe(202);
  await send("/api/event", { d: trackingId, n: "engagement", u: url, e: ENGAGEMENT_MS_MAX });
  expect(told).toEqual([ENGAGEMENT_KEYLESS_MS_MAX, 90_000, ENGAGEMENT_KEYLESS_MS_MAX]);
});
