// Admin requests about a merchant's streams: its shops, apps and tills. A stream's tracking ID is never stored. It is
// computed from the merchant's number, the stream's number and the deployment's secret.

import type { Context } from "hono";
import { ADMIN_PAGE_MAX } from "../../core/limits.ts";
import { encodeTrackingId, STREAM_NUMBER_MAX } from "../../core/tracking-id.ts";
import { createStream, lastStreamNumber, listStreams, type Stream } from "../../storage/directory/merchants.ts";
import { streamsOf } from "../../storage/directory/number-claim.ts";
import type { Deps } from "./deps.ts";
import { HOSTNAME, NAME, required, wholeNumber } from "./field.ts";
import { hostnameTaken, merchantOf } from "./merchants.ts";
import { newNumber } from "./new-number.ts";
import type { Checked } from "./problem.ts";
import { bodyOf, parametersOf, type Reply } from "./request.ts";

export const NEW_STREAM = { name: required(NAME), hostname: HOSTNAME };
export const STREAM_PAGE = { limit: wholeNumber(1, ADMIN_PAGE_MAX), after: wholeNumber(0, STREAM_NUMBER_MAX) };

/** POST /api/v1/merchants/:id/streams */
export async function postStream(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const body = await bodyOf(c, NEW_STREAM);
  if (!body.ok) return body;
  const { name, hostname = null } = body.value;
  const { number: merchantNumber } = merchant.value;
  const number = await newNumber(
    streamsOf(merchantNumber),
    () => lastStreamNumber(deps.directory, merchantNumber),
    deps,
  );
  if (!number.ok) return number;
  const stream = { merchant: merchantNumber, number: number.value, name, hostname, createdAt: deps.now() };
  const made = await createStream(deps.directory, stream);
  if (made === "taken") return hostnameTaken();
  return { ok: true, value: { status: 201, body: shown(made, deps) } };
}

/** GET /api/v1/merchants/:id/streams?limit&after */
export async function getStreams(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const page = parametersOf(c, STREAM_PAGE);
  if (!page.ok) return page;
  const { limit: rowsMax = ADMIN_PAGE_MAX, after = 0 } = page.value;
  const rows = await listStreams(deps.directory, { merchant: merchant.value.number, after, rowsMax });
  const next = rows.length < rowsMax ? null : String(rows.at(-1)?.number);
  return { ok: true, value: { body: { streams: rows.map((row) => shown(row, deps)), next } } };
}

function shown({ merchant, number, name, hostname, createdAt }: Stream, deps: Deps) {
  const tracking_id = encodeTrackingId({ merchant, stream: number }, deps.signs[0]);
  return { number, name, hostname, tracking_id, created_at: new Date(createdAt).toISOString() };
}
