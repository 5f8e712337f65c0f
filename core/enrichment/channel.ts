// The channel that a visit came through. An ordered list of rules decides, much like GA4's default channel groups, and
// the first match wins. AI assistants are a channel of their own. A merchant's own rules come first. Source: Google
// Analytics help, "Default channel group".

import { matches } from "../pattern.ts";
import { isPaidMark, isShoppingMark } from "./campaign.ts";
import type { Matcher, Clue as RuleClue } from "./matcher.ts";
import type { Opinion, Step } from "./opinion.ts";
import { type Medium, mediumOf } from "./source-host.ts";

interface Clue {
  readonly medium: string;
  readonly kind: Medium | undefined;
  readonly paid: boolean;
  readonly opinion: Opinion;
}

const RULES: readonly (readonly [channel: string, applies: (clue: Clue) => boolean])[] = [
  ["Direct", ({ opinion, medium }) => opinion.source === "" && medium === ""],
  ["Cross-network", ({ opinion }) => /cross-network/i.test(opinion.utm_campaign)],
  ["Paid Shopping", ({ kind, paid, opinion }) => paid && (kind === "shopping" || isShop(opinion.utm_campaign))],
  ["Paid Search", ({ kind, paid }) => paid && kind === "search"],
  ["Paid Social", ({ kind, paid }) => paid && kind === "social"],
  ["Paid Video", ({ kind, paid }) => paid && kind === "video"],
  ["Display", ({ medium }) => /^(display|banner|expandable|interstitial|cpm)$/.test(medium)],
  ["Paid Other", ({ paid }) => paid],
  ["AI Assistant", ({ kind }) => kind === "ai"],
  [
    "Organic Shopping",
    ({ kind, medium, opinion }) =>
      kind === "shopping" || isShop(opinion.utm_campaign) || (kind === "search" && isShoppingMark(medium)),
  ],
  [
    "Organic Social",
    ({ kind, medium }) => kind === "social" || /^(social|social[- ]network|social[- ]media|sm)$/.test(medium),
  ],
  ["Organic Video", ({ kind, medium }) => kind === "video" || medium.includes("video")],
  ["Organic Search", ({ kind, medium }) => kind === "search" || medium === "organic"],
  ["Email", ({ kind, medium, opinion }) => kind === "email" || isEmail(medium) || isEmail(opinion.source)],
  ["Affiliates", ({ medium }) => /^affiliates?$/.test(medium)],
  ["Audio", ({ medium }) => medium === "audio"],
  ["SMS", ({ medium, opinion }) => medium === "sms" || opinion.source.toLowerCase() === "sms"],
  [
    "Mobile Push",
    ({ medium, opinion }) => /push$|mobile|notification/.test(medium) || opinion.source.toLowerCase() === "firebase",
  ],
  ["Unassigned", ({ opinion }) => opinion.utm_source === "" && opinion.referrer === "" && opinion.utm_campaign !== ""],
  ["Referral", ({ medium }) => /^(|referral|app|link)$/.test(medium)],
  ["Unassigned", () => true],
];

/** Step: the first rule that applies, the merchant's own first. */
export const channel: Step = (_event, opinion, { own, global }) => {
  opinion.channel = ruledChannel(own, opinion) ?? ruledChannel(global, opinion) ?? builtInChannel(opinion);
};

function ruledChannel({ channels }: Matcher, opinion: Opinion): string | undefined {
  if (channels.length === 0) return undefined;
  const texts: Record<RuleClue, string> = {
    source: opinion.source.toLowerCase(),
    medium: opinion.utm_medium.toLowerCase(),
    campaign: opinion.utm_campaign.toLowerCase(),
    referrer: opinion.referrer.toLowerCase(),
  };
  return channels.find(({ clues }) => clues.every(([clue, pattern]) => matches(pattern, texts[clue])))?.channel;
}

function builtInChannel(opinion: Opinion): string {
  const medium = opinion.utm_medium.toLowerCase();
  const clue: Clue = { medium, kind: mediumOf(opinion.source), paid: isPaid(medium), opinion };
  return (RULES.find(([, applies]) => applies(clue)) as (typeof RULES)[number])[0];
}

/** By GA4's own pattern, or by click ids that only paid clicks carry. */
function isPaid(medium: string): boolean {
  return /^(.*cp.*|ppc|retargeting|paid.*)$/.test(medium) || isPaidMark(medium);
}

function isShop(campaign: string): boolean {
  return /^(.*(([^a-df-z]|^)shop|shopping).*)$/i.test(campaign);
}

function isEmail(text: string): boolean {
  return /^(e[-_ ]?mail|newsletter)$/i.test(text);
}
