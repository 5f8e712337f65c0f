// Reads what a plan names and hands it to core. From rollups: first what every partition of the merchant has not
// published yet, then D1. A bucket that is published in between is then in D1; one that was read from both counts once,
// by version. So there is no hole and no overlap, whenever a partition publishes (L1, L2). Days with late events that
// no rollup knows are counted on the way (`uncounted.ts`). From events: `scan.ts`.

import { firstOpenDay } from "../../core/counting/closed.ts";
import type { RollupRow } from "../../core/counting/rollup-row.ts";
import { ROLLUP_PAGE_ROWS, ROLLUP_PAGE_WIDE_ROWS, TIMESTAMP_MIN_MS, VERSIONS_PAGE_ROWS } from "../../core/limits.ts";
import { zoneAt } from "../../core/merchant.ts";
import { accepted, type Outcome } from "../../core/outcome.ts";
import { type Answer, answer, tooManyGroups, valuesShown } from "../../core/query/answer.ts";
import { countPlanOf } from "../../core/query/count.ts";
import { type Filter, ownOf, viewOf } from "../../core/query/filter.ts";
import { checkGoals } from "../../core/query/goal.ts";
import type { Groups } from "../../core/query/group.ts";
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
import { readFirstPlace } from "../../storage/ledger/places.ts";
import { countUndone } from "../../storage/ledger/replay-part.ts";
import { type RollupVersion, readFirstDay, readRollups, readRollupVersions } from "../../storage/ledger/rollups.ts";
import type { SealPlace } from "../../storage/ledger/sealed-day.ts";
import { countEvents } from "./count-events.ts";
import type { Deps } from "./deps.ts";
import { backfillBehind } from "./goals.ts";
import { readCompleteUntil, readLive } from "./live.ts";
import { type Cost, findPlaces, firstKeptDay, isTooLarge, NOTHING_LEFT, type TooLarge } from "./scan.ts";
import { countUncounted } from "./uncounted.ts";

/** No Day with numbers is earlier or later: timestamps are bounded, and zones are within a Day of UTC. */
const DAYS_POSSIBLE = { from: TIMESTAMP_MIN_MS / DAY_MS - 1, after: 2 };

/** A question that only a job can answer, and what its ranges were resolved with. */
export interface Large extends TooLarge {
  /** UTC ms at which it was asked, and before which every acknowledged event will be in the answer. */
  readonly asOf: number;
  readonly completeUntil: number;
  readonly firstDay: number | undefined;
}

/** The answer to a merchant's question as of now. Throws when a partition or D1 cannot be read: no half answers. */
export async function execute(question: Question, merchant: Merchant, deps: Deps): Promise<Outcome<Answer> | Large> {
  const { budgets, filter } = question;
  const view = viewOf(filter);
  const goals = checkGoals([ownOf(filter)], merchant.rules, { budgets, view });
  if (!goals.ok) return goals;
  const asOf = deps.now();
  const completeUntil = await readCompleteUntil(merchant, deps);
  const firstDay = asksAll(question) ? await findFirstDay(merchant, { now: asOf, view }, deps) : undefined;
  const openFrom = firstOpenDay(asOf, deps.pace.sealAfterMs);
  const known = { rules: merchant.rules, eventsFrom: firstKeptDay(merchant, asOf), openFrom };
  const plans = planWithComparison(question, { zones: zonesOf(merchant), now: asOf, firstDay, ...known });
  if (!plans.ok) return plans;
  const cost: Cost = { rows: 0, objects: 0, bytes: 0 };
  const reading = { merchant, deps, cost };
  const asked = { merchant, deps, asOf, completeUntil, firstDay };
  const tooLarge = (refusal: TooLarge) => withAllPlaces(refusal, plans.value, asked);
  const [planned, otherPlanned] = plans.value;
  const read = await readPage(planned, reading);
  if (isTooLarge(read)) return tooLarge(read);
  if (!read.ok) return read;
  const { plan, groups } = read.value;
  const other = otherPlanned && (await readBeside(otherPlanned, { plan, groups }, reading));
  if (other !== undefined && isTooLarge(other)) return tooLarge(other);
  if (other !== undefined && !other.ok) return other;
  const compared = other?.value;
  const rules = latestRules(merchant.rules).version;
  const backfill = await backfillBehind([groups, compared?.groups], merchant, deps);
  const purses = [groups, compared?.groups].flatMap((one) => (one?.groups ?? []).map(({ purse }) => purse));
  const convert = await conversionOf(purses, merchant, deps);
  const { currency } = merchant;
  return answer(plan, groups, { currency, convert, asOf: completeUntil, cost, rules, compared, backfill });
}

/** What reading takes. */
interface Reading {
  readonly merchant: Merchant;
  readonly deps: Deps;
  readonly cost: Cost;
}

interface PlanRead {
  readonly plan: Plan;
  readonly groups: Groups;
}

/** Reads once more, with what was cut from events, where the page lies behind all that rollups name. */
async function readPage(plan: Plan, reading: Reading): Promise<Outcome<PlanRead>> {
  const groups = await readGroups(plan, reading);
  if (!groups.ok) return groups;
  const deeper = pageBeyondCut(plan, groups.value);
  if (deeper === undefined) return accepted({ plan, groups: groups.value });
  const all = await readGroups(deeper, reading);
  return all.ok ? accepted({ plan: deeper, groups: all.value }) : all;
}

/** The other range of a comparison, of the values that stand on the page. */
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

