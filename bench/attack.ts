// What somebody does who knows a tracking ID, or holds a share link or a key that reads: the rows of
// `npm run bench:flood`. Each row has the hostile requests and innocent ones beside them, as many a second, of the same
// kind and about the same size, from a merchant like the attacker's. What the hostile ones cost neighbours beyond the
// innocent is the attack's own doing; the rest any traffic of that size does.

import { DIMENSIONS } from "../core/counting/dimension.ts";
import { collidingIds } from "../test/support/colliding-id.ts";
import type { Merchant } from "../test/support/services.ts";

const DAY_MS = 86_400_000;

/** A request, ready to be sent: nothing is made while it is measured. */
export interface Sent {
  readonly to: "collector" | "query";
  readonly path: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Somebody who sends, and what was made for the attack. */
export interface Party {
  readonly merchant: Merchant;
  readonly writeKey: string;
  readonly readKey: string;
  /** A link that shows one part of the shop. */
  readonly link: string;
}

/** The number of a request in its side, from 0, over all rounds. */
type Make = (party: Party, index: number) => Sent;

export interface Attack {
  readonly name: string;
  readonly what: string;
  readonly perSecond: number;
  readonly hostile: Make;
  /** Undefined where the attack is nothing but its size. */
  readonly innocent?: Make;
  /** Events of the two merchants before: questions need something to read. */
  readonly prepare?: (party: Party) => readonly Sent[];
  /** So many closed Days, which `prepare` has events of for the hostile side alone, are to be in rollups before. */
  readonly days?: number;
  /** How long a phase is, in ms, where that is to be longer: what may be spent at once must not be all of it. */
  readonly phaseMs?: number;
  /** Beside the usual: how long a neighbour's late event takes, or the first answer after a restart. */
  readonly also?: "late event" | "restart";
}

/** The platform counts by address: an attacker has so many. */
const ADDRESSES = 200;

const addressOf = (index: number) => `198.51.100.${index % ADDRESSES}`;
const post = (party: Party, events: readonly object[], index: number, key?: string): Sent => ({
  to: "collector",
  path: "/v1/events",
  body: JSON.stringify({ tracking_id: party.merchant.tracking_id, events }),
  headers: { "x-footfall-address": addressOf(index), ...(key !== undefined && { authorization: `Bearer ${key}` }) },
});
const many = <T>(count: number, of: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => of(index));

/** Ordinary events: ids, visitors and pages as a shop has them. */
const ordinary = (index: number, count: number) =>
  many(count, (at) => ({
    id: `${index}-${at}-${"i".repeat(4)}`,
    url: `https://shop.example/${at % 50}`,
    visitor_id: `visitor ${(index * count + at) % 500}`,
  }));
const flood = (events: number) => (party: Party, index: number) => post(party, ordinary(index, events), index);

/** Ids whose public hash begins with many zeros, which a sketch without a key takes for many visitors. */
const chosenVisitor = (index: number) => `v${((index * 2_654_435_761) >>> 0).toString(36)}`;

const question = (party: Party, credential: string, body: object): Sent => ({
  to: "query",
  path: "/api/v2/query",
  body: JSON.stringify({ site_id: party.merchant.id, metrics: ["visitors"], date_range: "day", ...body }),
  headers: { authorization: `Bearer ${credential}` },
});
/** Filters of a size that the hostile ones have, which cost nothing. */
const harmless = (index: number) => [["is", "event:page", [`/${index}`]]];
const SLOW = (index: number) => `(${"a?".repeat(150)})*b${index}`;
const slow = (index: number, count: number) => ["matches", "event:page", many(count, (at) => SLOW(index * count + at))];
/** Long pages, which ask much of a regular expression. */
const longPages = (party: Party) =>
  many(1, (batch) =>
    post(
      party,
      many(200, (at) => ({
        id: `long ${batch} ${at}`,
        url: `https://shop.example/blog/${"a".repeat(1_800)}${batch}-${at}`,
        visitor_id: `reader ${at}`,
      })),
      batch,
    ),
  );
const DEAR: readonly ((index: number) => object)[] = [
  (index) => ({ filters: [slow(index, 20)] }),
  (index) => ({ filters: many(100, (at) => ["not", slow(index + at, 1)]) }),
  (index) => ({ filters: [["not", ["not", ["has_done", ["or", many(60, (at) => slow(index + at, 1))]]]]] }),
  (index) => ({ filters: [["contains", "event:page", many(1_000, (at) => `b${index}${at}`)]] }),
];
const dearFunnel = (party: Party, index: number): Sent => ({
  ...question(party, party.link, {}),
  path: "/api/v2/funnel",
  body: JSON.stringify({
    site_id: party.merchant.id,
    date_range: "day",
    steps: many(8, (at) => ({ filters: [["not", slow(index + at, 10)]] })),
  }),
});

/** Days of the past with rollups: what a key asks for in `rollup-batches`. */
const ROLLUP_DAYS = 60;
const EVENTS_OF_DAY = 50;
/** The Day before the last `ago` closed ones, as a date. */
export const pastDate = (ago: number) => new Date(Date.now() - (4 + ago) * DAY_MS).toISOString().slice(0, 10);
/** Events of those Days, with something to say in each breakdown. */
const pastDays = (party: Party) =>
  many(ROLLUP_DAYS / 20, (batch) =>
    post(
      party,
      many(20 * EVENTS_OF_DAY, (at) => ({
        id: `past ${batch} ${at}`,
        url: `https://shop.example/${at % 50}?utm_source=s${at % 20}&utm_campaign=c${at % 15}&utm_term=t${at % 10}`,
        referrer: `https://site${at % 25}.example/`,
        visitor_id: `visitor ${at % 40}`,
        timestamp: `${pastDate(batch * 20 + Math.floor(at / EVENTS_OF_DAY))}T12:00:${10 + (at % 50)}Z`,
      })),
      batch,
      party.writeKey,
    ),
  );
/** A batch by every dimension. No two are equal, so none finds its answer remembered. */
const batchOf = (party: Party, index: number, date_range: unknown): Sent => ({
  to: "query",
  path: "/api/v2/batch",
  body: JSON.stringify({
    site_id: party.merchant.id,
    date_range,
    questions: Object.fromEntries(
      many(24, (at) => {
        const dimension = DIMENSIONS[at % DIMENSIONS.length]?.question;
        return [
          `q${at}`,
          { metrics: ["visitors"], dimensions: [dimension], pagination: { limit: 100 + 30 * index + at } },
        ];
      }),
    ),
  }),
  headers: { authorization: `Bearer ${party.readKey}` },
});

const lateDay = (day: number) => ({
  timestamp: Date.now() - (100 + day) * DAY_MS,
  url: "https://a.b/",
});
const today = () => ({ timestamp: Date.now() - 1_000, url: "https://a.b/" });
const colliding = new Map<string, readonly string[]>();
const collidingOf = (party: Party, index: number, count: number) => {
  const { id } = party.merchant;
  const ids = colliding.get(id) ?? collidingIds(100_000);
  colliding.set(id, ids);
  return many(count, (at) => ids[(index * count + at) % ids.length] as string);
};

const FLOODS = [500, 2_000, 5_000];

export const ATTACKS: readonly Attack[] = [
  {
    name: "visitor-ids",
    what: "visitor ids made for the sketch",
    perSecond: 20,
    hostile: (party, index) =>
      post(
        party,
        ordinary(index, 50).map((event, at) => ({ ...event, visitor_id: chosenVisitor(index * 50 + at) })),
        index,
      ),
    innocent: (party, index) =>
      post(
        party,
        ordinary(index, 50).map((event, at) => ({ ...event, visitor_id: `v${index * 50 + at}` })),
        index,
      ),
  },
  {
    name: "ids-to-come",
    what: "keyless events with the ids of orders to come",
    perSecond: 20,
    hostile: (party, index) =>
      post(
        party,
        many(50, (at) => ({ ...ordinary(index, 50)[at], id: `order-${1_000 + index * 50 + at}` })),
        index,
      ),
    innocent: flood(50),
  },
  {
    name: "order-numbers",
    what: "keyless purchases with the numbers of real orders",
    perSecond: 20,
    prepare: (party) => [
      post(
        party,
        many(1_000, (at) => purchase(at, "real")),
        0,
        party.writeKey,
      ),
    ],
    hostile: (party, index) =>
      post(
        party,
        many(50, (at) => purchase((index * 50 + at) % 1_000, `h${index}`)),
        index,
      ),
    innocent: (party, index) =>
      post(
        party,
        many(50, (at) => purchase(2_000 + index * 50 + at, `i${index}`)),
        index,
      ),
  },
  {
    name: "equal-low-words",
    what: "100,000 ids that fall together in a public hash",
    perSecond: 14,
    hostile: (party, index) =>
      post(
        party,
        collidingOf(party, index, 1_000).map((id) => ({ id, url: "https://a.b/", visitor_id: "x" })),
        index,
      ),
    innocent: (party, index) =>
      post(
        party,
        many(1_000, (at) => ({ id: `${index}-${at}-ordinary`, url: "https://a.b/", visitor_id: "x" })),
        index,
      ),
    also: "restart",
  },
  {
    name: "late-days",
    what: "1,000 events of 1,000 past Days in one request",
    perSecond: 1,
    hostile: (party, index) => post(party, many(1_000, lateDay), index),
    innocent: (party, index) => post(party, many(1_000, today), index),
    also: "late event",
  },
  {
    name: "late-pieces",
    what: "past Days in requests of 32, from 200 addresses",
    perSecond: 8,
    hostile: (party, index) =>
      post(
        party,
        many(32, (at) => lateDay(index * 32 + at)),
        index,
      ),
    innocent: (party, index) => post(party, many(32, today), index),
    also: "late event",
  },
  {
    name: "link-questions",
    what: "dear questions through a share link: expressions, clauses, has_done, funnels",
    perSecond: 1,
    phaseMs: 5_000,
    prepare: longPages,
    hostile: (party, index) => {
      const dear = DEAR[index % (DEAR.length + 1)];
      return dear === undefined ? dearFunnel(party, index) : question(party, party.link, dear(index));
    },
    innocent: (party, index) => question(party, party.link, { filters: harmless(index) }),
  },
  ...[200, 1_000].map((clauses) => ({
    name: `clauses-${clauses}`,
    what: `"matches" of ${clauses} clauses with a key that reads`,
    perSecond: 1,
    phaseMs: 5_000,
    prepare: longPages,
    hostile: (party: Party, index: number) =>
      question(party, party.readKey, {
        filters: [["matches", "event:page", many(clauses, (at) => `(a?){40}b${index}${at}`)]],
      }),
    innocent: (party: Party, index: number) => question(party, party.readKey, { filters: harmless(index) }),
  })),
  {
    name: "rollup-batches",
    what: `batches of 24 breakdowns of ${ROLLUP_DAYS} Days with a key that reads`,
    perSecond: 3,
    phaseMs: 5_000,
    prepare: pastDays,
    days: ROLLUP_DAYS,
    hostile: (party, index) => batchOf(party, index, [pastDate(ROLLUP_DAYS - 1), pastDate(0)]),
    innocent: (party, index) => batchOf(party, index, "day"),
  },
  {
    name: "passwords",
    what: "wrong passwords in mass, from 200 addresses",
    perSecond: 20,
    hostile: (_, index) => signIn(index, "owner@shop.example"),
    innocent: (party, index) => question(party, party.readKey, { filters: harmless(index) }),
  },
  {
    name: "batches",
    what: "1,000 events a request, as many as one address may",
    perSecond: 10,
    hostile: (party, index) => post(party, ordinary(index, 1_000), 0),
    innocent: (party, index) => post(party, ordinary(index, 20), index),
  },
  ...FLOODS.map((events) => ({
    name: `flood-${events}`,
    what: `${events} events a second in batches`,
    perSecond: Math.min(50, events / 10),
    hostile: flood(Math.ceil(events / Math.min(50, events / 10))),
  })),
];

function purchase(order: number, mark: string): object {
  return {
    id: `${mark}-${order}`,
    name: "purchase",
    url: "https://shop.example/thanks",
    visitor_id: `buyer ${order % 500}`,
    order_id: `${10_000 + order}`,
    revenue: { amount: 9_999, currency: "EUR" },
  };
}

function signIn(index: number, email: string): Sent {
  return {
    to: "query",
    path: "/api/v1/session",
    body: JSON.stringify({ email, password: `wrong password ${index}` }),
    headers: { "cf-connecting-ip": addressOf(index), origin: "http://localhost" },
  };
}
