// One journey (test/support/journey.ts) through every protocol, on the real runtime: what the API says of it is one
// matrix. Where a protocol has no words for something, its cell says what is counted instead, and why: `DIFFERENT` is
// the list of those reasons, and a difference without one fails. docs/compatibility.md shows the matrix.

import { afterAll, beforeAll, expect, test } from "vitest";
import { isObject } from "../../core/formats/field.ts";
import { isTimeZone } from "../../core/time.ts";
import type { Runtime } from "../../scripts/runtime.ts";
import { expectSection } from "../support/compatibility.ts";
import { type JourneyRequest, journey, type Protocol, TELLINGS } from "../support/journey.ts";
import { type Client, type Merchant, startServices, until } from "../support/services.ts";

/** What is asked, and what the journey is. */
const ANSWERS = {
  visitors: 2,
  visits: 3,
  pageviews: 7,
  events: 10,
  bounce_rate: 33,
  orders: 1,
  refunds: 1,
  units: 1,
  product_revenue: 50,
  gross_revenue: 70,
  total_revenue: 50,
  "visits from news": 1,
  "events with plan=pro": 1,
} as const;
type Answer = keyof typeof ANSWERS;

interface Difference {
  readonly protocols: readonly Protocol[];
  readonly answers: Readonly<Partial<Record<Answer, number>>>;
  readonly reason: string;
}

const NO_MONEY = { gross_revenue: 0, total_revenue: 0 };
const NO_PRODUCTS = { units: 0, product_revenue: 0 };

const DIFFERENT: readonly Difference[] = [
  {
    protocols: ["pixel", "Plausible `/api/event`", "GA4 `/g/collect`", "GoatCounter `/count`"],
    answers: { visits: 2, bounce_rate: 50 },
    reason: "The collector gives the time, so what is told in one go is one visit; one of two visits bounced.",
  },
  {
    protocols: ["Counterscale `/collect`"],
    answers: { visits: 2, events: 7, bounce_rate: 50, orders: 0, refunds: 0, ...NO_PRODUCTS, ...NO_MONEY },
    reason: "There are page views and nothing else, and the collector gives the time.",
  },
  {
    protocols: ["pixel", "GoatCounter `/count`", "GoatCounter `/api/v0/count`"],
    answers: { ...NO_PRODUCTS, ...NO_MONEY },
    reason: "Events have names, and neither money nor products: an order and a refund are counted by their names.",
  },
  {
    protocols: ["Plausible `/api/event`", "Umami `/api/batch`"],
    answers: NO_PRODUCTS,
    reason: "There are no words for products.",
  },
  {
    protocols: ["pixel", "Counterscale `/collect`", "GoatCounter `/count`", "GoatCounter `/api/v0/count`"],
    answers: { "events with plan=pro": 0 },
    reason: "Events have no properties.",
  },
];

const NOW = Date.now();
const STEPS = journey(NOW);
const PROTOCOLS = Object.keys(TELLINGS) as readonly Protocol[];
const NAMES = Object.keys(ANSWERS) as readonly Answer[];

let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };
/** What each protocol that was told gave. */
const counted = new Map<Protocol, Record<string, number>>();

beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services?.stop());

test.each(PROTOCOLS)("[FMT-6] %s tells the journey, but for what it has no words for", async (protocol) => {
  const { client } = services;
  const shop = await client.createMerchant(zoneOfDaytime());
  const told = { ...shop, write_key: await client.createWriteKey(shop) };
  for (const request of TELLINGS[protocol](STEPS, told)) await send(request, client.collectorUrl);
  const expected = expectedOf(protocol);
  const answers = await until(
    () => answersOf(shop),
    ({ pageviews, events }) => pageviews === expected.pageviews && events === expected.events,
  );
  expect(answers).toEqual(expected);
  counted.set(protocol, answers);
});

test("[FMT-6] every cell that differs has one reason, and the documentation shows all of it", () => {
  const reasons = PROTOCOLS.flatMap((protocol) =>
    NAMES.map((name) => ({ protocol, name, count: reasonsOf(protocol, name).length })),
  );
  expect(reasons.filter(({ count }) => count > 1)).toEqual([]);
  for (const { protocols, answers } of DIFFERENT)
    for (const protocol of protocols)
      for (const [name, value] of Object.entries(answers))
        expect([protocol, name, value]).not.toEqual([protocol, name, ANSWERS[name as Answer]]);
  const journeyItself = ["the journey itself", ...NAMES.map((name) => String(ANSWERS[name]))];
  expectSection({
    title: "One journey through every protocol",
    columns: ["protocol", ...NAMES.map((name) => name.replaceAll("_", " "))],
    rows: [journeyItself, ...PROTOCOLS.map((protocol) => [protocol, ...NAMES.map((name) => cellOf(protocol, name))])],
    notes: DIFFERENT.map(({ reason }, index) => `${index + 1}. ${reason}`),
    isComplete: counted.size === PROTOCOLS.length,
  });
});

function expectedOf(protocol: Protocol): Record<Answer, number> {
  const differences = DIFFERENT.filter(({ protocols }) => protocols.includes(protocol));
  return Object.assign({ ...ANSWERS }, ...differences.map(({ answers }) => answers));
}

/** The numbers of the reasons why a cell is another than the journey's. */
function reasonsOf(protocol: Protocol, name: Answer): readonly number[] {
  return DIFFERENT.flatMap(({ protocols, answers }, index) =>
    protocols.includes(protocol) && name in answers ? [index + 1] : [],
  );
}

function cellOf(protocol: Protocol, name: Answer): string {
  const [reason] = reasonsOf(protocol, name);
  const value = expectedOf(protocol)[name];
  return reason === undefined ? String(value) : `${value} (${reason})`;
}

async function answersOf(shop: Merchant): Promise<Record<Answer, number>> {
  const { client } = services;
  const metrics = NAMES.filter((name) => !name.includes(" "));
  const { results } = await client.ask(shop, { metrics, date_range: "all" });
  const values = results[0]?.metrics.map((value) => Number(isObject(value) ? value["value"] : value)) ?? [];
  const counts = Object.fromEntries(metrics.map((name, index) => [name, values[index] ?? Number.NaN]));
  const of = async (metric: string, dimension: string, value: string) => {
    const body = { metrics: [metric], date_range: "all", filters: [["is", dimension, [value]]] };
    const { results: found } = await client.ask(shop, body);
    return Number(found[0]?.metrics[0] ?? 0);
  };
  return {
    ...counts,
    "visits from news": await of("visits", "visit:source", "news"),
    "events with plan=pro": await of("events", "event:props:plan", "pro"),
  } as Record<Answer, number>;
}

async function send({ method, path, headers, body }: JourneyRequest, url: string): Promise<void> {
  const response = await fetch(url + path, { method, headers, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  expect(response.status, `${path.slice(0, 200)}: ${text.slice(0, 300)}`).toBeLessThan(300);
}

/** A zone in which the journey lies within one Day. */
function zoneOfDaytime(): string {
  const zones = ["UTC", "Asia/Kolkata", "Asia/Tokyo", "Pacific/Auckland", "America/New_York", "America/Los_Angeles"];
  const hourIn = (zone: string) =>
    Number(new Intl.DateTimeFormat("en", { timeZone: zone, hour: "numeric", hourCycle: "h23" }).format(NOW));
  const found = zones.find((zone) => isTimeZone(zone) && hourIn(zone) >= 4 && hourIn(zone) <= 22);
  if (found === undefined) throw new Error(`no zone has daytime at ${new Date(NOW).toISOString()}`);
  return found;
}
