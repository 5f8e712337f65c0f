// A merchant's events of one (Day, partition) as columns. Each field is a typed array; texts are numbers of a list of
// different texts. Questions are counted from these. The opinion of an event, and what a filter says of it, is found
// once for each different value instead of once for each event. A row takes about 200 B instead of 3 KB.
// `storage/archive/column-block.ts` reads columns out of files, a block at a time. Events in rows can be made a block
// too. An event is a view of its row, made when it is asked for.

import { type Event, FIELDS } from "../event.ts";
import { hash32 } from "../hash.ts";
import { assert } from "../outcome.ts";
import { TextMap } from "../text-map.ts";
import type { ArchivedEvent } from "./file.ts";

/** For each row the index of its text in a list of different texts. */
export interface TextColumn {
  readonly codes: Uint32Array;
  readonly values: readonly string[];
}

/** A column that is made when somebody reads it. Most questions read no id, and ids take as long as all other texts. */
export class LateTexts implements TextColumn {
  readonly #make: () => TextColumn;
  #made: TextColumn | undefined;

  constructor(make: () => TextColumn) {
    this.#make = make;
  }

  get codes(): Uint32Array {
    this.#made ??= this.#make();
    return this.#made.codes;
  }

  get values(): readonly string[] {
    this.#made ??= this.#make();
    return this.#made.values;
  }
}

/** Rows as columns. For each index of `FIELDS` it has one of `texts` and `numbers`. */
export interface ColumnBlock {
  readonly count: number;
  readonly partition: string;
  readonly positions: Float64Array;
  readonly texts: readonly (TextColumn | undefined)[];
  readonly numbers: readonly (Float64Array | undefined)[];
}

/** All rows that are counted together. */
export interface EventColumns extends ColumnBlock {
  /**
   * Whether all rows have different ids, except rows marked as duplicates. That is so where all rows come from sealed
   * files. Then nobody needs to compare ids, and equal ids would have different codes.
   */
  readonly isOnce: boolean;
  /**
   * The seed of tables of codes (`PairCodes`). It is made of when events were received, which no sender can foresee.
   */
  readonly seed: number;
}

const TEXTS = FIELDS.map(({ type }) => type === "text");
const AT: ReadonlyMap<string, number> = new Map(FIELDS.map(({ name }, index) => [name, index]));

export function textsOf({ texts }: ColumnBlock, field: keyof Event): TextColumn {
  return texts[AT.get(field) as number] as TextColumn;
}

export function numbersOf({ numbers }: ColumnBlock, field: keyof Event): Float64Array {
  return numbers[AT.get(field) as number] as Float64Array;
}

/** The text of a column in a row. */
export function textAt({ codes, values }: TextColumn, row: number): string {
  return values[codes[row] as number] as string;
}

/** Rows as a block. */
export function blockOf(rows: readonly ArchivedEvent[]): ColumnBlock {
  const count = rows.length;
  return {
    count,
    partition: rows[0]?.partition ?? "",
    positions: Float64Array.from(rows, ({ position }) => position),
    texts: FIELDS.map(({ name, type }) =>
      type === "text" ? textColumn(rows.map(({ event }) => event[name] as string)) : undefined,
    ),
    numbers: FIELDS.map(({ name, type }) =>
      type === "text" ? undefined : Float64Array.from(rows, ({ event }) => event[name] as number),
    ),
  };
}

let zeros = new Uint32Array(0);

/** Codes of a column with one value: all of them share one array, which nobody writes to. */
export function noCodes(count: number): Uint32Array {
  if (zeros.length < count) zeros = new Uint32Array(2 * count);
  return zeros.subarray(0, count);
}

/** Texts as a column. */
function textColumn(texts: readonly string[]): TextColumn {
  const known = new TextCodes();
  const codes = Uint32Array.from(texts, (text) => known.codeOf(text));
  return { codes, values: known.values };
}

/** Gives texts numbers from 0 on, in the order in which they first appear. */
class TextCodes {
  readonly #codes = new TextMap<number>();
  readonly values: string[] = [];

  codeOf(text: string): number {
    const known = this.#codes.get(text);
    if (known !== undefined) return known;
    this.#codes.set(text, this.values.length);
    return this.values.push(text) - 1;
  }
}

