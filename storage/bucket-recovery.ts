// Makes a deployment whole again after the bucket was lost, once objects of a second copy were put back, or where there
// is none. What is in databases and not in the bucket is written there again: claims of numbers, records of erasures,
// imported rollups. Each closed Day is compared with what lies in the bucket. Days whose files are not as the ledger
// knows them are put in doubt, and so is each open Day: the seal looks at them before it writes anything
// (ledger/doubt.ts). What came back and should be gone goes again. It goes in steps, each a request of some seconds.
// Every step may be repeated, and whoever dies begins anew.

import { decodeManifest } from "../core/archive/manifest.ts";
import { dayPrefix, derivedTableKey, manifestKey, parseBundleKey, sealedPrefix } from "../core/archive/object-key.ts";
import { closesAt, firstOpenDay } from "../core/counting/closed.ts";
import { ledgerOf } from "../core/counting/ledger-placement.ts";
import {
  CONNECTIONS_MAX,
  IMPORTED_COPY_BYTES,
  RECOVERED_CLAIMS,
  RECOVERED_GONE,
  RECOVERED_IMPORTERS,
  RECOVERED_PLACES,
} from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import { DAY_MS, dateOf, parseDate } from "../core/time.ts";
import { type Archive, listKeys, readObject } from "./archive/bucket.ts";
import { putImported } from "./archive/imported-file.ts";
import type { Directory } from "./directory/directory.ts";
import { noteTakenAgain } from "./directory/gone.ts";
import { lastMerchantNumber } from "./directory/merchants.ts";
import {
  type Claims,
  claimKnown,
  erasuresOf,
  importsOf,
  MERCHANTS,
  type Numbered,
  rulesOf,
  streamsOf,
} from "./directory/number-claim.ts";
import {
  cleanAgain,
  doubtDays,
  doubtOpenDays,
  endMerchantsAgain,
  type KnownDay,
  listKnownDays,
} from "./ledger/doubt.ts";
import { lastErasureNumber } from "./ledger/erasure.ts";
import { recordMissing } from "./ledger/erasure-record.ts";
import { listImportedTables, listImporters, readImported, unpackImported } from "./ledger/imported.ts";
import type { Ledger, Ledgers } from "./ledger/ledgers.ts";
import { listFiledPartitions, recoverFiles } from "./ledger/month-recovery.ts";
import { select } from "./statement.ts";

export interface BucketRecoveryDeps extends Archive {
  readonly directory: Directory;
  readonly ledgers: Ledgers;
  readonly claims: Claims;
  /** All partitions of the deployment. */
  readonly partitions: () => Promise<readonly string[]>;
  /** UTC ms. */
  readonly now: () => number;
  readonly pace: { readonly sealAfterMs: number };
  readonly log: Log;
}

/** How far a recovery is. Its JSON goes to whoever asks for the next step, and comes back. */
export type BucketStep =
  | { readonly phase: "claims"; readonly of: string; readonly after: number }
  | { readonly phase: "gone"; readonly after: number }
  | { readonly phase: "days"; readonly ledger: number; readonly day: number; readonly partition: string }
  | { readonly phase: "imports"; readonly ledger: number; readonly after: number }
  | { readonly phase: "end" };

/** What a step has done. */
export interface BucketFound {
  /** Numbers that had no claim. */
  readonly claims: number;
  /** Records of erasures and of what was revoked, and parts of imported rollups, that were written again. */
  readonly records: number;
  readonly imports: number;
  /** (Day, partition)s that were looked at; those that are in doubt; those of which something is deleted again. */
  readonly days: number;
  readonly doubted: number;
  readonly cleaned: number;
  /** Month files that are gone: numbers that lay in them are counted from events, where these are all there. */
  readonly months: number;
}

export interface BucketStepDone extends BucketFound {
  /** Null at the end: then a new backup is to be made. */
  readonly next: BucketStep | null;
}

const NOTHING: BucketFound = { claims: 0, records: 0, imports: 0, days: 0, doubted: 0, cleaned: 0, months: 0 };

