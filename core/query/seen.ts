// What a scan sees of a merchant's Day: its events with their opinions and what they earn, joined to visits by the same
// rules as live counting (VIS, ORD; L3). Live counting keeps summaries and settles them when they are read
// (`counting/settled.ts`). Here all events are at hand, so the rules are followed as they are written.

import { type EventColumns, eventAt, numbersOf, textAt, textsOf } from "../archive/event-columns.ts";
import { ownEarning } from "../counting/earned.ts";
import { compareMoments, lateMomentOf } from "../counting/moment.ts";
import { RANK, type Rank } from "../counting/visit.ts";
import { type Opinion, opine } from "../enrichment/opinion.ts";
import { type OpinionColumns, opineAll, opinionAt } from "../enrichment/opinion-columns.ts";
import { type Event, isEngagement, isPageview } from "../event.ts";
import { finish, type Gradual, LOOKED_AT, Slices } from "../gradual.ts";
import { VISIT_GAP_MS } from "../limits.ts";
import { currencyOf, type Settings } from "../merchant.ts";
import { type Claim, type Earning, linesOf, type ProductLine, type Sale, settle } from "../order.ts";
import { assert } from "../outcome.ts";
import { type RuleTimeline, rulesInForce } from "../rules.ts";
import { TextMap } from "../text-map.ts";
import { idOfWords, visitorName } from "./visitor-name.ts";

export interface Seen {
  readonly event: Event;
  readonly opinion: Opinion;
  readonly visit: SeenVisit;
  /** What it earns or takes off; undefined for most. */
  readonly earning: Earning<ProductLine> | undefined;
  /**
   * The rows that it was seen with, by whose codes it is told what it has in common with others;
   * undefined where it was seen alone.
   */
  readonly of: SeenColumns | undefined;
  readonly row: number;
  /** The row whose page it counts for: its own, or that of its visit's entry (scan.ts); -1 where there is none. */
  readonly pageRow: number;
}

/** The products of an event: those it names, or those it takes back by the number of their order alone (ORD-8). */
export function productsOf({ event, earning }: Pick<Seen, "event" | "earning">): readonly ProductLine[] {
  const named = linesOf(event);
  return named.length > 0 ? named : (earning?.sale.lines ?? []);
}

export interface SeenVisit {
  /** The visitor's name in numbers over several Days (`visitor-name.ts`). */
  readonly visitor: string;
  /** In order. */
  readonly events: readonly Seen[];
  /** The event that opened it: visits, bounces and duration belong to its time. */
  readonly start: Seen;
  /** The event that gives source and device: `start`, or that of an earlier visit (VIS-6). */
  readonly profile: Seen;
  /** First and last page view. */
  readonly entry: Seen | undefined;
  readonly exit: Seen | undefined;
  readonly isBounce: boolean;
  readonly durationMs: number;
}

export interface SeenUnder {
  readonly settings: Settings;
  /** The deployment's own rules. */
  readonly global: RuleTimeline;
  /**
   * A random number of the host. Who imports a shop's events chooses ids of visitors, and must not know it. Absent
   * where nobody does.
   */
  readonly seed?: number;
}

/** A merchant's Day in one partition. */
export interface SeenDay {
  readonly visits: readonly SeenVisit[];
  /** Events that the rules of their Day do not count. */
  readonly dropped: readonly { readonly event: Event; readonly opinion: Opinion }[];
}

/** Archived rows of one merchant, Day and partition, to be seen together. */
export interface SeenRows {
  readonly rows: EventColumns;
  /** Number of the Day. */
  readonly day: number;
  /**
   * The visitors whose visits are wanted; without it all are. Rows of others are needed for order numbers that they
   * share.
   */
  readonly isCounted?: ((visitor: string) => boolean) | undefined;
}

