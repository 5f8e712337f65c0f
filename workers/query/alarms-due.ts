// The cron's step for alarms. Once an Hour it looks at each merchant that has asked for alarms. It writes what the
// merchant must be told to the outbox, in one transaction with the state of its alarms. So each change is told once,
// wherever a cron dies. It waits while hits of the last Hour are not counted yet, since an alarm from incomplete
// numbers would be wrong.

import { DOUBT_TOLD_DAYS, LOOK_AFTER_MINUTES, LOOK_AGAIN_MS, LOOK_DAYS, LOOKS_TURN_MAX } from "../../core/limits.ts";
import { zoneAt } from "../../core/merchant.ts";
import { type AlarmChange, nextAlarms } from "../../core/notice/alarm.ts";
import { type Shop, TOPIC_OF, toAlarmMessage, toDoubtMessage, toGoalMessage } from "../../core/notice/alarm-message.ts";
import { type HourCount, sinceFirstVisitor } from "../../core/notice/hour-count.ts";
import type { Message } from "../../core/notice/message.ts";
import { afterQuiet, periodOf } from "../../core/notice/period.ts";
import { isPaused, type Target, type Topic } from "../../core/notice/subscription.ts";
import { accepted, causeOf, type Outcome } from "../../core/outcome.ts";
import { DAY_MS, dateOf, dayAt, dayStart, hourAfter, localTime, MINUTE_MS } from "../../core/time.ts";
import { findMerchantByNumber, type Merchant, zonesOf } from "../../storage/directory/merchants.ts";
import {
  listLooksDue,
  listSubscriptions,
  type StoredSubscription,
  setNextLook,
} from "../../storage/directory/subscriptions.ts";
import { listDaysInDoubt, readAlarms, toAlarms } from "../../storage/ledger/merchant-alarms.ts";
import { listWritten, type NewMessage, writeMessages } from "../../storage/ledger/outbox.ts";
import type { Deps } from "./deps.ts";
import { answerTo, numberOf } from "./report-numbers.ts";
import { alarmTopicsOf, nextLookAt } from "./report-schedule.ts";
import { linksOf } from "./reports-due.ts";

/**
 * Looks at the alarms that are due. A merchant whose look fails is logged and tried again. The others do not wait for
 * it.
 */
export async function lookAtAlarms(deps: Deps): Promise<void> {
  for (const number of await listLooksDue(deps.directory, { now: deps.now(), rowsMax: LOOKS_TURN_MAX })) {
    const all = await listSubscriptions(deps.directory, number);
    const isLookedAt = (one: StoredSubscription) => one.lookAt !== null && !isPaused(one, deps.now());
    const own = all.filter((one) => isLookedAt(one) && alarmTopicsOf(one).length > 0);
    let at = deps.now() + LOOK_AGAIN_MS;
    try {
      const merchant = await findMerchantByNumber(deps.directory, number);
      if (merchant === undefined) continue; // its subscriptions are deleted with it
      if (await look(own, merchant, deps)) at = nextLookAt(number, deps.now());
    } catch (error) {
      deps.log({ event: "look_failed", merchant: number, error: causeOf(error) });
    }
    await setNextLook(deps.directory, { ids: own.map(({ id }) => id), at });
  }
}

/** Looks at one merchant. False where hits of the last Hour wait to be counted. */
async function look(own: readonly StoredSubscription[], merchant: Merchant, deps: Deps): Promise<boolean> {
  const now = deps.now();
  const zone = zoneAt(zonesOf(merchant), now);
  const ledger = deps.ledgers.ofMerchant(merchant.number);
  const shop = { id: merchant.id, name: merchant.name, zone, currency: merchant.currency };
  const read = await readHours(merchant, { zone, daysBack: LOOK_DAYS }, deps);
  if (!read.ok) throw new Error(read.rejection.message);
  const { hours, asOf } = read.value;
  const last = hours.at(-1);
  if (last !== undefined && asOf < hourAfter(zone, last.start)) return false;
  const { alarms, changes } = nextAlarms(await readAlarms(ledger, merchant.number), sinceFirstVisitor(hours));
  const messages: NewMessage[] = [];
  const write = (subscription: StoredSubscription, about: string, toMessage: (writing: Writing) => Message) => {
    const { id, language, quiet } = subscription;
    const message = toMessage({ language, links: linksOf(subscription, merchant, deps), now });
    const notBefore = afterQuiet(quiet, zone, now);
    messages.push({ merchant: merchant.number, id: `${id}:${about}`, subscription: id, message, notBefore });
  };
  for (const subscription of own) {
    const has = (topic: Topic) => subscription.topics.includes(topic);
    for (const change of changes.filter(({ alarm }) => has(TOPIC_OF[alarm.kind])))
      write(subscription, nameOf(change), (writing) => toAlarmMessage(change, shop, writing));
    if (has("goal") && subscription.goal !== null) {
      const { goal: target } = subscription;
      const { from, key } = periodOf(target.period, dayAt(zone, now));
      const about = `goal:${target.metric}:${target.value}:${target.goal ?? ""}:${key}`;
      const value = await reachedValue({ id: `${subscription.id}:${about}`, target, from }, { merchant, shop, deps });
      if (value !== undefined)
        write(subscription, about, (writing) => toGoalMessage({ target, value, from }, shop, writing));
    }
    if (has("doubt")) {
      const days = await listDaysInDoubt(ledger, {
        merchant: merchant.number,
        from: dayAt(zone, now) - DOUBT_TOLD_DAYS,
      });
      for (const day of days)
        write(subscription, `doubt:${dateOf(day)}`, (writing) => toDoubtMessage(day, shop, writing));
    }
  }
  await writeMessages(ledger, messages, [toAlarms(merchant.number, alarms)]);
  return true;
}

