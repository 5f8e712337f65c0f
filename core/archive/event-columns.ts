// A merchant's events of one (Day, partition) as columns: of each field a typed array, texts as numbers of a list of
// different ones. Questions are counted from these: what is thought of an event, and what a filter says of it, is found
// out once for each different value and not for each event, and a row takes some 200 B and not 3 KB.
// `storage/archive/column-block.ts` reads them out of files a block at a time; events that lie as rows are a block too.
// An event is shown as a view of its row, which is made when it is asked for.

import { type Event, FIELDS } from "../event.ts";
import { hash32 } from "../hash.ts";
import { assert } from "../outcome.ts";
import { TextMap } from "../text-map.ts";
import type { ArchivedEvent } from "./file.ts";

/** Of each row the place of its text in a list of different ones. */
export interface TextColumn {
  readonly codes: Uint32Array;
  readonly values: readonly string[];
}

/** Rows as columns; one of `texts` and `numbers` at each place of `FIELDS`. */
export interface ColumnBlock {
  readonly count: number;
  readonly partition: string;
  readonly positions: Float64Array;
  readonly texts: readonly (TextColumn | undefined)[];
  readonly numbers: readonly (Float64Array | undefined)[];
}

/** All rows that are counted together. */
export interface EventColumns extends ColumnBlock {
  /** For tables of codes (`PairCodes`): made of when events were received, which no sender can foresee. */
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

/** Numbers texts from 0 on, in the order in which they first come. */
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

/** Blocks of one partition as one, in their order. */
export function joinBlocks(blocks: readonly ColumnBlock[]): EventColumns {
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
      isText ? joinTexts(some.map(({ texts }) => texts[at] as TextColumn)) : undefined,
    ),
    numbers: TEXTS.map((isText, at) =>
      isText ? undefined : joinNumbers(some.map(({ numbers }) => numbers[at] as Float64Array)),
    ),
  };
  return { ...columns, seed: seedOf(columns) };
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

/** Equal texts get one code, whatever blocks they are in; texts that no row has are left out. */
function joinTexts(all: readonly TextColumn[]): TextColumn {
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

function seedOf(columns: ColumnBlock): number {
  const { buffer, byteOffset, byteLength } = numbersOf(columns, "receivedAt");
  let seed = 0;
  for (const word of new Uint32Array(buffer, byteOffset, byteLength / 4)) seed = Math.imul(seed ^ word, 0x01000193);
  return hash32(String(seed), columns.count);
}

/** Some of the rows, in the order that they are named in. */
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
    texts: block.texts.map((column) => column && pickTexts(column)),
    numbers: block.numbers.map((column) => column && pick(column)),
  };
}

/** The rows that `isWanted`; the block itself where all are. */
export function filterRows<Block extends ColumnBlock>(block: Block, isWanted: (row: number) => boolean): Block {
  const rows = new Uint32Array(block.count);
  let found = 0;
  for (let row = 0; row < block.count; row++) if (isWanted(row)) rows[found++] = row;
  return found === block.count ? block : selectRows(block, rows.subarray(0, found));
}

/** A row as an event. It is a view: whoever wants a copy with other values asks `toEvent` first. */
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

/** The rows as they are archived. */
export function rowsOf(columns: ColumnBlock): readonly ArchivedEvent[] {
  return Array.from({ length: columns.count }, (_, row) => ({
    partition: columns.partition,
    position: columns.positions[row] as number,
    event: toEvent(eventAt(columns, row)),
  }));
}
