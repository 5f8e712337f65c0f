// Admin requests about Days in the archive: which Days are open, closed, sealed, late or in doubt; a request to seal
// some of them now; and which files have the events of a Day.

import type { Context } from "hono";
import { manifestKey } from "../../core/archive/object-key.ts";
import { firstOpenDay } from "../../core/counting/closed.ts";
import { ADMIN_PAGE_MAX, REPLAY_DAYS_MAX, SEAL_ATTEMPTS_DOUBTFUL } from "../../core/limits.ts";
import { dateOf } from "../../core/time.ts";
import { findDay, listPartitions } from "../../storage/archive/archive-day.ts";
import { archiveOf } from "../../storage/archive/bucket.ts";
import { askEach, type Ledger } from "../../storage/ledger/ledgers.ts";
import { findSeal, hurryClosed, listSeals, type SealRow } from "../../storage/ledger/sealed-day.ts";
import { noteDay } from "../../storage/seal-due.ts";
import { encodeDayCursor, parseDayCursor } from "./day-cursor.ts";
import type { Deps } from "./deps.ts";
import { CURSOR, DATE, PARTITION, required, wholeNumber } from "./field.ts";
import { type Checked, problem } from "./problem.ts";
import { bodyOf, parametersOf, type Reply } from "./request.ts";

export const DAYS = { from: required(DATE), to: required(DATE) };
export const FILES = { date: required(DATE), partition: PARTITION };
export const DAYS_PAGE = { ...DAYS, after: CURSOR, limit: wholeNumber(1, ADMIN_PAGE_MAX) };

/** GET /api/v1/archive/days?from&to&after&limit: one entry per (Day, partition), by ledger and date. */
export async function getArchiveDays(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const page = parametersOf(c, DAYS_PAGE);
  if (!page.ok) return page;
  const { from, to, after, limit = ADMIN_PAGE_MAX } = page.value;
  const wrong = wrongRange(from, to);
  if (wrong !== undefined) return wrong;
  const cursor = after === undefined ? undefined : parseDayCursor(after);
  if (after !== undefined && cursor === undefined)
    return problem("invalid_field", 'after must be the "next" of the page before.', "after");
  const open = Math.max(from, firstOpenDay(deps.now(), deps.pace.sealAfterMs));
  // An open Day has a row where it was put in doubt.
  const closed = await listClosed({ from, to: Math.min(to + 1, open), after: cursor, rowsMax: limit }, deps);
  const last = closed.at(-1);
  if (closed.length === limit && last !== undefined) {
    const next = encodeDayCursor(last);
    return { ok: true, value: { body: { days: closed.map(shown), next } } };
  }
  // Open Days have no row in the ledger. Their list comes from the archive itself. There are three or four of them at a
  // time.
  const days: object[] = closed.map(shown);
  for (let day = open; day <= Math.min(to, open + 4); day++) {
    const partitions = await listPartitions(archiveOf(deps), dateOf(day));
    days.push(...partitions.map((partition) => ({ date: dateOf(day), partition, state: "open" })));
  }
  return { ok: true, value: { body: { days, next: null } } };
}

/**
 * A page of closed Days: those of the first ledger by date, then those of the next ledger. The partition of a row
 * decides its ledger.
 */
async function listClosed(
  { from, to, after, rowsMax }: Parameters<typeof listSeals>[1],
  { ledgers }: Deps,
): Promise<readonly SealRow[]> {
  const rows: SealRow[] = [];
  const first = after === undefined ? 0 : ledgers.all.indexOf(ledgers.of(after.partition));
  for (let position = first; position < ledgers.all.length && rows.length < rowsMax; position++) {
    const range = { from, to, after: position === first ? after : undefined, rowsMax: rowsMax - rows.length };
    rows.push(...(await listSeals(ledgers.all[position] as Ledger, range)));
  }
  return rows;
}

/**
 * POST /api/v1/archive/seal {"from","to"}: seals closed Days at once, those that the cron has not found yet and those
 * that wait for another try.
 */
export async function postSeal(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const body = await bodyOf(c, DAYS);
  if (!body.ok) return body;
  const { from, to } = body.value;
  const wrong = wrongRange(from, to);
  if (wrong !== undefined) return wrong;
  const open = firstOpenDay(deps.now(), deps.pace.sealAfterMs);
  if (to >= open) {
    return problem("conflict", `${dateOf(to)} is still open; the last closed Day is ${dateOf(open - 1)}.`, "to");
  }
  const notes = { ...deps, ...archiveOf(deps) };
  let found = 0;
  for (let day = from; day <= to; day++) found += await noteDay(day, notes);
  const hurried = await askEach(deps.ledgers, (ledger) => hurryClosed(ledger, { from, to: to + 1, now: deps.now() }));
  const sent = hurried.flat();
  await deps.sendSeals(sent, 0);
  return { ok: true, value: { status: 202, body: { found, sent: sent.length } } };
}

/**
 * GET /api/v1/archive/files?date&partition: the objects that together have every archived event of a (Day, partition)
 * once. They are the files of the current generation, and bundles whose events are in none of these files.
 */
export async function getArchiveFiles(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const asked = parametersOf(c, FILES);
  if (!asked.ok) return asked;
  const { date: day, partition } = asked.value;
  const place = { date: dateOf(day), partition };
  const row = await findSeal(deps.ledgers.of(partition), { day, partition });
  const folder = row?.folder ?? "";
  const { manifest, bundles } = await findDay(archiveOf(deps), place, folder);
  const body = {
    ...place,
    generation: row?.generation ?? 0,
    manifest: manifest === undefined ? null : manifestKey(folder),
    sealed: (manifest?.files ?? []).map(({ key, bytes, rows }) => ({ key, bytes, rows })),
    bundles: bundles.map(({ key, size }) => ({ key, bytes: size })),
  };
  return { ok: true, value: { body } };
}

function wrongRange(from: number, to: number) {
  if (to < from) return problem("invalid_field", "to must not be before from.", "to");
  if (to - from >= REPLAY_DAYS_MAX) return problem("invalid_field", `Ask for at most ${REPLAY_DAYS_MAX} Days.`, "to");
  return undefined;
}

/**
 * "closed": not sealed yet. "sealed". "late": sealed, and later events wait to be counted. "in_doubt": the seal was
 * tried several times and failed; `error` says why.
 */
export function stateOf({ generation, lateSince, attempts }: Pick<SealRow, "generation" | "lateSince" | "attempts">) {
  if (attempts >= SEAL_ATTEMPTS_DOUBTFUL) return "in_doubt";
  if (generation === 0) return "closed";
  return lateSince === null ? "sealed" : "late";
}

function shown(row: SealRow) {
  const instant = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
  return {
    date: dateOf(row.day),
    partition: row.partition,
    state: stateOf(row),
    generation: row.generation,
    folder: row.folder,
    rows: row.rows,
    merchants: row.merchants,
    bytes: row.bytes,
    duplicates: row.duplicates,
    differences: row.differences,
    sealed_at: instant(row.sealedAt),
    late_since: instant(row.lateSince),
    attempts: row.attempts,
    error: row.error,
    lost_merchants: row.lost,
  };
}
