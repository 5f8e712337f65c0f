// Alarms as the cron writes them: an outage of a shop in Berlin, looked at every five minutes, with crons that die.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { partitionsOf } from "../../../core/counting/placement.ts";
import type { Message } from "../../../core/notice/message.ts";
import { causeOf } from "../../../core/outcome.ts";
import { DAY_MS, dayAt, HOUR_MS, MINUTE_MS } from "../../../core/time.ts";
import { findMerchantByNumber, type Merchant } from "../../../storage/directory/merchants.ts";
import { listLooksDue, setNextLook } from "../../../storage/directory/subscriptions.ts";
import { lookAtAlarms, readHours } from "../../../workers/query/alarms-due.ts";
import { dyingStorage } from "../../support/databases.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../../support/query-worker.ts";
import { seededRandom } from "../../support/random.ts";
import { rowOf } from "../../support/rollup-rows.ts";

const ZONE = "Europe/Berlin";
const NOON = Date.parse("2026-11-18T12:00:00+01:00");
/** Nobody comes from 12:00 to 17:00. */
const BACK = NOON + 5 * HOUR_MS;

let worker: QueryWorker;
let shop: { readonly id: string; readonly api_key: string };

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOON - 30 * MINUTE_MS });
  worker = startQueryWorker({ RATE_LIMITS: "off", DASHBOARD_URL: "https://stats.example.com" });
  const body = { name: "Shop", time_zone: ZONE, currency: "EUR" };
  shop = (await worker.ask("POST", "/api/v1/merchants", { token: ADMIN_TOKEN, body })).body;
  const partition = partitionsOf({ merchant: 1 }, { poolSize: 4, regions: [] })[0] as string;
  for (let bucket = NOON - 12 * DAY_MS; bucket < BACK + 12 * HOUR_MS; bucket += HOUR_MS) {
    if (bucket >= NOON && bucket < BACK) continue;
    const who = Array.from({ length: 40 + ((bucket / HOUR_MS) % 3) }, (_, one) => bucket / HOUR_MS + one);
    const seen = { who, visits: who.length, pageviews: who.length, events: who.length, orders: 1 };
    worker.live.push(rowOf({ grain: "hour", bucket, day: dayAt(ZONE, bucket), partition, seen }));
  }
});
afterEach(() => {
  vi.useRealTimers();
});

async function subscribe(body: object): Promise<string> {
  const path = `/api/v1/merchants/${shop.id}/subscriptions`;
  const own = { channel: "webhook", target: "https://hook.shop.example.com/in", ...body };
  const made = await worker.ask("POST", path, { token: ADMIN_TOKEN, body: own });
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return made.body.id;
}

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

/** Crons from noon to an hour of the evening; of which some die, where `random` says so. */
async function run(until: number, random?: ReturnType<typeof seededRandom>): Promise<void> {
  for (let now = NOON; now < until; now += 5 * MINUTE_MS) {
    vi.setSystemTime(now);
    if (random?.chance(0.4)) {
      const { directory, ledgers } = dyingStorage(worker, { fatal: random.integer(0, 8), isAfter: random.chance(0.5) });
      const deps = { ...worker.ownDeps(), directory, ledgers, log: () => {} };
      await lookAtAlarms(deps).catch((error: unknown) => expect(causeOf(error)).toMatch(/killed|Failed query/));
    }
    await lookAtAlarms(worker.ownDeps());
  }
}

describe("[NTC-18] an outage", () => {
  test.each([undefined, 3, 8])(
    "is told once when it is found and once when it is over (crons die: %s)",
    async (seed) => {
      const id = await subscribe({ topics: ["silence", "traffic", "orders"] });
      await run(NOON + 9 * HOUR_MS, seed === undefined ? undefined : seededRandom(seed));
      const all = await written();
      expect(all.map((one) => one.id)).toEqual([
        `${id}:silence:2026-11-18T12:00:00.000Z:on`,
        `${id}:silence:2026-11-18T12:00:00.000Z:off`,
      ]);
      const [on, off] = all as [Written, Written];
      expect(on.message).toMatchObject({ type: "alarm.on", subject: "Shop: nobody comes any more" });
      expect(on.message.data).toMatchObject({ kind: "silence", since: "2026-11-18T13:00:00+01:00", until: null });
      expect(on.message.text).toContain("These 1 hours usually bring 42");
      expect(off.message.data).toMatchObject({ until: "2026-11-18T19:00:00+01:00" });
      // Found in the first Hour that is over, within the minutes after it.
      expect(on.message.at - (NOON + HOUR_MS)).toBeLessThanOrEqual(45 * MINUTE_MS);
    },
  );

  test("is told to who asked for it alone, and after quiet hours to who has them", async () => {
    const quiet = { from: "12:00", to: "15:00" };
    const id = await subscribe({ topics: ["silence"], quiet });
    await subscribe({ topics: ["weekly"], target: "https://hook.shop.example.com/other" });
    await run(NOON + 3 * HOUR_MS);
    expect((await written()).map(({ id, next_at }) => [id, next_at])).toEqual([
      [`${id}:silence:2026-11-18T12:00:00.000Z:on`, Date.parse("2026-11-18T15:00:00+01:00")],
    ]);
  });

  test("is not told while hits of the Hour wait to be counted", async () => {
    await subscribe({ topics: ["silence"] });
    await worker.db.prepare("INSERT INTO overflow_notes (merchant, id, since) VALUES (1, 'm', ?)").bind(NOON).run();
    await run(NOON + 3 * HOUR_MS);
    expect(await written()).toEqual([]);
  });
});

