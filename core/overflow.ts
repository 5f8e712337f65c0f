// Arrivals on their way to their partition as text: in a call of it (`encodeArrivals`), which copies one text far faster
// than objects of thirty fields; and by another road, the overflow queue, where it could not be reached or was overloaded.
// Ids and times were fixed at the edge, so delivering one late, twice or out of order changes no count.

import { type Arrival, decodeEvent, type EventRow, encodeEvent, isEventRow } from "./event.ts";
import { assert } from "./outcome.ts";

const OVERFLOW_VERSION = 1;

export interface Overflow {
  /** Made where it is sent, for the note that it waits; empty in messages of a version before there were notes. */
  readonly id: string;
  readonly partition: string;
  readonly arrivals: readonly Arrival[];
}

/** What is noted of a message while it waits: whose events it has, and since when (UTC ms) the oldest does. */
export interface OverflowNote {
  readonly id: string;
  readonly merchants: readonly number[];
  readonly since: number;
}

export function noteOf({ id, arrivals }: Overflow): OverflowNote {
  const merchants = [...new Set(arrivals.map(({ event }) => event.merchant))];
  return { id, merchants, since: Math.min(...arrivals.map(({ event }) => event.receivedAt)) };
}

/** Arrivals as JSON text. */
export function encodeArrivals(arrivals: readonly Arrival[]): string {
  return JSON.stringify(arrivals.map(toRow));
}

/** The inverse of `encodeArrivals`. */
export function decodeArrivals(text: string): readonly Arrival[] {
  return (JSON.parse(text) as ArrivalRow[]).map(decodeArrival);
}

/** The message as JSON text. It names addresses: hosts seal it before it leaves their memory. */
export function encodeOverflow({ id, partition, arrivals }: Overflow): string {
  return JSON.stringify({ version: OVERFLOW_VERSION, id, partition, rows: arrivals.map(toRow) });
}

/** The inverse of `encodeOverflow`. Throws on anything else: a poisoned message goes to the dead letters whole. */
export function decodeOverflow(text: string): Overflow {
  const { version, id = "", partition, rows } = JSON.parse(text) as Record<string, unknown>;
  assert(version === OVERFLOW_VERSION, `overflow version ${String(version)} is one this consumer knows`);
  const isComplete = typeof id === "string" && typeof partition === "string" && Array.isArray(rows);
  assert(isComplete, "an overflow message is complete");
  assert(rows.every(isArrivalRow), "an overflow message's rows are arrivals");
  return { id, partition, arrivals: rows.map(decodeArrival) };
}

type ArrivalRow = [address: string, floating: number, ...EventRow];

function isArrivalRow(value: unknown): value is ArrivalRow {
  if (!Array.isArray(value)) return false;
  const [address, floating, ...row] = value as readonly unknown[];
  return typeof address === "string" && (floating === 0 || floating === 1) && isEventRow(row);
}

function toRow({ event, address, floating }: Arrival): ArrivalRow {
  return [address, floating ? 1 : 0, ...encodeEvent(event)];
}

function decodeArrival(row: ArrivalRow): Arrival {
  const [address, floating, ...event] = row;
  return { address, floating: floating === 1, event: decodeEvent(event) };
}
