// Reads what a plan names and gives it to core. From rollups: first what every partition of the merchant has not
// published yet, then D1. A bucket that is published in between is then in D1. A bucket that was read from both counts
// once, by its version. So there is no hole and no overlap, whenever a partition publishes (L1, L2). Days with late
// events that no rollup knows are counted during the question (`uncounted.ts`). From events: `scan.ts`.

import { firstOpenDay } from "../../core/counting/closed.ts";
import { partitionsOf } from "../../core/counting/placement.ts";
import { ANSWERS_CLOSED_MS, OVERFLOW_CLOCKS_APART_MS, SLICE_ROLLUPS, TIMESTAMP_MIN_MS } from "../../core/limits.ts";
import { zoneAt } from "../../core/merchant.ts";
import { accepted, type Outcome } from "../../core/outcome.ts";
import { type Answer, answer, tooManyGroups, valuesShown } from "../../core/query/answer.ts";
import { countPlanOf } from "../../core/query/count.ts";
import { type Filter, fixedCountOf, ownOf, viewOf } from "../../core/query/filter.ts";
import { checkGoals } from "../../core/query/goal.ts";
import type { Groups } from "../../core/query/group.ts";
import { foreignOf } from "../../core/query/money.ts";
import { asksAll, type Plan, planWithComparison } from "../../core/query/plan.ts";
import type { Question } from "../../core/query/question.ts";
import { invalid } from "../../core/query/refusal.ts";
import { pageBeyondCut, wanting } from "../../core/query/rest.ts";
import type { Scan } from "../../core/query/scan.ts";
import { addLive, addScan, addStored, closeTally, openTally, restOf } from "../../core/query/tally.ts";
import { latestRules } from "../../core/rules.ts";
import { DAY_MS, dayAt } from "../../core/time.ts";
import { distinctPlaces } from "../../storage/archive/merchant-events.ts";
import { conversionOf } from "../../storage/directory/conversion.ts";
import { type Merchant, zonesOf } from "../../storage/directory/merchants.ts";
import { readRange } from "../../storage/ledger/range.ts";
import { readFirstDay } from "../../storage/ledger/rollups.ts";
import type { SealPlace } from "../../storage/ledger/sealed-day.ts";
import { type AnswerDeps, answerName, findAnswer, keepAnswer } from "./answer-memory.ts";
import { countEvents } from "./count-events.ts";
import type { Deps } from "./deps.ts";
import { backfillBehind } from "./goals.ts";
import { countedDays, findImports, withImports } from "./imported.ts";
import { type Live, readCompleteUntil, readLive } from "./live.ts";
import { type Cost, findPlaces, firstKeptDay, isTooLarge, NOTHING_LEFT, type TooLarge } from "./scan.ts";
import { refuseReading } from "./turn.ts";
import { aroundOf, countUncounted } from "./uncounted.ts";

/** No Day with numbers is earlier or later than these. Timestamps are bounded, and zones are within a Day of UTC. */
const DAYS_POSSIBLE = { from: TIMESTAMP_MIN_MS / DAY_MS - 1, after: 2 };

/** A question that only a job can answer, and the instants and the first Day by which its ranges were resolved. */
export interface Large extends TooLarge {
  /**
   * When the question was asked, and the instant before which every acknowledged event will be in the answer. Both are
   * UTC ms.
   */
  readonly asOf: number;
  readonly completeUntil: number;
  readonly firstDay: number | undefined;
}

/**
 * The answer to a merchant's question as of now. Throws when a partition or D1 cannot be read, so that no answer is
 * half an answer.
 */
