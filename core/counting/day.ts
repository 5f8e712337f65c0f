// Everything counted of one merchant on one Day: the visits of each visitor, the drops, the duplicate window, and which
// of its rollups have changed since they were published. It is a function of the set of events (L4): live counting,
// recovery and replay all fold events into it with `countEvent`, and all numbers come out of it through `rollup.ts`.

import type { ByteReader, ByteWriter } from "../bytes.ts";
import type { Opinion } from "../enrichment/opinion.ts";
import { type Event, isEngagement, isPageview } from "../event.ts";
import { hourOf, type Settings } from "../merchant.ts";
import { assert, DROP_REASONS, type DropReason } from "../outcome.ts";
import { DAY_MS } from "../time.ts";
import { PROFILE_FIELDS } from "./dimension.ts";
import { IdSet, orderOf } from "./duplicate.ts";
import { packTuple, unpackTuple } from "./tuple.ts";
import { type Cell, insert, type Visit } from "./visit.ts";
import { Visitors } from "./visitors.ts";

/** A slot names an Hour of the Day: quarter hours from the Day's UTC midnight to the Hour's start. */
const SLOT_MS = 900_000;
/** Stands beside the slots for the rollup of the whole Day. */
export const WHOLE_DAY = 10_000;

/** 2: the visits of a visitor are preceded by their length in bytes. */
const SHAPE_VERSION = 2;
const SHAPE_BEFORE = 1;

/**
 * Texts and packed tuples of them (tuple.ts), each stored once and named by its place in its map: a map keeps the order in
 * which they came, and a list beside it would take a tenth of a small merchant's memory. Who looks up names makes the list.
 */
export interface Dictionary {
  readonly textNumbers: Map<string, number>;
  readonly tupleNumbers: Map<string, number>;
}

export interface DayState {
  readonly merchant: number;
  /** Number of the local date. */
  readonly day: number;
  readonly dictionary: Dictionary;
  readonly visitors: Visitors;
  /** Slot → reason → hits dropped; undefined while there are none, as on most Days of most merchants. */
  drops: Map<number, Map<DropReason, number>> | undefined;
  ids: IdSet;
  /** Slot, or WHOLE_DAY → position of the last event that changed it; gone once published. An erasure puts another map here:
   *  what was computed or sent under the old one says nothing of the new. */
  changed: Map<number, number>;
}

export function emptyDay(merchant: number, day: number): DayState {
  return {
    merchant,
    day,
    dictionary: { textNumbers: new Map(), tupleNumbers: new Map() },
    visitors: new Visitors(day * DAY_MS),
    drops: undefined,
    ids: new IdSet(),
    changed: new Map(),
  };
}

/** The UTC instant at which an Hour given by its slot starts. */
export function slotStart(day: number, slot: number): number {
  return day * DAY_MS + slot * SLOT_MS;
}

/**
 * Counts one event that is not a duplicate. `position` is its place in the partition's log; rollups carry the highest
 * one as their version. A dropped event only counts as a drop.
 */
export function countEvent(state: DayState, { event, opinion, settings, position }: CountedEvent): void {
  const slot = (hourOf(settings.zones, event.timestamp) - state.day * DAY_MS) / SLOT_MS;
  state.ids.add(event.id);
  if (event.dropped !== "") countDrop(state, slot, event.dropped);
  else {
    const visit = toVisit(state.dictionary, { event, opinion, settings, slot });
    const visits = state.visitors.get(event.visitor);
    if (visits === undefined) state.visitors.set(event.visitor, [visit]);
    else insert(visits, visit);
    if (visits !== undefined) markVisitHours(state, visits, visit, position);
  }
  markChanged(state, slot, position);
  markChanged(state, WHOLE_DAY, position);
}

export interface CountedEvent {
  readonly event: Event;
  readonly opinion: Opinion;
  readonly settings: Settings;
  readonly position: number;
}

/** Everything a Day knows, as bytes. */
export function encodeDay(state: DayState, writer: ByteWriter): void {
  writer.byte(SHAPE_VERSION);
  writer.unsigned(state.merchant);
  writer.signed(state.day);
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
  encodeDrops(state, writer);
  writer.unsigned(state.changed.size);
  for (const [slot, position] of state.changed) {
    writer.signed(slot);
    writer.unsigned(position);
  }
  state.ids.encode(writer);
}

