// All that is counted of one merchant on one Day: the runs of each visitor, the orders, the drops, the duplicate
// window, and which of its rollups have changed since they were published. It depends on the set of events and not on
// their sequence (L4). Live counting, recovery and replay all add events with `countEvent`, and all numbers come out
// through `rollup.ts`.

import type { ByteReader, ByteWriter } from "../bytes.ts";
import type { Opinion } from "../enrichment/opinion.ts";
import { type Event, isEngagement, isPageview } from "../event.ts";
import { type HashKey, keyedHash } from "../keyed-hash.ts";
import { currencyOf, hourOf, type Settings } from "../merchant.ts";
import { linesOf } from "../order.ts";
import { assert, DROP_REASONS, type DropReason } from "../outcome.ts";
import { TextMap } from "../text-map.ts";
import { DAY_MS } from "../time.ts";
import { PROFILE_FIELDS } from "./dimension.ts";
import { IdSet, KNOWN_KEY } from "./duplicate.ts";
import { type Earned, earnedWithProducts, ownEarning } from "./earned.ts";
import { claimBytes, DAY_BYTES, orderBytes, textBytes, tupleBytes, VISITOR_BYTES, visitBytes } from "./held.ts";
import { momentOf } from "./moment.ts";
import { type DayClaim, decodeBook, encodeBook, eraseClaims, type OrderBook } from "./order-book.ts";
import {
  decodeOrderOutlines,
  decodeVisitorOutlines,
  NOTHING_RESTS,
  orderKey,
  type RestedCounts,
  type RestedLookUp,
  type VisitorOutline,
  visitorKey,
} from "./rested.ts";
import { packTuple, unpackTuple } from "./tuple.ts";
import { type Cell, insert, isVisit, joinRuns, outlineOf, RANK, type Rank, type Visit } from "./visit.ts";
import { decodeVisit, encodeVisit } from "./visit-codec.ts";
import { Visitors } from "./visitors.ts";

/**
 * A slot names an Hour of the Day. It is the number of quarter hours from the Day's UTC midnight to the start of the
 * Hour.
 */
const SLOT_MS = 900_000;
/** Names the rollup of the whole Day where others have a slot. */
export const WHOLE_DAY = 10_000;

/**
 * 4 added how much of the Day rests elsewhere, and 3 ranks of runs, orders and prefetches. These cannot be made of
 * shapes 1 and 2, so such Days are counted again from the archive.
 */
const SHAPE_VERSION = 4;
const WITHOUT_REST = 3;

/**
 * Texts, and packed tuples of them (tuple.ts). Each is stored once and named by its index in its map. A map keeps the
 * order in which entries came. A list beside it would take a tenth of a small merchant's memory, so a reader that looks
 * up names makes one.
 */
export interface Dictionary {
  readonly textNumbers: TextMap<number>;
  readonly tupleNumbers: Map<string, number>;
  /** What both take in memory (held.ts). */
  bytes: number;
}

/** The Day's dictionary by number, as lists. They belong to one reader, which may add tuples of its own. */
export interface DayNames {
  readonly texts: readonly string[];
  readonly tuples: string[];
  /** Numbers of the Day's tuples, and of those that the reader has added. */
  readonly known: ReadonlyMap<string, number>;
  readonly added: Map<string, number>;
}

export function namesOf({ dictionary: { textNumbers, tupleNumbers } }: Pick<DayState, "dictionary">): DayNames {
  return {
    texts: [...textNumbers.keys()],
    tuples: [...tupleNumbers.keys()],
    known: tupleNumbers,
    added: new Map(),
  };
}

export interface DayState {
  readonly merchant: number;
  /** Number of the local date. */
  readonly day: number;
  readonly dictionary: Dictionary;
  readonly visitors: Visitors;
  /** Undefined while there are none, as on most Days of most merchants; so are the next two. */
  orders: OrderBook | undefined;
  /**
   * Visitor → prefetched page views, each a run of one. They are dropped, unless somebody saw the page (`settled.ts`).
   */
  prefetches: Map<string, Visit[]> | undefined;
  /** Slot → reason → hits dropped. */
  drops: Map<number, Map<DropReason, number>> | undefined;
  ids: IdSet;
  /** How much of the Day has left memory, and where it is found; undefined where nothing ever leaves. */
  rested: RestedCounts;
  readonly lookUp: RestedLookUp | undefined;
  /** The key of hashes of ids, visitors and order numbers. */
  readonly idKey: HashKey;
  /** What orders and prefetches take in memory (held.ts). */
  looseBytes: number;
  /**
   * Slot, or WHOLE_DAY → position of the last event that changed it; gone once published. An erasure puts another map
   * here: what was computed or sent under the old one says nothing of the new.
   */
  changed: Map<number, number>;
}