type Writing = Parameters<typeof toAlarmMessage>[2];

/** The name of a change: the alarm's kind, and the instant at which the alarm went on. */
function nameOf({ alarm: { kind, since }, endedAt }: AlarmChange): string {
  return `${kind}:${new Date(since).toISOString()}:${endedAt === undefined ? "on" : "off"}`;
}

/**
 * Every ended Hour of today and of so many Days before, and the instant before which all hits are counted in them. When
 * clocks are put back an Hour is there twice. The API has one number for both, so each of them gets that number.
 */
export async function readHours(
  merchant: Merchant,
  { zone, daysBack }: { readonly zone: string; readonly daysBack: number },
  deps: Deps,
): Promise<Outcome<{ readonly hours: readonly HourCount[]; readonly asOf: number }>> {
  const now = deps.now();
  const today = dayAt(zone, now);
  const counted = new Map<string, readonly unknown[]>();
  let asOf = Number.POSITIVE_INFINITY;
  for (const { from, to } of rangesBetween(zone, today - daysBack, today)) {
    const date_range = [dateOf(from), dateOf(to)];
    const asked = { metrics: ["visitors", "orders"], dimensions: ["time:hour"], date_range };
    const answer = await answerTo(asked, merchant, deps);
    if (!answer.ok) return answer;
    for (const { dimensions, metrics } of answer.value.results) counted.set(dimensions[0] as string, metrics);
    asOf = Math.min(asOf, Date.parse(answer.value.meta.as_of));
  }
  const hours: HourCount[] = [];
  let start = dayStart(zone, today - daysBack);
  for (;;) {
    const end = hourAfter(zone, start);
    if (end > now - LOOK_AFTER_MINUTES * MINUTE_MS) break;
    const label = localTime(zone, start);
    const [visitors, orders] = counted.get(label) ?? [];
    const numbers = { visitors: numberOf(visitors) ?? 0, orders: numberOf(orders) ?? 0 };
    hours.push({ start, day: dayAt(zone, start), clock: label.slice(11, 16), ...numbers });
    start = end;
  }
  return accepted({ hours, asOf });
}

/**
 * Splits Days into ranges. Each range is one question. A Day on which clocks are put back is a range by itself. It has
 * one Hour twice, and the visitors of that Hour are counted from events. In a longer range the other Hours of the
 * question would be counted from events too.
 */
function rangesBetween(
  zone: string,
  from: number,
  to: number,
): readonly { readonly from: number; readonly to: number }[] {
  const long = Array.from({ length: to - from + 1 }, (_, at) => from + at).filter(
    (day) => dayStart(zone, day + 1) - dayStart(zone, day) > DAY_MS,
  );
  const ends = [from - 1, ...long.flatMap((day) => [day - 1, day]), to];
  return ends.slice(1).flatMap((end, at) => {
    const start = (ends[at] as number) + 1;
    return start <= end ? [{ from: start, to: end }] : [];
  });
}

interface Reaching {
  /** The id of the message. */
  readonly id: string;
  readonly target: Target;
  /** The first Day of the goal's period. */
  readonly from: number;
}

/** The number of a period, if a goal is reached in it and that was not told yet. Otherwise undefined. */
async function reachedValue(
  { id, target, from }: Reaching,
  { merchant, shop, deps }: { readonly merchant: Merchant; readonly shop: Shop; readonly deps: Deps },
): Promise<number | undefined> {
  const ledger = deps.ledgers.ofMerchant(merchant.number);
  if ((await listWritten(ledger, { merchant: merchant.number, ids: [id] })).has(id)) return undefined;
  const filters = target.goal === null ? [] : [["is", "event:goal", [target.goal]]];
  const date_range = [dateOf(from), dateOf(dayAt(shop.zone, deps.now()))];
  const answer = await answerTo({ metrics: [target.metric], date_range, filters }, merchant, deps);
  // The goal was perhaps deleted. The other alarms are told all the same.
  if (!answer.ok) {
    deps.log({ event: "goal_not_asked", message: id, error: answer.rejection.message });
    return undefined;
  }
  const value = numberOf(answer.value.results[0]?.metrics[0]) ?? 0;
  return value >= target.value ? value : undefined;
}
