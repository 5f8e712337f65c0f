// Prefetches: a browser asks for a page that may be visited next, before anybody looks at it. Whether it was visited is
// told by later events (counting).

import type { Step } from "./opinion.ts";

/**
 * Enrichment step: drops a hit that the browser calls a prefetch. It comes after all other reasons to drop a hit, so
 * that a hit with this reason has no other one and can be counted after all.
 */
export const prefetch: Step = (event, opinion) => {
  if (opinion.dropped === "" && event.purpose === "prefetch") opinion.dropped = "prefetch";
};
