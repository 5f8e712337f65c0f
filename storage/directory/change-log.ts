// The changes of the directory since its last backup, kept in R2. If the directory is lost, even a change of the last
// minute comes back. When anybody makes, changes or deletes a row, a trigger notes it in `row_changes`, in the same
// transaction. The query Worker soon after a change, and each cron, put the notes into encrypted objects and delete
// them. Recovery writes the rows of the newest backup, and then the changes since that backup began, in their order
// (recovery.ts). Each change is a whole row. So it does no harm to apply a change twice, or to a row of the backup that
// is already newer: the last change decides.

import {
  BACKUP_OBJECT_BYTES_MAX,
  CHANGES_LOGGED_CHARACTERS,
  CHANGES_LOGGED_ONCE,
  CHANGES_PAGES_PER_CALL,
  RECOVERED_CHARACTERS,
} from "../../core/limits.ts";
import { type ArchiveBucket, deleteKeys, listKeys, putObject, readObjectOf } from "../archive/bucket.ts";
import { compress, decompress } from "../archive/gzip.ts";
import { seal, unsealByAny } from "../cipher.ts";
import { deriveKey } from "../secret.ts";
import { select } from "../statement.ts";
import type { Directory } from "./directory.ts";
import { readEpochs } from "./epoch.ts";

/** Tables without triggers. A recovery writes their rows itself, newer than any state that somebody has seen. */
export const NOT_LOGGED = ["settings_changes", "deployment"] as const;

/** A change of only these columns is not noted. They change often, or are corrected again by themselves. */
export const CHANGED_QUIETLY: Readonly<Record<string, readonly string[]>> = {
  merchants: ["version"],
  api_keys: ["last_used_at"],
  subscriptions: ["report_at", "look_at"],
};

export interface ChangeLogDeps {
  readonly directory: Directory;
  readonly bucket: ArchiveBucket;
  /** The deployment's secrets, the current one first. */
  readonly sealSecrets: readonly string[];
}

/** A row as it was after a change, with its values in the order of the columns, or before it went. */
export interface RowChange {
  readonly id: number;
  readonly table: string;
  readonly gone: 0 | 1;
  /** JSON of an array. */
  readonly row: string;
}

const PREFIX = "backup/changes/";

/**
 * If the oldest note has waited for so long, puts all notes into R2 and deletes them. A call that stops in between
 * leaves notes, and the next call puts those into R2 again. Two calls at once do the same. Nothing is put there while
 * the directory is older than its epoch in R2 says, because changes of a restored directory do not continue the logged
 * ones.
 */
export async function logChanges(waitedMs: number, deps: ChangeLogDeps): Promise<void> {
  for (let page = 0; page < CHANGES_PAGES_PER_CALL; page++) {
    const changes = await select<RowChange>(deps.directory, [
      NOTED,
      page === 0 ? waitedMs : 0,
      CHANGES_LOGGED_ONCE,
      CHANGES_LOGGED_CHARACTERS,
    ]);
    const last = changes.at(-1)?.id;
    if (last === undefined) return;
    if (page === 0) {
      const { own, known } = await readEpochs(deps);
      if (own < known) return;
    }
    const key = keyOf(last);
    const packed = compress(new TextEncoder().encode(JSON.stringify(changes)), "fast");
    await putObject(deps, key, seal(packed, deriveKey(deps.sealSecrets[0] ?? "", "backup"), key));
    await select(deps.directory, ["DELETE FROM row_changes WHERE id <= ?", last]);
    const characters = changes.reduce((sum, { row }) => sum + row.length, 0);
    if (changes.length < CHANGES_LOGGED_ONCE && characters < CHANGES_LOGGED_CHARACTERS) return;
  }
}

/**
 * As many notes as one object holds. The age of a note is measured by the database's own clock, because the triggers
 * use it, too.
 */
const NOTED = `SELECT id, "table", gone, "row" FROM (
    SELECT id, table_name AS "table", gone, "row",
      sum(length("row")) OVER (ORDER BY id) - length("row") AS before
    FROM (SELECT * FROM row_changes
      WHERE (SELECT at FROM row_changes ORDER BY id LIMIT 1) <= CAST(unixepoch('subsec') * 1000 AS INTEGER) - ?
      ORDER BY id LIMIT ?))
  WHERE before < ? ORDER BY id`;

