// What questions can break down and filter by: one ordered list of attributes, each with its values for an event that a scan
// sees and, where rollups are broken down by it, with the name of that breakdown. Properties ("event:props:plan") are
// attributes made on demand. Values are compared and shown as they are stored, but the empty one has a name.

import { DIMENSIONS, type DimensionName, PLACE_FIELDS, type PlaceField } from "../counting/dimension.ts";
import { versionsOf } from "../enrichment/device.ts";
import type { Opinion } from "../enrichment/opinion.ts";
import { HOSTS, PAGES, REFERRERS, SOURCES, type Spelling } from "../enrichment/spelling.ts";
import type { Event } from "../event.ts";
import { PROP_KEY_LENGTH_MAX } from "../limits.ts";
import { type Product, productLabel } from "../order.ts";
import { productsOf, type Seen } from "./seen.ts";

export interface Attribute {
  /** Its name in the query grammar. */
  readonly question: string;
  /** "event": metrics of visits (bounces, duration) are not defined for it. */
  readonly scope: "event" | "visit";
  /** What is shown, and compared, for the empty value. */
  readonly empty: string;
  /** The breakdown that rollups have of it. */
  readonly rollup: DimensionName | undefined;
  /** An event's values: exactly one, but for goals. */
  readonly valuesOf: (seen: Seen) => readonly string[];
  /** The value of one product, where it is about those. */
  readonly ofProduct?: (product: Product) => string;
  /** How its values are written, where there are several ways to write one. */
  readonly spelling?: Spelling;
  /** What is shown of a stored value, where that is something else. */
  readonly show?: (value: string) => string;
}

const ofProfile = (name: keyof Opinion) => (seen: Seen) => [firstOf(seen).opinion[name] as string];
const ofEvent = (name: keyof Opinion) => (seen: Seen) => [seen.opinion[name] as string];

const EVENT_VALUES: Readonly<Record<PlaceField | "goal", Attribute["valuesOf"]>> = {
  stream: ({ event }) => [String(event.stream)],
  name: ({ event }) => [event.name],
  hostname: ofEvent("hostname"),
  page: ofEvent("page"),
  goal: ({ opinion }) => opinion.goals,
};

const SPELLINGS: Readonly<Partial<Record<DimensionName, Spelling>>> = {
  page: PAGES,
  entry_page: PAGES,
  exit_page: PAGES,
  hostname: HOSTS,
  source: SOURCES,
  referrer: REFERRERS,
};

const FROM_ROLLUPS: readonly Attribute[] = DIMENSIONS.map(({ name, question, scope, empty }) => {
  const spelling = SPELLINGS[name];
  const values = name === "product" ? ofProducts(productLabel) : { valuesOf: valuesOf(name) };
  return { question, scope, empty, rollup: name, ...values, ...(spelling && { spelling }) };
});

/** Of the products of an order or a product event; an event may have several, or none. */
function ofProducts(ofProduct: (product: Product) => string): Pick<Attribute, "valuesOf" | "ofProduct"> {
  return {
    valuesOf: (seen) => [...new Set(productsOf(seen).map(({ product }) => ofProduct(product)))],
    ofProduct,
  };
}

function valuesOf(name: DimensionName): Attribute["valuesOf"] {
  if (name === "entry_page") return ({ visit }) => [visit.entry?.opinion.page ?? ""];
  if (name === "exit_page") return ({ visit }) => [visit.exit?.opinion.page ?? ""];
  if (name === "goal" || (PLACE_FIELDS as readonly string[]).includes(name))
    return EVENT_VALUES[name as PlaceField | "goal"];
  return ofProfile(name as keyof Opinion);
}

/** Other names for what rollups know. A place's region and city are names already. */
const ALIASES: readonly (readonly [question: string, of: string, show?: (value: string) => string])[] = [
  ["visit:screen", "visit:device"],
  ["visit:country_name", "visit:country", countryName],
  ["visit:region_name", "visit:region"],
  ["visit:city_name", "visit:city"],
];

