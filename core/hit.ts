// A hit is an HTTP request of some wire format, reduced to the parts that formats may look at. A format makes drafts of
// events of it. A format is a pure function. Later steps, the same for all formats, look up senders, make ids and hash
// visitors. `ROUTES` in formats/route.ts is the one ordered list of formats; formats/path.ts has their paths.

import type { Exported } from "./formats/exported.ts";
import type { Answer } from "./formats/hit-reply.ts";
import type { Outcome } from "./outcome.ts";
import type { Report } from "./report.ts";

export interface Hit {
  /** Such as "/v1/track". In some protocols the path says what is sent. */
  readonly path: string;
  /** The query string without its question mark. */
  readonly query: string;
  readonly body: string;
  /** Request headers, empty when absent. */
  readonly userAgent: string;
  readonly referrer: string;
  readonly acceptLanguage: string;
  readonly origin: string;
  readonly forwardedFor: string;
  readonly ifModifiedSince: string;
  /** The user of `Authorization: Basic`. */
  readonly basicUser: string;
  /** Whether the request came with an API key that may write, as `Authorization: Bearer`. */
  readonly keyed: boolean;
  /** UTC ms. */
  readonly receivedAt: number;
}

/** A request of which nothing is known. Hosts and tests copy it and set what they know. */
export const BLANK_HIT: Hit = {
  path: "",
  query: "",
  body: "",
  userAgent: "",
  referrer: "",
  acceptLanguage: "",
  origin: "",
  forwardedFor: "",
  ifModifiedSince: "",
  basicUser: "",
  keyed: false,
  receivedAt: 0,
};

/** An event as its sender describes it. Empty texts are "not given". */
export interface Draft {
  /**
   * Who is counted, by one of these: a tracking ID; a site's hostname; an API key in place of either. None of them
   * where the request itself is keyed and its merchant has one stream.
   */
  readonly trackingId: string;
  readonly site: string;
  readonly apiKey: string;
  /** The number of the key's stream; 0 when not given. */
  readonly stream: number;
  readonly id: string;
  readonly visitorId: string;
  /**
   * The visitor's, as a server says. Only a server with an API key is believed; its agent is believed even if empty.
   */
  readonly claimedAddress: string;
  readonly claimedUserAgent: string;
  /** UTC ms, or undefined when the sender leaves the time to us. */
  readonly timestamp: number | undefined;
  readonly name: string;
  readonly url: string;
  readonly referrer: string;
  readonly title: string;
  readonly userAgent: string;
  readonly language: string;
  readonly screen: string;
  /** Where the visitor was, as a keyed sender says. For other senders the platform says it. */
  readonly country: string;
  readonly region: string;
  readonly city: string;
  /** `Event.given` and `Event.importNumber`, of keyed senders. */
  readonly given: string;
  readonly importNumber: number;
  /** What another Footfall has archived of it. Only imports have it. */
  readonly exported: Exported | undefined;
  readonly props: string;
  readonly revenue: number;
  readonly currency: string;
  readonly engagementMs: number;
  readonly scroll: number;
  readonly order: string;
  readonly products: string;
  /** 1 where the format says that nobody interacted: `Event.passive`. */
  readonly passive: number;
  /** 1 where its sender says that the fragment of its address is the page: `Event.fragment`. */
  readonly fragment: number;
}

/** A draft of which nothing is given. Formats copy it and set what they read. */
export const BLANK_DRAFT: Draft = {
  trackingId: "",
  site: "",
  apiKey: "",
  stream: 0,
  id: "",
  visitorId: "",
  claimedAddress: "",
  claimedUserAgent: "",
  timestamp: undefined,
  name: "",
  url: "",
  referrer: "",
  title: "",
  userAgent: "",
  language: "",
  screen: "",
  country: "",
  region: "",
  city: "",
  given: "",
  importNumber: 0,
  exported: undefined,
  props: "",
  revenue: 0,
  currency: "",
  engagementMs: 0,
  scroll: -1,
  order: "",
  products: "",
  passive: 0,
  fragment: 0,
};

/** A hit whose events are settled, for whoever answers it. */
export interface Settled {
  readonly hit: Hit;
  readonly outcome: Outcome<Report>;
  /** A UUID made for this request. In some protocols clients expect an id in the answer. */
  readonly requestId: string;
}

/** A wire format: the whole hit may be refused, or each event on its own. */
export interface Format {
  readonly name: string;
  readonly parse: (hit: Hit) => Outcome<readonly Outcome<Draft>[]>;
  /** What the client hears, in the words of its protocol. */
  readonly answer: (settled: Settled) => Answer;
}
