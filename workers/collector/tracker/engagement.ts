// How long a page was in front of its reader (visible and focused) and how far down they came, reported when it is
// left. Each report says the time since the last one, so they add up.

import { report } from "./action.ts";
import { on } from "./guard.ts";
import { type Leave, page } from "./page.ts";

/** A report is worth a request after this. */
const REPORT_AFTER_MS = 1e3;

export function watchEngagement(): Leave {
  let isReading: unknown;
  let since: number;
  let engagedMs = 0;
  let depth = 0;
  /** Adds the time since the last look when it was read, and sees whether it is being read now, and how far. */
  const look = () => {
    const now = performance.now();
    if (isReading) engagedMs += now - since;
    since = now;
    isReading = !document.hidden && document.hasFocus();
    const deepest = (scrollY + innerHeight) / document.documentElement.scrollHeight;
    depth = Math.max(depth, Math.min(100, Math.round(deepest * 100)));
  };
  on("visibilitychange focus blur scroll", look);
  look();
  return (isHidden) => {
    look();
    if (engagedMs > REPORT_AFTER_MS) {
      report("engagement", { url: page, engagement_ms: engagedMs | 0, scroll: depth });
      engagedMs = 0;
    }
    if (!isHidden) engagedMs = depth = 0;
  };
}
