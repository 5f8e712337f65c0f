// The events that were left out for a reason: which agents, networks, pages and referrers they had. A merchant needs
// them to write a rule. The numbers of each list add up to the events of its reason. Beyond a number of different names
// an event counts under `others`, so made-up names take no memory.

import { parseAddress } from "../enrichment/address.ts";
import { agentFamily } from "../enrichment/agent-family.ts";
import { DATA_CENTRES } from "../enrichment/data-centre.ts";
import type { Opinion } from "../enrichment/opinion.ts";
import type { Event } from "../event.ts";
import { LEFT_OUT_NAME_LENGTH_MAX, LEFT_OUT_NAMES_MAX, LEFT_OUT_SHOWN_MAX } from "../limits.ts";
import type { DropReason } from "../outcome.ts";

type RuledPage = Pick<Opinion, "hostname" | "page">;

/** The lists, and the name of an event in each. An empty name means "not known". */
const LISTS = {
  agents: ({ userAgent, hints }: Event) => agentFamily(userAgent, hints),
  networks: ({ asn }: Event) => (asn === 0 ? "" : String(asn)),
  pages: ({ url }: Event, page: RuledPage | undefined) => {
    if (page !== undefined) return page.hostname + page.page;
    const address = parseAddress(url);
    return address === undefined ? "" : address.hostname + address.path;
  },
  referrers: ({ referrer }: Event) => parseAddress(referrer)?.hostname ?? "",
} as const satisfies Readonly<Record<string, (event: Event, page: RuledPage | undefined) => string>>;

export type LeftOutList = keyof typeof LISTS;
export const LEFT_OUT_LISTS = Object.keys(LISTS) as readonly LeftOutList[];

interface Names {
  readonly counts: Map<string, number>;
  others: number;
}

/** By reason, then by list. */
export type LeftOut = Map<DropReason, Readonly<Record<LeftOutList, Names>>>;

/** Adds an event. `page` is the page after rules were applied; without it the event's own address is used. */
export function addLeftOut(all: LeftOut, reason: DropReason, event: Event, page?: RuledPage): void {
  const lists = all.get(reason) ?? openLists();
  all.set(reason, lists);
  for (const list of LEFT_OUT_LISTS) {
    const names = lists[list];
    const name = LISTS[list](event, page).slice(0, LEFT_OUT_NAME_LENGTH_MAX);
    const known = names.counts.get(name);
    if (known === undefined && names.counts.size >= LEFT_OUT_NAMES_MAX) names.others += 1;
    else names.counts.set(name, (known ?? 0) + 1);
  }
}

function openLists(): Readonly<Record<LeftOutList, Names>> {
  const open = () => ({ counts: new Map<string, number>(), others: 0 });
  return { agents: open(), networks: open(), pages: open(), referrers: open() };
}

/** One name of a list, with its events. */
export interface Named {
  readonly name: string;
  /** The owner of the network, where that is known. */
  readonly label?: string;
  readonly events: number;
}

/** A list as answers show it: the most frequent names, and how many events had others. */
export interface ShownList {
  readonly named: readonly Named[];
  readonly others: number;
}

/** All lists by reason, as answers show them. */
export function shownLeftOut(all: LeftOut): Readonly<Record<string, Readonly<Record<LeftOutList, ShownList>>>> {
  return Object.fromEntries(
    [...all].map(([reason, { agents, networks, pages, referrers }]) => [
      reason,
      {
        agents: shownList(agents),
        networks: shownList(networks, (name) => DATA_CENTRES.get(Number(name))),
        pages: shownList(pages),
        referrers: shownList(referrers),
      },
    ]),
  );
}

function shownList(
  { counts, others }: Names,
  labelOf: (name: string) => string | undefined = () => undefined,
): ShownList {
  const sorted = [...counts].sort(([a, some], [b, more]) => more - some || (a < b ? -1 : 1));
  const rest = sorted.slice(LEFT_OUT_SHOWN_MAX).reduce((sum, [, events]) => sum + events, 0);
  const named = sorted.slice(0, LEFT_OUT_SHOWN_MAX).map(([name, events]) => {
    const label = labelOf(name);
    return { name, ...(label !== undefined && { label }), events };
  });
  return { named, others: others + rest };
}
