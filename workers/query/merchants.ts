// Admin requests about merchants: create, list, read, change. A change of settings is pushed to the merchant's
// partitions. The rules that decide whether a hit is counted are in `rules.ts`.

import type { Context } from "hono";
import { EVENTS_PREFIX, SEALED_PREFIX } from "../../core/archive/object-key.ts";
import { ADMIN_PAGE_MAX, CURRENCY_PERIODS_MAX, NUMBER_CLAIM_TRIES_MAX, RETENTION_DAYS } from "../../core/limits.ts";
import { type CurrencyTimeline, changeCurrency, changeZone, zoneAt } from "../../core/merchant.ts";
import { encodeTrackingId, MERCHANT_NUMBER_MAX } from "../../core/tracking-id.ts";
import {
  API_KEY_RANDOM_BYTES,
  apiKey,
  ID_RANDOM_BYTES,
  isMerchantIdShaped,
  keyId,
  merchantId,
} from "../../storage/directory/credential.ts";
import {
  createMerchant,
  findMerchant,
  lastMerchantNumber,
  listMerchants,
  type Merchant,
  type MerchantChange,
  updateMerchant,
} from "../../storage/directory/merchants.ts";
import { claimNumber, highestClaim, MERCHANTS } from "../../storage/directory/number-claim.ts";
import { noteVisitorKey } from "../../storage/visitor-key.ts";
import { concern } from "./audit.ts";
import type { Deps } from "./deps.ts";
import { enforceRetention } from "./erasures.ts";
import { firstDayWithNumbers } from "./execute.ts";
import { CURRENCY, type Field, HOSTNAME, NAME, required, TIME_ZONE, wholeNumber } from "./field.ts";
import { refusedBehind } from "./new-number.ts";
import { merchantFor, principalOf } from "./principal.ts";
import { type Checked, problem } from "./problem.ts";
import { pushSettings } from "./push.ts";
import { bodyOf, parametersOf, type Reply } from "./request.ts";

export const NEW_MERCHANT = {
  name: required(NAME),
  time_zone: required(TIME_ZONE),
  currency: required(CURRENCY),
  hostname: HOSTNAME,
};
/**
 * Null, or a number of a closed list. The list is short, because for each number the cron looks for the Days that end
 * by it.
 */
const RETENTION: Field<number | null, false> = {
  required: false,
  expected: `null, for good, or one of ${RETENTION_DAYS.join(", ")}`,
  schema: { enum: [null, ...RETENTION_DAYS] },
  parse: (value) => (value === null || RETENTION_DAYS.includes(value as number) ? (value as number | null) : undefined),
};
export const MERCHANT_CHANGE = { name: NAME, time_zone: TIME_ZONE, currency: CURRENCY, retention_days: RETENTION };
export const MERCHANT_PAGE = { limit: wholeNumber(1, ADMIN_PAGE_MAX), after: wholeNumber(0, MERCHANT_NUMBER_MAX) };

/** POST /api/v1/merchants: creates a merchant with its first stream and first key. The key is never shown again. */
export async function postMerchant(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const body = await bodyOf(c, NEW_MERCHANT);
  if (!body.ok) return body;
  const { name, time_zone, currency, hostname } = body.value;
  const secret = apiKey(deps.random(API_KEY_RANDOM_BYTES));
  const number = await newMerchantNumber(deps);
  if (!number.ok) return number;
  await noteVisitorKey(deps.visitorKeys, deps.now(), deps); // first, so that all visitors are made with this key
  const merchant = await createMerchant(deps.directory, {
    number: number.value,
    id: merchantId(deps.random(ID_RANDOM_BYTES)),
    name,
    zones: [{ from: 0, zone: time_zone }],
    currency,
    hostname,
    key: { id: keyId(deps.random(ID_RANDOM_BYTES)), secret },
    now: deps.now(),
  });
  if (merchant === "taken") return hostnameTaken();
  concern(c, merchant);
  const tracking_id = encodeTrackingId({ merchant: merchant.number, stream: 1 }, deps.signs[0]);
  return {
    ok: true,
    value: { status: 201, body: { id: merchant.id, name, time_zone, currency, tracking_id, api_key: secret } },
  };
}

/**
 * A number that no merchant ever had, not even before a restore of D1. It is claimed in R2, and nothing is stored under
 * it yet.
 */
async function newMerchantNumber(deps: Deps): Promise<Checked<number>> {
  const behind = await refusedBehind(deps);
  if (behind !== undefined) return behind;
  const known = await lastMerchantNumber(deps.directory);
  if (known === 0 && (await isOrphaned(deps))) return problem("conflict", ORPHANED);
  for (let tries = 0; tries < NUMBER_CLAIM_TRIES_MAX; tries++) {
    const number = await claimNumber(MERCHANTS, known, deps);
    if (number === "full") return problem("conflict", `A deployment has at most ${MERCHANT_NUMBER_MAX} merchants.`);
    if (!(await hasNumbers({ number, spread: [] }, deps))) return { ok: true, value: number };
    deps.log({ event: "merchant_number_in_use", merchant: number });
  }
  return problem(
    "conflict",
    "Numbers that new merchants would get are in use by merchants this database does not know.",
  );
}

