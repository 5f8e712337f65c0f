// Opinions of many events at once, as columns. For each part of an opinion (`PARTS`) every row has a code, and each
// code has an opinion. A part is formed once for each different input, by the same steps that judge a single event
// (L3). That is some thousand times a Day instead of once for each event. The key of an input is made of the codes of
// the columns that the part reads.

import { type ColumnBlock, type EventColumns, eventAt, noCodes, numbersOf, textsOf } from "../archive/event-columns.ts";
import type { Event } from "../event.ts";
import { type Gradual, LOOKED_AT, Slices } from "../gradual.ts";
import { type Codes, joinCodes } from "../pair-codes.ts";
import { type RulesInForce, type RuleTimeline, rulesInForce } from "../rules.ts";
import { matchersOf } from "./matcher.ts";
import { blank, type Opinion, PARTS, type Part, type PartName } from "./opinion.ts";

/** The cost of one row in one part, as a share of the cost of judging an event alone. */
const ROW_WEIGHT = 0.1;
/** How many rows are done before it asks whether the slice is over. Asking takes longer than a row. */
const ROWS_AT_ONCE = 50;

/** The opinions of a part: for each row a code, for each code an opinion. */
export interface OpinionColumn {
  readonly codes: Uint32Array;
  readonly values: readonly (Partial<Opinion> | undefined)[];
}

/** The parts that do not depend on goals. */
export const PARTS_DERIVED = [
  "address",
  "origin",
  "device",
  "place",
  "act",
  "drop",
] as const satisfies readonly PartName[];

export type OpinionColumns = Readonly<Record<PartName, OpinionColumn>>;

export interface Timelines {
  readonly own: RuleTimeline;
  readonly global: RuleTimeline;
}

/** Forms the opinions of all rows, by the rules that hold for each. Parts that are `known` are not formed again. */
export function* opineAll(
  columns: EventColumns,
  day: number,
  timelines: Timelines,
  known: Partial<OpinionColumns> = {},
): Gradual<OpinionColumns> {
  const slices = new Slices();
  // The rules in force say whether an import was undone.
  const rules = [periodsOf(columns, timelines), numberCodes(columns, "importNumber")];
  const times = numbersOf(columns, "timestamp");
  const imports = numbersOf(columns, "importNumber");
  const rulesAt = (row: number) =>
    rulesInForce(timelines, { instant: times[row] as number, day, importNumber: imports[row] as number });
  const made: Partial<Record<PartName, OpinionColumn>> = { ...known };
  for (const part of PARTS as readonly (Part & { readonly name: PartName })[]) {
    if (known[part.name] !== undefined) continue;
    const keys = [...rules, ...KEYS[part.name](columns, made as OpinionColumns)];
    made[part.name] = yield* formed(part, columns, { keys: joinCodes(keys, columns), rulesAt, before: made, slices });
  }
  return made as OpinionColumns;
}

/** What a part's key is made of. The test of opinions compares it with the fields that the steps read. */
const KEYS: Readonly<Record<PartName, (columns: EventColumns, before: OpinionColumns) => readonly Codes[]>> = {
  address: (columns) => [textCodes(columns, "url"), textCodes(columns, "format"), numberCodes(columns, "fragment")],
  origin: (columns, { address }) => [
    textCodes(columns, "referrer"),
    said(address, "hostname"),
    withQuery(columns),
    textCodes(columns, "format"),
    numberCodes(columns, "fragment"),
  ],
  device: (columns) => [textCodes(columns, "userAgent"), textCodes(columns, "hints"), textCodes(columns, "given")],
  place: (columns) => (["country", "region", "city", "language"] as const).map((field) => textCodes(columns, field)),
  goals: (columns, { address }) => [textCodes(columns, "name"), said(address, "page")],
  act: (columns) => [textCodes(columns, "name"), deeds(columns)],
  drop: (columns, { address }) => [
    ...(["name", "userAgent", "hints", "verifiedBot", "referrer", "excluded", "format", "purpose"] as const).map(
      (field) => textCodes(columns, field),
    ),
    numberCodes(columns, "asn"),
    said(address, "hostname"),
  ],
};

/** A column of texts as codes. */
export function textCodes(columns: ColumnBlock, field: keyof Event): Codes {
  const { codes, values } = textsOf(columns, field);
  return { codes, size: values.length };
}

/** A column of numbers as codes. */
export function numberCodes(columns: ColumnBlock, field: keyof Event): Codes {
  const numbers = numbersOf(columns, field);
  const [first = 0] = numbers;
  if (numbers.every((value) => value === first)) return { codes: noCodes(columns.count), size: 1 };
  const known = new Map<number, number>();
  const codes = new Uint32Array(columns.count);
  for (let row = 0; row < codes.length; row++) codes[row] = codeIn(known, numbers[row] as number);
  return { codes, size: known.size };
}

function codeIn<T>(known: Map<T, number>, value: T): number {
  const code = known.get(value) ?? known.size;
  if (code === known.size) known.set(value, code);
  return code;
}

