// The dimensions that a rollup is broken down by, as one ordered list. A value comes from each event (page, name), from
// the visit's first event (source, country, browser), or from the visit's first or last page. An event may have several
// goals or none; for every other dimension it has one value. Rollups, the columns of D1 and the query grammar are made
// from this list.

/** What the first event of a visit says about the whole visit. A visit's profile has this order. */
export const PROFILE_FIELDS = [
  "source",
  "referrer",
  "utm_source",
  "utm_medium",
  "utm_campaign",
  "utm_content",
  "utm_term",
  "channel",
  "country",
  "region",
  "city",
  "browser",
  "os",
  "device",
  "language",
] as const;
export type ProfileField = (typeof PROFILE_FIELDS)[number];

/** What each event says for itself, in the order of a tuple. */
export const PLACE_FIELDS = ["stream", "name", "hostname", "page"] as const;
export type PlaceField = (typeof PLACE_FIELDS)[number];

export type DimensionName = ProfileField | PlaceField | "goal" | "product" | "entry_page" | "exit_page";

export interface Dimension {
  readonly name: DimensionName;
  /** Its name in the query grammar. */
  readonly question: string;
  /** "event": metrics of visits (bounces, duration) are not defined for it. */
  readonly scope: "event" | "visit";
  /** What an answer shows for the empty value. */
  readonly empty: string;
}

export const DIMENSIONS: readonly Dimension[] = [
  { name: "page", question: "event:page", scope: "event", empty: "(none)" },
  { name: "hostname", question: "event:hostname", scope: "event", empty: "(none)" },
  { name: "name", question: "event:name", scope: "event", empty: "(none)" },
  { name: "stream", question: "event:stream", scope: "event", empty: "(none)" },
  { name: "goal", question: "event:goal", scope: "event", empty: "(none)" },
  { name: "product", question: "event:product", scope: "event", empty: "(none)" },
  { name: "entry_page", question: "visit:entry_page", scope: "visit", empty: "(none)" },
  { name: "exit_page", question: "visit:exit_page", scope: "visit", empty: "(none)" },
  { name: "source", question: "visit:source", scope: "visit", empty: "Direct / None" },
  { name: "referrer", question: "visit:referrer", scope: "visit", empty: "Direct / None" },
  { name: "utm_source", question: "visit:utm_source", scope: "visit", empty: "(not set)" },
  { name: "utm_medium", question: "visit:utm_medium", scope: "visit", empty: "(not set)" },
  { name: "utm_campaign", question: "visit:utm_campaign", scope: "visit", empty: "(not set)" },
  { name: "utm_content", question: "visit:utm_content", scope: "visit", empty: "(not set)" },
  { name: "utm_term", question: "visit:utm_term", scope: "visit", empty: "(not set)" },
  { name: "channel", question: "visit:channel", scope: "visit", empty: "(not set)" },
  { name: "country", question: "visit:country", scope: "visit", empty: "(not set)" },
  { name: "region", question: "visit:region", scope: "visit", empty: "(not set)" },
  { name: "city", question: "visit:city", scope: "visit", empty: "(not set)" },
  { name: "browser", question: "visit:browser", scope: "visit", empty: "(not set)" },
  { name: "os", question: "visit:os", scope: "visit", empty: "(not set)" },
  { name: "device", question: "visit:device", scope: "visit", empty: "(not set)" },
  { name: "language", question: "visit:language", scope: "visit", empty: "(not set)" },
];

/** Stands for all values that were cut off a rollup. */
export const OTHER = "(other)";
