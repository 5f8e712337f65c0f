// Admin requests about how a merchant is spread over partitions. A partition asks for more partitions by itself when a
// merchant becomes too much for it (durable-objects/spread.ts). These requests are for people who know of a sale before
// it begins.

import type { Context } from "hono";
import { SPREAD_MAX } from "../../core/limits.ts";
import { changeSpread, type SpreadTimeline, spreadAt } from "../../core/merchant.ts";
import { updateMerchant } from "../../storage/directory/merchants.ts";
import type { Deps } from "./deps.ts";
import { type Field, required, wholeNumber } from "./field.ts";
import { merchantOf } from "./merchants.ts";
import { type Checked, problem } from "./problem.ts";
import { pushSettings } from "./push.ts";
import { bodyOf, type Reply } from "./request.ts";

const STARTS = ["midnight", "soon"] as const;
const START: Field<(typeof STARTS)[number], false> = {
  required: false,
  expected: '"midnight", the start of the merchant\'s next Day, or "soon"',
  schema: { enum: [...STARTS] },
  parse: (value) => STARTS.find((start) => start === value),
};
export const NEW_SPREAD = { partitions: required(wholeNumber(0, SPREAD_MAX)), from: START };

/**
 * POST /api/v1/merchants/:id/spread {"partitions", "from"?}: from that instant this many partitions count the
 * merchant's events.
 */
export async function postSpread(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const body = await bodyOf(c, NEW_SPREAD);
  if (!body.ok) return body;
  const { partitions, from: at = "midnight" } = body.value;
  const now = deps.now();
  const spread = changeSpread(merchant.value, { partitions, now, noticeMs: deps.noticeMs, at, byHand: true });
  if (spread === "full")
    return problem("conflict", "Too many changes of this merchant's partitions are remembered.", "partitions");
  const changed = await updateMerchant(deps, { merchant: merchant.value, change: { spread } });
  if (changed === "stale") return problem("conflict", "The merchant was changed meanwhile. Read it and try again.");
  deps.keys.clear();
  await pushSettings(changed, deps);
  return { ok: true, value: { body: shown(changed.spread, now) } };
}

/** GET /api/v1/merchants/:id/spread */
export async function getSpread(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  return merchant.ok ? { ok: true, value: { body: shown(merchant.value.spread, deps.now()) } } : merchant;
}

/** The answer. 0 partitions means that the merchant is in the pool, which small merchants share. */
function shown(spread: SpreadTimeline, now: number) {
  const timeline = spread.map(({ from, partitions }) => ({ from: new Date(from).toISOString(), partitions }));
  return { partitions: spreadAt(spread, now), timeline };
}