/**
 * Whether the archive has events although D1 has no merchant and R2 no claimed number. These events are from before
 * there were claims.
 */
async function isOrphaned(deps: Deps): Promise<boolean> {
  if ((await highestClaim(MERCHANTS, deps)) !== undefined) return false;
  const listed = await Promise.all(
    [EVENTS_PREFIX, SEALED_PREFIX].map((prefix) => deps.bucket.list({ prefix, limit: 1 })),
  );
  return listed.some(({ objects }) => objects.length > 0);
}

const ORPHANED =
  "The archive has events of merchants that this database does not know. Restore the database, or see docs/security.md: Numbers.";

/** GET /api/v1/merchants?limit&after */
export async function getMerchants(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const page = parametersOf(c, MERCHANT_PAGE);
  if (!page.ok) return page;
  const { limit: rowsMax = ADMIN_PAGE_MAX, after = 0 } = page.value;
  const rows = await listMerchants(deps.directory, { after, rowsMax });
  const next = rows.length < rowsMax ? null : String(rows.at(-1)?.number);
  return { ok: true, value: { body: { merchants: rows.map((row) => shown(row, deps)), next } } };
}

/** GET /api/v1/merchants/:id */
export async function getMerchant(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  return merchant.ok ? { ok: true, value: { body: shown(merchant.value, deps) } } : merchant;
}

/** PATCH /api/v1/merchants/:id */
export async function patchMerchant(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const merchant = await merchantOf(c, deps);
  if (!merchant.ok) return merchant;
  const body = await bodyOf(c, MERCHANT_CHANGE);
  if (!body.ok) return body;
  const { name, time_zone, currency, retention_days } = body.value;
  const currencies = currency === undefined ? undefined : await currenciesAfter(merchant.value, currency, deps);
  if (currencies === "full")
    return problem(
      "conflict",
      `A merchant has at most ${CURRENCY_PERIODS_MAX} currencies after one another.`,
      "currency",
    );
  const change: MerchantChange = {
    ...(name !== undefined && { name }),
    ...(time_zone !== undefined && { zones: changeZone(merchant.value, time_zone, deps.now()) }),
    ...(currency !== undefined && { currency }),
    ...(currencies !== undefined && { currencies }),
    ...(retention_days !== undefined && { retentionDays: retention_days }),
  };
  const changed = await updateMerchant(deps, { merchant: merchant.value, change });
  if (changed === "stale") return problem("conflict", "The merchant was changed meanwhile. Read it and try again.");
  deps.keys.clear();
  await pushSettings(changed, deps);
  if (retention_days !== undefined && retention_days !== null) await enforceRetention(changed, retention_days, deps);
  return { ok: true, value: { body: shown(changed, deps) } };
}

/**
 * The currencies of events that name none, after a change of currency. While nothing was counted, the new currency
 * holds from the beginning.
 */
async function currenciesAfter(
  merchant: Merchant,
  currency: string,
  deps: Deps,
): Promise<CurrencyTimeline | "full" | undefined> {
  if (currency === merchant.currency) return undefined;
  if (merchant.currencies.length === 0 && !(await hasNumbers(merchant, deps))) return [];
  return changeCurrency(merchant, { currency, now: deps.now(), noticeMs: deps.noticeMs });
}

async function hasNumbers(merchant: Pick<Merchant, "number" | "spread">, deps: Deps): Promise<boolean> {
  return (await firstDayWithNumbers(merchant, deps.now(), deps)) !== undefined;
}

/** The merchant that a path names. Refused if the caller may not see it. */
export async function merchantOf(c: Context, deps: Deps): Promise<Checked<Merchant>> {
  const id = c.req.param("id") ?? "";
  const find = async (named: string) =>
    isMerchantIdShaped(named) ? await findMerchant(deps.directory, named) : undefined;
  const merchant = await merchantFor(principalOf(c), id, find);
  if (merchant.ok) concern(c, merchant.value);
  return merchant;
}

export function hostnameTaken() {
  return problem("conflict", "Another stream has this hostname already. Take it from that one first.", "hostname");
}

/**
 * A merchant as the admin API shows it. After a change it shows all currencies, former ones too. It shows zones that
 * are still to come, and zones that a replay gave to past Days, beside the zone that holds now.
 */
function shown(
  { id, name, zones, pastZones, currency, currencies, retentionDays, createdAt }: Merchant,
  deps: Pick<Deps, "now">,
) {
  const now = deps.now();
  const coming = zones
    .filter(({ from }) => from > now)
    .map(({ from, zone }) => ({ time_zone: zone, from: new Date(from).toISOString() }));
  return {
    id,
    name,
    time_zone: zoneAt(zones, now),
    currency,
    retention_days: retentionDays,
    created_at: new Date(createdAt).toISOString(),
    ...(currencies.length > 0 && {
      currencies: currencies.map((period) => {
        return { currency: period.currency, from: period.from === 0 ? null : new Date(period.from).toISOString() };
      }),
    }),
    ...(coming.length > 0 && { coming_time_zones: coming }),
    ...(pastZones.length > 0 && {
      past_time_zones: pastZones.map(({ zone, from, to }) => {
        return { time_zone: zone, from: new Date(from).toISOString(), to: new Date(to).toISOString() };
      }),
    }),
  };
}
