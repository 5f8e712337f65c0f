// The canonical record: what every wire format becomes, what a partition logs and counts, what the archive keeps.
// It holds facts only (L5): what was observed, and why a hit was not counted. Browser, channel, page and visit are
// opinions, made from it by `enrichment/` and `counting/` whenever somebody asks. `FIELDS` is the one list of its
// fields; the log, the bundle and the Parquet columns all follow it.

import type { DropReason } from "./outcome.ts";

export interface Event {
  /** The tenant's number, from the tracking ID. */
  readonly merchant: number;
  /** The merchant's shop, app or till, from the tracking ID. */
  readonly stream: number;
  /** The duplicate key (L2): the client's, or a UUIDv7 made at the edge. */
  readonly id: string;
  /** "pageview", "engagement", or any name the merchant chose. */
  readonly name: string;
  /** When it happened, UTC ms. */
  readonly timestamp: number;
  /** When the edge received it, UTC ms. */
  readonly receivedAt: number;
  /** Who did it: 16 hex digits. Empty until the partition has made a cookieless one. */
  readonly visitor: string;
  /** The wire format it came in. */
  readonly format: string;
  /** Absolute address, or empty. */
  readonly url: string;
  readonly referrer: string;
  readonly title: string;
  readonly userAgent: string;
  /** BCP 47 tag, such as "de-AT". */
  readonly language: string;
  /** "1920x1080", or empty. */
  readonly screen: string;
  /** ISO 3166-1 alpha-2, from the platform; empty when unknown. */
  readonly country: string;
  readonly region: string;
  readonly city: string;
  /** The merchant's own properties as a JSON object of strings, or empty. */
  readonly props: string;
  /** In ten-thousandths of a unit of `currency`: exact for every ISO 4217 currency. Negative for a refund. */
  readonly revenue: number;
  /** ISO 4217; empty for the merchant's own, and when there is no revenue. */
  readonly currency: string;
  /** Time the page was in front of its reader since the last report. */
  readonly engagementMs: number;
  /** Deepest scroll in per cent; -1 when not reported. */
  readonly scroll: number;
  /** Why it is not counted; empty when it is. */
  readonly dropped: DropReason | "";
  /** The autonomous system its address belongs to, from the platform; 0 when unknown. */
  readonly asn: number;
  /** What kind of verified bot the platform says it is, such as "Search Engine Crawler"; empty for none. */
  readonly verifiedBot: string;
  /** Client hints of the browser, as a JSON object with any of brands, mobile, platform, model; or empty. */
  readonly hints: string;
  /**
   * The merchant's rule that its address matched when it came, by the rule's own name: the address itself is not kept.
   */
  readonly excluded: string;
  /** The merchant's order number, where the event is an order or changes one. */
  readonly order: string;
  /** Products of an order or a product event: a JSON array of objects with any of id, name, category, brand, variant,
   *  price (in units of `currency`), quantity; or empty. */
  readonly products: string;
  /** 1 where it came with an API key that may write. Only such an event is surely the merchant's own word. */
  readonly keyed: number;
  /** Its index in the request that brought it, from 0. Events of one instant keep the order of their request. */
  readonly sequence: number;
  /**
   * Whether its visitor can be known again on another Day; empty for events logged before this was noted (as "known").
   */
  readonly visitorKind: VisitorKind | "";
  /** 1 where its format marks it as not interactive: the page or the tracker sent it, and the reader did nothing. */
  readonly passive: number;
  /** Why the browser asked, as its headers say when nobody looks yet: "prefetch", or empty. */
  readonly purpose: string;
  /** 1 where its sender says that the part of its address after "#" is the page. */
  readonly fragment: number;
  /** The number of the import that brought it; 0 where no import did. */
  readonly importNumber: number;
  /**
   * What a keyed sender says of browser, system and device where it has no agent: a JSON object with any of
   * browser, os, device; or empty.
   */
  readonly given: string;
}

/**
 * "daily": made of address and agent with a Day's salt, so it is another visitor tomorrow. "known": the sender's id.
 */
export type VisitorKind = "daily" | "known";

/** How a field is stored. */
export type FieldType = "text" | "integer" | "instant";

export interface Field {
  readonly name: keyof Event;
  /** Its name in Parquet and in the public API. */
  readonly column: string;
  readonly type: FieldType;
}

/** Every field, in the order of the log and the archive. Append only: stored rows are read by position. */
export const FIELDS: readonly Field[] = [
  { name: "merchant", column: "merchant", type: "integer" },
  { name: "stream", column: "stream", type: "integer" },
  { name: "id", column: "event_id", type: "text" },
  { name: "name", column: "name", type: "text" },
  { name: "timestamp", column: "timestamp", type: "instant" },
  { name: "receivedAt", column: "received_at", type: "instant" },
  { name: "visitor", column: "visitor", type: "text" },
  { name: "format", column: "format", type: "text" },
  { name: "url", column: "url", type: "text" },
  { name: "referrer", column: "referrer", type: "text" },
  { name: "title", column: "title", type: "text" },
  { name: "userAgent", column: "user_agent", type: "text" },
  { name: "language", column: "language", type: "text" },
  { name: "screen", column: "screen", type: "text" },
  { name: "country", column: "country", type: "text" },
  { name: "region", column: "region", type: "text" },
  { name: "city", column: "city", type: "text" },
  { name: "props", column: "props", type: "text" },
  { name: "revenue", column: "revenue", type: "integer" },
  { name: "currency", column: "currency", type: "text" },
  { name: "engagementMs", column: "engagement_ms", type: "integer" },
  { name: "scroll", column: "scroll", type: "integer" },
  { name: "dropped", column: "dropped", type: "text" },
  { name: "asn", column: "asn", type: "integer" },
  { name: "verifiedBot", column: "verified_bot", type: "text" },
  { name: "hints", column: "hints", type: "text" },
  { name: "excluded", column: "excluded", type: "text" },
  { name: "order", column: "order_id", type: "text" },
  { name: "products", column: "products", type: "text" },
  { name: "keyed", column: "keyed", type: "integer" },
  { name: "sequence", column: "sequence", type: "integer" },
  { name: "visitorKind", column: "visitor_kind", type: "text" },
  { name: "passive", column: "passive", type: "integer" },
  { name: "purpose", column: "purpose", type: "text" },
  { name: "fragment", column: "fragment", type: "integer" },
  { name: "importNumber", column: "import", type: "integer" },
  { name: "given", column: "given", type: "text" },
];

