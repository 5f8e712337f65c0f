// Whether the visitor is a machine. The agent says so, or the platform's list of verified bots, or the hints of a
// browser without a window. An event of the merchant's own server may have an unknown agent and is no bot. A hit of a
// browser format without an agent (NO_AGENT) is a bot.

import { isbot } from "isbot";
import { AGENT_VERDICTS_KEPT_MAX } from "../limits.ts";
import { matchesAny } from "../pattern.ts";
import { decide, type Matcher, type Verdict } from "./matcher.ts";
import type { Step } from "./opinion.ts";

/** Stands for the missing agent of a hit in a format that browsers send. */
export const NO_AGENT = "(none)";

const VERDICTS_KEPT_MAX = 2_000;
const verdicts = new Map<string, boolean>();

/** Enrichment step: drops hits of crawlers, libraries and headless browsers, unless the rules admit the agent. */
export const bot: Step = ({ userAgent, verifiedBot, hints }, opinion, matchers) => {
  const ruled = userAgent === "" ? undefined : decide(matchers, (matcher) => ruledVerdict(matcher, userAgent));
  if (ruled === "admit") return;
  const isBuiltIn = () => verifiedBot !== "" || isHeadless(hints) || (userAgent !== "" && isMachine(userAgent));
  if (ruled === "drop" || isBuiltIn()) opinion.dropped = "bot";
};

/** Whether the hints show a headless Chrome. Its agent may hide that. */
function isHeadless(hints: string): boolean {
  return hints.includes("Headless");
}

/** Verdicts of rules, by the matcher's number and the agent. */
const ruledVerdicts = new Map<string, Verdict>();

function ruledVerdict({ number, bots }: Matcher, userAgent: string): Verdict {
  if (bots.drop.length + bots.admit.length === 0) return undefined;
  const key = `${number} ${userAgent}`;
  if (ruledVerdicts.has(key)) return ruledVerdicts.get(key);
  const text = userAgent.toLowerCase();
  const verdict = matchesAny(bots.admit, text) ? "admit" : matchesAny(bots.drop, text) ? "drop" : undefined;
  if (ruledVerdicts.size >= AGENT_VERDICTS_KEPT_MAX) ruledVerdicts.clear();
  ruledVerdicts.set(key, verdict);
  return verdict;
}

function isMachine(userAgent: string): boolean {
  const kept = verdicts.get(userAgent);
  if (kept !== undefined) return kept;
  const verdict = userAgent === NO_AGENT || isbot(userAgent);
  if (verdicts.size >= VERDICTS_KEPT_MAX) verdicts.clear();
  verdicts.set(userAgent, verdict);
  return verdict;
}
