// GET /api/v1/merchants/:id/events: the raw events of one merchant, streamed as NDJSON, CSV or Parquet. They come from
// the archive. Events that are not archived yet come from partitions. Events name visitors, if only by a hash, and say
// where each visitor has been. So the door is "admin", and the audit log says who took them. An open Day has the events
// that were acknowledged so far, and a header names the first open Day.

import type { Context } from "hono";
import {
  CSV,
  type EventFilter,
  EXPORT_COLUMNS,
  EXPORT_FORMATS,
  type ExportedEvent,
  type ExportFormat,
  isWantedEvent,
  NDJSON,
  type TextFormat,
} from "../../core/archive/export.ts";
import { firstOpenDay } from "../../core/counting/closed.ts";
import { partitionsOf } from "../../core/counting/placement.ts";
import { spellHost } from "../../core/enrichment/hostname.ts";
import {
  EXPORT_BYTES_MAX,
  EXPORT_CHUNK_LENGTH,
  EXPORT_OBJECTS_MAX,
  EXPORT_PLACES_MAX,
  EXPORT_STEPS_MAX,
  EXPORT_UNSEALED_BYTES_MAX,
  EXPORTS_AT_ONCE_MAX,
  FOLDERS_APART_MAX,
  PLACE_READS,
  RATE_LIMIT_PERIOD_SECONDS,
  ROW_GROUP_ROWS,
} from "../../core/limits.ts";
import { foldersOf, isMovedDay } from "../../core/past-zone.ts";
import { openBudgets } from "../../core/query/budget.ts";
import { parseFilters } from "../../core/query/filter.ts";
import { checkGoals } from "../../core/query/goal.ts";
import { asRead, GLOBAL_MERCHANT } from "../../core/rules.ts";
import { DAY_MS, dateOf } from "../../core/time.ts";
import { STREAM_NUMBER_MAX } from "../../core/tracking-id.ts";
import {
  type ExportPlace,
  type ExportSource,
  findExport,
  findTooOpen,
  readExport,
} from "../../storage/archive/archive-export.ts";
import { type Admit, admitterOf } from "../../storage/archive/export-filter.ts";
import { ParquetStreamWriter } from "../../storage/archive/parquet.ts";
import { type Merchant, settingsOf } from "../../storage/directory/merchants.ts";
import { readSettings } from "../../storage/directory/settings.ts";
import { listLostDays } from "../../storage/ledger/erasure.ts";
import { listPartitionsOfDays } from "../../storage/ledger/places.ts";
import { readingAs } from "./asker.ts";
import { concern } from "./audit.ts";
import type { Deps } from "./deps.ts";
import {
  BOOLEAN_PARAMETER,
  DATE,
  FILTERS_PARAMETER,
  type Fields,
  oneOf,
  required,
  TEXT,
  wholeNumber,
} from "./field.ts";
import { TOO_MUCH_READ } from "./limit.ts";
import { merchantOf } from "./merchants.ts";
import { actorOf, principalOf } from "./principal.ts";
import { type Checked, problem } from "./problem.ts";
import { type FileReply, parametersOf } from "./request.ts";
import { readRecent } from "./scan.ts";
import { fillFilters } from "./segments.ts";

export const EVENTS = {
  from: required(DATE),
  to: required(DATE),
  format: oneOf(EXPORT_FORMATS),
  name: TEXT,
  visitor: TEXT,
  hostname: TEXT,
  country: TEXT,
  order_id: TEXT,
  stream: wholeNumber(1, STREAM_NUMBER_MAX),
  counted: BOOLEAN_PARAMETER,
  filters: FILTERS_PARAMETER,
};

const CONTENT_TYPES: Readonly<Record<ExportFormat, string>> = {
  ndjson: "application/x-ndjson",
  csv: "text/csv; charset=utf-8; header=present",
  parquet: "application/vnd.apache.parquet",
};

export async function getEvents(c: Context, deps: Deps): Promise<Checked<FileReply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const asked = parametersOf(c, EVENTS);
  if (!asked.ok) return asked;
  concern(c, merchant.value);
  c.set("asked", Object.fromEntries(new URL(c.req.url).searchParams));
  const { from, to } = asked.value;
  if (to < from) return problem("invalid_field", "to must not be before from.", "to");
  const place = placeOf(c, { merchant: merchant.value, days: to - from + 1 }, deps);
  if (!place.ok) return place;
  let reply: Checked<FileReply> | undefined;
  try {
    reply = await exportOf(asked.value, merchant.value, deps);
  } finally {
    if (reply?.ok !== true) place.value?.leave();
  }
  const { value } = place;
  if (!reply.ok || value === undefined) return reply;
  const { file } = reply.value;
  return { ok: true, value: { file: { ...file, bytes: held(file.bytes, value) } } };
}

const TOO_MANY_EXPORTS = `At most ${EXPORTS_AT_ONCE_MAX} exports of a merchant go on at once: wait for one to end.`;

/** The seat of an export (line.ts). */
interface ExportSeat {
  /** Takes the seat, or says that the export still runs. False where all of them are taken. */
  readonly keep: () => boolean;
  readonly leave: () => void;
}

