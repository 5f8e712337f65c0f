// What a question may cost beside reading its events, whatever it is made of: one number of steps, which everything
// that it asks draws on (its filters, nested or of segments, the steps of a funnel, regular expressions, values to
// compare with). Where it runs out the question is refused with the place that took the last step. What a share link
// fixes draws on a number of its own, so that a question of the link cannot tell from its own refusal how much there is
// that the link hides. Many questions of one asker draw on a purse as well, so that one after the other, or all at
// once, they do not keep an isolate busy for whole minutes.

import { QUESTION_STEPS_MAX } from "../limits.ts";
import { invalid } from "./refusal.ts";

/** Steps that somebody has for all questions together. Who holds it puts steps back as time goes by. */
export interface Purse {
  left: number;
}

/** A step takes about 10 ns. */
export interface Budget {
  /** Whose steps are taken beside the question's own. */
  readonly purses: readonly Purse[];
  /** What there was to begin with. */
  readonly steps: number;
  left: number;
  /** What took the last step ("#/filters/3"); undefined while any are left. */
  ranOutAt: string | undefined;
}

export interface Budgets {
  readonly own: Budget;
  /** Of what holds whatever is asked. */
  readonly fixed: Budget;
}

/** What a question has run out of. */
export interface OutOfSteps {
  readonly outOfSteps: string;
  /** How many there were. */
  readonly steps: number;
}

/**
 * A comparison of one value, with all that leads to it; a character that a regular expression is given; an instruction
 * of one, which costs memory as well; characters of a value and a clause that are compared in one step.
 */
export const COMPARISON_STEPS = 15;
export const INSTRUCTION_STEPS = 1_000;
export const CHARACTERS_PER_STEP = 16;
/** An event that is put under the values of one dimension. */
export const EVENT_STEPS = 10;

export function openBudget(steps = QUESTION_STEPS_MAX, purses: readonly Purse[] = []): Budget {
  return { purses, steps, left: steps, ranOutAt: undefined };
}

/** Purses pay for what is asked alone: from what a link fixes nobody can tell how much it hides. */
export function openBudgets(steps = QUESTION_STEPS_MAX, purses: readonly Purse[] = []): Budgets {
  return { own: openBudget(steps, purses), fixed: openBudget(Math.max(steps, QUESTION_STEPS_MAX)) };
}

/** Takes steps; false once there are none left. */
export function spend(budget: Budget, steps: number, place: string): boolean {
  budget.left -= steps;
  for (const purse of budget.purses) purse.left -= steps;
  if (budget.left >= 0 && !isStoppedByPurse(budget)) return true;
  budget.ranOutAt ??= place;
  return false;
}

/**
 * Whether a question ends because of what others took, and may be asked again later. One that takes too
 * much by itself never may.
 */
export function isStoppedByPurse({ left, purses }: Budget): boolean {
  return left >= 0 && purses.some((purse) => purse.left < 0);
}

/** What has run out, if anything. */
export function outOfSteps({ own, fixed }: Budgets): OutOfSteps | undefined {
  if (own.ranOutAt !== undefined) return { outOfSteps: own.ranOutAt, steps: own.steps };
  return fixed.ranOutAt === undefined ? undefined : { outOfSteps: FIXED_PLACE, steps: fixed.steps };
}

/** Where a share link's filters stand, as far as its asker is concerned. */
const FIXED_PLACE = "#/filters";

export function stepsRefusal({ outOfSteps, steps }: OutOfSteps) {
  const what = `The query needs more than ${steps} steps, which it has taken by here`;
  return invalid(`${outOfSteps}: ${what}. Use fewer filters and values, or simpler regular expressions.`);
}
