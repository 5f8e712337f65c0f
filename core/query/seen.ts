// What a scan sees of a merchant's Day: its events with what is thought of them, put together to visits by the same rules as
// live counting has (VIS-1, VIS-2; L3): a visit is a maximal run of one visitor's events with gaps of at most 1800 s inside one
// Day and partition, its first event gives it its profile, its first and last page views its entry and exit.

import type { ArchivedEvent } from "../archive/file.ts";
import { orderOf } from "../counting/duplicate.ts";
import { type Opinion, opine } from "../enrichment/opinion.ts";
import { type Event, isEngagement, isPageview } from "../event.ts";
import { VISIT_GAP_MS } from "../limits.ts";
import type { Settings } from "../merchant.ts";
import { type RuleTimeline, rulesInForce } from "../rules.ts";

export interface Seen {
  readonly event: Event;
  readonly opinion: Opinion;
  readonly visit: SeenVisit;
}

export interface SeenVisit {
  readonly visitor: string;
  /** In order; the first one gives the visit its profile. */
  readonly events: readonly Seen[];
  /** First and last page view. */
  readonly entry: Seen | undefined;
  readonly exit: Seen | undefined;
  readonly isBounce: boolean;
  readonly durationMs: number;
}

export interface SeenUnder {
  readonly settings: Settings;
  /** The deployment's own rules. */
  readonly global: RuleTimeline;
}

/** A merchant's Day in one partition. */
export interface SeenDay {
  readonly visits: readonly SeenVisit[];
  /** Events that the rules of their Day do not count. */
  readonly dropped: readonly { readonly event: Event; readonly opinion: Opinion }[];
}

/** What archived rows of one merchant, Day and partition come to. Of rows with one id the one logged first counts. */
export function seeDay(rows: readonly ArchivedEvent[], day: number, under: SeenUnder): SeenDay {
  const ids = new Set<string>();
  const dropped: { event: Event; opinion: Opinion }[] = [];
  const visitors = new Map<string, Judged[]>();
  for (const { event } of [...rows].sort((a, b) => a.position - b.position)) {
    if (ids.has(event.id)) continue;
    ids.add(event.id);
    const judged = judge(event, day, under);
    if (judged.opinion.dropped !== "") {
      dropped.push(judged);
      continue;
    }
    const own = visitors.get(event.visitor);
    if (own === undefined) visitors.set(event.visitor, [judged]);
    else own.push(judged);
  }
  const visits = [...visitors.values()].flatMap((own) => visitsOf(own.sort(inOrder)));
  return { visits, dropped };
}

/** An event as the only one of its visit: enough for what is asked of events alone. Undefined where it is not counted. */
export function seeAlone(event: Event, day: number, under: SeenUnder): Seen | undefined {
  const judged = judge(event, day, under);
  return judged.opinion.dropped === "" ? toVisit([judged]).events[0] : undefined;
}

function judge(event: Event, day: number, { settings, global }: SeenUnder): Judged {
  const rules = rulesInForce({ own: settings.rules, global }, { instant: event.timestamp, day });
  return { event, opinion: opine(event, rules), order: orderOf(event.id) };
}

interface Judged {
  readonly event: Event;
  readonly opinion: Opinion;
  readonly order: number;
}

/** By time; events of one millisecond by the order that breaks ties everywhere (VIS-2). */
function inOrder(a: Judged, b: Judged): number {
  return a.event.timestamp - b.event.timestamp || a.order - b.order;
}

function visitsOf(sorted: readonly Judged[]): readonly SeenVisit[] {
  const visits: SeenVisit[] = [];
  let start = 0;
  for (let index = 1; index <= sorted.length; index++) {
    const next = sorted[index]?.event.timestamp ?? Number.POSITIVE_INFINITY;
    if (next - (sorted[index - 1] as Judged).event.timestamp <= VISIT_GAP_MS) continue;
    visits.push(toVisit(sorted.slice(start, index)));
    start = index;
  }
  return visits;
}

function toVisit(own: readonly Judged[]): SeenVisit {
  const [first, last] = [own[0] as Judged, own[own.length - 1] as Judged];
  const events: Seen[] = [];
  const visit = {
    visitor: first.event.visitor,
    events,
    entry: undefined as Seen | undefined,
    exit: undefined as Seen | undefined,
    isBounce: own.filter(({ event }) => !isEngagement(event.name)).length <= 1,
    durationMs: last.event.timestamp - first.event.timestamp,
  };
  for (const { event, opinion } of own) {
    const seen = { event, opinion, visit };
    events.push(seen);
    if (!isPageview(event.name)) continue;
    visit.entry ??= seen;
    visit.exit = seen;
  }
  return visit;
}