/** The highest number that any change has. */
export async function lastChange({ directory, bucket }: Pick<ChangeLogDeps, "directory" | "bucket">): Promise<number> {
  // The highest that a row ever had, and not one that is there: notes are deleted once they are logged, and a bucket
  // that was lost has no logged ones. A backup that named a lower number would be followed by changes from before it.
  const [noted] = await select<{ readonly last: number }>(directory, [
    "SELECT seq AS last FROM sqlite_sequence WHERE name = 'row_changes'",
  ]);
  return Math.max(noted?.last ?? 0, ...(await listLogged({ bucket })).map(({ last }) => last));
}

/** Changes after a number, in their order. Each list has as many as one statement of a recovery writes. */
export async function* changesAfter(
  after: number,
  deps: Pick<ChangeLogDeps, "bucket" | "sealSecrets">,
): AsyncGenerator<readonly RowChange[]> {
  let known = after;
  let some: RowChange[] = [];
  let length = 0;
  for (const { key, last } of await listLogged(deps)) {
    if (last <= after) continue;
    for (const change of (await readLogged(key, deps)).filter(({ id }) => id > known)) {
      some.push(change);
      length += change.row.length;
      known = change.id;
      if (length < RECOVERED_CHARACTERS) continue;
      yield some;
      some = [];
      length = 0;
    }
  }
  if (some.length > 0) yield some;
}

/**
 * The changes after a number up to the last one that there is, in their order, those too that are only noted yet. Notes
 * are read first, a page at a time: what lies before a page is logged by then.
 */
export async function* allChangesAfter(after: number, deps: ChangeLogDeps): AsyncGenerator<readonly RowChange[]> {
  const upTo = await lastChange(deps);
  for (let known = after; known < upTo; ) {
    const page = await select<RowChange>(deps.directory, [
      NOTED_AFTER,
      known,
      upTo,
      CHANGES_LOGGED_ONCE,
      CHANGES_LOGGED_CHARACTERS,
    ]);
    const before = page[0]?.id ?? upTo + 1;
    for await (const some of changesAfter(known, deps)) {
      const own = some.filter(({ id }) => id < before);
      if (own.length > 0) yield own;
    }
    if (page.length > 0) yield page;
    known = page.at(-1)?.id ?? upTo;
  }
}

const NOTED_AFTER = `SELECT id, "table", gone, "row" FROM (
    SELECT id, table_name AS "table", gone, "row",
      sum(length("row")) OVER (ORDER BY id) - length("row") AS before
    FROM (SELECT * FROM row_changes WHERE id > ? AND id <= ? ORDER BY id LIMIT ?))
  WHERE before < ? ORDER BY id`;

/** Deletes all notes. Later notes get numbers above all that were ever logged. */
export async function beginAnew(deps: Pick<ChangeLogDeps, "directory" | "bucket">): Promise<void> {
  const last = await lastChange(deps);
  await select(deps.directory, ["DELETE FROM row_changes"]);
  // AUTOINCREMENT remembers the highest number that a row ever had.
  await select(deps.directory, [
    `INSERT INTO row_changes (id, at, table_name, gone, "row") VALUES (?, 0, '', 0, '')`,
    last + 1,
  ]);
  await select(deps.directory, ["DELETE FROM row_changes"]);
}

/** Deletes the changes up to this one, after a backup that contains them. */
export async function forgetChanges(upTo: number, deps: Pick<ChangeLogDeps, "bucket">): Promise<void> {
  const over = (await listLogged(deps)).filter(({ last }) => last <= upTo);
  await deleteKeys(
    deps,
    over.map(({ key }) => key),
  );
}

function keyOf(last: number): string {
  return `${PREFIX}${String(last).padStart(16, "0")}.bin`;
}

/** The logged objects, in the order of their changes. */
async function listLogged(deps: Pick<ChangeLogDeps, "bucket">) {
  const objects = await listKeys(deps, PREFIX);
  return objects.map(({ key }) => ({ key, last: Number(key.slice(PREFIX.length, -".bin".length)) }));
}

async function readLogged(
  key: string,
  deps: Pick<ChangeLogDeps, "bucket" | "sealSecrets">,
): Promise<readonly RowChange[]> {
  const bytes = await readObjectOf(deps, key);
  const keys = deps.sealSecrets.map((secret) => deriveKey(secret, "backup"));
  let packed: Uint8Array;
  try {
    packed = unsealByAny(bytes, keys, key);
  } catch (cause) {
    throw new Error(`${key} was changed, or sealed under another TRACKING_SECRET`, { cause });
  }
  return JSON.parse(new TextDecoder().decode(decompress(packed, BACKUP_OBJECT_BYTES_MAX))) as RowChange[];
}