export function columnsOf(rows: readonly ArchivedEvent[]): EventColumns {
  return joinBlocks([blockOf(rows)]);
}

/** Joins blocks of one partition, in their order. */
export function joinBlocks(blocks: readonly ColumnBlock[], { isOnce = false } = {}): EventColumns {
  const some = blocks.filter(({ count }) => count > 0);
  assert(
    new Set(some.map(({ partition }) => partition)).size <= 1,
    "rows that are counted together are of one partition",
  );
  const count = some.reduce((sum, block) => sum + block.count, 0);
  const columns: ColumnBlock = {
    count,
    partition: some[0]?.partition ?? "",
    positions: joinNumbers(some.map(({ positions }) => positions)),
    texts: TEXTS.map((isText, at) =>
      isText
        ? joinTexts(
            some.map(({ texts }) => texts[at] as TextColumn),
            isOnce && at === AT.get("id"),
          )
        : undefined,
    ),
    numbers: TEXTS.map((isText, at) =>
      isText ? undefined : joinNumbers(some.map(({ numbers }) => numbers[at] as Float64Array)),
    ),
  };
  return withSeed(columns, isOnce);
}

/** Columns with a seed, ready to be counted together. */
export function withSeed(columns: ColumnBlock, isOnce = false): EventColumns {
  return { ...columns, isOnce, seed: seedOf(columns) };
}

export const NO_EVENTS: EventColumns = joinBlocks([]);

function joinNumbers(all: readonly Float64Array[]): Float64Array {
  if (all.length === 1) return all[0] as Float64Array;
  const joined = new Float64Array(all.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const one of all) {
    joined.set(one, at);
    at += one.length;
  }
  return joined;
}

/** Equal texts get one code, whatever block they come from. Texts that no row has are left out. */
function joinTexts(all: readonly TextColumn[], areDifferent: boolean): TextColumn {
  if (areDifferent) return new LateTexts(() => appendTexts(all));
  const count = all.reduce((sum, column) => sum + column.codes.length, 0);
  const [first] = all[0]?.values ?? [];
  if (first !== undefined && all.every(({ values }) => values.length === 1 && values[0] === first))
    return { codes: noCodes(count), values: [first] };
  const known = new TextCodes();
  const joined = new Uint32Array(count);
  let at = 0;
  for (const { codes, values } of all) {
    const places = new Int32Array(values.length).fill(-1);
    for (let row = 0; row < codes.length; row++) {
      const code = codes[row] as number;
      if ((places[code] as number) < 0) places[code] = known.codeOf(values[code] as string);
      joined[at++] = places[code] as number;
    }
  }
  return { codes: joined, values: known.values };
}

/** The same for texts that are known to be all different. */
function appendTexts(all: readonly TextColumn[]): TextColumn {
  const codes = new Uint32Array(all.reduce((sum, column) => sum + column.codes.length, 0));
  const values: string[] = [];
  let at = 0;
  for (const column of all) {
    const first = values.length;
    for (const text of column.values) values.push(text);
    for (const code of column.codes) codes[at++] = first + code;
  }
  return { codes, values };
}

function seedOf(columns: ColumnBlock): number {
  const { buffer, byteOffset, byteLength } = numbersOf(columns, "receivedAt");
  let seed = 0;
  for (const word of new Uint32Array(buffer, byteOffset, byteLength / 4)) seed = Math.imul(seed ^ word, 0x01000193);
  return hash32(String(seed), columns.count);
}

/** Some of the rows, in the order in which `rows` names them. */
export function selectRows<Block extends ColumnBlock>(block: Block, rows: Uint32Array): Block {
  const pick = (from: Float64Array) => {
    const picked = new Float64Array(rows.length);
    for (let index = 0; index < rows.length; index++) picked[index] = from[rows[index] as number] as number;
    return picked;
  };
  const pickTexts = ({ codes, values }: TextColumn): TextColumn => {
    const picked = new Uint32Array(rows.length);
    for (let index = 0; index < rows.length; index++) picked[index] = codes[rows[index] as number] as number;
    return { codes: picked, values };
  };
  return {
    ...block,
    count: rows.length,
    positions: pick(block.positions),
    texts: block.texts.map((column) =>
      column instanceof LateTexts ? new LateTexts(() => pickTexts(column)) : column && pickTexts(column),
    ),
    numbers: block.numbers.map((column) => column && pick(column)),
  };
}