export async function execute(question: Question, merchant: Merchant, deps: Deps): Promise<Outcome<Answer> | Large> {
  const { budgets, filter } = question;
  const view = viewOf(filter);
  const goals = checkGoals([ownOf(filter)], merchant.rules, { budgets, view });
  if (!goals.ok) return goals;
  const asOf = deps.now();
  const firstDay = asksAll(question) ? await firstDayAsked(question, merchant, { now: asOf, deps }) : undefined;
  const openFrom = firstOpenDay(asOf, deps.pace.sealAfterMs);
  const known = { rules: merchant.rules, eventsFrom: firstKeptDay(merchant, asOf), openFrom };
  const plans = planWithComparison(question, { zones: zonesOf(merchant), now: asOf, firstDay, ...known });
  if (!plans.ok) return plans;
  const cost: Cost = { rows: 0, objects: 0, bytes: 0 };
  const reading: Reading = { merchant, deps, cost, asOf, lives: new Map(), completeUntil: asOf, isUnsettled: false };
  const tooLarge = (refusal: TooLarge) => {
    const asked = { merchant, deps, asOf, completeUntil: reading.completeUntil, firstDay };
    return withAllPlaces(refusal, plans.value, asked);
  };
  const [planned, otherPlanned] = plans.value;
  const remembered = await openRemembered(plans.value, reading);
  if (remembered?.answer !== undefined) return accepted(remembered.answer);
  const read = await readPage(planned, reading);
  if (isTooLarge(read)) return tooLarge(read);
  if (!read.ok) return read;
  const imports = await findImports(plans.value, (asked) => readGroups(asked, reading), {
    merchant,
    deps,
    cost,
    known,
  });
  if (isTooLarge(imports)) return tooLarge(imports);
  if (!imports.ok) return imports;
  const own = withImports(read.value, imports.value, 0);
  if (!own.ok) return own;
  const { plan, groups } = own.value;
  const counted = otherPlanned && (await readBeside(otherPlanned, { plan, groups }, reading));
  if (counted !== undefined && isTooLarge(counted)) return tooLarge(counted);
  if (counted !== undefined && !counted.ok) return counted;
  const other = counted && withImports(counted.value, imports.value, 1);
  if (other !== undefined && !other.ok) return other;
  const compared = other?.value;
  const rules = latestRules(merchant.rules).version;
  const backfill = await backfillBehind([groups, compared?.groups], merchant, deps);
  const purses = [groups, compared?.groups].flatMap((one) => (one?.groups ?? []).map(({ purse }) => purse));
  const convert = await conversionOf(purses, merchant, deps);
  const { currency } = merchant;
  const told = imports.value?.told;
  const context = { currency, convert, asOf: reading.completeUntil, cost, rules, compared, backfill, imports: told };
  const answered = answer(plan, groups, context);
  const isOfHome = foreignOf(purses, currency) === undefined;
  const isKept =
    imports.value === undefined && isOfHome && !reading.isUnsettled && [groups, compared?.groups].every(isOfRollups);
  if (isKept && answered.ok && remembered !== undefined)
    deps.later("keep_answer", keepAnswer(remembered.name, answered.value, remembered.deps));
  return answered;
}

/** Whether the groups come from D1 alone. */
function isOfRollups(groups: Groups | undefined): boolean {
  return groups === undefined || (groups.source === "rollups" && (groups.uncounted ?? []).length === 0);
}

interface Remembered {
  readonly name: string;
  readonly answer: Answer | undefined;
  readonly deps: AnswerDeps;
}

/**
 * Looks for a remembered answer. All Days of the question must be closed, because then partitions alone can say whether
 * the answer is still true. What they say is kept for reading. Undefined where the answer may not be remembered.
 */
async function openRemembered(plans: readonly Plan[], reading: Reading): Promise<Remembered | undefined> {
  const { merchant, deps } = reading;
  const { answers } = deps;
  const closedFrom = firstOpenDay(deps.now() - ANSWERS_CLOSED_MS, deps.pace.sealAfterMs);
  const isSure = (plan: Plan) =>
    plan.source === "rollups" && plan.grain === "day" && plan.range.wholeDays && plan.range.toDay <= closedFrom;
  // A merchant with zones in the past sees events on other Days than those on which partitions count them.
  if (answers === undefined || (merchant.pastZones ?? []).length > 0 || !plans.every(isSure)) return undefined;
  const lives = await Promise.all(plans.map((plan) => liveOf(plan, reading)));
  const isSettled = lives.every(
    ({ rows, late, changed }) =>
      rows.length === 0 && late.length === 0 && changed.length > 0 && changed.every(([, at]) => at !== undefined),
  );
  if (!isSettled) return undefined;
  const depends = plans.map(({ question, range, time, offset }) => {
    const { dateRange: _, budgets: __, filter, breakdowns: ___, ...asked } = question;
    return { ...asked, fixed: fixedCountOf(filter), range, time, offset };
  });
  const name = answerName([merchant, depends, lives.map(({ changed }) => changed)]);
  return { name, answer: await findAnswer(name, answers), deps: answers };
}

/** What partitions have not published of a plan's buckets. They are asked once for each question. */
function liveOf({ grain, from, to, breakdowns }: Plan, { merchant, deps, lives }: Reading): Promise<Live> {
  const wanted = { grain, from, to, dimensions: breakdowns };
  const key = JSON.stringify(wanted);
  const known = lives.get(key) ?? readLive(merchant, wanted, deps);
  lives.set(key, known);
  return known;
}

