// Warns whoever changes a merchant's rules if most of its recent events would not count under the new list of allowed
// hostnames. Mostly the cause is a misspelt hostname. The breakdown of the last few Days by hostname shows it. A
// warning changes nothing.

import { OTHER } from "../../core/counting/dimension.ts";
import { breakdownOf } from "../../core/counting/rollup-row.ts";
import { hasHost } from "../../core/enrichment/matcher.ts";
import { RULES_LOOKED_BACK_DAYS, RULES_LOOKED_BACK_ROWS } from "../../core/limits.ts";
import type { Rules } from "../../core/rules.ts";
import { DAY_MS } from "../../core/time.ts";
import { readRollups } from "../../storage/ledger/range.ts";
import type { Deps } from "./deps.ts";

/** Warnings about rules that are about to be stored. */
export async function warningsOf(
  merchant: number,
  { hostnames }: Rules,
  deps: Pick<Deps, "ledgers" | "now">,
): Promise<readonly string[]> {
  if (hostnames.length === 0) return [];
  const today = Math.floor(deps.now() / DAY_MS);
  const days = { from: today - RULES_LOOKED_BACK_DAYS, to: today + 2 };
  const read = { merchant, grain: "day", ...days, sketch: false, breakdowns: ["hostname"] } as const;
  const allowed = new Set(hostnames);
  const dropped = new Map<string, number>();
  let all = 0;
  for (const row of await readRollups(deps.ledgers.ofMerchant(read.merchant), read, RULES_LOOKED_BACK_ROWS)) {
    all += row.counts.events;
    for (const { value, counts } of breakdownOf(row, "hostname").entries) {
      // An event without a hostname is always counted, and "(other)" stands for many hostnames.
      if (value === "" || value === OTHER || hasHost(allowed, value)) continue;
      dropped.set(value, (dropped.get(value) ?? 0) + counts.events);
    }
  }
  const gone = [...dropped.values()].reduce((sum, events) => sum + events, 0);
  if (gone * 2 <= all) return [];
  const [[most] = [""]] = [...dropped].sort(([, a], [, b]) => b - a);
  const what = `Of ${all} events of the last ${RULES_LOOKED_BACK_DAYS} Days ${gone} would not have counted`;
  return [`${what}: hostnames allows ${hostnames.join(", ")}, and most of them were on ${most}.`];
}
