// Admin requests about rules of a merchant (/api/v1/merchants/:id/rules) or of all merchants (/api/v1/rules): read
// those that hold, change them from now on, and list former versions. A change takes effect at a later instant, so that
// every partition knows it by then.

import type { Context } from "hono";
import { ADMIN_PAGE_MAX, RULE_NOTE_LENGTH_MAX } from "../../core/limits.ts";
import { parseRules } from "../../core/rule-parser.ts";
import {
  completeRules,
  extendTimeline,
  GLOBAL_MERCHANT,
  latestRules,
  type RulePeriod,
  type RuleTimeline,
  rulesTakeEffectAt,
} from "../../core/rules.ts";
import { dateOf } from "../../core/time.ts";
import type { Merchant } from "../../storage/directory/merchants.ts";
import { rulesOf } from "../../storage/directory/number-claim.ts";
import { findRuleVersion, findScope, listRuleVersions, writeTimeline } from "../../storage/directory/rules.ts";
import { parseHostname } from "../../storage/hostname.ts";
import type { Deps } from "./deps.ts";
import { type Field, required, wholeNumber } from "./field.ts";
import { backfillGoals } from "./goals.ts";
import { merchantOf } from "./merchants.ts";
import { newNumber } from "./new-number.ts";
import { type Checked, problem } from "./problem.ts";
import { pushSettings } from "./push.ts";
import { bodyOf, parametersOf, type Reply } from "./request.ts";
import { warningsOf } from "./rule-warning.ts";

const VERSION_MAX = Number.MAX_SAFE_INTEGER;
const ANYTHING: Field<unknown, false> = {
  required: false,
  expected: "rules",
  schema: { type: "object" },
  parse: (value) => value,
};
const NOTE: Field<string, false> = {
  required: false,
  expected: `a text of at most ${RULE_NOTE_LENGTH_MAX} characters`,
  schema: { type: "string", maxLength: RULE_NOTE_LENGTH_MAX },
  parse: (value) => (typeof value === "string" && value.length <= RULE_NOTE_LENGTH_MAX ? value.trim() : undefined),
};
export const RULES_CHANGE = { rules: required(ANYTHING), note: NOTE, if_version: wholeNumber(0, 1e15 - 1) };
export const VERSION_PAGE = { limit: wholeNumber(1, ADMIN_PAGE_MAX), after: wholeNumber(1, 1e15 - 1) };

/** GET …/rules: the rules decided last, the instant from which they hold, and the whole timeline. */
export async function getRules(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const scope = await scopeOf(c, deps);
  return scope.ok ? { ok: true, value: { body: shown(scope.value.rules) } } : scope;
}

/** PUT …/rules {rules, note?, if_version?}: decides rules from now on. Equal rules change nothing. */
export async function putRules(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const scope = await scopeOf(c, deps);
  if (!scope.ok) return scope;
  const body = await bodyOf(c, RULES_CHANGE);
  if (!body.ok) return body;
  const rules = parseRules(body.value.rules, parseHostname);
  if (!rules.ok) return problem("invalid_field", `${rules.rejection.message}.`, "rules");
  const { rules: timeline, number } = scope.value;
  if (number === GLOBAL_MERCHANT && (rules.value.hostnames.length > 0 || rules.value.goals.length > 0))
    return problem(
      "invalid_field",
      "hostnames and goals are a merchant's own; the deployment's rules have none.",
      "rules",
    );
  const latest = latestRules(timeline);
  const { if_version } = body.value;
  if (if_version !== undefined && if_version !== latest.version)
    return problem("conflict", `The rules are at version ${latest.version}. Read them and try again.`, "if_version");
  if (JSON.stringify(rules.value) === JSON.stringify(latest.rules))
    return { ok: true, value: { body: shown(timeline) } };

  const now = deps.now();
  const known = timeline.reduce((highest, period) => Math.max(highest, period.version), 0);
  const claimed = await newNumber(rulesOf(number), async () => known, deps);
  if (!claimed.ok) return claimed;
  const version = claimed.value;
  const from = Math.max(rulesTakeEffectAt(now, deps.noticeMs), latest.from ?? 0);
  const extended = extendTimeline(timeline, { version, rules: rules.value, from });
  if (extended === "full")
    return problem("conflict", "Too many changes are remembered; only rules of fewer characters fit.", "rules");
  const warnings = await warningsOf(number, rules.value, deps);
  const added = { version, rules: rules.value, note: body.value.note ?? "", now };
  const changed = await writeTimeline(deps, { merchant: scope.value, timeline: extended, added });
  if (changed === "stale") return problem("conflict", "The settings were changed meanwhile. Read them and try again.");
  deps.keys.clear();
  await pushSettings(scope.value, deps);
  if (JSON.stringify(rules.value.goals) !== JSON.stringify(latest.rules.goals))
    deps.later("goals_backfill", backfillGoals(number, deps));
  return { ok: true, value: { body: { ...shown(extended), ...(warnings.length > 0 && { warnings }) } } };
}

/** GET …/rules/versions?limit&after: the versions that were decided, the newest first. */
export async function getRuleVersions(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const scope = await scopeOf(c, deps);
  if (!scope.ok) return scope;
  const page = parametersOf(c, VERSION_PAGE);
  if (!page.ok) return page;
  const { limit: rowsMax = ADMIN_PAGE_MAX, after: before = VERSION_MAX } = page.value;
  const rows = await listRuleVersions(deps.directory, { merchant: scope.value.number, before, rowsMax });
  const versions = rows.map(({ version, note, createdAt }) => ({ version, note, created_at: iso(createdAt) }));
  return { ok: true, value: { body: { versions, next: rows.length < rowsMax ? null : String(rows.at(-1)?.version) } } };
}

/** GET …/rules/versions/:version */
export async function getRuleVersion(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const scope = await scopeOf(c, deps);
  if (!scope.ok) return scope;
  const version = wholeNumber(1, 1e15 - 1).parse(c.req.param("version"));
  const found = version && (await findRuleVersion(deps.directory, { merchant: scope.value.number, version }));
  if (!found) return problem("not_found", "There is no such version of these rules.");
  const { rules, note, createdAt } = found;
  return {
    ok: true,
    value: { body: { version: found.version, rules: completeRules(rules), note, created_at: iso(createdAt) } },
  };
}

/** The owner of the rules that a path means: the merchant that it names, or the deployment. */
async function scopeOf(c: Context, deps: Deps): Promise<Checked<Merchant>> {
  if (c.req.param("id") !== undefined) return merchantOf(c, deps);
  const global = await findScope(deps.directory, GLOBAL_MERCHANT);
  if (global === undefined) throw new Error("the migrations make a row for the deployment's rules");
  return { ok: true, value: global };
}

function shown(timeline: RuleTimeline) {
  const { version, rules, from } = latestRules(timeline);
  return { version, applies_from: from === undefined ? null : iso(from), rules, timeline: timeline.map(shownPeriod) };
}

function shownPeriod(period: RulePeriod) {
  if ("from" in period) return { version: period.version, from: iso(period.from) };
  const [from, to] = period.days;
  if ("withoutImport" in period)
    return { from_date: dateOf(from), to_date: dateOf(to - 1), without_import: period.withoutImport };
  if ("goals" in period)
    return { version: period.version, from_date: dateOf(from), to_date: dateOf(to - 1), goals_only: true };
  return { version: period.version, from_date: dateOf(from), to_date: dateOf(to - 1) };
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}
