// Derived rows (core/query/derived.ts) as bytes, and the files of a sealed Day that hold them, a merchant after the
// other. They can be made again from the Day's rows at any time, so they are no part of the archive's format, and are
// not Parquet: numbers are typed arrays of as few bytes as they need, texts are JSON, and each column is compressed by
// itself, so that a question unpacks only what it reads. Columns of a small merchant are compressed together.

import { numbersOf, type TextColumn, textsOf } from "../../core/archive/event-columns.ts";
import { ByteReader, ByteWriter } from "../../core/bytes.ts";
import { type OpinionColumn, PARTS_DERIVED } from "../../core/enrichment/opinion-columns.ts";
import { FIELDS } from "../../core/event.ts";
import { DERIVED_BYTES_MAX, DERIVED_COLUMN_MAX } from "../../core/limits.ts";
import { assert } from "../../core/outcome.ts";
import { DERIVED_NUMBERS, DERIVED_TEXTS } from "../../core/query/derived.ts";
import type { Derived, DerivedColumns, VisitRuns } from "../../core/query/seen.ts";
import { idOfWords } from "../../core/query/visitor-name.ts";
import { type Archive, readObject } from "./bucket.ts";
import { compress, decompress } from "./gzip.ts";

const FORMAT = 1;
/** Columns that are shorter than this together are compressed together. */
const TOGETHER_BYTES_MAX = 65_536;

/** One merchant's derived rows as bytes. Undefined where a question would hold up others while it unpacks them. */
export function encodeDerived(rows: DerivedColumns): Uint8Array<ArrayBuffer> | undefined {
  const { opinions, visits, earnings } = rows.derived;
  const sections = [
    ...visitNumbers(visits).map(numberBytes),
    new Uint8Array(visits.ids.slice().buffer),
    ...DERIVED_NUMBERS.map((name) => numberBytes(numbersOf(rows, name))),
    ...DERIVED_TEXTS.flatMap((name) => columnBytes(textsOf(rows, name))),
    ...PARTS_DERIVED.flatMap((part) => columnBytes(opinions[part])),
    jsonBytes([...earnings]),
  ].map(aligned);
  const size = sections.reduce((sum, { length }) => sum + length, 0);
  if (size > DERIVED_BYTES_MAX || sections.some(({ length }) => length > DERIVED_COLUMN_MAX)) return undefined;
  const packed = (size <= TOGETHER_BYTES_MAX ? [joinBytes(sections)] : sections).map((bytes) => compress(bytes));
  const head = new ByteWriter();
  head.byte(FORMAT);
  head.unsigned(rows.count);
  head.unsigned(visits.count);
  head.unsigned(rows.seed);
  head.text(rows.partition);
  head.unsigned(packed.length);
  for (const { length } of packed) head.unsigned(length);
  for (const { length } of sections) head.unsigned(length);
  for (const bytes of packed) head.append(bytes);
  return new Uint8Array(head.finish());
}

/** The inverse of `encodeDerived`. Most columns are unpacked when somebody reads them. */
export function decodeDerived(bytes: Uint8Array): DerivedColumns {
  const head = new ByteReader(bytes);
  assert(head.byte() === FORMAT, "derived rows are of a format that this reader knows");
  const [count, visitCount, seed, partition] = [head.unsigned(), head.unsigned(), head.unsigned(), head.text()];
  const packed = Array.from({ length: head.unsigned() }, () => head.unsigned());
  const lengths = Array.from({ length: SECTIONS }, () => head.unsigned());
  const sections = sectionsIn(
    packed.map((length) => head.bytes(length)),
    lengths,
  );
  const next = () => sections.shift() as Section;
  const column = <T>(): { readonly codes: Uint32Array; readonly values: readonly T[] } => {
    const [codes, values] = [next(), next()];
    return late({ codes: () => codesIn(codes(), count), values: () => jsonIn<readonly T[]>(values()) });
  };
  const visitSections = Array.from({ length: VISIT_NUMBERS }, next);
  const ids = next();
  const visits = visitRuns(visitCount, visitSections, ids);
  const numbers = new Map<string, Float64Array>(DERIVED_NUMBERS.map((name) => [name, numbersIn(next()(), count)]));
  const texts = new Map<string, TextColumn>(DERIVED_TEXTS.map((name) => [name, column<string>()]));
  texts.set("visitor", late({ codes: () => visitorCodes(visits, count), values: () => visitorIds(visits) }));
  const opinions = Object.fromEntries(PARTS_DERIVED.map((part) => [part, column()])) as unknown as Derived["opinions"];
  const earnings = jsonIn<[number, never][]>(next()());
  return {
    count,
    partition,
    seed,
    isOnce: true,
    positions: new Float64Array(0),
    texts: FIELDS.map(({ name }) => texts.get(name)),
    numbers: FIELDS.map(({ name }) => numbers.get(name)),
    derived: { opinions, visits, earnings: new Map(earnings) },
  };
}

