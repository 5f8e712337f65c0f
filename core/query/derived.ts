// What counting makes of a merchant's rows of a sealed Day before any question is asked: which of them count, their
// opinions, what they earn, and their visits. A seal writes it down beside the rows (storage/archive/derived-file.ts),
// so that a question need not make it again. The rows stay the truth: what is derived holds only under the rules that
// it was made by, and where those are others now, the rows are read (SCN-10).

import { type EventColumns, selectRows, textsOf } from "../archive/event-columns.ts";
import { type OpinionColumn, PARTS_DERIVED } from "../enrichment/opinion-columns.ts";
import { type Event, FIELDS } from "../event.ts";
import { finish } from "../gradual.ts";
import { hash64Hex } from "../hash.ts";
import { assert } from "../outcome.ts";
import { type Rules, type RuleTimeline, rulesAt } from "../rules.ts";
import { TextMap } from "../text-map.ts";
import { DAY_MS } from "../time.ts";
import {
  type DerivedColumns,
  type Seen,
  type SeenUnder,
  type SeenVisit,
  seeColumns,
  seeVisits,
  type VisitRuns,
} from "./seen.ts";
import { isKnownName, wordsOfId } from "./visitor-name.ts";

/**
 * Raised whenever code gives the same events other opinions, earnings or visits, or storage/archive/derived-file.ts
 * writes other bytes: older files are then not read, and a release that is rolled back to reads none of the newer.
 */
const DERIVED_VERSION = 1;

/** The fields of an event that questions read when opinions and visits are known. */
export const DERIVED_NUMBERS = ["timestamp", "stream", "engagementMs", "scroll", "importNumber"] as const;
export const DERIVED_TEXTS = ["name", "userAgent", "props", "products"] as const;
const KEPT: ReadonlySet<keyof Event> = new Set([...DERIVED_NUMBERS, ...DERIVED_TEXTS, "visitor"]);

/** Derives all of a merchant's rows of a Day in one partition. */
export function derive(rows: EventColumns, day: number, under: SeenUnder): DerivedColumns {
  const { opinions, earnings } = finish(seeColumns({ rows, day }, under));
  const visits = [...seeVisits({ rows, day }, under)];
  const order = orderOf(visits);
  const places = new Int32Array(rows.count).fill(-1);
  for (const [place, row] of order.entries()) places[row] = place;
  const kept = selectRows(onlyKept(rows), order);
  return {
    ...kept,
    texts: kept.texts.map((column) => column && compacted(column)),
    derived: {
      opinions: Object.fromEntries(
        PARTS_DERIVED.map((part) => {
          const { codes, values } = opinions[part];
          return [part, compacted({ codes: order.map((row) => codes[row] as number), values })];
        }),
      ) as Record<(typeof PARTS_DERIVED)[number], OpinionColumn>,
      earnings: new Map(
        [...earnings].flatMap(([row, earning]) => {
          const place = places[row] as number;
          return place < 0 ? [] : [[place, earning]];
        }),
      ),
      visits: runsOf(visits, { kept, places }),
    },
  };
}

/** The rows of visits, in the order of these. */
function orderOf(visits: readonly SeenVisit[]): Uint32Array {
  const order = new Uint32Array(visits.reduce((sum, { events }) => sum + events.length, 0));
  let next = 0;
  for (const { events } of visits) for (const { row } of events) order[next++] = row;
  return order;
}

/** The rows with only those fields that questions read. */
function onlyKept(rows: EventColumns): EventColumns {
  const own = <T>(column: T, at: number) => (KEPT.has(FIELDS[at]?.name as keyof Event) ? column : undefined);
  return { ...rows, positions: new Float64Array(0), texts: rows.texts.map(own), numbers: rows.numbers.map(own) };
}

/** A column of codes with those of its values that a row has, each once. */
function compacted<T>({ codes, values }: { readonly codes: Uint32Array; readonly values: readonly T[] }): {
  readonly codes: Uint32Array;
  readonly values: readonly T[];
} {
  const places = new Int32Array(values.length).fill(-1);
  const known = new TextMap<number>();
  const kept: T[] = [];
  const own = new Uint32Array(codes.length);
  for (const [row, code] of codes.entries()) {
    if ((places[code] as number) < 0) {
      const text = JSON.stringify(values[code]);
      places[code] = known.get(text) ?? kept.length;
      if (places[code] === kept.length) {
        known.set(text, kept.length);
        kept.push(values[code] as T);
      }
    }
    own[row] = places[code] as number;
  }
  return { codes: own, values: kept };
}

