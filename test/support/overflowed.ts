// A hit as it waits in the overflow queue of a deployment that tests have started.

import { partitionOf } from "../../core/counting/placement.ts";
import type { Arrival } from "../../core/event.ts";
import { verifyTrackingId } from "../../core/tracking-id.ts";
import { packOverflow } from "../../storage/overflow-message.ts";
import { signsOf } from "../../storage/signing.ts";
import { eventOf } from "./events.ts";
import { FAST, type Merchant, SECRETS } from "./services.ts";

export function overflowed(merchant: Merchant, id: string, url = "https://shop.example/"): Uint8Array {
  const number = verifyTrackingId(merchant.tracking_id, signsOf(SECRETS))?.merchant as number;
  const event = eventOf({ merchant: number, id, url, timestamp: Date.now() });
  const arrivals: readonly Arrival[] = [{ event, address: "203.0.113.9", floating: false }];
  const partition = partitionOf({ event, address: "" }, [], Number(FAST.POOL_SIZE));
  return packOverflow({ id, parts: [{ partition, arrivals }] }, SECRETS.TRACKING_SECRET) as Uint8Array;
}
