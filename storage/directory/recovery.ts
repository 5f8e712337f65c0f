// Makes a directory whole that was lost or restored to an earlier instant: its rows from a backup where that has come
// further, and from the log of changes since, without what was taken away since, and above all numbers that anybody may
// know. Rows of before are deleted table by table; the row that makes it a directory comes last, so until then it stays
// refused (storage/open.ts), and whoever dies begins anew.

import { RECOVERED_CHARACTERS, RECOVERED_MERCHANTS, RECOVERED_STEP } from "../../core/limits.ts";
import { assert } from "../../core/outcome.ts";
import { GLOBAL_MERCHANT } from "../../core/rules.ts";
import { listRecords } from "../ledger/erasure-record.ts";
import { select } from "../statement.ts";
import { noteAct } from "./audit.ts";
import {
  BACKED_UP,
  type BackedUpRows,
  type Backup,
  type BackupDeps,
  backUp,
  changesMeanwhile,
  LEFT_OUT,
  listBackups,
  nameOf,
  readBackup,
  readPart,
  rowsOf,
  type Table,
} from "./backup.ts";
import { beginAnew, changesAfter, type RowChange } from "./change-log.ts";
import { deleteMerchant } from "./ending.ts";
import { catchUp, type Epochs, raiseEpoch, readEpochs } from "./epoch.ts";
import { takeAway } from "./gone.ts";
import { lastMerchantNumber } from "./merchants.ts";
import { type Claims, highestClaim, MERCHANTS } from "./number-claim.ts";

/** The database may be an empty one: `directory` is not checked before it is asked. */
export interface RecoveryDeps extends BackupDeps {
  readonly claims: Claims;
  /** How many there are. */
  readonly ledgers: number;
}

/** What recovering the directory came to. */
export interface Recovered {
  /** The backup that its rows are of; null where its own are the newest there are. */
  readonly backup: string | null;
  /** UTC ms of that backup. */
  readonly at: number | null;
  readonly rows: number;
  /** Changes that were made since, and are in it again. */
  readonly changes: number;
  /** Keys, members and share links that were taken away since. */
  readonly revoked: number;
  /** Numbers that were given to merchants which it does not know: made after the backup, or erased. */
  readonly merchantsUnknown: number;
}

/** Why it is not recovered. */
export type RecoveryRefusal = "whole" | "no_backup" | "unknown_backup";

/**
 * `name` is a backup to go back to, whatever the directory has; without it the newest is taken, where that is further.
 */
export async function recoverDirectory(
  { name }: { readonly name?: string | undefined },
  deps: RecoveryDeps,
): Promise<Recovered | RecoveryRefusal> {
  const isEmpty = (await select(deps.directory, ["SELECT 1 FROM deployment"])).length === 0;
  const epochs = await readEpochs(deps);
  const names = await listBackups(deps);
  if (name !== undefined && !names.includes(name)) return "unknown_backup";
  if (name === undefined && !isEmpty && epochs.own >= epochs.known) return "whole";
  const newest = name ?? names[0];
  if (newest === undefined && isEmpty) return "no_backup";
  const backup = newest === undefined ? undefined : await readBackup(newest, deps);
  const isLoaded = backup !== undefined && (name !== undefined || isFurther(backup, isEmpty, epochs));
  // What is there is backed up before it goes, so that going back can be undone; and what comes after
  // it, so that it is the newest.
  if (isLoaded && !isEmpty) await backUp(deps);
  // Who names a backup wants what was then.
  const { revoked, changes } = isLoaded
    ? await load(backup, { hasChanges: name === undefined }, deps)
    : { revoked: await mend(deps), changes: 0 };
  await catchUp(deps);
  await raiseEpoch(deps);
  const act = { actor: "deployment", merchant: null, act: "directory.recover", target: null };
  await noteAct(deps.directory, { ...act, at: deps.now() });
  await backUp(deps);
  const known = await lastMerchantNumber(deps.directory);
  return {
    backup: isLoaded ? nameOf(backup.at) : null,
    at: isLoaded ? backup.at : null,
    rows: isLoaded ? rowsOf(backup.parts) : 0,
    changes,
    revoked,
    merchantsUnknown: Math.max(0, ((await highestClaim(MERCHANTS, deps.claims)) ?? 0) - known),
  };
}

function isFurther(backup: Backup, isEmpty: boolean, { own }: Epochs): boolean {
  return isEmpty || backup.epoch > own;
}

/**
 * Writes a backup's rows in the place of all there are, and gives what `mend` does. All objects are read once before
 * the first row is deleted: a backup that cannot be read changes nothing. What was revoked is gone before the last
 * row makes it a directory.
 */