/** Where a merchant's derived rows lie. */
export interface DerivedRange {
  readonly key: string;
  readonly offset: number;
  readonly length: number;
  readonly rows: number;
}

/** Reads the bytes of a merchant's derived rows; undefined where the file is gone, as nothing depends on it. */
export function readDerived(
  archive: Archive,
  { key, offset, length }: DerivedRange,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return readObject(archive, key, { offset, length });
}

/** Bytes of one column. They are unpacked at the first call. */
type Section = () => Uint8Array<ArrayBuffer>;

const VISIT_NUMBERS = 9;
const SECTIONS = VISIT_NUMBERS + 1 + DERIVED_NUMBERS.length + 2 * DERIVED_TEXTS.length + 2 * PARTS_DERIVED.length + 1;

function sectionsIn(packed: readonly Uint8Array[], lengths: readonly number[]): Section[] {
  const size = lengths.reduce((sum, length) => sum + length, 0);
  assert(size <= DERIVED_BYTES_MAX, "derived rows are not longer than a merchant's may be");
  if (packed.length === SECTIONS)
    return lengths.map((length, at) => once(() => unpacked(packed[at] as Uint8Array, length)));
  assert(packed.length === 1, "columns are compressed each by itself or all together");
  const all = once(() => unpacked(packed[0] as Uint8Array, size));
  let offset = 0;
  return lengths.map((length) => {
    const start = offset;
    offset += length;
    return () => all().subarray(start, start + length);
  });
}

function unpacked(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const raw = decompress(bytes, length);
  assert(raw.length === length, "a column is as long as its head says");
  return raw;
}

/** A visit's numbers, told from its first row on: they are small and much alike. */
function visitNumbers(visits: VisitRuns): readonly ArrayLike<number>[] {
  const { count, starts, visitors, known, openers, profiles, entries, exits, bounces, durationsMs } = visits;
  const rows = new Uint32Array(count);
  for (let visit = 0; visit < count; visit++) rows[visit] = (starts[visit + 1] as number) - (starts[visit] as number);
  const fromStart = (at: Uint32Array | Int32Array) =>
    Float64Array.from(at, (row, visit) => (row < 0 ? NO_ROW : row - (starts[visit] as number)));
  const views = [openers, profiles, entries, exits].map(fromStart);
  return [rows, visitors, known, ...views, bounces, durationsMs];
}

/** Where a visit has no page view. An earlier visit's row lies before the visit, but never so far. */
const NO_ROW = -(2 ** 31);

function visitRuns(count: number, sections: readonly Section[], ids: Section): VisitRuns {
  const [rows, visitors, known, openers, profiles, entries, exits, bounces, durations] = sections as [
    ...[Section, Section, Section, Section, Section, Section, Section, Section, Section],
  ];
  const starts = new Uint32Array(count + 1);
  const sizes = codesIn(rows(), count);
  for (let visit = 0; visit < count; visit++) starts[visit + 1] = (starts[visit] as number) + (sizes[visit] as number);
  const fromStart = (section: Section) => {
    const found = numbersIn(section(), count);
    const places = new Int32Array(count);
    for (let visit = 0; visit < count; visit++) {
      const place = found[visit] as number;
      places[visit] = place === NO_ROW ? -1 : place + (starts[visit] as number);
    }
    return places;
  };
  const runs = late<Omit<VisitRuns, "count" | "starts">>({
    visitors: () => codesIn(visitors(), count),
    ids: () => wordsIn(ids()),
    known: () => new Uint8Array(codesIn(known(), count)),
    openers: () => new Uint32Array(fromStart(openers)),
    profiles: () => new Uint32Array(fromStart(profiles)),
    entries: () => fromStart(entries),
    exits: () => fromStart(exits),
    bounces: () => new Uint8Array(codesIn(bounces(), count)),
    durationsMs: () => numbersIn(durations(), count),
  });
  return Object.defineProperties(runs, { count: { value: count }, starts: { value: starts } }) as VisitRuns;
}

