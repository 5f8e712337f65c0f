// What a merchant, or the deployment for all merchants, has decided about counting: rules as plain data, and the
// timeline that says which of them hold for an event. A change holds from an instant ahead of time, so that every
// partition knows it by then; a replay applies rules to past Days, and takes them back by removing what it added. So
// the rules of an event are a function of its timestamp and Day alone, for ever, and live counting and replay agree
// (L3). `rule-parser.ts` reads rules as they come in, `enrichment/` applies them; docs/rules.md shows them by example.

import { RULE_TIMELINE_LENGTH_MAX, RULES_NOTICE_MS } from "./limits.ts";

/** Two lists of one kind: `admit` wins over `drop`. */
export interface Choice<T> {
  readonly drop: readonly T[];
  readonly admit: readonly T[];
}

/** Texts called patterns are those of `pattern.ts`. Names are as the API has them. */
export interface Rules {
  /** Patterns of user agents. */
  readonly bots: Choice<string>;
  /** Hosts of referrers, subdomains included. */
  readonly referrers: Choice<string>;
  /**
   * Hosts that visitors only come back from, subdomains included. `drop`: not a source. `admit`: a source all the same.
   */
  readonly returns: Choice<string>;
  /** Client addresses that are not counted, by CIDR block. */
  readonly addresses: readonly Exclusion[];
  /** Numbers of autonomous systems. */
  readonly asns: Choice<number>;
  /** Hosts of pages that may count, subdomains included; empty means all. */
  readonly hostnames: readonly string[];
  readonly paths: PathRules;
  /** The first rule that matches names the channel. The built-in rules come after them. */
  readonly channels: readonly ChannelRule[];
  readonly goals: readonly Goal[];
  readonly orders: OrderRules;
}

export interface Exclusion {
  readonly name: string;
  readonly networks: readonly string[];
}

export interface PathRules {
  /** Whether numbers, UUIDs and hexadecimal ids in a path become ":id". */
  readonly strip_ids: boolean;
  /** Query parameters that are part of the page. */
  readonly keep_query: readonly string[];
  /** The first whose `match` (a pattern) is the path gives the page. */
  readonly replace: readonly { readonly match: string; readonly page: string }[];
}

export interface OrderRules {
  /** Whether only events with an API key earn or take off. Orders that pages tell then earn nothing (ORD-10). */
  readonly keyed_only: boolean;
}

/** Every pattern that is given must match. */
export interface ChannelRule {
  readonly channel: string;
  readonly source?: string;
  readonly medium?: string;
  readonly campaign?: string;
  readonly referrer?: string;
}

/** An event reaches it if its name matches, on a page that matches. Without `event`, page views reach it. */
export interface Goal {
  readonly name: string;
  readonly event?: string;
  readonly page?: string;
}

export const NO_RULES: Rules = {
  bots: { drop: [], admit: [] },
  referrers: { drop: [], admit: [] },
  returns: { drop: [], admit: [] },
  addresses: [],
  asns: { drop: [], admit: [] },
  hostnames: [],
  paths: { strip_ids: false, keep_query: [], replace: [] },
  channels: [],
  goals: [],
  orders: { keyed_only: false },
};

/** Stored rules with all lists. They may be from before a list was added. */
export function completeRules(rules: Rules): Rules {
  return { ...NO_RULES, ...rules };
}

/** The merchant number of the deployment's own rules. No merchant has it. */
export const GLOBAL_MERCHANT = 0;

/**
 * Rules and the events that they hold for: every event from an instant on, or the events of some past Days. A period
 * may also hold goals alone, or say that an import does not count, on some past Days.
 */
export type RulePeriod =
  | {
      readonly version: number;
      readonly rules: Rules;
      /** UTC ms. */
      readonly from: number;
    }
  | (PastPeriod & { readonly rules: Rules })
  | (PastPeriod & { readonly goals: readonly Goal[] })
  | (PastPeriod & {
      /** The number of an import that was undone. */
      readonly withoutImport: number;
    });

interface PastPeriod {
  readonly version: number;
  /** Numbers of Days in [from, to). */
  readonly days: readonly [from: number, to: number];
  /** Set while their rollups are being counted by it. Meanwhile nobody knows which of them are done. */
  readonly counting?: true;
}

