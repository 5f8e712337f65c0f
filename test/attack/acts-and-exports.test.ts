// What somebody with a merchant's key of scope admin can make others pay or wait for: acts by the thousand, each kept
// in the audit log for 400 days, and many exports at once. The keys of a neighbour go on as before.

import { beforeEach, expect, test } from "vitest";
import {
  AUDIT_BYTES_MAX,
  AUDIT_BYTES_PER_SECOND,
  AUDIT_ENTRY_BYTES,
  EXPORT_LEASE_MS,
  EXPORTS_AT_ONCE_MAX,
} from "../../core/limits.ts";
import { dateOf, dayAt } from "../../core/time.ts";
import { memoryOf } from "../../workers/query/deps.ts";
import { Lines, OF_EXPORTS } from "../../workers/query/line.ts";
import { OF_AUDIT, PurseMemory } from "../../workers/query/purse-memory.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../support/query-worker.ts";

const NOW = Date.UTC(2027, 0, 10);
let worker: QueryWorker;
let shop: { readonly id: string; readonly key: string };
let neighbour: { readonly id: string; readonly key: string };

const as = (token: string, method: string, path: string, body?: unknown) => worker.ask(method, path, { token, body });

async function madeShop(name: string): Promise<{ readonly id: string; readonly key: string }> {
  const made = await as(ADMIN_TOKEN, "POST", "/api/v1/merchants", { name, time_zone: "UTC", currency: "EUR" });
  const key = await as(ADMIN_TOKEN, "POST", `/api/v1/merchants/${made.body.id}/keys`, { name: "own", scope: "admin" });
  return { id: made.body.id, key: key.body.api_key };
}

beforeEach(async () => {
  const limit = async () => ({ success: true });
  worker = startQueryWorker({ LIMIT_KEY: { limit }, LIMIT_SIGN_IN: { limit }, KEY_REQUESTS_MAX: "300" });
  shop = await madeShop("Shop");
  neighbour = await madeShop("Neighbour");
});

test("[AUD-5] what the log keeps of a merchant's acts grows slowly once its purse is empty, and says less before", () => {
  const purses = new PurseMemory(OF_AUDIT);
  const left = (now: number) => Math.min(...purses.of({ asker: "key", merchant: 1 }, now).map((purse) => purse.left));
  for (const purse of purses.of({ asker: "key", merchant: 1 }, NOW)) purse.left = 0;
  expect(left(NOW)).toBe(0);
  expect(Math.min(...purses.of({ asker: "another key", merchant: 1 }, NOW).map((purse) => purse.left))).toBe(0);
  expect(left(NOW + 86_400_000)).toBe(Math.min(AUDIT_BYTES_MAX, 86_400 * AUDIT_BYTES_PER_SECOND));
});

test("[AUD-5] acts beyond it are refused before they are done, and a neighbour's are not", async () => {
  const rename = ({ id, key }: typeof shop, name: string) => as(key, "PATCH", `/api/v1/merchants/${id}`, { name });
  const log = async ({ key }: typeof shop) => (await as(key, "GET", "/api/v1/audit")).body.audit;
  const long = "n".repeat(150);
  const { auditPurses } = memoryOf(worker.directory);
  const [purse] = auditPurses.of({ asker: "x", merchant: 1 }, Date.now()).slice(1);
  if (purse === undefined) throw new Error("a merchant has a purse");
  expect((await rename(shop, "First")).status).toBe(200);
  expect(purse.left).toBeLessThanOrEqual(AUDIT_BYTES_MAX - AUDIT_ENTRY_BYTES);
  purse.left = AUDIT_BYTES_MAX / 3;
  const segment = { name: "Segment", filters: [["is", "event:page", [long, `${long}x`]]] };
  expect((await as(shop.key, "POST", `/api/v1/merchants/${shop.id}/segments`, segment)).status).toBe(201);
  expect((await log(shop))[0]).toMatchObject({
    act: "segment.create",
    details: { cut: true, fields: ["name", "filters"] },
  });
  purse.left = -100 * AUDIT_ENTRY_BYTES;
  const refused = await rename(shop, "Second");
  expect([refused.status, refused.body.error.code, refused.headers.get("retry-after")]).toEqual([
    429,
    "rate_limited",
    "4",
  ]);
  expect((await as(shop.key, "GET", `/api/v1/merchants/${shop.id}`)).body.name).toBe("First");
  expect((await log(shop)).filter(({ act }: { act: string }) => act === "merchant.change")).toHaveLength(1);
  expect((await rename(neighbour, "Other")).status).toBe(200);
  expect((await as(ADMIN_TOKEN, "PATCH", `/api/v1/merchants/${shop.id}`, { name: "Third" })).status).toBe(200);
});

