// Arrivals as text, on their way to their partition. There are two ways. One is a call of the partition
// (`encodeArrivals`), where one text is copied far faster than objects of thirty fields. The other is the overflow
// queue, when the partition cannot be reached or is overloaded. Ids and times were fixed at the edge, so an arrival
// that is delivered late, twice or out of order changes no count.

import { type Arrival, decodeEvent, type EventRow, encodeAfter, isEventRow } from "./event.ts";
import { assert } from "./outcome.ts";

const OVERFLOW_VERSION = 2;

/** Arrivals that one partition could not take. */
export interface OverflowPart {
  readonly partition: string;
  readonly arrivals: readonly Arrival[];
}

/** A message: everything that overflowed from an isolate in one moment. */
export interface Overflow {
  /** An id that its sender makes. The note about a waiting message has the same id. */
  readonly id: string;
  /** One part for each partition. */
  readonly parts: readonly OverflowPart[];
}

/**
 * The note about a message that waits: the merchants and partitions of its events, and since when (UTC ms) the oldest
 * of them waits.
 */
export interface OverflowNote {
  readonly id: string;
  readonly merchants: readonly number[];
  readonly since: number;
}

/**
 * The note of a message, made at `now` (UTC ms). An import says itself when its events were received, perhaps years
 * ago. Those have waited since `now`.
 */
export function noteOf({ id, parts }: Overflow, now: number): OverflowNote {
  const merchants = new Set<number>();
  let since = Number.POSITIVE_INFINITY;
  for (const { arrivals } of parts) {
    for (const { event } of arrivals) {
      merchants.add(event.merchant);
      since = Math.min(since, event.importNumber === 0 ? event.receivedAt : now);
    }
  }
  return { id, merchants: [...merchants], since };
}

/** Joins parts of the same partition, with arrivals in the order in which they came. */
export function joinParts(parts: readonly OverflowPart[]): readonly OverflowPart[] {
  if (parts.length < 2) return parts;
  const groups = Map.groupBy(parts, ({ partition }) => partition);
  return [...groups].map(([partition, own]) => ({ partition, arrivals: own.flatMap(({ arrivals }) => arrivals) }));
}

/** Splits a message that is too large into two halves. Undefined for a single event, which cannot be split. */
export function halve(parts: readonly OverflowPart[]): readonly (readonly OverflowPart[])[] | undefined {
  if (parts.length > 1) {
    const half = Math.ceil(parts.length / 2);
    return [parts.slice(0, half), parts.slice(half)];
  }
  const [only] = parts;
  if (only === undefined || only.arrivals.length < 2) return undefined;
  const half = Math.ceil(only.arrivals.length / 2);
  return [only.arrivals.slice(0, half), only.arrivals.slice(half)].map((arrivals) => [{ ...only, arrivals }]);
}

/** Arrivals as JSON text. */
export function encodeArrivals(arrivals: readonly Arrival[]): string {
  return JSON.stringify(arrivals.map(toRow));
}

/** The inverse of `encodeArrivals`. */
export function decodeArrivals(text: string): readonly Arrival[] {
  return (JSON.parse(text) as ArrivalRow[]).map(decodeArrival);
}

/** The message as JSON text. It contains addresses, so hosts encrypt it before it leaves their memory. */
export function encodeOverflow({ id, parts }: Overflow): string {
  const rows = parts.map(({ partition, arrivals }) => [partition, arrivals.map(toRow)]);
  return JSON.stringify({ version: OVERFLOW_VERSION, id, parts: rows });
}

/** The inverse of `encodeOverflow`. It throws on anything else, and the whole message becomes a dead letter. */
export function decodeOverflow(text: string): Overflow {
  const { version, id, parts } = JSON.parse(text) as Record<string, unknown>;
  assert(version === OVERFLOW_VERSION, `overflow version ${String(version)} is one this consumer knows`);
  assert(typeof id === "string" && Array.isArray(parts), "an overflow message is complete");
  assert(parts.every(isPartRow), "an overflow message's parts are a partition's arrivals each");
  return { id, parts: parts.map(([partition, rows]) => ({ partition, arrivals: rows.map(decodeArrival) })) };
}

type PartRow = [partition: string, rows: readonly ArrivalRow[]];

function isPartRow(value: unknown): value is PartRow {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [partition, rows] = value as readonly unknown[];
  return typeof partition === "string" && Array.isArray(rows) && rows.every(isArrivalRow);
}

type ArrivalRow = [address: string, floating: number, ...EventRow];
/** Values of a row before those of the event. */
const ARRIVAL_HEAD = 2;

function isArrivalRow(value: unknown): value is ArrivalRow {
  if (!Array.isArray(value)) return false;
  const [address, floating, ...row] = value as readonly unknown[];
  return typeof address === "string" && (floating === 0 || floating === 1) && isEventRow(row);
}

function toRow({ event, address, floating }: Arrival): ArrivalRow {
  return encodeAfter([address, floating ? 1 : 0], event) as unknown as ArrivalRow;
}

function decodeArrival(row: ArrivalRow): Arrival {
  const [address, floating] = row;
  return { address, floating: floating === 1, event: decodeEvent(row, ARRIVAL_HEAD) };
}
