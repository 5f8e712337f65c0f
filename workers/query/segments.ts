// Segments: filters that a merchant saves under a name. Questions, reports and share links may name them. This file
// replaces each name by the segment's filters, before anything else reads the question.

import type { Context } from "hono";
import { SEGMENTS_COUNT_MAX, SHARE_FILTERS_LENGTH_MAX } from "../../core/limits.ts";
import { accepted, type Outcome } from "../../core/outcome.ts";
import { parseFilters } from "../../core/query/filter.ts";
import { invalid, isObject } from "../../core/query/refusal.ts";
import { namesSegment, segmentsIn, withSegments } from "../../core/query/segment.ts";
import { ID_RANDOM_BYTES, segmentId } from "../../storage/directory/credential.ts";
import {
  changeSegment,
  createSegment,
  deleteSegment as dropSegment,
  listSegments,
  type Segment,
} from "../../storage/directory/segments.ts";
import { listShares } from "../../storage/directory/shares.ts";
import type { Asker } from "./asker.ts";
import type { Deps } from "./deps.ts";
import { type Field, NAME, required, savedFilters } from "./field.ts";
import { merchantOf } from "./merchants.ts";
import { type Checked, problem } from "./problem.ts";
import { bodyOf, type Reply } from "./request.ts";

/** Filters that name no segment. */
const FILTERS: Field<readonly unknown[], false> = {
  required: false,
  expected: `a list of one or more filters as questions have them, none of a segment, with few regular expressions, at most ${SHARE_FILTERS_LENGTH_MAX} characters of JSON`,
  schema: { type: "array", items: { type: "array" } },
  parse: savedFilters((value) => value.length > 0 && !namesSegment(value) && parseFilters([], value).ok),
};
export const NEW_SEGMENT = { name: required(NAME), filters: required(FILTERS) };
export const CHANGED_SEGMENT = { name: NAME, filters: FILTERS };

/** POST /api/v1/merchants/:id/segments {"name","filters"} */
export async function postSegment(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const body = await bodyOf(c, NEW_SEGMENT);
  if (!body.ok) return body;
  const [id, now] = [segmentId(deps.random(ID_RANDOM_BYTES)), deps.now()];
  const segment = { id, merchant: merchant.value.number, ...body.value, createdAt: now, updatedAt: now };
  const made = await createSegment(deps.directory, segment);
  if (made === "full") return problem("conflict", `A merchant has at most ${SEGMENTS_COUNT_MAX} segments.`);
  if (made === "taken") return NAME_TAKEN;
  return { ok: true, value: { status: 201, body: shown(segment) } };
}

/** GET /api/v1/merchants/:id/segments: all segments. */
export async function getSegments(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const rows = await listSegments(deps.directory, merchant.value.number);
  return { ok: true, value: { body: { segments: rows.map(shown), next: null } } };
}

/**
 * PATCH /api/v1/merchants/:id/segments/:segment_id {"name"?,"filters"?}: takes effect for every question from now on.
 */
export async function patchSegment(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const body = await bodyOf(c, CHANGED_SEGMENT);
  if (!body.ok) return body;
  const own = { merchant: merchant.value.number, id: c.req.param("segment_id") ?? "" };
  const { name, filters } = body.value;
  const changes = { ...own, updatedAt: deps.now(), ...(name !== undefined && { name }), ...(filters && { filters }) };
  const changed = await changeSegment(deps.directory, changes);
  if (changed === undefined) return NO_SEGMENT;
  if (changed === "taken") return NAME_TAKEN;
  return { ok: true, value: { body: shown(changed) } };
}

/** DELETE /api/v1/merchants/:id/segments/:segment_id. Refused while a share link uses the segment. */
export async function deleteSegment(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const own = { merchant: merchant.value.number, id: c.req.param("segment_id") ?? "" };
  const links = await listShares(deps.directory, own.merchant);
  if (links.some((link) => segmentsIn(link.filters).includes(own.id)))
    return problem("conflict", "A share link names this segment. Revoke the link first.");
  if (!(await dropSegment(deps.directory, own))) return NO_SEGMENT;
  return { ok: true, value: { body: { id: own.id, deleted: true } } };
}

/**
 * The body of a question or report, with the names of segments replaced by their filters. It makes one look-up if any
 * segment is named. Holders of a share link may not name segments: neither their names nor their filters are for them.
 */
export async function fillSegments(
  body: unknown,
  { merchant, isShared }: Pick<Asker, "merchant" | "isShared">,
  deps: Deps,
): Promise<Outcome<unknown>> {
  if (!isObject(body)) return accepted(body);
  const steps = Array.isArray(body["steps"]) ? (body["steps"] as readonly unknown[]) : [];
  const lists = [body["filters"], ...steps.map((step) => (isObject(step) ? step["filters"] : undefined))];
  if (!lists.some(namesSegment)) return accepted(body);
  if (isShared) return invalid("#/filters: Segments cannot be named by the holder of a share link.");
  const find = await finderOf(merchant.number, deps);
  const filters = withSegments(body["filters"], (name) => find(name)?.filters);
  if (!filters.ok) return filters;
  const filled: unknown[] = [];
  for (const step of steps) {
    const own = isObject(step) ? withSegments(step["filters"], (name) => find(name)?.filters) : accepted(undefined);
    if (!own.ok) return own;
    filled.push(isObject(step) && step["filters"] !== undefined ? { ...step, filters: own.value } : step);
  }
  return accepted({
    ...body,
    ...(body["filters"] !== undefined && { filters: filters.value }),
    ...(Array.isArray(body["steps"]) && { steps: filled }),
  });
}

/** The filters of a share link or an export, with the present filters of the segments that they name. */
export async function fillFilters(
  filters: readonly unknown[],
  merchant: number,
  deps: Deps,
): Promise<Outcome<readonly unknown[]>> {
  if (!namesSegment(filters)) return accepted(filters);
  const find = await finderOf(merchant, deps);
  return withSegments(filters, (name) => find(name)?.filters) as Outcome<readonly unknown[]>;
}

/**
 * Filters in the form in which a share link stores them. They name segments by their ids, so that segments may be
 * renamed. Rejected when they are no valid filters.
 */
export async function keepSegments(
  filters: readonly unknown[],
  merchant: number,
  deps: Deps,
): Promise<Outcome<readonly unknown[]>> {
  if (!namesSegment(filters)) return accepted(filters);
  const find = await finderOf(merchant, deps);
  const filled = withSegments(filters, (name) => find(name)?.filters);
  if (!filled.ok) return filled;
  const parsed = parseFilters([], filled.value as readonly unknown[]);
  if (!parsed.ok) return parsed;
  return withSegments(filters, (name) => {
    const id = find(name)?.id;
    return id === undefined ? undefined : [["is", "segment", [id]]];
  }) as Outcome<readonly unknown[]>;
}

async function finderOf(merchant: number, deps: Deps): Promise<(idOrName: string) => Segment | undefined> {
  const rows = await listSegments(deps.directory, merchant);
  return (idOrName) => rows.find(({ id }) => id === idOrName) ?? rows.find(({ name }) => name === idOrName);
}

const NAME_TAKEN = problem("conflict", "The merchant has another segment of this name.", "name");
const NO_SEGMENT = problem("not_found", "The merchant has no segment with this id.");

function shown({ id, name, filters, createdAt, updatedAt }: Segment) {
  const instant = (ms: number) => new Date(ms).toISOString();
  return { id, name, filters, created_at: instant(createdAt), updated_at: instant(updatedAt) };
}
