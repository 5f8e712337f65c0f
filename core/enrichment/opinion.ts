// From an event to what Footfall thinks of it: an ordered list of named steps, each pure, each reading the event's facts
// and what earlier steps found. Opinions are never stored with the event (L5): the live path, recovery from the log and
// replay all call `opine`, so a better rule can be applied to history.

import type { Event } from "../event.ts";
import type { Rules } from "../merchant.ts";
import type { DropReason } from "../outcome.ts";
import { bot } from "./bot.ts";
import { channel } from "./channel.ts";
import { device } from "./device.ts";
import { hostnameRule, page } from "./page.ts";
import { place } from "./place.ts";
import { source } from "./source.ts";

/** Every derived text; empty means "not known". */
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
  dropped: DropReason | "";
}

/** Reads facts and earlier opinions, writes its own fields of the opinion. */
export type Step = (event: Event, opinion: Opinion, rules: Rules) => void;

/** The steps in their order: the page before the source (own hostname), the source before the channel. */
export const STEPS: readonly { readonly name: string; readonly apply: Step }[] = [
  { name: "page", apply: page },
  { name: "source", apply: source },
  { name: "channel", apply: channel },
  { name: "device", apply: device },
  { name: "place", apply: place },
  { name: "bot", apply: bot },
  { name: "hostname rule", apply: hostnameRule },
];

/** What today's rules make of an event. */
export function opine(event: Event, rules: Rules): Opinion {
  const opinion = blank();
  for (const step of STEPS) step.apply(event, opinion, rules);
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
    dropped: "",
  };
}
