// Erasure on the real runtime: a visitor of sealed Days is gone from answers and archive when the receipt says so, Days
// are gone with their numbers, and a merchant that is deleted is unknown at once.

import { afterAll, beforeAll, expect, test } from "vitest";
import { listRunning } from "../../storage/ledger/erasure.ts";
import { askEach } from "../../storage/ledger/ledgers.ts";
import { databasesOf, type Merchant, startServices, until, untilSealed } from "../support/services.ts";

const RANGE = { from: "2026-10-05", to: "2026-10-07" };

let services: Awaited<ReturnType<typeof startServices>>;
let shop: Merchant;
let other: Merchant;

beforeAll(async () => {
  services = await startServices({ LATE_COALESCE_MS: "1000" });
  const { client } = services;
  [shop, other] = [await client.createMerchant("Europe/Vienna"), await client.createMerchant("Europe/Vienna")];
  for (const { tracking_id } of [shop, other]) {
    const events = Array.from({ length: 90 }, (_, index) => ({
      id: `e${index}`,
      name: "pageview",
      url: `https://shop.example/${index % 7}`,
      visitor_id: `visitor ${index % 3}`,
      timestamp: Date.UTC(2026, 9, 5, 1) + index * 2_000_000,
    }));
    const { status, body } = await client.send({ tracking_id, events });
    expect([status, body.rejected]).toEqual([202, []]);
  }
  await untilSealed(client, RANGE);
}, 90_000);
afterAll(() => services?.stop());

test("[ERS-1] a visitor of sealed Days goes on the real runtime, and the receipt counts each row once", async () => {
  expect(await numbers(shop)).toEqual([90, 3]);
  const id = await erase(`${shop.id}/erasures`, { visitor_id: "visitor 1", ...RANGE });
  const receipt = await removed(id, 30);
  expect(receipt.removed.map(({ date }) => date)).toEqual(["2026-10-05", "2026-10-06", "2026-10-07"]);
  // Names of files say nothing of other merchants: their positions in the log and erasures are left out.
  for (const { new_files: files } of receipt.removed) expect(files).toMatch(/\/generation=\d+$/);
  expect(await numbers(shop)).toEqual([60, 2]);
  expect(await numbers(other)).toEqual([90, 3]);
  const { differences, in_doubt } = await verified();
  expect([differences, in_doubt]).toEqual([0, 0]);
});

test("[ERS-4] a Day goes with its numbers", async () => {
  const id = await erase(`${shop.id}/erasures`, { from: "2026-10-06", to: "2026-10-06" });
  await removed(id, 1);
  const { results } = await services.client.ask(shop, {
    metrics: ["pageviews"],
    date_range: [RANGE.from, RANGE.to],
    dimensions: ["time:day"],
  });
  expect(results.map(({ dimensions }) => dimensions[0])).toEqual(["2026-10-05", "2026-10-07"]);
});

test("[ERS-5] a merchant is unknown at once, and the cron finds what waits for its Days", async () => {
  const { client, runtime } = services;
  await client.admin("DELETE", `/api/v1/merchants/${other.id}`);
  await expect(client.admin("GET", `/api/v1/merchants/${other.id}`)).rejects.toThrow("404");
  const { ledgers } = await databasesOf(runtime);
  for (let turn = 0; turn < 30; turn++) {
    const running = (await askEach(ledgers, (ledger) => listRunning(ledger, { turn, rowsMax: 20 }))).flat();
    expect(running.filter(({ kind }) => kind === "merchant").length).toBeLessThanOrEqual(1);
    if (running.length === 3) return;
  }
  throw new Error("no turn was everybody's");
});

interface Receipt {
  readonly state: string;
  readonly rows_removed: number;
  readonly removed: readonly { readonly date: string; readonly new_files: string }[];
}

async function erase(path: string, body: object): Promise<string> {
  return ((await services.client.admin("POST", `/api/v1/merchants/${path}`, body)) as { id: string }).id;
}

/** The receipt, once so many rows or more are gone and nothing waits. */
async function removed(id: string, rows: number): Promise<Receipt> {
  const receipt = await until(
    async () => {
      await services.client.admin("POST", "/api/v1/archive/seal", RANGE);
      return (await services.client.admin("GET", `/api/v1/erasures/${id}`)) as Receipt;
    },
    ({ rows_removed }) => rows_removed >= rows,
  );
  await untilSealed(services.client, RANGE);
  return receipt;
}

async function numbers(merchant: Merchant): Promise<readonly unknown[]> {
  const metrics = ["pageviews", "visitors"];
  const { results } = await services.client.ask(merchant, { metrics, date_range: [RANGE.from, RANGE.to] });
  return results[0]?.metrics ?? [];
}

async function verified(): Promise<{ differences: number; in_doubt: number }> {
  const job = (await services.client.admin("POST", "/api/v1/replays", { kind: "verify", ...RANGE })) as { id: string };
  return until(
    async () =>
      (await services.client.admin("GET", `/api/v1/replays/${job.id}`)) as {
        state: string;
        differences: number;
        in_doubt: number;
      },
    ({ state }) => state === "done",
  );
}
