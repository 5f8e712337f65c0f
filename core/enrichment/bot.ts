// Whether the visitor's agent is a machine. An unknown agent (an event sent by the merchant's own server) is not one;
// an agent that should be there and is not (NO_AGENT, set by browser formats) is.

import { isbot } from "isbot";
import type { Step } from "./opinion.ts";

/** Stands for the agent of a browser format's hit that came without one. */
export const NO_AGENT = "(none)";

const VERDICTS_KEPT_MAX = 2_000;
const verdicts = new Map<string, boolean>();

/** Step: drops hits of crawlers, libraries and headless browsers. */
export const bot: Step = (event, opinion) => {
  if (event.userAgent !== "" && isMachine(event.userAgent)) opinion.dropped = "bot";
};

function isMachine(userAgent: string): boolean {
  const kept = verdicts.get(userAgent);
  if (kept !== undefined) return kept;
  const verdict = userAgent === NO_AGENT || isbot(userAgent);
  if (verdicts.size >= VERDICTS_KEPT_MAX) verdicts.clear();
  verdicts.set(userAgent, verdict);
  return verdict;
}
