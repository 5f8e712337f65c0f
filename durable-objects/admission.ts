// Back-pressure: what a partition takes at once. One merchant's flood is turned away at a share of the partition's
// rate, before any work is done for it, so that its pool neighbours keep their commits; and nothing is taken while too
// much waits for the disk. What is turned away goes to the overflow queue and is counted later.

import type { Arrival } from "../core/event.ts";
import { ADMISSION_WINDOW_MS, MERCHANT_EVENTS_PER_WINDOW_MAX, UNCOMMITTED_BYTES_MAX } from "../core/limits.ts";
import { noteRate } from "./spread.ts";
import type { Partition } from "./state.ts";

/** Whether the arrivals may be taken now; counts them against their merchants' shares if so. */
export function admit(partition: Partition, arrivals: readonly Arrival[]): boolean {
  if (partition.pendingBytes > UNCOMMITTED_BYTES_MAX) return false;
  const { admission } = partition;
  const window = Math.floor(partition.deps.now() / ADMISSION_WINDOW_MS);
  if (admission.window !== window) {
    admission.window = window;
    admission.taken.clear();
  }
  const asked = new Map<number, { count: number; readonly event: Arrival["event"] }>();
  for (const { event } of arrivals) {
    const known = asked.get(event.merchant);
    if (known === undefined) asked.set(event.merchant, { count: 1, event });
    else known.count += 1;
  }
  for (const [merchant, { count }] of asked) {
    const taken = admission.taken.get(merchant) ?? 0;
    // A merchant's first request of a window is always taken: a batch larger than the share must not wait for ever.
    if (taken > 0 && taken + count > MERCHANT_EVENTS_PER_WINDOW_MAX) return false;
  }
  for (const [merchant, { count, event }] of asked) {
    const taken = admission.taken.get(merchant) ?? 0;
    noteRate(partition, event, taken, count);
    admission.taken.set(merchant, taken + count);
  }
  return true;
}
