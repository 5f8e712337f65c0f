// What is kept and never counted, because nobody did anything: it would make a visit of an identify call
// that a server sends at night.

import { isMetadata } from "../event.ts";
import type { Step } from "./opinion.ts";

/** Step: drops events that only describe. Before the bot step, which has the last word. */
export const metadata: Step = (event, opinion) => {
  if (isMetadata(event.name)) opinion.dropped = "metadata";
};