/** What only events know. */
const FROM_EVENTS: readonly Omit<Attribute, "rollup">[] = [
  {
    question: "visit:entry_page_hostname",
    scope: "visit",
    empty: "(none)",
    valuesOf: ({ visit }) => [visit.entry?.opinion.hostname ?? ""],
    spelling: HOSTS,
  },
  {
    question: "visit:exit_page_hostname",
    scope: "visit",
    empty: "(none)",
    valuesOf: ({ visit }) => [visit.exit?.opinion.hostname ?? ""],
    spelling: HOSTS,
  },
  {
    question: "visit:browser_version",
    scope: "visit",
    empty: "(not set)",
    valuesOf: (seen) => [versionsOf(firstOf(seen).event.userAgent).browser],
  },
  {
    question: "visit:os_version",
    scope: "visit",
    empty: "(not set)",
    valuesOf: (seen) => [versionsOf(firstOf(seen).event.userAgent).os],
  },
];

/** What else is known of products; their names are in rollups. */
const OF_PRODUCTS: readonly (readonly [question: string, of: "id" | "category" | "brand" | "variant"])[] = [
  ["event:product_id", "id"],
  ["event:product_category", "category"],
  ["event:product_brand", "brand"],
  ["event:product_variant", "variant"],
];

export const ATTRIBUTES: readonly Attribute[] = [
  ...FROM_ROLLUPS,
  ...ALIASES.map(([question, of, show]) => {
    const known = FROM_ROLLUPS.find((attribute) => attribute.question === of) as Attribute;
    return { ...known, question, ...(show && { show }) };
  }),
  ...FROM_EVENTS.map((attribute) => ({ ...attribute, rollup: undefined })),
  ...OF_PRODUCTS.map(([question, of]) => ({
    question,
    scope: "event" as const,
    empty: "(none)",
    rollup: undefined,
    ...ofProducts((product) => product[of] ?? ""),
  })),
];

const PROPS = "event:props:";

/** The attribute of a name as questions have it. */
export function attributeOf(name: unknown): Attribute | undefined {
  if (typeof name !== "string") return undefined;
  const known = ATTRIBUTES.find(({ question }) => question === name);
  if (known !== undefined || !name.startsWith(PROPS)) return known;
  const key = name.slice(PROPS.length);
  if (key === "" || key.length > PROP_KEY_LENGTH_MAX) return undefined;
  return {
    question: name,
    scope: "event",
    empty: "(none)",
    rollup: undefined,
    valuesOf: ({ event }) => [propsOf(event).get(key) ?? ""],
  };
}

export function isProperty({ question }: Attribute): boolean {
  return question.startsWith(PROPS);
}

/** Columns of the archive that some attributes need beside those that counting reads. */
export function columnsOf(attributes: readonly Attribute[]): readonly string[] {
  return attributes.some(isProperty) ? ["props"] : [];
}

/** A stored value as answers have it and filters compare it. */
export function shownValue({ empty, show }: Attribute, value: string): string {
  if (value === "") return empty;
  return show === undefined ? value : show(value);
}

function firstOf({ visit }: Seen): Seen {
  return visit.profile;
}

const kept = new WeakMap<Event, ReadonlyMap<string, string>>();

/** An event's properties, read once. A Map: keys may be anything. */
function propsOf(event: Event): ReadonlyMap<string, string> {
  const known = kept.get(event);
  if (known !== undefined) return known;
  const props = new Map(event.props === "" ? [] : Object.entries(JSON.parse(event.props) as Record<string, string>));
  kept.set(event, props);
  return props;
}

const REGIONS = new Intl.DisplayNames(["en"], { type: "region", fallback: "code" });

/** "Austria" for "AT". What is no code of a country is shown as it is. */
function countryName(code: string): string {
  return /^[A-Z]{2}$/.test(code) ? (REGIONS.of(code) ?? code) : code;
}