describe("[NTC-19] a goal and a Day in doubt", () => {
  test("are told once in their period", async () => {
    const day = dayAt(ZONE, NOON);
    const partition = partitionsOf({ merchant: 1 }, { poolSize: 4, regions: [] })[0] as string;
    worker.live.push(rowOf({ bucket: day, partition, seen: { orders: 12 } }));
    const goal = { metric: "orders", value: 12, period: "day" };
    const id = await subscribe({ topics: ["goal", "doubt"], goal });
    await worker.db
      .prepare(`INSERT INTO archive_days (day, "partition", generation, folder, rows, merchants, bytes, duplicates, differences,
        shown, late_marks, due_at, attempts, error) VALUES (?1, ?2, 0, '', 0, 0, 0, 0, 0, '[]', 0, 1, 3, 'broken')`)
      .bind(day - 3, partition)
      .run();
    await worker.db
      .prepare(`INSERT INTO places (merchant, day, "partition") VALUES (1, ?, ?)`)
      .bind(day - 3, partition)
      .run();
    await run(NOON + 4 * HOUR_MS, seededRandom(5));
    const all = await written();
    expect(all.map((one) => one.id).toSorted()).toEqual([`${id}:doubt:2026-11-15`, `${id}:goal:orders:12::2026-11-18`]);
    expect(all.map(({ message }) => message.text).join("\n")).toContain(
      "Orders: 12 since Nov 18, 2026. The goal was 12.",
    );
  });

  test("are not told before the goal is reached", async () => {
    await subscribe({ topics: ["goal"], goal: { metric: "orders", value: 1_000, period: "month" } });
    await run(NOON + 2 * HOUR_MS);
    expect(await written()).toEqual([]);
  });
});

describe("[NTC-22] the preview of alarms", () => {
  const preview = async (query = "") => {
    const path = `/api/v1/merchants/${shop.id}/alarms${query}`;
    return (await worker.ask("GET", path, { token: shop.api_key })).body as {
      readonly from: string;
      readonly to: string;
      readonly as_of: string;
      readonly alarms: readonly Readonly<Record<"kind" | "topic" | "since" | "until" | "subject" | "says", string>>[];
    };
  };

  test("tells what looks have told, with the same words and numbers", { timeout: 120_000 }, async () => {
    await subscribe({ topics: ["silence", "traffic", "orders"] });
    // Five Days with outages and rushes, looked at from 12:00 on.
    const random = seededRandom(11);
    const partition = partitionsOf({ merchant: 1 }, { poolSize: 4, regions: [] })[0] as string;
    worker.live.splice(0, worker.live.length);
    for (let bucket = NOON - 14 * DAY_MS; bucket < NOON + 5 * DAY_MS; bucket += HOUR_MS) {
      const isOut = bucket >= NOON && random.chance(0.2);
      const isRush = bucket >= NOON && random.chance(0.1);
      const many = isOut ? 0 : (isRush ? 3 : 1) * (40 + ((bucket / HOUR_MS) % 3));
      const who = Array.from({ length: many }, (_, one) => bucket / HOUR_MS + one);
      const seen = { who, visits: many, pageviews: many, events: many, orders: many > 0 ? 1 : 0 };
      worker.live.push(rowOf({ grain: "hour", bucket, day: dayAt(ZONE, bucket), partition, seen }));
    }
    await run(NOON + 5 * DAY_MS);
    const told = (await written()).map(({ message: { type, subject, text, data } }) => ({ type, subject, text, data }));
    const on = told.filter(({ type }) => type === "alarm.on");
    const { alarms, from, to } = await preview();
    expect([from, to]).toEqual(["2026-10-25", "2026-11-23"]);
    expect(new Set(alarms.map(({ kind }) => kind))).toEqual(new Set(["silence", "spike"]));
    expect(alarms.map(({ kind, since, subject }) => ({ kind, since, subject }))).toEqual(
      on.map(({ subject, data }) => ({ kind: data["kind"], since: data["since"], subject })),
    );
    for (const [at, { says }] of alarms.entries()) expect(on[at]?.text).toContain(says);
    const ends = told.filter(({ type }) => type === "alarm.off").map(({ data }) => [data["kind"], data["until"]]);
    const over = alarms.filter(({ until }) => until !== null).map(({ kind, until }) => [kind, until]);
    expect(over.toSorted()).toEqual(ends.toSorted());
  });

  test("leaves out the Hour whose hits wait, and speaks the language that is asked for", async () => {
    vi.setSystemTime(NOON + 2 * HOUR_MS + 15 * MINUTE_MS);
    const before = await preview("?language=de");
    expect(before.alarms).toMatchObject([
      {
        ...{ kind: "silence", topic: "silence", since: "2026-11-18T13:00:00+01:00", until: null },
        subject: "Shop: es kommt niemand mehr",
        finding: { hours: 1, days: 12 },
      },
    ]);
    expect(before.alarms[0]?.says).toContain("Kein Besucher seit 18.11.2026, 12:00. Diese 1 Stunden");
    await worker.db.prepare("INSERT INTO overflow_notes (merchant, id, since) VALUES (1, 'm', ?)").bind(NOON).run();
    expect((await preview()).alarms).toEqual([]);
  });

  test("reads no Hours from events but those of the Day on which clocks were put back", async () => {
    vi.setSystemTime(NOON);
    const { body } = await worker.ask("POST", "/api/v2/query", {
      token: shop.api_key,
      body: {
        site_id: shop.id,
        metrics: ["visitors"],
        dimensions: ["time:hour"],
        date_range: ["2026-10-20", "2026-11-17"],
      },
    });
    expect(body.meta.sources.days_from_events).toHaveLength(1); // in one question they are
    const merchant = (await findMerchantByNumber(worker.directory, 1)) as Merchant;
    const read = await readHours(merchant, { zone: ZONE, daysBack: 48 }, worker.ownDeps());
    const hours = read.ok ? read.value.hours : [];
    expect(hours.filter(({ visitors }) => visitors >= 40)).toHaveLength(12 * 24 - 1);
    expect(new Set(hours.map(({ start }) => start)).size).toBe(hours.length);
  });

  test("does not take an alarm that was on before its first Day for a new one", async () => {
    // Nobody comes on the 18th from 12:00 to 17:00, and nobody at all from 5:00 on the 19th.
    const since = async (now: number) => {
      vi.setSystemTime(now);
      return (await preview()).alarms.map((alarm) => alarm.since.slice(0, 13));
    };
    expect(await since(NOON + 29 * DAY_MS)).toEqual(["2026-11-18T13", "2026-11-19T06"]);
    expect(await since(NOON + 30 * DAY_MS)).toEqual(["2026-11-19T06"]);
    expect(await since(NOON + 31 * DAY_MS)).toEqual([]);
  });
});