/** `idKey` is the key of hashes of ids: a secret where strangers send. `lookUp` finds what has left memory. */
export function emptyDay(
  merchant: number,
  day: number,
  idKey: HashKey = KNOWN_KEY,
  lookUp: RestedLookUp | undefined = undefined,
): DayState {
  return {
    merchant,
    day,
    dictionary: { textNumbers: new TextMap(), tupleNumbers: new Map(), bytes: 0 },
    visitors: new Visitors(day * DAY_MS),
    orders: undefined,
    prefetches: undefined,
    drops: undefined,
    ids: new IdSet(idKey, lookUp),
    rested: NOTHING_RESTS,
    lookUp,
    idKey,
    looseBytes: 0,
    changed: new Map(),
  };
}

/** How many events were counted, those that rest included. */
export function countedEvents({ ids, rested }: Pick<DayState, "ids" | "rested">): number {
  return ids.size + rested.events;
}

/** About how many bytes of memory a Day takes. It depends on nothing but what the Day holds there (HLD-1). */
export function heldBytes({ dictionary, visitors, ids, looseBytes }: DayState): number {
  return DAY_BYTES + dictionary.bytes + visitors.bytes + ids.bytes + looseBytes;
}

/** The UTC instant at which the Hour of a slot starts. */
export function slotStart(day: number, slot: number): number {
  return day * DAY_MS + slot * SLOT_MS;
}

/** The slot of an Hour that starts at a UTC instant. */
export function slotOf(day: number, instant: number): number {
  return (instant - day * DAY_MS) / SLOT_MS;
}

/**
 * Counts one event that is not a duplicate. `position` is its number in the partition's log. The version of a rollup is
 * the highest such number. A dropped event only counts as a drop.
 */
export function countEvent(state: DayState, counted: CountedEvent): void {
  state.ids.remember(counted.event);
  countKnown(state, { ...counted, dropped: counted.event.dropped, kind: kindOf(state.dictionary, counted) });
}

/**
 * An event that was counted once and then erased: a resend of it is no new event, and what it was counted in is to be
 * published again. Of one visitor's erasure drops stay until the seal (removeVisitor).
 */
export function countErased(state: DayState, counted: CountedEvent, isWhole: boolean): void {
  const { event, settings, position } = counted;
  if (!isWhole && event.dropped !== "" && event.dropped !== "prefetch") {
    countEvent(state, counted);
    return;
  }
  state.ids.remember(event);
  markChanged(state, slotOf(state.day, hourOf(settings.zones, event.timestamp)), position);
  markChanged(state, WHOLE_DAY, position);
}

/** The same for an event whose id is remembered already. */
export function countKnown(state: DayState, { position, dropped, ...known }: KnownEvent): void {
  const { event, settings } = known;
  const slot = slotOf(state.day, hourOf(settings.zones, event.timestamp));
  const observed = { ...known, slot };
  if (dropped === "prefetch") {
    notePrefetch(state, event.visitor, toVisit(state.dictionary, observed));
    markVisitor(state, event.visitor, { position, outline: outlineOfVisitor(state, event.visitor) });
  } else if (dropped !== "") countDrop(state, slot, dropped);
  else countVisit(state, observed, position);
  markChanged(state, slot, position);
  markChanged(state, WHOLE_DAY, position);
}

