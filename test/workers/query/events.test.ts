// Exports at the query Worker: in which partitions a merchant's events are looked for.

import { beforeEach, expect, test } from "vitest";
import { bundleKey } from "../../../core/archive/object-key.ts";
import { DAY_MS, dateOf, dayAt } from "../../../core/time.ts";
import { encodeParquet } from "../../../storage/archive/parquet.ts";
import { notePlaces } from "../../../storage/ledger/places.ts";
import { eventOf } from "../../support/events.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../../support/query-worker.ts";

const today = dayAt("UTC", Date.now());
const REGIONS = "2026-01-01T00:00:00Z EU=weur AS=apac OC=oc SA=sam AF=afr *=enam";
let worker: QueryWorker;
let shop: { readonly id: string };

beforeEach(() => open({ RATE_LIMITS: "off" }));

async function open(bindings: object): Promise<void> {
  worker = startQueryWorker(bindings);
  const body = { name: "Shop", time_zone: "UTC", currency: "EUR" };
  shop = (await worker.ask("POST", "/api/v1/merchants", { token: ADMIN_TOKEN, body })).body;
}

/** One event, archived by a partition. */
async function archive(partition: string): Promise<void> {
  const event = eventOf({ merchant: 1, id: "x", timestamp: today * DAY_MS });
  const file = { date: dateOf(today), partition, first: 1, rows: [{ partition, position: 1, event }] };
  worker.objects.set(bundleKey(file), encodeParquet(file));
  await notePlaces(worker.db, { day: today, partition, merchants: [1] });
}

const exported = (from = today) =>
  worker.ask("GET", `/api/v1/merchants/${shop.id}/events?from=${dateOf(from)}&to=${dateOf(today)}`, {
    token: ADMIN_TOKEN,
  });

test.each(["pool-77", "pool-1-me"])(
  "[EXP-2] events of %s, which is of an earlier placement, are exported",
  async (name) => {
    await archive(name);
    const { status, body } = await exported();
    expect([status, body.event_id]).toEqual([200, "x"]);
  },
);

test("[EXP-2] a merchant on hundreds of partitions can have a Day, and not two", async () => {
  await open({ RATE_LIMITS: "off", REGIONS });
  await worker.ask("POST", `/api/v1/merchants/${shop.id}/spread`, { token: ADMIN_TOKEN, body: { partitions: 64 } });
  await archive("merchant-1-63-oc");
  const [day, two] = [await exported(), await exported(today - 1)];
  expect([day.status, day.body.event_id]).toEqual([200, "x"]);
  expect([two.status, two.body.message ?? two.body.error]).toEqual([400, expect.anything()]);
});
