// Alarms of an object, as plans that the platform and its stand-in are given alike.

export interface AlarmPlan {
  /** Set one after the other at the start: ms from then. */
  readonly set: readonly number[];
  /** How many firings throw. */
  readonly failures: number;
}

export interface Firing {
  /** ms since the start. */
  readonly atMs: number;
  /** Whether an alarm was set while it ran. */
  readonly isSet: boolean;
}

/** Nothing may come after the last one that was set and has not failed: this long is waited for it. */
const QUIET_MS = 1_500;

/** Whether all that is to come has come, and some time beyond. */
export function isDone({ set, failures }: AlarmPlan, firings: readonly Firing[], nowMs: number): boolean {
  const last = firings.at(-1);
  return last !== undefined && firings.length > failures && nowMs > Math.max(last.atMs, ...set) + QUIET_MS;
}