/** In the order of the decisions. The last period that an event falls into holds. */
export type RuleTimeline = readonly RulePeriod[];

/** Where an event stands on a timeline. */
export interface RuledMoment {
  /** UTC ms. */
  readonly instant: number;
  readonly day: number;
  /** The import that brought it; absent or 0 where none did. */
  readonly importNumber?: number;
}

/** The rules that hold for an event. If goals alone were put on its Day, they replace the goals of those rules. */
export function rulesAt(timeline: RuleTimeline, { instant, day }: RuledMoment): Rules {
  let goals: readonly Goal[] | undefined;
  for (let index = timeline.length - 1; index >= 0; index--) {
    const period = timeline[index] as RulePeriod;
    const holds = "from" in period ? period.from <= instant : isOfDays(period, day);
    if (!holds) continue;
    if ("rules" in period) return goals === undefined ? period.rules : withGoals(period.rules, goals);
    if ("goals" in period) goals ??= period.goals;
  }
  return goals === undefined ? NO_RULES : withGoals(NO_RULES, goals);
}

function isOfDays({ days }: PastPeriod, day: number): boolean {
  return days[0] <= day && day < days[1];
}

const joined = new WeakMap<Rules, WeakMap<readonly Goal[], Rules>>();

/**
 * Rules with other goals. The same two arguments give the same object, because opinions prepare each set of rules once.
 */
function withGoals(rules: Rules, goals: readonly Goal[]): Rules {
  const known = joined.get(rules) ?? new WeakMap<readonly Goal[], Rules>();
  joined.set(rules, known);
  const found = known.get(goals) ?? { ...rules, goals };
  known.set(goals, found);
  return found;
}

/** The goals that questions are answered by, whatever the Day. */
export function goalsDecided(timeline: RuleTimeline): readonly Goal[] {
  return latestRules(timeline).rules.goals;
}

/** The timeline for reading events: its rules, with the latest goals for all of the past. */
export function asRead(timeline: RuleTimeline): RuleTimeline {
  if (timeline.length === 0) return timeline;
  const goals = goalsDecided(timeline);
  const kept = timeline.filter((period) => !("goals" in period));
  const first = { version: 0, from: Number.NEGATIVE_INFINITY, rules: withGoals(NO_RULES, goals) };
  return [
    first,
    ...kept.map((period) => ("rules" in period ? { ...period, rules: withGoals(period.rules, goals) } : period)),
  ];
}

/** Whether rollups of a Day, for the instants [from, to), were counted by exactly these goals. */
export function knowsGoals(
  timeline: RuleTimeline,
  goals: readonly Goal[],
  { day, from, to }: { readonly day: number; readonly from: number; readonly to: number },
): boolean {
  if (isBeingCounted(timeline, day)) return false;
  const changes = timeline.flatMap((period) =>
    "from" in period && period.from > from && period.from < to ? [period.from] : [],
  );
  const wanted = goals.map(goalText);
  return [from, ...changes].every((instant) => {
    const counted = new Set(rulesAt(timeline, { instant, day }).goals.map(goalText));
    return wanted.every((goal) => counted.has(goal));
  });
}

/** Whether rollups of a Day are still being counted by the latest rules put on it. */
export function isBeingCounted(timeline: RuleTimeline, day: number): boolean {
  const past = timeline.findLast((period) => "days" in period && !("withoutImport" in period) && isOfDays(period, day));
  return past !== undefined && "counting" in past && past.counting === true;
}

function goalText({ name, event, page }: Goal): string {
  return JSON.stringify([name, event ?? null, page ?? null]);
}

/** A merchant's rules and the deployment's, as they hold for one event. */
export interface RulesInForce {
  readonly own: Rules;
  readonly global: Rules;
  /** Whether the event's import was undone on its Day. */
  readonly isUndone?: boolean;
}

export const NO_RULES_IN_FORCE: RulesInForce = { own: NO_RULES, global: NO_RULES };

/** What holds for an event on both timelines. */
export function rulesInForce(
  { own, global }: { readonly own: RuleTimeline; readonly global: RuleTimeline },
  moment: RuledMoment,
): RulesInForce {
  if (own.length === 0 && global.length === 0) return NO_RULES_IN_FORCE;
  const rules = { own: rulesAt(own, moment), global: rulesAt(global, moment) };
  return isUndone(own, moment) ? { ...rules, isUndone: true } : rules;
}

