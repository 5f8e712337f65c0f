// The overflow road on the real runtime: partitions that cannot take a merchant's events for a while. The collector
// goes on answering 2xx, the events wait in the queue and arrive later in whatever order, and everything is counted
// once, also what an anxious client has meanwhile sent again.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Runtime } from "../../scripts/runtime.ts";
import { queryArchive } from "../support/duckdb.ts";
import { hideMerchants, showMerchants } from "../support/outage.ts";
import { type Client, type Merchant, startServices, until, untilArchived } from "../support/services.ts";

const SINGLES = 10;
const BATCH = 30;
const OUTAGE_MS = 1_500;

let services: { runtime: Runtime; client: Client; stop: () => Promise<void> };
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services?.stop());

test("[OVF-1] through an outage every event is answered 2xx, and after it every one is counted once", async () => {
  const { client, runtime } = services;
  const [known, fresh, other] = [
    await client.createMerchant(),
    await client.createMerchant("Asia/Kolkata"),
    await client.createMerchant(),
  ];
  await client.send({ tracking_id: known.tracking_id, id: "first", url: "https://shop.example/" });
  const ids = Array.from({ length: SINGLES + BATCH }, (_, index) => `overflow ${index}`);
  const batch = ids.slice(SINGLES);

  await hideMerchants(runtime);
  const answers = [
    ...(await Promise.all(ids.slice(0, SINGLES).map((id) => client.send(eventOf(fresh, id))))),
    await client.send(batch.map((id) => eventOf(fresh, id))),
    await client.send(batch.slice(0, 10).map((id) => eventOf(fresh, id))), // resent while it is down
    await client.send([eventOf(other, "mixed"), eventOf(known, "mixed")]),
    await client.send(eventOf(known, "second")), // whose settings the partition has
  ];
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
  expect(answers.flatMap(({ body }) => body.rejected)).toEqual([]);
  await new Promise((settle) => setTimeout(settle, OUTAGE_MS)); // a retry or two of the queue fall into it
  await showMerchants(runtime);

  const again = await client.send(ids.slice(5, 15).map((id) => eventOf(fresh, id))); // and once more after it
  expect(again.body.accepted + again.body.duplicates).toBe(10);
  const expected: readonly (readonly [Merchant, number])[] = [
    [fresh, ids.length],
    [known, 3],
    [other, 1],
  ];
  for (const [merchant, count] of expected) {
    await until(
      () => countOf(client, merchant),
      (counted) => counted === count,
    );
  }
  await untilArchived(client);
  for (const [merchant, count] of expected) expect(await countOf(client, merchant)).toBe(count);
  const [row] = await queryArchive(
    runtime,
    "SELECT count(*) AS events, count(DISTINCT (merchant, event_id)) AS ids FROM events",
  );
  expect([Number(row?.["events"]), Number(row?.["ids"])]).toEqual([ids.length + 4, ids.length + 4]);
});

test("[OVF-6] [OVF-8] an overflowed event keeps the time and the visitor it had when it came, and answers say that it waits", async () => {
  const { client, runtime } = services;
  const merchant = await client.createMerchant();
  const headers = { "x-footfall-address": "203.0.113.80" };
  await hideMerchants(runtime);
  const before = Date.now();
  await client.send({ tracking_id: merchant.tracking_id, id: "came first", url: "https://shop.example/a" }, headers);
  const after = Date.now();
  await showMerchants(runtime);
  await client.send({ tracking_id: merchant.tracking_id, id: "came second", url: "https://shop.example/b" }, headers);
  const second = Date.now();
  await until(
    async () => {
      const { results: shown, meta } = await client.ask(merchant, { metrics: ["events"], date_range: "all" });
      // [OVF-8] What is not there yet is not claimed to be. The second may wait, too, and come after the first.
      if (shown[0]?.metrics[0] !== 2)
        expect(Date.parse(String(meta["as_of"]))).toBeLessThanOrEqual(shown[0]?.metrics[0] === 1 ? second : after);
      return { events: shown[0]?.metrics[0], asOf: Date.parse(String(meta["as_of"])) };
    },
    ({ events, asOf }) => events === 2 && asOf > after,
  );
  const { results } = await client.ask(merchant, { metrics: ["visitors", "visits"], date_range: "all" });
  expect(results[0]?.metrics).toEqual([1, 1]); // one visit, although its first page arrived last
  const pages = await client.ask(merchant, {
    metrics: ["visits"],
    date_range: "all",
    dimensions: ["visit:entry_page"],
  });
  expect(pages.results).toMatchObject([{ dimensions: ["/a"] }]);
  await untilArchived(client);
  const [row] = await queryArchive(
    runtime,
    "SELECT epoch_ms(timestamp) AS ms FROM events WHERE event_id = 'came first'",
  );
  expect(Number(row?.["ms"])).toBeGreaterThanOrEqual(before);
  expect(Number(row?.["ms"])).toBeLessThanOrEqual(after);
});

function eventOf(merchant: Merchant, id: string) {
  return { tracking_id: merchant.tracking_id, id, url: "https://shop.example/", visitor_id: id };
}

async function countOf(client: Client, merchant: Merchant): Promise<unknown> {
  const { results } = await client.ask(merchant, { metrics: ["events"], date_range: "all" });
  return results[0]?.metrics[0];
}
