// What can be done with notices and the public pages beside them: mails to strangers, links with a made-up signature,
// previews that cost nothing, and names that become links.

import { beforeEach, expect, test } from "vitest";
import { CONFIRMATIONS_DAY_MAX, OUTBOX_TURN_MAX, TESTS_WAITING_MAX } from "../../core/limits.ts";
import { periodBefore } from "../../core/notice/period.ts";
import { REPORT_METRICS, toReport } from "../../core/notice/report.ts";
import { dayAt } from "../../core/time.ts";
import { listDue, writeMessages } from "../../storage/ledger/outbox.ts";
import { memoryOf } from "../../workers/query/deps.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../support/query-worker.ts";

const NOW = Date.UTC(2027, 0, 13);
let worker: QueryWorker;
let shop: { readonly id: string; readonly key: string };

const as = (token: string, method: string, path: string, body?: unknown) => worker.ask(method, path, { token, body });

beforeEach(async () => {
  const limit = async () => ({ success: true });
  const own = { LIMIT_KEY: { limit }, LIMIT_SIGN_IN: { limit }, KEY_REQUESTS_MAX: "300" };
  worker = startQueryWorker({ ...own, DASHBOARD_URL: "https://stats.example.com" });
  const made = await as(ADMIN_TOKEN, "POST", "/api/v1/merchants", { name: "S", time_zone: "UTC", currency: "EUR" });
  const key = await as(ADMIN_TOKEN, "POST", `/api/v1/merchants/${made.body.id}/keys`, { name: "own", scope: "admin" });
  shop = { id: made.body.id, key: key.body.api_key };
});

test("[NTC-20] a merchant cannot have a stranger's address asked again and again", async () => {
  const path = `/api/v1/merchants/${shop.id}/subscriptions`;
  const statuses: number[] = [];
  for (let time = 0; time < CONFIRMATIONS_DAY_MAX + 5; time++) {
    const body = { channel: "email", target: `stranger+${time}@elsewhere.example`, topics: ["weekly"] };
    const made = await as(shop.key, "POST", path, body);
    statuses.push(made.status);
    if (made.status === 201) await as(shop.key, "DELETE", `${path}/${made.body.id}`);
  }
  expect(statuses.filter((status) => status === 201)).toHaveLength(CONFIRMATIONS_DAY_MAX);
  expect(statuses.slice(CONFIRMATIONS_DAY_MAX)).toEqual(Array(5).fill(409));
  const { results } = await worker.db.prepare("SELECT id FROM outbox").all();
  expect(results).toHaveLength(CONFIRMATIONS_DAY_MAX);
});

test("[NTC-16] an address that the owner has made a member's is asked like any other", async () => {
  const target = "stranger@elsewhere.example";
  const invites = `/api/v1/merchants/${shop.id}/invites`;
  const invite = await as(ADMIN_TOKEN, "POST", invites, { email: target, role: "viewer" });
  const taken = { body: { token: invite.body.token, password: "chosen by the owner" } };
  const headers = { origin: "http://localhost" };
  expect((await worker.ask("POST", "/api/v1/invites/accept", { ...taken, headers })).status).toBe(201);
  const path = `/api/v1/merchants/${shop.id}/subscriptions`;
  const made = await as(shop.key, "POST", path, { channel: "email", target, topics: ["weekly"] });
  expect([made.status, made.body.state]).toEqual([201, "unconfirmed"]);
  expect((await as(shop.key, "POST", `${path}/${made.body.id}/test`)).status).toBe(409);
  expect((await as(shop.key, "PATCH", `${path}/${made.body.id}`, { state: "on" })).body.state).toBe("unconfirmed");
});

test("[NTC-20] a mail that asks a stranger has nothing of a merchant's name but text", async () => {
  const name = "Pay now: https://pay.evil.example\r\nBcc: all@elsewhere.example\u0000";
  const shown = await as(shop.key, "PATCH", `/api/v1/merchants/${shop.id}`, { name });
  expect(shown.body.name).toBe("Pay now: https://pay.evil.exampleBcc: all@elsewhere.example");
  const body = { channel: "email", target: "stranger@elsewhere.example", topics: ["weekly"] };
  expect((await as(shop.key, "POST", `/api/v1/merchants/${shop.id}/subscriptions`, body)).status).toBe(201);
  const { results } = await worker.db.prepare("SELECT message FROM outbox").all<{ message: string }>();
  const { subject, text, html } = JSON.parse(results[0]?.message ?? "") as Record<string, string>;
  for (const said of [subject, text, html]) {
    expect(said).toContain("Pay now");
    expect(said).not.toMatch(/evil\.example|all@elsewhere|:\/\/pay/);
  }
  expect(subject).not.toMatch(/\p{Cc}/u);
});