/** Adds an event to its visitor's runs, and to the orders where it has a number. */
function countVisit(state: DayState, observed: Observed, position: number): void {
  const { visitor } = observed.event;
  const visit = toVisit(state.dictionary, observed);
  const claim = toClaim(state.dictionary, observed, visit);
  const visits = state.visitors.wake(visitor);
  const outline = outlineOfVisitor(state, visitor);
  const all = outline === undefined ? visits : joinRuns([...(visits ?? []), ...outline.runs].map(outlineOf));
  // A run that belonged to the visit before it, or took its profile, may now belong to another one or to
  // none. And somebody may have seen a prefetched page.
  const wasPlain = all?.every(isVisit) ?? true;
  if (all !== undefined && all !== visits) insert(all, outlineOf(visit));
  if (visits === undefined) state.visitors.set(visitor, [visit]);
  else state.visitors.insert(visits, visit);
  if (all !== undefined) markVisitHours(state, all, visit, position);
  if (claim !== undefined) noteClaim(state, { number: observed.event.order, claim, position });
  const isPlain = wasPlain && (all?.every(isVisit) ?? true);
  const isPrefetched = state.prefetches?.has(visitor) || (outline?.prefetchSlots.length ?? 0) > 0;
  if (!isPlain || isPrefetched) markVisitor(state, visitor, { position, outline });
}

/** What is known of a visitor's events that rest. Undefined where none do. */
function outlineOfVisitor(state: DayState, visitor: string): VisitorOutline | undefined {
  if (state.lookUp === undefined || state.rested.visitors === 0) return undefined;
  const [high, low] = keyedHash(visitorKey(visitor), state.idKey);
  return decodeVisitorOutlines(state.lookUp.outlinesOf(high, low), state.day * DAY_MS);
}

/** The Hours of resting events with an order number. */
function restedSlotsOf(state: DayState, number: string): readonly number[] {
  if (state.lookUp === undefined || state.rested.orders === 0) return [];
  const [high, low] = keyedHash(orderKey(number), state.idKey);
  return decodeOrderOutlines(state.lookUp.outlinesOf(high, low));
}

/** Other events with this number may earn something else now. */
function noteClaim(
  state: DayState,
  { number, claim, position }: { readonly number: string; readonly claim: DayClaim; readonly position: number },
): void {
  state.orders ??= new TextMap();
  const claims = state.orders.get(number);
  state.looseBytes += claimBytes(claim) + (claims === undefined ? orderBytes(number) : 0);
  for (const slot of restedSlotsOf(state, number)) markChanged(state, slot, position);
  if (claims === undefined) state.orders.set(number, [claim]);
  else {
    claims.push(claim);
    for (const slot of slotsOf(claims, (one) => one.slot)) markChanged(state, slot, position);
  }
}

function notePrefetch(state: DayState, visitor: string, visit: Visit): void {
  state.prefetches ??= new Map();
  const own = state.prefetches.get(visitor);
  state.looseBytes += visitBytes(visit) + (own === undefined ? VISITOR_BYTES : 0);
  if (own === undefined) state.prefetches.set(visitor, [visit]);
  else own.push(visit);
}

/** The bytes of orders and prefetches, summed up again. */
function looseBytesOf({ orders, prefetches }: DayState): number {
  let bytes = 0;
  for (const [number, claims] of orders ?? [])
    bytes += claims.reduce((sum, claim) => sum + claimBytes(claim), orderBytes(number));
  for (const visits of prefetches?.values() ?? [])
    bytes += visits.reduce((sum, visit) => sum + visitBytes(visit), VISITOR_BYTES);
  return bytes;
}

const slotsKnown = new WeakMap<readonly unknown[], { readonly slots: Set<number>; upTo: number }>();

/**
 * The slots in a list that only grows. It never looks at an entry twice, because a list may hold thousands for one
 * number.
 */
function slotsOf<T>(list: readonly T[], slotOf: (one: T) => number): Iterable<number> {
  if (list.length === 1) return [slotOf(list[0] as T)];
  const known = slotsKnown.get(list) ?? { slots: new Set<number>(), upTo: 0 };
  slotsKnown.set(list, known);
  for (; known.upTo < list.length; known.upTo++) known.slots.add(slotOf(list[known.upTo] as T));
  return known.slots;
}

export interface CountedEvent {
  readonly event: Event;
  readonly opinion: Opinion;
  readonly settings: Settings;
  readonly position: number;
}

export interface KnownEvent extends CountedEvent {
  /** Why it is not counted, as it is judged now. */
  readonly dropped: DropReason | "";
  readonly kind: Kind;
}

/** What an event has in common with many others, as numbers of the Day's dictionary. */
export interface Kind {
  /** Tuple number of its profile. */
  readonly profile: number;
  /** Tuple number of its place (visit.ts). */
  readonly place: number;
  readonly page: number;
}

