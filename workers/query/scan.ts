// Answers a question from events: reads what the partitions have not archived yet, then finds out which (Day, partition)s have
// anything of the merchant, then reads those from the archive and counts them one after the other. Logs first, archive second:
// a bundle that is archived in between is then in both, and its rows count once, by position (L1, L2).

import { decodeLogged } from "../../core/archive/bundle.ts";
import type { ArchivedEvent } from "../../core/archive/file.ts";
import { removalOf } from "../../core/counting/erasure.ts";
import { REGEX_STEPS_MAX, SCAN_BYTES_MAX, SCAN_OBJECTS_MAX, SCAN_PLACES_MAX } from "../../core/limits.ts";
import type { Outcome } from "../../core/outcome.ts";
import { accepted } from "../../core/outcome.ts";
import { tooManyGroups } from "../../core/query/answer.ts";
import { isProperty } from "../../core/query/attribute.ts";
import { comparisonsOf } from "../../core/query/filter.ts";
import type { Groups } from "../../core/query/group.ts";
import type { Plan } from "../../core/query/plan.ts";
import { invalid } from "../../core/query/refusal.ts";
import { closeScan, openScan, type ScanProblem, scanDay } from "../../core/query/scan.ts";
import { GLOBAL_MERCHANT } from "../../core/rules.ts";
import { DAY_MS, dateOf } from "../../core/time.ts";
import { findScanPlaces, readScanPlace, type ScanPlace } from "../../storage/archive-scan.ts";
import { listRemovalsOf } from "../../storage/erasure.ts";
import type { Merchant } from "../../storage/merchants.ts";
import { readRollups } from "../../storage/rollups.ts";
import type { SealPlace } from "../../storage/seal.ts";
import { readSettings } from "../../storage/settings.ts";
import type { Deps } from "./deps.ts";
import { askPartitions, readLive } from "./live.ts";

/** A merchant's events of some Days, a (Day, partition) at a time, in the order of Days. */
export interface EventDay {
  readonly day: number;
  readonly partition: string;
  readonly rows: readonly ArchivedEvent[];
}

/** What answering took. */
export interface Cost {
  rows: number;
  objects: number;
  bytes: number;
}

/** The groups of a question that is answered from events. */
export async function scanGroups(
  plan: Plan,
  merchant: Merchant,
  { deps, cost }: { readonly deps: Deps; readonly cost: Cost },
): Promise<Outcome<Groups>> {
  const { question, range } = plan;
  const withProps = [...question.breakdowns, ...comparisonsOf(question.filter).map(({ attribute }) => attribute)].some(
    isProperty,
  );
  const events = await openEvents(merchant, { from: range.fromDay, to: range.toDay, withProps }, { deps, cost });
  if (!events.ok) return events;
  const scan = openScan(plan, { settings: settingsOf(merchant), global: events.value.global });
  for await (const { day, rows } of events.value.days()) {
    const problem = scanDay(scan, { day, rows });
    if (problem !== undefined) return PROBLEMS[problem]();
  }
  return accepted(closeScan(scan));
}

export function settingsOf({ number, version, zones, currency, rules }: Merchant) {
  return { merchant: number, version, zones, currency, rules };
}

const PROBLEMS: Record<ScanProblem, () => ReturnType<typeof invalid>> = {
  groups: tooManyGroups,
  visitors: () => invalid("#/date_range: The query counts more visitors than it may. Ask for a shorter range."),
  regex: () =>
    invalid(`#/filters: The regular expressions need more than ${REGEX_STEPS_MAX} steps. Make them simpler.`),
};

export interface OpenedEvents {
  /** The deployment's own rules. */
  readonly global: Merchant["rules"];
  readonly days: () => AsyncGenerator<EventDay>;
}

export interface EventsWanted {
  /** Days in [from, to). */
  readonly from: number;
  readonly to: number;
  /** Whether properties are looked at. */
  readonly withProps: boolean;
  /** UTC ms: what lay in the archive before is not wanted. */
  readonly putSince?: number;
}

