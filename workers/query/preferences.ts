// How the signed-in person wants the dashboard: language, theme, the page that opens first, and the region by whose
// habits numbers are written. It is stored with each membership that the session opens, so that another browser shows
// the same. Nobody else sees it.

import type { Context } from "hono";
import { LANGUAGES } from "../../core/notice/language.ts";
import { NO_PREFERENCES, type Preferences, THEMES } from "../../core/preference.ts";
import { keepPreferences, type Membership } from "../../storage/directory/members.ts";
import type { Deps } from "./deps.ts";
import { type Field, oneOf } from "./field.ts";
import { membershipsOf } from "./membership.ts";
import type { Checked } from "./problem.ts";
import { bodyOf, type Reply } from "./request.ts";

/** The same field, which null unsets. */
function orNull<T>({ expected, schema, parse, ...field }: Field<T, false>): Field<T | null, false> {
  return {
    ...field,
    expected: `${expected}, or null`,
    schema: { anyOf: [schema, { type: "null" }] },
    parse: (value) => (value === null ? null : parse(value)),
  };
}

/** A text that matches a regular expression. */
function shaped(shape: RegExp, expected: string): Field<string, false> {
  const parse = (value: unknown) => (typeof value === "string" && shape.test(value) ? value : undefined);
  return { required: false, expected, schema: { type: "string", pattern: shape.source }, parse };
}

export const PREFERENCE_CHANGE = {
  language: orNull(oneOf(LANGUAGES)),
  theme: orNull(oneOf(THEMES)),
  start_page: orNull(shaped(/^[a-z-]{1,40}$/, 'the name of a page in its address, such as "morning"')),
  region: orNull(shaped(/^[A-Z]{2}$/, 'two letters of ISO 3166-1, such as "AT"')),
};

/** GET /api/v1/preferences */
export async function getPreferences(c: Context, deps: Deps): Promise<Checked<Reply>> {
  return { ok: true, value: { body: { ...preferencesOf(await membershipsOf(c, deps)) } } };
}

/** PATCH /api/v1/preferences {"language","theme","start_page","region"}: changes the named fields. */
export async function patchPreferences(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const body = await bodyOf(c, PREFERENCE_CHANGE);
  if (!body.ok) return body;
  const own = await membershipsOf(c, deps);
  const changes = Object.entries(body.value).filter(([, value]) => value !== undefined);
  const preferences: Preferences = { ...preferencesOf(own), ...Object.fromEntries(changes) };
  await keepPreferences(deps.directory, { members: own.map(({ member }) => member.id), preferences });
  return { ok: true, value: { body: { ...preferences } } };
}

/** The preferences of the first membership that has any. A membership that was joined later has none yet. */
export function preferencesOf(memberships: readonly Membership[]): Preferences {
  const said = memberships.find(({ member }) => member.preferences !== null)?.member.preferences;
  return { ...NO_PREFERENCES, ...said };
}