/** What kind of event it is. */
function kindOf(dictionary: Dictionary, counted: Pick<CountedEvent, "event" | "opinion">): Kind {
  const profile = profileNumber(dictionary, counted.opinion);
  return { profile, ...placeNumbers(dictionary, counted) };
}

/** The number of what an event says of its visit. */
export function profileNumber(dictionary: Dictionary, opinion: Opinion): number {
  return tupleNumber(
    dictionary,
    PROFILE_FIELDS.map((field) => textNumber(dictionary, opinion[field])),
  );
}

/** The numbers of where it happened. */
export function placeNumbers(
  dictionary: Dictionary,
  { event, opinion }: Pick<CountedEvent, "event" | "opinion">,
): Pick<Kind, "place" | "page"> {
  const page = textNumber(dictionary, opinion.page);
  const place = [
    textNumber(dictionary, String(event.stream)),
    textNumber(dictionary, event.name),
    textNumber(dictionary, opinion.hostname),
    page,
    opinion.goals.length,
  ];
  for (const goal of opinion.goals) place.push(textNumber(dictionary, goal));
  if (event.products !== "") place.push(...new Set(linesOf(event).map(({ label }) => textNumber(dictionary, label))));
  return { place: tupleNumber(dictionary, place), page };
}

/** Everything a Day knows, as bytes. */
export function encodeDay(state: DayState, writer: ByteWriter): void {
  writer.byte(SHAPE_VERSION);
  writer.unsigned(state.merchant);
  writer.signed(state.day);
  const { events, visitors, orders, bytes } = state.rested;
  for (const value of [events, visitors, orders, bytes]) writer.unsigned(value);
  const { textNumbers, tupleNumbers } = state.dictionary;
  writer.unsigned(textNumbers.size);
  for (const text of textNumbers.keys()) writer.text(text);
  writer.unsigned(tupleNumbers.size);
  for (const packed of tupleNumbers.keys()) {
    const tuple = unpackTuple(packed);
    writer.byte(tuple.length);
    for (const number of tuple) writer.unsigned(number);
  }
  state.visitors.encode(writer);
  encodeBook(state.orders ?? new TextMap(), state.day * DAY_MS, writer);
  encodePrefetches(state, writer);
  encodeDrops(state, writer);
  writer.unsigned(state.changed.size);
  for (const [slot, position] of state.changed) {
    writer.signed(slot);
    writer.unsigned(position);
  }
  state.ids.encode(writer);
}

/** The inverse of `encodeDay`. */
export function decodeDay(
  reader: ByteReader,
  idKey: HashKey = KNOWN_KEY,
  lookUpOf: (merchant: number, day: number) => RestedLookUp | undefined = () => undefined,
): DayState {
  const shape = reader.byte();
  assert(shape === SHAPE_VERSION || shape === WITHOUT_REST, "a Day was stored in a shape that this version reads");
  const merchant = reader.unsigned();
  const day = reader.signed();
  const state = emptyDay(merchant, day, idKey, lookUpOf(merchant, day));
  if (shape !== WITHOUT_REST) {
    const [events, visitors, orders] = [reader.unsigned(), reader.unsigned(), reader.unsigned()];
    state.rested = { events, visitors, orders, bytes: reader.unsigned() };
  }
  for (let left = reader.unsigned(); left > 0; left--) textNumber(state.dictionary, reader.text());
  for (let left = reader.unsigned(); left > 0; left--) {
    tupleNumber(
      state.dictionary,
      Array.from({ length: reader.byte() }, () => reader.unsigned()),
    );
  }
  state.visitors.decode(reader);
  const orders = decodeBook(state.day * DAY_MS, reader);
  if (orders.size > 0) state.orders = orders;
  decodePrefetches(state, reader);
  state.looseBytes = looseBytesOf(state);
  decodeDrops(state, reader);
  for (let left = reader.unsigned(); left > 0; left--) state.changed.set(reader.signed(), reader.unsigned());
  state.ids = IdSet.decode(reader, idKey, state.lookUp);
  return state;
}

interface Observed {
  readonly event: Event;
  readonly opinion: Opinion;
  readonly settings: Settings;
  readonly slot: number;
  readonly kind: Kind;
}

