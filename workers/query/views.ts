// Saved views of the dashboard: a page and the query part of its address, under a name. What the address says is for
// the page to read, which leaves out what it does not know; here it is text of bounded length that is of one page.

import type { Context } from "hono";
import { VIEW_SEARCH_LENGTH_MAX, VIEWS_COUNT_MAX } from "../../core/limits.ts";
import { ID_RANDOM_BYTES, viewId } from "../../storage/directory/credential.ts";
import { createView, deleteView as dropView, listViews, type SavedView } from "../../storage/directory/views.ts";
import type { Deps } from "./deps.ts";
import { type Field, NAME, required } from "./field.ts";
import { merchantOf } from "./merchants.ts";
import { type Checked, problem } from "./problem.ts";
import { bodyOf, type Reply } from "./request.ts";

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

/** POST /api/v1/merchants/:id/views {"name","page","search"} */
export async function postView(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const body = await bodyOf(c, NEW_VIEW);
  if (!body.ok) return body;
  const id = viewId(deps.random(ID_RANDOM_BYTES));
  const view = { id, merchant: merchant.value.number, ...body.value, createdAt: deps.now() };
  const made = await createView(deps.directory, view);
  if (made === "full") return problem("conflict", `A merchant has at most ${VIEWS_COUNT_MAX} saved views.`);
  if (made === "taken") return problem("conflict", "The merchant has another saved view of this name.", "name");
  return { ok: true, value: { status: 201, body: shown(view) } };
}

/** GET /api/v1/merchants/:id/views: all of them, by name. */
export async function getViews(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const rows = await listViews(deps.directory, merchant.value.number);
  return { ok: true, value: { body: { views: rows.map(shown), next: null } } };
}

/** DELETE /api/v1/merchants/:id/views/:view_id */
export async function deleteView(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const own = { merchant: merchant.value.number, id: c.req.param("view_id") ?? "" };
  if (!(await dropView(deps.directory, own)))
    return problem("not_found", "The merchant has no saved view with this id.");
  return { ok: true, value: { body: { id: own.id, deleted: true } } };
}

function shown({ id, name, page, search, createdAt }: SavedView) {
  return { id, name, page, search, created_at: new Date(createdAt).toISOString() };
}
