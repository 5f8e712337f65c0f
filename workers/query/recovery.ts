// Admin requests about lost databases: backups of the directory, and recovery of the directory, a ledger, a partition
// or erasures. docs/operate.md says which request mends what. GET /api/v1/doctor says which of them a deployment needs
// (doctor.ts).

import type { Context } from "hono";
import { firstOpenDay } from "../../core/counting/closed.ts";
import { ledgerOf } from "../../core/counting/ledger-placement.ts";
import { ADMIN_FAN_OUT, LEDGERS_MAX, RECOVERED_DAYS, RECOVERED_IMPORT_PARTS } from "../../core/limits.ts";
import { dateOf, parseDate } from "../../core/time.ts";
import { listDates } from "../../storage/archive/archive-day.ts";
import { archiveOf } from "../../storage/archive/bucket.ts";
import { recoverImported } from "../../storage/archive/imported-file.ts";
import { type Backup, instantOf, listBackups, nameOf, rowsOf } from "../../storage/directory/backup.ts";
import type { RecoveryRefusal } from "../../storage/directory/recovery.ts";
import { askAgain } from "../../storage/erasure-drive.ts";
import type { Ledger } from "../../storage/ledger/ledgers.ts";
import { listFiledPartitions, recoverFiles } from "../../storage/ledger/month-recovery.ts";
import { noteForgotten, readClaim, takeOver } from "../../storage/ledger/partition-claim.ts";
import { notePlaces } from "../../storage/ledger/places.ts";
import { wakeSealed } from "../../storage/ledger/sealed-day.ts";
import { giveUpLedger } from "../../storage/open.ts";
import { archivedNext, parseStep, type RecoveryStep, recoverPartition } from "../../storage/partition-recovery.ts";
import { noteDay, sendDue } from "../../storage/seal-due.ts";
import type { Deps } from "./deps.ts";
import { CURSOR, DATE, type Field, PARTITION, required, wholeNumber } from "./field.ts";
import { findPartitions } from "./operations.ts";
import { type Checked, problem } from "./problem.ts";
import { bodyOf, type Reply } from "./request.ts";

const BACKUP: Field<string, false> = {
  required: false,
  expected: "the name of a backup, as GET /api/v1/backups lists it",
  schema: { type: "string", examples: ["2026-11-29T12-00-00-000Z"] },
  parse: (value) => (typeof value === "string" && !Number.isNaN(instantOf(value)) ? value : undefined),
};
export const DIRECTORY_RECOVERY = { backup: BACKUP };
export const LEDGER_RECOVERY = {
  ledger: required(wholeNumber(0, LEDGERS_MAX - 1)),
  from: DATE,
  imports_after: CURSOR,
};

const STEP: Field<RecoveryStep, false> = {
  required: false,
  expected: "what the answer before had as `next`",
  schema: { type: "string" },
  parse: (value) => (typeof value === "string" ? parseStep(value) : undefined),
};
export const PARTITION_RECOVERY = { partition: PARTITION, step: STEP };

/** POST /api/v1/backups: makes a backup of the directory now. */
export async function postBackup(_: Context, deps: Deps): Promise<Checked<Reply>> {
  return { ok: true, value: { status: 201, body: shown(await deps.background.backUpDirectory()) } };
}

/** GET /api/v1/backups: the complete backups, the newest first. */
export async function getBackups(_: Context, deps: Deps): Promise<Checked<Reply>> {
  const names = await listBackups(archiveOf(deps));
  const backups = names.map((backup) => ({ backup, at: new Date(instantOf(backup)).toISOString() }));
  return { ok: true, value: { body: { backups, next: null } } };
}

/** POST /api/v1/recover/directory {"backup"?} */
export async function postDirectoryRecovery(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const body = await bodyOf(c, DIRECTORY_RECOVERY);
  if (!body.ok) return body;
  const recovered = await deps.background.recoverDirectory({ name: body.value.backup });
  if (typeof recovered === "string") return problem("conflict", REFUSALS[recovered], "backup");
  deps.keys.clear();
  const { backup, at, rows, changes, revoked, merchantsUnknown } = recovered;
  const instant = at === null ? null : new Date(at).toISOString();
  return {
    ok: true,
    value: { body: { backup, at: instant, rows, changes, revoked, merchants_unknown: merchantsUnknown } },
  };
}

