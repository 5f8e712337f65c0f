// Backups of the directory in R2, hourly by the cron and on request. Every table is read page by page, packed, and
// sealed under a key of the deployment's secret. The manifest is written last, so a backup that has one is complete.
// Sign-ins, sessions, invites and alerts are left out: after a recovery everybody signs in again. Tables are not read
// at one instant but one after the other, merchants first. So the backup ends with the changes that were made meanwhile
// (change-log.ts): with them its rows are those of one instant, and no two of them have one name. A directory of more
// rows than one call of a Worker may ask for is backed up by several crons, each of which goes on where the one before
// it stopped. recovery.ts reads the backups. What is changed between two of them is in a log of its own
// (change-log.ts).

import { createHash, randomBytes } from "node:crypto";
import {
  BACKUP_EVERY_MS,
  BACKUP_OBJECT_BYTES_MAX,
  BACKUP_OBJECT_CHARACTERS,
  BACKUP_PAGES_PER_CRON,
  BACKUP_ROWS,
  BACKUP_ROWS_OF_RULES,
  BACKUPS_ALL_KEPT_MS,
  BACKUPS_DAILY_KEPT_MS,
} from "../../core/limits.ts";
import type { Log } from "../../core/log.ts";
import { assert } from "../../core/outcome.ts";
import { type ArchiveBucket, deleteKeys, listKeys, pagesOf, putObject, readObjectOf } from "../archive/bucket.ts";
import { compress, decompress } from "../archive/gzip.ts";
import { seal, unsealByAny } from "../cipher.ts";
import { deriveKey } from "../secret.ts";
import { select } from "../statement.ts";
import { allChangesAfter, forgetChanges, lastChange, type RowChange } from "./change-log.ts";
import type { Directory } from "./directory.ts";
import { readEpochs } from "./epoch.ts";

/**
 * The tables that are backed up, in the order in which they are written back. The row by which an empty database
 * becomes the directory comes last.
 */
export const BACKED_UP: readonly Table[] = [
  { name: "merchants", key: ["number"], rowsMax: BACKUP_ROWS_OF_RULES },
  { name: "streams", key: ["merchant", "number"] },
  { name: "api_keys", key: ["id"] },
  { name: "members", key: ["id"] },
  { name: "shares", key: ["id"] },
  { name: "segments", key: ["id"] },
  { name: "views", key: ["id"] },
  { name: "notes", key: ["id"] },
  { name: "subscriptions", key: ["id"] },
  { name: "operators", key: ["id"] },
  { name: "imports", key: ["merchant", "number"] },
  { name: "rule_versions", key: ["merchant", "version"], rowsMax: BACKUP_ROWS_OF_RULES },
  { name: "rates", key: ["day"] },
  { name: "own_rates", key: ["merchant", "currency", "in", "from_day"] },
  { name: "rate_versions", key: ["merchant"] },
  { name: "replay_jobs", key: ["id"], rowsMax: BACKUP_ROWS_OF_RULES },
  { name: "audit", key: ["id"] },
  { name: "settings_changes", key: ["merchant"] },
  { name: "claimed_ledgers", key: ["position"] },
  { name: "deployment", key: ["id"] },
];

/**
 * The tables that are not backed up. Somebody who was signed in or invited at the time may no longer have the right to
 * be. Alerts are raised again.
 */
export const LEFT_OUT = ["invites", "sessions", "sign_ins", "alerts", "standings", "row_changes"] as const;

export interface Table {
  readonly name: string;
  /** The primary key, by which the table is read page by page. */
  readonly key: readonly string[];
  readonly rowsMax?: number;
}

export interface BackupDeps {
  readonly directory: Directory;
  readonly bucket: ArchiveBucket;
  /** The deployment's secrets, the current one first. */
  readonly sealSecrets: readonly string[];
  /** UTC ms. */
  readonly now: () => number;
}

