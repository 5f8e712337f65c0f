// Whatever comes in has one of four fates, and each has its own form. Unwanted data is dropped with a reason. A
// caller's mistake is rejected with a code. A platform failure is an exception; the one caller who can retry catches
// it. A mistake of ours is an assertion. Reasons and codes are closed lists: each is counted, and each has a test.

/**
 * Why a valid hit is archived but not counted. Reasons may only be added at the end, because stored Days name a reason
 * by its index.
 */
export const DROP_REASONS = [
  "bot",
  "hostname",
  "referrer",
  "address",
  "network",
  "metadata",
  "prefetch",
  "duplicate",
  "undone",
] as const;
export type DropReason = (typeof DROP_REASONS)[number];

/** What a caller did wrong. The code is part of the public contract; the message says which field and what to do. */
export const REJECTION_CODES = [
  "unauthorized",
  "forbidden",
  "not_found",
  "method_not_allowed",
  "unsupported_encoding",
  "incomplete_body",
  "body_too_large",
  "invalid_json",
  "invalid_body",
  "too_many_events",
  "too_many_days",
  "event_too_large",
  "missing_field",
  "invalid_field",
  "invalid_timestamp",
  "unknown_tracking_id",
  "rate_limited",
  "unavailable",
] as const;
export type RejectionCode = (typeof REJECTION_CODES)[number];

export interface Rejection {
  readonly code: RejectionCode;
  readonly message: string;
  /** When to come again, where the code alone does not say it. */
  readonly retryAfterSeconds?: number;
}

/** Either a value or the caller's mistake. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly rejection: Rejection };

export function accepted<T>(value: T): Outcome<T> {
  return { ok: true, value };
}

export function rejected(code: RejectionCode, message: string): { readonly ok: false; readonly rejection: Rejection } {
  return { ok: false, rejection: { code, message } };
}

/**
 * An exception as a log entry may show it: its innermost cause. The outer ones repeat the failed operation with all its
 * values. Those of a database layer hold hashes of keys.
 */
export function causeOf(error: unknown): string {
  let cause = error;
  for (let depth = 0; depth < 5 && cause instanceof Error && cause.cause !== undefined; depth++) cause = cause.cause;
  return String(cause).slice(0, LOGGED_LENGTH_MAX);
}

const LOGGED_LENGTH_MAX = 300;

/** States what must be true whatever anybody sends. Where it fails, Footfall has a mistake. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${what}`);
}