const REFUSALS: Readonly<Record<RecoveryRefusal, string>> = {
  whole: "The directory is whole: nothing is to be recovered. To go back on purpose, name a backup.",
  no_backup:
    "There is no backup of the directory in R2. Restore the database by D1's Time Travel, then run this again.",
  unknown_backup: "There is no whole backup of this name. GET /api/v1/backups lists them.",
};

/**
 * POST /api/v1/recover/ledger {"ledger","from"?,"imports_after"?}: makes an empty database the ledger. Its closed Days
 * are noted to be counted from the archive, a page of dates at a time. While the answer has a `next`, ask again with
 * that as `from`. Imported rollups are copied from R2, some parts at a time. While the answer has an `imports_next`,
 * ask again with that as `imports_after`. A repeat is harmless.
 */
export async function postLedgerRecovery(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const body = await bodyOf(c, LEDGER_RECOVERY);
  if (!body.ok) return body;
  const { ledger: position, from, imports_after: importsAfter } = body.value;
  const db = deps.unchecked.ledgers[position];
  if (db === undefined)
    return problem("invalid_field", `There are ${deps.unchecked.ledgers.length} ledgers, from 0.`, "ledger");
  if (importsAfter !== undefined) return recoverImports(position, importsAfter, deps);
  const isNew = from === undefined && (await giveUpLedger(deps.directory, { db, position }));
  if (from === undefined) await republishAll(position, deps);
  const open = firstOpenDay(deps.now(), deps.pace.sealAfterMs);
  const days = (await listDates(archiveOf(deps)))
    .map((date) => parseDate(date) ?? open)
    .filter((day) => day >= (from ?? 0) && day < open);
  const some = days.slice(0, RECOVERED_DAYS);
  const ledger = deps.ledgers.all[position] as Ledger;
  if (from === undefined) await recoverMonths(position, deps);
  for (const day of some) {
    await wakeSealed(ledger, { day, now: deps.now() });
    await noteDay(day, { ...deps, ...archiveOf(deps) });
  }
  const next = days[RECOVERED_DAYS];
  // Erasures are started again only when all Days are known, because an erasure wakes the Days that it concerns.
  const erasures = next === undefined ? await askAgain(position, { ...deps, ...archiveOf(deps) }) : 0;
  if (next === undefined) await sendDue(deps);
  const imports = from === undefined ? await importsRecovered(position, "", deps) : NO_IMPORTS;
  const reply = {
    ledger: position,
    new: isNew,
    days: some.length,
    erasures,
    next: next === undefined ? null : dateOf(next),
    ...imports,
  };
  return { ok: true, value: { status: 202, body: reply } };
}

async function recoverImports(position: number, after: string, deps: Deps): Promise<Checked<Reply>> {
  const imports = await importsRecovered(position, after, deps);
  const body = { ledger: position, new: false, days: 0, erasures: 0, next: null, ...imports };
  return { ok: true, value: { status: 202, body } };
}

const NO_IMPORTS = { imported_parts: 0, imports_next: null };

async function importsRecovered(position: number, after: string, deps: Deps) {
  const ledger = deps.ledgers.all[position] as Ledger;
  const isOf = (merchant: number) => deps.ledgers.ofMerchant(merchant) === ledger;
  const some = { isOf, after, partsMax: RECOVERED_IMPORT_PARTS };
  const { parts, next } = await recoverImported(archiveOf(deps), ledger, some);
  return { imported_parts: parts, imports_next: next ?? null };
}

/**
 * The numbers of open Days are now in partitions alone. So every partition publishes them once more, and reports which
 * merchants' events it has.
 */
