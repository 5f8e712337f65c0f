// From an event to what Footfall thinks of it: an ordered list of named steps, each pure, each reading the event's facts
// and what earlier steps found. Opinions are never stored with the event (L5): the live path, recovery from the log and
// replay all call `opine`, so a better rule can be applied to history.

import type { Event } from "../event.ts";
import type { Act } from "../order.ts";
import type { DropReason } from "../outcome.ts";
import type { RulesInForce } from "../rules.ts";
import { act, passive } from "./act.ts";
import { bot } from "./bot.ts";
import { channel } from "./channel.ts";
import { device } from "./device.ts";
import { goal } from "./goal.ts";
import { type Matchers, matchersOf } from "./matcher.ts";
import { metadata } from "./metadata.ts";
import { addressRule, importRule, networkRule, referrerRule } from "./origin.ts";
import { hostnameRule, page } from "./page.ts";
import { place } from "./place.ts";
import { prefetch } from "./prefetch.ts";
import { source } from "./source.ts";

/** Everything derived; an empty text means "not known". */
export interface Opinion {
  hostname: string;
  page: string;
  source: string;
  referrer: string;
  utm_source: string;
  utm_medium: string;
  utm_campaign: string;
  utm_content: string;
  utm_term: string;
  channel: string;
  country: string;
  region: string;
  city: string;
  browser: string;
  os: string;
  device: string;
  language: string;
  /** Names of the goals it reaches, sorted. */
  goals: readonly string[];
  /** What it does to a shop's books. */
  act: Act;
  /** Whether the page or the tracker reports, and nobody did anything. */
  passive: boolean;
  /** Whether its referrer only sent the visitor back: the merchant's own host, or a payment page (return-host.ts). */
  isReturn: boolean;
  dropped: DropReason | "";
}

/** Reads facts and earlier opinions, writes its own fields of the opinion. */
export type Step = (event: Event, opinion: Opinion, matchers: Matchers) => void;

/**
 * The steps in their order: the page before the source (own hostname) and the goals, the source before the channel. Of the
 * reasons to drop a hit the first one is kept.
 */
export const STEPS: readonly { readonly name: string; readonly apply: Step }[] = [
  { name: "page", apply: page },
  { name: "source", apply: source },
  { name: "channel", apply: channel },
  { name: "device", apply: device },
  { name: "place", apply: place },
  { name: "goal", apply: goal },
  { name: "act", apply: act },
  { name: "passive", apply: passive },
  { name: "metadata", apply: metadata },
  { name: "bot", apply: bot },
  { name: "import rule", apply: importRule },
  { name: "referrer rule", apply: referrerRule },
  { name: "address rule", apply: addressRule },
  { name: "network rule", apply: networkRule },
  { name: "hostname rule", apply: hostnameRule },
  { name: "prefetch", apply: prefetch },
];

/** What the code of today makes of an event under the rules that hold for it. */
export function opine(event: Event, rules: RulesInForce): Opinion {
  const opinion = blank();
  const matchers = matchersOf(rules);
  for (const step of STEPS) step.apply(event, opinion, matchers);
  return opinion;
}

function blank(): Opinion {
  return {
    hostname: "",
    page: "",
    source: "",
    referrer: "",
    utm_source: "",
    utm_medium: "",
    utm_campaign: "",
    utm_content: "",
    utm_term: "",
    channel: "",
    country: "",
    region: "",
    city: "",
    browser: "",
    os: "",
    device: "",
    language: "",
    goals: [],
    act: "none",
    passive: false,
    isReturn: false,
    dropped: "",
  };
}
