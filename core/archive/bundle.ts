// What one message of the archive queue carries: consecutive events of a partition's log, complete and in order. The
// partition decides where a bundle begins and ends and remembers that before it sends, so every delivery is the same
// bundle. The archive's consumer makes Parquet objects of it. Their keys depend on the bundle alone. Hosts compress the
// text (gzip) and send bytes.

import { decodeEvent, type Event, type EventRow, encodeAfter, isEventRow } from "../event.ts";
import { assert } from "../outcome.ts";
import { isKeySegment } from "./object-key.ts";

const BUNDLE_VERSION = 2;

/** A logged event with the Day it was counted in. Its position is the bundle's first plus its index. */
export interface LoggedEvent {
  /** Number of the merchant-local date. */
  readonly day: number;
  /** Whether it came after its Day was closed. The partition has not counted it; the Day's next replay will. */
  readonly late: boolean;
  readonly event: Event;
}

export interface Bundle {
  readonly partition: string;
  /** Position of the first event in the partition's log. */
  readonly first: number;
  readonly events: readonly LoggedEvent[];
}

/** A logged event as a row of the log and of a bundle: the Day, whether it is late, then the event's values. */
export type LoggedRow = readonly [day: number, late: 0 | 1, ...EventRow];
/** The values of a row before those of the event. */
const LOGGED_HEAD = 2;

export function encodeLogged({ day, late, event }: LoggedEvent): LoggedRow {
  return encodeAfter([day, late ? 1 : 0], event) as unknown as LoggedRow;
}

export function decodeLogged(row: LoggedRow): LoggedEvent {
  const [day, late] = row;
  return { day, late: late === 1, event: decodeEvent(row, LOGGED_HEAD) };
}

/** The bundle as JSON text. `rows` are rows of the log, sent as they are. */
export function encodeBundle(bundle: {
  readonly partition: string;
  readonly first: number;
  readonly rows: readonly LoggedRow[];
}): string {
  return JSON.stringify({ version: BUNDLE_VERSION, ...bundle });
}

/** The inverse of `encodeBundle`. It throws on anything else, and the whole message becomes a dead letter. */
export function decodeBundle(text: string): Bundle {
  const { version, partition, first, rows } = JSON.parse(text) as Record<string, unknown>;
  assert(version === BUNDLE_VERSION, `bundle version ${String(version)} is one this consumer knows`);
  assert(typeof partition === "string" && typeof first === "number" && Array.isArray(rows), "a bundle is complete");
  assert(isKeySegment(partition), "a bundle names its partition");
  assert(Number.isSafeInteger(first) && first >= 0 && rows.every(isLoggedRow), "a bundle's rows are those of a log");
  return { partition, first, events: rows.map(decodeLogged) };
}

function isLoggedRow(value: unknown): value is LoggedRow {
  if (!Array.isArray(value)) return false;
  const [day, late, ...row] = value as readonly unknown[];
  return Number.isSafeInteger(day) && (late === 0 || late === 1) && isEventRow(row);
}