/** The visits of rows that lie in the order of their visits. Each list has an entry for each visit. */
export interface VisitRuns {
  readonly count: number;
  /** Its rows are those in [starts[visit], starts[visit + 1]). There is one entry more than visits. */
  readonly starts: Uint32Array;
  /** A code of the visitor. */
  readonly visitors: Uint32Array;
  /** The ids of visitors, by code: two words each (visitor-name.ts). */
  readonly ids: Int32Array;
  /** 1 where the visitor can be recognised on another Day. */
  readonly known: Uint8Array;
  /** The rows of `SeenVisit.start` and `SeenVisit.profile`. */
  readonly openers: Uint32Array;
  readonly profiles: Uint32Array;
  /** The rows of the first and the last page view; -1 where there is none. */
  readonly entries: Int32Array;
  readonly exits: Int32Array;
  readonly bounces: Uint8Array;
  readonly durationsMs: Float64Array;
}

/** What is known of rows before a question looks at them (derived.ts). */
export interface Derived {
  /** Goals are not among them: they are judged when rows are read, so that a new goal costs nothing. */
  readonly opinions: Omit<OpinionColumns, "goals">;
  readonly visits: VisitRuns;
  readonly earnings: SeenColumns["earnings"];
}

/**
 * Counted rows of a merchant, Day and partition in the order of their visits. They have only those fields that
 * questions read; to read another one throws.
 */
export interface DerivedColumns extends EventColumns {
  readonly derived: Derived;
}

/** Sees rows, all at once. */
export function seeDay(rows: SeenRows, under: SeenUnder): SeenDay {
  return finish(seeDayGradually(rows, under));
}

/** Sees rows. Of rows with one id the one logged first counts. */
export function* seeDayGradually(given: SeenRows, under: SeenUnder): Gradual<SeenDay> {
  const { opinions } = yield* seeColumns(given, under);
  const slices = new Slices();
  const dropped: number[] = [];
  const visits: SeenVisit[] = [];
  for (const visit of seeVisits(given, under, dropped)) {
    visits.push(visit);
    if (slices.isOver(LOOKED_AT * visit.events.length)) yield;
  }
  return {
    visits,
    dropped: dropped.map((row) => ({ event: eventAt(given.rows, row), opinion: opinionAt(opinions, row) })),
  };
}

/**
 * The visits of rows, one visitor after the other. They are made when they are asked for, so memory holds those of one
 * visitor. Rows that are not counted are noted in `dropped`.
 */
export function* seeVisits(
  { rows, day, isCounted = () => true }: SeenRows,
  under: SeenUnder,
  dropped: number[] = [],
): Generator<SeenVisit, undefined> {
  const seen = finish(seeColumns({ rows, day }, under));
  if (seen.runs !== undefined) {
    for (let visit = 0; visit < seen.runs.count; visit++) yield new RunVisit(seen, seen.runs, { visit, day });
    return;
  }
  const visitors = textsOf(rows, "visitor").values;
  const kinds = textsOf(rows, "visitorKind");
  for (let at = 0; at < seen.visitors.length; at++) {
    const id = visitors[seen.visitors[at] as number] as string;
    if (!isCounted(id)) continue;
    const own = seen.byVisitor.subarray(seen.starts[at], seen.starts[at + 1]);
    const counted = countedOf(seen, own, dropped);
    const isKnown = counted.some((row) => textAt(kinds, row) !== "daily");
    yield* visitsOf(seen, runsOf(seen, inOrder(seen, counted)), visitorName({ id, day, isKnown }));
  }
}

/**
 * An event as the only one of its visit. That is enough for questions about events alone. Undefined where it is not
 * counted.
 */
export function seeAlone(event: Event, day: number, under: SeenUnder): Seen | undefined {
  if (event.dropped === "duplicate") return undefined; // another story under a known id is no event (DUP-2)
  const moment = { instant: event.timestamp, day, importNumber: event.importNumber };
  const rules = rulesInForce({ own: under.settings.rules, global: under.global }, moment);
  const opinion = opine(event, rules);
  if (opinion.dropped !== "") return undefined;
  const seen: { -readonly [key in keyof Seen]: Seen[key] } = {
    event,
    opinion,
    visit: undefined as unknown as SeenVisit,
    earning: undefined,
    of: undefined,
    row: -1,
    pageRow: -1,
  };
  const view = isPageview(event.name) ? seen : undefined;
  seen.visit = {
    visitor: event.visitor,
    events: [seen],
    start: seen,
    profile: seen,
    entry: view,
    exit: view,
    isBounce: true,
    durationMs: 0,
  };
  return seen;
}