/** Finds a merchant's events of Days in [from, to); refused when that is more than one request may read. */
export async function openEvents(
  merchant: Merchant,
  { from, to, withProps, putSince = 0 }: EventsWanted,
  { deps, cost }: { readonly deps: Deps; readonly cost: Cost },
): Promise<Outcome<OpenedEvents>> {
  const { number } = merchant;
  const eventsFrom = firstKeptDay(merchant, deps.now());
  if (from < eventsFrom) {
    const problem = `Events before ${dateOf(eventsFrom)} are deleted, as the merchant's retention says.`;
    return invalid(`#/date_range: ${problem} Numbers by one dimension and without filters are there.`);
  }
  const recent = await readRecent(number, { from, to }, deps);
  if (recent === "too many") throw new Error("a partition's archive is too far behind to read events");
  const live = await readLive(number, { grain: "day", from, to, dimensions: [] }, deps);
  const read = { merchant: number, grain: "day", from, to, sketch: false, breakdowns: [] } as const;
  const stored = await readRollups(deps.db, { ...read, rowsMax: SCAN_PLACES_MAX + 1 }, deps.meter);
  cost.rows += stored.length;
  const places = distinct([...live, ...stored, ...recent.values()]);
  if (places.length > SCAN_PLACES_MAX) return tooLarge(`more than ${SCAN_PLACES_MAX} days of data`);
  const global = (await readSettings(deps.db, GLOBAL_MERCHANT, deps.meter))?.rules ?? [];
  const removals = await listRemovalsOf(deps.db, number, deps.meter);
  const archive = { bucket: deps.bucket, meter: deps.meter };
  const found = await findScanPlaces(archive, deps.db, { merchant: number, places, putSince }, deps.meter);
  const objects = found.reduce((sum, place) => sum + place.cost.objects, 0);
  const bytes = found.reduce((sum, place) => sum + place.cost.bytes, 0);
  if (objects > SCAN_OBJECTS_MAX) return tooLarge(`${objects} objects of the archive`);
  if (bytes > SCAN_BYTES_MAX) return tooLarge(`${Math.ceil(bytes / 1_000_000)} MB of the archive`);
  cost.objects += objects + found.filter(({ archived }) => archived.manifest !== undefined).length;
  cost.bytes += bytes;
  const days = async function* (): AsyncGenerator<EventDay> {
    for (const place of [...found].sort((a, b) => a.day - b.day)) {
      const archived = await readScanPlace(archive, place, { merchant: number, withProps });
      const own = removals.filter(
        ({ partition, fromDay, toDay }) => partition === place.partition && place.day >= fromDay && place.day < toDay,
      );
      const rows = joined(archived, recent.get(keyOf(place))?.rows ?? []);
      yield { ...nameOf(place), rows: rows.filter((row) => removalOf(row, own) === undefined) };
    }
  };
  return accepted({ global, days });
}

/** The first Day whose events a merchant's retention keeps. */
function firstKeptDay({ retentionDays }: Merchant, now: number): number {
  return retentionDays === null ? 0 : Math.floor(now / DAY_MS) - retentionDays;
}

function tooLarge(what: string) {
  const remedy =
    "Ask for a shorter range, fewer filters, or one dimension without filters, which is read from rollups.";
  return invalid(`#/date_range: The query needs ${what}, more than one request may read. ${remedy}`);
}

/** What the partitions may not have archived, by (Day, partition). */
async function readRecent(
  merchant: number,
  days: { readonly from: number; readonly to: number },
  deps: Deps,
): Promise<"too many" | ReadonlyMap<string, EventDay & { readonly rows: ArchivedEvent[] }>> {
  const found = new Map<string, EventDay & { readonly rows: ArchivedEvent[] }>();
  const replies = await askPartitions(merchant, deps, async (partition, name) => ({
    name,
    reply: await partition.recentEvents({ merchant, ...days }),
  }));
  for (const { name, reply } of replies) {
    if (reply === "too many") return reply;
    for (const { position, row } of reply.rows) {
      const { day, event } = decodeLogged(row);
      const key = keyOf({ day, partition: name });
      const known = found.get(key) ?? { day, partition: name, rows: [] };
      known.rows.push({ partition: name, position, event });
      found.set(key, known);
    }
  }
  return found;
}

/** Each row once. */
function joined(archived: readonly ArchivedEvent[], recent: readonly ArchivedEvent[]): readonly ArchivedEvent[] {
  if (recent.length === 0) return archived;
  const positions = new Set(archived.map(({ position }) => position));
  return [...archived, ...recent.filter(({ position }) => !positions.has(position))];
}

function distinct(places: readonly SealPlace[]): readonly SealPlace[] {
  return [...new Map(places.map((place) => [keyOf(place), nameOf(place)])).values()];
}

function nameOf({ day, partition }: SealPlace | ScanPlace): SealPlace {
  return { day, partition };
}

function keyOf({ day, partition }: SealPlace): string {
  return `${day} ${partition}`;
}
