// What the overflow queue carries: arrivals whose partition could not be reached or was overloaded, on their way to it by
// another road. Ids and times were fixed at the edge, so delivering one late, twice or out of order changes no count.

import { type Arrival, decodeEvent, type EventRow, encodeEvent } from "./event.ts";
import { assert } from "./outcome.ts";

const OVERFLOW_VERSION = 1;

export interface Overflow {
  readonly partition: string;
  readonly arrivals: readonly Arrival[];
}

/** The message as JSON text. It names addresses: hosts seal it before it leaves their memory. */
export function encodeOverflow({ partition, arrivals }: Overflow): string {
  const rows = arrivals.map(({ event, address, floating }) => [address, floating ? 1 : 0, ...encodeEvent(event)]);
  return JSON.stringify({ version: OVERFLOW_VERSION, partition, rows });
}

/** The inverse of `encodeOverflow`. Throws on anything else: a poisoned message goes to the dead letters whole. */
export function decodeOverflow(text: string): Overflow {
  const { version, partition, rows } = JSON.parse(text) as Record<string, unknown>;
  assert(version === OVERFLOW_VERSION, `overflow version ${String(version)} is one this consumer knows`);
  assert(typeof partition === "string" && Array.isArray(rows), "an overflow message is complete");
  return { partition, arrivals: rows.map(decodeArrival) };
}

function decodeArrival(row: [string, number, ...EventRow]): Arrival {
  const [address, floating, ...event] = row;
  return { address, floating: floating === 1, event: decodeEvent(event) };
}