/** The inverse of `encodeDay`. */
export function decodeDay(reader: ByteReader): DayState {
  const shape = reader.byte();
  assert(shape === SHAPE_VERSION || shape === SHAPE_BEFORE, "a Day was stored in a shape this version knows");
  const state = emptyDay(reader.unsigned(), reader.signed());
  for (let left = reader.unsigned(); left > 0; left--) textNumber(state.dictionary, reader.text());
  for (let left = reader.unsigned(); left > 0; left--) {
    tupleNumber(
      state.dictionary,
      Array.from({ length: reader.byte() }, () => reader.unsigned()),
    );
  }
  if (shape === SHAPE_VERSION) state.visitors.decode(reader);
  else state.visitors.decodeWhole(reader);
  decodeDrops(state, reader);
  for (let left = reader.unsigned(); left > 0; left--) state.changed.set(reader.signed(), reader.unsigned());
  state.ids = IdSet.decode(reader);
  return state;
}

interface Observed {
  readonly event: Event;
  readonly opinion: Opinion;
  readonly settings: Settings;
  readonly slot: number;
}

/** An event as a visit of one. */
function toVisit(dictionary: Dictionary, { event, opinion, settings, slot }: Observed): Visit {
  const profile = PROFILE_FIELDS.map((field) => textNumber(dictionary, opinion[field]));
  const page = textNumber(dictionary, opinion.page);
  const place = [
    textNumber(dictionary, String(event.stream)),
    textNumber(dictionary, event.name),
    textNumber(dictionary, opinion.hostname),
    page,
    ...opinion.goals.map((goal) => textNumber(dictionary, goal)),
  ];
  const order = orderOf(event.id);
  const moment = isPageview(event.name) ? { time: event.timestamp, order, page } : undefined;
  const ours = event.currency === settings.currency || event.currency === "";
  const cell: Cell = {
    slot,
    place: tupleNumber(dictionary, place),
    count: 1,
    revenue: ours ? event.revenue : 0,
    foreign: ours ? 0 : 1,
    engagementMs: event.engagementMs,
  };
  return {
    start: event.timestamp,
    end: event.timestamp,
    startOrder: order,
    startSlot: slot,
    profile: tupleNumber(dictionary, profile),
    events: isEngagement(event.name) ? 0 : 1,
    entry: moment,
    exit: moment,
    cells: [cell],
    slots: [slot],
    index: undefined,
  };
}

/** A visit that changed changes every hour it has events in, and the hours whose visits were merged into it. */
function markVisitHours(state: DayState, visits: readonly Visit[], added: Visit, position: number): void {
  for (const visit of visits) {
    if (visit.end < added.start || visit.start > added.start) continue;
    for (const slot of visit.slots) markChanged(state, slot, position);
  }
}

/** Every Hour some visits have events in has changed, and the Day. */
export function markVisits(state: DayState, visits: readonly Visit[], position: number): void {
  for (const { slots } of visits) for (const slot of slots) markChanged(state, slot, position);
  markChanged(state, WHOLE_DAY, position);
}

/** Every Hour with anything in it has changed, and the Day. */
export function markAll(state: DayState, position: number): void {
  for (const visits of state.visitors.values()) markVisits(state, visits, position);
  for (const slot of state.drops?.keys() ?? []) markChanged(state, slot, position);
  markChanged(state, WHOLE_DAY, position);
}

/** The version of a rollup is the highest position that changed it, in whatever order events are counted. */
function markChanged(state: DayState, slot: number, position: number): void {
  state.changed.set(slot, Math.max(position, state.changed.get(slot) ?? 0));
}

function countDrop(state: DayState, slot: number, reason: DropReason, count = 1): void {
  state.drops ??= new Map();
  const reasons = state.drops.get(slot) ?? new Map<DropReason, number>();
  reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  state.drops.set(slot, reasons);
}

function textNumber({ textNumbers }: Dictionary, text: string): number {
  return numberOf(textNumbers, text);
}

function tupleNumber({ tupleNumbers }: Dictionary, tuple: readonly number[]): number {
  return numberOf(tupleNumbers, packTuple(tuple));
}

/** The number of a text; the next one when it is new. */
function numberOf(numbers: Map<string, number>, text: string): number {
  const known = numbers.get(text);
  if (known !== undefined) return known;
  const next = numbers.size;
  numbers.set(text, next);
  return next;
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
