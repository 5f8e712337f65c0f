// Counts one bucket of a Day's state, an Hour or the whole Day, in total and by every dimension. Dimensions that divide
// the bucket's visits in the same way are counted once (`grouping.ts`). A visit is added up before it is counted under
// its values. `rollup.ts` cuts and encodes the result.

import { isEngagement, isPageview } from "../event.ts";
import { TOTAL_SKETCH_PRECISION, VALUE_SKETCH_PRECISION } from "../limits.ts";
import type { DropReason } from "../outcome.ts";
import { type DayNames, type DayState, namesOf, WHOLE_DAY } from "./day.ts";
import { type DimensionName, PLACE_FIELDS, PROFILE_FIELDS } from "./dimension.ts";
import { soldOf } from "./earned.ts";
import { type GroupedField, type Grouping, groupingsOf } from "./grouping.ts";
import { PresenceCounter } from "./presence.ts";
import { addCounts, type CountedValue, type Counts, cutBreakdown, type Rollup, zeroCounts } from "./rollup.ts";
import { settledVisits, unseenPrefetches, type VisitsByVisitor } from "./settled.ts";
import { addEntry, emptySketch, entryOf, type Sketch } from "./sketch.ts";
import { addMoney, addMoneyTo, noTakings, TAKINGS, type Takings, wholeMoney } from "./takings.ts";
import { tupleAt, unpackTuple } from "./tuple.ts";
import { type Cell, isBounce, type Visit } from "./visit.ts";

/** What a caller that makes several rollups of a Day has found out already, so that each of them need not. */
export interface KnownOfDay {
  /** Visitors with a visit in the bucket, as `settledVisits` gives them. It may contain others as well. */
  readonly visitors?: VisitsByVisitor | undefined;
  readonly names?: DayNames | undefined;
}

/**
 * The rollup of an Hour (by its slot) or of the WHOLE_DAY, broken down by the given dimensions. It looks at the visits
 * twice: first to find what must be told apart, then to count.
 */
export function rollupOf(
  state: DayState,
  slot: number,
  dimensions: readonly DimensionName[],
  known: KnownOfDay = {},
): Rollup {
  const names = known.names ?? namesOf(state);
  const visitors = known.visitors ?? settledVisits(state, names);
  const tally = newTally(state, slot, { dimensions, visitors, names });
  const presence = slot === WHOLE_DAY ? new PresenceCounter() : undefined;
  for (const [visitor, visits] of visitors) {
    let who: Who | undefined;
    for (const visit of visits) {
      if (!touches(visit, slot)) continue;
      who ??= { entry: entryOf(visitor), isKnown: slot !== WHOLE_DAY || isKnown(visits) };
      tallyVisit(tally, who, visit);
    }
    if (who !== undefined) presence?.add(visitor, slotsOf(visits));
  }
  const entries = entriesOf(tally);
  return {
    counts: wholeCounts(tally.total.counts),
    sketch: tally.total.sketch,
    presence: presence?.finish(),
    drops: dropsOf(state, slot, names),
    breakdowns: new Map(dimensions.map((name) => [name, cutBreakdown(entries.get(name) ?? [])])),
  };
}

/**
 * Whether a visit has an event in the bucket. A visit starts in a bucket where it has an event, so other visits add
 * nothing.
 */
function touches({ cells }: Visit, slot: number): boolean {
  if (slot === WHOLE_DAY) return true;
  for (const cell of cells) if (cell.slot === slot) return true;
  return false;
}

/** Whether any event of a visitor says that the visitor can be recognised another day. */
function isKnown(visits: readonly Visit[]): boolean {
  return visits.some(({ known }) => known);
}

/** The Hours in which a visitor was there. Nearly all visitors have one visit. */
function slotsOf(visits: readonly Visit[]): readonly number[] {
  const [first] = visits;
  return visits.length === 1 ? (first as Visit).slots : visits.flatMap(({ slots }) => slots);
}

