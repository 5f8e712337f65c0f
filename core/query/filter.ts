// A question's filters: a tree of and, or, not and has_done over comparisons of one attribute. It is parsed once into a
// value that cannot be wrong. After that it is a pure function of an event and its visit. What a filter says about a
// visit (its source, its exit page) holds for every event of the visit. Refusals have the texts that clients of the
// Plausible Stats API v2 know.

import type { Spelling } from "../enrichment/spelling.ts";
import { FILTER_CLAUSES_MAX, FILTERS_COUNT_MAX, FILTERS_DEPTH_MAX, SAVED_FILTERS_STEPS_MAX } from "../limits.ts";
import { accepted, type Outcome } from "../outcome.ts";
import { TextMap } from "../text-map.ts";
import { type Attribute, attributeOf, isProperty, shownValue } from "./attribute.ts";
import {
  type Budget,
  type Budgets,
  CHARACTERS_PER_STEP,
  COMPARISON_STEPS,
  INSTRUCTION_STEPS,
  openBudgets,
  spend,
  spendJudging,
  stepsRefusal,
} from "./budget.ts";
import { invalid, isObject, mismatch, quote } from "./refusal.ts";
import { finds, parseRegex, type Regex } from "./regex.ts";
import type { Seen, SeenVisit } from "./seen.ts";
import { CodeVerdicts } from "./verdict.ts";

export type Filter =
  | {
      readonly kind: "and";
      readonly of: readonly Filter[];
      /** Set on the filters of a share link: the asker must not get around them. */
      readonly isFixed?: true;
    }
  | { readonly kind: "or"; readonly of: readonly Filter[] }
  | { readonly kind: "not"; readonly of: Filter }
  | { readonly kind: "has_done"; readonly of: Filter }
  | Comparison;

export interface Comparison {
  readonly kind: "comparison";
  readonly attribute: Attribute;
  /** Whether a shown value fits any clause. */
  readonly fits: (value: string) => boolean;
  /** The only value that fits, where there is one. */
  readonly only: string | undefined;
  /** All values that fit, where they are known. */
  readonly exactly: ReadonlySet<string> | undefined;
  /** The values to compare with, as the question has them. */
  readonly clauses: readonly string[];
  /** Whether a shown value fits one clause. */
  readonly fitsClause: (value: string, clause: string) => boolean;
  /** The path of the filter in the question, such as "#/filters/0". */
  readonly path: string;
  /** Pays for using the known verdict on so many values; false once the budget is empty. */
  readonly pay: (values: number) => boolean;
  /** Whether values of the Day that is being read have passed, by the values' codes. */
  readonly verdicts: CodeVerdicts;
}

const EMPTY: Filter = { kind: "and", of: [] };

/** Whether a filter lets everything pass. */
export function isEmpty(filter: Filter): boolean {
  return filter.kind === "and" && filter.of.every(isEmpty);
}

/** Whether a filter has a part that the asker must not get around. */
export function isFixed(filter: Filter): boolean {
  return filter.kind === "and" && (filter.isFixed === true || filter.of.some(isFixed));
}

/** How many filters the asker must not get around. They are the first ones of the question. */
export function fixedCountOf(filter: Filter): number {
  const [first] = filter.kind === "and" ? filter.of : [];
  return first?.kind === "and" && first.isFixed ? first.of.length : 0;
}

/**
 * The part of a filter that comes from a share link; undefined without one. For the link's questions no other events
 * exist (view.ts).
 */
export function viewOf(filter: Filter): Filter | undefined {
  const [first] = filter.kind === "and" ? filter.of : [];
  return first?.kind === "and" && first.isFixed ? first : undefined;
}

/** The asker's own part of a filter, without the share link's. */
export function ownOf(filter: Filter): Filter {
  return filter.kind === "and" && viewOf(filter) !== undefined ? { kind: "and", of: filter.of.slice(1) } : filter;
}

export interface Parsing {
  /** The path of the filters in the question. */
  readonly at?: string;
  /** The budgets of the question that the filters are part of. */
  readonly budgets?: Budgets;
}

/** Parses `filters`, all of which must hold. `fixed` are filters that hold in addition, whatever is asked. */
export function parseFilters(
  value: unknown,
  fixed: readonly unknown[] = [],
  { at = "#/filters", budgets = openBudgets() }: Parsing = {},
): Outcome<Filter> {
  const own = parseList(value === undefined ? [] : value, at, budgets.own);
  if (!own.ok || fixed.length === 0) return own;
  const first = parseSaved(fixed, at, budgets.fixed);
  if (!first.ok || first.value.kind !== "and") return first;
  return accepted({ kind: "and", of: [{ ...first.value, isFixed: true }, own.value] });
}

