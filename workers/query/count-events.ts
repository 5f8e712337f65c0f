// Counts plans from events: the plan of a single question, or the plans of several questions about one merchant in one
// pass. Events are read once, for every plan whose result is not remembered. A plan has the same bounds and the same
// cost as if it were counted alone. So an answer does not depend on what is asked with it (BAT-2).

import { NO_EVENTS } from "../../core/archive/event-columns.ts";
import { BATCH_EVENTS_MAX, QUESTION_MS_MAX, SCAN_VISITORS_MAX } from "../../core/limits.ts";
import { accepted, type Outcome } from "../../core/outcome.ts";
import type { Counting, CountPlan, DayRows } from "../../core/query/count.ts";
import { invalid } from "../../core/query/refusal.ts";
import { refusalOf, type ScanProblem } from "../../core/query/scan.ts";
import { archiveOf } from "../../storage/archive/bucket.ts";
import {
  distinctPlaces,
  type EventSearch,
  type FoundEvents,
  findEvents,
  findVersions,
  keyOf,
} from "../../storage/archive/merchant-events.ts";
import { type Merchant, settingsOf } from "../../storage/directory/merchants.ts";
import type { SealPlace } from "../../storage/ledger/sealed-day.ts";
import type { Deps } from "./deps.ts";
import {
  type Cost,
  daysOf,
  findPlaces,
  type KnownPlaces,
  NOTHING_LEFT,
  openPlaces,
  tooLargeFor,
  type Under,
  underOf,
} from "./scan.ts";
import { inTurn, type Turn } from "./turn.ts";

/** A plan, and where its cost is added up. */
export interface Counted<C extends Counting = Counting> {
  readonly plan: CountPlan<C>;
  readonly cost: Cost;
}

/**
 * Counts the events of a plan over one range. The result holds all that an answer needs. Days whose results are
 * remembered are not read.
 */
export async function countEvents<C extends Counting>(
  plan: CountPlan<C>,
  merchant: Merchant,
  { deps, cost }: { readonly deps: Deps; readonly cost: Cost },
): Promise<Outcome<C>> {
  if (deps.together !== undefined) return deps.together.count({ plan, cost });
  const [outcome] = await countAll([{ plan, cost }], merchant, deps);
  return outcome as Outcome<C>;
}

/** Counts several plans. Returns an outcome for each, in their order. */
export async function countAll(
  asked: readonly Counted[],
  merchant: Merchant,
  deps: Deps,
): Promise<readonly Outcome<Counting>[]> {
  const begun = deps.now();
  const outcomes = new Map<Counted, Outcome<Counting>>();
  const under = await underOf(merchant, deps);
  const find = once(
    (plan: CountPlan<Counting>) => JSON.stringify(daysOf(plan)),
    (plan) => findPlaces(merchant, daysOf(plan), deps),
  );
  const open = opening(merchant, under, deps);
  const ready: Ready[] = [];
  for (const one of asked) {
    const found = await find(one.plan);
    const known = onlyOf(one.plan, found);
    if (!known.ok) {
      outcomes.set(one, known);
      continue;
    }
    one.cost.rows += known.value.rows;
    const groups = await rememberedGroups(one.plan, { merchant, known: known.value, under }, deps);
    const unread = groups.filter(({ text }) => text === undefined).flatMap(({ places }) => places);
    const opened = await open({ known: known.value, unread, plan: one.plan });
    if (!opened.ok) {
      outcomes.set(one, opened);
      continue;
    }
    one.cost.objects += opened.value.cost.objects;
    one.cost.bytes += opened.value.cost.bytes;
    const remembered = known.value.places.length - unread.length;
    if (remembered > 0) one.cost.remembered = remembered;
    ready.push({ one, known: known.value, groups, unread, found: opened.value });
  }
  if (ready.length > 0)
    await inTurn(deps, async (turn) => {
      for (const some of fitting(ready)) {
        const counted = await pass(some, { merchant, under, begun, turn }, deps);
        // If several plans together hold more than is allowed, each is counted by itself.
        const all = counted ?? (await eachAlone(some, { merchant, under, begun, turn }, deps));
        for (const [one, outcome] of all) outcomes.set(one, outcome);
      }
    });
  return asked.map((one) => outcomes.get(one) ?? invalid(NOTHING_LEFT));
}

/** A plan whose places are known and may be read. */
interface Ready {
  readonly one: Counted;
  readonly known: KnownPlaces;
  readonly groups: readonly Group[];
  readonly unread: readonly SealPlace[];
  readonly found: FoundEvents;
}

interface PassUnder {
  readonly merchant: Merchant;
  readonly under: Under;
  /** When counting began, UTC ms. */
  readonly begun: number;
  readonly turn: Turn;
}

