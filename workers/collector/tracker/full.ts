// Everything that the tracker watches beside page views. It is part of /t.js and of the ES module, but not of /p.js.

import { checkFound, watchActions } from "./action.ts";
import { watchEngagement } from "./engagement.ts";
import type { Leave } from "./page.ts";
import { type Entry, watchVitals } from "./vitals.ts";

/** Begins to watch. Returns what must be done when a page is left. */
export function watchAll(): Leave {
  const [entry = {} as Entry] = performance.getEntriesByType("navigation") as Entry[]; // Safari before 15 has none
  watchActions();
  checkFound(entry.responseStatus);
  const reportEngagement = watchEngagement();
  const reportVitals = watchVitals(entry);
  return (isHidden) => {
    reportEngagement(isHidden);
    reportVitals(isHidden);
  };
}
