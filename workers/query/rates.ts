// Admin requests about exchange rates. The deployment's rates (/api/v1/rates) convert the money of all merchants. A
// merchant's own rates (/api/v1/merchants/:id/rates) take precedence over them. Money is converted when a question is
// answered. So a change takes effect at once, for the past as well, and nothing is counted again.

import type { Context } from "hono";
import { ADMIN_PAGE_MAX, OWN_RATES_MAX, QUESTION_DAY_MAX, RATES_SENT_MAX } from "../../core/limits.ts";
import type { OwnRate, PublishedRates } from "../../core/rate.ts";
import { pairOf } from "../../core/rate.ts";
import { lastRateDay, type OwnChange, parseOwnRates, parsePublished } from "../../core/rate-parser.ts";
import { dateOf } from "../../core/time.ts";
import {
  findReplaced,
  listOwnRates,
  listRates,
  readFetchedAt,
  writeOwnRates,
  writeRates,
} from "../../storage/directory/rates.ts";
import type { Deps } from "./deps.ts";
import { DATE, type Field, required, wholeNumber } from "./field.ts";
import { merchantOf } from "./merchants.ts";
import { type Checked, problem } from "./problem.ts";
import { bodyOf, parametersOf, type Reply } from "./request.ts";

/** Entries. The parser of an entry says what is wrong with it, and where (rate-parser.ts). */
const ENTRIES: Field<readonly unknown[], false> = {
  required: false,
  expected: `a list of 1 to ${RATES_SENT_MAX} entries`,
  schema: { type: "array" },
  parse: (value) => (Array.isArray(value) ? value : undefined),
};
const PREVIEW: Field<boolean, false> = {
  required: false,
  expected: "true or false",
  schema: { type: "boolean" },
  parse: (value) => (typeof value === "boolean" ? value : undefined),
};
export const RATES_IMPORT = { rates: required(ENTRIES) };
export const RATES_PAGE = { limit: wholeNumber(1, ADMIN_PAGE_MAX), after: DATE };
export const OWN_RATES_CHANGE = { rates: required(ENTRIES), preview: PREVIEW };
export const OWN_RATES_PAGE = { limit: wholeNumber(1, ADMIN_PAGE_MAX), after: wholeNumber(1, OWN_RATES_MAX * 2) };

/** POST /api/v1/rates {"rates":[{"date","per_euro"}]}: adds rates, known from now on. */
export async function postRates(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const body = await bodyOf(c, RATES_IMPORT);
  if (!body.ok) return body;
  const days = parsePublished(body.value.rates, lastRateDay(deps.now()));
  if (!days.ok) return problem("invalid_field", `${days.rejection.message}.`, "rates");
  return { ok: true, value: { body: { ...(await writeRates(deps.directory, days.value)) } } };
}

/** GET /api/v1/rates?limit&after: the newest first. `after` is a date. */
export async function getRates(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const page = parametersOf(c, RATES_PAGE);
  if (!page.ok) return page;
  const { limit: rowsMax = ADMIN_PAGE_MAX, after: before = QUESTION_DAY_MAX } = page.value;
  const rows = await listRates(deps.directory, { before, rowsMax });
  const fetchedAt = await readFetchedAt(deps.directory);
  const next = rows.length < rowsMax ? null : dateOf((rows.at(-1) as PublishedRates).day);
  const rates = rows.map(({ day, perEuro }) => ({ date: dateOf(day), per_euro: perEuro }));
  const fetched_at = fetchedAt === null ? null : new Date(fetchedAt).toISOString();
  return { ok: true, value: { body: { rates, next, fetched_at } } };
}

/**
 * POST /api/v1/merchants/:id/rates {"rates":[{"currency","in","rate","from"}],"preview"?}. `before` in the answer has
 * the former rates in the form of a request. Sending that request takes the change back. With `preview` nothing is
 * changed.
 */
export async function postOwnRates(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const body = await bodyOf(c, OWN_RATES_CHANGE);
  if (!body.ok) return body;
  const changes = parseOwnRates(body.value.rates);
  if (!changes.ok) return problem("invalid_field", `${changes.rejection.message}.`, "rates");
  const asked = { merchant: merchant.value.number, changes: changes.value };
  const before = beforeOf(changes.value, await findReplaced(deps.directory, asked));
  const preview = body.value.preview === true;
  if (!preview && (await writeOwnRates(deps.directory, asked)) === "full")
    return problem(
      "conflict",
      `A merchant has at most ${OWN_RATES_MAX} rates of its own. Take old ones away.`,
      "rates",
    );
  const unchanged = changes.value.length - before.length;
  return { ok: true, value: { body: { changed: before.length, unchanged, preview, before } } };
}

/** GET /api/v1/merchants/:id/rates?limit&after: the newest first. */
export async function getOwnRates(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const page = parametersOf(c, OWN_RATES_PAGE);
  if (!page.ok) return page;
  const { limit: rowsMax = ADMIN_PAGE_MAX, after = 0 } = page.value;
  const rows = await listOwnRates(deps.directory, { merchant: merchant.value.number, after, rowsMax });
  const next = rows.length < rowsMax ? null : String(after + rows.length);
  return { ok: true, value: { body: { rates: rows.map(shown), next } } };
}

/**
 * The former rates, in the order of the changes. Changes that change nothing are left out. The rate is null where there
 * was none.
 */
function beforeOf(changes: readonly OwnChange[], replaced: readonly OwnRate[]) {
  return changes.flatMap((change) => {
    const pair = pairOf(change.currency, change.in);
    const stood = replaced.find((rate) => rate.from === change.from && pairOf(rate.currency, rate.in) === pair);
    if (stood === undefined) return change.rate === null ? [] : [shown({ ...change, rate: null })];
    const isSame = stood.currency === change.currency && stood.rate === change.rate;
    return isSame ? [] : [shown(stood)];
  });
}

function shown({ currency, in: other, rate, from }: OwnChange) {
  return { currency, in: other, rate, from: dateOf(from) };
}