/** What is needed to read for a question. */
interface Reading {
  readonly merchant: Merchant;
  readonly deps: Deps;
  readonly cost: Cost;
  /** When the question was asked, UTC ms. That is before any partition was asked. */
  readonly asOf: number;
  /** The answers of partitions, by what they were asked. */
  readonly lives: Map<string, Promise<Live>>;
  /** UTC ms. Every event that was acknowledged before is in what was read so far. */
  completeUntil: number;
  /** Whether events are on their way that will change what was read. */
  isUnsettled: boolean;
}

/** What was read for a plan. */
export interface PlanRead {
  readonly plan: Plan;
  readonly groups: Groups;
}

/**
 * Reads a page. If the page begins after all values that rollups name, it is read once more, from events, which also
 * have the values that did not fit into rollups.
 */
async function readPage(plan: Plan, reading: Reading): Promise<Outcome<PlanRead>> {
  const groups = await readGroups(plan, reading);
  if (!groups.ok) return groups;
  const deeper = pageBeyondCut(plan, groups.value);
  if (deeper === undefined) return accepted({ plan, groups: groups.value });
  const all = await readGroups(deeper, reading);
  return all.ok ? accepted({ plan: deeper, groups: all.value }) : all;
}

/** The other range of a comparison, for the values that are on the page. */
async function readBeside(planned: Plan, own: PlanRead, reading: Reading): Promise<Outcome<PlanRead>> {
  const { merchant, deps } = reading;
  const convert = await conversionOf(
    own.groups.groups.map(({ purse }) => purse),
    merchant,
    deps,
  );
  const values = valuesShown(own.plan, own.groups, { currency: merchant.currency, convert });
  const plan = wanting(planned, values);
  const groups = await readGroups(plan, reading);
  if (isTooLarge(groups) && planned.otherwise !== undefined) return readBeside(planned.otherwise, own, reading);
  return groups.ok ? accepted({ plan, groups: groups.value }) : groups;
}

interface Asking extends Pick<Large, "asOf" | "completeUntil" | "firstDay"> {
  readonly merchant: Merchant;
  readonly deps: Deps;
}

/**
 * Adds the places of all plans, because a job reads the ranges of all of them. A plan that would not be too large alone
 * is among them.
 */
async function withAllPlaces(
  refusal: TooLarge,
  plans: readonly Plan[],
  { merchant, deps, ...asked }: Asking,
): Promise<Outcome<never> | Large> {
  // A job counts all Days from events, also Days that rollups would have answered for.
  if (plans.length === 1 && plans[0]?.source === "archive") return { ...refusal, ...asked };
  const places: SealPlace[] = [];
  for (const { range } of plans) {
    const known = await findPlaces(merchant, { from: range.fromDay, to: range.toDay }, deps);
    if (!known.ok) return known;
    places.push(...known.value.places);
  }
  return { ...refusal, places: distinctPlaces(places), ...asked };
}

/** Those of some Days on which an event counts. Undefined where a question cannot find that out now. */
export async function readCountedDays(
  days: readonly number[],
  merchant: Merchant,
  deps: Deps,
): Promise<ReadonlySet<number> | undefined> {
  const asOf = deps.now();
  const cost: Cost = { rows: 0, objects: 0, bytes: 0 };
  const reading: Reading = { merchant, deps, cost, asOf, lives: new Map(), completeUntil: asOf, isUnsettled: false };
  const openFrom = firstOpenDay(asOf, deps.pace.sealAfterMs);
  const known = { rules: merchant.rules, eventsFrom: firstKeptDay(merchant, asOf), openFrom };
  const counted = await countedDays(days, (plan) => readGroups(plan, reading), { merchant, deps, cost, known });
  return counted.ok ? counted.value : undefined;
}

/** The Day at which "all" begins. Imported Days count, unless the question leaves them out. */
async function firstDayAsked(
  { filter, include }: Question,
  merchant: Merchant,
  { now, deps }: { readonly now: number; readonly deps: Deps },
): Promise<number | undefined> {
  const view = viewOf(filter);
  const counted = await findFirstDay(merchant, { now, view }, deps);
  const imported = view === undefined && include.imports !== false ? merchant.imported.map(({ from }) => from) : [];
  const days = [...imported, ...(counted === undefined ? [] : [counted])];
  return days.length === 0 ? undefined : Math.min(...days);
}

/**
 * The first Day with events or numbers, wherever they are. Undefined while there are none. A share link with filters
 * may not learn it, so for such a link it is the Day on which the merchant was created.
 */
