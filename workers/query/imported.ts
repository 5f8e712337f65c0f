// Reads a merchant's imported rollups for a question. It also finds Days that Footfall itself has counted: a Day with
// an event that counts is never taken from an import. Only questions whose ranges have imported Days come here.
// core/query/imported.ts decides what an answer says about them.

import { IMPORTED_ROWS_OF_ROLLUP } from "../../core/limits.ts";
import { accepted, type Outcome } from "../../core/outcome.ts";
import { tooManyGroups } from "../../core/query/answer.ts";
import type { Groups } from "../../core/query/group.ts";
import {
  addImportedDay,
  closeImported,
  concernsImports,
  coverOf,
  type ImportedCover,
  type ImportedSums,
  type ImportsTold,
  isSkipped,
  openImported,
  type ReadingsOf,
  readingsOf,
  tableNamesOf,
  toldOf,
} from "../../core/query/imported.ts";
import { type Known, type Plan, planWithComparison } from "../../core/query/plan.ts";
import { parseQuestion } from "../../core/query/question.ts";
import { invalid } from "../../core/query/refusal.ts";
import { dateOf } from "../../core/time.ts";
import { type Merchant, zonesOf } from "../../storage/directory/merchants.ts";
import { readImported, unpackImported } from "../../storage/ledger/imported.ts";
import type { Deps } from "./deps.ts";
import type { PlanRead } from "./execute.ts";
import { type Cost, isTooLarge, NOTHING_LEFT, type TooLarge } from "./scan.ts";
import { refuseReading } from "./turn.ts";

/** What imports add to the plans of a question. */
interface Imports {
  readonly told: ImportsTold | undefined;
  /** The sums for each plan. Empty where the question is answered without imports. */
  readonly plans: readonly ImportedSums[];
}

type ReadGroups = (plan: Plan) => Promise<Outcome<Groups> | TooLarge>;

interface Asked {
  readonly merchant: Merchant;
  readonly cost: Cost;
  readonly deps: Deps;
  readonly known: Known;
}

/** The imports for a question. Undefined where no Day of the question is in an import. */
export async function findImports(
  plans: readonly Plan[],
  readGroups: ReadGroups,
  asked: Asked,
): Promise<Outcome<Imports | undefined> | TooLarge> {
  const { imported } = asked.merchant;
  if (!plans.some((plan) => concernsImports(plan, imported))) return accepted(undefined);
  const used: { cover: ImportedCover; partly: readonly number[]; counted: ReadonlySet<number> }[] = [];
  for (const plan of plans) {
    const { whole, partly } = coverOf(plan, imported);
    const days = [...whole.keys(), ...partly];
    const counted = await countedDays(days, readGroups, asked);
    if (isTooLarge(counted) || !counted.ok) return counted;
    used.push({ cover: whole, partly, counted: counted.value });
  }
  const [first] = plans as readonly [Plan, ...Plan[]];
  const included = toldOf(first, used);
  // Footfall itself has counted all of these Days.
  if (included === undefined) return accepted(undefined);
  const spans = used.flatMap(({ cover, counted }) =>
    [...cover].filter(([day]) => !counted.has(day)).map(([, one]) => one),
  );
  const readings = plans.map((plan) => readingsOf(plan, [...new Set(spans)]));
  const skipped = readings.find(isSkipped);
  if (skipped !== undefined) return accepted({ told: skipped, plans: [] });
  const found: ImportedSums[] = [];
  for (const [index, covered] of used.entries()) {
    const sums = openImported(plans[index] as Plan, readings[index] as ReadingsOf);
    const read = await readDays(sums, covered, asked);
    if (!read.ok) return read;
    found.push(sums);
  }
  return accepted({ told: included, plans: found });
}

/** Adds to a plan's groups the numbers that imports have for it. */
export function withImports(read: PlanRead, imports: Imports | undefined, index: number): Outcome<PlanRead> {
  const own = imports?.plans[index];
  if (own === undefined) return accepted(read);
  const groups = closeImported(own, read.groups);
  return groups === undefined ? tooManyGroups() : accepted({ plan: read.plan, groups });
}

/** Those of some Days on which an event counts here. They are found by an ordinary question. */
export async function countedDays(
  days: readonly number[],
  readGroups: ReadGroups,
  { merchant, deps, known }: Asked,
): Promise<Outcome<ReadonlySet<number>> | TooLarge> {
  if (days.length === 0) return accepted(new Set());
  const [first, last] = days.reduce(
    ([min, max], day) => [Math.min(min, day), Math.max(max, day)],
    [days[0] as number, days[0] as number],
  );
  const question = parseQuestion({
    site_id: merchant.id,
    metrics: ["events"],
    date_range: [dateOf(first), dateOf(last)],
    dimensions: ["time:day"],
  });
  if (!question.ok) return question;
  const plans = planWithComparison(question.value, { zones: zonesOf(merchant), now: deps.now(), ...known });
  if (!plans.ok) return plans;
  const groups = await readGroups(plans.value[0]);
  if (isTooLarge(groups) || !groups.ok) return groups;
  const dates = new Set(
    groups.value.groups.filter(({ numbers }) => numbers.counts.events > 0).map(({ dimensions }) => dimensions[0]),
  );
  return accepted(new Set(days.filter((day) => dates.has(dateOf(day)))));
}

interface Covered {
  readonly cover: ImportedCover;
  readonly counted: ReadonlySet<number>;
}

/** Adds up the numbers of imports for the Days that are theirs. They cost steps as rollups do. */
async function readDays(
  sums: ImportedSums,
  { cover, counted }: Covered,
  { merchant, deps, cost }: Asked,
): Promise<Outcome<undefined>> {
  const wanted = new Map([...cover].filter(([day]) => !counted.has(day)).map(([day, { number }]) => [day, number]));
  if (wanted.size === 0) return accepted(undefined);
  const days = [...wanted.keys()];
  const read = {
    merchant: merchant.number,
    tables: tableNamesOf(sums.readings),
    imports: [...new Set(wanted.values())],
    from: Math.min(...days),
    to: Math.max(...days) + 1,
  };
  const added = await deps.rollupTurn.reading(wanted.size * read.tables.length, async () => {
    for await (const rows of readImported(deps.ledgers.ofMerchant(merchant.number), read)) {
      cost.rows += rows.length;
      for (const row of rows) {
        if (wanted.get(row.day) !== row.import) continue;
        const day = unpackImported(row);
        // Who imports chooses how many values a Day has.
        const rollups = Math.ceil((1 + day.rows.length) / IMPORTED_ROWS_OF_ROLLUP);
        if (deps.reading?.ofRollups(rollups) === false) return invalid(NOTHING_LEFT);
        if (!addImportedDay(sums, day)) return tooManyGroups();
        await deps.rollupTurn.after(rollups);
      }
    }
    return accepted(undefined);
  });
  return added ?? refuseReading(deps);
}
