// What a merchant has asked to be told, where and how: one subscription for each address. Its parts are stored as they
// are here (storage/directory/subscriptions.ts).

import type { Language } from "./language.ts";

/** How notices reach somebody. */
export const CHANNELS = ["email", "webhook", "slack", "discord", "teams"] as const;
export type Channel = (typeof CHANNELS)[number];

/** What notices are about. "orders" is the missing first order, "doubt" a Day whose seal failed. */
export const TOPICS = ["weekly", "monthly", "traffic", "silence", "orders", "goal", "doubt"] as const;
export type Topic = (typeof TOPICS)[number];

/** Topics that are reports of a period. The others are alarms. */
export const REPORT_TOPICS = ["weekly", "monthly"] as const satisfies readonly Topic[];
export type ReportTopic = (typeof REPORT_TOPICS)[number];

/** Local clock times such as "22:00", in the merchant's zone. What ends before it starts ends on the next Day. */
export interface QuietHours {
  readonly from: string;
  readonly to: string;
}

/** A number to be reached within a period of the merchant's calendar. */
export interface Target {
  readonly metric: TargetMetric;
  readonly value: number;
  readonly period: "day" | "week" | "month";
  /** The name of a goal. Its events or visitors count; null for the whole shop. */
  readonly goal: string | null;
}

export const TARGET_METRICS = ["visitors", "visits", "pageviews", "events", "orders", "total_revenue"] as const;
export type TargetMetric = (typeof TARGET_METRICS)[number];

/**
 * "on": messages are sent. "unconfirmed": the address of somebody who has not agreed yet. "off": it
 * was unsubscribed from, or could not be reached.
 */
export type SubscriptionState = "on" | "unconfirmed" | "off";

/** Whether nothing is sent at an instant, because its merchant has paused it until a later one. */
export function isPaused({ pausedUntil }: { readonly pausedUntil: number | null }, now: number): boolean {
  return (pausedUntil ?? 0) > now;
}

export interface Subscription {
  readonly id: string;
  readonly merchant: number;
  readonly channel: Channel;
  /** The address of mail, or the URL. */
  readonly target: string;
  readonly topics: readonly Topic[];
  readonly language: Language;
  readonly quiet: QuietHours | null;
  readonly goal: Target | null;
  readonly state: SubscriptionState;
}
