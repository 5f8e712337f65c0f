// Admin requests about imports. An imported file has a number, and each of its events has that number too
// (core/event.ts). An import can be followed, paused, undone as a whole and redone. An undo is a replay after which the
// import no longer counts on its Days (core/rules.ts). The archive stays as it is, and a redo takes the undo back. The
// sender of the file says how much of it was sent; only the replays say whether it counts. An import of rollups has
// rows instead of events (imported-rows.ts), and is undone by a mark.

import type { Context } from "hono";
import { firstOpenDay } from "../../core/counting/closed.ts";
import { partitionsOf } from "../../core/counting/placement.ts";
import { isObject } from "../../core/formats/field.ts";
import { type AnnouncedTables, IMPORTED_TABLE_NAMES, IMPORTED_TABLES } from "../../core/imported/table.ts";
import {
  ADMIN_PAGE_MAX,
  IMPORT_DAYS_MAX,
  IMPORT_NUMBER_MAX,
  IMPORT_TALLY_MAX,
  IMPORTED_IMPORT_ROWS_MAX,
  IMPORTED_IMPORTS_MAX,
  IMPORTS_A_DAY_MAX,
  NAME_LENGTH_MAX,
  QUESTION_DAY_MAX,
  REPLAY_DAYS_MAX,
  REPLAY_PARTS_MAX,
  REPLAYS_A_DAY_MAX,
  REPLAYS_OF_MERCHANT_MAX,
} from "../../core/limits.ts";
import { runsOf } from "../../core/query/imported.ts";
import { DAY_MS, dateOf, parseDate } from "../../core/time.ts";
import { archiveOf } from "../../storage/archive/bucket.ts";
import {
  countImports,
  countRollupImports,
  createImport,
  findImport,
  type Import,
  type ImportHead,
  lastImportNumber,
  listAlike,
  listImports,
  noteImport,
} from "../../storage/directory/imports.ts";
import type { Merchant } from "../../storage/directory/merchants.ts";
import { importsOf } from "../../storage/directory/number-claim.ts";
import { countJobs, listImportJobs, type ReplayJob } from "../../storage/directory/replay-job.ts";
import { IMPORT_STATES, type ImportPlace } from "../../storage/directory/schema.ts";
import { readSettingsOf } from "../../storage/directory/settings.ts";
import { countImported } from "../../storage/ledger/imported.ts";
import { changeJob } from "../../storage/replay.ts";
import { driveJob } from "../../storage/replay-drive.ts";
import type { Deps } from "./deps.ts";
import { readCountedDays } from "./execute.ts";
import { type Field, NAME, oneOf, required, wholeNumber } from "./field.ts";
import { merchantOf } from "./merchants.ts";
import { newNumber } from "./new-number.ts";
import { type Checked, problem } from "./problem.ts";
import { type StartDeps, startReplay, takenBack } from "./replay-start.ts";
import { bodyOf, parametersOf, type Reply } from "./request.ts";