describe("[NTC-23] a pause", () => {
  test("keeps its own alarms from being told, and no other's", async () => {
    const id = await subscribe({ topics: ["silence"] });
    const other = await subscribe({ topics: ["silence"], target: "https://hook.shop.example.com/other" });
    const path = `/api/v1/merchants/${shop.id}/subscriptions/${id}`;
    const until = new Date(NOON + 3 * HOUR_MS).toISOString();
    const paused = await worker.ask("PATCH", path, { token: ADMIN_TOKEN, body: { paused_until: until } });
    expect(paused.body).toMatchObject({ state: "on", paused_until: until });
    expect((await worker.ask("POST", `${path}/test`, { token: ADMIN_TOKEN })).status).toBe(409);
    await run(NOON + 9 * HOUR_MS);
    const since = "silence:2026-11-18T12:00:00.000Z";
    expect((await written()).map((one) => one.id)).toEqual(
      expect.arrayContaining([`${other}:${since}:on`, `${other}:${since}:off`, `${id}:${since}:off`]),
    );
    expect((await written()).map((one) => one.id)).not.toContain(`${id}:${since}:on`);
  });

  test("that comes while its merchant is looked at stays: else the merchant would be due all the while, before others", async () => {
    const id = await subscribe({ topics: ["silence"] });
    const path = `/api/v1/merchants/${shop.id}/subscriptions/${id}`;
    const now = NOON + HOUR_MS;
    expect(await listLooksDue(worker.directory, { now, rowsMax: 9 })).toEqual([1]);
    const paused_until = new Date(NOON + 30 * DAY_MS).toISOString();
    await worker.ask("PATCH", path, { token: ADMIN_TOKEN, body: { paused_until } });
    await setNextLook(worker.directory, { ids: [id], now, at: now + HOUR_MS });
    expect(await listLooksDue(worker.directory, { now: NOON + 29 * DAY_MS, rowsMax: 9 })).toEqual([]);
  });

  test.each([
    ["2026-11-18T10:29:00Z", "lie ahead"],
    ["2027-11-30T00:00:00Z", "within a year"],
    ["tomorrow", "ISO 8601"],
  ])("until %s is refused", async (paused_until, says) => {
    const id = await subscribe({ topics: ["silence"] });
    const path = `/api/v1/merchants/${shop.id}/subscriptions/${id}`;
    const { status, body } = await worker.ask("PATCH", path, { token: ADMIN_TOKEN, body: { paused_until } });
    expect([status, body.error.field]).toEqual([400, "paused_until"]);
    expect(body.error.message).toContain(says);
  });
});
