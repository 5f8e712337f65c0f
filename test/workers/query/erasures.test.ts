// Erasures as they are asked for: what they concern, what is remembered of the request, and what goes with a merchant
// at once.

import { beforeEach, expect, test } from "vitest";
import { ERASURES_OF_MERCHANT_MAX } from "../../../core/limits.ts";
import { visitorKeysOf, visitorOf } from "../../../storage/visitor-key.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../../support/query-worker.ts";

let worker: QueryWorker;
let shop: { readonly id: string };
let admin: { readonly api_key: string };

const as = (token: string, method: string, path: string, body?: unknown) => worker.ask(method, path, { token, body });
const all = async (text: string) => (await worker.db.prepare(text).all()).results;

beforeEach(async () => {
  worker = startQueryWorker();
  const merchant = { name: "Shop", time_zone: "UTC", currency: "EUR" };
  shop = (await as(ADMIN_TOKEN, "POST", "/api/v1/merchants", merchant)).body;
  const key = { name: "runner", scope: "admin" };
  admin = (await as(ADMIN_TOKEN, "POST", `/api/v1/merchants/${shop.id}/keys`, key)).body;
});

/** A closed Day of the merchant in a partition, and its number there. */
async function counted(partition: string): Promise<void> {
  await worker.db.batch([
    worker.db.prepare(
      `INSERT INTO daily SELECT 1, 20000, '${partition}', ${(await all("PRAGMA table_info(daily)"))
        .slice(3)
        .map((column) => ({ day: "20000", drops: "'{}'" })[String(column["name"])] ?? "0")
        .join(", ")}`,
    ),
    worker.db.prepare(
      `INSERT INTO archive_days (day, "partition", generation, folder, rows, merchants, bytes, duplicates, differences, shown,
       late_marks, attempts, error) VALUES (20000, '${partition}', 1, '', 0, 0, 0, 0, 0, '[]', 0, 0, '')`,
    ),
  ]);
}

test("[ERS-1] an erasure reaches partitions that an earlier POOL_SIZE has put the merchant into", async () => {
  await counted("pool-77");
  await as(admin.api_key, "POST", `/api/v1/merchants/${shop.id}/erasures`, { visitor_id: "cust-4711" });
  expect(await all(`SELECT day FROM erasure_parts WHERE "partition" = 'pool-77' AND day = 20000`)).toHaveLength(1);
  expect((await as(admin.api_key, "PATCH", `/api/v1/merchants/${shop.id}`, { retention_days: 30 })).status).toBe(200);
  expect(await all("SELECT late_since IS NULL AS idle FROM archive_days WHERE day = 20000")).toEqual([{ idle: 0 }]);
  await as(ADMIN_TOKEN, "DELETE", `/api/v1/merchants/${shop.id}`);
  expect(await all(`SELECT day FROM erasure_parts WHERE "partition" = 'pool-77' AND day = 20000`)).toHaveLength(2);
});

test("[ERS-1] the visitor is the one whose events came with this id, however it is written", async () => {
  const path = `/api/v1/merchants/${shop.id}/erasures`;
  const visitors = await Promise.all(
    ["4711", "47\u000011", 4711].map(
      async (visitor_id) => (await as(admin.api_key, "POST", path, { visitor_id })).body.visitor,
    ),
  );
  const keys = visitorKeysOf({ TRACKING_SECRET: "secret" });
  expect(visitors).toEqual(Array(3).fill(visitorOf(keys, { merchant: 1, id: "4711" }, Date.now())));
  expect((await as(admin.api_key, "POST", path, { visitor_id: "\u0000" })).status).toBe(400);
});

test("[ERS-8] Days that are still to come are refused: an erasure of them would be under way until then", async () => {
  const days = { from: "2099-01-01", to: "2099-01-02" };
  expect(await as(admin.api_key, "POST", `/api/v1/merchants/${shop.id}/erasures`, days)).toMatchObject({
    status: 400,
    body: { error: { code: "invalid_field", field: "from" } },
  });
  expect(await all("SELECT * FROM erasures")).toEqual([]);
});

test("[AUD-1] whom an erasure names is not kept in the audit log", async () => {
  await as(admin.api_key, "POST", `/api/v1/merchants/${shop.id}/erasures`, { visitor_id: "jane@shop.example" });
  expect(JSON.stringify(await all("SELECT * FROM audit"))).not.toContain("jane@");
});

test("[ERS-5] with a merchant go the numbers that replays and seals have shown of it", async () => {
  const shown = (merchant: number) => [{ merchant, grain: "day", bucket: 1, in_doubt: false, mismatches: [] }];
  const both = JSON.stringify([...shown(1), ...shown(2)]);
  const totals = JSON.stringify([
    [1, "visitors", 3, 4],
    [2, "visitors", 1, 2],
  ]);
  await counted("pool-1");
  await worker.db.batch([
    worker.db.prepare("UPDATE archive_days SET shown = ?").bind(both),
    ...["[1]", null].map((merchants, index) =>
      worker.db
        .prepare(
          "INSERT INTO replay_jobs (id, kind, state, from_day, to_day, merchants, created_at) VALUES (?, 'verify', 'done', 0, 1, ?, 0)",
        )
        .bind(`rpl_${index}`, merchants),
    ),
    ...["rpl_0", "rpl_1"].map((job, index) =>
      worker.db
        .prepare("INSERT INTO job_fences (job, kind, merchant, state, epoch) VALUES (?, 'verify', ?, 'done', 1)")
        .bind(job, index === 0 ? 1 : null),
    ),
    ...["rpl_0", "rpl_1"].map((job) =>
      worker.db
        .prepare(
          `INSERT INTO replay_parts (job, day, "partition", state, sent_at, events, buckets, differences, in_doubt, unpublished,
           replaced, duration_ms, shown, totals, error) VALUES (?, 0, 'pool-1', 'done', 0, 0, 0, 0, 0, 0, 0, 0, ?, ?, '')`,
        )
        .bind(job, both, totals),
    ),
  ]);
  expect((await as(ADMIN_TOKEN, "DELETE", `/api/v1/merchants/${shop.id}`)).status).toBe(202);
  expect(await all("SELECT id FROM replay_jobs")).toEqual([{ id: "rpl_1" }]);
  const left = JSON.stringify(shown(2));
  expect(await all("SELECT job, shown, totals FROM replay_parts")).toEqual([
    { job: "rpl_1", shown: left, totals: JSON.stringify([[2, "visitors", 1, 2]]) },
  ]);
  expect(await all("SELECT shown FROM archive_days WHERE day = 20000")).toEqual([{ shown: left }]);
});

test("[ERS-8] a merchant has a bounded number of erasures under way", async () => {
  const path = `/api/v1/merchants/${shop.id}/erasures`;
  await worker.db
    .prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ERASURES_OF_MERCHANT_MAX})
       INSERT INTO erasures (id, merchant, kind, visitor, from_day, to_day, state, created_at)
       SELECT 'ers_' || i, 1, 'visitor', 'aa', 0, 1, 'running', 0 FROM n`,
    )
    .run();
  expect(await as(admin.api_key, "POST", path, { visitor_id: "one more" })).toMatchObject({
    status: 429,
    body: { error: { code: "rate_limited" } },
  });
  expect((await as(ADMIN_TOKEN, "DELETE", `/api/v1/merchants/${shop.id}`)).status).toBe(202);
});