/**
 * Takes a seat for an export by a merchant's own people, which is paid for. The deployment needs no seat. Where limits
 * are off, nobody does.
 */
function placeOf(
  c: Context,
  { merchant, days }: { readonly merchant: Merchant; readonly days: number },
  deps: Deps,
): Checked<ExportSeat | undefined> {
  const principal = principalOf(c);
  if (deps.keyLimit === undefined || principal.kind === "deployment") return { ok: true, value: undefined };
  const { number, spread } = merchant;
  const partitions = partitionsOf({ merchant: number, spread }, deps.placement).length;
  const standing = { line: `${number}`, asker: "" };
  const { reading } = readingAs({ id: actorOf(principal), merchant, isShared: false }, deps);
  const isPaid = reading?.ofEvents(days * partitions * PLACE_READS) !== false;
  const value: ExportSeat = {
    keep: () => deps.exports.stand(value, standing, deps.now()) === "going",
    leave: () => deps.exports.leave(value, standing.line),
  };
  if (isPaid && value.keep()) return { ok: true, value };
  c.header("Retry-After", String(RATE_LIMIT_PERIOD_SECONDS));
  return problem("rate_limited", isPaid ? TOO_MANY_EXPORTS : TOO_MUCH_READ);
}

/** Passes the same bytes on. The export keeps its seat until they end, or until nobody takes them any more. */
async function* held(bytes: AsyncIterable<Uint8Array>, place: ExportSeat) {
  try {
    for await (const chunk of bytes) {
      place.keep();
      yield chunk;
    }
  } finally {
    place.leave();
  }
}

async function exportOf(asked: Fields<typeof EVENTS>, merchant: Merchant, deps: Deps): Promise<Checked<FileReply>> {
  const { from, to, format = "ndjson" } = asked;
  const found = await findExported(merchant, { from, to }, deps);
  if (!found.ok) return found;
  const source = { archive: { bucket: deps.bucket }, ledger: deps.ledgers.ofMerchant(merchant.number) };
  const admit = await admitOf(asked, { merchant, places: found.value, source }, deps);
  if (!admit.ok) return admit;
  const read = { settings: settingsOf(merchant), places: found.value, admit: admit.value };
  const rows = wanted(readExport(source, read), filterOf(asked));
  const open = firstOpenDay(deps.now(), deps.pace.sealAfterMs);
  const lost = await listLostDays(source.ledger, { merchant: merchant.number, days: [from, to + 1] });
  const range = `${dateOf(from)}-to-${dateOf(to)}`;
  const file = {
    contentType: CONTENT_TYPES[format],
    name: `events-${range}.${format}`,
    headers: {
      ...(to >= open && { "footfall-open-from": dateOf(Math.max(open, from)) }),
      ...(lost.length > 0 && { "footfall-lost-days": lost.map(dateOf).join(" ") }),
    },
    bytes: format === "parquet" ? parquetOf(rows, range) : textOf(rows, format === "csv" ? CSV : NDJSON),
  };
  return { ok: true, value: { file } };
}

function filterOf({ name, visitor, hostname, country, order_id, stream, counted }: Fields<typeof EVENTS>): EventFilter {
  const host = hostname === undefined ? undefined : spellHost(hostname) || hostname;
  return { name, visitor, hostname: host, country, order: order_id, stream, counted };
}

interface Filterable {
  readonly merchant: Merchant;
  readonly places: readonly ExportPlace[];
  readonly source: ExportSource;
}

/** A test for events that pass `filters`. Undefined where there are no filters. */
async function admitOf(
  { filters: asked, counted }: Fields<typeof EVENTS>,
  { merchant, places, source }: Filterable,
  deps: Deps,
): Promise<Checked<Admit | undefined>> {
  if (asked === undefined) return { ok: true, value: undefined };
  if (counted === false)
    return problem("invalid_field", "Filters are of events that are counted: leave out one of the two.", "counted");
  const filled = await fillFilters(asked, merchant.number, deps);
  // They are parsed first with the bound of saved filters, because no purse pays for that, whether an export follows or
  // not.
  const short = filled.ok ? parseFilters([], filled.value) : filled;
  if (!short.ok) return problem("invalid_field", short.rejection.message, "filters");
  const budgets = openBudgets(EXPORT_STEPS_MAX);
  const filter = filled.ok ? parseFilters(filled.value, [], { budgets }) : filled;
  if (!filter.ok) return problem("invalid_field", filter.rejection.message, "filters");
  const goals = checkGoals([filter.value], merchant.rules, { budgets, view: undefined });
  if (!goals.ok) return problem("invalid_field", goals.rejection.message, "filters");
  const global = (await readSettings(deps.directory, GLOBAL_MERCHANT))?.rules ?? [];
  const settings = settingsOf(merchant);
  const under = { settings: { ...settings, rules: asRead(settings.rules) }, global };
  const admit = await admitterOf(source, { places, filter: filter.value, budgets, under });
  if (typeof admit === "function") return { ok: true, value: admit };
  if (admit === "steps")
    return problem("invalid_field", "The filters take too long. Use fewer, or simpler expressions.", "filters");
  const why = "These filters look at visits, for which these Days are more than one request can read";
  return problem("invalid_field", `${why}. Ask for fewer Days, or filter by event: dimensions alone.`, "filters");
}

