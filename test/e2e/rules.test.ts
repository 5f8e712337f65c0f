// Rules on the real runtime: a change takes effect at the instant it names, in every list of it; what is counted
// before, across and after is what a replay of the archive counts.

import { afterAll, beforeAll, expect, test } from "vitest";
import { CHROME, IPHONE } from "../support/events.ts";
import { type Client, type Merchant, startServices, until, untilArchived } from "../support/services.ts";

const NOTICE_MS = 1_500;
let services: Awaited<ReturnType<typeof startServices>>;
let client: Client;
let shop: Merchant;
let neighbour: Merchant;
let sent = 0;

beforeAll(async () => {
  services = await startServices({ RULES_NOTICE_MS: String(NOTICE_MS) });
  client = services.client;
  shop = await client.createMerchant("Europe/Vienna");
  neighbour = await client.createMerchant("Asia/Kolkata");
});
afterAll(() => services?.stop());

interface Changed {
  readonly version: number;
  readonly applies_from: string;
}

const EVENTS = [
  { url: "https://shop.example/", user_agent: CHROME },
  { url: "https://shop.example/order/4711?step=2", user_agent: IPHONE, referrer: "https://spam.example/" },
  { url: "https://shop.example/thanks", user_agent: IPHONE, name: "purchase" },
];

/** Sends the same three hits, and answers what became of each. */
async function outcomes(merchant: Merchant, address = "198.51.100.7"): Promise<readonly string[]> {
  const events = EVENTS.map((event, index) => ({ ...event, visitor_id: `visitor ${index}` }));
  const { body } = await client.send({ tracking_id: merchant.tracking_id, events }, { "x-footfall-address": address });
  sent += events.length;
  const reasons = new Map(body.dropped.map(({ index, reason }) => [index, reason]));
  return events.map((_, index) => reasons.get(index) ?? "");
}

async function change(path: string, rules: object): Promise<Changed> {
  const changed = (await client.admin("PUT", path, { rules })) as Changed;
  expect(Date.parse(changed.applies_from)).toBeGreaterThan(Date.now());
  return changed;
}

const begun = ({ applies_from }: Changed) =>
  until(
    async () => Date.now(),
    (now) => now > Date.parse(applies_from) + 20,
  );

test("[RUL-2] a change of rules takes effect when it says, and a verify across it finds no difference", async () => {
  expect(await outcomes(shop)).toEqual(["", "", ""]);
  const own = await change(`/api/v1/merchants/${shop.id}/rules`, {
    bots: { drop: ["*Chrome/140*"] },
    addresses: [{ name: "office", networks: ["203.0.113.0/24"] }],
    paths: { strip_ids: true, keep_query: ["step"] },
    goals: [
      { name: "order", event: "purchase" },
      { name: "second step", page: "/order/*step=2" },
    ],
  });
  expect(await outcomes(shop)).toEqual(["", "", ""]);
  await begun(own);
  expect(await outcomes(shop)).toEqual(["bot", "", ""]);
  expect(await outcomes(shop, "203.0.113.8")).toEqual(["bot", "address", "address"]);
  expect(await outcomes(neighbour)).toEqual(["", "", ""]);

  const global = await change("/api/v1/rules", { referrers: { drop: ["spam.example"] } });
  expect(await outcomes(neighbour)).toEqual(["", "", ""]);
  await begun(global);
  expect(await outcomes(neighbour)).toEqual(["", "referrer", ""]);
  expect(await outcomes(shop)).toEqual(["bot", "referrer", ""]);

  await untilArchived(client);
  const today = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
  const { id } = (await client.admin("POST", "/api/v1/replays", { kind: "verify", from: today(-1), to: today(1) })) as {
    id: string;
  };
  const job = await until(
    async () => (await client.admin("GET", `/api/v1/replays/${id}`)) as { state: string },
    ({ state }) => state === "done",
  );
  expect(job).toMatchObject({ differences: 0, in_doubt: 0, events: sent, first_differences: [] });
});

test("[RUL-10] [RUL-15] goals are a dimension: events, visitors and visits by goal, whole visits not; also of events before them", async () => {
  const question = { metrics: ["visitors", "visits", "events"], date_range: "day", dimensions: ["event:goal"] };
  const { results } = await client.ask(shop, question);
  expect(results).toEqual([
    { dimensions: ["order"], metrics: [1, 1, 4] },
    { dimensions: ["second step"], metrics: [1, 1, 1] },
  ]);
  await expect(client.ask(shop, { ...question, metrics: ["bounce_rate"] })).rejects.toThrow("event:goal");
});

test("[QRY-26] [QRY-27] what clients of Plausible include is taken; a goal that is none is refused, in reports too", async () => {
  const question = { metrics: ["events"], date_range: "day", dimensions: ["time:hour"] };
  const included = { imports: true, trim_relative_date_range: true, time_labels: true };
  const { meta, query } = await client.ask(shop, { ...question, include: included });
  expect(meta).toMatchObject({ imports_included: true, imports_note: expect.stringContaining("Imported") });
  expect(query).toMatchObject({ include: { imports: true, trim_relative_date_range: true } });
  const labels = (meta as unknown as { time_labels: readonly string[] }).time_labels;
  const last = (query as { date_range: string[] }).date_range[1] ?? "";
  expect(labels).toHaveLength(Number(last.slice(11, 13)) + 1);
  const filters = [["is", "event:goal", ["ordr"]]];
  await expect(client.ask(shop, { ...question, filters })).rejects.toThrow(
    /400.*The goal `ordr` is not configured for this site. Its goals are `order`, `second step`\..*"field":"filters\/0"/,
  );
});

test("[RUL-8] the pages of a merchant with path rules", async () => {
  const { results } = await client.ask(shop, { metrics: ["events"], date_range: "day", dimensions: ["event:page"] });
  expect(results.map(({ dimensions: [page], metrics: [events] }) => [page, events])).toEqual(
    expect.arrayContaining([
      ["/order/:id?step=2", 1],
      ["/order/4711", 2],
    ]),
  );
});