/**
 * Parses filters that are read for each question of a link. What that takes is bounded by itself, since no purse pays
 * for it.
 */
function parseSaved(value: readonly unknown[], at: string, budget: Budget): Outcome<Filter> {
  const later = Math.max(0, budget.left - SAVED_FILTERS_STEPS_MAX);
  budget.left -= later;
  const parsed = parseList(value, at, budget);
  budget.left += later;
  return budget.ranOutAt === undefined
    ? parsed
    : invalid(`${at}: These filters take too long to read. Use fewer, or simpler, regular expressions.`);
}

function parseList(value: unknown, at: string, budget: Budget): Outcome<Filter> {
  if (!Array.isArray(value)) return mismatch(at, "Array", value);
  if (value.length === 0) return accepted(EMPTY);
  const reading: Reading = { left: FILTERS_COUNT_MAX, budget };
  const all: Filter[] = [];
  for (const [index, entry] of value.entries()) {
    const filter = parseFilter(entry, `${at}/${index}`, reading, FILTERS_DEPTH_MAX);
    if (!filter.ok) return filter;
    all.push(filter.value);
  }
  const nested = checkBehaviour({ kind: "and", of: all });
  return nested.ok ? accepted({ kind: "and", of: all }) : nested;
}

/** Whether an event passes. */
export function passes(filter: Filter, seen: Seen): boolean {
  switch (filter.kind) {
    case "and":
      return filter.of.every((inner) => passes(inner, seen));
    case "or":
      return filter.of.some((inner) => passes(inner, seen));
    case "not":
      return !passes(filter.of, seen);
    case "has_done":
      return hasDone(filter.of, seen.visit);
    case "comparison":
      return compares(filter, seen);
  }
}

/**
 * Whether an event fits a comparison. A value that many events of a Day share is compared once, and the verdict is
 * remembered. Using a remembered verdict is paid for, too.
 */
function compares(comparison: Comparison, seen: Seen): boolean {
  const { attribute, verdicts, pay, fits } = comparison;
  const code = seen.of === undefined ? -1 : attribute.codeOf(seen, seen.of);
  const known = seen.of === undefined ? undefined : verdicts.find(seen.of.token, code);
  if (known !== undefined) return pay(known.values) && known.passes;
  const values = attribute.valuesOf(seen);
  const at = values.findIndex((value) => fits(shownValue(attribute, value)));
  if (seen.of !== undefined)
    verdicts.note(seen.of.token, code, { passes: at >= 0, values: at < 0 ? values.length : at + 1 });
  return at >= 0;
}

/** Every comparison in a filter. */
export function comparisonsOf(filter: Filter): readonly Comparison[] {
  if (filter.kind === "comparison") return [filter];
  return filter.kind === "and" || filter.kind === "or" ? filter.of.flatMap(comparisonsOf) : comparisonsOf(filter.of);
}

/**
 * Whether an event alone does not tell if it passes: the filter also needs its whole visit or, for products, the other
 * events of its order.
 */
export function needsVisits(filter: Filter): boolean {
  if (filter.kind === "has_done") return true;
  if (filter.kind === "comparison")
    return filter.attribute.scope === "visit" || filter.attribute.ofProduct !== undefined;
  return filter.kind === "not" ? needsVisits(filter.of) : filter.of.some(needsVisits);
}

/**
 * The filter without its conditions on goals and properties, for counting those who could have converted. An "or" or
 * "not" that has such a condition anywhere in it is left out as a whole.
 */
export function withoutGoals(filter: Filter): Filter {
  return strip(filter) ?? EMPTY;
}

interface Reading {
  /** How many more entries the filters may have. */
  left: number;
  readonly budget: Budget;
}

type Operator = "is" | "contains" | "matches";
const OPERATORS: ReadonlyMap<unknown, readonly [operator: Operator, negated: boolean]> = new Map([
  ["is", ["is", false]],
  ["is_not", ["is", true]],
  ["contains", ["contains", false]],
  ["contains_not", ["contains", true]],
  ["matches", ["matches", false]],
  ["matches_not", ["matches", true]],
]);