/** A visitor whose visits are being counted. Each visitor has one such object. */
interface Who {
  /** What sketches take. */
  readonly entry: number;
  /** Whether it may be in another bucket as well (VIS-8). */
  readonly isKnown: boolean;
}

/** The sums for the total or for one value. */
interface Tallied {
  readonly counts: Counts;
  readonly sketch: Sketch;
  /** Visitors that are not in the sketch. Undefined where nobody needs them. */
  readonly others: Sketch | undefined;
  /** The visitor counted last. Visitors come one after the other, so this is enough to count each once. */
  lastVisitor: Who | undefined;
  /** The visit counted last, for the same reason. */
  lastVisit: Visit | undefined;
}

/** The sums for all dimensions that divide the bucket in one way. */
interface TalliedGroups extends Grouping<DimensionName> {
  /** By group. */
  readonly tallied: (Tallied | undefined)[];
}

/** What cells with one combination of PLACE_FIELDS have in common. */
interface Place {
  /** Its number among the tuples that were grouped. */
  readonly ordinal: number;
  readonly kind: "pageview" | "engagement" | "event";
  /** Dictionary numbers of the goals it reaches. */
  readonly goals: readonly number[];
  /** Of the products it names. */
  readonly products: readonly number[];
}

interface Tally {
  readonly state: DayState;
  readonly names: DayNames;
  readonly slot: number;
  readonly total: Tallied;
  /** The number of each profile among the tuples that were grouped. */
  readonly profiles: ReadonlyMap<number, number>;
  readonly byProfile: readonly TalliedGroups[];
  readonly places: ReadonlyMap<number, Place>;
  readonly byPlace: readonly TalliedGroups[];
  /**
   * By dictionary number: dimensions that are no field of a tuple. Undefined where not asked for. A visit without a
   * page view enters and exits nowhere: "".
   */
  readonly goals: Map<number, Tallied> | undefined;
  readonly products: Map<number, Tallied> | undefined;
  readonly entryPages: Map<number, Tallied> | undefined;
  readonly exitPages: Map<number, Tallied> | undefined;
}

interface Tallying {
  readonly dimensions: readonly DimensionName[];
  readonly visitors: VisitsByVisitor;
  readonly names: DayNames;
}

const PROFILE_DIMENSIONS = PROFILE_FIELDS.map((name, index) => ({ name, index }));
const PLACE_DIMENSIONS = PLACE_FIELDS.map((name, index) => ({ name, index }));

function newTally(state: DayState, slot: number, { dimensions, visitors, names }: Tallying): Tally {
  const profiles = new Map<number, number>();
  const places = new Map<number, Place>();
  for (const [, visits] of visitors) {
    for (const visit of visits) {
      if (!touches(visit, slot)) continue;
      if (!profiles.has(visit.profile)) profiles.set(visit.profile, profiles.size);
      for (const { place } of visit.cells)
        if (!places.has(place)) places.set(place, placeOf(names, place, places.size));
    }
  }
  const group = (numbers: Iterable<number>, fields: readonly GroupedField<DimensionName>[]) => {
    const tuples = Array.from(numbers, (number) => names.tuples[number] as string);
    const wanted = fields.filter(({ name }) => dimensions.includes(name));
    return groupingsOf(tuples, wanted).map((grouping): TalliedGroups => ({ ...grouping, tallied: [] }));
  };
  const valuesOf = (name: DimensionName) => (dimensions.includes(name) ? new Map<number, Tallied>() : undefined);
  return {
    state,
    names,
    slot,
    total: newTallied(TOTAL_SKETCH_PRECISION, undefined),
    profiles,
    byProfile: group(profiles.keys(), PROFILE_DIMENSIONS),
    places,
    byPlace: group(places.keys(), PLACE_DIMENSIONS),
    goals: valuesOf("goal"),
    products: valuesOf("product"),
    entryPages: valuesOf("entry_page"),
    exitPages: valuesOf("exit_page"),
  };
}

