// A merchant's second look at closed Days, in workerd: no ledger is asked, whoever else looks gets nothing of it, and a
// change is in the next answer.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Metered } from "../../core/meter.ts";
import {
  type Client,
  type Merchant,
  NEVER_CLOSED,
  startServices,
  until,
  untilArchived,
  untilSealed,
} from "../support/services.ts";

const DAY_MS = 86_400_000;
const dateOf = (daysAgo: number) => new Date(Date.now() - daysAgo * DAY_MS).toISOString().slice(0, 10);
const QUESTION = {
  metrics: ["visitors", "pageviews"],
  dimensions: ["event:page"],
  date_range: [dateOf(10), dateOf(5)],
};

let services: Awaited<ReturnType<typeof startServices>>;
let client: Client;
let shop: Merchant;
let other: Merchant;

/** Two shops with pages on six Days that are closed and sealed. */
beforeAll(async () => {
  services = await startServices({ ...NEVER_CLOSED, POOL_SIZE: "1" });
  client = services.client;
  [shop, other] = [await client.createMerchant(), await client.createMerchant()];
  for (const [merchant, pages] of [
    [shop, 3],
    [other, 2],
  ] as const)
    for (let page = 0; page < pages; page++)
      await client.send({
        tracking_id: merchant.tracking_id,
        events: [5, 6, 10].map((ago) => ({
          url: `https://shop.example/${page}`,
          visitor_id: `visitor ${page}`,
          timestamp: Date.parse(`${dateOf(ago)}T12:00:00Z`),
        })),
      });
  await untilArchived(client);
  await until(
    async () => (await client.ask(shop, QUESTION)).results.length,
    (pages) => pages === 3,
  );
  services = { ...services, ...(await services.restart({ POOL_SIZE: "1" })) };
  client = services.client;
  await untilSealed(client, { from: dateOf(10), to: dateOf(5) });
}, 180_000);
afterAll(async () => services?.stop());

async function statementsOf<T>(work: () => Promise<T>): Promise<readonly [answer: T, statements: number]> {
  const read = async () => ((await client.admin("GET", "/api/v1/meter")) as Metered).ledger_statements;
  const before = await read();
  const answer = await work();
  return [answer, (await read()) - before];
}

test("[RMA-1] the second look asks no ledger, and says the same", async () => {
  const [first] = await statementsOf(() => client.ask(shop, QUESTION));
  await until(
    () => statementsOf(() => client.ask(shop, QUESTION)),
    ([, statements]) => statements === 0,
  );
  const [second, statements] = await statementsOf(() => client.ask(shop, QUESTION));
  expect([second.results, second.query, statements]).toEqual([first.results, first.query, 0]);
  // Of today nothing is remembered, nor of a range that another asks for.
  for (const date_range of ["day", [dateOf(10), dateOf(6)]])
    expect((await statementsOf(() => client.ask(shop, { ...QUESTION, date_range })))[1]).toBe(2);
});

test("[RMA-4] what is remembered for one shop answers no other, and for its shop no share link", async () => {
  const [answer, statements] = await statementsOf(() => client.ask(other, QUESTION));
  expect([answer.results.length, statements]).toEqual([2, 2]);
  const filters = [["is", "event:page", ["/1"]]];
  const link = (await client.admin("POST", `/api/v1/merchants/${shop.id}/shares`, { name: "one page", filters })) as {
    readonly token: string;
  };
  const seen = await client.ask({ ...shop, api_key: link.token }, { ...QUESTION, metrics: ["pageviews"] });
  expect(seen.results).toEqual([{ dimensions: ["/1"], metrics: [3] }]);
  expect((await client.ask(shop, { ...QUESTION, metrics: ["pageviews"] })).results.length).toBe(3);
});

test("[RMA-2] a late event is in the next answer", async () => {
  expect((await client.ask(shop, QUESTION)).results.length).toBe(3);
  await client.send({
    tracking_id: shop.tracking_id,
    url: "https://shop.example/late",
    visitor_id: "late",
    timestamp: Date.parse(`${dateOf(6)}T13:00:00Z`),
  });
  expect((await client.ask(shop, QUESTION)).results.length).toBe(4);
  await untilArchived(client);
  await untilSealed(client, { from: dateOf(10), to: dateOf(5) });
  expect((await client.ask(shop, QUESTION)).results.length).toBe(4);
});
