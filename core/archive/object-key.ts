// Where things lie in the archive bucket. A Parquet object's key is a function of the bundle it came from and of
// nothing else, so that every delivery of a bundle writes the same objects. Its folders are Hive partitions, which
// DuckDB, Spark and Trino read as the columns `date` and `partition`. A sealed Day lies in a folder per generation,
// which a manifest describes; runs are what a large Day is sorted by, and go when it is sealed. Dead letters lie
// under a prefix of their own.

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
export const SEALED_PREFIX = "sealed/";
const RUNS_PREFIX = "runs/";
export const DEAD_LETTER_PREFIX = "dead-letter/";

/**
 * Enough for ten trillion events in one partition; zero-padded, so that the order of keys is the order of positions.
 */
const POSITION_DIGITS = 13;
/** Neither a slash nor a dot nor a sign of Hive's: a name that comes from a message cannot leave its folder. */
const SEGMENT = /^[a-z0-9-]{1,100}$/;
const EVENTS_KEY = /^events\/date=([^/]+)\/partition=([^/]+)\/(\d{13})\.parquet$/;

/** Whether a text may stand in a key, as a partition's name does. */
export function isKeySegment(text: string): boolean {
  return SEGMENT.test(text);
}

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

/** A (Day, partition). */
export interface DayPlace {
  /** The merchant-local date, such as "2026-11-21". */
  readonly date: string;
  readonly partition: string;
}

/** The folder of one generation of a sealed Day: "sealed/date=2026-11-21/partition=pool-3/generation=2-1001/". */
export function sealedFolder({ date, partition }: DayPlace, generation: string): string {
  assert(SEGMENT.test(partition) && SEGMENT.test(generation), "a sealed Day's names fit a key");
  return `${SEALED_PREFIX}date=${date}/partition=${partition}/generation=${generation}/`;
}

/** The folder of a date's sealed files, or of all generations of one partition in it. */
export function sealedPrefix({ date, partition }: { readonly date: string; readonly partition?: string }): string {
  const folder = `${SEALED_PREFIX}date=${date}/`;
  return partition === undefined ? folder : `${folder}partition=${partition}/`;
}

/** The nth file of a sealed Day, from 0, in its folder. */
export function sealedFileKey(folder: string, number: number): string {
  return `${folder}${String(number).padStart(5, "0")}.parquet`;
}

/** What is known of a sealed Day once its nth file is written: the seal goes on from there. */
export function sealedPartKey(folder: string, number: number): string {
  return `${folder}${String(number).padStart(5, "0")}.part.json`;
}

export function manifestKey(folder: string): string {
  return `${folder}manifest.json`;
}

/** The folder of a Day's runs. */
export function runsPrefix({ date, partition }: DayPlace): string {
  return `${RUNS_PREFIX}date=${date}/partition=${partition}/`;
}

/** The run sorted from consecutive bundles: a function of which they are. */
export function runKey(place: DayPlace, bundles: readonly string[]): string {
  const firstOf = (key: string | undefined) => String(parseBundleKey(key ?? "")?.first).padStart(POSITION_DIGITS, "0");
  return `${runsPrefix(place)}${firstOf(bundles[0])}-${firstOf(bundles.at(-1))}-${bundles.length}.run`;
}

/** The inverse of `bundleKey`; undefined for any other key. */
export function parseBundleKey(key: string): ObjectName | undefined {
  const [, date, partition, digits] = EVENTS_KEY.exec(key) ?? [];
  if (date === undefined || partition === undefined || digits === undefined) return undefined;
  if (parseDate(date) === undefined || !SEGMENT.test(partition)) return undefined;
  return { date, partition, first: Number(digits) };
}

/**
 * "dead-letter/footfall-archive/9f86d081…": a letter that dies again, as a resent bundle does, takes no second place.
 */
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
