// Reports as the cron writes them, over a simulated quarter in which clocks are put back and a year ends. The query
// Worker runs on in-memory databases, and the clock is the test's.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { partitionsOf } from "../../../core/counting/placement.ts";
import type { Message } from "../../../core/notice/message.ts";
import { causeOf } from "../../../core/outcome.ts";
import { DAY_MS, HOUR_MS, parseDate } from "../../../core/time.ts";
import { writeReports } from "../../../workers/query/reports-due.ts";
import { dyingStorage } from "../../support/databases.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../../support/query-worker.ts";
import { seededRandom } from "../../support/random.ts";
import { moneyOf, rowOf } from "../../support/rollup-rows.ts";

const ZONE = "Europe/Berlin";
const FIRST = parseDate("2026-09-01") as number;
const START = Date.parse("2026-10-12T12:00:00+02:00");
const END = Date.parse("2027-01-12T12:00:00+01:00");

let worker: QueryWorker;
let shop: { readonly id: string; readonly api_key: string };

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  worker = startQueryWorker({ RATE_LIMITS: "off", DASHBOARD_URL: "https://stats.example.com" });
  const body = { name: "Shop & <Co>", time_zone: ZONE, currency: "EUR" };
  shop = (await worker.ask("POST", "/api/v1/merchants", { token: ADMIN_TOKEN, body })).body;
  fill();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Numbers of each Day, which differ from Day to Day. */
function fill(): void {
  const partition = partitionsOf({ merchant: 1 }, { poolSize: 4, regions: [] })[0] as string;
  for (let bucket = FIRST; bucket < END / DAY_MS + 2; bucket++) {
    const many = (bucket % 11) + 1;
    const who = Array.from({ length: many }, (_, one) => bucket * 100 + one);
    const some = { who, visits: many + 1, pageviews: 3 * many, events: 3 * many, orders: bucket % 3 };
    const seen = { ...some, money: moneyOf("EUR", (bucket % 3) * 12_345) };
    const part = { who: who.slice(0, Math.ceil(many / 2)), visits: many, pageviews: many };
    const by = { source: { Google: part, "": seen }, page: { "/": seen, [`/offer-${bucket % 4}`]: part } };
    worker.live.push(rowOf({ bucket, partition, seen, by }));
  }
}

async function subscribe(body: object) {
  const path = `/api/v1/merchants/${shop.id}/subscriptions`;
  const made = await worker.ask("POST", path, { token: ADMIN_TOKEN, body });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return made.body as { id: string; state: string; secret?: string };
}

const HOOK = { channel: "webhook", target: "https://hook.shop.example.com/in", topics: ["weekly", "monthly"] };

interface Written {
  readonly id: string;
  readonly message: Message;
  readonly next_at: number;
}

async function written(): Promise<readonly Written[]> {
  const { results } = await worker.db.prepare("SELECT id, message, next_at FROM outbox ORDER BY created_at, id").all();
  return (results as { id: string; message: string; next_at: number }[]).map((row) => ({
    ...row,
    message: JSON.parse(row.message) as Message,
  }));
}

const cron = () => writeReports(worker.ownDeps());

/** Ids of weekly reports from the week of 12 October on, which ended after the subscription was made. */
const WEEKS = ["42", "43", "44", "45", "46", "47", "48", "49", "50", "51", "52", "53"].map((week) => `2026-W${week}`);