async function load(
  backup: Backup,
  { hasChanges }: { readonly hasChanges: boolean },
  deps: RecoveryDeps,
): Promise<{ readonly revoked: number; readonly changes: number }> {
  for (const part of backup.parts) await readPart(part, deps);
  if (hasChanges) for await (const some of changesAfter(backup.change, deps)) assert(some.length > 0, "they are read");
  const write = async (name: string) => {
    await deps.directory.prepare(`DELETE FROM "${name}"`).run();
    for (const part of backup.parts.filter(({ table }) => table === name))
      await insert(name, await readPart(part, deps), deps);
  };
  const [last, ...others] = BACKED_UP.map(({ name }) => name).reverse();
  await deps.directory.prepare("DELETE FROM deployment").run();
  // Rows of merchants make changes of settings, which are written after them.
  for (const name of others.reverse()) await write(name);
  // A name may have gone from one row to another while they were read. Then one row took the other's place above, and
  // both have a change here.
  await applyAll(changesMeanwhile(backup, deps), deps);
  const changes = hasChanges ? await applyAll(changesAfter(backup.change, deps), deps) : 0;
  const revoked = await mend(deps);
  await write(last as string);
  return { revoked, changes };
}

/** Makes, changes and deletes again what was since the backup was begun. */
async function applyAll(lists: AsyncIterable<readonly RowChange[]>, deps: RecoveryDeps): Promise<number> {
  let changes = 0;
  for await (const some of lists) {
    changes += some.length;
    for (const table of BACKED_UP) await apply(table, some, deps);
  }
  return changes;
}

/** Of each row the last change counts. What is gone goes first: what came instead may have its name. */
async function apply({ name, key }: Table, some: readonly RowChange[], deps: RecoveryDeps): Promise<void> {
  const own = some.filter(({ table }) => table === name);
  if (own.length === 0) return;
  const info = await select<{ readonly name: string }>(deps.directory, [`PRAGMA table_info("${name}")`]);
  const columns = info.map((column) => column.name);
  const places = key.map((column) => columns.indexOf(column));
  const last = new Map<string, { readonly gone: 0 | 1; readonly values: BackedUpRows["rows"][number] }>();
  for (const { gone, row } of own) {
    const values = JSON.parse(row) as BackedUpRows["rows"][number];
    last.set(JSON.stringify(places.map((place) => values[place])), { gone, values });
  }
  const changed = [...last.values()];
  const keys = changed.map(({ values }) => places.map((place) => values[place]));
  const names = key.map((column) => `"${column}"`).join(", ");
  const values = key.map((_, at) => `value ->> ${at}`).join(", ");
  await select(deps.directory, [
    `DELETE FROM "${name}" WHERE (${names}) IN (SELECT ${values} FROM json_each(?))`,
    JSON.stringify(keys),
  ]);
  // A column that was added since is the last, and has its default.
  const left = Map.groupBy(
    changed.filter(({ gone }) => gone === 0).map((change) => change.values),
    ({ length }) => length,
  );
  for (const [width, rows] of left) await insert(name, { columns: columns.slice(0, width), rows }, deps);
}

/** Takes away what was revoked or has ended, signs everybody out, and makes all of it newer than what anybody knows. */
async function mend(deps: RecoveryDeps): Promise<number> {
  await beginAnew(deps);
  for (const table of LEFT_OUT) await deps.directory.prepare(`DELETE FROM ${table}`).run();
  const revoked = await takeAway(deps);
  for (let position = 0; position < deps.ledgers; position++)
    for await (const { erasure } of listRecords(position, deps))
      if (erasure.kind === "merchant") await deleteMerchant(deps.directory, erasure.merchant);
  await raiseAll(deps);
  return revoked;
}

async function insert(table: string, { columns, rows }: BackedUpRows, { directory }: RecoveryDeps): Promise<void> {
  const names = columns.map((column) => `"${column}"`).join(", ");
  const values = columns.map((_, at) => `value ->> ${at}`).join(", ");
  const text = `INSERT OR REPLACE INTO "${table}" (${names}) SELECT ${values} FROM json_each(?)`;
  let chunk: string[] = [];
  let length = 0;
  const flush = async () => {
    if (chunk.length > 0) await select(directory, [text, `[${chunk.join(",")}]`]);
    chunk = [];
    length = 0;
  };
  for (const row of rows) {
    const json = JSON.stringify(row);
    assert(row.length === columns.length, "a row has a value for each column");
    if (length + json.length > RECOVERED_CHARACTERS) await flush();
    chunk.push(json);
    length += json.length;
  }
  await flush();
}

/**
 * Settings get versions, and changes numbers, above all that partitions, ledgers and reports know: what was
 * recovered is the newest there is. Jobs that went on are paused, in a later epoch than any their ledgers know: one
 * of them may have been cancelled.
 */
async function raiseAll({ directory }: RecoveryDeps): Promise<void> {
  await select(directory, [
    `INSERT INTO settings_changes (merchant, change)
     VALUES (${GLOBAL_MERCHANT}, (SELECT coalesce(max(change), 0) + ${RECOVERED_STEP} FROM settings_changes))
     ON CONFLICT (merchant) DO UPDATE SET change = excluded.change`,
  ]);
  const last = await lastMerchantNumber(directory);
  for (let from = 0; from <= last; from += RECOVERED_MERCHANTS)
    await select(directory, [
      `UPDATE merchants SET version = version + ${RECOVERED_STEP} WHERE number >= ? AND number < ?`,
      from,
      from + RECOVERED_MERCHANTS,
    ]);
  await select(directory, [
    `UPDATE replay_jobs SET state = 'paused', epoch = epoch + ${RECOVERED_STEP} WHERE state IN ('running', 'paused')`,
  ]);
}
