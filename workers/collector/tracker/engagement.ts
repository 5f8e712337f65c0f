// Measures how long a page was visible and focused, and how far down the visitor scrolled. It reports both when the
// page is left. Each report has the time since the last one, so the reports add up.

import { report } from "./action.ts";
import { on } from "./guard.ts";
import { type Leave, page } from "./page.ts";

/** A shorter time than this is not worth a request. */
const REPORT_AFTER_MS = 1e3;

export function watchEngagement(): Leave {
  let isReading: unknown;
  let since: number;
  let engagedMs = 0;
  let depth = 0;
  /**
   * Adds the time since the last look if the page was read in it. Then notes whether it is read now, and how far down.
   */
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
