// Saved views of the dashboard. A view is a page and the query of its address, under a name. It belongs to the
// merchant, or to one member alone. The page reads the query and leaves out what it does not know. Here the query is a
// text of bounded length.

import type { Context } from "hono";
import { OWN_VIEWS_COUNT_MAX, VIEW_SEARCH_LENGTH_MAX, VIEWS_COUNT_MAX } from "../../core/limits.ts";
import { ID_RANDOM_BYTES, viewId } from "../../storage/directory/credential.ts";
import {
  createView,
  deleteView as dropView,
  listViews,
  OF_MERCHANT,
  renameView,
  type SavedView,
} from "../../storage/directory/views.ts";
import type { Deps } from "./deps.ts";
import { type Field, NAME, required } from "./field.ts";
import { merchantOf } from "./merchants.ts";
import { principalOf } from "./principal.ts";
import { type Checked, problem } from "./problem.ts";
import { bodyOf, type Reply } from "./request.ts";
import { noSession } from "./sessions.ts";

const PAGE: Field<string, false> = {
  required: false,
  expected: 'the name of a page in its address, such as "overview"',
  schema: { type: "string", pattern: "^[a-z-]{1,40}$" },
  parse: (value) => (typeof value === "string" && /^[a-z-]{1,40}$/.test(value) ? value : undefined),
};
const SEARCH: Field<string, false> = {
  required: false,
  expected: `the query part of an address, such as "?v=1&range=7d", at most ${VIEW_SEARCH_LENGTH_MAX} characters`,
  schema: { type: "string", maxLength: VIEW_SEARCH_LENGTH_MAX, pattern: "^\\?[!-~]*$" },
  parse: (value) =>
    typeof value === "string" && value.length <= VIEW_SEARCH_LENGTH_MAX && /^\?[!"$-~]*$/.test(value)
      ? value
      : undefined,
};
export const NEW_VIEW = { name: required(NAME), page: required(PAGE), search: required(SEARCH) };
export const VIEW_CHANGE = { name: required(NAME) };

/** Whether a request is about the merchant's views or a member's own. */
type Whose = "merchant" | "own";

/** POST /api/v1/merchants/:id/views {"name","page","search"} */
export const postView = saving("merchant");
/** POST /api/v1/merchants/:id/own-views {"name","page","search"}: a view that only the signed-in member sees. */
export const postOwnView = saving("own");
/** PATCH /api/v1/merchants/:id/views/:view_id {"name"} */
export const patchView = renaming("merchant");
/** PATCH /api/v1/merchants/:id/own-views/:view_id {"name"} */
export const patchOwnView = renaming("own");
/** DELETE /api/v1/merchants/:id/views/:view_id */
export const deleteView = deleting("merchant");
/** DELETE /api/v1/merchants/:id/own-views/:view_id */
export const deleteOwnView = deleting("own");

/** GET /api/v1/merchants/:id/views: the merchant's views and the signed-in member's own, by name. */
export async function getViews(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const own = ownerOf(c, "own");
  const owners = own.ok ? [OF_MERCHANT, own.value] : [OF_MERCHANT];
  const rows = await listViews(deps.directory, { merchant: merchant.value.number, owners });
  return { ok: true, value: { body: { views: rows.map(shown), next: null } } };
}

function saving(whose: Whose) {
  return async (c: Context, deps: Deps): Promise<Checked<Reply>> => {
    const place = await placeOf(c, whose, deps);
    if (!place.ok) return place;
    const body = await bodyOf(c, NEW_VIEW);
    if (!body.ok) return body;
    const id = viewId(deps.random(ID_RANDOM_BYTES));
    const view = { id, ...place.value, ...body.value, createdAt: deps.now() };
    const made = await createView(deps.directory, view);
    if (made === "full") return problem("conflict", FULL[whose]);
    return made === "taken" ? taken() : { ok: true, value: { status: 201, body: shown(view) } };
  };
}

function renaming(whose: Whose) {
  return async (c: Context, deps: Deps): Promise<Checked<Reply>> => {
    const place = await placeOf(c, whose, deps);
    if (!place.ok) return place;
    const body = await bodyOf(c, VIEW_CHANGE);
    if (!body.ok) return body;
    const named = { ...place.value, id: c.req.param("view_id") ?? "", ...body.value };
    const renamed = await renameView(deps.directory, named);
    if (renamed === undefined) return unknownView();
    return renamed === "taken" ? taken() : { ok: true, value: { body: shown(renamed) } };
  };
}

function deleting(whose: Whose) {
  return async (c: Context, deps: Deps): Promise<Checked<Reply>> => {
    const place = await placeOf(c, whose, deps);
    if (!place.ok) return place;
    const named = { ...place.value, id: c.req.param("view_id") ?? "" };
    if (!(await dropView(deps.directory, named))) return unknownView();
    return { ok: true, value: { body: { id: named.id, deleted: true } } };
  };
}

const FULL: Readonly<Record<Whose, string>> = {
  merchant: `A merchant has at most ${VIEWS_COUNT_MAX} saved views.`,
  own: `A member has at most ${OWN_VIEWS_COUNT_MAX} saved views of its own.`,
};

function taken(): Checked<never> {
  return problem("conflict", "Another saved view has this name.", "name");
}

function unknownView(): Checked<never> {
  return problem("not_found", "There is no saved view with this id.");
}

/** The merchant and the owner whose views a request may change. */
async function placeOf(
  c: Context,
  whose: Whose,
  deps: Deps,
): Promise<Checked<{ readonly merchant: number; readonly owner: string }>> {
  const owner = ownerOf(c, whose);
  if (!owner.ok) return owner;
  const merchant = await merchantOf(c, deps);
  return merchant.ok ? { ok: true, value: { merchant: merchant.value.number, owner: owner.value } } : merchant;
}

/** The owner of views. Keys and the deployment cannot have views of their own. */
function ownerOf(c: Context, whose: Whose): Checked<string> {
  if (whose === "merchant") return { ok: true, value: OF_MERCHANT };
  const principal = principalOf(c);
  return principal.kind === "member" ? { ok: true, value: principal.member } : noSession();
}

function shown({ id, name, page, search, createdAt, owner }: SavedView) {
  const isOwn = owner !== OF_MERCHANT;
  return { id, name, page, search, own: isOwn, created_at: new Date(createdAt).toISOString() };
}