/**
 * An event of which nothing was observed. It gives the values of fields that a format, or an old stored row, does not
 * have.
 */
export const NO_FACTS = {
  asn: 0,
  verifiedBot: "",
  hints: "",
  excluded: "",
  order: "",
  products: "",
  keyed: 0,
  sequence: 0,
  visitorKind: "",
  passive: 0,
  purpose: "",
  fragment: 0,
  importNumber: 0,
  given: "",
} as const satisfies Partial<Event>;

/** One event as it stands in the log: values in the order of `FIELDS`. */
export type EventRow = readonly (string | number)[];

export function encodeEvent(event: Event): EventRow {
  return encodeAfter([], event);
}

/** Encodes an event behind other values of a row. It makes one array of the right size and copies nothing. */
export function encodeAfter(head: EventRow, event: Event): EventRow {
  const fields = event.importNumber === 0 && event.given === "" ? LIVE_FIELDS : FIELDS;
  const row = new Array<string | number>(head.length + fields.length);
  for (let index = 0; index < head.length; index++) row[index] = head[index] as string | number;
  for (let index = 0; index < fields.length; index++) row[head.length + index] = event[(fields[index] as Field).name];
  return row;
}

/** Only imported events have the last two fields. Without them the row of a live hit is shorter. */
const LIVE_FIELDS = FIELDS.slice(0, -2);

/**
 * The inverse of `encodeEvent`. For a row of `encodeAfter`, `from` is the index of the event's first value. A row from
 * before fields were added is shorter. A row from a later release, before it was rolled back, is longer. Its event is
 * counted without the new field and stays in the log as it is, until that release archives it (DPL-6).
 */
export function decodeEvent(row: EventRow, from = 0): Event {
  const event: Record<string, string | number> = { ...BLANK };
  const end = Math.min(row.length, from + FIELDS.length);
  for (let index = from; index < end; index++) {
    event[(FIELDS[index - from] as Field).name] = row[index] as string | number;
  }
  return event as unknown as Event;
}

/** Whether a value is a row of `encodeEvent`, today's or one from before fields were added. */
export function isEventRow(value: readonly unknown[]): value is EventRow {
  if (value.length > FIELDS.length) return false;
  return value.every((item, index) =>
    FIELDS[index]?.type === "text" ? typeof item === "string" : Number.isFinite(item),
  );
}

/**
 * To fill a copy of it takes two thirds of the time that building an object of thirty fields takes. Copies of the
 * filled object are faster, too.
 */
const BLANK: Readonly<Record<string, string | number>> = Object.fromEntries(
  FIELDS.map(({ name, type }) => [name, type === "text" ? "" : 0]),
);

/** An event on its way from the collector to its partition, with what is needed only on the way. */
export interface Arrival {
  readonly event: Event;
  /** The client's network address. It makes the cookieless visitor and is then forgotten; it is never stored. */
  readonly address: string;
  /** Whether a resend may carry another timestamp: the client gave the id, and left the time to us. */
  readonly floating: boolean;
}

/** One ten-thousandth of a unit is the grain of revenue. */
export const REVENUE_SCALE = 10_000;

/** An event's name in one spelling, to be looked up in lists: "Order_Completed" and "order completed" are the same. */
export function normalName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[\s_-]+/g, " ")
    .trim();
}

export function isPageview(name: string): boolean {
  return name === "pageview";
}

/** Engagement reports lengthen a visit and carry time and scroll; they are neither events nor page views. */
export function isEngagement(name: string): boolean {
  return name === "engagement";
}

/**
 * Names of messages that describe a visitor, a session, a page load or a line of an order, and are nobody's act.
 * Examples are Segment's identify, group and alias, Umami's performance, GA4's session_start, and the items of
 * Snowplow's classic transactions. Formats give such an event one of these names. It is archived and not counted. The
 * same holds for what PostHog's client records of every click by itself. If those were counted, every click would be an
 * event and show interest.
 */
const METADATA_NAMES = [
  ...(["$identify", "$group", "$alias", "$performance", "$session", "$item"] as const),
  ...(["$autocapture", "$rageclick", "$dead_click", "$copy_autocapture", "$$heatmap", "$heatmap"] as const),
  ...(["$snapshot", "$opt_in", "$opt_out"] as const),
] as const;

export function isMetadata(name: string): boolean {
  return (METADATA_NAMES as readonly string[]).includes(name);
}
