// What becomes a visit, and what a visit takes from others: the same stories counted by a Day's state and seen by a
// scan.

import { describe, expect, test } from "vitest";
import { columnsOf } from "../../../core/archive/event-columns.ts";
import { ByteReader } from "../../../core/bytes.ts";
import { rollupOf } from "../../../core/counting/bucket.ts";
import { countEvent, emptyDay, WHOLE_DAY } from "../../../core/counting/day.ts";
import { replay } from "../../../core/counting/replay.ts";
import { breakdownOf, type RollupRow } from "../../../core/counting/rollup-row.ts";
import { decodeSketch, estimate } from "../../../core/counting/sketch.ts";
import { opine } from "../../../core/enrichment/opinion.ts";
import type { Event } from "../../../core/event.ts";
import { seeDay } from "../../../core/query/seen.ts";
import { NO_RULES } from "../../../core/rules.ts";
import { dayAt } from "../../../core/time.ts";
import { eventOf, settingsOf } from "../../support/events.ts";

const START = Date.UTC(2026, 2, 10, 12);
const DAY = dayAt("UTC", START);
const RULES = { own: NO_RULES, global: NO_RULES };

type Told = readonly [minute: number, path: string, more?: Partial<Event>];

function eventsOf(told: readonly Told[]): readonly Event[] {
  return told.map(([minute, path, more]) => {
    const at = START + Math.round(minute * 60_000);
    return eventOf({ timestamp: at, receivedAt: START + 86_400_000, url: `https://shop.example${path}`, ...more });
  });
}

const engagement = { name: "engagement", engagementMs: 4_000 };
const vitals = { name: "web_vitals" };
const quiet = { name: "ping", passive: 1 };
const prefetch = { purpose: "prefetch" };

interface Came {
  readonly visits: number;
  readonly bounces?: number;
  readonly visitors?: number;
  readonly seconds?: number;
  readonly pageviews?: number;
  readonly events?: number;
  readonly sources?: readonly string[];
  readonly entry?: readonly string[];
  readonly exit?: readonly string[];
  readonly dropped?: number;
}

/** By the state, whatever the order of arrival. */
function counted(events: readonly Event[]): Came {
  const state = emptyDay(1, DAY);
  events.forEach((event, position) => {
    const opinion = opine(event, RULES);
    countEvent(state, { event: { ...event, dropped: opinion.dropped }, opinion, settings: settingsOf(), position });
  });
  const { counts, drops, breakdowns } = rollupOf(state, WHOLE_DAY, ["source", "entry_page", "exit_page"]);
  const valuesOf = (name: "source" | "entry_page" | "exit_page") =>
    (breakdowns.get(name)?.entries ?? [])
      .filter(({ counts: own }) => own.visits > 0)
      .map(({ value }) => value)
      .sort();
  return {
    ...counts,
    seconds: counts.duration_ms / 1000,
    sources: valuesOf("source"),
    entry: valuesOf("entry_page"),
    exit: valuesOf("exit_page"),
    dropped: drops.get("prefetch") ?? 0,
  };
}

/** By a scan. */
function seen(events: readonly Event[]): Came {
  const rows = events.map((event, position) => ({ partition: "pool-0", position, event }));
  const { visits, dropped } = seeDay({ rows: columnsOf(rows), day: DAY }, { settings: settingsOf(), global: [] });
  const all = visits.flatMap((visit) => visit.events);
  const distinct = (values: readonly string[]) => [...new Set(values)].sort();
  return {
    visits: visits.length,
    bounces: visits.filter(({ isBounce }) => isBounce).length,
    visitors: new Set(visits.map(({ visitor }) => visitor)).size,
    seconds: visits.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000,
    pageviews: all.filter(({ event }) => event.name === "pageview").length,
    events: all.filter(({ event }) => event.name !== "engagement").length,
    sources: distinct(visits.map(({ profile }) => profile.opinion.source)),
    entry: distinct(visits.map(({ entry }) => entry?.opinion.page ?? "")),
    exit: distinct(visits.map(({ exit }) => exit?.opinion.page ?? "")),
    dropped: dropped.length,
  };
}

