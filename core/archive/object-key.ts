// Where things lie in the archive bucket. A Parquet object's key is a function of the bundle it came from and of nothing
// else, so that every delivery of a bundle writes the same objects. Its folders are Hive partitions, which DuckDB, Spark
// and Trino read as the columns `date` and `partition`. Dead letters lie under a prefix of their own.

import { assert } from "../outcome.ts";
import { parseDate } from "../time.ts";

/** What names one Parquet object of unsealed events. */
export interface ObjectName {
  /** The merchant-local date of its events, such as "2026-11-21". */
  readonly date: string;
  readonly partition: string;
  /** Position of the first event of the bundle, which may itself lie in another date's object. */
  readonly first: number;
}

/** What names one dead letter. */
export interface DeadLetterName {
  /** The queue it died in, such as "footfall-archive". */
  readonly queue: string;
  /** SHA-256 of its body, in hex. */
  readonly digest: string;
}

export const EVENTS_PREFIX = "events/";
export const DEAD_LETTER_PREFIX = "dead-letter/";

/** Enough for ten trillion events in one partition; zero-padded, so that the order of keys is the order of positions. */
const POSITION_DIGITS = 13;
/** Neither a slash nor a dot nor a sign of Hive's: a name that comes from a message cannot leave its folder. */
const SEGMENT = /^[a-z0-9-]{1,100}$/;
const EVENTS_KEY = /^events\/date=([^/]+)\/partition=([^/]+)\/(\d{13})\.parquet$/;

/** "events/date=2026-11-21/partition=pool-3/0000000001001.parquet" */
export function bundleKey({ date, partition, first }: ObjectName): string {
  assert(parseDate(date) !== undefined, `an object's date is a date, not "${date}"`);
  assert(SEGMENT.test(partition), "a partition's name fits a key");
  assert(Number.isSafeInteger(first) && first >= 0, `a position is a whole number, not ${first}`);
  const position = String(first).padStart(POSITION_DIGITS, "0");
  assert(position.length === POSITION_DIGITS, "a position fits its digits");
  return `${EVENTS_PREFIX}date=${date}/partition=${partition}/${position}.parquet`;
}

/** The folder of a date, or of one partition in it: "events/date=2026-11-21/partition=pool-3/". */
export function dayPrefix({ date, partition }: { readonly date: string; readonly partition?: string }): string {
  const folder = `${EVENTS_PREFIX}date=${date}/`;
  return partition === undefined ? folder : `${folder}partition=${partition}/`;
}

/** The inverse of `bundleKey`; undefined for any other key. */
export function parseBundleKey(key: string): ObjectName | undefined {
  const [, date, partition, digits] = EVENTS_KEY.exec(key) ?? [];
  if (date === undefined || partition === undefined || digits === undefined) return undefined;
  if (parseDate(date) === undefined || !SEGMENT.test(partition)) return undefined;
  return { date, partition, first: Number(digits) };
}

/** "dead-letter/footfall-archive/9f86d081…": a letter that dies again, as a resent bundle does, takes no second place. */
export function deadLetterKey({ queue, digest }: DeadLetterName): string {
  assert(SEGMENT.test(queue) && SEGMENT.test(digest), "a dead letter's name fits a key");
  return `${DEAD_LETTER_PREFIX}${queue}/${digest}`;
}

/** The inverse of `deadLetterKey`; undefined for any other key. */
export function parseDeadLetterKey(key: string): DeadLetterName | undefined {
  const [prefix, queue, digest, ...rest] = key.split("/");
  if (`${prefix}/` !== DEAD_LETTER_PREFIX || queue === undefined || digest === undefined) return undefined;
  return rest.length === 0 && SEGMENT.test(queue) && SEGMENT.test(digest) ? { queue, digest } : undefined;
}
