// Where objects lie in the archive bucket. The key of a Parquet object depends only on the bundle that it came from, so
// every delivery of a bundle writes the same objects. Its folders are Hive partitions, which DuckDB, Spark and Trino
// read as the columns `date` and `partition`. Each time a Day is sealed, its files go into a new folder (a generation),
// and a manifest lists them. Runs are sorted files of an open Day's bundles. Questions read them, a large Day is sorted
// from them, and they are deleted when the Day is sealed. Month files have old rollups (core/block/month.ts). Dead
// letters have a prefix of their own.

import { assert } from "../outcome.ts";
import { parseDate } from "../time.ts";
import type { RunSpan } from "./runs.ts";

/** What the key of a Parquet object of unsealed events is made of. */
export interface ObjectName {
  /** The merchant-local date of its events, such as "2026-11-21". */
  readonly date: string;
  readonly partition: string;
  /** Position of the first event of the bundle, which may itself lie in another date's object. */
  readonly first: number;
}

/** What the key of a dead letter is made of. */
export interface DeadLetterName {
  /** The queue it died in, such as "footfall-archive". */
  readonly queue: string;
  /** SHA-256 of its body, in hex. */
  readonly digest: string;
}

export const EVENTS_PREFIX = "events/";
export const SEALED_PREFIX = "sealed/";
const RUNS_PREFIX = "runs/";
export const ROLLUPS_PREFIX = "rollups/";
export const DEAD_LETTER_PREFIX = "dead-letter/";

/**
 * What a second copy of the bucket holds (docs/operate.md). The rest is made anew: runs of bundles, answers of jobs, a
 * backup that was not finished, and the state that the cron writes every few minutes.
 */
const COPIED_PREFIXES = [
  EVENTS_PREFIX,
  SEALED_PREFIX,
  ROLLUPS_PREFIX,
  DEAD_LETTER_PREFIX,
  "imported/",
  "numbers/",
  "erasures/",
  "gone/",
  "keys/",
  "backup/directory/",
  "backup/changes/",
  "status/incidents.json",
] as const;
/** What R2 takes, in bytes of UTF-8; ours are ASCII. */
const KEY_LENGTH_MAX = 1_024;

/** Whether a key is of an object that a second copy of the bucket holds. */
export function isCopiedKey(key: string): boolean {
  const isPlain = /^[a-zA-Z0-9=._/-]+$/.test(key) && !/(^|\/)\.*(\/|$)/.test(key);
  return isPlain && key.length <= KEY_LENGTH_MAX && COPIED_PREFIXES.some((prefix) => key.startsWith(prefix));
}

/**
 * Enough for ten trillion events in one partition; zero-padded, so that the order of keys is the order of positions.
 */
const POSITION_DIGITS = 13;
/** No slash, no dot and no "=" of Hive's, so that a name from a message cannot point out of its folder. */
const SEGMENT = /^[a-z0-9-]{1,100}$/;
const EVENTS_KEY = /^events\/date=([^/]+)\/partition=([^/]+)\/(\d{13})\.parquet$/;

/** Whether a text may be a segment of a key, as a partition's name is. */
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

/** The position below which bundles are in the sealed files of a folder, where its name says so. */
export function sealedBefore(folder: string): number | undefined {
  const [, before] = /\/generation=\d+-(\d+)-/.exec(folder) ?? [];
  return before === undefined ? undefined : Number(before);
}

/** The nth file of a sealed Day, from 0, in its folder. */
export function sealedFileKey(folder: string, number: number): string {
  return `${folder}${String(number).padStart(5, "0")}.parquet`;
}

/**
 * The derived rows of the nth file's merchants. Its name has a hash of what is in it: a seal that runs beside another
 * may have derived other rows, under newer rules.
 */
export function derivedFileKey(folder: string, number: number, hash: string): string {
  return `${folder}${String(number).padStart(5, "0")}-${hash}.derived`;
}

/** The key of the table of a sealed Day's derived rows. */
export function derivedTableKey(folder: string): string {
  return `${folder}derived.table`;
}

/** What a seal knows after the Day's nth file is written. An interrupted seal goes on from there. */
export function sealedPartKey(folder: string, number: number): string {
  return `${folder}${String(number).padStart(5, "0")}.part.json`;
}

/**
 * The name of a seal's folder that merchants see: "sealed/date=2026-11-21/partition=pool-3/generation=2". The rest of
 * the real name, a position in the log and numbers of erasures, is about all merchants of the partition.
 */
export function sealName(folder: string): string {
  return folder.replace(/(\/generation=\d+)-.*$/, "$1");
}

export function manifestKey(folder: string): string {
  return `${folder}manifest.json`;
}

/** The folder of a Day's runs. */
export function runsPrefix({ date, partition }: DayPlace): string {
  return `${RUNS_PREFIX}date=${date}/partition=${partition}/`;
}

/** The key of the run that was sorted from consecutive bundles. The same bundles always give the same key. */
export function runKey(place: DayPlace, { first, last, count }: RunSpan): string {
  const digitsOf = (position: number) => String(position).padStart(POSITION_DIGITS, "0");
  return `${runsPrefix(place)}${digitsOf(first)}-${digitsOf(last)}-${count}.run`;
}

/** The key of a run's index. It is written last: a run without an index is not complete, and nobody reads it. */
export function runIndexKey(key: string): string {
  return `${key}.json`;
}

/** Which bundles a run holds, by its index's key; undefined for any other key. */
export function parseRunIndexKey(key: string): RunSpan | undefined {
  const [, first, last, count] = /\/(\d{13})-(\d{13})-(\d+)\.run\.json$/.exec(key) ?? [];
  return first === undefined ? undefined : { first: Number(first), last: Number(last), count: Number(count) };
}

/** What the key of a month file is made of. */
export interface MonthFileName {
  readonly merchant: number;
  readonly partition: string;
  /** Its first Day, as a date. */
  readonly from: string;
  /** A name that changes whenever the blocks in the file change, such as "31-9f86d081884c7d65". */
  readonly file: string;
}

/** "rollups/partition=pool-3/from=2026-08-05/merchant=12/31-9f86d081884c7d65.month" */
export function monthFileKey({ merchant, partition, from, file }: MonthFileName): string {
  assert(SEGMENT.test(partition) && SEGMENT.test(file), "a month file's names fit a key");
  return `${ROLLUPS_PREFIX}partition=${partition}/from=${from}/merchant=${merchant}/${file}.month`;
}

/** The inverse of `monthFileKey`; undefined for any other key. */
export function parseMonthFileKey(key: string): MonthFileName | undefined {
  const [, partition, from, merchant, file] =
    /^rollups\/partition=([^/]+)\/from=([^/]+)\/merchant=(\d+)\/([^/]+)\.month$/.exec(key) ?? [];
  if (partition === undefined || from === undefined || merchant === undefined || file === undefined) return undefined;
  const isName = parseDate(from) !== undefined && SEGMENT.test(partition) && SEGMENT.test(file);
  return isName ? { merchant: Number(merchant), partition, from, file } : undefined;
}

/** The inverse of `bundleKey`; undefined for any other key. */
export function parseBundleKey(key: string): ObjectName | undefined {
  const [, date, partition, digits] = EVENTS_KEY.exec(key) ?? [];
  if (date === undefined || partition === undefined || digits === undefined) return undefined;
  if (parseDate(date) === undefined || !SEGMENT.test(partition)) return undefined;
  return { date, partition, first: Number(digits) };
}

/**
 * "dead-letter/footfall-archive/9f86d081…". A message that dies again, such as a bundle that was sent twice, has the
 * same key and is stored once.
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
