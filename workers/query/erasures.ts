// Admin requests about erasure of one visitor, of a range of Days, or of a whole merchant, and about the receipts,
// which stay. A retention setting erases by the same code (merchants.ts).

import type { Context } from "hono";
import { sealName } from "../../core/archive/object-key.ts";
import { firstOpenDay } from "../../core/counting/closed.ts";
import type { Removal } from "../../core/counting/erasure.ts";
import { partitionsOf } from "../../core/counting/placement.ts";
import { readText, TEXT_RULES } from "../../core/formats/field.ts";
import {
  ADMIN_PAGE_MAX,
  ERASURE_PARTS_MAX,
  ERASURES_OF_MERCHANT_MAX,
  FOLDERS_APART_MAX,
  ID_LENGTH_MAX,
  QUESTION_DAY_MAX,
} from "../../core/limits.ts";
import { DAY_MS, dateOf } from "../../core/time.ts";
import { archiveOf } from "../../storage/archive/bucket.ts";
import { erasureId, ID_RANDOM_BYTES } from "../../storage/directory/credential.ts";
import type { Merchant } from "../../storage/directory/merchants.ts";
import { erasuresOf } from "../../storage/directory/number-claim.ts";
import { driveErasure } from "../../storage/erasure-drive.ts";
import {
  countRunning,
  createErasure,
  type Erasure,
  findErasure,
  lastErasureNumber,
  listErasures,
  readReceipt,
  wakeBeyond,
} from "../../storage/ledger/erasure.ts";
import { deleteRecord, putRecord } from "../../storage/ledger/erasure-record.ts";
import { askEach, type Ledger } from "../../storage/ledger/ledgers.ts";
import { listPartitionsOf } from "../../storage/ledger/rollups.ts";
import type { ErasureKind } from "../../storage/ledger/schema.ts";
import { healSettings } from "../../storage/ledger/settings-fence.ts";
import { sendDue } from "../../storage/seal-due.ts";
import { everyVisitorOf, type GivenVisitor, keySeenAt } from "../../storage/visitor-key.ts";
import type { Deps } from "./deps.ts";
import { CURSOR, DATE, type Field, wholeNumber } from "./field.ts";
import { merchantOf } from "./merchants.ts";
import { newNumber } from "./new-number.ts";
import { type Checked, problem } from "./problem.ts";
import { bodyOf, parametersOf, type Reply } from "./request.ts";

const VISITOR_ID: Field<string, false> = {
  required: false,
  expected: `the visitor_id your site or app sends, 1 to ${ID_LENGTH_MAX} characters`,
  schema: { type: ["string", "number"], minLength: 1 },
  // The id is cleaned as the collector cleans it. Otherwise it would be another visitor.
  parse: (value) => {
    const text = readText("visitor_id", value, TEXT_RULES.visitorId);
    return text.ok && text.value !== "" ? text.value : undefined;
  },
  hidden: true, // often an address or a name: the audit log must not keep who wants to be forgotten
};
const VISITOR: Field<string, false> = {
  required: false,
  expected: "a visitor as an export has it, 16 hexadecimal digits",
  schema: { type: "string", pattern: "^[0-9a-f]{16}$" },
  parse: (value) => (typeof value === "string" && /^[0-9a-f]{16}$/.test(value) ? value : undefined),
};
export const NEW_ERASURE = { visitor_id: VISITOR_ID, visitor: VISITOR, from: DATE, to: DATE };
export const ERASURE_PAGE = { limit: wholeNumber(1, ADMIN_PAGE_MAX), after: CURSOR };
/** By how many Days some zone may be ahead of UTC. */
const AHEAD_DAYS = 2;

/**
 * POST /api/v1/merchants/:id/erasures {"visitor_id"} | {"visitor"} | {"from","to"}: 202. A visitor and a range may be
 * combined.
 */
