// The attributes that questions can break down and filter by, as one ordered list. Each says which values an event has,
// and names the breakdown of rollups that has it, if any. Properties ("event:props:plan") are attributes made on
// demand. Values are compared and shown as they are stored. Only the empty value has a name, such as "(none)".

import { textsOf } from "../archive/event-columns.ts";
import { DIMENSIONS, type DimensionName, PLACE_FIELDS, type PlaceField } from "../counting/dimension.ts";
import { versionsOf } from "../enrichment/device.ts";
import type { Opinion } from "../enrichment/opinion.ts";
import { type OpinionColumn, partOf } from "../enrichment/opinion-columns.ts";
import { HOSTS, PAGES, REFERRERS, SOURCES, type Spelling } from "../enrichment/spelling.ts";
import type { Event } from "../event.ts";
import { PROP_KEY_LENGTH_MAX } from "../limits.ts";
import { type Product, productLabel } from "../order.ts";
import { productsOf, type Seen, type SeenColumns } from "./seen.ts";

export interface Attribute {
  /** Its name in the query grammar. */
  readonly question: string;
  /** Whether it belongs to events or to visits. Metrics of visits (bounces, duration) are not defined for "event". */
  readonly scope: "event" | "visit";
  /** What is shown, and compared, for the empty value. */
  readonly empty: string;
  /** The breakdown that rollups have of it; undefined where only events know it. */
  readonly rollup: DimensionName | undefined;
  /** An event's values: any number of goals, products and names of properties, exactly one of everything else. */
  readonly valuesOf: (seen: Seen) => readonly string[];
  /** A number that is equal for events of one Day that have the same values; -1 where no such number is known. */
  readonly codeOf: (seen: Seen, of: SeenColumns) => number;
  /** The value of one product, for attributes of products. */
  readonly ofProduct?: (product: Product) => string;
  /** Brings all spellings of one value, such as "/%C3%BCber" and "/über", to one spelling. */
  readonly spelling?: Spelling;
  /** What is shown of a stored value, where that is something else. */
  readonly show?: (value: string) => string;
}

/** A stream's number is its code if it is less than this. A code has to be small. */
const CODES_MAX = 2 ** 20;

/** An attribute's values, and the code by which they are remembered. */
type Values = Pick<Attribute, "valuesOf" | "codeOf">;

function ofProfile(name: keyof Opinion): Values {
  const part = partOf(name);
  return {
    valuesOf: (seen) => [firstOf(seen).opinion[name] as string],
    codeOf: (seen, { opinions }) => opinions[part].codes[firstOf(seen).row] as number,
  };
}

/** Values of the visit's entry or exit page view. Code 0 stands for a visit without any. */
function ofView(at: "entry" | "exit", name: "page" | "hostname"): Values {
  return {
    valuesOf: ({ visit }) => [visit[at]?.opinion[name] ?? ""],
    codeOf: ({ visit }, { opinions }) => codeAt(opinions.address, visit[at]?.row ?? -1),
  };
}

function codeAt({ codes }: OpinionColumn, row: number): number {
  return row < 0 ? 0 : (codes[row] as number) + 1;
}

function ofText(field: keyof Event, valuesOf: Attribute["valuesOf"]): Values {
  return { valuesOf, codeOf: ({ row }, { columns }) => textsOf(columns, field).codes[row] as number };
}

const EVENT_VALUES: Readonly<Record<PlaceField | "goal", Values>> = {
  stream: {
    valuesOf: ({ event }) => [String(event.stream)],
    codeOf: ({ event: { stream } }) => (stream < CODES_MAX ? stream : -1),
  },
  name: ofText("name", ({ event }) => [event.name]),
  hostname: {
    valuesOf: ({ opinion }) => [opinion.hostname],
    codeOf: ({ row }, { opinions }) => codeAt(opinions.address, row),
  },
  page: {
    valuesOf: ({ opinion }) => [opinion.page],
    codeOf: ({ pageRow }, { opinions }) => codeAt(opinions.address, pageRow),
  },
  goal: {
    valuesOf: ({ opinion }) => opinion.goals,
    codeOf: ({ row }, { opinions }) => opinions.goals.codes[row] as number,
  },
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
  const values = name === "product" ? ofProducts(productLabel) : valuesOf(name);
  return { question, scope, empty, rollup: name, ...values, ...(spelling && { spelling }) };
});

/** Values from the products of an order or a product event. An event may have several products, or none. */
function ofProducts(ofProduct: (product: Product) => string): Values & Pick<Attribute, "ofProduct"> {
  return {
    valuesOf: (seen) => [...new Set(productsOf(seen).map(({ product }) => ofProduct(product)))],
    codeOf: (seen, { columns }) => {
      const named = textsOf(columns, "products");
      const code = named.codes[seen.row] as number;
      // An event that names no products may refund an order whose products another event named.
      return named.values[code] !== "" || (seen.earning?.sale.lines.length ?? 0) === 0 ? code : -1;
    },
    ofProduct,
  };
}

function valuesOf(name: DimensionName): Values {
  if (name === "entry_page") return ofView("entry", "page");
  if (name === "exit_page") return ofView("exit", "page");
  if (name === "goal" || (PLACE_FIELDS as readonly string[]).includes(name))
    return EVENT_VALUES[name as PlaceField | "goal"];
  return ofProfile(name as keyof Opinion);
}

/** Other names for dimensions of rollups. Region and city are stored as names, so they are shown as they are. */
const ALIASES: readonly (readonly [question: string, of: string, show?: (value: string) => string])[] = [
  ["visit:screen", "visit:device"],
  ["visit:country_name", "visit:country", countryName],
  ["visit:region_name", "visit:region"],
  ["visit:city_name", "visit:city"],
];

const PROPERTY = "event:property";

/** Attributes that only events know: no rollup is broken down by them. */
const FROM_EVENTS: readonly Omit<Attribute, "rollup">[] = [
  {
    question: "visit:entry_page_hostname",
    scope: "visit",
    empty: "(none)",
    ...ofView("entry", "hostname"),
    spelling: HOSTS,
  },
  {
    question: "visit:exit_page_hostname",
    scope: "visit",
    empty: "(none)",
    ...ofView("exit", "hostname"),
    spelling: HOSTS,
  },
  {
    question: "visit:browser_version",
    scope: "visit",
    empty: "(not set)",
    ...ofVersion("browser"),
  },
  {
    question: "visit:os_version",
    scope: "visit",
    empty: "(not set)",
    ...ofVersion("os"),
  },
  // The names of an event's properties, so that one can ask which properties there are.
  {
    question: PROPERTY,
    scope: "event",
    empty: "(none)",
    ...ofText("props", ({ event }) => [...propsOf(event).keys()]),
  },
];

function ofVersion(name: "browser" | "os"): Values {
  return {
    valuesOf: (seen) => [versionsOf(firstOf(seen).event.userAgent)[name]],
    codeOf: (seen, { columns }) => textsOf(columns, "userAgent").codes[firstOf(seen).row] as number,
  };
}

/** Attributes of products that only events know. Rollups know the products' names. */
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
    ...ofText("props", ({ event }) => [propsOf(event).get(key) ?? ""]),
  };
}

export function isProperty({ question }: Attribute): boolean {
  return question.startsWith(PROPS) || question === PROPERTY;
}

/** Columns of the archive that some attributes need besides those that counting reads. */
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