function isUndone(timeline: RuleTimeline, { importNumber = 0, day }: RuledMoment): boolean {
  if (importNumber === 0) return false;
  return timeline.some(
    (period) => "withoutImport" in period && period.withoutImport === importNumber && isOfDays(period, day),
  );
}

/** The rules that were decided last for the future, with their version. Version 0 if none were decided. */
export function latestRules(timeline: RuleTimeline): {
  readonly version: number;
  readonly rules: Rules;
  from?: number;
} {
  const latest = timeline.findLast((period) => "from" in period);
  return latest === undefined ? { version: 0, rules: NO_RULES } : { ...latest, rules: completeRules(latest.rules) };
}

/** When a change that is asked for now takes effect. By then no partition counts by older settings. */
export function rulesTakeEffectAt(now: number, noticeMs = RULES_NOTICE_MS): number {
  return now + noticeMs;
}

/** The timeline with one more decision. "full" when it would be longer than a row can hold. */
export function extendTimeline(timeline: RuleTimeline, period: RulePeriod): RuleTimeline | "full" {
  const extended = [...timeline, period];
  return JSON.stringify(extended).length > RULE_TIMELINE_LENGTH_MAX ? "full" : extended;
}

/** The period that puts rules on some past Days: the latest rules, or a draft, which has no version. */
export function periodOfDays(timeline: RuleTimeline, days: readonly [number, number], draft?: Rules): RulePeriod {
  if (draft !== undefined) return { version: 0, rules: draft, days };
  const { version, rules } = latestRules(timeline);
  return { version, rules, days };
}

/** The period that puts the latest goals on some past Days, while their rollups are being counted by them. */
export function goalsOfDays(timeline: RuleTimeline, days: readonly [number, number]): RulePeriod {
  return { version: latestRules(timeline).version, goals: goalsDecided(timeline), days, counting: true };
}

/** The period that says that an import does not count on some past Days. */
export function undoneOnDays(
  timeline: RuleTimeline,
  { importNumber, days }: { readonly importNumber: number; readonly days: readonly [number, number] },
): RulePeriod {
  return { version: latestRules(timeline).version, days, withoutImport: importNumber };
}

/** The timeline in which an import counts again on those Days. */
export function redoneOnDays(
  timeline: RuleTimeline,
  { importNumber, days }: { readonly importNumber: number; readonly days: readonly [number, number] },
): RuleTimeline {
  return timeline.filter(
    (period) =>
      !(
        "withoutImport" in period &&
        period.withoutImport === importNumber &&
        period.days[0] === days[0] &&
        period.days[1] === days[1]
      ),
  );
}

/** Characters of a timeline with goals put on past Days: half of what fits. */
export const RULE_TIMELINE_ROOM = RULE_TIMELINE_LENGTH_MAX / 2;

/** The timeline with those goals. Earlier goals that no other Day has are left out. */
export function extendGoals(timeline: RuleTimeline, period: RulePeriod): RuleTimeline | "full" {
  const [from, to] = "days" in period ? period.days : [0, 0];
  const kept = timeline.filter((one) => !("goals" in one && from <= one.days[0] && one.days[1] <= to));
  return extendTimeline(kept, period);
}

/** The timeline after the rollups of all Days of a period have been counted by it. */
export function settlePeriod(
  timeline: RuleTimeline,
  { version, days, what }: { version: number; days: readonly [number, number]; what: "rules" | "goals" },
): RuleTimeline {
  return timeline.map((period) => {
    const isIt = "days" in period && what in period && period.counting === true && period.version === version;
    if (!isIt || period.days[0] !== days[0] || period.days[1] !== days[1]) return period;
    const { counting: _, ...settled } = period;
    return settled;
  });
}

/** The timeline without the last rules that were put on those past Days. */
export function takeBackFromDays(
  timeline: RuleTimeline,
  { version, days }: { readonly version: number; readonly days: readonly [number, number] },
): RuleTimeline {
  const index = timeline.findLastIndex(
    (period) =>
      "days" in period &&
      "rules" in period &&
      period.version === version &&
      period.days[0] === days[0] &&
      period.days[1] === days[1],
  );
  return timeline.filter((_, at) => at !== index);
}
