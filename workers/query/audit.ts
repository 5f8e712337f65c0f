// The audit log: it has every act of the admin API that succeeded. It is written in one place around all handlers
// (app.ts), and listed here. The entry is written before the act, so no act is without an entry. If the log cannot be
// written, the request fails and nothing was done. A handler leaves on the context what it knows of its request: the
// merchant it is about, and the fields that were sent. It never leaves fields that hold secrets.

import type { Context } from "hono";
import {
  ADMIN_PAGE_MAX,
  AUDIT_BYTES_PER_SECOND,
  AUDIT_DETAILS_LENGTH_MAX,
  AUDIT_ENTRY_BYTES,
} from "../../core/limits.ts";
import { causeOf } from "../../core/outcome.ts";
import { type AuditEntry, closeEntry, dropEntry, listEntries, openEntry } from "../../storage/directory/audit.ts";
import type { Merchant } from "../../storage/directory/merchants.ts";
import type { AuditDetails } from "../../storage/directory/schema.ts";
import type { Deps } from "./deps.ts";
import { wholeNumber } from "./field.ts";
import { actorOf, ownMerchant, principalOf } from "./principal.ts";
import { type Checked, problem } from "./problem.ts";
import type { KeptPurse, PurseHolder } from "./purse-memory.ts";
import { askedOf, type FileReply, parametersOf, type Reply } from "./request.ts";

export const AUDIT_PAGE = { limit: wholeNumber(1, ADMIN_PAGE_MAX), after: wholeNumber(1, Number.MAX_SAFE_INTEGER) };

/** Runs an act and logs it: who did what, when, to which target. */
export async function audited(
  c: Context,
  deps: Deps,
  act: string,
  handle: () => Promise<Checked<Reply | FileReply>>,
): Promise<Checked<Reply | FileReply>> {
  const principal = principalOf(c);
  const own = ownMerchant(principal)?.number ?? null;
  const purses = own === null ? [] : auditPursesOf({ asker: actorOf(principal), merchant: own }, deps);
  if (purses.some(({ left }) => left < AUDIT_ENTRY_BYTES)) {
    c.header("Retry-After", String(Math.ceil(AUDIT_ENTRY_BYTES / AUDIT_BYTES_PER_SECOND)));
    return problem("rate_limited", TOO_MANY_ACTS);
  }
  const named = Object.values(c.req.param()).at(-1) ?? "";
  const target = /^\w{1,64}$/.test(named) ? named : null;
  const entry = { at: deps.now(), actor: actorOf(principal), merchant: own, act, target };
  const id = await openEntry(deps.directory, entry);
  const reply = await handle();
  try {
    if (!reply.ok) await dropEntry(deps.directory, id);
    else {
      const known = { target: targetOf(reply.value) ?? target, merchant: own ?? concerned(c) };
      const details = detailsOf(askedOf(c), purses);
      for (const purse of purses) purse.left -= AUDIT_ENTRY_BYTES + JSON.stringify(details).length;
      await closeEntry(deps.directory, { id, ...known, details });
    }
  } catch (error) {
    // The outcome of the act is settled by now. Its entry keeps the result "unknown", which claims nothing.
    deps.log({ event: "audit_incomplete", entry: id, act, error: causeOf(error) });
  }
  return reply;
}

/** Notes on the context which merchant a request is about. */
export function concern(c: Context, merchant: Merchant): void {
  c.set("concerns", merchant.number);
}

function concerned(c: Context): number | null {
  return (c.get("concerns") as number | undefined) ?? null;
}

/** GET /api/v1/audit?limit&after: entries, newest first. A merchant sees all acts on its own data, whoever did them. */
export async function getAudit(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const page = parametersOf(c, AUDIT_PAGE);
  if (!page.ok) return page;
  const { limit: rowsMax = ADMIN_PAGE_MAX, after: before = Number.MAX_SAFE_INTEGER } = page.value;
  const merchant = ownMerchant(principalOf(c))?.number;
  const rows = await listEntries(deps.directory, { merchant, before, rowsMax });
  const next = rows.length < rowsMax ? null : String(rows.at(-1)?.id);
  return { ok: true, value: { body: { audit: rows.map(shown), next } } };
}

function shown({ id, at, ...entry }: AuditEntry) {
  return { id: String(id), at: new Date(at).toISOString(), ...entry };
}

/** The id of what was made or changed, as the answer says it. For a stream it is the number. */
function targetOf(reply: Reply | FileReply): string | undefined {
  if ("file" in reply) return undefined;
  const { body } = reply;
  const target = body["id"] ?? body["number"];
  return typeof target === "string" || typeof target === "number" ? String(target) : undefined;
}

/** The details of an entry. Of a large request, or one of many, they have only the names of its fields. */
function detailsOf(asked: AuditDetails, purses: readonly KeptPurse[]): AuditDetails {
  const { length } = JSON.stringify(asked);
  const isScarce = length > AUDIT_ENTRY_BYTES && purses.some(({ left, size }) => left < size / 2);
  if (length <= AUDIT_DETAILS_LENGTH_MAX && !isScarce) return asked;
  return { cut: true, fields: Object.keys(asked) };
}

const TOO_MANY_ACTS =
  "There were more acts of this merchant than its audit log takes in a day. " +
  "Try again after the seconds of Retry-After, or make fewer changes.";

/** The purses that pay for an entry. Where limits are off there are none. */
function auditPursesOf(who: PurseHolder, deps: Deps): readonly KeptPurse[] {
  return deps.keyLimit === undefined ? [] : deps.auditPurses.of(who, deps.now());
}