test("[EXP-11] of sixty exports at once two go on, the others hear 429; a neighbour has its own", async () => {
  const today = dateOf(dayAt("UTC", Date.now()));
  const path = ({ id }: typeof shop) => `/api/v1/merchants/${id}/events?from=${today}&to=${today}`;
  const begun = await Promise.all(
    Array.from({ length: 60 }, () => worker.begin("GET", path(shop), { token: shop.key })),
  );
  const going = begun.filter(({ status }) => status === 200);
  expect(going).toHaveLength(EXPORTS_AT_ONCE_MAX);
  const refused = begun.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(60 - EXPORTS_AT_ONCE_MAX);
  for (const { headers } of refused) expect(headers.get("retry-after")).toBe("10");
  expect((await worker.begin("GET", path(neighbour), { token: neighbour.key })).status).toBe(200);
  for (const response of going) await response.text();
  expect((await worker.begin("GET", path(shop), { token: shop.key })).status).toBe(200);
});

test("[EXP-11] an export whose client has gone gives its place back, at once or after its time", () => {
  const lines = new Lines(OF_EXPORTS);
  const stand = (who: object, at: number, merchant = 1) => lines.stand(who, { line: `${merchant}`, asker: "" }, at);
  const seats = Array.from({ length: EXPORTS_AT_ONCE_MAX }, () => ({}));
  expect(seats.map((seat) => stand(seat, NOW))).toEqual(seats.map(() => "going"));
  expect([stand({}, NOW), stand({}, NOW, 2)]).toEqual(["full", "going"]);
  lines.leave(seats[0] as object, "1");
  const next = {};
  expect(stand(next, NOW)).toBe("going");
  expect(stand(seats[1] as object, NOW + 1_000)).toBe("going"); // it still runs
  expect([stand({}, NOW + EXPORT_LEASE_MS), stand({}, NOW + EXPORT_LEASE_MS)]).toEqual(["going", "full"]);
  expect(stand({}, NOW + EXPORT_LEASE_MS + 1_000)).toBe("going");
});

test("[IMP-26] undos of imports do not start beside replays that go on: two replays, or one undo and one replay", async () => {
  const path = `/api/v1/merchants/${shop.id}/imports`;
  const file = { name: "a.csv", source: "csv", digest: "a".repeat(32), head: "b".repeat(32), reading: "c".repeat(16) };
  const bring = (mark: string, firstDay: number) => {
    const days = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [dateOf(firstDay + at * 10), 1]));
    return as(shop.key, "POST", path, { ...file, digest: mark.repeat(32), head: mark.repeat(32), days });
  };
  expect((await bring("d", 18_000)).status).toBe(201);
  expect((await bring("e", 19_000)).status).toBe(201);
  const first = await as(shop.key, "POST", `${path}/1/undo`);
  expect([first.status, first.body.replays.length]).toEqual([202, 2]);
  const second = await as(shop.key, "POST", `${path}/2/undo`);
  expect([second.status, second.body.error.message]).toEqual([
    409,
    expect.stringContaining("2 replays of this merchant"),
  ]);
  expect((await as(shop.key, "GET", `${path}/2`)).body.replays).toEqual([]);
});