/** Numbers of which a merchant, or the deployment, has many: where their highest one stands in the directory. */
const CLAIMED: readonly {
  readonly of: string;
  readonly column: string;
  readonly numbered: (one: number) => Numbered;
}[] = [
  { of: "streams", column: "number", numbered: streamsOf },
  { of: "imports", column: "number", numbered: importsOf },
  { of: "rule_versions", column: "version", numbered: rulesOf },
];

/**
 * Does one step, the first one where none is given. `copiedAt` is when the copying began that was put back (UTC ms):
 * what came later may be missing. Without it all may be.
 */
export async function recoverBucket(
  step: BucketStep | undefined,
  copiedAt: number | undefined,
  deps: BucketRecoveryDeps,
): Promise<BucketStepDone> {
  if (step === undefined) return claimFirst(deps);
  if (step.phase === "claims") return claimSome(step, deps);
  if (step.phase === "gone") return noteGone(step, copiedAt, deps);
  if (step.phase === "days") return lookAtDays(step, copiedAt, deps);
  if (step.phase === "imports") return putImports(step, copiedAt, deps);
  return { ...NOTHING, next: null };
}

async function claimFirst(deps: BucketRecoveryDeps): Promise<BucketStepDone> {
  let claims = 0;
  if (await claimKnown(MERCHANTS, await lastMerchantNumber(deps.directory), deps.claims)) claims += 1;
  for (const [position, ledger] of deps.ledgers.all.entries())
    if (await claimKnown(erasuresOf(position), await lastErasureNumber(ledger), deps.claims)) claims += 1;
  return { ...NOTHING, claims, next: { phase: "claims", of: CLAIMED[0]?.of ?? "", after: -1 } };
}

/** The first number of each kind needs no claim where only one was ever given: the next one is above it anyway. */
async function claimSome(
  { of, after }: Extract<BucketStep, { phase: "claims" }>,
  deps: BucketRecoveryDeps,
): Promise<BucketStepDone> {
  const at = CLAIMED.findIndex((one) => one.of === of);
  const { column, numbered } = CLAIMED[at] as (typeof CLAIMED)[number];
  const text = `SELECT merchant, max("${column}") AS known FROM "${of}" WHERE merchant > ?1 GROUP BY merchant
    HAVING known > ${of === "streams" ? 1 : 0} ORDER BY merchant LIMIT ?2`;
  const rows = await select<{ readonly merchant: number; readonly known: number }>(deps.directory, [
    text,
    after,
    RECOVERED_CLAIMS,
  ]);
  let claims = 0;
  await eachOf(rows, async ({ merchant, known }) => {
    if (await claimKnown(numbered(merchant), known, deps.claims)) claims += 1;
  });
  const following = CLAIMED[at + 1]?.of;
  const last = rows.at(-1)?.merchant;
  const next: BucketStep =
    rows.length === RECOVERED_CLAIMS && last !== undefined
      ? { phase: "claims", of, after: last }
      : following !== undefined
        ? { phase: "claims", of: following, after: -1 }
        : { phase: "gone", after: 0 };
  return { ...NOTHING, claims, next };
}

/** What was taken away since the copying began is noted again: no backup of before may let anybody in. */
async function noteGone(
  { after }: Extract<BucketStep, { phase: "gone" }>,
  copiedAt: number | undefined,
  deps: BucketRecoveryDeps,
): Promise<BucketStepDone> {
  const { noted, next } = await noteTakenAgain({ since: copiedAt ?? 0, after, rowsMax: RECOVERED_GONE }, deps);
  return { ...NOTHING, records: noted, next: next === undefined ? firstOfLedger(0) : { phase: "gone", after: next } };
}

function firstOfLedger(ledger: number): BucketStep {
  return { phase: "days", ledger, day: -1, partition: "" };
}

