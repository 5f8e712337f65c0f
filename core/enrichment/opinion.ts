// From an event to what Footfall thinks of it: an ordered list of named, pure steps. Each reads the event's facts and
// the findings of earlier steps. Opinions are never stored with the event (L5). The live path, recovery from the log
// and replay all call `opine`, so a better rule can be applied to the past.

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

/** Everything that is derived. An empty text means "not known". */
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
  /** Whether the page or the tracker sent the event by itself, and nobody did anything. */
  passive: boolean;
  /** Whether its referrer only sent the visitor back: the merchant's own host, or a payment page (return-host.ts). */
  isReturn: boolean;
  dropped: DropReason | "";
}

/** Reads facts and earlier opinions, writes its own fields of the opinion. */
export type Step = (event: Event, opinion: Opinion, matchers: Matchers) => void;

/** Steps that are taken together. Their result depends only on the fields named here. */
export interface Part {
  readonly name: string;
  /** Fields of the event. */
  readonly reads: readonly (keyof Event)[];
  /** Findings of earlier steps. */
  readonly readsOpinions: readonly (keyof Opinion)[];
  readonly writes: readonly (keyof Opinion)[];
  readonly steps: readonly { readonly name: string; readonly apply: Step }[];
}

/**
 * The steps in their order. The page comes before the source (own hostname) and the goals; the source comes before the
 * channel. The first reason to drop a hit is kept. Events with equal inputs of a part get the same opinion of it. So
 * for many events a part is formed once for each different input (opinion-columns.ts).
 */
export const PARTS = [
  {
    name: "address",
    reads: ["url", "format", "fragment"],
    readsOpinions: [],
    writes: ["hostname", "page"],
    steps: [{ name: "page", apply: page }],
  },
  {
    name: "origin",
    // Only the query of the address, if it has one.
    reads: ["referrer", "url", "format", "fragment"],
    readsOpinions: ["hostname"],
    writes: [
      ...(["source", "referrer", "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"] as const),
      ...(["channel", "isReturn"] as const),
    ],
    steps: [
      { name: "source", apply: source },
      { name: "channel", apply: channel },
    ],
  },
  {
    name: "device",
    reads: ["userAgent", "hints", "given"],
    readsOpinions: [],
    writes: ["browser", "os", "device"],
    steps: [{ name: "device", apply: device }],
  },
  {
    name: "place",
    reads: ["country", "region", "city", "language"],
    readsOpinions: [],
    writes: ["country", "region", "city", "language"],
    steps: [{ name: "place", apply: place }],
  },
  {
    name: "goals",
    reads: ["name"],
    readsOpinions: ["page"],
    writes: ["goals"],
    steps: [{ name: "goal", apply: goal }],
  },
  {
    name: "act",
    // Only whether there is an order number, the sign of the revenue, and whether there are products.
    reads: ["name", "keyed", "passive", "order", "revenue", "products"],
    readsOpinions: [],
    writes: ["act", "passive"],
    steps: [
      { name: "act", apply: act },
      { name: "passive", apply: passive },
    ],
  },
  {
    name: "drop",
    reads: ["name", "userAgent", "verifiedBot", "hints", "referrer", "excluded", "asn", "format", "purpose"],
    readsOpinions: ["hostname"],
    writes: ["dropped"],
    steps: [
      { name: "metadata", apply: metadata },
      { name: "bot", apply: bot },
      { name: "import rule", apply: importRule },
      { name: "referrer rule", apply: referrerRule },
      { name: "address rule", apply: addressRule },
      { name: "network rule", apply: networkRule },
      { name: "hostname rule", apply: hostnameRule },
      { name: "prefetch", apply: prefetch },
    ],
  },
] as const satisfies readonly Part[];

export type PartName = (typeof PARTS)[number]["name"];

export const STEPS: readonly { readonly name: string; readonly apply: Step }[] = PARTS.flatMap(
  (part: Part) => part.steps,
);

/** What today's code thinks of an event under the rules that hold for it. */
export function opine(event: Event, rules: RulesInForce): Opinion {
  const opinion = blank();
  const matchers = matchersOf(rules);
  for (const step of STEPS) step.apply(event, opinion, matchers);
  return opinion;
}

/** An opinion before the first step. */
export function blank(): Opinion {
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