/** Where the events are. A refusal where they are more than one request can read. */
export async function findExported(
  merchant: Merchant,
  { from, to }: { readonly from: number; readonly to: number },
  deps: Deps,
): Promise<Checked<readonly ExportPlace[]>> {
  const { number, retentionDays, spread } = merchant;
  const today = Math.floor(deps.now() / DAY_MS);
  const settings = settingsOf(merchant);
  let first = retentionDays === null ? from : Math.max(from, today - retentionDays);
  // Some events of a Day that has moved may lie in a folder that retention has deleted. Such a Day counts as deleted.
  while (retentionDays !== null && isMovedDay(settings, first) && foldersOf(settings, first)[0] < today - retentionDays)
    first += 1;
  const around = { from: first - FOLDERS_APART_MAX, to: to + 1 + FOLDERS_APART_MAX };
  // Partitions are read before the archive. Events that they forget in between are then in the archive.
  const recent = await readRecent(merchant, around, deps);
  if (!recent.ok) return problem("rate_limited", TOO_MUCH_READ);
  // Partitions that today's placement does not know are read as well. They are from a pool of another size, or from a
  // region that is no longer used.
  const archived = await listPartitionsOfDays(deps.ledgers.ofMerchant(number), { merchant: number, ...around });
  const partitions = [...new Set([...partitionsOf({ merchant: number, spread }, deps.placement), ...archived])];
  // At least one Day: a merchant on hundreds of partitions has more places than EXPORT_PLACES_MAX in a single Day, and
  // must be able to export it.
  const days = Math.max(1, Math.floor(EXPORT_PLACES_MAX / partitions.length));
  if (to - first >= days) return problem("invalid_field", `Ask for at most ${days} Days at once.`, "to");
  const places = Array.from({ length: Math.max(0, to - first + 1) }, (_, index) => first + index).flatMap((day) =>
    partitions.map((partition) => ({ day, partition })),
  );
  const source = { archive: { bucket: deps.bucket }, ledger: deps.ledgers.ofMerchant(settings.merchant) };
  const found = await findExport(source, { settings, places, recent: recent.value });
  const costs = found.flatMap(({ folders }) => folders.map(({ cost }) => cost));
  const objects = costs.reduce((sum, cost) => sum + cost.objects, 0);
  const bytes = costs.reduce((sum, cost) => sum + cost.bytes, 0);
  const objectsMax = EXPORT_OBJECTS_MAX - 4 * Math.max(0, places.length - EXPORT_PLACES_MAX);
  if (objects > objectsMax || bytes > EXPORT_BYTES_MAX) {
    const most = `${objectsMax} objects and ${EXPORT_BYTES_MAX / 1_000_000} MB`;
    const size = `These Days are ${objects} objects and ${Math.ceil(bytes / 1_000_000)} MB of the archive`;
    return problem("invalid_field", `${size}; one export reads at most ${most}. Ask for fewer Days at once.`, "to");
  }
  const open = findTooOpen({ settings }, found);
  if (open === undefined) return { ok: true, value: found };
  const size = `${dateOf(open.day)} has more than ${EXPORT_UNSEALED_BYTES_MAX / 1_000_000} MB that are not sealed yet, or have moved`;
  return problem("invalid_field", `${size}. Ask for it when it is: two days after it has ended.`, "to");
}

async function* wanted(
  blocks: AsyncGenerator<readonly ExportedEvent[]>,
  filter: EventFilter,
): AsyncGenerator<readonly ExportedEvent[]> {
  for await (const rows of blocks) yield rows.filter(({ event }) => isWantedEvent(event, filter));
}

async function* textOf(
  blocks: AsyncGenerator<readonly ExportedEvent[]>,
  { head, line }: TextFormat,
): AsyncGenerator<Uint8Array> {
  const utf8 = new TextEncoder();
  let text = head;
  for await (const rows of blocks) {
    for (const row of rows) {
      text += line(row);
      if (text.length < EXPORT_CHUNK_LENGTH) continue;
      yield utf8.encode(text);
      text = "";
    }
  }
  if (text !== "") yield utf8.encode(text);
}

/** Writes Parquet. Memory holds one row group, and where the other row groups are in the file. */
async function* parquetOf(blocks: AsyncGenerator<readonly ExportedEvent[]>, range: string): AsyncGenerator<Uint8Array> {
  const writer = new ParquetStreamWriter(EXPORT_COLUMNS, { footfall_range: range });
  let waiting: ExportedEvent[] = [];
  for await (const rows of blocks) {
    for (const row of rows) {
      waiting.push(row);
      if (waiting.length < ROW_GROUP_ROWS) continue;
      yield writer.group(waiting);
      waiting = [];
    }
  }
  yield writer.group(waiting);
  yield writer.end();
}