/** The rows for which `isWanted` is true. It is the block itself if all are. */
export function filterRows<Block extends ColumnBlock>(block: Block, isWanted: (row: number) => boolean): Block {
  const rows = new Uint32Array(block.count);
  let found = 0;
  for (let row = 0; row < block.count; row++) if (isWanted(row)) rows[found++] = row;
  return found === block.count ? block : selectRows(block, rows.subarray(0, found));
}

/** Rows in [start, end), in their order, with only the texts that they have. Numbers are shared with the block. */
export function sliceRows(block: ColumnBlock, start: number, end: number): ColumnBlock {
  if (start === 0 && end === block.count) return block;
  return {
    count: end - start,
    partition: block.partition,
    positions: block.positions.subarray(start, end),
    texts: block.texts.map((column) => column && ownTexts(column, start, end)),
    numbers: block.numbers.map((column) => column?.subarray(start, end)),
  };
}

/** By code: one more than the index of its text among the texts of a slice. All 0 between calls. */
let places = new Uint32Array(0);

/** The texts of some rows. The cost depends on these rows alone, and not on how many texts the block has. */
function ownTexts({ codes, values }: TextColumn, start: number, end: number): TextColumn {
  if (values.length === 1) return { codes: noCodes(end - start), values };
  if (places.length < values.length) places = new Uint32Array(2 * values.length);
  const own = new Uint32Array(end - start);
  const kept: number[] = [];
  for (let row = start; row < end; row++) {
    const code = codes[row] as number;
    if (places[code] === 0) places[code] = kept.push(code);
    own[row - start] = (places[code] as number) - 1;
  }
  for (const code of kept) places[code] = 0;
  return { codes: own, values: kept.map((code) => values[code] as string) };
}

/** Rows by merchant, and those of one merchant in the order of the log. */
export function sortRows(block: ColumnBlock): ColumnBlock {
  const { positions, count } = block;
  const merchants = numbersOf(block, "merchant");
  const compare = (a: number, b: number) =>
    (merchants[a] as number) - (merchants[b] as number) || (positions[a] as number) - (positions[b] as number);
  const order = new Uint32Array(count);
  let isSorted = true;
  for (let row = 0; row < count; row++) {
    order[row] = row;
    if (row > 0 && compare(row - 1, row) > 0) isSorted = false;
  }
  return isSorted ? block : selectRows(block, order.sort(compare));
}

/** The rows with other texts of one field in some rows. `changed` has them by row. */
export function withTexts(block: ColumnBlock, field: keyof Event, changed: ReadonlyMap<number, string>): ColumnBlock {
  if (changed.size === 0) return block;
  const column = textsOf(block, field);
  const values = [...column.values];
  const codes = column.codes.slice();
  for (const [row, text] of changed) codes[row] = values.push(text) - 1;
  return { ...block, texts: block.texts.with(AT.get(field) as number, { codes, values }) };
}

/** A row as an event. It is a view. To copy it with other values, call `toEvent` first. */
export function eventAt(columns: ColumnBlock, row: number): Event {
  return new RowEvent(columns, row) as unknown as Event;
}

class RowEvent {
  readonly columns: ColumnBlock;
  readonly row: number;

  constructor(columns: ColumnBlock, row: number) {
    this.columns = columns;
    this.row = row;
  }
}

for (const [at, { name, type }] of FIELDS.entries()) {
  const text = function (this: RowEvent) {
    return textAt(this.columns.texts[at] as TextColumn, this.row);
  };
  const number = function (this: RowEvent) {
    return (this.columns.numbers[at] as Float64Array)[this.row];
  };
  Object.defineProperty(RowEvent.prototype, name, { get: type === "text" ? text : number });
}

/** The same event as an object of its own. */
export function toEvent(event: Event): Event {
  return Object.fromEntries(FIELDS.map(({ name }) => [name, event[name]])) as unknown as Event;
}

/** The rows as archived events. */
export function rowsOf(columns: ColumnBlock): readonly ArchivedEvent[] {
  return Array.from({ length: columns.count }, (_, row) => ({
    partition: columns.partition,
    position: columns.positions[row] as number,
    event: toEvent(eventAt(columns, row)),
  }));
}
