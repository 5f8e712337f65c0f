// The sketches of a breakdown's values in a block. The known visitors of a Day are written once, in the Day's own
// sketch. For each of them it is then noted under which values the visitor was seen. A value's sketch that cannot be
// made from the Day's sketch is written whole. That is so where either of the two is dense, or where two visitors share
// an index in the Day's. In both cases decoding returns the same bytes.

import { ByteReader, type ByteWriter } from "../bytes.ts";
import { addEntry, decodeSketch, emptySketch, encodeSketch, entriesOf, type Sketch } from "../counting/sketch.ts";
import { VALUE_SKETCH_PRECISION } from "../limits.ts";
import { assert } from "../outcome.ts";

/** How the sketches of one breakdown are written. */
const FORM = { empty: 0, ofDay: 1, mixed: 2 } as const;

/** The entries of a Day's sketch in their order; undefined where the sketch is dense. */
export type DayVisitors = readonly number[] | undefined;

/** The entries of an encoded sketch. */
export function visitorsOf(sketch: Uint8Array): DayVisitors {
  return entriesOf(decodeSketch(new ByteReader(sketch)));
}

export function writeSketches(sketches: readonly Sketch[], visitors: DayVisitors, writer: ByteWriter): void {
  const places = new Map((visitors ?? []).map((entry, place) => [entry, place]));
  const found = sketches.map((sketch) => placesOf(sketch, places));
  const isPart = found.map((own) => own !== undefined);
  const isEmpty = found.every((own) => own?.length === 0);
  const form = isEmpty ? FORM.empty : isPart.every(Boolean) ? FORM.ofDay : FORM.mixed;
  writer.byte(form);
  if (form === FORM.empty) return;
  if (form === FORM.mixed) {
    for (const [at, sketch] of sketches.entries()) {
      writer.byte(isPart[at] ? 0 : 1);
      if (!isPart[at]) encodeSketch(sketch, writer);
    }
  }
  const seen: number[][] = Array.from(places, () => []);
  for (const [at, own] of found.entries()) for (const place of own ?? []) (seen[place] as number[]).push(at);
  for (const values of seen) writeSeen(values, writer);
}

export function readSketches(count: number, visitors: DayVisitors, reader: ByteReader): readonly Sketch[] {
  const form = reader.byte();
  assert(form <= FORM.mixed, "sketches have a form that is known");
  const sketches: Sketch[] = [];
  for (let left = count; left > 0; left--) {
    const isWhole = form === FORM.mixed && reader.byte() === 1;
    sketches.push(isWhole ? decodeSketch(reader) : emptySketch(VALUE_SKETCH_PRECISION));
  }
  if (form === FORM.empty) return sketches;
  for (const entry of visitors ?? []) {
    readSeen(reader, (at) => {
      const sketch = sketches[at];
      assert(sketch !== undefined, "a visitor was seen under a value that there is");
      addEntry(sketch, entry);
    });
  }
  return sketches;
}

/**
 * Writes under which values a visitor was seen. 0 means none. 2 and above mean one value alone. 1 means several values,
 * which follow as the differences from one to the next.
 */
function writeSeen(values: readonly number[], writer: ByteWriter): void {
  const [only, ...more] = values;
  if (only === undefined) writer.byte(0);
  else if (more.length === 0) writer.unsigned(only + 2);
  else {
    writer.byte(1);
    writer.unsigned(values.length);
    let last = 0;
    for (const value of values) {
      writer.unsigned(value - last);
      last = value;
    }
  }
}

function readSeen(reader: ByteReader, take: (value: number) => void): void {
  const head = reader.unsigned();
  if (head === 0) return;
  if (head >= 2) take(head - 2);
  let value = 0;
  for (let left = head === 1 ? reader.unsigned() : 0; left > 0; left--) {
    value += reader.unsigned();
    take(value);
  }
}

/** Where the visitors of a value stand in the Day's sketch; undefined if any of them is missing there. */
function placesOf(sketch: Sketch, places: ReadonlyMap<number, number>): readonly number[] | undefined {
  const entries = entriesOf(sketch);
  if (entries === undefined || sketch.precision !== VALUE_SKETCH_PRECISION) return undefined;
  const found = entries.map((entry) => places.get(entry));
  return found.includes(undefined) ? undefined : (found as number[]);
}