describe("[NTC-14] reports of a quarter", () => {
  test("come once for each period, on time, with the numbers of the API", { timeout: 120_000 }, async () => {
    const { id } = await subscribe(HOOK);
    const random = seededRandom(7);
    for (let now = START; now < END; now += HOUR_MS) {
      vi.setSystemTime(now);
      // Crons die now and then, at whatever call to a database.
      if (random.chance(0.3)) {
        const { directory, ledgers } = dyingStorage(worker, {
          fatal: random.integer(0, 7),
          isAfter: random.chance(0.5),
        });
        const deps = { ...worker.ownDeps(), directory, ledgers, log: () => {} };
        await writeReports(deps).catch((error: unknown) => expect(causeOf(error)).toMatch(/killed|Failed query/));
      }
      await cron();
    }
    const all = await written();
    const keys = [...WEEKS, "2027-W01"].map((week) => `${id}:weekly:${week}`);
    const months = ["2026-10", "2026-11", "2026-12"].map((month) => `${id}:monthly:${month}`);
    expect(all.map((one) => one.id).toSorted()).toEqual([...months, ...keys].toSorted());
    for (const { message } of all) {
      const local = new Date(message.at + (message.at < Date.parse("2026-10-25T01:00:00Z") ? 2 : 1) * HOUR_MS);
      // Due from 7 to 9; the crons of this test are an hour apart, and one that died puts it off by one more.
      expect(local.getUTCHours(), message.subject).toBeGreaterThanOrEqual(7);
      expect(local.getUTCHours(), message.subject).toBeLessThanOrEqual(11);
      expect(message.type === "report.weekly" ? local.getUTCDay() : local.getUTCDate()).toBe(1);
      await expectAnswers(message);
    }
  });

  /** Each number is what a client gets that asks for the same range. */
  async function expectAnswers({ data }: Message): Promise<void> {
    const { date_range, compared_with, totals, sources, pages } = data as {
      date_range: [string, string];
      compared_with: [string, string];
      totals: Record<string, { now: number; before: number }>;
      sources: { name: string; now: number }[];
      pages: { name: string; now: number }[];
    };
    const metrics = Object.keys(totals);
    const ask = async (range: [string, string], own: object) => {
      const body = { site_id: shop.id, date_range: range, ...own };
      const { body: answer } = await worker.ask("POST", "/api/v2/query", { token: shop.api_key, body });
      const rows = answer.results as { metrics: (number | { value: number })[]; dimensions: string[] }[];
      return rows.map((row) => ({
        ...row,
        metrics: row.metrics.map((metric) => (typeof metric === "object" ? metric.value : metric)),
      }));
    };
    expect((await ask(date_range, { metrics }))[0]?.metrics).toEqual(metrics.map((metric) => totals[metric]?.now));
    expect((await ask(compared_with, { metrics }))[0]?.metrics).toEqual(
      metrics.map((metric) => totals[metric]?.before),
    );
    for (const [dimension, rows] of [
      ["visit:source", sources],
      ["event:page", pages],
    ] as const) {
      const own = { metrics: ["visitors"], dimensions: [dimension], pagination: { limit: 5 } };
      const answered = await ask(date_range, own);
      expect(rows.map(({ name, now }) => [name, now])).toEqual(
        answered.map((row) => [row.dimensions[0], row.metrics[0]]),
      );
    }
  }

  test("of which crons missed some are the latest alone; the directory may go back in time", async () => {
    const { id } = await subscribe({ ...HOOK, topics: ["weekly"] });
    vi.setSystemTime(Date.parse("2026-11-12T12:00:00Z"));
    await cron();
    await worker.db.prepare("UPDATE subscriptions SET report_at = 1").run();
    await cron();
    expect((await written()).map((one) => one.id)).toEqual([`${id}:weekly:2026-W45`]);
  });

  test("wait while hits of the period are not counted yet, and are then whole", async () => {
    await subscribe({ ...HOOK, topics: ["weekly"] });
    vi.setSystemTime(Date.parse("2026-10-19T10:00:00+02:00"));
    const since = Date.parse("2026-10-18T20:00:00+02:00");
    await worker.db.prepare("INSERT INTO overflow_notes (merchant, id, since) VALUES (1, 'm', ?)").bind(since).run();
    await cron();
    expect(await written()).toEqual([]);
    await worker.db.prepare("DELETE FROM overflow_notes").run();
    vi.setSystemTime(Date.parse("2026-10-19T10:16:00+02:00"));
    await cron();
    expect(await written()).toHaveLength(1);
  });

  test("that would say nothing are not sent, nor those of a subscription that is off", async () => {
    worker.live.length = 0;
    const { id } = await subscribe({ ...HOOK, topics: ["weekly"] });
    vi.setSystemTime(Date.parse("2026-10-20T10:00:00+02:00"));
    await cron();
    fill();
    const path = `/api/v1/merchants/${shop.id}/subscriptions/${id}`;
    await worker.ask("PATCH", path, { token: ADMIN_TOKEN, body: { state: "off" } });
    vi.setSystemTime(Date.parse("2026-10-27T10:00:00+01:00"));
    await cron();
    expect(await written()).toEqual([]);
  });

  test("are delayed by quiet hours and not left out", async () => {
    await subscribe({ ...HOOK, topics: ["weekly"], quiet: { from: "22:00", to: "12:30" } });
    vi.setSystemTime(Date.parse("2026-10-19T10:00:00+02:00"));
    await cron();
    expect((await written()).map(({ next_at }) => next_at)).toEqual([Date.parse("2026-10-19T12:30:00+02:00")]);
  });
});

