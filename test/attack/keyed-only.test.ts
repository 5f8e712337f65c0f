// A shop whose pages are lied to by many can decide that only its server's word earns (`orders.keyed_only`). As any
// rule it is tried out on the past first, then applied to it, and taken back: on the real runtime, with purchases that
// pages made up beside real ones.

import { afterAll, beforeAll, expect, test } from "vitest";
import { startServices, until, untilArchived, untilSealed } from "../support/services.ts";

const RANGE = { from: "2026-10-05", to: "2026-10-06" };
const RULES = { orders: { keyed_only: true } };

interface Job {
  readonly id: string;
  readonly state: string;
  readonly replaced: number;
  readonly totals: readonly {
    readonly numbers: readonly { readonly what: string; readonly before: number; readonly after: number }[];
  }[];
}

let services: Awaited<ReturnType<typeof startServices>>;
beforeAll(async () => {
  services = await startServices({ POOL_SIZE: "1", RULES_NOTICE_MS: "100", LATE_COALESCE_MS: "1000" });
});
afterAll(() => services?.stop());

test("[ORD-10] orders that pages made up are gone in a preview, gone once applied to the past, and back once undone", {
  timeout: 180_000,
}, async () => {
  const { client } = services;
  const merchant = await client.createMerchant();
  const key = await client.createWriteKey(merchant);
  const sale = (order: string, amount: number) => ({
    tracking_id: merchant.tracking_id,
    id: `sale ${order} ${amount}`,
    name: "purchase",
    url: "https://shop.test/",
    visitor_id: "v",
    timestamp: `${RANGE.from}T12:00:00Z`,
    order_id: order,
    revenue: { amount, currency: "EUR" },
  });
  const real = [sale("1", 100), sale("2", 50)];
  expect((await client.send(real, { authorization: `Bearer ${key}` })).body.accepted).toBe(2);
  const made_up = [sale("2", 5_000), sale("7001", 9_000), sale("7002", 900)];
  expect((await client.send(made_up)).body.accepted).toBe(3);
  await untilArchived(client);
  await untilSealed(client, RANGE);
  const books = async () => {
    const question = { metrics: ["events", "orders", "total_revenue"], date_range: [RANGE.from, RANGE.to] };
    const [events, orders, revenue] = (await client.ask(merchant, question)).results[0]?.metrics ?? [];
    return [events, orders, (revenue as { readonly value: number }).value];
  };
  const replay = async (body: object): Promise<Job> =>
    ended(((await client.admin("POST", "/api/v1/replays", { ...RANGE, merchants: [merchant.id], ...body })) as Job).id);
  const ended = (id: string) =>
    until(
      async () => (await client.admin("GET", `/api/v1/replays/${id}`)) as Job,
      ({ state }) => state !== "running" && state !== "undoing",
      60_000,
    );
  const ordersIn = ({ totals }: Job) => totals[0]?.numbers.find(({ what }) => what === "orders");

  const [lied, told] = [
    [5, 4, 10_050],
    [5, 2, 150],
  ];
  expect(await books()).toEqual(lied);
  expect(ordersIn(await replay({ kind: "verify", rules: RULES }))).toMatchObject({ before: 4, after: 2 });
  expect(await books()).toEqual(lied);

  await client.admin("PUT", `/api/v1/merchants/${merchant.id}/rules`, { rules: RULES });
  expect(await books()).toEqual(lied); // rules are dated: the past has its own until it is rebuilt
  const rebuilt = await replay({ kind: "rebuild", rules: "current" });
  expect([rebuilt.state, rebuilt.replaced > 0]).toEqual(["done", true]);
  expect(await books()).toEqual(told);

  await client.admin("POST", `/api/v1/replays/${rebuilt.id}/undo`);
  expect((await ended(rebuilt.id)).state).toBe("undone");
  expect(await books()).toEqual(lied);
});