const STORIES: readonly (readonly [rule: string, told: readonly Told[], came: Came])[] = [
  [
    "[VIS-5] a page view and web vitals: a bounce",
    [
      [0, "/"],
      [0.1, "/", vitals],
    ],
    { visits: 1, bounces: 1, events: 2 },
  ],
  [
    "[VIS-5] what a format marks as not interactive as well",
    [
      [0, "/"],
      [1, "/", quiet],
    ],
    { visits: 1, bounces: 1 },
  ],
  [
    "[VIS-5] two page views are none",
    [
      [0, "/"],
      [1, "/a"],
    ],
    { visits: 1, bounces: 0 },
  ],
  [
    "[VIS-5] an event of the visitor's ends it",
    [
      [0, "/"],
      [1, "/", { name: "signup" }],
    ],
    { visits: 1, bounces: 0 },
  ],
  [
    "[VIS-4] reading on after 40 minutes begins no visit, and is none of its length",
    [
      [0, "/?utm_source=news"],
      [40, "/", engagement],
    ],
    { visits: 1, visitors: 1, pageviews: 1, sources: ["news"], seconds: 0 },
  ],
  [
    "[VIS-4] reading on within the gap lengthens it",
    [
      [0, "/"],
      [20, "/", engagement],
    ],
    { visits: 1, seconds: 1_200 },
  ],
  [
    "[VIS-4] and a page after that is of it",
    [
      [0, "/"],
      [20, "/", engagement],
      [45, "/a"],
    ],
    { visits: 1, seconds: 2_700 },
  ],
  [
    "[VIS-4] reading alone is nobody",
    [
      [0, "/", engagement],
      [5, "/", engagement],
    ],
    { visits: 0, visitors: 0, events: 0 },
  ],
  [
    "[VIS-4] a visit that reading precedes begins with its page",
    [
      [0, "/old", engagement],
      [10, "/?utm_source=news"],
    ],
    { visits: 1, seconds: 0, sources: ["news"], entry: ["/"] },
  ],
  [
    "[VIS-4] a report alone is a visit of its own",
    [[0, "/gone", { name: "404" }]],
    { visits: 1, bounces: 1, events: 1 },
  ],
  [
    "[VIS-4] a report after the gap is of the visit before",
    [
      [0, "/?utm_source=news"],
      [50, "/", vitals],
    ],
    { visits: 1, events: 2, sources: ["news"], seconds: 0 },
  ],
  [
    "[VIS-3] events of one instant keep the order of their request",
    [
      [0, "/thanks", { sequence: 2 }],
      [0, "/start", { sequence: 0 }],
      [0, "/cart", { sequence: 1 }],
    ],
    { visits: 1, entry: ["/start"], exit: ["/thanks"] },
  ],
  [
    "[VIS-3] and requests that of their arrival",
    [
      [0, "/b", { receivedAt: START + 2 }],
      [0, "/a", { receivedAt: START + 1, sequence: 7 }],
    ],
    { visits: 1, entry: ["/a"], exit: ["/b"] },
  ],
  [
    "[PRE-1] a prefetch is dropped",
    [
      [0, "/"],
      [1, "/next", prefetch],
    ],
    { visits: 1, pageviews: 1, dropped: 1 },
  ],
  [
    "[PRE-1] unless its page was then read",
    [
      [0, "/"],
      [1, "/next", prefetch],
      [2, "/next", engagement],
    ],
    { visits: 1, pageviews: 2, dropped: 0, exit: ["/next"] },
  ],
  [
    "[PRE-1] a page view of its own counts by itself",
    [
      [1, "/next", prefetch],
      [2, "/next"],
      [3, "/next", engagement],
    ],
    { visits: 1, pageviews: 1, dropped: 1 },
  ],
  [
    "[PRE-1] two prefetches of a page that was read are one page view",
    [
      [1, "/next", prefetch],
      [2, "/next", prefetch],
      [3, "/next", { name: "signup" }],
    ],
    { visits: 1, pageviews: 1, events: 2, dropped: 1 },
  ],
];

describe("stories", () => {
  test.each(STORIES)("%s", (_, told, came) => {
    const events = eventsOf(told);
    expect(counted(events)).toMatchObject(came);
    expect(counted(events.toReversed())).toEqual(counted(events));
    expect(seen(events)).toMatchObject(came);
  });
});

test("[VIS-6] a visit that came back from a payment page keeps what brought its visitor, on that Day", () => {
  const back = { referrer: "https://www.paypal.com/checkoutnow" };
  const told: readonly Told[] = [
    [0, "/?utm_source=news"],
    [45, "/thanks", back],
    [120, "/thanks", back],
  ];
  const came = { visits: 3, sources: ["news"], entry: ["/", "/thanks"] };
  const events = eventsOf(told);
  expect(counted(events)).toMatchObject(came);
  expect(counted(events.toReversed())).toEqual(counted(events));
  expect(seen(events)).toMatchObject(came);
  const alone = eventsOf([[0, "/thanks", back]]);
  expect([counted(alone).sources, seen(alone).sources]).toEqual([[""], [""]]);
});

test("[VIS-7] a Day knows of each run whether its visitor may come again; what does not say is taken for known", () => {
  const state = emptyDay(1, DAY);
  const kinds = ["daily", "known", ""] as const;
  eventsOf(kinds.map((visitorKind, index) => [0, "/", { visitorKind, visitor: `000000000000000${index}` }])).forEach(
    (event, position) => {
      countEvent(state, { event, opinion: opine(event, RULES), settings: settingsOf(), position });
    },
  );
  expect([...state.visitors].map(([, [visit]]) => visit?.known)).toEqual([false, true, true]);
});

test("[VIS-8] a Day counts who is known, also by an event that is no visit, and keeps these alone in sketches", () => {
  const daily = { visitorKind: "daily" } as const;
  const events = [
    ...eventsOf([[0, "/", { ...daily, visitor: "00000000000000aa" }]]),
    // An engagement report before it, which is nobody's, and one that says what it is.
    ...eventsOf([
      [0, "/", { name: "engagement", engagementMs: 900, visitor: "10000000000000bb", visitorKind: "known" }],
      [90, "/", { ...daily, visitor: "10000000000000bb" }],
    ]),
  ];
  const rows = replay(
    events.map((event, position) => ({ partition: "p", position, event })),
    () => settingsOf(),
  );
  const day = rows.find(({ grain }) => grain === "day") as RollupRow;
  const hours = rows.filter(({ grain }) => grain === "hour");
  const sizeOf = (bytes: Uint8Array) => estimate(decodeSketch(new ByteReader(bytes)));
  expect([day.counts.visitors, day.counts.known, sizeOf(day.sketch)]).toEqual([2, 1, 1]);
  const pages = breakdownOf(day, "page").entries.map(({ counts, sketch }) => [counts.known, estimate(sketch)]);
  expect(pages).toEqual([[1, 1]]);
  for (const { counts, sketch } of hours)
    expect([counts.known, sizeOf(sketch)]).toEqual([counts.visitors, counts.visitors]);
});