/** What is known of rows that are counted together, whatever the question. */
export interface SeenColumns {
  /** A key for what is remembered about these rows. It keeps nothing of them in memory. */
  readonly token: object;
  readonly columns: EventColumns;
  readonly opinions: OpinionColumns;
  /** To be called before anything reads `opinions.goals`. Only for derived rows it takes time, and only once. */
  readonly judgeGoals: () => Gradual<void>;
  readonly times: Float64Array;
  /** 1 for page views. */
  readonly views: Uint8Array;
  /** What events earn, by row. Most earn nothing. */
  readonly earnings: ReadonlyMap<number, Earning<ProductLine>>;
  /** Its visits, where they are known. Otherwise they are made of what follows. */
  readonly runs: VisitRuns | undefined;
  /** Whether it is an engagement report, a passive event or one that opens a visit. */
  readonly ranks: Uint8Array;
  /**
   * Codes of visitors in the order in which they first appear. `byVisitor` has the rows of each, in the order of the
   * log.
   */
  readonly visitors: Uint32Array;
  readonly starts: Uint32Array;
  readonly byVisitor: Uint32Array;
}

/** Questions that are counted together look at the same rows one after the other. */
const lastSeen = new WeakMap<
  EventColumns,
  { readonly day: number; readonly under: SeenUnder; readonly seen: SeenColumns }
>();

/** Finds what is known of rows, once for all questions that look at them. */
export function* seeColumns({ rows, day }: Pick<SeenRows, "rows" | "day">, under: SeenUnder): Gradual<SeenColumns> {
  const last = lastSeen.get(rows);
  if (last !== undefined && last.day === day && last.under === under) return last.seen;
  const seen = "derived" in rows ? seeDerived(rows as DerivedColumns, day, under) : yield* seeRows(rows, day, under);
  lastSeen.set(rows, { day, under, seen });
  return seen;
}

const NO_ROWS = new Uint32Array(0);

/** The opinions of derived rows. Goals are judged once, slice by slice, before anybody reads them. */
function goalsLater(rows: DerivedColumns, day: number, under: SeenUnder): Pick<SeenColumns, "opinions" | "judgeGoals"> {
  const known = rows.derived.opinions;
  let goals: OpinionColumns["goals"] | undefined;
  return {
    opinions: {
      ...known,
      get goals() {
        assert(goals !== undefined, "goals of derived rows are read before they were judged");
        return goals;
      },
    },
    *judgeGoals() {
      if (goals !== undefined) return;
      ({ goals } = yield* opineAll(rows, day, { own: under.settings.rules, global: under.global }, known));
    },
  };
}

function seeDerived(rows: DerivedColumns, day: number, under: SeenUnder): SeenColumns {
  const { visits, earnings } = rows.derived;
  const isView = textsOf(rows, "name").values.map(isPageview);
  const names = textsOf(rows, "name").codes;
  const views = new Uint8Array(rows.count);
  for (let row = 0; row < rows.count; row++) views[row] = isView[names[row] as number] ? 1 : 0;
  return {
    token: {},
    columns: rows,
    ...goalsLater(rows, day, under),
    times: numbersOf(rows, "timestamp"),
    views,
    earnings,
    runs: visits,
    ranks: new Uint8Array(0),
    visitors: NO_ROWS,
    starts: NO_ROWS,
    byVisitor: NO_ROWS,
  };
}

