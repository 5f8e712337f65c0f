// A hit: an HTTP request of some wire format, reduced to what formats may look at; and what they make of it, drafts of
// events. A format is a pure function; tracking IDs are verified, ids made and visitors hashed after it, once for all
// formats. `FORMATS` in formats/ is the one ordered list.

import type { Outcome } from "./outcome.ts";

export interface Hit {
  /** The query string without its question mark. */
  readonly query: string;
  readonly body: string;
  /** Request headers, empty when absent. */
  readonly userAgent: string;
  readonly referrer: string;
  readonly acceptLanguage: string;
  /** UTC ms. */
  readonly receivedAt: number;
}

/** An event as its sender describes it. Empty texts are "not given". */
export interface Draft {
  readonly trackingId: string;
  readonly id: string;
  readonly visitorId: string;
  /** UTC ms, or undefined when the sender leaves the time to us. */
  readonly timestamp: number | undefined;
  readonly name: string;
  readonly url: string;
  readonly referrer: string;
  readonly title: string;
  readonly userAgent: string;
  readonly language: string;
  readonly screen: string;
  readonly props: string;
  readonly revenue: number;
  readonly currency: string;
  readonly engagementMs: number;
  readonly scroll: number;
  readonly order: string;
  readonly products: string;
}

/** A draft of which nothing is given: formats spread it and set what they read. */
export const BLANK_DRAFT: Draft = {
  trackingId: "",
  id: "",
  visitorId: "",
  timestamp: undefined,
  name: "",
  url: "",
  referrer: "",
  title: "",
  userAgent: "",
  language: "",
  screen: "",
  props: "",
  revenue: 0,
  currency: "",
  engagementMs: 0,
  scroll: -1,
  order: "",
  products: "",
};

/** A wire format: the whole hit may be refused, or each event on its own. */
export interface Format {
  readonly name: string;
  readonly parse: (hit: Hit) => Outcome<readonly Outcome<Draft>[]>;
}
