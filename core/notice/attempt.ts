// When a notice is tried again, and when it is given up. A message waits until a receiver has taken it or the last
// attempt has failed. The waits are those that Standard Webhooks recommends: about 75 hours in all.

import { OUTBOX_RETRY_AFTER_MAX_MS } from "../limits.ts";
import { HOUR_MS, MINUTE_MS } from "../time.ts";

/** The time from each failed attempt to the next one. The cron comes every five minutes, so none is shorter. */
const WAITS = [5, 30, 2 * 60, 5 * 60, 10 * 60, 14 * 60, 20 * 60, 24 * 60].map((minutes) => minutes * MINUTE_MS);

/** Attempts in all. */
export const OUTBOX_ATTEMPTS_MAX = WAITS.length + 1;

/** The outcome of an attempt. "refused": the receiver never wants to be asked again, or cannot exist. */
export type Attempted =
  | { readonly kind: "taken" }
  | {
      readonly kind: "failed";
      readonly error: string;
      readonly retryAfterMs?: number | undefined;
      /** The fault is the deployment's, such as a wrong key of its mail provider, and not the receiver's. */
      readonly isOurs?: boolean;
    }
  | { readonly kind: "refused"; readonly error: string };

/** What becomes of a message after attempt number `attempts`, counted from 1. */
export type Fate =
  | { readonly state: "sent" }
  | { readonly state: "waiting"; readonly nextAt: number; readonly error: string }
  | { readonly state: "failed"; readonly error: string };

export function fateOf(attempted: Attempted, { attempts, now }: { attempts: number; now: number }): Fate {
  if (attempted.kind === "taken") return { state: "sent" };
  const { error } = attempted;
  const wait = WAITS[attempts - 1];
  if (attempted.kind === "refused" || wait === undefined) return { state: "failed", error };
  const asked = Math.min(attempted.retryAfterMs ?? 0, OUTBOX_RETRY_AFTER_MAX_MS);
  return { state: "waiting", nextAt: now + Math.max(wait, asked), error };
}

/** `Retry-After` in ms, from seconds or a date. Undefined where it says nothing. */
export function parseRetryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1_000;
  const at = Date.parse(header);
  return Number.isNaN(at) || at - now > 30 * 24 * HOUR_MS ? undefined : Math.max(0, at - now);
}
