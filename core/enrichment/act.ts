// What an event stands for: a purchase, something given back, a step towards a purchase, or a report that no person
// caused.

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
 * Enrichment step: whether the event is a purchase, refund, cancellation, step or none of these. Where only senders
 * with a key earn, an order that a page tells of is only a step.
 */
export const act: Step = (event, opinion, { own, global }) => {
  opinion.act = (own.keyedOnly || global.keyedOnly) && event.keyed === 0 ? "step" : actOf(event);
};

/** Enrichment step: whether the event is a report that no person caused. */
export const passive: Step = (event, opinion) => {
  if (isPageview(event.name)) return;
  opinion.passive = event.passive === 1 || PASSIVE_NAMES.has(normalName(event.name).replace(/^\$/, ""));
};
