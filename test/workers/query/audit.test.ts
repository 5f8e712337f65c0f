// The audit log: every act that succeeded is in it, once, with who did it; nothing else is, and no secret.

import { beforeEach, expect, test } from "vitest";
import { AUDIT_KEPT_MS } from "../../../core/limits.ts";
import { forgetEntries } from "../../../storage/directory/audit.ts";
import { GUARDED_ROUTES } from "../../../workers/query/api.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../../support/query-worker.ts";

interface Entry {
  readonly id: string;
  readonly actor: string;
  readonly merchant: string | null;
  readonly act: string;
  readonly target: string | null;
  readonly details: object;
  readonly outcome: string;
}

let worker: QueryWorker;
let shop: { readonly id: string; readonly api_key: string };
let other: { readonly id: string };
let admin: { readonly id: string; readonly api_key: string };

const as = (token: string, method: string, path: string, body?: unknown) => worker.ask(method, path, { token, body });
const logOf = async (token: string, query = ""): Promise<readonly Entry[]> =>
  (await as(token, "GET", `/api/v1/audit${query}`)).body.audit;

beforeEach(async () => {
  worker = startQueryWorker();
  const merchant = { name: "Shop", time_zone: "UTC", currency: "EUR" };
  shop = (await as(ADMIN_TOKEN, "POST", "/api/v1/merchants", merchant)).body;
  other = (await as(ADMIN_TOKEN, "POST", "/api/v1/merchants", { ...merchant, name: "Other" })).body;
  const key = { name: "runner", scope: "admin" };
  admin = (await as(ADMIN_TOKEN, "POST", `/api/v1/merchants/${shop.id}/keys`, key)).body;
});

test("[AUD-1] every route that changes something or takes raw events has the name of its act, and no other has one", () => {
  for (const { method, path, act } of GUARDED_ROUTES) {
    const isReading = (method === "GET" && !path.endsWith("/events")) || path.endsWith("/subscriptions/preview");
    expect([path, act === undefined]).toEqual([path, isReading]);
  }
  const acts = GUARDED_ROUTES.flatMap(({ act }) => act ?? []);
  expect(new Set(acts).size).toBe(acts.length);
});

test("[AUD-1] an act is noted with who, what and on whom", async () => {
  const path = `/api/v1/merchants/${shop.id}`;
  await as(admin.api_key, "PATCH", path, { name: "Mine" });
  const made = (await as(admin.api_key, "POST", `${path}/keys`, { name: "panel" })).body;
  await as(ADMIN_TOKEN, "DELETE", `${path}/keys/${made.id}`);
  const deployment = { actor: "deployment", outcome: "done" };
  const key = { actor: admin.id, merchant: shop.id, outcome: "done" };
  expect(await logOf(ADMIN_TOKEN)).toMatchObject([
    { ...deployment, merchant: shop.id, act: "key.revoke", target: made.id, details: {} },
    { ...key, act: "key.create", target: made.id, details: { name: "panel" } },
    { ...key, act: "merchant.change", target: shop.id, details: { name: "Mine" } },
    { ...deployment, merchant: shop.id, act: "key.create", target: admin.id, details: { scope: "admin" } },
    { ...deployment, merchant: other.id, act: "merchant.create", target: other.id, details: { name: "Other" } },
    { ...deployment, merchant: shop.id, act: "merchant.create", target: shop.id },
  ]);
});

test("[AUD-2] what was refused, failed the door or only read leaves nothing", async () => {
  const before = await logOf(ADMIN_TOKEN);
  const path = `/api/v1/merchants/${shop.id}`;
  await as(admin.api_key, "PATCH", path, { name: "" });
  await as(admin.api_key, "PATCH", `/api/v1/merchants/${other.id}`, { name: "Mine" });
  await as(shop.api_key, "PATCH", path, { name: "Mine" });
  await as("nonsense", "PATCH", path, { name: "Mine" });
  await as(admin.api_key, "DELETE", `${path}/keys/key_none`);
  await as(admin.api_key, "GET", path);
  expect(await logOf(ADMIN_TOKEN)).toEqual(before);
});

test("[AUD-2] an act that broke in the middle stays, as one of unknown outcome", async () => {
  await worker.directory
    .prepare("CREATE TRIGGER no BEFORE INSERT ON streams BEGIN SELECT RAISE(FAIL, 'full'); END")
    .run();
  const path = `/api/v1/merchants/${shop.id}/streams`;
  expect((await as(admin.api_key, "POST", path, { name: "Till" })).status).toBe(503);
  const [entry] = await logOf(admin.api_key);
  expect(entry).toMatchObject({ act: "stream.create", actor: admin.id, outcome: "unknown" });
});

test("[AUD-2] where the log cannot be written nothing is done", async () => {
  await worker.directory
    .prepare("CREATE TRIGGER no BEFORE INSERT ON audit BEGIN SELECT RAISE(FAIL, 'full'); END")
    .run();
  const path = `/api/v1/merchants/${shop.id}`;
  expect((await as(admin.api_key, "PATCH", path, { name: "Mine" })).status).toBe(503);
  expect((await as(admin.api_key, "GET", path)).body.name).toBe("Shop");
});

test("[AUD-3] a merchant reads what was done to it, by whomever, and nothing of others", async () => {
  const log = await logOf(admin.api_key);
  expect(log.map(({ act, merchant }) => [act, merchant])).toEqual([
    ["key.create", shop.id],
    ["merchant.create", shop.id],
  ]);
  expect(JSON.stringify(log)).not.toContain("Other");
});

test("[AUD-3] the log goes on where the page before ended", async () => {
  const all = await logOf(ADMIN_TOKEN);
  const first = (await as(ADMIN_TOKEN, "GET", "/api/v1/audit?limit=2")).body;
  const second = (await as(ADMIN_TOKEN, "GET", `/api/v1/audit?limit=2&after=${first.next}`)).body;
  expect([...first.audit, ...second.audit]).toEqual(all);
  expect(second.next).toBeNull();
});

test("[AUD-4] a large request is noted by the names of its fields, and the oldest entries leave in time", async () => {
  const hostnames = Array.from({ length: 90 }, (_, index) => `${"x".repeat(60)}${index}.example`);
  await as(admin.api_key, "PUT", `/api/v1/merchants/${shop.id}/rules`, { rules: { hostnames } });
  const details = { cut: true, fields: ["rules"] };
  expect((await logOf(admin.api_key))[0]).toMatchObject({ act: "rules.change", merchant: shop.id, details });
  const kept = (await logOf(ADMIN_TOKEN)).length;
  await forgetEntries(worker.db, Date.now() - AUDIT_KEPT_MS);
  expect(await logOf(ADMIN_TOKEN)).toHaveLength(kept);
  await worker.db.prepare("UPDATE audit SET at = 0 WHERE id <= 2").run();
  await forgetEntries(worker.db, Date.now() - AUDIT_KEPT_MS);
  expect(await logOf(ADMIN_TOKEN)).toHaveLength(kept - 2);
});
