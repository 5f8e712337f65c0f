// What a question may cost besides reading its events: one number of steps. Everything that it asks takes steps from
// it: filters, nested or of segments, the steps of a funnel, regular expressions, and values to compare with. When none
// are left, the question is refused, and the refusal names the field that took the last step. The filters of a share
// link have steps of their own. Otherwise a question of the link could learn from its refusal how much the link hides.
// Many questions of one asker also pay from a purse, so that they do not keep an isolate busy for minutes.

import { JUDGED_STEPS_MAX, QUESTION_STEPS_MAX } from "../limits.ts";
import { invalid } from "./refusal.ts";

/** Steps that an asker has for all questions together. Its owner puts steps back as time passes. */
export interface Purse {
  left: number;
}

/** A step takes about 10 ns. */
export interface Budget {
  /** Purses that pay as well. */
  readonly purses: readonly Purse[];
  /** The steps at the beginning. */
  readonly steps: number;
  left: number;
  /** The field that took the last step ("#/filters/3"). Undefined while any are left. */
  ranOutAt: string | undefined;
  /** Steps of judging since counting could last give way (JUDGED_STEPS_MAX). Undefined where counting is not cut. */
  judged: number | undefined;
}

export interface Budgets {
  readonly own: Budget;
  /** The budget of filters that hold whatever is asked. */
  readonly fixed: Budget;
}

/** What needs more steps than there are. */
export interface OutOfSteps {
  /** The field that took the last step. */
  readonly outOfSteps: string;
  /** How many steps there were, and for what. */
  readonly steps: number;
  readonly per: "query" | "event";
}

/**
 * Steps of a comparison of one value with all that leads to it; of a character given to a regular expression; of an
 * instruction of one, which costs memory as well; and the characters of a value and a clause that one step compares.
 */
export const COMPARISON_STEPS = 15;
export const INSTRUCTION_STEPS = 1_000;
export const CHARACTERS_PER_STEP = 16;
/** Adding an event under the values of one dimension. */
export const EVENT_STEPS = 10;
/** An event may have several goals, products and properties, and so belong to several groups. Of each group but one: */
export const GROUP_STEPS = { found: 800, addedTo: 25, lineOfSale: 6 } as const;

export function openBudget(steps = QUESTION_STEPS_MAX, purses: readonly Purse[] = []): Budget {
  return { purses, steps, left: steps, ranOutAt: undefined, judged: undefined };
}

/**
 * Only the asker's own part is paid from purses. A link's filters are not, so that nobody can tell from a purse how
 * much they hide.
 */
export function openBudgets(steps = QUESTION_STEPS_MAX, purses: readonly Purse[] = []): Budgets {
  return { own: openBudget(steps, purses), fixed: openBudget(Math.max(steps, QUESTION_STEPS_MAX)) };
}

/** Takes steps; false once there are none left. */
export function spend(budget: Budget, steps: number, path: string): boolean {
  budget.left -= steps;
  for (const purse of budget.purses) purse.left -= steps;
  if (budget.left >= 0 && !isStoppedByPurse(budget)) return true;
  budget.ranOutAt ??= path;
  return false;
}

/**
 * Takes steps for judging a value, as `spend` does. What is judged in one go, which is an event or with has_done a
 * visit, may take JUDGED_STEPS_MAX: its isolate answers nobody else meanwhile.
 */
export function spendJudging(budget: Budget, steps: number, path: string): boolean {
  if (!spend(budget, steps, path)) return false;
  if (budget.judged === undefined) return true;
  budget.judged += steps;
  if (budget.judged <= JUDGED_STEPS_MAX) return true;
  budget.ranOutAt ??= path;
  return false;
}

/** Counting can give way here, so judging begins anew. */
export function judgeAnew({ own, fixed }: Budgets): void {
  for (const budget of [own, fixed]) if (budget.ranOutAt === undefined) budget.judged = 0;
}

/**
 * Whether a question ends because others have emptied the purse. Then it may be asked again later. A question that
 * takes too much by itself may not.
 */
export function isStoppedByPurse({ left, purses }: Budget): boolean {
  return left >= 0 && purses.some((purse) => purse.left < 0);
}

/** Which budget is empty, if any. */
export function outOfSteps({ own, fixed }: Budgets): OutOfSteps | undefined {
  if (own.ranOutAt !== undefined) return { outOfSteps: own.ranOutAt, ...limitOf(own) };
  return fixed.ranOutAt === undefined ? undefined : { outOfSteps: FIXED_PATH, ...limitOf(fixed) };
}

/** The field that an asker is told for the filters of a share link. */
const FIXED_PATH = "#/filters";

function limitOf({ steps, judged = 0 }: Budget): Pick<OutOfSteps, "steps" | "per"> {
  return judged > JUDGED_STEPS_MAX ? { steps: JUDGED_STEPS_MAX, per: "event" } : { steps, per: "query" };
}

export function stepsRefusal({ outOfSteps, steps, per }: OutOfSteps) {
  const what = per === "query" ? "The query needs" : "One event of the query, or one visit, needs";
  return invalid(
    `${outOfSteps}: ${what} more than ${steps} steps, which it has taken by here. Use fewer filters and values, or simpler regular expressions.`,
  );
}
