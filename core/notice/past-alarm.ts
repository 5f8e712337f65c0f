// What the rules about a shop's Hours would have told of Hours that are over, for whoever wants to know before they
// subscribe. It goes through them one by one and asks the rules as a look does (workers/query/alarms-due.ts), of the
// same earlier Hours each time, so that it tells what looks would have told.

import { ALARM_PREVIEW_DAYS, ALARM_PREVIEW_FROM_DAYS, LOOK_DAYS } from "../limits.ts";
import { type Alarm, type Alarms, NO_ALARMS, nextAlarms } from "./alarm.ts";
import { type HourCount, sinceFirstVisitor } from "./hour-count.ts";

/** An alarm that would have been told. */
export interface PastAlarm {
  readonly alarm: Alarm;
  /** UTC ms at which it would have gone off; undefined where it is still on. */
  readonly endedAt: number | undefined;
}

/**
 * The alarms that would have gone on during the last 30 Days, the earliest first. `hours` are all Hours since
 * ALARM_PREVIEW_FROM_DAYS before `today`: those that the first of these Days is compared with, and some before it, so
 * that an alarm that was on already is not taken for a new one.
 */
export function pastAlarms(hours: readonly HourCount[], today: number): readonly PastAlarm[] {
  const past: PastAlarm[] = [];
  let alarms: Alarms = NO_ALARMS;
  let first = 0;
  for (let at = 0; at < hours.length; at++) {
    const { day } = hours[at] as HourCount;
    // A look comes when the Hour is over, which may be on the next Day.
    const lookedOn = hours[at + 1]?.day ?? day;
    if (lookedOn < today - ALARM_PREVIEW_FROM_DAYS + LOOK_DAYS) continue;
    while ((hours[first] as HourCount).day < lookedOn - LOOK_DAYS) first++;
    const next = nextAlarms(alarms, sinceFirstVisitor(hours.slice(first, at + 1)));
    alarms = next.alarms;
    for (const { alarm, endedAt } of next.changes) {
      if (endedAt === undefined && day > today - ALARM_PREVIEW_DAYS) past.push({ alarm, endedAt });
      const of = past.findIndex((one) => one.alarm.kind === alarm.kind && one.alarm.since === alarm.since);
      if (endedAt !== undefined && of >= 0) past[of] = { alarm: (past[of] as PastAlarm).alarm, endedAt };
    }
  }
  return past;
}