/** The visitor of each row. */
function visitorCodes({ count, starts, visitors }: VisitRuns, rows: number): Uint32Array {
  const codes = new Uint32Array(rows);
  for (let visit = 0; visit < count; visit++) codes.fill(visitors[visit] as number, starts[visit], starts[visit + 1]);
  return codes;
}

function visitorIds({ ids }: VisitRuns): readonly string[] {
  return Array.from({ length: ids.length / 2 }, (_, code) =>
    idOfWords(ids[2 * code] as number, ids[2 * code + 1] as number),
  );
}

/** An object whose fields are made when they are read first. */
function late<T extends object>(makers: { readonly [Key in keyof T]: () => T[Key] }): T {
  const made = {} as T;
  for (const key of Object.keys(makers) as (keyof T)[])
    Object.defineProperty(made, key, {
      configurable: true,
      get: () => {
        const value = makers[key]();
        Object.defineProperty(made, key, { value });
        return value;
      },
    });
  return made;
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

const HEAD_BYTES = 16;
const ALIGN = 8;
const ARRAYS = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: Float64Array } as const;
type Width = keyof typeof ARRAYS;

/** Whole numbers in as few bytes each as they need, above the smallest of them. Equal ones take none. */
function numberBytes(values: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  let [min, max] = [values[0] ?? 0, values[0] ?? 0];
  for (let at = 0; at < values.length; at++) {
    const value = values[at] as number;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const span = max - min;
  const width = span === 0 ? 0 : span < 2 ** 8 ? 1 : span < 2 ** 16 ? 2 : span < 2 ** 32 ? 4 : 8;
  const bytes = new Uint8Array(HEAD_BYTES + width * values.length);
  const head = new DataView(bytes.buffer);
  head.setUint8(0, width);
  head.setFloat64(ALIGN, min, true);
  if (width === 0) return bytes;
  const numbers = new ARRAYS[width](bytes.buffer, HEAD_BYTES, values.length);
  for (let at = 0; at < values.length; at++) numbers[at] = (values[at] as number) - min;
  return bytes;
}

function read<Numbers extends Uint32Array | Float64Array>(bytes: Uint8Array<ArrayBuffer>, into: Numbers): Numbers {
  const head = new DataView(bytes.buffer, bytes.byteOffset);
  const [width, min, count] = [head.getUint8(0), head.getFloat64(ALIGN, true), into.length];
  if (width === 0) {
    if (min !== 0) into.fill(min);
    return into;
  }
  assert(width in ARRAYS && bytes.length >= HEAD_BYTES + width * count, "a column has a number for each row");
  const numbers = new ARRAYS[width as Width](bytes.buffer, bytes.byteOffset + HEAD_BYTES, count);
  into.set(numbers);
  if (min !== 0) for (let at = 0; at < count; at++) (into[at] as number) += min;
  return into;
}

function codesIn(bytes: Uint8Array<ArrayBuffer>, count: number): Uint32Array {
  return read(bytes, new Uint32Array(count));
}

function numbersIn(bytes: Uint8Array<ArrayBuffer>, count: number): Float64Array {
  return read(bytes, new Float64Array(count));
}

function columnBytes({ codes, values }: TextColumn | OpinionColumn): readonly Uint8Array[] {
  return [numberBytes(codes), jsonBytes(values)];
}

function jsonBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function wordsIn(bytes: Uint8Array<ArrayBuffer>): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / Int32Array.BYTES_PER_ELEMENT);
}

/** What is behind the text is padding. */
function jsonIn<T>(bytes: Uint8Array): T {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)) as T;
}

/** The bytes, with spaces behind them, so that typed arrays in the next ones are aligned. */
function aligned(bytes: Uint8Array): Uint8Array {
  const missing = (ALIGN - (bytes.length % ALIGN)) % ALIGN;
  if (missing === 0) return bytes;
  const padded = new Uint8Array(bytes.length + missing).fill(32, bytes.length);
  padded.set(bytes);
  return padded;
}

/** Bytes one after the other. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