function* seeRows(rows: EventColumns, day: number, under: SeenUnder): Gradual<SeenColumns> {
  const opinions = yield* opineAll(rows, day, { own: under.settings.rules, global: under.global });
  const judged = rowsOnce(rows);
  const earnings = yield* earningsOf(rows, { judged, opinions, settings: under.settings });
  const names = textsOf(rows, "name");
  const [views, engagements] = [isPageview, isEngagement].map((is) => names.values.map(is)) as [boolean[], boolean[]];
  const passive = opinions.act.values.map((value) => value?.passive === true);
  const kinds = { ranks: new Uint8Array(rows.count), views: new Uint8Array(rows.count) };
  for (let row = 0; row < rows.count; row++) {
    const name = names.codes[row] as number;
    const isPassive = passive[opinions.act.codes[row] as number] === true;
    kinds.ranks[row] = rankOf(engagements[name] === true, isPassive);
    kinds.views[row] = views[name] ? 1 : 0;
  }
  return {
    token: {},
    columns: rows,
    opinions,
    *judgeGoals() {},
    times: numbersOf(rows, "timestamp"),
    ...kinds,
    earnings,
    runs: undefined,
    ...groupedByVisitor(rows, judged),
  };
}

/** Each event once, in the order of the log. Other stories under its id are no events. */
function rowsOnce(columns: EventColumns): Uint32Array {
  const { positions, count } = columns;
  const order = new Uint32Array(count);
  let isInOrder = true;
  for (let row = 0; row < count; row++) {
    order[row] = row;
    if (row > 0 && (positions[row - 1] as number) > (positions[row] as number)) isInOrder = false;
  }
  if (!isInOrder) order.sort((a, b) => (positions[a] as number) - (positions[b] as number));
  const drops = textsOf(columns, "dropped");
  const duplicates = drops.values.map((value) => value === "duplicate");
  if (columns.isOnce) return order.filter((row) => !duplicates[drops.codes[row] as number]);
  const ids = textsOf(columns, "id");
  const keyed = numbersOf(columns, "keyed");
  // Ids with a key are kept apart from ids without (DUP-1).
  const known = new Uint8Array(ids.values.length);
  const once = new Uint32Array(count);
  let found = 0;
  for (let at = 0; at < count; at++) {
    const row = order[at] as number;
    if (duplicates[drops.codes[row] as number]) continue;
    const id = ids.codes[row] as number;
    const bit = keyed[row] === 1 ? 2 : 1;
    if (((known[id] as number) & bit) !== 0) continue;
    known[id] = (known[id] as number) | bit;
    once[found++] = row;
  }
  return once.subarray(0, found);
}

function groupedByVisitor(
  columns: EventColumns,
  judged: Uint32Array,
): Pick<SeenColumns, "visitors" | "starts" | "byVisitor"> {
  const { codes, values } = textsOf(columns, "visitor");
  const indexes = new Int32Array(values.length).fill(-1);
  const visitors = new Uint32Array(values.length);
  const sizes = new Uint32Array(values.length + 1);
  let found = 0;
  for (const row of judged) {
    const code = codes[row] as number;
    if ((indexes[code] as number) < 0) {
      visitors[found] = code;
      indexes[code] = found++;
    }
    const index = indexes[code] as number;
    sizes[index] = (sizes[index] as number) + 1;
  }
  const starts = new Uint32Array(found + 1);
  for (let index = 0; index < found; index++) starts[index + 1] = (starts[index] as number) + (sizes[index] as number);
  const next = starts.slice();
  const byVisitor = new Uint32Array(judged.length);
  for (const row of judged) {
    const index = indexes[codes[row] as number] as number;
    byVisitor[next[index] as number] = row;
    next[index] = (next[index] as number) + 1;
  }
  return { visitors: visitors.subarray(0, found), starts, byVisitor };
}

interface RowClaim extends Claim<ProductLine> {
  readonly row: number;
}

interface EarningOf {
  readonly judged: Uint32Array;
  readonly opinions: OpinionColumns;
  readonly settings: Settings;
}

/**
 * What events earn, each by itself or with the others of its order number. A prefetched page view earns only by itself
 * alone, where it turns out to have been seen.
 */
