// The second caller of the counting rules (L3): from archived events to rollup rows, as the partition that counted them
// would publish them now. Opinions are formed again from the facts, under the rules that hold for them. No derived
// value is copied. The caller reads the archive, as much at a time as its memory allows, and decides whether to
// compare, write or show the rows.

import {
  type ColumnBlock,
  columnsOf,
  type EventColumns,
  eventAt,
  textAt,
  textsOf,
  withSeed,
} from "../archive/event-columns.ts";
import type { ArchivedEvent } from "../archive/file.ts";
import type { PartName } from "../enrichment/opinion.ts";
import { numberCodes, type OpinionColumns, opineAll, opinionAt, textCodes } from "../enrichment/opinion-columns.ts";
import { finish, type Gradual, LOOKED_AT, Slices } from "../gradual.ts";
import type { Settings } from "../merchant.ts";
import { type Codes, joinCodes } from "../pair-codes.ts";
import { countedBy, shownDay } from "../past-zone.ts";
import { GLOBAL_MERCHANT, type RuleTimeline } from "../rules.ts";
import {
  countKnown,
  type DayState,
  emptyDay,
  type Kind,
  namesOf,
  placeNumbers,
  profileNumber,
  slotStart,
  WHOLE_DAY,
} from "./day.ts";
import { keptOnce } from "./once.ts";
import { ALL_DIMENSIONS } from "./rollup.ts";
import { type RollupRow, thinned, toRollupRow } from "./rollup-row.ts";
import { settledVisits, type VisitsByVisitor } from "./settled.ts";
import type { Visit } from "./visit.ts";

/**
 * Settings by merchant number; undefined leaves a merchant's events out. Those of GLOBAL_MERCHANT are the deployment's.
 */
export type SettingsOf = (merchant: number) => Settings | undefined;

/** The settings and rules that archived events of a merchant are counted by. */
export interface ReplayedUnder {
  readonly settings: Settings;
  /** The deployment's own rules. */
  readonly global: RuleTimeline;
}

/** One merchant's Day in one partition while its events come in. */
export interface ReplayedDay {
  readonly state: DayState;
  readonly partition: string;
}

/**
 * Counts archived events, given in the order of the log, under the rules that hold for each. Returns the events to
 * keep: without those that repeat an event that was counted. Of two rows with one id the first counts. It had the lower
 * position when both came. A row with the id of another and another story is kept as a duplicate (DUP-2). That is so
 * even for a row that came after its Day was closed, when nobody compared the two.
 */
export function replayRows(day: ReplayedDay, block: ColumnBlock, under: ReplayedUnder): ColumnBlock {
  return finish(replayGradually(day, block, under));
}

/** The same, slice by slice. */
export function* replayGradually(
  { state }: ReplayedDay,
  block: ColumnBlock,
  { settings, global }: ReplayedUnder,
): Gradual<ColumnBlock> {
  const kept = keptOnce(block, state.ids);
  const columns = withSeed(kept);
  const opinions = yield* opineAll(columns, state.day, { own: settings.rules, global });
  const slices = new Slices();
  const drops = textsOf(kept, "dropped");
  const kinds = new Kinds(state, columns, opinions);
  for (let row = 0; row < kept.count; row++) {
    const event = eventAt(kept, row);
    const opinion = opinionAt(opinions, row);
    // An event that was a duplicate when it came stays one, even if the first event of that id is on the Day beside
    // this one.
    const dropped = textAt(drops, row) === "duplicate" ? "duplicate" : opinion.dropped;
    const position = kept.positions[row] as number;
    countKnown(state, { event, opinion, settings, position, dropped, kind: kinds.of(row) });
    if (slices.isOver(LOOKED_AT)) yield;
  }
  return kept;
}

/** Remembers the kinds of events, so that each kind is found out once (day.ts). */
class Kinds {
  readonly #state: DayState;
  readonly #columns: EventColumns;
  readonly #opinions: OpinionColumns;
  readonly #profileOf: Uint32Array;
  readonly #placeOf: Uint32Array;
  readonly #profiles: number[] = [];
  readonly #places: Pick<Kind, "place" | "page">[] = [];