export async function postErasure(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const body = await bodyOf(c, NEW_ERASURE);
  if (!body.ok) return body;
  const { visitor_id, visitor, from, to } = body.value;
  if (visitor_id !== undefined && visitor !== undefined)
    return problem("invalid_field", "Name the visitor by visitor_id or by visitor, not by both.", "visitor");
  if ((from === undefined) !== (to === undefined))
    return problem("missing_field", "A range takes both from and to.", from === undefined ? "from" : "to");
  if (from !== undefined && to !== undefined && to < from)
    return problem("invalid_field", "to must not be before from.", "to");
  // An erasure of future Days would not end before they are over.
  if (from !== undefined && from >= Math.floor(deps.now() / DAY_MS) + AHEAD_DAYS)
    return problem("invalid_field", "from must not be a Day that is still to come.", "from");
  const given = { merchant: merchant.value.number, id: visitor_id ?? "" };
  const [named = "", ...earlier] =
    visitor_id === undefined ? [visitor ?? ""] : await visitorsOf(merchant.value, given, deps);
  if (named === "" && from === undefined) {
    const message =
      "Say what to erase: a visitor, or a range of Days. A whole merchant is DELETE /api/v1/merchants/:id.";
    return problem("missing_field", message, "visitor_id");
  }
  const running = await countRunning(deps.ledgers.ofMerchant(merchant.value.number), merchant.value.number);
  if (running + earlier.length >= ERASURES_OF_MERCHANT_MAX)
    return problem("rate_limited", `At most ${ERASURES_OF_MERCHANT_MAX} erasures of a merchant are under way at once.`);
  const moved = isOfMovedDays(merchant.value, { from, to });
  if (moved !== undefined) return moved;
  const days = { fromDay: from ?? 0, toDay: to === undefined ? QUESTION_DAY_MAX : to + 1 };
  const kind = named === "" ? "days" : "visitor";
  // The same id was another visitor under an earlier key, and yet another one before there were keys. Each of these
  // visitors gets an erasure, with its own receipt.
  for (const one of earlier) {
    const begun = await begin(merchant.value, { kind, visitor: one, ...days }, deps);
    if (!begun.ok) return begun;
  }
  return begin(merchant.value, { kind, visitor: named, ...days }, deps);
}

async function visitorsOf({ createdAt }: Merchant, given: GivenVisitor, deps: Deps): Promise<readonly string[]> {
  const seenAt = await keySeenAt(deps.visitorKeys, deps);
  const since = { createdAt, ...(seenAt !== undefined && { keySeenAt: seenAt }) };
  return everyVisitorOf(deps.visitorKeys, given, since);
}

/**
 * Whether some Days have got another zone. Such Days share files with the Days beside them. Which events of a file to
 * erase would then depend on the zone.
 */
function isOfMovedDays(
  { pastZones: past }: Merchant,
  { from, to }: { readonly from: number | undefined; readonly to: number | undefined },
): ReturnType<typeof problem> | undefined {
  if (from === undefined || to === undefined) return undefined;
  const touched = past.find(({ days }) => days[0] - FOLDERS_APART_MAX <= to && from < days[1] + FOLDERS_APART_MAX);
  if (touched === undefined) return undefined;
  const [first, last] = [dateOf(touched.days[0]), dateOf(touched.days[1] - 1)];
  const remedy = "Undo that replay first, or erase without a range of Days.";
  return problem("conflict", `${first} to ${last} have got the zone ${touched.zone} by a replay. ${remedy}`, "from");
}

/** DELETE /api/v1/merchants/:id: erases everything, from now on. 202 with the address of the receipt. */
export async function deleteMerchant(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  return begin(merchant.value, { kind: "merchant", visitor: "", fromDay: 0, toDay: QUESTION_DAY_MAX }, deps);
}

/** GET /api/v1/merchants/:id/erasures. GET /api/v1/erasures has the erasures of all merchants, also of deleted ones. */
export async function getErasures(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = c.req.param("id") === undefined ? undefined : await merchantOf(c, deps);
  if (merchant?.ok === false) return merchant;
  const page = parametersOf(c, ERASURE_PAGE);
  if (!page.ok) return page;
  const { limit: rowsMax = ADMIN_PAGE_MAX, after } = page.value;
  const from = after === undefined ? FIRST : parseCursor(after);
  if (from === undefined) return problem("invalid_field", 'after must be the "next" of the page before.', "after");
  const { rows, next } = await pageOf(merchant?.value.number, { from, rowsMax }, deps);
  return { ok: true, value: { body: { erasures: rows.map(summaryOf), next } } };
}

/** Where a page begins: its ledger, and the number below which its erasures are. */
interface Cursor {
  readonly position: number;
  readonly before: number;
}

const FIRST: Cursor = { position: 0, before: Number.MAX_SAFE_INTEGER };

/** Parses a cursor such as "2-15": ledger 2, erasures below number 15. */
function parseCursor(text: string): Cursor | undefined {
  const [, position, before] = /^(\d{1,3})-(\d{1,16})$/.exec(text) ?? [];
  return before === undefined ? undefined : { position: Number(position), before: Number(before) };
}

/** A page of erasures, the newest first. Those of all merchants come ledger after ledger. */
async function pageOf(
  merchant: number | undefined,
  { from, rowsMax }: { readonly from: Cursor; readonly rowsMax: number },
  { ledgers }: Deps,
): Promise<{ readonly rows: readonly Erasure[]; readonly next: string | null }> {
  const all = merchant === undefined ? ledgers.all : [ledgers.ofMerchant(merchant)];
  const rows: Erasure[] = [];
  for (let { position, before } = from; position < all.length; position++) {
    const found = await listErasures(all[position] as Ledger, { merchant, before, rowsMax: rowsMax - rows.length });
    rows.push(...found);
    if (rows.length === rowsMax) return { rows, next: `${position}-${rows.at(-1)?.number}` };
    before = Number.MAX_SAFE_INTEGER;
  }
  return { rows, next: null };
}