function parseFilter(value: unknown, path: string, reading: Reading, depth: number): Outcome<Filter> {
  reading.left -= 1;
  if (reading.left < 0) return invalid(`#/filters: At most ${FILTERS_COUNT_MAX} filters can be given.`);
  if (depth === 0) return invalid(`#/filters: Filters can be nested ${FILTERS_DEPTH_MAX} deep.`);
  if (!Array.isArray(value)) return invalid(`${path}: Invalid filter ${quote(value)}`);
  const [operator, second, ...rest] = value as readonly unknown[];
  const malformed = () => invalid(`${path}: Invalid filter ${quote(value)}`);
  const inner = (entry: unknown) => parseFilter(entry, path, reading, depth - 1);
  if (operator === "and" || operator === "or") {
    if (!Array.isArray(second) || second.length === 0 || rest.length > 0) return malformed();
    const of: Filter[] = [];
    for (const entry of second) {
      const filter = inner(entry);
      if (!filter.ok) return filter;
      of.push(filter.value);
    }
    return accepted({ kind: operator, of });
  }
  if (operator === "not" || operator === "has_done" || operator === "has_not_done") {
    if (!Array.isArray(second) || second.length === 0 || rest.length > 0) return malformed();
    const filter = inner(second);
    if (!filter.ok) return filter;
    if (operator === "not") return accepted({ kind: "not", of: filter.value });
    const done: Filter = { kind: "has_done", of: filter.value };
    return accepted(operator === "has_done" ? done : { kind: "not", of: done });
  }
  return parseComparison(value, path, reading.budget);
}

function parseComparison(value: readonly unknown[], path: string, budget: Budget): Outcome<Filter> {
  const [name, dimension, given, modifiers, ...rest] = value;
  const malformed = () => invalid(`${path}: Invalid filter ${quote(value)}`);
  const [operator, negated] = OPERATORS.get(name) ?? [];
  if (operator === undefined || rest.length > 0) return malformed();
  if (dimension === "segment") return invalid(`${path}: A segment cannot be named here.`);
  const attribute = attributeOf(dimension);
  if (attribute === undefined || !Array.isArray(given) || given.length === 0) return malformed();
  if (given.length > FILTER_CLAUSES_MAX)
    return invalid(`${path}: A filter can have ${FILTER_CLAUSES_MAX} clauses at most.`);
  const clauses = given.map((clause) =>
    attribute.question === "visit:city" && Number.isSafeInteger(clause) ? String(clause) : (clause as unknown),
  );
  if (!clauses.every((clause) => typeof clause === "string")) return malformed();
  const isSensitive = parseModifiers(modifiers);
  if (isSensitive === undefined || (operator === "matches" && modifiers !== undefined)) return malformed();
  if (attribute.question === "event:goal" && (negated || operator === "matches"))
    return invalid(`${path}: Goals can be filtered by \`is\` and \`contains\` only.`);
  const isCode = (clause: string) => /^[A-Z]{2}$/.test(clause) || clause === attribute.empty;
  if (attribute.question === "visit:country" && operator === "is" && !clauses.every(isCode))
    return invalid("Invalid visit:country filter, visit:country needs to be a valid 2-letter country code.");
  const regexes: Regex[] = [];
  if (operator === "matches") {
    for (const clause of clauses) {
      const regex = parseRegex(clause);
      if (!regex.ok) return invalid(`${path}: ${regex.rejection.message}`);
      regexes.push(regex.value);
      if (!spend(budget, regex.value.program.length * INSTRUCTION_STEPS, path))
        return stepsRefusal({ outOfSteps: path, steps: budget.steps, per: "query" });
    }
  }
  const spelling = attribute.spelling ?? AS_IT_IS;
  const comparer = comparerOf(operator, clauses, { isSensitive, regexes, spelling, budget, path });
  const pay = (values: number) => spend(budget, values * COMPARISON_STEPS, path);
  const own = { clauses, path, pay, verdicts: new CodeVerdicts() };
  const filter: Filter = { kind: "comparison", attribute, ...comparer, ...own };
  return accepted(negated ? { kind: "not", of: filter } : filter);
}

/** Whether case matters; undefined where the modifiers are not valid. */
function parseModifiers(value: unknown): boolean | undefined {
  if (value === undefined) return true;
  if (!isObject(value) || Object.keys(value).some((key) => key !== "case_sensitive")) return undefined;
  const { case_sensitive: isSensitive = true } = value as { readonly case_sensitive?: unknown };
  return typeof isSensitive === "boolean" ? isSensitive : undefined;
}

interface Comparing {
  readonly isSensitive: boolean;
  readonly regexes: readonly Regex[];
  readonly spelling: Spelling;
}

const asItIs = (text: string) => text;
const AS_IT_IS: Spelling = { spell: asItIs, spellPart: asItIs, forms: (value) => [value] };

/**
 * Makes the comparison for an operator. For `is`, the clause and the value are brought to one spelling. For a part of a
 * value or a pattern, all spellings of the value are searched.
 */