function placeOf({ texts, tuples }: DayNames, number: number, ordinal: number): Place {
  const tuple = tuples[number] as string;
  const name = texts[tupleAt(tuple, PLACE_FIELDS.indexOf("name")) as number] as string;
  const kind = isPageview(name) ? "pageview" : isEngagement(name) ? "engagement" : "event";
  const [goals = 0, ...more] = unpackTuple(tuple, PLACE_FIELDS.length);
  return { ordinal, kind, goals: more.slice(0, goals), products: more.slice(goals) };
}

function newTallied(precision: number, others: Sketch | undefined): Tallied {
  return { counts: zeroCounts(), sketch: emptySketch(precision), others, lastVisitor: undefined, lastVisit: undefined };
}

function newValue(): Tallied {
  return newTallied(VALUE_SKETCH_PRECISION, emptySketch(VALUE_SKETCH_PRECISION));
}

/** Metrics of events count in the Hour of the event, and metrics of visits in the Hour in which the visit starts. */
function tallyVisit(tally: Tally, who: Who, visit: Visit): void {
  const { slot, places, byPlace, goals, products } = tally;
  const startsHere = slot === WHOLE_DAY || visit.startSlot === slot;
  const part = zeroCounts();
  if (startsHere) countVisit(part, visit);
  for (const cell of visit.cells) {
    if (slot !== WHOLE_DAY && cell.slot !== slot) continue;
    const place = places.get(cell.place) as Place;
    countCell(part, cell, place);
    for (const groups of byPlace) {
      const tallied = talliedOf(groups, place.ordinal);
      countCell(tallied.counts, cell, place);
      see(tallied, who);
    }
    if (goals !== undefined) {
      for (const goal of place.goals) {
        const tallied = talliedUnder(goals, goal);
        countCell(tallied.counts, cell, place);
        see(tallied, who);
      }
    }
    if (products === undefined) continue;
    for (const product of place.products) {
      const tallied = talliedUnder(products, product);
      countCell(tallied.counts, ofProduct(cell, product), place);
      see(tallied, who);
    }
  }
  if (startsHere) countUnderPlaces(tally, visit);
  addPart(tally.total, part, who);
  const profile = tally.profiles.get(visit.profile) as number;
  for (const groups of tally.byProfile) addPart(talliedOf(groups, profile), part, who);
  const nowhere = tally.state.dictionary.textNumbers.get("") ?? -1;
  if (tally.entryPages !== undefined) addPart(talliedUnder(tally.entryPages, visit.entry?.page ?? nowhere), part, who);
  if (tally.exitPages !== undefined) addPart(talliedUnder(tally.exitPages, visit.exit?.page ?? nowhere), part, who);
}

function addPart(tallied: Tallied, part: Counts, who: Who): void {
  addCounts(tallied.counts, part);
  see(tallied, who);
}

/** The visit counts once under every value that it contains. */
function countUnderPlaces({ places, byPlace, goals, products }: Tally, visit: Visit): void {
  const count = (tallied: Tallied) => {
    if (tallied.lastVisit === visit) return;
    tallied.lastVisit = visit;
    tallied.counts.visits += 1;
  };
  for (const cell of visit.cells) {
    const place = places.get(cell.place) as Place;
    for (const groups of byPlace) count(talliedOf(groups, place.ordinal));
    if (goals !== undefined) for (const goal of place.goals) count(talliedUnder(goals, goal));
    if (products !== undefined) for (const product of place.products) count(talliedUnder(products, product));
  }
}

function countVisit(counts: Counts, visit: Visit): void {
  counts.visits += 1;
  counts.bounces += isBounce(visit) ? 1 : 0;
  counts.duration_ms += visit.end - visit.start;
}