async function lookAtDays(
  { ledger: position, day, partition }: Extract<BucketStep, { phase: "days" }>,
  copiedAt: number | undefined,
  deps: BucketRecoveryDeps,
): Promise<BucketStepDone> {
  const ledger = deps.ledgers.all[position] as Ledger;
  const isFirst = partition === "";
  if (isFirst) await doubtOpen(position, deps);
  const rows = await listKnownDays(ledger, { after: { day, partition }, rowsMax: RECOVERED_PLACES });
  const open = firstOpenDay(deps.now(), deps.pace.sealAfterMs);
  const closed = rows.filter((row) => row.day < open);
  const [doubted, cleaned]: [KnownDay[], KnownDay[]] = [[], []];
  await eachOf(closed, async (row) => {
    const found = await lookAtDay(row, copiedAt, deps);
    if (found === "doubt") doubted.push(row);
    if (found === "clean") cleaned.push(row);
  });
  await doubtDays(ledger, { places: doubted, now: deps.now() });
  await cleanAgain(ledger, { places: cleaned, now: deps.now() });
  const found = { ...NOTHING, days: closed.length, doubted: doubted.length, cleaned: cleaned.length };
  const last = rows.at(-1);
  if (rows.length === RECOVERED_PLACES && last !== undefined)
    return { ...found, next: { phase: "days", ledger: position, day: last.day, partition: last.partition } };
  const records = (await recordMissing(position, ledger, deps)) + (await endMerchantsAgain(ledger));
  const months = await recoverMonths(position, deps);
  return { ...found, records, months, next: { phase: "imports", ledger: position, after: -1 } };
}

/** Whether a closed Day is as its ledger knows it, or has what should be gone. */
async function lookAtDay(
  { day, partition, generation, folder, lateAt, cleanAt }: KnownDay,
  copiedAt: number | undefined,
  deps: BucketRecoveryDeps,
): Promise<"whole" | "doubt" | "clean"> {
  if (generation === 0 || folder === "") return "doubt";
  // Late bundles beside the files: nothing says which there were.
  if (lateAt !== null && lateAt >= (copiedAt ?? 0)) return "doubt";
  const place = { date: dateOf(day), partition };
  const sealed = new Map((await listKeys(deps, sealedPrefix(place))).map(({ key, size }) => [key, size]));
  const bytes = sealed.has(manifestKey(folder)) ? await readObject(deps, manifestKey(folder)) : undefined;
  if (bytes === undefined) return "doubt";
  const { files, before } = decodeManifest(new TextDecoder().decode(bytes));
  const objects = files.flatMap(({ derived, ...file }) => (derived === undefined ? [file] : [file, derived]));
  if (objects.some(({ key, bytes }) => sealed.get(key) !== bytes)) return "doubt";
  if (cleanAt !== null) return "whole"; // what it stands for is deleted when that is due
  const kept = new Set([manifestKey(folder), derivedTableKey(folder), ...objects.map(({ key }) => key)]);
  if ([...sealed.keys()].some((key) => !kept.has(key))) return "clean";
  const bundles = await listKeys(deps, dayPrefix(place));
  return bundles.some(({ key }) => (parseBundleKey(key)?.first ?? before) < before) ? "clean" : "whole";
}

async function doubtOpen(position: number, deps: BucketRecoveryDeps): Promise<void> {
  const all = await deps.partitions();
  const own = all.filter((partition) => ledgerOf(partition, deps.ledgers.all.length) === position);
  const open = firstOpenDay(deps.now(), deps.pace.sealAfterMs);
  const last = Math.floor(deps.now() / DAY_MS) + 1; // it has begun where clocks are ahead of UTC
  const days = Array.from({ length: last - open + 1 }, (_, at) => open + at);
  const places = own.flatMap((partition) =>
    days.map((day) => ({ day, partition, closesAt: closesAt(day, deps.pace.sealAfterMs) })),
  );
  await doubtOpenDays(deps.ledgers.all[position] as Ledger, { places });
}