function comparerOf(
  operator: Operator,
  clauses: readonly string[],
  { isSensitive, regexes, spelling: { spell, spellPart, forms }, budget, path }: Comparing,
): Pick<Comparison, "fits" | "only" | "exactly" | "fitsClause"> {
  const fold = (text: string) => (isSensitive ? text : text.toLowerCase());
  const paid = (fits: (value: string) => boolean) => (value: string) =>
    spend(budget, COMPARISON_STEPS, path) && fits(value);
  if (operator === "matches") {
    const found = (form: string) => regexes.some((regex) => finds(regex, form, budget, path));
    const fits = paid(remembering((value) => forms(value).some(found)));
    return { only: undefined, exactly: undefined, fits, fitsClause: fits };
  }
  if (operator === "is") {
    const one = (text: string) => fold(spell(text));
    const wanted = new Set(clauses.map(one));
    return {
      only: isSensitive && wanted.size === 1 ? clauses[0] : undefined,
      exactly: isSensitive ? wanted : undefined,
      fits: paid((value) => wanted.has(one(value))),
      fitsClause: (value, clause) => one(value) === one(clause),
    };
  }
  const partsOf = (clause: string) => [...new Set([clause, spellPart(clause)])].map(fold);
  const parts = [...new Set(clauses.flatMap(partsOf))];
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const hasAny = (text: string) => {
    const steps = parts.length + (parts.length * text.length + length) / CHARACTERS_PER_STEP;
    return spendJudging(budget, steps, path) && parts.some((part) => text.includes(part));
  };
  return {
    only: undefined,
    exactly: undefined,
    fits: paid(remembering((value) => forms(value).some((form) => hasAny(fold(form))))),
    fitsClause: (value, clause) =>
      forms(value).some((form) => partsOf(clause).some((part) => fold(form).includes(part))),
  };
}

interface Comparing {
  readonly isSensitive: boolean;
  readonly regexes: readonly Regex[];
  readonly budget: Budget;
  readonly path: string;
}

/** How many verdicts a comparison remembers. Values repeat, so most verdicts are found among these. */
const VERDICTS_KEPT_MAX = 10_000;

function remembering(judge: (value: string) => boolean): (value: string) => boolean {
  let verdicts = new TextMap<boolean>();
  return (value) => {
    const known = verdicts.get(value);
    if (known !== undefined) return known;
    const verdict = judge(value);
    if (verdicts.size >= VERDICTS_KEPT_MAX) verdicts = new TextMap();
    verdicts.set(value, verdict);
    return verdict;
  };
}

/**
 * Checks that has_done asks about attributes of events, since it looks at the other events of a visit, and that no
 * has_done stands inside another.
 */
function checkBehaviour(filter: Filter, inside = false): Outcome<undefined> {
  if (filter.kind === "comparison") {
    if (!inside || filter.attribute.scope === "event") return accepted(undefined);
    const problem = "Behavioral filters (has_done, has_not_done) can only be used with event dimension filters.";
    return invalid(`Invalid filters. ${problem}`);
  }
  if (filter.kind === "has_done") {
    if (inside) return invalid("Invalid filters. Behavioral filters (has_done, has_not_done) cannot be nested.");
    return checkBehaviour(filter.of, true);
  }
  for (const inner of filter.kind === "not" ? [filter.of] : filter.of) {
    const checked = checkBehaviour(inner, inside);
    if (!checked.ok) return checked;
  }
  return accepted(undefined);
}

const verdicts = new WeakMap<SeenVisit, Map<Filter, boolean>>();

/** Whether any event of a visit passes. It is computed once for each visit. */
function hasDone(filter: Filter, visit: SeenVisit): boolean {
  const known = verdicts.get(visit) ?? new Map<Filter, boolean>();
  verdicts.set(visit, known);
  const verdict = known.get(filter);
  if (verdict !== undefined) return verdict;
  const found = visit.events.some((seen) => passes(filter, seen));
  known.set(filter, found);
  return found;
}

function strip(filter: Filter): Filter | undefined {
  if (filter.kind === "comparison") {
    const { attribute } = filter;
    return attribute.question === "event:goal" || isProperty(attribute) ? undefined : filter;
  }
  if (filter.kind === "and") {
    if (filter.isFixed) return filter;
    const left = filter.of.map(strip).filter((inner) => inner !== undefined);
    if (left.length === filter.of.length && left.every((inner, index) => inner === filter.of[index])) return filter;
    return left.length === 0 ? undefined : { kind: "and", of: left };
  }
  const inner = filter.kind === "or" ? filter.of : [filter.of];
  return inner.every((one) => strip(one) === one) ? filter : undefined;
}