const DIGEST: Field<string, false> = {
  required: false,
  expected: "16 to 64 hexadecimal digits",
  schema: { type: "string", pattern: "^[0-9a-f]{16,64}$" },
  parse: (value) => (typeof value === "string" && /^[0-9a-f]{16,64}$/.test(value) ? value : undefined),
};
const DAYS: Field<Readonly<Record<string, number>>, false> = {
  required: false,
  expected: `an object of 1 to ${IMPORT_DAYS_MAX} dates in the merchant's zone with the events of each, such as {"2026-11-21": 12}`,
  schema: { type: "object", additionalProperties: { type: "integer", minimum: 0 } },
  parse: (value) => {
    if (!isObject(value)) return undefined;
    const days = Object.entries(value).map(([date, events]) => [parseDate(date), events] as const);
    const areDays = days.every(([day, events]) => day !== undefined && day < QUESTION_DAY_MAX && isCount(events));
    if (days.length === 0 || days.length > IMPORT_DAYS_MAX || !areDays) return undefined;
    return Object.fromEntries(days) as Readonly<Record<string, number>>;
  },
  hidden: true, // thousands of numbers, which the import itself shows
};
const TABLES: Field<AnnouncedTables, false> = {
  required: false,
  expected: `an object of ${IMPORTED_TABLE_NAMES.join(", ")} with {"rows", "counters"} each: how many rows come, and which of the table's counters they know, each once`,
  schema: {
    type: "object",
    propertyNames: { enum: IMPORTED_TABLE_NAMES },
    additionalProperties: {
      type: "object",
      properties: {
        rows: { type: "integer", minimum: 1 },
        counters: { type: "array", items: { type: "string" }, minItems: 1, uniqueItems: true },
      },
      required: ["rows", "counters"],
    },
    minProperties: 1,
  },
  parse: (value) => {
    if (!isObject(value)) return undefined;
    const tables = Object.entries(value);
    const isTable = ([name, said]: [string, unknown]) => {
      const table = IMPORTED_TABLES.find((one) => one.name === name);
      if (table === undefined || !isObject(said) || Object.keys(said).length !== 2) return false;
      const { rows, counters } = said;
      if (!isCount(rows) || rows === 0 || !Array.isArray(counters) || counters.length === 0) return false;
      const isEachOnce = new Set(counters).size === counters.length;
      return (
        isEachOnce && (counters as readonly unknown[]).every((one) => table.counters.some((known) => known === one))
      );
    };
    return tables.length > 0 && tables.every(isTable) ? (value as AnnouncedTables) : undefined;
  },
};
const PLACE: Field<Extract<ImportPlace, { line: number }>, false> = {
  required: false,
  expected: '{"line", "chain"}: rows that are settled, and the digest of them',
  schema: {
    type: "object",
    properties: { line: { type: "integer", minimum: 0 }, chain: { type: "string" } },
    required: ["line", "chain"],
  },
  parse: (value) => {
    if (!isObject(value)) return undefined;
    const { line, chain } = value;
    if (!isCount(line) || typeof chain !== "string" || chain.length > NAME_LENGTH_MAX) return undefined;
    return { line, chain };
  },
};
const TALLY: Field<Readonly<Record<string, number>>, false> = {
  required: false,
  expected: `an object of at most ${IMPORT_TALLY_MAX} counts, such as {"rows": 10, "accepted": 9, "skipped: asset": 1}`,
  schema: { type: "object", additionalProperties: { type: "integer", minimum: 0 } },
  parse: (value) => {
    if (!isObject(value) || Object.keys(value).length > IMPORT_TALLY_MAX) return undefined;
    const areCounts = Object.entries(value).every(([name, count]) => name.length <= NAME_LENGTH_MAX && isCount(count));
    return areCounts ? (value as Readonly<Record<string, number>>) : undefined;
  },
};

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

export const NEW_IMPORT = {
  name: required(NAME),
  source: required(NAME),
  digest: required(DIGEST),
  head: required(DIGEST),
  reading: required(DIGEST),
  days: required(DAYS),
  tables: TABLES,
};
export const IMPORT_CHANGE = { state: oneOf(IMPORT_STATES), place: PLACE, tally: TALLY };
export const IMPORT_PAGE = {
  limit: wholeNumber(1, ADMIN_PAGE_MAX),
  after: wholeNumber(0, IMPORT_NUMBER_MAX),
  head: DIGEST,
};

/**
 * POST /api/v1/merchants/:id/imports: 201 with a number for a new file. 200 with the existing import of a file that was
 * sent before.
 */
