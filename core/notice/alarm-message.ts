// Alarms as messages. Each has the numbers that it was made from, so that it can be checked on the dashboard.

import { dateOf, HOUR_MS, isoLocal } from "../time.ts";
import type { AlarmChange, AlarmKind, Finding } from "./alarm.ts";
import type { Message } from "./message.ts";
import { endings, toHtml, toText, type Writing } from "./report.ts";
import type { Target, Topic } from "./subscription.ts";
import { fill, WORDS, writerOf } from "./text.ts";

/** Whose alarm it is. */
export interface Shop {
  readonly id: string;
  readonly name: string;
  readonly zone: string;
  readonly currency: string;
}

/** The topic that a kind of alarm belongs to. */
export const TOPIC_OF: Readonly<Record<AlarmKind, Topic>> = {
  spike: "traffic",
  drop: "traffic",
  silence: "silence",
  first_order: "orders",
};

/** What a message about an alarm that went on, or off, is called, and the sentence with its numbers. */
export function sayAlarm({ alarm, endedAt }: AlarmChange, shop: Shop, writing: Writing) {
  const { kind, since, finding } = alarm;
  const words = WORDS[writing.language];
  const write = writerOf(writing.language);
  const isOver = endedAt !== undefined;
  const times = { since: write.time(since, shop.zone), until: write.time(endedAt ?? since, shop.zone) };
  const says = isOver ? fill(words.offSays, times) : saysOf(finding, { since, zone: shop.zone }, writing);
  return { subject: fill(isOver ? words[`${kind}Off`] : words[kind], { shop: shop.name }), says };
}

/** A message that an alarm went on, or off. */
export function toAlarmMessage(change: AlarmChange, shop: Shop, writing: Writing): Message {
  const { alarm, endedAt } = change;
  const { kind, since, finding } = alarm;
  const { subject, says } = sayAlarm(change, shop, writing);
  const isOver = endedAt !== undefined;
  const instant = (at: number) => isoLocal(shop.zone, at);
  const data = { kind, since: instant(since), until: isOver ? instant(endedAt) : null, finding };
  return simple({ type: isOver ? "alarm.off" : "alarm.on", subject, says, data }, shop, writing);
}

function saysOf(finding: Finding, { since, zone }: { since: number; zone: string }, { language }: Writing): string {
  const words = WORDS[language];
  const write = writerOf(language);
  const { days } = finding;
  if (finding.kind === "silence") {
    const { hours, usual } = finding;
    const filling = { since: write.time(finding.since, zone), hours: write.count(hours), usual: write.count(usual) };
    return fill(words.silenceSays, filling);
  }
  if (finding.kind === "first_order") {
    const { usual, least } = finding;
    return fill(words.orderSays, { days: write.count(days), usual: write.count(usual), least: write.count(least) });
  }
  const { hours, visitors, median, least, most } = finding;
  const counts = { visitors, days, median, least, most };
  const filling = Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, write.count(count)]));
  const from = write.time(since - hours * HOUR_MS, zone);
  return fill(words.trafficSays, { ...filling, from, to: write.time(since, zone) });
}

/** A message that a goal was reached within its period. */
export function toGoalMessage(
  { target, value, from }: { readonly target: Target; readonly value: number; readonly from: number },
  shop: Shop,
  writing: Writing,
): Message {
  const words = WORDS[writing.language];
  const write = writerOf(writing.language);
  const isMoney = target.metric === "total_revenue";
  const written = (number: number) => (isMoney ? write.money(number, shop.currency) : write.count(number));
  const metric = target.goal === null ? words[target.metric] : `${words[target.metric]} (${target.goal})`;
  const says = fill(words.goalSays, {
    ...{ metric, value: written(value), from: write.day(from), target: written(target.value) },
  });
  const data = { target, value, from: dateOf(from) };
  return simple({ type: "goal.reached", subject: fill(words.goal, { shop: shop.name }), says, data }, shop, writing);
}

/** A message that a Day could not be sealed. */
export function toDoubtMessage(day: number, shop: Shop, writing: Writing): Message {
  const words = WORDS[writing.language];
  const says = fill(words.doubtSays, { date: writerOf(writing.language).day(day) });
  const subject = fill(words.doubt, { shop: shop.name });
  return simple({ type: "day.in_doubt", subject, says, data: { date: dateOf(day) } }, shop, writing);
}

interface Simple {
  readonly type: string;
  readonly subject: string;
  readonly says: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A message of one sentence or two. */
function simple({ type, subject, says, data }: Simple, shop: Shop, { language, links, now }: Writing): Message {
  const sections = [{ rows: [[says]] }];
  const ends = endings(WORDS[language], links);
  return {
    ...{ type, subject, text: toText(sections, ends), at: now, unsubscribe: links.unsubscribe },
    html: toHtml({ title: subject, sections, ends, language }),
    data: { merchant: shop.id, name: shop.name, ...data },
  };
}