function* earningsOf(
  columns: EventColumns,
  { judged, opinions, settings }: EarningOf,
): Gradual<SeenColumns["earnings"]> {
  const slices = new Slices();
  const earnings = new Map<number, Earning<ProductLine>>();
  const book = new TextMap<RowClaim[]>();
  const revenues = numbersOf(columns, "revenue");
  for (const row of judged) {
    const { act } = opinions.act.values[opinions.act.codes[row] as number] as Pick<Opinion, "act">;
    if (act === "step" || (act === "none" && revenues[row] === 0)) continue; // nearly every event
    const drop = dropOf(opinions, row);
    if (drop !== "" && drop !== "prefetch") continue;
    const event = eventAt(columns, row);
    const sale = saleOf(event, settings);
    // Whoever knows the shop's tracking ID may send as many orders of fifty products as they like.
    if (slices.isOver(LOOKED_AT * (1 + sale.lines.length))) yield;
    const own = ownEarning(event, act, sale);
    if (own !== undefined) earnings.set(row, own);
    if (drop !== "" || event.order === "" || act === "none") continue;
    const claims = book.get(event.order) ?? [];
    if (claims.length === 0) book.set(event.order, claims);
    claims.push(toClaim(event, { act, sale, row }));
  }
  for (const claims of book.values()) {
    for (const [{ row }, earning] of settle<ProductLine, RowClaim>(claims)) earnings.set(row, earning);
    if (slices.isOver(LOOKED_AT * claims.length)) yield;
  }
  return earnings;
}

function toClaim(event: Event, { act, sale, row }: Pick<RowClaim, "act" | "sale" | "row">): RowClaim {
  const moment = lateMomentOf(event);
  const { time, order } = moment;
  return {
    ...{ act, sale, row, time, order },
    keyed: event.keyed === 1,
    get tie() {
      return moment.tie;
    },
  };
}

function saleOf(event: Event, settings: Settings): Sale<ProductLine> {
  return { currency: currencyOf(event, settings), revenue: Math.abs(event.revenue), lines: linesOf(event) };
}

function dropOf({ drop: { codes, values } }: OpinionColumns, row: number): Opinion["dropped"] {
  return (values[codes[row] as number] as Pick<Opinion, "dropped">).dropped;
}

/** The rows of a visitor that count. The others are noted in `dropped`. */
function countedOf(seen: SeenColumns, own: Uint32Array, dropped: number[]): readonly number[] {
  const counted: number[] = [];
  const others: number[] = [];
  for (const row of own) (dropOf(seen.opinions, row) === "" ? counted : others).push(row);
  if (others.length === 0) return counted;
  const looked = seenPrefetches(seen, counted, others);
  for (const row of others) if (!looked.has(row)) dropped.push(row);
  return looked.size === 0 ? counted : [...own].filter((row) => dropOf(seen.opinions, row) === "" || looked.has(row));
}

/** The prefetched page views of a visitor that somebody looked at (PRE-1). */
function seenPrefetches(seen: SeenColumns, counted: readonly number[], others: readonly number[]): ReadonlySet<number> {
  const prefetched = others.filter((row) => dropOf(seen.opinions, row) === "prefetch" && isView(seen, row));
  if (prefetched.length === 0) return new Set();
  const pageOf = (row: number) => {
    const { hostname, page } = opinionAt(seen.opinions, row);
    return `${hostname} ${page}`;
  };
  const viewed = new Set(counted.filter((row) => isView(seen, row)).map(pageOf));
  const touched = new Set(counted.filter((row) => !isView(seen, row)).map(pageOf));
  const looked = prefetched.filter((row) => touched.has(pageOf(row)) && !viewed.has(pageOf(row)));
  const firsts = new Map([...inOrder(seen, looked)].reverse().map((row) => [pageOf(row), row]));
  return new Set(firsts.values());
}

function isView({ views }: SeenColumns, row: number): boolean {
  return views[row] === 1;
}

/** Rows in the order of their moments. Usually they have it already. */
function inOrder({ times, columns }: SeenColumns, rows: readonly number[]): readonly number[] {
  const isInOrder = rows.every(
    (row, at) => at === 0 || (times[rows[at - 1] as number] as number) < (times[row] as number),
  );
  if (isInOrder) return rows;
  const compare = (a: number, b: number) =>
    (times[a] as number) - (times[b] as number) ||
    compareMoments(lateMomentOf(eventAt(columns, a)), lateMomentOf(eventAt(columns, b)));
  return rows.toSorted(compare);
}

