// Which alarms of a merchant are on, from Hour to Hour. An alarm goes on when its rule finds something, and off when
// the rule has found nothing for two Hours. Each of these two changes is a message; nothing between them is. To
// evaluate an Hour twice gives the same state and the same messages.

import { ALARM_CALM_HOURS } from "../limits.ts";
import { HOUR_MS } from "../time.ts";
import { type FirstOrderFinding, findMissingOrder } from "./first-order.ts";
import type { HourCount } from "./hour-count.ts";
import { findSilence, type SilenceFinding } from "./silence.ts";
import { findTraffic, type TrafficFinding } from "./traffic.ts";

export type Finding = TrafficFinding | SilenceFinding | FirstOrderFinding;
export type AlarmKind = Finding["kind"];
export const ALARM_KINDS = ["silence", "drop", "spike", "first_order"] as const satisfies readonly AlarmKind[];

/** An alarm that is on. */
export interface Alarm {
  readonly kind: AlarmKind;
  /** UTC ms of the end of the Hour at which it went on. */
  readonly since: number;
  /** What was found then. */
  readonly finding: Finding;
  /** For how many Hours in a row the rule has found nothing. */
  readonly calm: number;
}

/** The state of a merchant's alarms. */
export interface Alarms {
  /** UTC ms of the end of the last Hour that was looked at; 0 before the first. */
  readonly lookedAt: number;
  readonly on: readonly Alarm[];
}

export const NO_ALARMS: Alarms = { lookedAt: 0, on: [] };

/** A change to tell: an alarm that went on, or one that went off. */
export interface AlarmChange {
  readonly alarm: Alarm;
  /** UTC ms at which it went off; undefined where it went on. */
  readonly endedAt: number | undefined;
}

/** The findings of all rules at the end of the last Hour. */
export function findAll(hours: readonly HourCount[]): readonly Finding[] {
  return [findSilence(hours), findTraffic(hours), findMissingOrder(hours)].filter((found) => found !== undefined);
}

/** The state after the last of these Hours. An Hour that was looked at before changes nothing. */
export function nextAlarms(
  before: Alarms,
  hours: readonly HourCount[],
): { readonly alarms: Alarms; readonly changes: readonly AlarmChange[] } {
  const last = hours.at(-1);
  const at = last === undefined ? 0 : endOf(last);
  if (at <= before.lookedAt) return { alarms: before, changes: [] };
  const found = findAll(hours);
  const changes: AlarmChange[] = [];
  const on: Alarm[] = [];
  for (const alarm of before.on) {
    const calm = found.some(({ kind }) => kind === alarm.kind) ? 0 : alarm.calm + 1;
    if (calm < ALARM_CALM_HOURS) on.push({ ...alarm, calm });
    else changes.push({ alarm: { ...alarm, calm }, endedAt: at });
  }
  for (const finding of found) {
    if (on.some(({ kind }) => isSameCause(kind, finding.kind))) continue;
    const alarm = { kind: finding.kind, since: at, finding, calm: 0 };
    on.push(alarm);
    changes.push({ alarm, endedAt: undefined });
  }
  return { alarms: { lookedAt: at, on }, changes };
}

/** A shop without visitors has a drop, is silent and sells nothing. Only the first of these is told. */
function isSameCause(known: AlarmKind, found: AlarmKind): boolean {
  return known === found || (known !== "spike" && found !== "spike" && known !== "first_order");
}

/** Hours are shorter where a zone's offset changes, but none of these rules needs their length to the minute. */
function endOf({ start }: HourCount): number {
  return start + HOUR_MS;
}