async function recoverMonths(position: number, deps: BucketRecoveryDeps): Promise<number> {
  const ledger = deps.ledgers.all[position] as Ledger;
  let months = 0;
  for (const partition of await listFiledPartitions(deps, ledger)) {
    if (ledgerOf(partition, deps.ledgers.all.length) !== position) continue;
    const found = await recoverFiles(ledger, { partition, now: deps.now() }, deps);
    deps.log({ event: "month_files_recovered", ledger: position, partition, ...found });
    months += found.lost;
  }
  return months;
}

/** Writes again what was imported since the copying began, as far as the ledger has it. */
async function putImports(
  { ledger: position, after }: Extract<BucketStep, { phase: "imports" }>,
  copiedAt: number | undefined,
  deps: BucketRecoveryDeps,
): Promise<BucketStepDone> {
  const ledger = deps.ledgers.all[position] as Ledger;
  const merchants = await listImporters(ledger, after, RECOVERED_IMPORTERS);
  let imports = 0;
  for (const merchant of merchants) {
    const text = "SELECT number FROM imports WHERE merchant = ? AND created_at >= ?";
    // An import may go on for days.
    const since = copiedAt === undefined ? 0 : copiedAt - 7 * DAY_MS;
    const recent = await select<{ readonly number: number }>(deps.directory, [text, merchant, since]);
    const numbers = new Set(recent.map(({ number }) => number));
    for (const { number, table } of await listImportedTables(ledger, merchant)) {
      if (!numbers.has(number)) continue;
      const read = { merchant, tables: [table], imports: [number], from: 0, to: parseDate("9999-12-31") as number };
      for await (const page of readImported(ledger, read))
        for (const stored of partsOf(page)) {
          const days = new Map(stored.map((one) => [one.day, unpackImported(one).rows]));
          await putImported(deps, { merchant, number, table, days });
          imports += 1;
        }
    }
  }
  const last = merchants.length === RECOVERED_IMPORTERS ? merchants.at(-1) : undefined;
  const isLastLedger = position + 1 >= deps.ledgers.all.length;
  const next: BucketStep =
    last !== undefined
      ? { phase: "imports", ledger: position, after: last }
      : isLastLedger
        ? { phase: "end" }
        : firstOfLedger(position + 1);
  return { ...NOTHING, imports, next };
}

/** Days in a row whose rows fit an object. */
function partsOf<T extends { readonly packed: Uint8Array }>(stored: readonly T[]): readonly (readonly T[])[] {
  const parts: T[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const one of stored) {
    bytes += one.packed.length;
    if (bytes > IMPORTED_COPY_BYTES) {
      parts.push([]);
      bytes = one.packed.length;
    }
    parts.at(-1)?.push(one);
  }
  return parts;
}

async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += CONNECTIONS_MAX)
    await Promise.all(items.slice(start, start + CONNECTIONS_MAX).map(work));
}

/** The step that a text stands for, as `JSON.stringify` wrote it; undefined where it is none. */
export function parseBucketStep(text: string, ledgers: number): BucketStep | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { phase, of, ledger, day, after, partition, ...others } = (value ?? {}) as Record<string, unknown>;
  const isNone = (...fields: readonly unknown[]) => fields.every((field) => field === undefined);
  const isLedger = Number.isInteger(ledger) && (ledger as number) >= 0 && (ledger as number) < ledgers;
  const isStep =
    (phase === "claims" &&
      CLAIMED.some((one) => one.of === of) &&
      Number.isSafeInteger(after) &&
      isNone(ledger, day, partition)) ||
    (phase === "days" &&
      isLedger &&
      Number.isSafeInteger(day) &&
      typeof partition === "string" &&
      partition.length <= PARTITION_LENGTH_MAX &&
      isNone(of, after)) ||
    (phase === "gone" && Number.isSafeInteger(after) && isNone(of, ledger, day, partition)) ||
    (phase === "imports" && isLedger && Number.isSafeInteger(after) && isNone(of, day, partition)) ||
    (phase === "end" && isNone(of, ledger, day, after, partition));
  return isStep && Object.keys(others).length === 0 ? (value as BucketStep) : undefined;
}

/** What fits a key of the archive. */
const PARTITION_LENGTH_MAX = 100;