/** The longest runs of sorted events with gaps of at most VISIT_GAP_MS. */
function runsOf({ times }: SeenColumns, sorted: readonly number[]): readonly (readonly number[])[] {
  const runs: number[][] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const row of sorted) {
    const time = times[row] as number;
    if (time - last > VISIT_GAP_MS) runs.push([]);
    runs.at(-1)?.push(row);
    last = time;
  }
  return runs;
}

/** A visit in the making: a run, later events that opened no visit, and the visit that gives it its profile. */
interface Opened {
  readonly own: readonly number[];
  readonly start: number;
  readonly more: number[];
}

/** Which runs are visits (VIS-4). A run that nothing opened belongs to the visit before it. */
function visitsOf(seen: SeenColumns, runs: readonly (readonly number[])[], visitor: string): readonly SeenVisit[] {
  const opened: Opened[] = [];
  for (const own of runs) {
    let [highest, start] = [-1, 0];
    for (const row of own) {
      const rank = seen.ranks[row] as number;
      if (rank > highest) [highest, start] = [rank, row];
    }
    const before = opened.at(-1);
    if (before !== undefined && highest < RANK.opening) before.more.push(...own);
    else if (highest > RANK.engagement) opened.push({ own, start, more: [] });
  }
  const visits: SeenVisit[] = [];
  for (const one of opened) visits.push(toVisit(seen, one, { visitor, before: visits.at(-1) }));
  return visits;
}

function rankOf(engagement: boolean, passive: boolean): Rank {
  if (engagement) return RANK.engagement;
  return passive ? RANK.passive : RANK.opening;
}

interface OfVisitor {
  readonly visitor: string;
  readonly before: SeenVisit | undefined;
}

function toVisit(seen: SeenColumns, { own, start, more }: Opened, { visitor, before }: OfVisitor): SeenVisit {
  const events: Seen[] = [];
  let openings = 0;
  for (const row of own) if (seen.ranks[row] === RANK.opening) openings += 1;
  const visit: { -readonly [key in keyof SeenVisit]: SeenVisit[key] } = {
    visitor,
    events,
    start: undefined as unknown as Seen,
    profile: undefined as unknown as Seen,
    entry: undefined,
    exit: undefined,
    isBounce: openings <= 1,
    durationMs: (seen.times[own.at(-1) as number] as number) - (seen.times[start] as number),
  };
  for (const rows of [own, more])
    for (const row of rows) {
      const one = new SeenRow(seen, row, visit);
      events.push(one);
      if (row === start) visit.start = one;
      if (!isView(seen, row)) continue;
      visit.entry ??= one;
      visit.exit = one;
    }
  const { codes, values } = seen.opinions.origin;
  const isReturn = values[codes[start] as number]?.isReturn === true;
  visit.profile = before !== undefined && isReturn ? before.profile : visit.start;
  return visit;
}

/** A visit that is known already. What it has is made when somebody reads it. */
class RunVisit implements SeenVisit {
  readonly #seen: SeenColumns;
  readonly #runs: VisitRuns;
  readonly #visit: number;
  readonly #day: number;
  #events: readonly Seen[] | undefined;

  constructor(seen: SeenColumns, runs: VisitRuns, { visit, day }: { readonly visit: number; readonly day: number }) {
    this.#seen = seen;
    this.#runs = runs;
    this.#visit = visit;
    this.#day = day;
  }