/** GET /api/v1/merchants/:id/erasures/:erasure_id, or /api/v1/erasures/:erasure_id: the receipt. */
export async function getErasure(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = c.req.param("id") === undefined ? undefined : await merchantOf(c, deps);
  if (merchant?.ok === false) return merchant;
  const all = merchant === undefined ? deps.ledgers.all : [deps.ledgers.ofMerchant(merchant.value.number)];
  const id = c.req.param("erasure_id") ?? "";
  const erasure = (await askEach({ all }, (ledger) => findErasure(ledger, id))).find((one) => one !== undefined);
  if (erasure === undefined || (merchant !== undefined && erasure.merchant !== merchant.value.number))
    return problem("not_found", "There is no erasure with this id.");
  return { ok: true, value: { body: await receiptOf(erasure, deps) } };
}

/** Erases what a shorter retention no longer allows. It holds for the past at once. */
export async function enforceRetention(merchant: Merchant, days: number, deps: Deps): Promise<void> {
  const now = deps.now();
  const beforeDay = Math.floor(now / DAY_MS) - days;
  await wakeBeyond(deps.ledgers.ofMerchant(merchant.number), {
    partitions: await allPartitionsOf(merchant, deps),
    beforeDay,
    now,
  });
  await sendDue(deps);
}

/**
 * All partitions that may have anything of a merchant: those of its present placement, and those of earlier placements.
 */
async function allPartitionsOf({ number: merchant, spread }: Merchant, deps: Deps): Promise<readonly string[]> {
  const counted = await listPartitionsOf(deps.ledgers.ofMerchant(merchant), merchant);
  return [...new Set([...partitionsOf({ merchant, spread }, deps.placement), ...counted])];
}

type Scope = Pick<Removal, "visitor"> & {
  readonly kind: ErasureKind;
  readonly fromDay: number;
  readonly toDay: number;
};

async function begin(found: Merchant, scope: Scope, deps: Deps): Promise<Checked<Reply>> {
  const { number: merchant, version } = found;
  const now = deps.now();
  const open = firstOpenDay(now, deps.pace.sealAfterMs);
  const ahead = Math.floor(now / DAY_MS) + AHEAD_DAYS;
  const openDays = Array.from({ length: Math.max(ahead - open, 0) }, (_, index) => open + index);
  const partitions = await allPartitionsOf(found, deps);
  const id = erasureId(deps.random(ID_RANDOM_BYTES));
  const ledger = deps.ledgers.ofMerchant(merchant);
  const position = deps.ledgers.all.indexOf(ledger);
  const number = await newNumber(erasuresOf(position), () => lastErasureNumber(ledger), deps);
  if (!number.ok) return number;
  const record = { erasure: { number: number.value, id, merchant, createdAt: now, ...scope }, partitions, openDays };
  await putRecord(position, record, deps); // before the ledger has it: its restore does not forget the record
  const erasure = await createErasure(ledger, {
    ...record,
    seenVersion: scope.fromDay > 0 ? version : undefined,
  });
  if (erasure === undefined) {
    await deleteRecord(position, number.value, deps);
    await healSettings(deps, merchant); // a request that changed the settings may have died halfway
    return problem("conflict", "The merchant was changed meanwhile: try again.");
  }
  deps.keys.clear();
  await driveErasure(erasure, { ...deps, ...archiveOf(deps) });
  await sendDue(deps);
  const started = (await findErasure(ledger, id)) ?? erasure;
  return {
    ok: true,
    value: { status: 202, location: `/api/v1/erasures/${id}`, body: await receiptOf(started, deps) },
  };
}

function summaryOf({ id, kind, visitor, fromDay, toDay, state, createdAt, finishedAt }: Erasure) {
  return {
    id,
    kind,
    state,
    visitor: visitor === "" ? null : visitor,
    from: fromDay === 0 ? null : dateOf(fromDay),
    to: toDay === QUESTION_DAY_MAX ? null : dateOf(toDay - 1),
    created_at: new Date(createdAt).toISOString(),
    finished_at: finishedAt === null ? null : new Date(finishedAt).toISOString(),
  };
}

/** An erasure with what it removed on each Day. */
async function receiptOf(erasure: Erasure, deps: Deps): Promise<Record<string, unknown>> {
  const { parts, done, removals } = await readReceipt(
    deps.ledgers.ofMerchant(erasure.merchant),
    erasure,
    ERASURE_PARTS_MAX,
  );
  return {
    ...summaryOf(erasure),
    parts: { all: parts, done },
    rows_removed: removals.reduce((sum, { rowsBefore, rowsAfter }) => sum + rowsBefore - rowsAfter, 0),
    removed: removals.map(({ day, partition, at, rowsBefore, rowsAfter, replaced, folder }) => ({
      date: dateOf(day),
      partition,
      at: new Date(at).toISOString(),
      rows_before: rowsBefore,
      rows_after: rowsAfter,
      replaced_files: sealName(replaced),
      new_files: sealName(folder),
    })),
  };
}