/** What a backup holds. Its JSON is its manifest. */
export interface Backup {
  readonly version: typeof BACKUP_VERSION;
  /** UTC ms at which it was begun. */
  readonly at: number;
  /** The directory's epoch at that time (epoch.ts). */
  readonly epoch: number;
  /** The last change (change-log.ts) before that. Later changes may be missing in the backup. */
  readonly change: number;
  readonly parts: readonly BackupPart[];
}

export interface BackupPart {
  readonly table: string;
  readonly key: string;
  readonly rows: number;
  readonly bytes: number;
  /** SHA-256 of the object, in hex. */
  readonly digest: string;
}

/** Stands for a table where a part has changes: of rows that were read before, and of some after, while it was read. */
const MEANWHILE = "row_changes";

/** The changes that were made while a backup was read, in their order. */
export async function* changesMeanwhile(
  { parts }: Pick<Backup, "parts">,
  deps: Pick<BackupDeps, "bucket" | "sealSecrets">,
): AsyncGenerator<readonly RowChange[]> {
  for (const part of parts.filter(({ table }) => table === MEANWHILE)) {
    const { rows } = await readPart(part, deps);
    yield rows.map(([id, table, gone, row]) => ({ id, table, gone, row }) as RowChange);
  }
}

/** Rows of a table, each with its values in the order of the columns. */
export interface BackedUpRows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Value[])[];
}

type Value = string | number | null;

const BACKUP_VERSION = 1;
const PREFIX = "backup/directory/";

/** An unfinished backup: what it has so far, and what comes next. */
interface Draft {
  readonly at: number;
  readonly epoch: number;
  readonly change: number;
  readonly parts: readonly BackupPart[];
  /** The table to read, as an index of `BACKED_UP`. When all were read, it is the number of tables. */
  readonly table: number;
  /** The key of the last row that was read of this table; null before the first. */
  readonly last: readonly Value[] | null;
}

const DRAFT = "backup/directory-draft.json";
/** An older draft was given up by whoever made it, so another one is begun. */
const DRAFT_KEPT_MS = 6 * BACKUP_EVERY_MS;

/**
 * The cron's step. It begins a backup when the newest one is an hour old, or goes on with an unfinished one, for so
 * many pages of tables. It deletes backups that are no longer kept.
 */
export async function backUpWhenDue(
  deps: BackupDeps & { readonly log: Log },
  pagesMax = BACKUP_PAGES_PER_CRON,
): Promise<void> {
  const { own, known } = await readEpochs(deps);
  if (own < known) return; // what was restored to an earlier instant is no newer state than the last backup
  const draft = await readDraft(own, deps);
  if (draft === undefined) {
    const [newest] = await listBackups(deps);
    if (newest !== undefined && deps.now() - instantOf(newest) < BACKUP_EVERY_MS) return;
  }
  const advanced = await advance(draft ?? (await newDraft(own, deps)), deps, pagesMax);
  if (advanced.table < BACKED_UP.length) return await putObject(deps, DRAFT, JSON.stringify(advanced));
  const { at, parts } = await finish(advanced, deps);
  await deleteKeys(deps, [DRAFT]);
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  deps.log({ event: "directory_backed_up", backup: nameOf(at), rows: rowsOf(parts), bytes });
  await prune(deps);
}

/**
 * Backs the directory up now, in one go. One that is too large for that is left to the cron. A crash leaves objects
 * without a manifest, which a later backup deletes.
 */
export async function backUp(deps: BackupDeps): Promise<Backup> {
  const { own } = await readEpochs(deps);
  return await finish(await advance(await newDraft(own, deps), deps, Number.MAX_SAFE_INTEGER), deps);
}

async function newDraft(epoch: number, deps: BackupDeps): Promise<Draft> {
  return { at: deps.now(), epoch, change: await lastChange(deps), parts: [], table: 0, last: null };
}

