// Plans for tests: a question's body, planned for a merchant as the query Worker would.

import type { ZonePeriod } from "../../core/merchant.ts";
import type { Outcome } from "../../core/outcome.ts";
import { type Plan, planQuestion } from "../../core/query/plan.ts";
import { parseQuestion } from "../../core/query/question.ts";
import { resolveRange } from "../../core/query/range.ts";

export const UTC: readonly ZonePeriod[] = [{ from: 0, zone: "UTC" }];
/** A Wednesday. */
export const NOW = Date.parse("2021-05-05T12:30:00Z");

export function planOf(body: object, zones: readonly ZonePeriod[] = UTC): Plan {
  return valueFrom(tryPlan(body, zones));
}

export function tryPlan(body: object, zones: readonly ZonePeriod[] = UTC): Outcome<Plan> {
  const question = valueFrom(
    parseQuestion({ site_id: "shop.example", metrics: ["visitors"], date_range: "day", ...body }),
  );
  const range = valueFrom(resolveRange(question.dateRange, { zones, now: NOW }));
  return planQuestion(question, range, zones);
}

export function valueFrom<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw new Error(outcome.rejection.message);
}