export async function postImport(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const body = await bodyOf(c, NEW_IMPORT);
  if (!body.ok) return body;
  const { number: own } = merchant.value;
  const standing = await standingAlike(own, body.value.head, deps);
  const known = standing.all.find(({ row }) => row.digest === body.value.digest && row.reading === body.value.reading);
  if (known !== undefined) return { ok: true, value: { body: await shownWhole(known, deps) } };
  const other = standing.all.find(({ row }) => row.digest === body.value.digest);
  if (other !== undefined) {
    const why = `Import ${other.row.number} has brought this file already, read with other options`;
    return problem("conflict", `${why}: undo it first, and then its rows may come again.`, "reading");
  }
  const today = await countImports(deps.directory, { merchant: own, since: deps.now() - DAY_MS });
  if (today >= IMPORTS_A_DAY_MAX)
    return problem("conflict", `A merchant begins at most ${IMPORTS_A_DAY_MAX} imports in 24 hours: go on tomorrow.`);
  const { tables } = body.value;
  const refusal = tables && (await refusalOfRollups(own, tables, deps));
  if (refusal !== undefined) return refusal;
  const claimed = await newNumber(importsOf(own), () => lastImportNumber(deps.directory, own), deps);
  if (!claimed.ok) return claimed;
  const number = claimed.value;
  // Ids name rows. The ids of a file that was undone are taken. So the same rows get other ids when they are sent
  // again.
  const idSuffix = standing.all[0]?.row.idSuffix ?? (standing.hasUndone ? `-${number}` : "");
  const days = daysOf(body.value);
  const row: Import = {
    ...body.value,
    firstDay: days[0] as number,
    lastDay: days.at(-1) as number,
    events: Object.values(body.value.days).reduce((sum, events) => sum + events, 0),
    merchant: own,
    number,
    idSuffix,
    state: "running",
    place: null,
    tally: {},
    createdAt: deps.now(),
    finishedAt: null,
    tables: tables ?? null,
    undone: false,
  };
  await createImport(deps.directory, row);
  return { ok: true, value: { status: 201, body: shown({ row, jobs: [], isLeft: false }) } };
}

async function refusalOfRollups(merchant: number, tables: AnnouncedTables, deps: Deps) {
  if (Object.values(tables).reduce((sum, { rows }) => sum + rows, 0) > IMPORTED_IMPORT_ROWS_MAX)
    return problem("invalid_field", `An import of rollups has at most ${IMPORTED_IMPORT_ROWS_MAX} rows.`, "tables");
  if ((await countRollupImports(deps.directory, merchant)) >= IMPORTED_IMPORTS_MAX)
    return problem("conflict", `A merchant has at most ${IMPORTED_IMPORTS_MAX} imports of rollups.`);
  return undefined;
}

/**
 * GET /api/v1/merchants/:id/imports?limit&after&head: the newest first, without their Days. With `head` only those of
 * files that begin so.
 */
export async function getImports(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const page = parametersOf(c, IMPORT_PAGE);
  if (!page.ok) return page;
  const { limit: rowsMax = ADMIN_PAGE_MAX, after: before = IMPORT_NUMBER_MAX + 1, head } = page.value;
  const rows = await listImports(deps.directory, { merchant: merchant.value.number, before, head, rowsMax });
  const jobs = await listImportJobs(deps.directory, merchant.value.number);
  const next = rows.length < rowsMax ? null : String(rows.at(-1)?.number);
  const imports = rows.map((row) => shownHead(headWithJobs(row, jobs)));
  return { ok: true, value: { body: { imports, next } } };
}

/** GET /api/v1/merchants/:id/imports/:number */
export async function getImport(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const found = await importOf(c, deps);
  if (!found.ok) return found;
  const { row } = found.value;
  const body = shown(found.value);
  if (row.tables === null) return { ok: true, value: { body } };
  return { ok: true, value: { body: { ...body, days_left_out: await leftOutOf(row, merchant.value, deps) } } };
}

/**
 * Days of an import of rollups that questions do not read from it: Footfall has counted them itself, or an earlier
 * import has them.
 */
async function leftOutOf(row: Import, merchant: Merchant, deps: Deps) {
  const days = daysOf(row);
  const earlier = merchant.imported.filter(({ number }) => number < row.number);
  const counted = await readCountedDays(days, merchant, deps);
  const isImported = (day: number) => earlier.some(({ from, to }) => from <= day && day <= to);
  return {
    counted: counted === undefined ? null : runsOf(counted),
    imported: runsOf(days.filter((day) => counted?.has(day) !== true && isImported(day))),
  };
}

/**
 * PATCH /api/v1/merchants/:id/imports/:number {"state"?,"place"?,"tally"?}: how much was sent. If somebody else sets
 * the state to "paused", the sender reads that in the answer and stops.
 */