export async function findFirstDay(
  merchant: Merchant,
  { now, view }: { readonly now: number; readonly view: Filter | undefined },
  deps: Deps,
): Promise<number | undefined> {
  if (view !== undefined) return dayAt(zoneAt(zonesOf(merchant), merchant.createdAt), merchant.createdAt);
  return firstDayWithNumbers(merchant, now, deps);
}

/** The first Day with events or numbers under a merchant's number. Undefined while there are none. */
export async function firstDayWithNumbers(
  merchant: Pick<Merchant, "number" | "spread">,
  now: number,
  deps: Deps,
): Promise<number | undefined> {
  const { from, after } = DAYS_POSSIBLE;
  const to = Math.floor(now / DAY_MS) + after;
  const live = await readLive(merchant, { grain: "day", from, to, dimensions: [] }, deps);
  const { number } = merchant;
  const ledger = deps.ledgers.ofMerchant(number);
  const stored = await readFirstDay(ledger, number);
  const days = [...live.rows, ...live.late].map(({ day }) => day);
  if (stored !== undefined) days.push(stored);
  return days.length === 0 ? undefined : Math.min(...days);
}

async function readGroups(plan: Plan, reading: Reading): Promise<Outcome<Groups>> {
  const { merchant, deps, cost } = reading;
  if (plan.source === "archive") {
    reading.completeUntil = Math.min(reading.completeUntil, await readCompleteUntil(merchant, deps));
    const counted = await countEvents(countPlanOf([plan]), merchant, { deps, cost });
    return counted.ok ? accepted(counted.value.groups()[0] as Groups) : counted;
  }
  if (!isWide(plan)) return readRows(plan, reading);
  const { number, spread } = merchant;
  const partitions = partitionsOf({ merchant: number, spread }, deps.placement).length;
  const read = await deps.rollupTurn.reading(plan.buckets * partitions, () => readRows(plan, reading));
  return read ?? refuseReading(deps);
}

async function readRows(plan: Plan, reading: Reading): Promise<Outcome<Groups>> {
  const { merchant, deps, cost } = reading;
  const { grain, from, to, sketch, breakdowns } = plan;
  const live = await liveOf(plan, reading);
  const { number } = merchant;
  const stored = await readRange(
    deps.ledgers.ofMerchant(number),
    { merchant: number, grain, from, to, sketch, breakdowns },
    {
      around: { ...aroundOf(plan), deliveredSince: reading.asOf - OVERFLOW_CLOCKS_APART_MS },
      pieces: deps.buckets.of([number, grain, sketch, breakdowns].join(" ")),
    },
  );
  const { behind, overflowSince } = stored.standing;
  reading.completeUntil = Math.min(reading.completeUntil, overflowSince ?? reading.asOf);
  reading.isUnsettled ||= behind.folders.length + behind.days.length > 0 || overflowSince !== undefined;
  const recounted = await countUncounted({ plan, late: live.late, behind }, merchant, { deps, cost });
  if (!recounted.ok) return recounted;
  const { replaces } = recounted.value;
  const unpublished = live.rows.filter((row) => !replaces(row));
  const tally = openTally(plan, unpublished, merchant.currency);
  if (isWide(plan)) await deps.rollupTurn.before();
  for await (const rows of stored.rows) {
    cost.rows += rows.length;
    if (isWide(plan) && deps.reading?.ofRollups(rows.length) === false) return invalid(NOTHING_LEFT);
    const kept = rows.filter((row) => !replaces(row));
    if (!isWide(plan)) {
      if (!addStored(tally, kept)) return tooManyGroups();
      continue;
    }
    for (let start = 0; start < kept.length; start += SLICE_ROLLUPS) {
      const some = kept.slice(start, start + SLICE_ROLLUPS);
      if (!addStored(tally, some)) return tooManyGroups();
      await deps.rollupTurn.after(some.length);
    }
  }
  if (!addStored(tally, recounted.value.rows)) return tooManyGroups();
  if (!addLive(tally)) return tooManyGroups();
  const rest = restOf(tally);
  if (rest !== undefined) {
    const counted = await countEvents(countPlanOf([rest]), merchant, { deps, cost });
    if (!counted.ok) return counted;
    const { aside } = tally;
    if (rest.rest === undefined) return accepted({ ...(counted.value.groups()[0] as Groups), aside });
    if (!addScan(tally, counted.value.scans()[0] as Scan)) return tooManyGroups();
  }
  const groups = closeTally(tally);
  return groups === undefined ? tooManyGroups() : accepted(groups);
}

/** Rows with sketches or breakdowns are many times larger than totals. */
function isWide({ sketch, breakdowns }: Plan): boolean {
  return sketch || breakdowns.length > 0;
}
