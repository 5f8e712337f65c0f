// Back-pressure: what a partition takes at once. One merchant's flood is turned away at a share of the partition's
// rate, before any work is done for it, so that its pool neighbours keep their commits; and nothing is taken while too
// much waits for the disk. What is turned away goes to the overflow queue and is counted later. The share is one of
// time: an event that takes longer than an ordinary one counts as several.

import type { Arrival, Event } from "../core/event.ts";
import {
  ADMISSION_RULED_LENGTH,
  ADMISSION_TEXT_LENGTH,
  ADMISSION_WINDOW_MS,
  MERCHANT_EVENTS_PER_WINDOW_MAX,
  UNCOMMITTED_BYTES_MAX,
} from "../core/limits.ts";
import { completeRules, type RuleTimeline } from "../core/rules.ts";
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
  const asked = new Map<number, { count: number; readonly event: Event }>();
  for (const { event } of arrivals) {
    const known = asked.get(event.merchant);
    const weight = weightOf(event, patternsLength(partition, event.merchant));
    if (known === undefined) asked.set(event.merchant, { count: weight, event });
    else known.count += weight;
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

/** As how many ordinary events one counts, at most: by its length, and by what its merchant's rules compare with it. */
export function weightOf(event: Event, patterns: number): number {
  const compared = event.url.length + event.referrer.length + event.userAgent.length;
  const text = compared + event.props.length + event.products.length + event.title.length;
  const ruled = patterns === 0 ? 0 : Math.floor((patterns * (compared + RULED_AT_LEAST)) / ADMISSION_RULED_LENGTH);
  return 1 + Math.floor(text / ADMISSION_TEXT_LENGTH) + ruled;
}

/** Addresses, campaigns and names are compared as well, and have some length. */
const RULED_AT_LEAST = 100;

/** Characters of all that a merchant's rules compare with an event, of the longest rules that may hold for one. */
function patternsLength(partition: Partition, merchant: number): number {
  const timeline = partition.settings.get(merchant)?.settings.rules;
  if (timeline === undefined || timeline.length === 0) return 0;
  const known = lengths.get(timeline);
  if (known !== undefined) return known;
  const length = Math.max(0, ...timeline.map(lengthOf));
  lengths.set(timeline, length);
  return length;
}

const lengths = new WeakMap<RuleTimeline, number>();

function lengthOf(period: RuleTimeline[number]): number {
  if (!("rules" in period)) return "goals" in period ? JSON.stringify(period.goals).length : 0;
  const { bots, addresses, paths, channels, goals } = completeRules(period.rules);
  const lists = [bots.drop, bots.admit, addresses, paths.replace, channels, goals];
  return lists.reduce((sum, list) => sum + (list.length === 0 ? 0 : JSON.stringify(list).length), 0);
}
