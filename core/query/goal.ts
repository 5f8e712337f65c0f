// Checks that the goals in a question exist. A misspelt goal would be answered with zeros, which look like real
// numbers. The merchant's goals are those of the latest rules, for the past as well, because older events are judged by
// them too.

import { GOALS_SHOWN_MAX } from "../limits.ts";
import { accepted, type Outcome } from "../outcome.ts";
import { goalsDecided, type RuleTimeline } from "../rules.ts";
import { type Budgets, COMPARISON_STEPS, spend, stepsRefusal } from "./budget.ts";
import { comparisonsOf, type Filter } from "./filter.ts";
import { invalid, shown } from "./refusal.ts";

/**
 * Refuses the first goal that a filter names and the latest rules do not have. A question of a share link with filters
 * is not refused, because the refusal would show which goals exist. There an unknown goal has no visitors.
 */
export function checkGoals(
  filters: readonly Filter[],
  rules: RuleTimeline,
  { budgets, view }: { readonly budgets: Budgets; readonly view: Filter | undefined },
): Outcome<undefined> {
  const named = filters.flatMap(comparisonsOf).filter(({ attribute }) => attribute.question === "event:goal");
  if (named.length === 0 || view !== undefined) return accepted(undefined);
  const known = [...new Set(goalsDecided(rules).map(({ name }) => name))].sort();
  for (const { path, clauses, fitsClause } of named) {
    if (!spend(budgets.own, clauses.length * known.length * COMPARISON_STEPS, path))
      return stepsRefusal({ outOfSteps: path, steps: budgets.own.steps, per: "query" });
    const unknown = clauses.find((clause) => !known.some((goal) => fitsClause(goal, clause)));
    if (unknown !== undefined) return invalid(`${path}: ${refusal(unknown, known)}`);
  }
  return accepted(undefined);
}

function refusal(unknown: string, known: readonly string[]): string {
  const problem = `The goal \`${shown(unknown)}\` is not configured for this site.`;
  if (known.length === 0) return `${problem} It has no goals: they are made in its rules.`;
  const some = known.slice(0, GOALS_SHOWN_MAX).map((name) => `\`${shown(name)}\``);
  const rest = known.length - some.length;
  return `${problem} Its goals are ${some.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}.`;
}
