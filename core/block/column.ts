// The values of one counter as a column. A column of zeros takes no bytes. Any other column has the values themselves,
// or their differences from another counter, whichever is shorter. There are nearly as many visits as visitors, and as
// many events as page views. Most values have no orders.

import { type ByteReader, ByteWriter } from "../bytes.ts";
import { COUNTERS, type Counter, type Counts } from "../counting/rollup.ts";
import { noTakings, TAKINGS, type Takings } from "../counting/takings.ts";
import { assert } from "../outcome.ts";

/** How a column is written. */
const FORM = { zeros: 0, plain: 1, relative: 2 } as const;

/** Counters with nearly the same values as another one, which comes before them in COUNTERS. */
const NEAR: Partial<Record<Counter, Counter>> = {
  known: "visitors",
  visits: "visitors",
  bounces: "visits",
  pageviews: "visits",
  events: "pageviews",
};

/** The counters of a list of values, and their money. */
export function writeCounts(all: readonly Counts[], writer: ByteWriter): void {
  for (const counter of COUNTERS) {
    const near = NEAR[counter];
    const values = all.map((counts) => counts[counter]);
    writeColumn(values, near === undefined ? undefined : all.map((counts) => counts[near]), writer);
  }
  writeMoney(all, writer);
}

/** Reads what `writeCounts` has written into as many counts, which must be zero. */
export function readCounts(all: readonly Counts[], reader: ByteReader): void {
  for (const counter of COUNTERS) {
    const near = NEAR[counter];
    const form = reader.byte();
    assert(
      form <= FORM.relative && (form !== FORM.relative || near !== undefined),
      "a column has a form that is known",
    );
    if (form === FORM.zeros) continue;
    for (const counts of all) {
      const value = reader.signed();
      counts[counter] = form === FORM.relative ? value + counts[near as Counter] : value;
    }
  }
  readMoney(all, reader);
}

function writeColumn(values: readonly number[], near: readonly number[] | undefined, writer: ByteWriter): void {
  if (values.every((value) => value === 0)) {
    writer.byte(FORM.zeros);
    return;
  }
  const plain = encode(values);
  const relative = near && differences(values, near);
  const encoded = relative && encode(relative);
  const isRelative = encoded !== undefined && sizeOf(relative as number[], encoded) < sizeOf(values, plain);
  writer.byte(isRelative ? FORM.relative : FORM.plain);
  writer.append(isRelative ? encoded : plain);
}

/** Undefined where a difference does not fit. A sum that was cut to COUNT_MAX is as large as the codec can hold. */
function differences(values: readonly number[], near: readonly number[]): readonly number[] | undefined {
  const all = values.map((value, index) => value - (near[index] as number));
  return all.every((difference) => Math.abs(difference) <= DIFFERENCE_MAX) ? all : undefined;
}

const DIFFERENCE_MAX = 2 ** 51;

/** About how many bytes a column takes once it is compressed. Runs of zeros take few. */
function sizeOf(values: readonly number[], encoded: Uint8Array): number {
  let zeros = 0;
  for (const value of values) if (value === 0) zeros += 1;
  return encoded.length - zeros * ZERO_SAVES;
}

const ZERO_SAVES = 0.7;

function encode(values: readonly number[]): Uint8Array {
  const writer = new ByteWriter();
  for (const value of values) writer.count(value);
  return writer.finish();
}

/** How many currencies each value has, then the takings of each currency as columns. Most values have none. */
function writeMoney(all: readonly Counts[], writer: ByteWriter): void {
  const takings = all.flatMap(({ money }) => money ?? []);
  writer.unsigned(takings.length);
  if (takings.length === 0) return;
  const currencies = [...new Set(takings.map(({ currency }) => currency))].sort();
  writer.unsigned(currencies.length);
  for (const currency of currencies) writer.text(currency);
  for (const { money } of all) writer.unsigned(money?.length ?? 0);
  for (const { currency } of takings) writer.unsigned(currencies.indexOf(currency));
  for (const taking of TAKINGS) for (const one of takings) writer.count(one[taking]);
}

function readMoney(all: readonly Counts[], reader: ByteReader): void {
  const length = reader.unsigned();
  if (length === 0) return;
  assert(length <= reader.left, "money fits the bytes");
  const currencies = readList(reader, () => reader.text());
  const lengths = all.map(() => reader.unsigned());
  const takings = readTimes(length, (): Takings => {
    const currency = currencies[reader.unsigned()];
    assert(currency !== undefined, "a currency is one of those named");
    return noTakings(currency);
  });
  for (const taking of TAKINGS) for (const one of takings) one[taking] = reader.signed();
  let at = 0;
  for (const [index, counts] of all.entries()) {
    const own = lengths[index] as number;
    if (own > 0) counts.money = takings.slice(at, at + own);
    at += own;
  }
  assert(at === length, "all money belongs to a value");
}

/** A list with its length first. Each entry takes at least one byte. */
export function readList<T>(reader: ByteReader, read: () => T): T[] {
  const length = reader.unsigned();
  assert(length <= reader.left, "a list fits the bytes");
  return readTimes(length, read);
}

export function readTimes<T>(times: number, read: () => T): T[] {
  const list: T[] = [];
  for (let left = times; left > 0; left--) list.push(read());
  return list;
}