  constructor(state: DayState, columns: EventColumns, opinions: OpinionColumns) {
    this.#state = state;
    this.#columns = columns;
    this.#opinions = opinions;
    const said = (part: PartName): Codes => ({ codes: opinions[part].codes, size: opinions[part].values.length });
    this.#profileOf = joinCodes([said("origin"), said("device"), said("place")], columns).codes;
    const told = [numberCodes(columns, "stream"), textCodes(columns, "name"), textCodes(columns, "products")];
    this.#placeOf = joinCodes([said("address"), said("goals"), ...told], columns).codes;
  }

  of(row: number): Kind {
    const [profile, place] = [this.#profileOf[row] as number, this.#placeOf[row] as number];
    const { dictionary } = this.#state;
    const opinion = opinionAt(this.#opinions, row);
    this.#profiles[profile] ??= profileNumber(dictionary, opinion);
    this.#places[place] ??= placeNumbers(dictionary, { event: eventAt(this.#columns, row), opinion });
    return { profile: this.#profiles[profile], ...this.#places[place] };
  }
}

/** Whether only totals are wanted of the Hour that starts at a UTC instant. */
export type IsThinWanted = (hourStart: number) => boolean;

/**
 * The rollups of one merchant's Day: one row per Hour with anything in it, and one for the Day. An Hour of which only
 * totals are wanted is made as a packed Day has it. That takes a small share of the time that breakdowns and sketches
 * take.
 */
export function replayedRows(
  { state, partition }: ReplayedDay,
  isThinWanted: IsThinWanted = () => false,
): readonly RollupRow[] {
  const names = namesOf(state);
  const all = settledVisits(state, names);
  const visits = visitsBySlot(all);
  return [...state.changed].map(([slot, version]) => {
    const visitors = slot === WHOLE_DAY ? all : (visits.get(slot) ?? []);
    const isThin = slot !== WHOLE_DAY && isThinWanted(slotStart(state.day, slot));
    const dimensions = isThin ? [] : ALL_DIMENSIONS;
    const row = toRollupRow(state, { slot, partition, version, dimensions, visitors, names });
    return isThin ? thinned(row) : row;
  });
}

/**
 * The visits of each Hour, found in one pass. To search for each Hour by itself would take 24 passes over all visitors.
 */
function visitsBySlot(visitors: VisitsByVisitor): ReadonlyMap<number, VisitsByVisitor> {
  const bySlot = new Map<number, [string, readonly Visit[]][]>();
  for (const [visitor, visits] of visitors) {
    for (const visit of visits) {
      for (const slot of visit.slots) {
        const found = bySlot.get(slot) ?? [];
        if (found.length === 0) bySlot.set(slot, found);
        // A visitor with two visits in one Hour is listed once.
        if (found.at(-1)?.[0] !== visitor) found.push([visitor, visits]);
      }
    }
  }
  return bySlot;
}

/** The rollups of given events, in any order: one row per merchant, bucket and partition. */
export function replay(events: Iterable<ArchivedEvent>, settingsOf: SettingsOf): readonly RollupRow[] {
  const global = settingsOf(GLOBAL_MERCHANT)?.rules ?? [];
  const days = new Map<string, { readonly day: number; readonly settings: Settings; readonly rows: ArchivedEvent[] }>();
  for (const archived of [...events].sort((a, b) => a.position - b.position)) {
    const { event, partition } = archived;
    const known = settingsOf(event.merchant);
    if (known === undefined) continue;
    const settings = countedBy(known);
    const day = shownDay(settings.zones, event.timestamp);
    const key = `${partition} ${event.merchant} ${day}`;
    const found = days.get(key) ?? { day, settings, rows: [] };
    days.set(key, found);
    found.rows.push(archived);
  }
  return [...days.values()].flatMap(({ day, settings, rows }) => {
    const replayed = { state: emptyDay(settings.merchant, day), partition: (rows[0] as ArchivedEvent).partition };
    replayRows(replayed, columnsOf(rows), { settings, global });
    return replayedRows(replayed);
  });
}
