// Makers of events for tests: a plain page view with a few fields changed.

import { type Event, NO_FACTS } from "../../core/event.ts";
import type { Settings } from "../../core/merchant.ts";
import { GLOBAL_MERCHANT, NO_RULES, type Rules, type RuleTimeline } from "../../core/rules.ts";

/** 2026-03-10T10:00:00Z, a Tuesday without any clock change. */
export const TUESDAY = Date.UTC(2026, 2, 10, 10);

export const CHROME =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
export const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";
export const GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

let count = 0;

export function eventOf(changes: Partial<Event> = {}): Event {
  count += 1;
  const timestamp = changes.timestamp ?? TUESDAY;
  return {
    merchant: 1,
    stream: 1,
    id: `event-${count}`,
    name: "pageview",
    timestamp,
    receivedAt: timestamp,
    visitor: "00000000000000aa",
    format: "native",
    url: "https://shop.example/",
    referrer: "",
    title: "",
    userAgent: CHROME,
    language: "en-GB",
    screen: "",
    country: "GB",
    region: "",
    city: "",
    props: "",
    revenue: 0,
    currency: "",
    engagementMs: 0,
    scroll: -1,
    dropped: "",
    ...NO_FACTS,
    ...changes,
  };
}

export function settingsOf(zone = "UTC", changes: Partial<Settings> = {}): Settings {
  return { merchant: 1, version: 1, zones: [{ from: 0, zone }], currency: "EUR", rules: [], ...changes };
}

/** The deployment's own settings. */
export function globalSettings(rules: RuleTimeline = [], version = 1): Settings {
  return settingsOf("UTC", { merchant: GLOBAL_MERCHANT, rules, version });
}

/** A timeline on which rules have held from the beginning of time. */
export function always(rules: Partial<Rules>): RuleTimeline {
  return [{ version: 1, from: 0, rules: { ...NO_RULES, ...rules } }];
}