test("[NTC-16] a link whose signature is as long, and of other letters, leads nowhere like any other", async () => {
  const id = "sub_0123456789";
  for (const mac of ["a".repeat(43), "é".repeat(43), "€".repeat(43), ""]) {
    const path = `/notice/${id}.end.${encodeURIComponent(mac)}`;
    for (const method of ["GET", "POST"]) expect((await worker.begin(method, path, {})).status, mac).toBe(404);
  }
});

test("[NTC-21] messages of one merchant that nobody takes keep no other merchant's back", async () => {
  const ledger = worker.ledgers.ofMerchant(1);
  const message = { type: "t", subject: "s", text: "t", data: {}, at: NOW };
  const written = (merchant: number, at: number) => {
    const id = `sub_${merchant}_${at % 50}:test:${at}`;
    return { merchant, id, subscription: id.slice(0, id.indexOf(":")), message, notBefore: NOW + at };
  };
  const stuck = Array.from({ length: OUTBOX_TURN_MAX + 100 }, (_, at) => written(1, at));
  await writeMessages(ledger, stuck);
  const later = OUTBOX_TURN_MAX + 1_000;
  await writeMessages(ledger, [written(2, later), written(2, later + 1), written(3, later + 2)]);
  const due = await listDue(ledger, { now: NOW + 10_000, rowsMax: OUTBOX_TURN_MAX });
  expect(due).toHaveLength(OUTBOX_TURN_MAX);
  expect(due.slice(0, 5).map(({ merchant }) => merchant)).toEqual([1, 2, 3, 1, 2]);
  const own = due.filter(({ merchant }) => merchant === 1).map(({ id }) => id);
  expect(own).toEqual(stuck.slice(0, own.length).map(({ id }) => id));
});

test("[NTC-21] a subscription has so many tests waiting, and no more", async () => {
  const path = `/api/v1/merchants/${shop.id}/subscriptions`;
  const body = { channel: "webhook", target: "https://hook.elsewhere.com/", topics: ["weekly"] };
  const made = await as(shop.key, "POST", path, body);
  const ledger = worker.ledgers.ofMerchant(1);
  const message = { type: "t", subject: "s", text: "t", data: {}, at: NOW };
  const stuck = Array.from({ length: TESTS_WAITING_MAX }, (_, at) => {
    return { merchant: 1, id: `${made.body.id}:test:${at}`, subscription: made.body.id, message, notBefore: NOW };
  });
  await writeMessages(ledger, stuck.slice(1));
  expect((await as(shop.key, "POST", `${path}/${made.body.id}/test`)).status).toBe(202);
  await writeMessages(ledger, stuck);
  expect((await as(shop.key, "POST", `${path}/${made.body.id}/test`)).status).toBe(409);
});

test("[LIM-8] a preview pays for what it reads, as a question does", async () => {
  worker.seePages(1, { "/": 3 });
  const path = `/api/v1/merchants/${shop.id}/subscriptions/preview`;
  const key = await as(shop.key, "POST", `/api/v1/merchants/${shop.id}/keys`, { name: "read", scope: "read" });
  const preview = () => as(key.body.api_key, "POST", path, { topic: "weekly" });
  expect((await preview()).status).toBe(200);
  const { readingPurses } = memoryOf(worker.directory);
  for (const purse of readingPurses.of({ asker: key.body.id, merchant: 1, isShared: false }, Date.now()))
    purse.left = -1_000_000_000;
  const refused = await preview();
  expect([refused.status, refused.body.error.code]).toEqual([429, "rate_limited"]);
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
});

test("[NTC-15] no name that a stranger has sent becomes a link of a report", () => {
  const evil = "Pay: https://pay.evil.example/now www.evil.example a@evil.example";
  const row = (name: string) => ({ name, now: 5, before: 0 });
  const totals = Object.fromEntries(REPORT_METRICS.map((metric) => [metric, { now: 5, before: 5 }]));
  const report = toReport(
    {
      ...{ topic: "weekly", period: periodBefore("weekly", dayAt("UTC", NOW)), asOf: NOW },
      shop: { id: "mer_x", name: "Shop", zone: "UTC", currency: "EUR" },
      totals: totals as Record<(typeof REPORT_METRICS)[number], { now: number; before: number }>,
      ...{ sources: [row(evil)], pages: [row("/")] },
    },
    { language: "en", links: { dashboard: undefined, unsubscribe: undefined }, now: NOW },
  );
  for (const text of [report.text, report.html ?? ""]) {
    expect(text.replaceAll("\u200b", "")).toContain(evil);
    expect(text).not.toMatch(/:\/\/pay|evil\.example|www\.e|@evil/);
  }
  expect(report.data).toMatchObject({ sources: [{ name: evil }] });
});