interface Placed {
  readonly kept: EventColumns;
  /** The new place of each row; -1 where it does not count. */
  readonly places: Int32Array;
}

function runsOf(visits: readonly SeenVisit[], { kept, places }: Placed): VisitRuns {
  const count = visits.length;
  const { codes, values } = compacted(textsOf(kept, "visitor"));
  const runs: VisitRuns = {
    count,
    ids: new Int32Array(2 * values.length),
    starts: new Uint32Array(count + 1),
    visitors: new Uint32Array(count),
    known: Uint8Array.from(visits, ({ visitor }) => (isKnownName(visitor) ? 1 : 0)),
    openers: Uint32Array.from(visits, ({ start }) => newRowOf(places, start)),
    profiles: Uint32Array.from(visits, ({ profile }) => newRowOf(places, profile)),
    entries: Int32Array.from(visits, ({ entry }) => (entry === undefined ? -1 : newRowOf(places, entry))),
    exits: Int32Array.from(visits, ({ exit }) => (exit === undefined ? -1 : newRowOf(places, exit))),
    bounces: Uint8Array.from(visits, ({ isBounce }) => (isBounce ? 1 : 0)),
    durationsMs: Float64Array.from(visits, ({ durationMs }) => durationMs),
  };
  for (const [code, id] of values.entries()) {
    const words = wordsOfId(id);
    assert(words !== undefined, "a visitor is 16 hex digits");
    runs.ids.set(words, 2 * code);
  }
  let next = 0;
  for (const [at, { events, visitor }] of visits.entries()) {
    runs.starts[at] = next;
    runs.visitors[at] = codes[next] as number;
    assert(visitor.startsWith(values[codes[next] as number] as string), "a visit's rows are of its visitor");
    next += events.length;
  }
  runs.starts[count] = next;
  return runs;
}

function newRowOf(places: Int32Array, { row }: Seen): number {
  const place = places[row] as number;
  assert(place >= 0, "what a visit names is among the rows that count");
  return place;
}

/**
 * Names everything outside of a Day's rows that its derived rows depend on: this code, the rules in force on that Day,
 * and what events without a currency are in. Equal names mean equal derived rows.
 */
export function derivedUnder({ settings, global }: SeenUnder, day: number): string {
  const { rules, currency, currencies } = settings;
  const text = JSON.stringify([
    DERIVED_VERSION,
    currency,
    currencies,
    rulesOn(rules, day),
    rulesOn(global, day),
    rules.flatMap((period) => ("withoutImport" in period && isOn(period.days, day) ? [period.withoutImport] : [])),
  ]);
  return hash64Hex(text);
}

/** A Day in any zone of the world lies within so much of the Day in UTC. */
const ZONE_MS = 1.5 * DAY_MS;

/** The rules of a Day, and of each instant at which others begin to hold. */
function rulesOn(timeline: RuleTimeline, day: number): readonly (readonly [from: number, rules: string])[] {
  const [begin, end] = [day * DAY_MS - ZONE_MS, (day + 1) * DAY_MS + ZONE_MS];
  const changes = timeline.flatMap((period) =>
    "from" in period && period.from > begin && period.from < end ? [period.from] : [],
  );
  const all = [begin, ...new Set(changes.sort((a, b) => a - b))].map(
    (instant) => [instant, nameOf(rulesAt(timeline, { instant, day }))] as const,
  );
  return all.filter(([, rules], at) => at === 0 || rules !== all[at - 1]?.[1]);
}

const names = new WeakMap<Rules, string>();

/** Names rules without their goals. */
function nameOf(rules: Rules): string {
  const known = names.get(rules) ?? hash64Hex(JSON.stringify({ ...rules, goals: [] }));
  names.set(rules, known);
  return known;
}

function isOn([from, to]: readonly [from: number, to: number], day: number): boolean {
  return from <= day && day < to;
}