/** Groups of as many plans as may be held at once, at least one in each. */
function fitting(ready: readonly Ready[]): readonly (readonly Ready[])[] {
  const size = Math.max(1, Math.floor(BATCH_EVENTS_MAX / Math.max(1, ...ready.map(({ known }) => largestDay(known)))));
  return Array.from({ length: Math.ceil(ready.length / size) }, (_, at) => ready.slice(at * size, (at + 1) * size));
}

/** How many events the largest Day has, in all partitions. */
function largestDay({ places, events }: KnownPlaces): number {
  const days = Map.groupBy(places, ({ day }) => day).values();
  return Math.max(0, ...Array.from(days, (own) => sum(own.map((place) => events.get(keyOf(place)) ?? 0))));
}

async function eachAlone(
  all: readonly Ready[],
  given: PassUnder,
  deps: Deps,
): Promise<ReadonlyMap<Counted, Outcome<Counting>>> {
  const outcomes = new Map<Counted, Outcome<Counting>>();
  for (const one of all)
    for (const [counted, outcome] of (await pass([one], given, deps)) ?? []) outcomes.set(counted, outcome);
  return outcomes;
}

/** Reads once what some plans read. Undefined where several of them hold too much together. */
async function pass(
  all: readonly Ready[],
  { merchant, under, begun, turn }: PassUnder,
  deps: Deps,
): Promise<ReadonlyMap<Counted, Outcome<Counting>> | undefined> {
  const together = all.some(({ one }) => one.plan.together === "day") ? "day" : "partition";
  const isOfVisits = all.every(({ one }) => one.plan.isOfVisits);
  const found = await readingOf(all, { merchant, together, derived: isOfVisits ? under : undefined }, deps);
  const counts = all.map((ready) => ({ ready, counting: ready.one.plan.open(under, "whole"), ...nothingYet() }));
  const places = distinctPlaces(all.flatMap(({ known }) => known.places)).toSorted((a, b) => a.day - b.day);
  for (const unit of Map.groupBy(places, (place) => (together === "day" ? place.day : place)).values()) {
    const going = counts.filter(({ outcome }) => outcome === undefined);
    if (going.length === 0) break;
    if (deps.now() - begun > QUESTION_MS_MAX) {
      for (const one of going)
        one.outcome = tooLargeFor(`more than ${QUESTION_MS_MAX / 1_000} s`, one.ready.known.places);
      break;
    }
    const held = await countUnit(unit, { going, found, under, turn }, deps);
    if (all.length > 1 && held > SCAN_VISITORS_MAX) return undefined;
  }
  return new Map(counts.map(({ ready, counting, outcome }) => [ready.one, outcome ?? accepted(counting)]));
}

interface Running {
  readonly ready: Ready;
  readonly counting: Counting;
  /** Why the plan ended before the others. */
  outcome: Outcome<Counting> | undefined;
}

function nothingYet(): Pick<Running, "outcome"> {
  return { outcome: undefined };
}

/** What is to be read. It is found once where all plans read the same. */
async function readingOf(
  all: readonly Ready[],
  { merchant, together, derived }: Pick<EventSearch, "together" | "derived"> & { readonly merchant: Merchant },
  deps: Deps,
): Promise<FoundEvents> {
  const [first] = all as [Ready];
  const columns = [...new Set(all.flatMap(({ one }) => one.plan.columns))];
  const same = (one: Ready) =>
    one.known.recent === first.known.recent && placesKey(one.unread) === placesKey(first.unread);
  const reads = ({ one: { plan } }: Ready) =>
    plan.together === together && plan.isOfVisits === (derived !== undefined) && covers(plan.columns, columns);
  const ready = all.every(same) ? all.find(reads) : undefined;
  if (ready !== undefined) return ready.found;
  const recent = new Map(all.flatMap(({ known }) => [...known.recent]));
  const places = distinctPlaces(all.flatMap(({ unread }) => unread));
  const search = { settings: settingsOf(merchant), places, recent, columns, together, derived };
  return findEvents(search, { ...deps, ...archiveOf(deps) });
}

function covers(own: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((column) => own.includes(column));
}

interface UnitCount {
  readonly going: readonly Running[];
  readonly found: FoundEvents;
  readonly under: Under;
  readonly turn: Turn;
}