export async function patchImport(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const body = await bodyOf(c, IMPORT_CHANGE);
  if (!body.ok) return body;
  const found = await importOf(c, deps);
  if (!found.ok) return found;
  const { state, place, tally } = body.value;
  const refusal = await refusalOfChange(found.value, { state, place }, deps);
  if (refusal !== undefined) return refusal;
  const changes = {
    ...(state !== undefined && { state, finishedAt: state === "done" ? deps.now() : null }),
    ...(place !== undefined && { place }),
    ...(tally !== undefined && { tally }),
  };
  const { merchant: own, number } = found.value.row;
  const isChange = Object.keys(changes).length > 0;
  const row = isChange ? await noteImport(deps.directory, { merchant: own, number, ...changes }) : found.value.row;
  if (found.value.row.tables !== null) deps.keys.clear();
  return row === undefined ? NO_IMPORT : { ok: true, value: { body: shown({ ...found.value, row }) } };
}

/**
 * Why a change of an import of rollups is refused. Only its rows say how much was sent. It is not done without all of
 * them, and once it is done it stays done.
 */
async function refusalOfChange(
  { row: { merchant, number, tables, undone, state: known } }: Known,
  { state, place }: { readonly state: Import["state"] | undefined; readonly place: unknown },
  deps: Deps,
) {
  if (tables === null) return undefined;
  if (undone) return problem("conflict", UNDONE);
  if (place !== undefined) return problem("invalid_field", "The place of rollups is that of their rows.", "place");
  if (known === "done" && state !== undefined && state !== "done")
    return problem("conflict", "The import is done: undo takes it out of answers, and redo brings it back.", "state");
  if (state !== "done") return undefined;
  const stored = await countImported(deps.ledgers.ofMerchant(merchant), { merchant, number });
  const lacking = Object.entries(tables).find(([name, { rows }]) => stored.get(name) !== rows);
  if (lacking === undefined) return undefined;
  const [name, { rows }] = lacking;
  const why = `The table ${name} has ${rows} rows, of which ${stored.get(name) ?? 0} are stored`;
  return problem("conflict", `${why}: send the others first.`, "state");
}

/** POST /api/v1/merchants/:id/imports/:number/undo: 202. Its events no longer count once its replays are done. */
export async function postImportUndo(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const found = await importOf(c, deps);
  if (!found.ok) return found;
  const state = stateOf(found.value);
  if (found.value.row.tables !== null) return markUndone(found.value.row, true, deps);
  if (state === "redoing") return problem("conflict", "The import is being redone: try again when that has ended.");
  const ranges = await rangesLeft(merchant.value, found.value, deps);
  const open = firstOpenDay(deps.now(), deps.pace.sealAfterMs);
  const last = Math.max(...ranges.map(([, to]) => to)) - 1;
  if (last >= open) {
    const why = `An import is undone on closed Days, and it has events of ${dateOf(last)}`;
    return problem(
      "conflict",
      `${why}: try again from ${new Date((last + 1) * DAY_MS + deps.pace.sealAfterMs).toISOString()} on.`,
    );
  }
  const since = deps.now() - DAY_MS;
  const { active, recent } = await countJobs(deps.directory, { merchant: merchant.value.number, since });
  // To its merchant an undo is one request, so all of its replays are made: 7 for 2,500 Days. They go on two at a time
  // (storage/replay-drive.ts).
  if (ranges.length > 0 && active >= REPLAYS_OF_MERCHANT_MAX)
    return problem("conflict", `${active} replays of this merchant go on: try again when they have ended.`);
  if (recent + ranges.length > REPLAYS_A_DAY_MAX)
    return problem("conflict", `A merchant asks for at most ${REPLAYS_A_DAY_MAX} replays in 24 hours.`);
  for (const [fromDay, toDay] of ranges) {
    const asked = {
      kind: "rebuild",
      rules: "without_import",
      merchants: [merchant.value.number],
      importNumber: found.value.row.number,
      draft: undefined,
      dimensions: undefined,
    } as const;
    const job = await startReplay({ ...asked, fromDay, toDay }, startDepsOf(deps));
    if (!job.ok) return job;
    deps.keys.clear();
  }
  return answerChanged(found.value.row, deps);
}

