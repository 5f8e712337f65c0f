// Reads what a plan names and hands it to core: first what every partition of the merchant has not published yet, then
// D1. A bucket that is published in between is then in D1; one that was read from both counts once, by version. So there
// is no hole and no overlap, whenever a partition publishes (L1, L2).

import { partitionsOf } from "../../core/counting/placement.ts";
import type { RollupRow } from "../../core/counting/rollup-row.ts";
import { ROLLUP_PAGE_ROWS, ROLLUP_PAGE_WIDE_ROWS, TIMESTAMP_MIN_MS } from "../../core/limits.ts";
import { causeOf, type Outcome } from "../../core/outcome.ts";
import { type Answer, toAnswer, tooManyGroups } from "../../core/query/answer.ts";
import { type Plan, planQuestion } from "../../core/query/plan.ts";
import type { Question } from "../../core/query/question.ts";
import { resolveRange } from "../../core/query/range.ts";
import { addStored, openTally } from "../../core/query/tally.ts";
import { DAY_MS } from "../../core/time.ts";
import type { Merchant } from "../../storage/merchants.ts";
import { readFirstDay, readRollups } from "../../storage/rollups.ts";
import type { Deps } from "./deps.ts";

/** No Day with numbers is earlier or later: timestamps are bounded, and zones are within a Day of UTC. */
const DAYS_POSSIBLE = { from: TIMESTAMP_MIN_MS / DAY_MS - 1, after: 2 };

/** The answer to a merchant's question as of now. Throws when a partition or D1 cannot be read: no half answers. */
export async function execute(question: Question, merchant: Merchant, deps: Deps): Promise<Outcome<Answer>> {
  const asOf = deps.now();
  const { zones, currency } = merchant;
  const asksAll = question.dateRange.kind === "relative" && question.dateRange.name === "all";
  const firstDay = asksAll ? await findFirstDay(merchant, asOf, deps) : undefined;
  const range = resolveRange(question.dateRange, { zones, now: asOf, firstDay });
  if (!range.ok) return range;
  const plan = planQuestion(question, range.value, zones);
  if (!plan.ok) return plan;

  const { grain, from, to, breakdowns } = plan.value;
  const live = await readLive(merchant.number, { grain, from, to, dimensions: breakdowns }, deps);
  const tally = openTally(plan.value, live);
  for await (const rows of readStored(merchant.number, plan.value, deps)) {
    if (!addStored(tally, rows)) return tooManyGroups();
  }
  return toAnswer(tally, { currency, asOf });
}

/** The first Day with numbers, published or not; undefined while nothing was counted. */
export async function findFirstDay(merchant: Merchant, now: number, deps: Deps): Promise<number | undefined> {
  const { from, after } = DAYS_POSSIBLE;
  const to = Math.floor(now / DAY_MS) + after;
  const live = await readLive(merchant.number, { grain: "day", from, to, dimensions: [] }, deps);
  const stored = await readFirstDay(deps.db, merchant.number, deps.meter);
  const days = [...live.map(({ day }) => day), ...(stored === undefined ? [] : [stored])];
  return days.length === 0 ? undefined : Math.min(...days);
}

type LiveRead = Pick<Plan, "grain" | "from" | "to"> & { readonly dimensions: Plan["breakdowns"] };

async function readLive(merchant: number, read: LiveRead, deps: Deps): Promise<readonly RollupRow[]> {
  const partitions = partitionsOf(merchant, deps.placement);
  const replies = await Promise.all(partitions.map((name) => askTwice(name, merchant, read, deps)));
  return replies.flatMap(({ rows }) => rows);
}

/** A partition that is being moved or has just reset itself answers the second time. Reading twice is harmless. */
async function askTwice(name: string, merchant: number, read: LiveRead, deps: Deps) {
  const ask = () => deps.partition(name).live({ merchant, ...read });
  try {
    return await ask();
  } catch (error) {
    deps.log({ event: "live_retried", partition: name, error: causeOf(error) });
    return ask();
  }
}

/** The stored rows in pages: wide ones are many times larger than totals, and memory holds one page. */
async function* readStored(merchant: number, plan: Plan, deps: Deps): AsyncGenerator<readonly RollupRow[]> {
  const { grain, from, to, sketch, breakdowns } = plan;
  const rowsMax = sketch || breakdowns.length > 0 ? ROLLUP_PAGE_WIDE_ROWS : ROLLUP_PAGE_ROWS;
  let after: RollupRow | undefined;
  for (;;) {
    const read = { merchant, grain, from, to, after, rowsMax, sketch, breakdowns };
    const rows = await readRollups(deps.db, read, deps.meter);
    yield rows;
    after = rows.at(-1);
    if (rows.length < rowsMax) return;
  }
}
