// What an event does beside being seen: whether it buys or gives back, and whether anybody did it at all.

import { isPageview, normalName } from "../event.ts";
import { actOf } from "../order.ts";
import type { Step } from "./opinion.ts";

/** Reports that the page, the tracker or a client's library sends by itself, in the words of `normalName` (VIS-5). */
const PASSIVE_NAMES: ReadonlySet<string> = new Set([
  "web vitals",
  "404",
  "performance",
  "exception",
  "error",
  "js error",
  "csp violation",
]);

/**
 * Step: purchase, refund, cancellation, step or none. Where only senders with a key earn, what a page tells is a step.
 */
export const act: Step = (event, opinion, { own, global }) => {
  opinion.act = (own.keyedOnly || global.keyedOnly) && event.keyed === 0 ? "step" : actOf(event);
};

/** Step: whether it is a report and nobody's doing. */
export const passive: Step = (event, opinion) => {
  if (isPageview(event.name)) return;
  opinion.passive = event.passive === 1 || PASSIVE_NAMES.has(normalName(event.name).replace(/^\$/, ""));
};