/** POST /api/v1/merchants/:id/imports/:number/redo: 202; takes the undo back. */
export async function postImportRedo(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const found = await importOf(c, deps);
  if (!found.ok) return found;
  const { row, jobs } = found.value;
  const { all } = await standingAlike(row.merchant, row.head, deps);
  const again = all.find(({ row: one }) => one.number !== row.number && one.idSuffix !== row.idSuffix);
  if (again !== undefined)
    return problem("conflict", `Import ${again.row.number} has brought these rows again: undo it first.`);
  if (row.tables !== null) {
    const newer = all.find(({ row: one }) => one.number !== row.number && one.digest === row.digest);
    if (newer === undefined) return markUndone(row, false, deps);
    return problem("conflict", `Import ${newer.row.number} has brought these rows again: undo it first.`);
  }
  for (const job of jobs) {
    if (job.state === "undone" || job.state === "undoing") continue;
    const verb = job.state === "running" || job.state === "paused" ? "cancel" : "undo";
    const taken = await takenBack(job, verb, startDepsOf(deps));
    if (!(await changeJob(deps, { job, verb, now: deps.now(), taken }))) {
      const why = "Another rebuild of some of its Days is under way or came later";
      return problem("conflict", `${why}: wait for it, or undo it first. GET /api/v1/replays shows them.`);
    }
    deps.keys.clear();
    await driveJob(job.id, startDepsOf(deps));
  }
  return answerChanged(row, deps);
}

/**
 * Marks an import of rollups as undone or not, which takes effect at once. Its rows stay, and answers skip the rows of
 * an undone import.
 */
async function markUndone({ merchant, number }: Import, undone: boolean, deps: Deps): Promise<Checked<Reply>> {
  const row = await noteImport(deps.directory, { merchant, number, undone });
  deps.keys.clear();
  return row === undefined ? NO_IMPORT : answerChanged(row, deps);
}

async function answerChanged(row: Import, deps: Deps): Promise<Checked<Reply>> {
  const jobs = await listImportJobs(deps.directory, row.merchant);
  return { ok: true, value: { status: 202, body: shown(withJobs(row, jobs)) } };
}

function startDepsOf(deps: Deps): StartDeps {
  return { ...deps, ...archiveOf(deps) };
}

/** An import as it is in lists, and the replays that undo it. */
export interface KnownHead {
  readonly row: Omit<Import, "days">;
  readonly jobs: readonly ReplayJob[];
  /** Whether it has Days that no replay undoes, where one undoes others. */
  readonly isLeft: boolean;
}

/** An import, and the replays that undo it. */
export interface Known extends KnownHead {
  readonly row: Import;
}

type ImportJob = ReplayJob & { readonly importNumber: number };

function withJobs(row: Import, all: readonly ImportJob[]): Known {
  const jobs = jobsOf(row, all);
  return { row, jobs, isLeft: leftOf(row, jobs).length > 0 };
}

function headWithJobs({ isLeft, ...row }: ImportHead, all: readonly ImportJob[]): KnownHead {
  return { row, jobs: jobsOf(row, all), isLeft };
}

function jobsOf({ number }: Pick<Import, "number">, all: readonly ImportJob[]): readonly ReplayJob[] {
  return all.filter(({ importNumber }) => importNumber === number);
}

/** The imports that count, of files that begin alike, newest first. Also whether such a file was undone. */
async function standingAlike(
  merchant: number,
  head: string,
  deps: Deps,
): Promise<{ readonly all: readonly KnownHead[]; readonly hasUndone: boolean }> {
  const jobs = await listImportJobs(deps.directory, merchant);
  const alike = (await listAlike(deps.directory, { merchant, head })).map((row) => headWithJobs(row, jobs));
  const isGone = (known: KnownHead) => ["undoing", "undone"].includes(stateOf(known));
  return { all: alike.filter((known) => !isGone(known)), hasUndone: alike.some(isGone) };
}

/** The state that the sender set, unless the import is undone, being undone or being redone. */
export function stateOf({ row, jobs, isLeft }: KnownHead): Import["state"] | "undoing" | "undone" | "redoing" {
  if (row.tables !== null) return row.undone ? "undone" : row.state;
  if (jobs.some(({ state }) => state === "undoing")) return "redoing";
  const undoing = jobs.filter(({ state }) => state !== "undone");
  if (undoing.length === 0) return row.state;
  const isWhole = undoing.every(({ state }) => state === "done") && !isLeft;
  return isWhole ? "undone" : "undoing";
}