/** An event as a run of one event. */
function toVisit(dictionary: Dictionary, { event, opinion, settings, slot, kind }: Observed): Visit {
  const { profile, place, page } = kind;
  const { time, order, tie } = momentOf(event);
  const moment = isPageview(event.name) ? { time, order, tie, page } : undefined;
  const rank = rankOf(event, opinion);
  const cell: Cell = {
    slot,
    place,
    count: 1,
    engagementMs: event.engagementMs,
    earned: toEarned(dictionary, { event, opinion, settings }),
  };
  return {
    from: time,
    end: time,
    rank,
    start: time,
    startOrder: order,
    startTie: tie,
    startSlot: slot,
    profile,
    returns: opinion.isReturn,
    known: event.visitorKind !== "daily",
    interactions: rank === RANK.opening ? 1 : 0,
    entry: moment,
    exit: moment,
    cells: [cell],
    slots: [slot],
    index: undefined,
  };
}

function rankOf({ name }: Event, { passive }: Opinion): Rank {
  if (isEngagement(name)) return RANK.engagement;
  return passive ? RANK.passive : RANK.opening;
}

/** What an event earns by itself. */
function toEarned(
  dictionary: Dictionary,
  { event, opinion, settings }: Pick<Observed, "event" | "opinion" | "settings">,
): Earned | undefined {
  const earning = ownEarning(event, opinion.act, saleOf(dictionary, event, settings));
  return earning === undefined ? undefined : earnedWithProducts(earning);
}

type NumberedSale = DayClaim["sale"];

function saleOf(dictionary: Dictionary, event: Event, settings: Settings): NumberedSale {
  const lines = linesOf(event).map(({ label, units, revenue }) => {
    return { label: textNumber(dictionary, label), units, revenue };
  });
  return { currency: currencyOf(event, settings), revenue: Math.abs(event.revenue), lines };
}

/** An event with an order number as one that may earn; undefined where it is none. */
function toClaim(dictionary: Dictionary, observed: Observed, visit: Visit): DayClaim | undefined {
  const { event, opinion, settings, slot } = observed;
  const { act } = opinion;
  if (event.order === "" || act === "none" || act === "step") return undefined;
  const [{ place }] = visit.cells as [Cell];
  const { visitor } = event;
  const sale = saleOf(dictionary, event, settings);
  return { act, keyed: event.keyed === 1, ...momentOf(event), sale, visitor, slot, place };
}

/** A changed visit changes every Hour in which it has events, and the Hours of the runs that were merged into it. */
function markVisitHours(state: DayState, visits: readonly Visit[], added: Visit, position: number): void {
  for (const visit of visits) {
    if (visit.end < added.from || visit.from > added.from) continue;
    for (const slot of visit.slots) markChanged(state, slot, position);
  }
}

/** Every Hour some visits have events in has changed, and the Day. */
function markVisits(state: DayState, visits: readonly Visit[], position: number): void {
  for (const { slots } of visits) for (const slot of slots) markChanged(state, slot, position);
  markChanged(state, WHOLE_DAY, position);
}

/**
 * Every Hour in which a visitor has anything has changed. A resting visitor is woken. Otherwise thousands of prefetches
 * would each unpack a long visit, at the cost of the square of their number.
 */
function markVisitor(
  state: DayState,
  visitor: string,
  { position, outline }: { readonly position: number; readonly outline: VisitorOutline | undefined },
): void {
  for (const { slots } of [...(state.visitors.wake(visitor) ?? []), ...(outline?.runs ?? [])])
    for (const slot of slots) markChanged(state, slot, position);
  for (const slot of outline?.prefetchSlots ?? []) markChanged(state, slot, position);
  const prefetches = state.prefetches?.get(visitor);
  if (prefetches === undefined) return;
  for (const slot of slotsOf(prefetches, ({ startSlot }) => startSlot)) markChanged(state, slot, position);
}

/** Takes a visitor out: runs, orders, prefetches. False where the visitor had none. */
export function removeVisitor(state: DayState, visitor: string, position: number): boolean {
  const visits = state.visitors.get(visitor) ?? [];
  const prefetches = state.prefetches?.get(visitor) ?? [];
  if (visits.length + prefetches.length === 0) return false;
  state.changed = new Map(state.changed);
  markVisits(state, [...visits, ...prefetches], position);
  for (const slot of eraseClaims(state.orders ?? new TextMap(), visitor)) markChanged(state, slot, position);
  state.visitors.delete(visitor);
  state.prefetches?.delete(visitor);
  state.looseBytes = looseBytesOf(state);
  return true;
}