/** Counts one (Day, partition), or a Day in all partitions, for all plans. Returns how much the plans hold then. */
async function countUnit(
  unit: readonly SealPlace[],
  { going, found, under, turn }: UnitCount,
  deps: Deps,
): Promise<number> {
  const keys = new Set(unit.map(keyOf));
  const parts = going.flatMap((running) =>
    running.ready.groups
      .filter(({ places: [first] }) => first !== undefined && keys.has(keyOf(first)))
      .map((group) => ({ running, group, part: partOf(running, group, under) })),
  );
  const unread = distinctPlaces(
    parts.filter(({ group }) => group.text === undefined).flatMap(({ group }) => group.places),
  );
  const at = new Map(unread.map((place, index) => [keyOf(place), index]));
  if (unread.length > 0)
    for await (const rows of found.of(unread, (rows) => turn.giveWayAfter(rows)))
      for (const { running, group, part } of parts) {
        if (group.text !== undefined || running.outcome !== undefined) continue;
        end(running, await turn.run(part.add(only(rows, group.places, at))));
      }
  for (const { running, group, part } of parts) {
    if (running.outcome !== undefined) continue;
    if (group.text !== undefined) end(running, running.counting.absorb(group.text));
    else if (group.kept !== undefined) {
      const text = part.encode();
      deps.scans.remember(group.kept.name, { version: group.kept.version, text });
      end(running, running.counting.absorb(text));
    }
  }
  return sum(going.map(({ outcome, counting }) => (outcome === undefined ? (counting.held?.() ?? 0) : 0)));
}

/** Where the events of a part are counted. A part that may be remembered is counted by itself first. */
function partOf({ ready, counting }: Running, { kept, text }: Group, under: Under): Counting {
  return kept === undefined || text !== undefined ? counting : ready.one.plan.open(under, "part");
}

/** The rows of some of the places that were read together. */
function only(rows: DayRows, places: readonly SealPlace[], at: ReadonlyMap<string, number>): DayRows {
  const partitions = places.map((place) => rows.partitions[at.get(keyOf(place)) as number] ?? NO_EVENTS);
  return { ...rows, partitions };
}

function end(running: Running, problem: ScanProblem | undefined): void {
  if (problem !== undefined) running.outcome = refusalOf(problem);
}

/** Looks up what reading needs, once for all plans that read the same. */
function opening(merchant: Merchant, under: Under, deps: Deps) {
  interface Wanted {
    readonly known: KnownPlaces;
    readonly unread: readonly SealPlace[];
    readonly plan: CountPlan<Counting>;
  }
  const name = ({ known, unread, plan: { columns, together, isOfVisits } }: Wanted) =>
    JSON.stringify([placesKey(known.places), placesKey(unread), [...columns].sort(), together, isOfVisits]);
  return once(name, ({ known, unread, plan: { columns, together, isOfVisits } }: Wanted) =>
    openPlaces(
      merchant,
      { known, places: unread, columns, together, derived: isOfVisits ? under : undefined },
      { deps, cost: { rows: 0, objects: 0, bytes: 0 } },
    ),
  );
}

function placesKey(places: readonly SealPlace[]): string {
  return places.map(keyOf).join();
}

/** Makes a function that does its work once for each name. */
function once<In, Out>(nameOf: (given: In) => string, work: (given: In) => Promise<Out>): (given: In) => Promise<Out> {
  const done = new Map<string, Promise<Out>>();
  return (given) => {
    const name = nameOf(given);
    const known = done.get(name) ?? work(given);
    done.set(name, known);
    return known;
  };
}

/** The (Day, partition)s that a plan counts, without those that rollups answer for. */
function onlyOf({ rest }: Pick<CountPlan<Counting>, "rest">, known: Outcome<KnownPlaces>): Outcome<KnownPlaces> {
  if (rest === undefined || !known.ok) return known;
  const places = known.value.places.filter((place) => rest.places.has(keyOf(place)));
  return accepted({ ...known.value, places });
}

/** (Day, partition)s that are counted together, with their result if it is remembered. */
interface Group {
  readonly places: readonly SealPlace[];
  /** The name and version under which the result is remembered. Undefined where it may not be. */
  readonly kept: { readonly name: string; readonly version: string } | undefined;
  readonly text: string | undefined;
}

/** The groups in the order of Days, with remembered results. */
async function rememberedGroups(
  { together, nameOf }: CountPlan<Counting>,
  { merchant, known, under }: { readonly merchant: Merchant; readonly known: KnownPlaces; readonly under: Under },
  deps: Deps,
): Promise<readonly Group[]> {
  const ordered = [...known.places].sort((a, b) => a.day - b.day);
  const groups = [...Map.groupBy(ordered, (place) => (together === "day" ? place.day : place)).values()];
  if (nameOf === undefined) return groups.map((places) => ({ places, kept: undefined, text: undefined }));
  const search = { settings: under.settings, places: ordered, recent: known.recent };
  const versions = await findVersions(search, deps);
  return groups.map((places) => {
    const own = places.map((place) => versions.get(keyOf(place)));
    if (own.includes(undefined)) return { places, kept: undefined, text: undefined };
    const name = JSON.stringify([merchant.number, nameOf((places[0] as SealPlace).day), places.map(keyOf)]);
    const version = JSON.stringify([under.settings.version, under.globalVersion, own]);
    return { places, kept: { name, version }, text: deps.scans.find(name, version) };
  });
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const one of numbers) total += one;
  return total;
}
