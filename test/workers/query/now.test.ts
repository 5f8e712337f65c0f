// GET /api/v2/now at the query Worker: who may ask, what is asked of whom, and what a share link is shown.

import { beforeEach, expect, test } from "vitest";
import { encodeLogged } from "../../../core/archive/bundle.ts";
import { partitionsOf } from "../../../core/counting/placement.ts";
import type { Present } from "../../../core/counting/present.ts";
import { dayAt } from "../../../core/time.ts";
import { eventOf } from "../../support/events.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../../support/query-worker.ts";

let worker: QueryWorker;
let shop: { readonly id: string; readonly api_key: string };
const partition = partitionsOf({ merchant: 1 }, { poolSize: 4, regions: [] })[0] as string;
const MINUTE = 60_000;

beforeEach(async () => {
  worker = startQueryWorker();
  const body = { name: "Shop", time_zone: "UTC", currency: "EUR" };
  shop = (await worker.ask("POST", "/api/v1/merchants", { token: ADMIN_TOKEN, body })).body;
});

const now = (token: string, site = shop.id) => worker.ask("GET", `/api/v2/now?site_id=${site}`, { token });
const visitor = (who: number) => who.toString(16).padStart(16, "0");

function present(): Present {
  const at = Date.now();
  const hostile = "\u202e<img src=x onerror=alert(1)>";
  return {
    visitors: [
      { visitor: visitor(1), at: at - MINUTE, page: "/a", source: "Google" },
      { visitor: visitor(2), at: at - 2 * MINUTE, page: "/a", source: "" },
      { visitor: visitor(3), at: at - 4 * MINUTE, page: hostile, source: "Google" },
      { visitor: visitor(4), at: at - 10 * MINUTE, page: "/b", source: "Bing" },
    ],
    orders: [{ at: at - MINUTE, currency: "EUR", revenue: 599_000, units: 20_000, products: ["Tea"] }],
    looked: 5,
  };
}

test("[NOW-1] one call to the partition, nothing of the archive or of rollups", async () => {
  worker.present.set(partition, present());
  worker.counted.live = worker.counted.gets = 0; // asked when the shop was made
  const { status, body, headers } = await now(shop.api_key);
  expect([status, headers.get("cache-control")]).toEqual([200, "no-store"]);
  expect(body).toEqual({
    as_of: expect.any(String),
    visitors: { last_5_minutes: 3, last_30_minutes: 4 },
    pages: [
      { page: "/a", visitors: 2 },
      { page: "\u202e<img src=x onerror=alert(1)>", visitors: 1 },
    ],
    sources: [
      { source: "Google", visitors: 2 },
      { source: "Direct / None", visitors: 1 },
    ],
    orders: [{ at: expect.any(String), currency: "EUR", revenue: 59.9, units: 2, products: ["Tea"] }],
  });
  expect(worker.counted).toEqual({ live: 0, recent: 0, gets: 0, present: 1 });
});

test("[NOW-1] who may not ask is told so, and no number stands for a partition that does not answer", async () => {
  expect((await worker.ask("GET", "/api/v2/now", { token: shop.api_key })).status).toBe(400);
  expect((await worker.ask("GET", `/api/v2/now?site_id=${shop.id}`)).status).toBe(401);
  expect((await now("ffk_R_nothing")).status).toBe(401);
  expect((await now(shop.api_key, "mer_other")).status).toBe(401);
  expect((await worker.ask("POST", `/api/v2/now?site_id=${shop.id}`, { token: shop.api_key })).status).toBe(405);
  worker.broken = true;
  expect((await now(shop.api_key)).status).toBe(503);
});

test("[NOW-2] a share link with filters is shown what its events say; one without is shown all", async () => {
  worker.present.set(partition, present());
  const rows = ["/a", "/a", "/hidden"].map((page, at) => {
    const timestamp = Date.now() - MINUTE;
    const event = eventOf({
      merchant: 1,
      id: `e${at}`,
      visitor: visitor(at),
      timestamp,
      url: `https://shop.example${page}`,
    });
    return { position: at, row: encodeLogged({ day: dayAt("UTC", timestamp), late: false, event }) };
  });
  worker.recent.set(partition, rows);
  const link = async (filters: readonly unknown[]) => {
    const path = `/api/v1/merchants/${shop.id}/shares`;
    return (await worker.ask("POST", path, { token: ADMIN_TOKEN, body: { name: "x", filters } })).body.token;
  };
  const { body } = await now(await link([["is", "event:page", ["/a"]]]));
  expect(body).toMatchObject({ visitors: { last_5_minutes: 2 }, pages: [{ page: "/a", visitors: 2 }], orders: [] });
  expect(JSON.stringify(body)).not.toContain("hidden");
  expect(worker.counted.present).toBe(0);
  expect((await now(await link([]))).body.visitors.last_30_minutes).toBe(4);
});
