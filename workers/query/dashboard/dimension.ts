// What the overview breaks numbers down by: the four panels with their tabs, and what else can be filtered by. The
// short name of a dimension is what addresses say ("source"); the long one is the API's ("visit:source").

/** Every short name and the API's name for it. */
export const DIMENSIONS = {
  source: "visit:source",
  channel: "visit:channel",
  campaign: "visit:utm_campaign",
  referrer: "visit:referrer",
  page: "event:page",
  entry: "visit:entry_page",
  exit: "visit:exit_page",
  product: "event:product",
  category: "event:product_category",
  brand: "event:product_brand",
  variant: "event:product_variant",
  country: "visit:country",
  region: "visit:region",
  city: "visit:city",
  device: "visit:device",
  browser: "visit:browser",
  os: "visit:os",
  language: "visit:language",
  goal: "event:goal",
  event: "event:name",
  stream: "event:stream",
  hostname: "event:hostname",
} as const;

export type DimensionName = keyof typeof DIMENSIONS;

export const DIMENSION_NAMES = Object.keys(DIMENSIONS) as DimensionName[];

/** Whether a text of an address names a dimension. */
export function isDimension(name: string): name is DimensionName {
  return Object.hasOwn(DIMENSIONS, name);
}

/** The panels of the overview, each with its tabs; the first is shown unless the address says another. */
export const PANELS = [
  ["where", ["source", "channel", "campaign"]],
  ["what", ["page", "entry", "exit", "product"]],
  ["who", ["country", "region", "city"]],
  ["with", ["device", "browser", "os", "language"]],
] as const satisfies readonly (readonly [string, readonly DimensionName[]])[];

/** The panels of Sales. They have names of their own, because addresses say them. */
export const SALES_PANELS = [
  ["sold", ["product", "category", "brand", "variant"]],
  ["earned", ["source", "channel", "campaign", "referrer"]],
  ["buyers", ["country", "region", "city"]],
  ["entered", ["entry", "device", "language"]],
] as const satisfies readonly (readonly [string, readonly DimensionName[]])[];

/** Every panel that an address may say a tab of. */
export const ALL_PANELS = [...PANELS, ...SALES_PANELS] as const;

export type PanelName = (typeof ALL_PANELS)[number][0];
