// The audit log: every act of the admin API that succeeds, noted in one place around all handlers (app.ts), and its
// list. The entry is there before the act, so that an act without an entry cannot be; if the log cannot be written, the
// request fails and nothing was done. What a handler knows of its request (the merchant it is about, the fields it was
// sent) it leaves on the context; fields that hold secrets are never left there.

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

/** Acts, and notes that: who, when, what, on whom. */
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
    // The act is decided; its entry stays as "unknown" and says that much.
    deps.log({ event: "audit_incomplete", entry: id, act, error: causeOf(error) });
  }
  return reply;
}

/** Leaves with the request which merchant it is about. */
export function concern(c: Context, merchant: Merchant): void {
  c.set("concerns", merchant.number);
}

function concerned(c: Context): number | null {
  return (c.get("concerns") as number | undefined) ?? null;
}

/** GET /api/v1/audit?limit&after: newest first. A merchant sees what was done to its own, by whomever. */
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

/** What was made or changed: the answer says its id, or a stream's its number. */
function targetOf(reply: Reply | FileReply): string | undefined {
  if ("file" in reply) return undefined;
  const { body } = reply;
  const target = body["id"] ?? body["number"];
  return typeof target === "string" || typeof target === "number" ? String(target) : undefined;
}

/** Of a large request, or of one of many, the names of its fields alone. */
function detailsOf(asked: AuditDetails, purses: readonly KeptPurse[]): AuditDetails {
  const { length } = JSON.stringify(asked);
  const isScarce = length > AUDIT_ENTRY_BYTES && purses.some(({ left, size }) => left < size / 2);
  if (length <= AUDIT_DETAILS_LENGTH_MAX && !isScarce) return asked;
  return { cut: true, fields: Object.keys(asked) };
}

const TOO_MANY_ACTS =
  "There were more acts of this merchant than its audit log takes in a day. " +
  "Try again after the seconds of Retry-After, or make fewer changes.";

/** What pays for an entry. Where limits are off nothing does. */
function auditPursesOf(who: PurseHolder, deps: Deps): readonly KeptPurse[] {
  return deps.keyLimit === undefined ? [] : deps.auditPurses.of(who, deps.now());
}
