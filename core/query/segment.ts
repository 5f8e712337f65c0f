// Segments: filters that a merchant saved under a name. A question says ["is", "segment", ["Returning buyers"]]. The
// saved filters replace that before the question is parsed. So the parser, and `query.filters` of the answer, have only
// plain filters. A segment names no other segment, so there can be no circle.

import { FILTERS_DEPTH_MAX, SEGMENTS_NAMED_MAX } from "../limits.ts";
import { accepted, type Outcome } from "../outcome.ts";
import { invalid, quote } from "./refusal.ts";

/** The filters of a segment by its id or name; undefined when there is none. */
export type FindSegment = (idOrName: string) => readonly unknown[] | undefined;

const NAME = "segment";
const LISTS: readonly unknown[] = ["and", "or"];
const WRAPPERS: readonly unknown[] = ["not", "has_done", "has_not_done"];

/** Whether filters, as they were sent, name any segment. */
export function namesSegment(filters: unknown): boolean {
  return segmentsIn(filters).length > 0;
}

/** What filters name: ids or names of segments. */
export function segmentsIn(filters: unknown): readonly string[] {
  const found: string[] = [];
  const look = (entry: unknown, depth: number): void => {
    if (!Array.isArray(entry) || depth === 0) return;
    const [operator, second, clauses] = entry as readonly unknown[];
    if (second === NAME) found.push(...(Array.isArray(clauses) && clauses.length > 0 ? clauses.map(String) : [NAME]));
    else if (LISTS.includes(operator) && Array.isArray(second)) for (const one of second) look(one, depth - 1);
    else if (WRAPPERS.includes(operator)) look(second, depth - 1);
  };
  if (Array.isArray(filters)) for (const entry of filters) look(entry, FILTERS_DEPTH_MAX);
  return found;
}

/**
 * The filters with the saved ones in place of names of segments. Anything that is no list of filters stays as it is.
 */
export function withSegments(filters: unknown, find: FindSegment): Outcome<unknown> {
  if (!Array.isArray(filters)) return accepted(filters);
  const named = segmentsIn(filters).length;
  if (named > SEGMENTS_NAMED_MAX) return invalid(`#/filters: At most ${SEGMENTS_NAMED_MAX} segments can be named.`);
  return fillList(filters, find, { path: "#/filters", depth: FILTERS_DEPTH_MAX });
}

interface Nesting {
  readonly path: string;
  /** Levels that may still follow. Deeper filters are refused when they are parsed. */
  readonly depth: number;
}

/** Filters that must all hold. The filters of a segment become members of the list. */
function fillList(
  filters: readonly unknown[],
  find: FindSegment,
  { path, depth }: Nesting,
): Outcome<readonly unknown[]> {
  const filled: unknown[] = [];
  for (const [index, entry] of filters.entries()) {
    const own = fill(entry, find, { path: depth === FILTERS_DEPTH_MAX ? `${path}/${index}` : path, depth });
    if (!own.ok) return own;
    if (own.value !== entry && isAnd(own.value)) filled.push(...own.value[1]);
    else filled.push(own.value);
  }
  return accepted(filled);
}

function fill(entry: unknown, find: FindSegment, nesting: Nesting): Outcome<unknown> {
  if (!Array.isArray(entry) || nesting.depth === 0) return accepted(entry);
  const [operator, second, ...rest] = entry as readonly unknown[];
  const inner = { ...nesting, depth: nesting.depth - 1 };
  if (second === NAME) return segment(entry, find, nesting);
  if (operator === "and" && Array.isArray(second)) {
    const list = fillList(second, find, inner);
    return list.ok ? accepted([operator, list.value, ...rest]) : list;
  }
  if (operator === "or" && Array.isArray(second)) {
    const list: unknown[] = [];
    for (const one of second) {
      const own = fill(one, find, inner);
      if (!own.ok) return own;
      list.push(own.value);
    }
    return accepted([operator, list, ...rest]);
  }
  if (!WRAPPERS.includes(operator)) return accepted(entry);
  const own = fill(second, find, inner);
  return own.ok ? accepted([operator, own.value, ...rest]) : own;
}

/** ["is", "segment", ["a", "b"]]: either of them. */
function segment(entry: readonly unknown[], find: FindSegment, { path }: Nesting): Outcome<unknown> {
  const [operator, , names, ...rest] = entry;
  const isNamed = Array.isArray(names) && names.length > 0 && names.every((name) => typeof name === "string");
  if ((operator !== "is" && operator !== "is_not") || !isNamed || rest.length > 0)
    return invalid(`${path}: Invalid filter ${quote(entry)}`);
  const segments: (readonly [string, readonly unknown[]])[] = [];
  for (const name of names as readonly string[]) {
    const filters = find(name);
    if (filters === undefined) return invalid(`${path}: There is no segment ${quote(name)}.`);
    segments.push(["and", filters]);
  }
  const [only, ...others] = segments;
  const either = others.length === 0 ? only : ["or", segments];
  return accepted(operator === "is" ? either : ["not", either]);
}

function isAnd(filter: unknown): filter is readonly ["and", readonly unknown[]] {
  return Array.isArray(filter) && filter[0] === "and" && filter.length === 2 && Array.isArray(filter[1]);
}