/** What an earlier part says in one field, as codes. Many of the part's values are equal in it. */
function said({ codes, values }: OpinionColumn, name: "hostname" | "page"): Codes {
  const known = new Map<unknown, number>();
  // A code that no row has means nothing.
  const places = Uint32Array.from(values.map((value) => codeIn(known, value?.[name])));
  return { codes: placed(codes, places), size: known.size };
}

/** Addresses that may have a query. All others have one code. */
function withQuery(columns: ColumnBlock): Codes {
  const { codes, values } = textsOf(columns, "url");
  const places = Uint32Array.from(values.map((url, code) => (url.includes("?") ? code + 1 : 0)));
  if (places.every((place) => place === 0)) return { codes: noCodes(columns.count), size: 1 };
  return { codes: placed(codes, places), size: values.length + 1 };
}

function placed(codes: Uint32Array, places: Uint32Array): Uint32Array {
  const found = new Uint32Array(codes.length);
  for (let row = 0; row < codes.length; row++) found[row] = places[codes[row] as number] as number;
  return found;
}

/** What decides the act of an event, besides its name. */
function deeds(columns: ColumnBlock): Codes {
  const isAny = (field: "order" | "products") => {
    const { codes, values } = textsOf(columns, field);
    const flags = values.map((value) => value !== "");
    return (row: number) => flags[codes[row] as number] === true;
  };
  const [hasOrder, hasProducts] = [isAny("order"), isAny("products")];
  const [keyed, passive, revenue] = [
    numbersOf(columns, "keyed"),
    numbersOf(columns, "passive"),
    numbersOf(columns, "revenue"),
  ];
  const codes = new Uint32Array(columns.count);
  for (let row = 0; row < columns.count; row++)
    codes[row] =
      (hasOrder(row) ? 1 : 0) +
      (hasProducts(row) ? 2 : 0) +
      (keyed[row] === 0 ? 4 : 0) +
      (passive[row] === 1 ? 8 : 0) +
      16 * (Math.sign(revenue[row] as number) + 1);
  return { codes, size: 48 };
}

/**
 * Between which changes of rules each row happened. It is the same for all of a Day, unless a change takes effect in
 * it.
 */
function periodsOf(columns: EventColumns, timelines: Timelines): Codes {
  const times = numbersOf(columns, "timestamp");
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const time of times) {
    if (time < from) from = time;
    if (time > to) to = time;
  }
  const changes = [...timelines.own, ...timelines.global].flatMap((period) =>
    "from" in period && period.from > from && period.from <= to ? [period.from] : [],
  );
  const starts = [...new Set([from, ...changes])].sort((a, b) => a - b);
  if (starts.length === 1) return { codes: noCodes(columns.count), size: 1 };
  const codes = new Uint32Array(columns.count);
  for (let row = 0; row < columns.count; row++)
    codes[row] = starts.findLastIndex((start) => start <= (times[row] as number));
  return { codes, size: starts.length };
}

interface Forming {
  readonly keys: Codes;
  readonly rulesAt: (row: number) => RulesInForce;
  readonly slices: Slices;
  /** The opinions of earlier parts. */
  readonly before: Partial<Record<PartName, OpinionColumn>>;
}

/** Forms a part's opinion from one row of each key. */
function* formed(
  part: Part,
  columns: EventColumns,
  { keys: { codes, size }, rulesAt, before, slices }: Forming,
): Gradual<OpinionColumn> {
  const read = new Set(part.readsOpinions.map((name) => before[partOf(name)] as OpinionColumn));
  const values: (Partial<Opinion> | undefined)[] = new Array(size).fill(undefined);
  const isFormed = new Uint8Array(size);
  for (let row = 0; row < columns.count; row++) {
    if (row % ROWS_AT_ONCE === 0 && slices.isOver(ROWS_AT_ONCE * ROW_WEIGHT)) yield;
    const code = codes[row] as number;
    if (isFormed[code] === 1) continue;
    isFormed[code] = 1;
    if (slices.isOver(LOOKED_AT)) yield;
    const opinion = blank();
    for (const earlier of read) Object.assign(opinion, earlier.values[earlier.codes[row] as number]);
    const event = eventAt(columns, row);
    const matchers = matchersOf(rulesAt(row));
    for (const step of part.steps) step.apply(event, opinion, matchers);
    values[code] = Object.fromEntries(part.writes.map((name) => [name, opinion[name]]));
  }
  return { codes, values };
}

const PART_OF: ReadonlyMap<keyof Opinion, PartName> = new Map(
  PARTS.flatMap(({ name, writes }) => writes.map((written) => [written, name] as const)),
);

/** The part that writes this field of an opinion. */
export function partOf(name: keyof Opinion): PartName {
  return PART_OF.get(name) as PartName;
}

/** The opinion of a row. It is a view of the columns. */
export function opinionAt(columns: OpinionColumns, row: number): Opinion {
  return new RowOpinion(columns, row) as unknown as Opinion;
}

class RowOpinion {
  readonly columns: OpinionColumns;
  readonly row: number;

  constructor(columns: OpinionColumns, row: number) {
    this.columns = columns;
    this.row = row;
  }
}

for (const [name, part] of PART_OF)
  Object.defineProperty(RowOpinion.prototype, name, {
    get(this: RowOpinion) {
      const { codes, values } = this.columns[part];
      return values[codes[this.row] as number]?.[name];
    },
  });
