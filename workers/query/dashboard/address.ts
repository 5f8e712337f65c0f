// The view in the address: everything that decides which numbers are shown, so that reload, back, a bookmark and
// a link show the same. `v` is the version of this grammar; addresses of every version stay readable. Pure: no
// page is needed to try it.

import { ALL_PANELS, type DimensionName, isDimension, type PanelName } from "./dimension.ts";

/** The ranges in the order of the menu; the first nine have the keys 1 to 9. */
export const RANGES = ["day", "yesterday", "24h", "7d", "28d", "91d", "month", "year", "all", "12mo"] as const;
export type RangeName = (typeof RANGES)[number];

/** Two dates, both within, in the merchant's zone. */
export type Dates = readonly [from: string, to: string];

/** Compared with: the period before with its weekdays matched, or as it is; the same dates a year ago; nothing. */
export const COMPARISONS = ["prev", "plain", "year", "none"] as const;
export type Comparison = (typeof COMPARISONS)[number];

export const INTERVALS = ["hour", "day", "week", "month"] as const;
export type Interval = (typeof INTERVALS)[number];

/** The operators of filters, and what the API calls them. */
export const OPERATORS = { is: "is", not: "is_not", has: "contains", hasnt: "contains_not" } as const;
export type Operator = keyof typeof OPERATORS;

export interface Filter {
  readonly operator: Operator;
  readonly dimension: DimensionName;
  readonly values: readonly string[];
}

export interface View {
  readonly range: RangeName | Dates;
  readonly vs: Comparison;
  /** Undefined: the first number of the page. */
  readonly metric?: string;
  /** Undefined: whatever suits the range. */
  readonly by?: Interval;
  readonly filters: readonly Filter[];
  /** Tabs that are not the first of their panel. */
  readonly tabs: Readonly<Partial<Record<PanelName, DimensionName>>>;
  /** The dimension whose values are all shown, in a drawer. */
  readonly all?: DimensionName;
  /** The steps of a funnel, each what an event has to be. */
  readonly steps?: readonly Filter[];
  /** What a page shows of itself, such as "screen" of the page Now; only that page knows what it means. */
  readonly at?: string;
}

/** Which page of which shop a path names: "/s/mer_1/now", or "/share/overview" of whatever the link is of. */
export function parsePlace(path: string): { readonly first: string; readonly id: string; readonly page: string } {
  const [, first = "", ...others] = path.split("/");
  const [id = "", page] = first === "share" ? ["", ...others] : others;
  return { first, id, page: page || "overview" };
}

export const DEFAULT_VIEW: View = { range: "7d", vs: "prev", filters: [], tabs: {} };

/**
 * The query part of an address as a view. What it does not know is left out: an old or mistyped link shows something.
 */
export function parseView(search: string): View {
  const given = new URLSearchParams(search);
  const metric = given.get("metric");
  const by = oneOf(INTERVALS, given.get("by"));
  const all = given.get("all") ?? "";
  const at = given.get("at") ?? "";
  const steps = given.getAll("s").flatMap(parseFilter);
  const tabs = ALL_PANELS.flatMap(([panel, names]) => {
    const name = oneOf<DimensionName>(names, given.get(panel));
    return name === undefined || name === names[0] ? [] : [[panel, name] as const];
  });
  return {
    range: parseRange(given.get("range") ?? "") ?? DEFAULT_VIEW.range,
    vs: oneOf(COMPARISONS, given.get("vs")) ?? DEFAULT_VIEW.vs,
    ...(metric !== null && /^[a-z_]{1,40}$/.test(metric) && { metric }),
    ...(by !== undefined && { by }),
    filters: given.getAll("f").flatMap(parseFilter),
    tabs: Object.fromEntries(tabs),
    ...(steps.length > 0 && { steps }),
    ...(isDimension(all) && { all }),
    ...(/^[\w-]{1,80}$/.test(at) && { at }),
  };
}

/** A view as the query part of an address, with what is usual left out. */
export function toSearch(view: View): string {
  const { range, vs, metric, by, filters, tabs, steps = [], all, at } = view;
  const said = new URLSearchParams({ v: "1", range: typeof range === "string" ? range : range.join("~") });
  if (vs !== DEFAULT_VIEW.vs) said.set("vs", vs);
  if (metric !== undefined) said.set("metric", metric);
  if (by !== undefined) said.set("by", by);
  for (const [panel, name] of Object.entries(tabs)) said.set(panel, name);
  for (const filter of filters) said.append("f", toText(filter));
  for (const step of steps) said.append("s", toText(step));
  if (all !== undefined) said.set("all", all);
  if (at !== undefined) said.set("at", at);
  return `?${said}`;
}

function parseRange(text: string): RangeName | Dates | undefined {
  const name = oneOf(RANGES, text);
  if (name !== undefined) return name;
  const [, from = "", to = ""] = /^(\d{4}-\d\d-\d\d)~(\d{4}-\d\d-\d\d)$/.exec(text) ?? [];
  return isDate(from) && isDate(to) && from <= to ? [from, to] : undefined;
}

function isDate(text: string): boolean {
  return !Number.isNaN(Date.parse(`${text}T00:00Z`)) && addDays(text, 0) === text;
}

/** "is:source:Google:Bing". A colon or tilde of a value has a tilde before it. */
function toText({ operator, dimension, values }: Filter): string {
  return [operator, dimension, ...values.map((value) => value.replace(/[~:]/g, "~$&"))].join(":");
}

function parseFilter(text: string): readonly Filter[] {
  const [operator = "", dimension = "", ...values] = (text.match(/(?:~[\s\S]|[^~:])+/g) ?? []).map((part) =>
    part.replace(/~([\s\S])/g, "$1"),
  );
  const isKnown = Object.hasOwn(OPERATORS, operator) && isDimension(dimension) && values.length > 0;
  return isKnown ? [{ operator: operator as Operator, dimension: dimension as DimensionName, values }] : [];
}

function oneOf<Name extends string>(names: readonly Name[], name: string | null): Name | undefined {
  return names.find((one) => one === name);
}

/** A date some days later, or earlier. */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}

/** How many dates there are from one to another, both counted. */
export function daysOf([from, to]: Dates): number {
  return Math.round((Date.parse(`${to}T00:00Z`) - Date.parse(`${from}T00:00Z`)) / 86_400_000) + 1;
}

/** The interval that suits a range. */
export function usualInterval(range: View["range"]): Interval {
  if (typeof range !== "string") {
    const days = daysOf(range);
    return days <= 2 ? "hour" : days <= 120 ? "day" : days <= 800 ? "week" : "month";
  }
  if (range === "day" || range === "yesterday" || range === "24h") return "hour";
  return range === "year" || range === "12mo" ? "month" : "day";
}

/** The filters after a click on a value: that value alone of its dimension. */
export function withFilter(filters: readonly Filter[], added: Filter): readonly Filter[] {
  return [...filters.filter(({ dimension }) => dimension !== added.dimension), added];
}
