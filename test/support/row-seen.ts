// What a scan saw of a merchant's Day before it read columns: a plain telling of the same rules, an event and a row at
// a time. The oracle of `core/query/seen.ts`: whatever that says of rows, this says as well (row-scan.ts).

import type { ArchivedEvent } from "../../core/archive/file.ts";
import { duplicateKey } from "../../core/counting/duplicate.ts";
import { ownEarning } from "../../core/counting/earned.ts";
import { compareMoments, type Moment, momentOf } from "../../core/counting/moment.ts";
import { RANK, type Rank } from "../../core/counting/visit.ts";
import { type Opinion, opine } from "../../core/enrichment/opinion.ts";
import { type Event, isEngagement, isPageview } from "../../core/event.ts";
import { VISIT_GAP_MS } from "../../core/limits.ts";
import { currencyOf, type Settings } from "../../core/merchant.ts";
import { type Claim, type Earning, linesOf, type ProductLine, type Sale, settle } from "../../core/order.ts";
import type { Seen, SeenDay, SeenUnder, SeenVisit } from "../../core/query/seen.ts";
import { visitorName } from "../../core/query/visitor-name.ts";
import { rulesInForce } from "../../core/rules.ts";

/** What archived rows of one merchant, Day and partition are seen as. */
export interface RowsSeen {
  readonly rows: readonly ArchivedEvent[];
  /** Number of the Day. */
  readonly day: number;
  /** Whose visits are wanted; rows of others are there for the sake of order numbers that they share. All without. */
  readonly isCounted?: ((visitor: string) => boolean) | undefined;
}

/** What rows come to. Of rows with one id the one logged first counts. */
export function seeRows({ rows, day, isCounted = () => true }: RowsSeen, under: SeenUnder): SeenDay {
  const judged = judgeAll(rows, day, under);
  const earnings = earningsOf(judged, under.settings);
  const dropped: Judged[] = [];
  const visits: SeenVisit[] = [];
  for (const [id, own] of Map.groupBy(judged, ({ event }) => event.visitor)) {
    if (!isCounted(id)) continue;
    const seen = seenPrefetches(own);
    const counted = own.filter((one) => one.opinion.dropped === "" || seen.has(one));
    for (const one of own) if (one.opinion.dropped !== "" && !seen.has(one)) dropped.push(one);
    const visitor = visitorName({ id, day, isKnown: counted.some(({ event }) => event.visitorKind !== "daily") });
    visits.push(...visitsOf(runsOf(counted.sort(inOrder)), { visitor, earnings }));
  }
  return { visits, dropped };
}

/** Each event once; other stories under its id are no events. */
function judgeAll(rows: readonly ArchivedEvent[], day: number, under: SeenUnder): readonly Judged[] {
  const ids = new Set<string>();
  const judged: Judged[] = [];
  for (const { event } of [...rows].sort((a, b) => a.position - b.position)) {
    const key = duplicateKey(event);
    if (event.dropped === "duplicate" || ids.has(key)) continue;
    ids.add(key);
    judged.push(judge(event, day, under));
  }
  return judged;
}

function judge(event: Event, day: number, { settings, global }: SeenUnder): Judged {
  const rules = rulesInForce(
    { own: settings.rules, global },
    { instant: event.timestamp, day, importNumber: event.importNumber },
  );
  return { event, opinion: opine(event, rules), moment: momentOf(event) };
}

interface Judged {
  readonly event: Event;
  readonly opinion: Opinion;
  readonly moment: Moment;
}

function inOrder(a: Judged, b: Judged): number {
  return compareMoments(a.moment, b.moment);
}

type Earnings = ReadonlyMap<Event, Earning<ProductLine>>;

interface EventClaim extends Claim<ProductLine> {
  readonly event: Event;
}

/** What events earn, each by itself or together with those of its order number. */
function earningsOf(judged: readonly Judged[], settings: Settings): Earnings {
  const earnings = new Map<Event, Earning<ProductLine>>();
  const book = new Map<string, EventClaim[]>();
  for (const { event, opinion, moment } of judged) {
    const { act, dropped } = opinion;
    if (dropped !== "" && dropped !== "prefetch") continue;
    const sale = saleOf(event, settings);
    const own = ownEarning(event, act, sale);
    if (own !== undefined) earnings.set(event, own);
    if (dropped !== "" || event.order === "" || act === "none" || act === "step") continue;
    const claims = book.get(event.order) ?? [];
    if (claims.length === 0) book.set(event.order, claims);
    claims.push({ act, keyed: event.keyed === 1, ...moment, sale, event });
  }
  for (const claims of book.values()) {
    for (const [{ event }, earning] of settle<ProductLine, EventClaim>(claims)) earnings.set(event, earning);
  }
  return earnings;
}

