// Decides when a subscription's reports are due, and when its alarms are looked at.

import { hash32 } from "../../core/hash.ts";
import { LOOK_AFTER_MINUTES, LOOK_SPREAD_MINUTES } from "../../core/limits.ts";
import { zoneAt } from "../../core/merchant.ts";
import { nextReportAt, type Schedule } from "../../core/notice/period.ts";
import { REPORT_TOPICS, type ReportTopic, type SubscriptionState, type Topic } from "../../core/notice/subscription.ts";
import { HOUR_MS, MINUTE_MS } from "../../core/time.ts";
import { type Merchant, zonesOf } from "../../storage/directory/merchants.ts";

export function reportTopicsOf({ topics }: { readonly topics: readonly Topic[] }): readonly ReportTopic[] {
  return REPORT_TOPICS.filter((topic) => topics.includes(topic));
}

/** The topics that are looked at every Hour. */
export function alarmTopicsOf({ topics }: { readonly topics: readonly Topic[] }): readonly Topic[] {
  return topics.filter((topic) => !(REPORT_TOPICS as readonly Topic[]).includes(topic));
}

export function scheduleOf(merchant: Merchant, subscription: string, now: number): Schedule {
  return { zone: zoneAt(zonesOf(merchant), now), offset: spreadOf(subscription) };
}

/** When a merchant's alarms are looked at next after `now`: once an Hour, some minutes after the Hour is over. */
export function nextLookAt(merchant: number, now: number): number {
  const after = (LOOK_AFTER_MINUTES + (merchant % LOOK_SPREAD_MINUTES)) * MINUTE_MS;
  const at = Math.floor(now / HOUR_MS) * HOUR_MS + after;
  return at > now ? at : at + HOUR_MS;
}

interface Scheduled {
  readonly id: string;
  readonly topics: readonly Topic[];
  readonly state: SubscriptionState;
  readonly pausedUntil: number | null;
}

/**
 * When the reports and the look at alarms of a subscription with these topics are due. Null for those that never are.
 * Both are null where the subscription is not on, and neither is before the end of its pause.
 */
export function dueOf(
  { id, topics, state, pausedUntil }: Scheduled,
  merchant: Merchant,
  now: number,
): { readonly reportAt: number | null; readonly lookAt: number | null } {
  if (state !== "on") return { reportAt: null, lookAt: null };
  const from = Math.max(now, pausedUntil ?? 0);
  return {
    reportAt: nextReportAt(reportTopicsOf({ topics }), from, scheduleOf(merchant, id, from)),
    lookAt: alarmTopicsOf({ topics }).length === 0 ? null : nextLookAt(merchant.number, from),
  };
}

function spreadOf(subscription: string): number {
  return hash32(subscription, 0);
}