async function republishAll(position: number, deps: Deps): Promise<void> {
  const ledger = deps.ledgers.all[position] as Ledger;
  const all = await findPartitions(deps);
  const own = all.filter((partition) => ledgerOf(partition, deps.ledgers.all.length) === position);
  const archived = await archivedNext(own, { ...archiveOf(deps), log: deps.log });
  const republish = async (partition: string) => {
    const stub = deps.partition(partition);
    const { nextPosition, recoveredClaim } = await stub.status();
    // The partition's storage was lost as well, and the ledger that would know that is new.
    if ((archived.get(partition) ?? 0) > nextPosition) await noteForgotten(ledger, { partition, now: deps.now() });
    // The ledger was restored to before the partition was recovered, and knows the claim of the storage that was lost.
    else if (recoveredClaim !== null) await takeOver(ledger, { partition, claim: recoveredClaim, now: deps.now() });
    for (const held of await stub.republish()) await notePlaces(ledger, { ...held, partition });
  };
  for (let start = 0; start < own.length; start += ADMIN_FAN_OUT)
    await Promise.all(own.slice(start, start + ADMIN_FAN_OUT).map(republish));
}

/** Notes month files that the ledger does not know, and gives up blocks whose files are gone (BLK-17). */
async function recoverMonths(position: number, deps: Deps): Promise<void> {
  const archive = archiveOf(deps);
  const ledger = deps.ledgers.all[position] as Ledger;
  for (const partition of await listFiledPartitions(archive, ledger)) {
    if (ledgerOf(partition, deps.ledgers.all.length) !== position) continue;
    const found = await recoverFiles(ledger, { partition, now: deps.now() }, archive);
    deps.log({ event: "month_files_recovered", ledger: position, partition, ...found });
  }
}

/**
 * POST /api/v1/recover/partition {"partition","step"?}: recovers a partition whose storage was lost or put back, from
 * the archive and its ledger, a step at a time. While the answer has a `next`, ask again with that as `step`. Without
 * `step` it begins anew, which is harmless at any time.
 */
export async function postPartitionRecovery(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const body = await bodyOf(c, PARTITION_RECOVERY);
  if (!body.ok) return body;
  const { partition, step } = body.value;
  if (!(await isPartition(partition, deps)))
    return problem("not_found", "There is no partition of this name. GET /api/v1/partitions lists them.", "partition");
  const reached = await recoverPartition(partition, step, { ...deps, ...archiveOf(deps) });
  if (reached === "superseded")
    return problem(
      "conflict",
      "Another recovery of this partition has begun since, or it has ended: begin anew.",
      "step",
    );
  if ("phase" in reached) {
    const counted = reached.phase === "count" ? reached.counted : 0;
    return { ok: true, value: { status: 202, body: { partition, counted, next: JSON.stringify(reached) } } };
  }
  const { counted, kept, archivedPosition, archivedAt, known, first } = reached;
  const shownEnd = {
    partition,
    counted,
    next: null,
    kept,
    archived_position: archivedPosition,
    archived_at: archivedAt === 0 ? null : new Date(archivedAt).toISOString(),
    known_position: known,
    first_position: first,
  };
  return { ok: true, value: { status: 202, body: shownEnd } };
}

/** Whether a name belongs to a partition of today, or to one that ever reported. */
async function isPartition(name: string, deps: Deps): Promise<boolean> {
  if ((await findPartitions(deps)).includes(name)) return true;
  return (await readClaim(deps.ledgers.of(name), name)) !== undefined;
}

/** POST /api/v1/recover/erasures: starts erasures again that no ledger knows any more. */
export async function postErasureRecovery(_: Context, deps: Deps): Promise<Checked<Reply>> {
  let erasures = 0;
  for (let position = 0; position < deps.ledgers.all.length; position++)
    erasures += await askAgain(position, { ...deps, ...archiveOf(deps) });
  await sendDue(deps);
  return { ok: true, value: { status: 202, body: { erasures } } };
}

function shown({ at, parts }: Backup) {
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  return { backup: nameOf(at), at: new Date(at).toISOString(), rows: rowsOf(parts), bytes };
}
