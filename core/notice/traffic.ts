// The rule for a spike or a drop of visitors. It has no model, so a merchant can check each message on the dashboard.
// It looks at visitors and not at page views, because one eager reader makes a spike of page views. The window is the
// shortest that usually has enough visitors: a Day for a small shop, an Hour for a large one. `npm run bench:alarms`
// measures how often the rule is wrong and how fast it finds an outage.

import { NOTICE_WINDOW_VISITORS_MIN, TRAFFIC_DAYS_MIN, TRAFFIC_FACTOR } from "../limits.ts";
import { earlierWindows, type HourCount, sumOf } from "./hour-count.ts";

/** Lengths of windows in Hours, from the shortest on. */
const TRAFFIC_WINDOWS = [1, 2, 3, 6, 12, 24] as const;

/** What a message about visitors says. Numbers are sums of the visitors of each Hour of a window. */
export interface TrafficFinding {
  readonly kind: "spike" | "drop";
  /** The length of the window in Hours; it ends with the last Hour. */
  readonly hours: number;
  readonly visitors: number;
  /** Of the windows on earlier Days: their number, the median, the smallest and the largest. */
  readonly days: number;
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/**
 * What is unusual about the window that ends with the last Hour; undefined where nothing is. A drop must have been
 * there an Hour before as well. A window of few visitors is half empty by chance now and then, and rarely twice in a
 * row. An outage is found by silence anyway (silence.ts), without this delay.
 */
export function findTraffic(hours: readonly HourCount[]): TrafficFinding | undefined {
  const found = findInLast(hours);
  if (found?.kind !== "drop") return found;
  return findInLast(hours.slice(0, -1))?.kind === "drop" ? found : undefined;
}

function findInLast(hours: readonly HourCount[]): TrafficFinding | undefined {
  for (const length of TRAFFIC_WINDOWS) {
    const earlier = [...earlierWindows(hours, length, "visitors")].sort((a, b) => a - b);
    const median = medianOf(earlier);
    if (earlier.length < TRAFFIC_DAYS_MIN || median < NOTICE_WINDOW_VISITORS_MIN) continue;
    const visitors = sumOf(hours.slice(-length), "visitors");
    const [least = 0] = earlier;
    const most = earlier.at(-1) ?? 0;
    const found = { hours: length, visitors, days: earlier.length, median, least, most };
    if (visitors >= median * TRAFFIC_FACTOR && visitors > most) return { kind: "spike", ...found };
    if (visitors <= median / TRAFFIC_FACTOR && visitors < least) return { kind: "drop", ...found };
    return undefined;
  }
  return undefined;
}

/** The median of sorted numbers; 0 for none. */
function medianOf(sorted: readonly number[]): number {
  const [low = 0, high = 0] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return (low + high) / 2;
}