describe("[NTC-15] a report", () => {
  test.each(["en", "de", "fr", "es", "pt", "ar"])("is written in %s, as the preview shows it", async (language) => {
    await subscribe({ channel: "email", target: "anna@shop.example", topics: ["weekly"], language });
    await worker.db.prepare("UPDATE subscriptions SET state = 'on', report_at = 1").run();
    vi.setSystemTime(Date.parse("2026-10-19T10:00:00+02:00"));
    const path = `/api/v1/merchants/${shop.id}/subscriptions/preview`;
    const preview = await worker.ask("POST", path, { token: shop.api_key, body: { topic: "weekly", language } });
    await worker.db.prepare("DELETE FROM outbox").run();
    await cron();
    const [sent] = (await written()) as [Written];
    const { subject, text, html = "" } = sent.message;
    const link = /https:\/\/stats\.example\.com\/notice\/\S+/.exec(text)?.[0] as string;
    expect(sent.message.unsubscribe).toBe(link);
    expect(preview.body.subject).toBe(subject);
    expect(text.startsWith(preview.body.text)).toBe(true);
    expect(subject).toContain("Shop & <Co>");
    expect(html).not.toMatch(/<Co>|<script|<img|http:\/\//);
    expect(html).toContain(language === "ar" ? 'dir="rtl"' : 'dir="ltr"');
    expect(text).not.toMatch(/\{\w+\}|undefined|NaN/);
    expect(text).toContain("/offer-");
  });

  test("has the form of each channel in the preview, and needs a credential", async () => {
    const path = `/api/v1/merchants/${shop.id}/subscriptions/preview`;
    for (const channel of ["webhook", "slack", "discord", "teams"]) {
      const { body } = await worker.ask("POST", path, { token: shop.api_key, body: { topic: "monthly", channel } });
      expect(JSON.stringify(body.body)).toContain(channel === "webhook" ? '"type":"report.monthly"' : "Shop");
    }
    expect((await worker.ask("POST", path, { body: { topic: "weekly" } })).status).toBe(401);
    expect((await worker.ask("POST", path, { token: shop.api_key, body: { topic: "traffic" } })).status).toBe(400);
  });
});

describe("[NTC-16] a subscription of mail", () => {
  const MAIL = { channel: "email", target: "Anna@Shop.example", topics: ["weekly", "silence"] };
  const find = async (id: string) =>
    (await worker.ask("GET", `/api/v1/merchants/${shop.id}/subscriptions/${id}`, { token: ADMIN_TOKEN })).body;

  test("of somebody who is no member asks first, by a link that a scanner's GET does not follow", async () => {
    const { id, state } = await subscribe(MAIL);
    expect(state).toBe("unconfirmed");
    const [asked] = await written();
    expect([asked?.id.startsWith(`${id}:confirm:`), asked?.message.type]).toEqual([true, "subscription.confirm"]);
    expect(asked?.message.text).not.toContain("@");
    const link = new URL(/https:\S+/.exec(asked?.message.text ?? "")?.[0] as string).pathname;
    expect(await worker.text("GET", link)).toContain("<form");
    expect(await find(id)).toMatchObject({ state: "unconfirmed", target: "anna@shop.example" });
    await worker.text("POST", link);
    expect(await find(id)).toMatchObject({ state: "on", next_report_at: expect.any(String) });
    const looks = await worker.db.prepare("SELECT look_at FROM subscriptions WHERE id = ?").bind(id).first("look_at");
    expect(looks).toBeGreaterThan(Date.now());
  });

  test("ends with one POST without signing in (RFC 8058), and an old link does not bring it back", async () => {
    const { id } = await subscribe(MAIL);
    const [asked] = await written();
    const agree = new URL(/https:\S+/.exec(asked?.message.text ?? "")?.[0] as string).pathname;
    await worker.text("POST", agree);
    vi.setSystemTime(Date.parse("2026-10-19T10:00:00+02:00"));
    await cron();
    const report = (await written()).find(({ message }) => message.type === "report.weekly");
    const end = new URL(report?.message.unsubscribe as string).pathname;
    await worker.open(end, {});
    expect(await find(id)).toMatchObject({ state: "on" });
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    await worker.text("POST", end, { body: "List-Unsubscribe=One-Click", headers });
    expect(await find(id)).toMatchObject({ state: "off", reason: "unsubscribed by its reader", next_report_at: null });
    await worker.text("POST", agree);
    expect(await find(id)).toMatchObject({ state: "off" });
    // Who is to get it again is asked again.
    const path = `/api/v1/merchants/${shop.id}/subscriptions/${id}`;
    const changed = await worker.ask("PATCH", path, { token: ADMIN_TOKEN, body: { state: "on" } });
    expect(changed.body).toMatchObject({ state: "unconfirmed" });
  });

  test("has links that nobody can make, and that are not one another's", async () => {
    const { id } = await subscribe(MAIL);
    const [asked] = await written();
    const agree = new URL(/https:\S+/.exec(asked?.message.text ?? "")?.[0] as string).pathname;
    const forged = [
      agree.replace(".confirm.", ".end."),
      `${agree}x`,
      agree.slice(0, -1),
      `/notice/${id}.end.`,
      "/notice/x",
    ];
    for (const path of [...forged, agree.replace(id, "sub_other"), `/notice/${"a".repeat(5_000)}`]) {
      expect(await worker.text("POST", path), path).toContain("leads nowhere");
    }
    expect(await find(id)).toMatchObject({ state: "unconfirmed" });
  });
});

describe("[NTC-23] a pause", () => {
  test("leaves out reports that were due in it, also when a later one is written", async () => {
    const { id } = await subscribe(HOOK);
    const path = `/api/v1/merchants/${shop.id}/subscriptions/${id}`;
    const body = { paused_until: "2026-10-27T12:00:00+01:00" };
    const paused = await worker.ask("PATCH", path, { token: ADMIN_TOKEN, body });
    // The weeks' of 19 and 26 October are left out; the month's is the first on 1 November, a Sunday.
    expect(paused.body.next_report_at.slice(0, 10)).toBe("2026-11-01");
    for (let now = START; now < Date.parse("2026-11-03T12:00:00+01:00"); now += HOUR_MS) {
      vi.setSystemTime(now);
      await cron();
    }
    expect((await written()).map((one) => one.id)).toEqual([`${id}:monthly:2026-10`, `${id}:weekly:2026-W44`]);
    expect((await worker.ask("PATCH", path, { token: ADMIN_TOKEN, body: { paused_until: null } })).body).toMatchObject({
      paused_until: null,
    });
  });
});

describe("[NTC-17] subscriptions", () => {
  const path = () => `/api/v1/merchants/${shop.id}/subscriptions`;
  const ask = (method: string, rest = "", body?: object) =>
    worker.ask(method, `${path()}${rest}`, { token: ADMIN_TOKEN, ...(body && { body }) });

  test("show a webhook's secret once, and rotate it", async () => {
    const { id, secret } = await subscribe(HOOK);
    expect(secret).toMatch(/^whsec_/);
    expect(JSON.stringify((await ask("GET")).body)).not.toContain("whsec_");
    const rotated = await ask("POST", `/${id}/rotate`);
    expect(rotated.body.secret).toMatch(/^whsec_/);
    expect(rotated.body.secret).not.toBe(secret);
    expect(Date.parse(rotated.body.previous_until)).toBe(START + DAY_MS);
  });

  test("can be tried, changed and deleted, and say what became of their messages", async () => {
    const { id } = await subscribe(HOOK);
    expect((await ask("POST", `/${id}/test`)).status).toBe(202);
    await ask("POST", `/${id}/test`);
    expect((await ask("GET", `/${id}`)).body.deliveries).toMatchObject([{ state: "waiting", attempts: 0 }]);
    expect((await ask("PATCH", `/${id}`, { topics: ["silence"], language: "de" })).body).toMatchObject({
      ...{ topics: ["silence"], language: "de", next_report_at: null },
    });
    expect((await ask("DELETE", `/${id}`)).body).toEqual({ id, deleted: true });
    expect((await ask("GET", `/${id}`)).status).toBe(404);
  });

  test.each([
    [{ ...HOOK, target: "http://hook.shop.example.com/" }, "target", "does not begin with https://"],
    [{ ...HOOK, target: "https://127.0.0.1/" }, "target", "network address"],
    [{ ...HOOK, channel: "slack" }, "target", "no webhook of slack"],
    [{ ...HOOK, channel: "email" }, "target", "e-mail address"],
    [{ ...HOOK, topics: [] }, "topics", "one or more of"],
    [{ ...HOOK, topics: ["weekly", "weekly"] }, "topics", "each once"],
    [{ ...HOOK, topics: ["goal"] }, "goal", "needs a"],
    [{ ...HOOK, quiet: { from: "24:00", to: "07:00" } }, "quiet", "local hours"],
    [{ ...HOOK, goal: { metric: "orders", value: 0, period: "week" } }, "goal", "what is to be reached"],
    [{ ...HOOK, language: "xx" }, "language", "must be"],
  ])("refuse %j", async (body, field, says) => {
    const { status, body: answer } = await ask("POST", "", body);
    expect([status, answer.error.field]).toEqual([400, field]);
    expect(answer.error.message).toContain(says);
  });

  test("are of one target once, and not another merchant's", async () => {
    const { id } = await subscribe(HOOK);
    expect((await ask("POST", "", HOOK)).status).toBe(409);
    const body = { name: "Other", time_zone: "UTC", currency: "EUR" };
    const other = (await worker.ask("POST", "/api/v1/merchants", { token: ADMIN_TOKEN, body })).body;
    const elsewhere = `/api/v1/merchants/${other.id}/subscriptions/${id}`;
    for (const method of ["GET", "DELETE"])
      expect((await worker.ask(method, elsewhere, { token: ADMIN_TOKEN })).status).toBe(404);
  });
});