/** Adds what was changed since it was begun, and writes the manifest, which makes it a backup. */
async function finish({ at, epoch, change, parts: read }: Draft, deps: BackupDeps): Promise<Backup> {
  const run = randomBytes(4).toString("hex");
  const parts = [...read];
  for await (const some of allChangesAfter(change, deps)) {
    const rows = some.map(({ id, table, gone, row }) => [id, table, gone, row]);
    const name = { name: nameOf(at), run, table: MEANWHILE, number: parts.length };
    parts.push(await putPart(name, { columns: ["id", "table", "gone", "row"], rows }, deps));
  }
  const backup: Backup = { version: BACKUP_VERSION, at, epoch, change, parts };
  await putObject(deps, `${PREFIX}${nameOf(at)}.json`, JSON.stringify(backup));
  return backup;
}

/**
 * The draft to go on with. It is undefined if the directory was since restored to an instant before the draft was
 * begun.
 */
async function readDraft(epoch: number, deps: BackupDeps): Promise<Draft | undefined> {
  const object = await deps.bucket.get(DRAFT);
  if (object === null) return undefined;
  const draft = JSON.parse(new TextDecoder().decode(await object.arrayBuffer())) as Draft;
  return draft.epoch <= epoch && deps.now() - draft.at < DRAFT_KEPT_MS ? draft : undefined;
}

/**
 * Reads and stores so many pages. Two calls at the same time write objects of their own, so each manifest names what
 * its own call has read.
 */
async function advance(draft: Draft, deps: BackupDeps, pagesMax: number): Promise<Draft> {
  const run = randomBytes(4).toString("hex");
  const parts = [...draft.parts];
  let { table: place, last } = draft;
  let pages: BackedUpRows[] = [];
  let characters = 0;
  for (let count = 1; count <= pagesMax; count += 1) {
    const table = BACKED_UP[place];
    if (table === undefined) break;
    const { next, ...page } = await readPage(table, last, deps);
    if (page.rows.length > 0) pages.push(page);
    characters += JSON.stringify(page.rows).length;
    last = next;
    const [first] = pages;
    if (first !== undefined && (last === null || count === pagesMax || characters >= BACKUP_OBJECT_CHARACTERS)) {
      const gathered = { columns: first.columns, rows: pages.flatMap(({ rows }) => rows) };
      const name = { name: nameOf(draft.at), run, table: table.name, number: parts.length };
      parts.push(await putPart(name, gathered, deps));
      pages = [];
      characters = 0;
    }
    if (last === null) place += 1;
  }
  return { ...draft, parts, table: place, last };
}

/** The names of complete backups, the newest first. */
export async function listBackups({ bucket }: Pick<BackupDeps, "bucket">): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { objects } of pagesOf({ bucket }, { prefix: PREFIX, delimiter: "/" }))
    for (const { key } of objects) if (key.endsWith(".json")) names.push(key.slice(PREFIX.length, -".json".length));
  return names.sort().reverse();
}

export async function readBackup(name: string, deps: Pick<BackupDeps, "bucket">): Promise<Backup> {
  const bytes = await readObjectOf(deps, `${PREFIX}${name}.json`);
  const backup = JSON.parse(new TextDecoder().decode(bytes)) as Backup;
  assert(backup.version === BACKUP_VERSION, `backup version ${String(backup.version)} is one this reader knows`);
  return backup;
}

/** The rows of one object. Throws where a byte of it has changed, or where no secret of the deployment opens it. */
export async function readPart(
  { key, digest, table }: BackupPart,
  { bucket, sealSecrets }: Pick<BackupDeps, "bucket" | "sealSecrets">,
): Promise<BackedUpRows> {
  const bytes = await readObjectOf({ bucket }, key);
  assert(digestOf(bytes) === digest, `${key} is what the backup's manifest says`);
  const keys = sealSecrets.map((secret) => deriveKey(secret, "backup"));
  let packed: Uint8Array;
  try {
    packed = unsealByAny(bytes, keys, key); // no byte has changed, so nothing but the secret can be wrong
  } catch (cause) {
    const what = `The backup of ${table} was sealed under another TRACKING_SECRET`;
    throw new Error(`${what}: set the one of that time as TRACKING_SECRET_PREVIOUS.`, { cause });
  }
  return JSON.parse(new TextDecoder().decode(decompress(packed, BACKUP_OBJECT_BYTES_MAX))) as BackedUpRows;
}