/** The Days of the import that no replay undoes. */
function leftOf({ days }: Import, jobs: readonly ReplayJob[]): readonly number[] {
  const undoing = jobs.filter(({ state }) => state !== "undone");
  const isUndone = (day: number) => undoing.some(({ fromDay, toDay }) => fromDay <= day && day < toDay);
  return Object.keys(days)
    .map(Number)
    .filter((day) => !isUndone(day))
    .sort((a, b) => a - b);
}

/**
 * Ranges of Days for replays. Days side by side, or with few Days between them, get one replay. The latest Days come
 * first, because they are sealed last.
 */
async function rangesLeft(
  merchant: Merchant,
  { row, jobs }: Known,
  deps: Deps,
): Promise<readonly (readonly [from: number, to: number])[]> {
  const [settings] = await readSettingsOf(deps.directory, [merchant.number]);
  const partitions = settings === undefined ? 1 : partitionsOf(settings, deps.placement).length;
  // Half of what a replay may have, because partitions of an earlier placement are added.
  const daysMax = Math.max(1, Math.min(REPLAY_DAYS_MAX, Math.floor(REPLAY_PARTS_MAX / 2 / partitions)));
  const left = leftOf(row, jobs);
  const near = rangesOf(left, { daysMax, betweenMax: DAYS_BETWEEN_MAX });
  const ranges = near.length <= RANGES_NEAR_MAX ? near : rangesOf(left, { daysMax, betweenMax: daysMax });
  return ranges.reverse();
}

/**
 * Ranges that cover all of these Days. A range has at most `daysMax` Days, and at most `betweenMax` Days between two of
 * the given ones.
 */
function rangesOf(
  days: readonly number[],
  { daysMax, betweenMax }: { readonly daysMax: number; readonly betweenMax: number },
): [from: number, to: number][] {
  const ranges: [number, number][] = [];
  for (const day of days) {
    const open = ranges.at(-1);
    if (open !== undefined && day - open[1] <= betweenMax && day - open[0] < daysMax) open[1] = day + 1;
    else ranges.push([day, day + 1]);
  }
  return ranges;
}

/** How many Days without events are counted again rather than beginning another replay. */
const DAYS_BETWEEN_MAX = 7;
/**
 * If the Days of an import are so far apart that they need more replays than this, all Days between them are counted
 * again. A merchant may ask for only 50 replays a day, so an import with an event every ten Days could otherwise never
 * be undone.
 */
const RANGES_NEAR_MAX = 10;

export async function importOf(c: Context, deps: Deps): Promise<Checked<Known>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const text = c.req.param("number") ?? "";
  const number = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  const row = await findImport(deps.directory, { merchant: merchant.value.number, number });
  if (row === undefined) return NO_IMPORT;
  return { ok: true, value: withJobs(row, await listImportJobs(deps.directory, row.merchant)) };
}

const UNDONE = "The import was taken back: redo it first.";
const NO_IMPORT = problem("not_found", "The merchant has no import of this number.");

/** The Days of an import, in order. */
export function daysOf({ days }: Pick<Import, "days">): readonly number[] {
  return Object.keys(days)
    .map(Number)
    .sort((a, b) => a - b);
}

/** The same import with its Days. */
async function shownWhole(known: KnownHead, deps: Deps) {
  const row = await findImport(deps.directory, known.row);
  return row === undefined ? shownHead(known) : shown({ ...known, row });
}

export function shown(known: Known) {
  const { row } = known;
  const days = daysOf(row).map((day) => ({ date: dateOf(day), events: row.days[day] as number }));
  return { ...shownHead(known), days };
}

/** An import as a list shows it. */
export function shownHead(known: KnownHead) {
  const { row, jobs } = known;
  return {
    number: row.number,
    name: row.name,
    source: row.source,
    kind: row.tables === null ? "events" : "rollups",
    state: stateOf(known),
    from: dateOf(row.firstDay),
    to: dateOf(row.lastDay),
    events: row.events,
    tally: row.tally,
    id_suffix: row.idSuffix,
    place: row.place,
    tables: row.tables,
    replays: jobs.filter(({ state }) => state !== "undone").map(({ id }) => id),
    created_at: new Date(row.createdAt).toISOString(),
    finished_at: row.finishedAt === null ? null : new Date(row.finishedAt).toISOString(),
  };
}
