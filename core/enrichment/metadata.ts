// Events that are kept and never counted, because nobody did anything. Otherwise an identify call that a server sends
// at night would be a visit.

import { isMetadata } from "../event.ts";
import type { Step } from "./opinion.ts";

/** Step: drops events that only describe. It comes before the bot step, which has the last word. */
export const metadata: Step = (event, opinion) => {
  if (isMetadata(event.name)) opinion.dropped = "metadata";
};