/** "2026-11-29T12-00-00-000Z": fits a key and a file's name. */
export function nameOf(at: number): string {
  return new Date(at).toISOString().replaceAll(/[:.]/g, "-");
}

/** The inverse of `nameOf`; NaN for a text that is no name. */
export function instantOf(name: string): number {
  return Date.parse(name.replace(/T(\d\d)-(\d\d)-(\d\d)-(\d\d\d)Z$/, "T$1:$2:$3.$4Z"));
}

export function rowsOf(parts: readonly BackupPart[]): number {
  return parts.reduce((sum, { table, rows }) => sum + (table === MEANWHILE ? 0 : rows), 0);
}

/** The rows of a table after a key, and the key for the next page; null where there is none. */
async function readPage(
  { name, key, rowsMax = BACKUP_ROWS }: Table,
  last: readonly Value[] | null,
  { directory }: BackupDeps,
): Promise<BackedUpRows & { readonly next: readonly Value[] | null }> {
  const columns = key.map((column) => `"${column}"`).join(", ");
  const after = key.map(() => "?").join(", ");
  const where = last === null ? "" : `WHERE (${columns}) > (${after})`;
  const text = `SELECT * FROM "${name}" ${where} ORDER BY ${columns} LIMIT ${rowsMax}`;
  const rows = await select<Readonly<Record<string, Value>>>(directory, [text, ...(last ?? [])]);
  const end = rows.length < rowsMax ? undefined : rows.at(-1);
  return {
    columns: Object.keys(rows[0] ?? {}),
    rows: rows.map((row) => Object.values(row)),
    next: end === undefined ? null : key.map((column) => end[column] as Value),
  };
}

interface PartName {
  readonly name: string;
  /** The call of `advance` that wrote it. */
  readonly run: string;
  readonly table: string;
  readonly number: number;
}

async function putPart(
  { name, run, table, number }: PartName,
  { columns, rows }: BackedUpRows,
  deps: BackupDeps,
): Promise<BackupPart> {
  const key = `${PREFIX}${name}/${String(number).padStart(6, "0")}-${run}-${table}.bin`;
  const packed = compress(new TextEncoder().encode(JSON.stringify({ columns, rows })), "fast");
  const bytes = seal(packed, deriveKey(deps.sealSecrets[0] ?? "", "backup"), key);
  await putObject(deps, key, bytes);
  return { table, key, rows: rows.length, bytes: bytes.length, digest: digestOf(bytes) };
}

function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/**
 * Deletes backups that are no longer kept, and the remains of backups that were never finished. Manifests go first,
 * since what has one is whole. A crash in between leaves objects without theirs, which the next call deletes.
 */
async function prune(deps: BackupDeps): Promise<void> {
  const names = await listBackups(deps);
  const kept = keptOf(names, deps.now());
  const newest = names[0] ?? "";
  const objects = (await listKeys(deps, PREFIX)).map(({ key }) => key).filter((key) => key.endsWith(".bin"));
  const isOver = (name: string) => name < newest && !kept.has(name);
  await deleteKeys(
    deps,
    names.filter(isOver).map((name) => `${PREFIX}${name}.json`),
  );
  await deleteKeys(
    deps,
    objects.filter((key) => isOver(key.slice(PREFIX.length).split("/")[0] ?? "")),
  );
  if (newest !== "") await forgetChanges((await readBackup(newest, deps)).change, deps);
}

/**
 * The backups that are kept: all of the last hours, and of each Day before that the first one. `names` has the newest
 * first.
 */
export function keptOf(names: readonly string[], now: number): ReadonlySet<string> {
  const kept = new Set<string>();
  const daily = new Map<string, string>();
  for (const name of names) {
    const age = now - instantOf(name);
    if (age <= BACKUPS_ALL_KEPT_MS) kept.add(name);
    else if (age <= BACKUPS_DAILY_KEPT_MS) daily.set(name.slice(0, "2026-11-29".length), name);
  }
  return new Set([...kept, ...daily.values()]);
}