function saleOf(event: Event, settings: Settings): Sale<ProductLine> {
  return { currency: currencyOf(event, settings), revenue: Math.abs(event.revenue), lines: linesOf(event) };
}

/** Of a visitor's prefetched page views those that were looked at (PRE-1). */
function seenPrefetches(own: readonly Judged[]): ReadonlySet<Judged> {
  const prefetched = own.filter(({ event, opinion }) => opinion.dropped === "prefetch" && isPageview(event.name));
  if (prefetched.length === 0) return new Set();
  const pageOf = ({ opinion }: Judged) => `${opinion.hostname} ${opinion.page}`;
  const counted = own.filter(({ opinion }) => opinion.dropped === "");
  const viewed = new Set(counted.filter(({ event }) => isPageview(event.name)).map(pageOf));
  const touched = new Set(counted.filter(({ event }) => !isPageview(event.name)).map(pageOf));
  const seen = prefetched.filter((one) => touched.has(pageOf(one)) && !viewed.has(pageOf(one)));
  const firsts = new Map(
    seen
      .sort(inOrder)
      .reverse()
      .map((one) => [pageOf(one), one]),
  );
  return new Set(firsts.values());
}

/** Maximal runs of sorted events with gaps of at most VISIT_GAP_MS. */
function runsOf(sorted: readonly Judged[]): readonly (readonly Judged[])[] {
  const runs: Judged[][] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const one of sorted) {
    if (one.moment.time - last > VISIT_GAP_MS) runs.push([]);
    runs.at(-1)?.push(one);
    last = one.moment.time;
  }
  return runs;
}

/** What becomes a visit: a run, what came later and opened none, and the visit it takes its profile from. */
interface Opened {
  readonly own: readonly Judged[];
  readonly start: Judged;
  readonly more: readonly Judged[];
  readonly before: SeenVisit | undefined;
}

/** What visits of one visitor have in common. */
interface OfVisitor {
  readonly visitor: string;
  readonly earnings: Earnings;
}

/** The visits that runs are (VIS-4): one that nothing opened belongs to the visit before it. */
function visitsOf(runs: readonly (readonly Judged[])[], of: OfVisitor): readonly SeenVisit[] {
  const opened: { own: readonly Judged[]; start: Judged; more: Judged[] }[] = [];
  for (const own of runs) {
    const highest = Math.max(...own.map(rankOf));
    const before = opened.at(-1);
    if (before !== undefined && highest < RANK.opening) before.more.push(...own);
    else if (highest > RANK.engagement) {
      const start = own.find((one) => rankOf(one) === highest) as Judged;
      opened.push({ own, start, more: [] });
    }
  }
  const visits: SeenVisit[] = [];
  for (const one of opened) visits.push(toVisit({ ...one, before: visits.at(-1) }, of));
  return visits;
}

function rankOf({ event, opinion }: Judged): Rank {
  if (isEngagement(event.name)) return RANK.engagement;
  return opinion.passive ? RANK.passive : RANK.opening;
}

function toVisit(
  { own, start, more = [], before }: Pick<Opened, "own" | "start"> & Partial<Opened>,
  { visitor, earnings }: OfVisitor,
): SeenVisit {
  const events: Seen[] = [];
  const visit: { -readonly [key in keyof SeenVisit]: SeenVisit[key] } = {
    visitor,
    events,
    start: undefined as unknown as Seen,
    profile: undefined as unknown as Seen,
    entry: undefined,
    exit: undefined,
    isBounce: own.filter((one) => rankOf(one) === RANK.opening).length <= 1,
    durationMs: (own.at(-1) as Judged).moment.time - start.moment.time,
  };
  for (const judged of [...own, ...more]) {
    const { event, opinion } = judged;
    const seen = { event, opinion, visit, earning: earnings.get(event), of: undefined, row: -1, pageRow: -1 };
    events.push(seen);
    if (judged === start) visit.start = seen;
    if (!isPageview(event.name)) continue;
    visit.entry ??= seen;
    visit.exit = seen;
  }
  visit.profile = before !== undefined && start.opinion.isReturn ? before.profile : visit.start;
  return visit;
}