  get visitor(): string {
    return visitNameAt(this.#runs, { visit: this.#visit, day: this.#day });
  }

  get events(): readonly Seen[] {
    if (this.#events !== undefined) return this.#events;
    const end = this.#runs.starts[this.#visit + 1] as number;
    const events: Seen[] = [];
    for (let row = this.#runs.starts[this.#visit] as number; row < end; row++) events.push(this.at(row));
    this.#events = events;
    return events;
  }

  get start(): Seen {
    return this.at(this.#runs.openers[this.#visit] as number);
  }

  get profile(): Seen {
    return this.at(this.#runs.profiles[this.#visit] as number);
  }

  get entry(): Seen | undefined {
    return this.#view(this.#runs.entries);
  }

  get exit(): Seen | undefined {
    return this.#view(this.#runs.exits);
  }

  get isBounce(): boolean {
    return this.#runs.bounces[this.#visit] === 1;
  }

  get durationMs(): number {
    return this.#runs.durationsMs[this.#visit] as number;
  }

  at(row: number): Seen {
    return new SeenRow(this.#seen, row, this);
  }

  #view(views: Int32Array): Seen | undefined {
    const row = views[this.#visit] as number;
    return row < 0 ? undefined : this.at(row);
  }
}

/** A row of a visit that is known already, with all of its visit. */
export function seenAt(
  seen: SeenColumns,
  runs: VisitRuns,
  { visit, day, row }: { readonly visit: number; readonly day: number; readonly row: number },
): Seen {
  return new RunVisit(seen, runs, { visit, day }).at(row);
}

/** The name of a visit's visitor. */
function visitNameAt(
  { ids, visitors, known }: VisitRuns,
  { visit, day }: { readonly visit: number; readonly day: number },
): string {
  const at = 2 * (visitors[visit] as number);
  const id = idOfWords(ids[at] as number, ids[at + 1] as number);
  return visitorName({ id, day, isKnown: known[visit] === 1 });
}

/** One object that stands for one row after the other. It has what codes of attributes are made of. */
export class RowCursor implements Seen {
  readonly of: SeenColumns;
  readonly #runs: VisitRuns;
  readonly #profile: { row: number };
  readonly #visit: { entry: { row: number } | undefined; exit: { row: number } | undefined; profile: { row: number } };
  #at = -1;
  row = 0;
  pageRow = 0;

  constructor(of: SeenColumns, runs: VisitRuns) {
    this.of = of;
    this.#runs = runs;
    this.#profile = { row: 0 };
    this.#visit = { entry: undefined, exit: undefined, profile: this.#profile };
  }

  to(visit: number, row: number): this {
    this.row = row;
    this.pageRow = row;
    if (visit === this.#at) return this;
    const { profiles, entries, exits } = this.#runs;
    const at = (view: number) => (view < 0 ? undefined : { row: view });
    this.#at = visit;
    this.#profile.row = profiles[visit] as number;
    this.#visit.entry = at(entries[visit] as number);
    this.#visit.exit = at(exits[visit] as number);
    return this;
  }

  get visit(): SeenVisit {
    return this.#visit as unknown as SeenVisit;
  }

  get event(): Event {
    return eventAt(this.of.columns, this.row);
  }

  get opinion(): Opinion {
    return opinionAt(this.of.opinions, this.row);
  }

  get earning(): Earning<ProductLine> | undefined {
    return this.of.earnings.get(this.row);
  }
}

/** A row as an event. Its values are made when somebody reads them. */
class SeenRow implements Seen {
  readonly of: SeenColumns;
  readonly row: number;
  readonly pageRow: number;
  readonly visit: SeenVisit;
  #event: Event | undefined;

  constructor(of: SeenColumns, row: number, visit: SeenVisit, pageRow = row) {
    this.of = of;
    this.row = row;
    this.visit = visit;
    this.pageRow = pageRow;
  }

  get event(): Event {
    this.#event ??= eventAt(this.of.columns, this.row);
    return this.#event;
  }

  get opinion(): Opinion {
    const { of, row, pageRow } = this;
    const opinion = opinionAt(of.opinions, row);
    if (pageRow === row) return opinion;
    const page = pageRow < 0 ? "" : opinionAt(of.opinions, pageRow).page;
    // A view of the same opinion with another page: reading one field of it judges no others.
    return Object.create(opinion, { page: { value: page } }) as Opinion;
  }

  get earning(): Earning<ProductLine> | undefined {
    return this.of.earnings.get(this.row);
  }
}

/** The event as if it had happened on its visit's entry page. */
export function onEntryPage(seen: Seen): Seen {
  const { of, row, visit } = seen;
  assert(of !== undefined, "an event of a visit is one of several rows");
  return new SeenRow(of, row, visit, visit.entry?.row ?? -1);
}