/** Takes all visitors out, and the drops. False where there were none. */
export function removeAll(state: DayState, position: number): boolean {
  if (state.visitors.size === 0 && state.prefetches === undefined && state.drops === undefined) return false;
  state.changed = new Map(state.changed);
  markAll(state, position);
  state.visitors.clear();
  state.orders = undefined;
  state.prefetches = undefined;
  state.drops = undefined;
  state.looseBytes = 0;
  return true;
}

/** Every Hour with anything in it has changed, and the Day. */
export function markAll(state: DayState, position: number): void {
  for (const visits of state.visitors.values()) markVisits(state, visits, position);
  for (const visits of state.prefetches?.values() ?? []) markVisits(state, visits, position);
  for (const slot of state.drops?.keys() ?? []) markChanged(state, slot, position);
  markChanged(state, WHOLE_DAY, position);
}

/** The version of a rollup is the highest position that changed it, whatever the sequence of events is. */
function markChanged(state: DayState, slot: number, position: number): void {
  state.changed.set(slot, Math.max(position, state.changed.get(slot) ?? 0));
}

function countDrop(state: DayState, slot: number, reason: DropReason, count = 1): void {
  state.drops ??= new Map();
  const reasons = state.drops.get(slot) ?? new Map<DropReason, number>();
  reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  state.drops.set(slot, reasons);
}

/**
 * The number of a text. A new text gets the next number. With `isOwn` it is not copied, because another Day has it
 * already.
 */
export function textNumber(dictionary: Dictionary, text: string, isOwn = false): number {
  const known = dictionary.textNumbers.get(text);
  if (known !== undefined) return known;
  const next = dictionary.textNumbers.size;
  dictionary.textNumbers.set(isOwn ? text : ownText(text), next);
  dictionary.bytes += textBytes(text);
  return next;
}

/** The same of a tuple. */
export function tupleNumber(dictionary: Dictionary, tuple: readonly number[]): number {
  const packed = packTuple(tuple);
  const known = dictionary.tupleNumbers.get(packed);
  if (known !== undefined) return known;
  const next = dictionary.tupleNumbers.size;
  dictionary.tupleNumbers.set(packed, next);
  dictionary.bytes += tupleBytes(packed);
  return next;
}

/**
 * An equal text that keeps no other text in memory. A path is cut out of an address, and the engine keeps the whole
 * address for it: 2 KB for a page of ten letters, if somebody sends long parameters.
 */
function ownText(text: string): string {
  return JSON.parse(JSON.stringify(text)) as string;
}

function encodeDrops(state: DayState, writer: ByteWriter): void {
  const drops = [...(state.drops ?? [])].flatMap(([slot, reasons]) =>
    [...reasons].map(([reason, count]) => ({ slot, reason, count })),
  );
  writer.unsigned(drops.length);
  for (const drop of drops) {
    writer.signed(drop.slot);
    writer.byte(DROP_REASONS.indexOf(drop.reason));
    writer.unsigned(drop.count);
  }
}

function decodeDrops(state: DayState, reader: ByteReader): void {
  for (let left = reader.unsigned(); left > 0; left--) {
    const slot = reader.signed();
    const reason = DROP_REASONS[reader.byte()] as DropReason;
    countDrop(state, slot, reason, reader.unsigned());
  }
}

function encodePrefetches({ prefetches, day }: DayState, writer: ByteWriter): void {
  writer.unsigned(prefetches?.size ?? 0);
  for (const [visitor, own] of prefetches ?? []) {
    writer.text(visitor);
    writer.unsigned(own.length);
    for (const visit of own) encodeVisit(visit, day * DAY_MS, writer);
  }
}

function decodePrefetches(state: DayState, reader: ByteReader): void {
  for (let left = reader.unsigned(); left > 0; left--) {
    const visitor = reader.text();
    for (let visits = reader.unsigned(); visits > 0; visits--)
      notePrefetch(state, visitor, decodeVisit(state.day * DAY_MS, reader));
  }
}
