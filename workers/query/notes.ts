// Notes on a Day: what happened then, such as a campaign or a closed shop. The dashboard draws them on its chart. They
// change no number.

import type { Context } from "hono";
import { clean } from "../../core/formats/field.ts";
import { NOTE_LENGTH_MAX, NOTES_COUNT_MAX, QUESTION_DAY_MAX } from "../../core/limits.ts";
import { dateOf } from "../../core/time.ts";
import { ID_RANDOM_BYTES, noteId } from "../../storage/directory/credential.ts";
import { createNote, deleteNote as dropNote, listNotes, type Note } from "../../storage/directory/notes.ts";
import type { Deps } from "./deps.ts";
import { DATE, type Field, required } from "./field.ts";
import { merchantOf } from "./merchants.ts";
import { principalOf } from "./principal.ts";
import { type Checked, problem } from "./problem.ts";
import { bodyOf, parametersOf, type Reply } from "./request.ts";

const NOTE_TEXT: Field<string, false> = {
  required: false,
  expected: `a text of 1 to ${NOTE_LENGTH_MAX} characters`,
  schema: { type: "string", minLength: 1 },
  parse: (value) => {
    const text = typeof value === "string" ? clean(value).trim() : "";
    return text.length > 0 && text.length <= NOTE_LENGTH_MAX ? text : undefined;
  },
};
export const NEW_NOTE = { date: required(DATE), text: required(NOTE_TEXT) };
export const NOTE_RANGE = { from: DATE, to: DATE };

/** POST /api/v1/merchants/:id/notes {"date","text"} */
export async function postNote(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const body = await bodyOf(c, NEW_NOTE);
  if (!body.ok) return body;
  const principal = principalOf(c);
  const note: Note = {
    id: noteId(deps.random(ID_RANDOM_BYTES)),
    merchant: merchant.value.number,
    day: body.value.date,
    text: body.value.text,
    author: principal.kind === "member" ? principal.email : null,
    createdAt: deps.now(),
  };
  if ((await createNote(deps.directory, note)) === "full")
    return problem("conflict", `A merchant has at most ${NOTES_COUNT_MAX} notes.`);
  return { ok: true, value: { status: 201, body: shown(note) } };
}

/**
 * GET /api/v1/merchants/:id/notes?from&to: the notes on Days from `from` to `to`, both included. Without them all
 * notes.
 */
export async function getNotes(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const range = parametersOf(c, NOTE_RANGE);
  if (!range.ok) return range;
  const { from = 0, to = QUESTION_DAY_MAX } = range.value;
  const rows = await listNotes(deps.directory, { merchant: merchant.value.number, from, to });
  return { ok: true, value: { body: { notes: rows.map(shown), next: null } } };
}

/** DELETE /api/v1/merchants/:id/notes/:note_id */
export async function deleteNote(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const own = { merchant: merchant.value.number, id: c.req.param("note_id") ?? "" };
  if (!(await dropNote(deps.directory, own))) return problem("not_found", "The merchant has no note with this id.");
  return { ok: true, value: { body: { id: own.id, deleted: true } } };
}

function shown({ id, day, text, author, createdAt }: Note) {
  return { id, date: dateOf(day), text, author, created_at: new Date(createdAt).toISOString() };
}