/** A job reads the ranges of all plans, also one that alone would not have been too large. */
async function withAllPlaces(
  refusal: TooLarge,
  plans: readonly Plan[],
  { merchant, deps, ...asked }: Asking,
): Promise<Outcome<never> | Large> {
  // Where rollups would have answered for some Days, a job counts all of them from events.
  if (plans.length === 1 && plans[0]?.source === "archive") return { ...refusal, ...asked };
  const places: SealPlace[] = [];
  for (const { range } of plans) {
    const known = await findPlaces(merchant, { from: range.fromDay, to: range.toDay }, deps);
    if (!known.ok) return known;
    places.push(...known.value.places);
  }
  return { ...refusal, places: distinctPlaces(places), ...asked };
}

/**
 * The first Day with events or numbers, wherever they are; undefined while there are none. A share link with filters is
 * not told of it: its first Day is that on which the merchant was made.
 */
export async function findFirstDay(
  merchant: Merchant,
  { now, view }: { readonly now: number; readonly view: Filter | undefined },
  deps: Deps,
): Promise<number | undefined> {
  if (view !== undefined) return dayAt(zoneAt(zonesOf(merchant), merchant.createdAt), merchant.createdAt);
  return firstDayWithNumbers(merchant, now, deps);
}

/** The first Day with events or numbers of whoever has a merchant's number. */
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
  const [archived, stored] = await Promise.all([readFirstPlace(ledger, number), readFirstDay(ledger, number)]);
  const days = [...live.rows, ...live.late].map(({ day }) => day);
  for (const day of [archived, stored]) if (day !== undefined) days.push(day);
  return days.length === 0 ? undefined : Math.min(...days);
}

async function readGroups(plan: Plan, { merchant, deps, cost }: Reading): Promise<Outcome<Groups>> {
  if (plan.source === "archive") {
    const counted = await countEvents(countPlanOf([plan]), merchant, { deps, cost });
    return counted.ok ? accepted(counted.value.groups()[0] as Groups) : counted;
  }
  const { grain, from, to, breakdowns } = plan;
  // Before any row is read it is known what partitions hold and how much was undone: these two may be asked at once.
  // Totals are as quickly read as their versions, and are not remembered.
  const [live, undone] = await Promise.all([
    readLive(merchant, { grain, from, to, dimensions: breakdowns }, deps),
    isWide(plan) ? countUndone(deps.ledgers.ofMerchant(merchant.number)) : undefined,
  ]);
  const recounted = await countUncounted({ plan, late: live.late }, merchant, { deps, cost });
  if (!recounted.ok) return recounted;
  const { replaces } = recounted.value;
  const unpublished = live.rows.filter((row) => !replaces(row));
  const tally = openTally(plan, unpublished, merchant.currency);
  const { number } = merchant;
  const stored = undone === undefined ? readPages(number, plan, deps) : readRemembered(number, plan, { deps, undone });
  for await (const rows of stored) {
    cost.rows += rows.length;
    if (isWide(plan) && deps.reading?.ofRollups(rows.length) === false) return invalid(NOTHING_LEFT);
    const kept = rows.filter((row) => !replaces(row));
    if (!addStored(tally, kept)) return tooManyGroups();
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

/** Rows with sketches or breakdowns are many times larger than totals, and memory holds one page. */
function isWide({ sketch, breakdowns }: Plan): boolean {
  return sketch || breakdowns.length > 0;
}

/** Rows that are remembered in the version they have now, and the others from D1. */
async function* readRemembered(
  merchant: number,
  plan: Plan,
  { deps, undone }: { readonly deps: Deps; readonly undone: number },
): AsyncGenerator<readonly RollupRow[]> {
  const { grain, from, to, sketch, breakdowns } = plan;
  const { buckets } = deps;
  const shelf = [merchant, grain, sketch, breakdowns, undone].join(" ");
  const remembering = async function* (range: Pick<Plan, "from" | "to">) {
    for await (const rows of readPages(merchant, { ...plan, ...range }, deps)) {
      buckets.remember(shelf, rows);
      yield rows;
    }
  };
  if (!buckets.has(shelf)) return yield* remembering({ from, to });
  let after: RollupVersion | undefined;
  for (;;) {
    const read = { merchant, grain, from, to, after, rowsMax: VERSIONS_PAGE_ROWS };
    const page = await readRollupVersions(deps.ledgers.ofMerchant(merchant), read);
    const isLast = page.length < VERSIONS_PAGE_ROWS;
    // A bucket that the page cuts belongs to the next one as a whole: rows are read by bucket.
    const versions = isLast ? page : page.filter(({ bucket }) => bucket < (page.at(-1) as RollupVersion).bucket);
    const known = versions.map((version) => buckets.find(shelf, version));
    const first = known.indexOf(undefined);
    const end = known.lastIndexOf(undefined) + 1;
    const kept = known.filter((row) => row !== undefined);
    if (first < 0) yield kept;
    else {
      // All rows from the first unknown one to the last: those between come once more, and once only.
      const range = {
        from: (versions[first] as RollupVersion).bucket,
        to: (versions[end - 1] as RollupVersion).bucket + 1,
      };
      yield kept.filter(({ bucket }) => bucket < range.from || bucket >= range.to);
      yield* remembering(range);
    }
    after = versions.at(-1);
    if (isLast) return;
  }
}

/** The stored rows in pages. */
async function* readPages(merchant: number, plan: Plan, deps: Deps): AsyncGenerator<readonly RollupRow[]> {
  const { grain, from, to, sketch, breakdowns } = plan;
  const rowsMax = isWide(plan) ? ROLLUP_PAGE_WIDE_ROWS : ROLLUP_PAGE_ROWS;
  let after: RollupRow | undefined;
  for (;;) {
    const read = { merchant, grain, from, to, after, rowsMax, sketch, breakdowns };
    const rows = await readRollups(deps.ledgers.ofMerchant(merchant), read);
    yield rows;
    after = rows.at(-1);
    if (rows.length < rowsMax) return;
  }
}