function countCell(counts: Counts, cell: Cell, { kind }: Place): void {
  if (kind === "pageview") counts.pageviews += cell.count;
  if (kind !== "engagement") counts.events += cell.count;
  counts.engagement_ms += cell.engagementMs;
  const { earned } = cell;
  if (earned === undefined) return;
  counts.orders += earned.orders;
  counts.refunds += earned.refunds;
  counts.units += earned.units;
  counts.money = addMoneyTo(counts.money, earned.money);
}

/** A cell as it counts under one of its products: it has sold only that product (ORD-8). */
function ofProduct(cell: Cell, product: number): Cell {
  const { earned } = cell;
  if (earned === undefined) return cell;
  const sold = soldOf(earned, product);
  const whole = (earned.money ?? []).map((one): Takings => ({ ...one, product_revenue: 0 }));
  const own = sold.map(({ currency, revenue }): Takings => ({ ...noTakings(currency), product_revenue: revenue }));
  const money = addMoney(whole, own)?.filter((one) => TAKINGS.some((taking) => one[taking] !== 0));
  const units = sold.reduce((sum, one) => sum + one.units, 0);
  return { ...cell, earned: { ...earned, units, money: money?.length === 0 ? undefined : money } };
}

function see(tallied: Tallied, who: Who): void {
  if (tallied.lastVisitor === who) return;
  tallied.lastVisitor = who;
  tallied.counts.visitors += 1;
  if (who.isKnown) {
    tallied.counts.known += 1;
    addEntry(tallied.sketch, who.entry);
  } else if (tallied.others !== undefined) addEntry(tallied.others, who.entry);
}

function talliedOf({ groupOf, tallied }: TalliedGroups, ordinal: number): Tallied {
  const group = groupOf[ordinal] as number;
  const known = tallied[group];
  if (known !== undefined) return known;
  const made = newValue();
  tallied[group] = made;
  return made;
}

function talliedUnder(values: Map<number, Tallied>, value: number): Tallied {
  const known = values.get(value);
  if (known !== undefined) return known;
  const tallied = newValue();
  values.set(value, tallied);
  return tallied;
}

/** Counts with their money complete: what was carried while adding is part of it again. */
function wholeCounts(counts: Counts): Counts {
  const money = wholeMoney(counts.money);
  return money === counts.money ? counts : { ...counts, money };
}

/** The counted values of each dimension. Dimensions that divide alike share their numbers. */
function entriesOf(tally: Tally): ReadonlyMap<DimensionName, CountedValue[]> {
  const { texts } = tally.names;
  const entryOfValue = (value: number, { counts, sketch, others }: Tallied) => {
    return { value: texts[value] ?? "", counts: wholeCounts(counts), sketch, others };
  };
  const entries = new Map<DimensionName, CountedValue[]>();
  for (const { fields, samples, tallied } of [...tally.byProfile, ...tally.byPlace]) {
    for (const { name, index } of fields) {
      const ofField: CountedValue[] = [];
      samples.forEach((sample, group) => {
        const one = tallied[group];
        if (one !== undefined) ofField.push(entryOfValue(tupleAt(sample, index) as number, one));
      });
      entries.set(name, ofField);
    }
  }
  const byValue = {
    goal: tally.goals,
    product: tally.products,
    entry_page: tally.entryPages,
    exit_page: tally.exitPages,
  };
  for (const [name, values] of Object.entries(byValue)) {
    const ofValues = Array.from(values ?? [], ([value, one]) => entryOfValue(value, one));
    entries.set(name as DimensionName, ofValues);
  }
  return entries;
}

function dropsOf(state: DayState, slot: number, names: DayNames): Map<DropReason, number> {
  const drops = new Map<DropReason, number>();
  const unseen = unseenPrefetches(state, names).filter((own) => slot === WHOLE_DAY || own === slot).length;
  if (unseen > 0) drops.set("prefetch", unseen);
  for (const [dropSlot, reasons] of state.drops ?? []) {
    if (slot !== WHOLE_DAY && dropSlot !== slot) continue;
    for (const [reason, count] of reasons) drops.set(reason, (drops.get(reason) ?? 0) + count);
  }
  return drops;
}
