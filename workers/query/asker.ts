// Who asks a question: a holder of a merchant's key, a holder of a share link, or a member who is signed in. Each of
// them becomes an `Asker`: one merchant, and the filters that are added to every question of this asker.

import type { Context } from "hono";
import { LINK_STEPS_SHARE, QUESTION_STEPS_MAX } from "../../core/limits.ts";
import { type Budgets, isStoppedByPurse, openBudgets } from "../../core/query/budget.ts";
import { KEYLESS } from "../../core/turns.ts";
import type { Merchant } from "../../storage/directory/merchants.ts";
import { bearerOf, names, noteUse, openKey } from "./authorize.ts";
import type { Deps } from "./deps.ts";
import { admit, admitGuest, guestOf, TOO_DEAR, TOO_OFTEN } from "./limit.ts";
import { maySignIn, membershipsOf } from "./membership.ts";
import { OPENS } from "./principal.ts";
import { Reading } from "./reading.ts";
import { fillFilters } from "./segments.ts";
import { openShare } from "./shares.ts";
import { RollupTurn } from "./turn.ts";

export const MISSING_KEY = "Missing API key. Please send a merchant's API key as a Bearer Token.";
export const MISSING_SITE =
  "Missing site ID. Please name the merchant, a tracking ID or a hostname of it in `site_id`.";
const WRONG_KEY_OR_SITE = "Invalid API key or site ID. Please check that the key is valid and opens this merchant.";
const NO_QUESTIONS = "This key may only send events. Questions need a key of scope read or admin.";

export interface Asker {
  /** The id of the key, share link or member. Limits count by it. */
  readonly id: string;
  readonly merchant: Merchant;
  /** Hostnames that are known to be the merchant's. */
  readonly hostnames: Set<string>;
  readonly mayAsk: boolean;
  /** Whether the asker is a share link. */
  readonly isShared: boolean;
  /** Which of the link's guests asks, by address. Undefined for other askers, and where the address is not known. */
  readonly guest?: string | undefined;
  readonly filters: readonly unknown[];
}

/** Whether a request names an asker in any way. */
export function saysWho(c: Context): boolean {
  return bearerOf(c.req.header("authorization")) !== undefined || maySignIn(c);
}

/** Why an asker gets no answer. */
export interface Refusal {
  readonly code: "unauthorized" | "forbidden" | "rate_limited";
  readonly error: string;
}

/**
 * The asker of a request about `siteId`, or a refusal. It is refused if it may not ask, asks too often, or names a
 * merchant that is not its own.
 */
export async function admitAsker(c: Context, siteId: string, deps: Deps): Promise<Asker | Refusal> {
  const asker = await askerOf(c, siteId, deps);
  if (asker === undefined) return { code: "unauthorized", error: WRONG_KEY_OR_SITE };
  if (!(await admitOwn(c, asker, deps))) return { code: "rate_limited", error: TOO_OFTEN };
  if (!asker.mayAsk) return { code: "forbidden", error: NO_QUESTIONS };
  if (!(await names(siteId, asker, deps))) return { code: "unauthorized", error: WRONG_KEY_OR_SITE };
  // A share link whose segment was deleted is refused.
  const filled = await fillFilters(asker.filters, asker.merchant.number, deps);
  return filled.ok ? { ...asker, filters: filled.value } : { code: "forbidden", error: filled.rejection.message };
}

/** Whether an asker may send this request. A guest of a share link is counted by itself before the link is. */
function admitOwn(c: Context, { id, isShared }: Asker, deps: Deps): Promise<boolean> {
  return isShared ? admitGuest(c, id, deps) : admit(c, id, deps.keyLimit);
}

/** The budgets that pay for an asker's question. Where limits are off, there is only the question's own budget. */
export function budgetsOf({ id, merchant, isShared, guest }: Asker, deps: Deps): Budgets {
  const who = { asker: id, merchant: merchant.number, isShared, guest };
  const steps = isShared ? QUESTION_STEPS_MAX / LINK_STEPS_SHARE : QUESTION_STEPS_MAX;
  return openBudgets(steps, deps.keyLimit === undefined ? [] : deps.purses.of(who, deps.now()));
}

/**
 * The `deps` for this asker's questions, with the purse that pays for the events they read, and the line in which they
 * wait to read many rollups. Where limits are off there is neither.
 */
export function readingAs(
  { id, merchant: { number }, isShared, guest }: Pick<Asker, "id" | "merchant" | "isShared" | "guest">,
  deps: Deps,
): Deps {
  if (deps.keyLimit === undefined) return deps;
  const purses = deps.readingPurses.of({ asker: id, merchant: number, isShared, guest }, deps.now());
  const asker = guest === undefined ? id : `${id} ${guest}`;
  // The guests of a merchant's links keep nobody of its own waiting, and all guests together are one neighbour.
  const line = isShared ? `links of ${number}` : `${number}`;
  const rollupTurn = new RollupTurn(deps, { line, asker, lane: isShared ? KEYLESS : number });
  return { ...deps, reading: new Reading(purses, { isShared, asker, merchant: number }), rollupTurn };
}

/** What pays for a question while it is answered. */
export interface Purses {
  readonly budgets: Budgets;
  readonly reading: Reading | undefined;
}

/** Why a question must wait: a purse is empty, and fills again with time. Undefined where no purse is empty. */
export function emptyPurseOf({ budgets, reading }: Purses): string | undefined {
  if (isStoppedByPurse(budgets.own)) return TOO_DEAR;
  return reading?.refusal;
}

/**
 * The asker of a request about `siteId`. Undefined if nobody known asks. It does not check that `siteId` is the asker's
 * own.
 */
async function askerOf(c: Context, siteId: string, deps: Deps): Promise<Asker | undefined> {
  const token = bearerOf(c.req.header("authorization"));
  if (token === undefined) return await memberAsking(c, siteId, deps);
  const opened = await openKey(token, deps);
  if (opened === undefined) return await shareAsking(c, token, deps);
  noteUse(opened, deps);
  const { id, merchant, scope } = opened.holder;
  return {
    id,
    merchant,
    hostnames: opened.hostnames,
    mayAsk: OPENS[scope].includes("read"),
    isShared: false,
    filters: [],
  };
}

async function shareAsking(c: Context, token: string, deps: Deps): Promise<Asker | undefined> {
  const opened = await openShare(token, deps);
  if (opened === undefined) return undefined;
  const { id, filters } = opened.share;
  return {
    id,
    merchant: opened.merchant,
    hostnames: new Set(),
    mayAsk: true,
    isShared: true,
    guest: guestOf(c),
    filters,
  };
}

/** A member of several merchants must name one of them by its id. A member of one merchant may name it in any way. */
async function memberAsking(c: Context, siteId: string, deps: Deps): Promise<Asker | undefined> {
  const memberships = await membershipsOf(c, deps);
  const named = memberships.find(({ merchant }) => merchant.id === siteId);
  const { member, merchant } = named ?? memberships[0] ?? {};
  if (member === undefined || merchant === undefined) return undefined;
  const mayAsk = OPENS[member.role].includes("read");
  return { id: member.id, merchant, hostnames: new Set(), mayAsk, isShared: false, filters: [] };
}
