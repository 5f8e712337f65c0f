// Exchange rates as the API has them: imported for the deployment, decided by merchants, fetched by the cron,
// remembered by an isolate; and a merchant whose currency changes.

import { beforeEach, describe, expect, test } from "vitest";
import { CURRENCY_PERIODS_MAX, OWN_RATES_MAX, RULES_NOTICE_MS } from "../../../core/limits.ts";
import { zeroMeter } from "../../../core/meter.ts";
import { convertMoney, type RateTable } from "../../../core/rate.ts";
import { dateOf, parseDate } from "../../../core/time.ts";
import { RateMemory } from "../../../storage/directory/rate-memory.ts";
import { readFetchedAt } from "../../../storage/directory/rates.ts";
import { readSettings } from "../../../storage/directory/settings.ts";
import { meteredD1 } from "../../../storage/metered.ts";
import { fetchRates, isDue } from "../../../workers/query/rate-fetch.ts";
import { ADMIN_TOKEN, migratedDatabase, type QueryWorker, startQueryWorker } from "../../support/query-worker.ts";
import { rowOf } from "../../support/rollup-rows.ts";

let worker: QueryWorker;
let shop: { readonly id: string; readonly api_key: string };
let other: { readonly id: string; readonly api_key: string };

const day = (date: string) => parseDate(date) as number;
const as = (token: string, method: string, path: string, body?: unknown) => worker.ask(method, path, { token, body });
const admin = (method: string, path: string, body?: unknown) => as(ADMIN_TOKEN, method, `/api/v1${path}`, body);
const own = (body?: unknown, { id } = shop) =>
  admin(body === undefined ? "GET" : "POST", `/merchants/${id}/rates`, body);
const FRIDAY = { date: "2026-11-20", per_euro: { USD: "1.0562", GBP: "0.83323" } };
const THURSDAY = { date: "2026-11-19", per_euro: { USD: "1.0518" } };

beforeEach(async () => {
  worker = startQueryWorker();
  const make = async (name: string) =>
    (await admin("POST", "/merchants", { name, time_zone: "UTC", currency: "EUR" })).body;
  shop = await make("Shop");
  other = await make("Other");
});

describe("[RAT-5] the deployment's rates", () => {
  test("are added beside what is known, corrected, and taken away; the same again changes nothing", async () => {
    const post = async (...rates: readonly object[]) => (await admin("POST", "/rates", { rates })).body;
    expect(await post(FRIDAY, THURSDAY)).toEqual({ added: 2, changed: 0, unchanged: 0 });
    expect(await post(FRIDAY, THURSDAY)).toEqual({ added: 0, changed: 0, unchanged: 2 });
    const more = { date: "2026-11-20", per_euro: { AED: "3.879", USD: "1.0563" } };
    expect(await post(more, THURSDAY)).toEqual({ added: 0, changed: 1, unchanged: 1 });
    const gone = { date: "2026-11-20", per_euro: { GBP: null } };
    expect(await post(gone)).toEqual({ added: 0, changed: 1, unchanged: 0 });
    expect((await admin("GET", "/rates")).body).toEqual({
      rates: [{ date: "2026-11-20", per_euro: { USD: "1.0563", AED: "3.879" } }, THURSDAY],
      next: null,
      fetched_at: null,
    });
    expect(await post({ date: "2026-11-19", per_euro: { USD: null } })).toEqual({ added: 0, changed: 1, unchanged: 0 });
    expect(await post({ date: "2026-11-18", per_euro: { USD: null } })).toEqual({ added: 0, changed: 0, unchanged: 1 });
    expect((await admin("GET", "/rates")).body.rates).toHaveLength(1);
  });

  test("are listed by pages, the newest Day first", async () => {
    await admin("POST", "/rates", { rates: [FRIDAY, THURSDAY] });
    const first = (await admin("GET", "/rates?limit=1")).body;
    expect(first).toMatchObject({ rates: [FRIDAY], next: "2026-11-20" });
    expect((await admin("GET", `/rates?limit=1&after=${first.next}`)).body.rates).toEqual([THURSDAY]);
  });

  test("of a Day that is still to come are refused, with the place", async () => {
    const rates = [FRIDAY, { date: dateOf(Math.floor(Date.now() / 86_400_000) + 2), per_euro: { USD: "1" } }];
    expect(await admin("POST", "/rates", { rates })).toMatchObject({
      status: 400,
      body: { error: { code: "invalid_field", field: "rates", message: expect.stringMatching(/^rates\/1\/date is/) } },
    });
    expect((await admin("GET", "/rates")).body.rates).toEqual([]);
  });

  test("are the deployment's alone", async () => {
    const key = (await admin("POST", `/merchants/${shop.id}/keys`, { name: "x", scope: "admin" })).body.api_key;
    expect((await as(key, "GET", "/api/v1/rates")).status).toBe(403);
    expect((await as(key, "POST", "/api/v1/rates", { rates: [FRIDAY] })).status).toBe(403);
  });
});

describe("[RAT-7] a merchant's own rates", () => {
  const USD = { currency: "USD", in: "EUR", rate: "0.92", from: "2026-10-01" };
  const GBP = { currency: "GBP", in: "EUR", rate: "1.2", from: "2026-10-01" };

  test("are tried out, decided, and taken back by sending what stood before", async () => {
    const nothing = [
      { ...USD, rate: null },
      { ...GBP, rate: null },
    ];
    const preview = (await own({ rates: [USD, GBP], preview: true })).body;
    expect(preview).toEqual({ changed: 2, unchanged: 0, preview: true, before: nothing });
    expect((await own()).body.rates).toEqual([]);
    expect((await own({ rates: [USD, GBP] })).body).toEqual({ ...preview, preview: false });
    expect((await own()).body).toEqual({ rates: [GBP, USD], next: null });
    expect((await own({ rates: [USD] })).body).toEqual({ changed: 0, unchanged: 1, preview: false, before: [] });

    const otherWay = { currency: "EUR", in: "USD", rate: "1.1", from: "2026-10-01" };
    const changed = (await own({ rates: [otherWay, GBP] })).body;
    expect(changed).toEqual({ changed: 1, unchanged: 1, preview: false, before: [USD] });
    expect((await own()).body.rates).toEqual([otherWay, GBP]);
    await own({ rates: changed.before });
    expect((await own()).body.rates).toEqual([GBP, USD]);
    await own({ rates: preview.before });
    expect((await own()).body.rates).toEqual([]);
  });

  test("are its own, are listed by pages, and go with it", async () => {
    await own({ rates: [USD, GBP] });
    await own({ rates: [{ ...USD, rate: "0.5" }] }, other);
    const page = (await admin("GET", `/merchants/${shop.id}/rates?limit=1`)).body;
    expect(page).toEqual({ rates: [GBP], next: "1" });
    expect((await admin("GET", `/merchants/${shop.id}/rates?limit=1&after=1`)).body.rates).toEqual([USD]);
    expect((await admin("DELETE", `/merchants/${shop.id}`)).status).toBe(202);
    const left = await worker.db
      .prepare("SELECT merchant FROM own_rates UNION SELECT merchant FROM rate_versions")
      .all();
    expect(left.results).toEqual([{ merchant: 2 }]);
  });

  test("are at most so many; some can be replaced by others once old ones are taken away", async () => {
    const insert = worker.db.prepare("INSERT INTO own_rates VALUES (1, 'USD', 'EUR', ?, '1')");
    for (let at = 0; at < OWN_RATES_MAX; at++) await insert.bind(12_000 + at).run();
    expect((await own({ rates: [GBP] })).status).toBe(409);
    expect((await own({ rates: [{ ...USD, from: dateOf(12_000), rate: null }] })).status).toBe(200);
    expect((await own({ rates: [GBP] })).status).toBe(200);
  });

  test("are noted in the audit log, a merchant's key of scope admin decides them, one of scope read sees them", async () => {
    const keyOf = async (scope: string) =>
      (await admin("POST", `/merchants/${shop.id}/keys`, { name: scope, scope })).body.api_key;
    const [reader, ruler] = [await keyOf("read"), await keyOf("admin")];
    const path = `/api/v1/merchants/${shop.id}/rates`;
    expect((await as(reader, "POST", path, { rates: [USD] })).status).toBe(403);
    expect((await as(ruler, "POST", path, { rates: [USD] })).status).toBe(200);
    expect((await as(reader, "GET", path)).body.rates).toEqual([USD]);
    expect((await as(ruler, "GET", "/api/v1/audit?limit=1")).body.audit).toMatchObject([
      { act: "own_rates.change", merchant: shop.id, details: { rates: [USD] } },
    ]);
  });
});

describe("[RAT-9] an isolate remembers rates by version", () => {
  const MONEY = [{ day: day("2026-11-21"), currency: "USD", amount: 1_056_200 }];
  const into = (rates: RateTable) => convertMoney(MONEY, rates, "EUR");
  const wanted = { merchant: 1, currencies: ["EUR", "USD"], fromDay: day("2026-11-21"), toDay: day("2026-11-22") };

  test("what was imported, corrected or decided is in the next answer, and is read once", async () => {
    const memory = new RateMemory();
    const ask = async (asked = wanted) => {
      const meter = zeroMeter();
      const { amount, unconverted } = into(await memory.ratesFor(meteredD1(worker.db, meter), asked));
      return [amount, unconverted, meter.d1_rows_read];
    };
    expect(await ask()).toEqual([0, 1, 0]);
    await admin("POST", "/rates", { rates: [FRIDAY, THURSDAY] });
    expect(await ask()).toEqual([1_000_000, 0, 3]);
    expect(await ask()).toEqual([1_000_000, 0, 1]);
    await admin("POST", "/rates", { rates: [{ date: "2026-11-20", per_euro: { USD: "2" } }] });
    expect((await ask()).slice(0, 2)).toEqual([528_100, 0]);
    await own({ rates: [{ currency: "USD", in: "EUR", rate: "0.5", from: "2026-11-21" }] });
    expect(await ask()).toEqual([528_100, 0, 3]);
    await own({ rates: [{ currency: "USD", in: "EUR", rate: "0.25", from: "2026-11-21" }] });
    expect((await ask()).slice(0, 2)).toEqual([264_050, 0]);
    expect(await ask()).toEqual([264_050, 0, 2]);
    // Of another merchant they are not.
    expect((await ask({ ...wanted, merchant: 2 })).slice(0, 2)).toEqual([528_100, 0]);
  });

  test("a range that is not remembered is read, one within it is not; of one currency nothing is", async () => {
    const rates = Array.from({ length: 60 }, (_, at) => ({
      date: dateOf(day("2026-09-20") + at),
      per_euro: { USD: "2" },
    }));
    await admin("POST", "/rates", { rates });
    const memory = new RateMemory();
    const read = async (change: Partial<typeof wanted>) => {
      const meter = zeroMeter();
      await memory.ratesFor(meteredD1(worker.db, meter), { ...wanted, ...change });
      return meter.d1_rows_read;
    };
    const { fromDay } = wanted;
    expect(await read({ currencies: ["EUR", "EUR"] })).toBe(0);
    expect(await read({ fromDay: fromDay - 20 })).toBe(1 + 32);
    expect(await read({ fromDay: fromDay - 10 })).toBe(1);
    expect(await read({ fromDay: fromDay - 30 })).toBe(1 + 42);
    expect(await read({ fromDay: fromDay - 20, toDay: fromDay - 10 })).toBe(1);
    // Too long to be kept: read each time, and what was kept stays.
    expect(await read({ fromDay: fromDay - 3_000 })).toBe(1 + 60);
    expect(await read({ fromDay: fromDay - 30 })).toBe(1);
  });
});

describe("[RAT-6] the cron fetches rates once a day", () => {
  const CSV = "Date, USD, JPY, \n20 November 2026, 1.0562, 164.18, \n";
  const AT = Date.parse("2026-11-20T16:05:00Z");

  function cron(
    answers: readonly (() => Response | Promise<Response>)[],
    ratesUrl = "https://rates.example/daily.csv?key=secret",
  ) {
    const db = migratedDatabase();
    const asked: string[] = [];
    const lines: object[] = [];
    const run = async (now: number) => {
      const fetch = async (url: string) => {
        asked.push(url);
        return await (answers[asked.length - 1] as () => Response | Promise<Response>)();
      };
      await fetchRates({
        directory: db,
        now: () => now,
        log: (line) => void lines.push(line),
        ratesUrl,
        fetch,
      });
    };
    const known = async () => (await db.prepare("SELECT day, per_euro FROM rates ORDER BY day").all()).results;
    return { db, asked, lines, run, known };
  }
  const ok = () => new Response(CSV);

  test("after the central bank has published, whatever number of crons there are", async () => {
    const { asked, lines, run, known } = cron([ok, ok]);
    await run(AT);
    await run(AT + 300_000);
    await run(Date.parse("2026-11-21T15:59:00Z"));
    expect(asked).toEqual(["https://rates.example/daily.csv?key=secret"]);
    await run(Date.parse("2026-11-21T16:00:00Z"));
    expect(asked).toHaveLength(2);
    expect(await known()).toEqual([{ day: day("2026-11-20"), per_euro: '{"USD":"1.0562","JPY":"164.18"}' }]);
    expect(lines).toEqual([
      { event: "rates_fetched", days: 1, added: 1, changed: 0 },
      { event: "rates_fetched", days: 1, added: 0, changed: 0 },
    ]);
  });

  test.each([
    ["an error", () => new Response("busy", { status: 503 }), "Error: answered 503"],
    ["no answer", () => Promise.reject(new Error("connection refused")), "Error: connection refused"],
    ["another file", () => new Response("<html>"), "Error: The file is XML and has no <Cube"],
    ["half a file", () => new Response("Date,USD\n2026-11-20,1.05\n2026-11-19,1."), 'Error: Line 3: USD is "1."'],
  ])("%s is logged, changes nothing, and is tried again by the next cron", async (_, broken, error) => {
    const { db, asked, lines, run, known } = cron([broken, ok]);
    await run(AT);
    expect(lines).toEqual([{ event: "rates_fetch_failed", error: expect.stringContaining(error) }]);
    expect([await known(), await readFetchedAt(db)]).toEqual([[], null]);
    await run(AT + 300_000);
    expect(asked).toHaveLength(2);
    expect(await known()).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain("secret");
  });

  test("a Day that is still to come is left out", async () => {
    const { run, known } = cron([() => new Response("Date,USD\n2026-11-25,1.05\n2026-11-20,1.06")]);
    await run(AT);
    expect(await known()).toEqual([{ day: day("2026-11-20"), per_euro: '{"USD":"1.06"}' }]);
  });

  test("without an address nothing is fetched", async () => {
    const { asked, run } = cron([], "");
    await run(AT);
    expect(asked).toEqual([]);
  });

  test.each([
    [null, "2026-11-20T00:00:00Z", true],
    ["2026-11-19T16:00:00Z", "2026-11-20T15:59:59Z", false],
    ["2026-11-19T16:00:00Z", "2026-11-20T16:00:00Z", true],
    ["2026-11-19T15:59:59Z", "2026-11-20T09:00:00Z", true],
  ])("fetched at %s, at %s it is due: %s", (fetched, now, due) => {
    expect(isDue({ fetchedAt: fetched === null ? null : Date.parse(fetched), now: Date.parse(now) })).toBe(due);
  });
});

describe("[MER-8] a merchant's currency can change", () => {
  const change = (currency: string) => admin("PATCH", `/merchants/${shop.id}`, { currency });
  const settings = () => readSettings(worker.db, 1);

  test("before anything was counted it is the new one from the beginning", async () => {
    const changed = (await change("USD")).body;
    expect(changed).toMatchObject({ currency: "USD" });
    expect(changed).not.toHaveProperty("currencies");
    expect(await settings()).toMatchObject({ currency: "USD", version: 2 });
    expect(await settings()).not.toHaveProperty("currencies");
  });

  test("after that at once for answers, and half an hour ahead for events that name none; partitions are told", async () => {
    worker.live.push(rowOf({ grain: "day", bucket: 20_500, seen: { who: [1] } }));
    const before = Date.now();
    const changed = (await change("USD")).body;
    const from = Date.parse(changed.currencies[1].from);
    expect(from - before).toBeGreaterThanOrEqual(RULES_NOTICE_MS);
    expect(from - Date.now()).toBeLessThanOrEqual(RULES_NOTICE_MS);
    expect(changed).toMatchObject({
      currency: "USD",
      currencies: [
        { currency: "EUR", from: null },
        { currency: "USD", from: expect.any(String) },
      ],
    });
    expect(worker.refreshed).toEqual([1]);
    const currencies = [
      { from: 0, currency: "EUR" },
      { from, currency: "USD" },
    ];
    expect(await settings()).toMatchObject({ currency: "USD", currencies });
    expect(
      (await admin("PATCH", `/merchants/${shop.id}`, { currency: "USD", name: "Same" })).body.currencies,
    ).toHaveLength(2);
    expect((await admin("GET", "/audit?limit=2")).body.audit[1]).toMatchObject({
      act: "merchant.change",
      details: { currency: "USD" },
    });
  });

  test("answers are in it at once, also those of keys that asked before", async () => {
    worker.live.push(rowOf({ grain: "day", bucket: 20_500, seen: { who: [1] } }));
    const question = { site_id: shop.id, metrics: ["total_revenue"], date_range: ["2026-02-16", "2026-02-17"] };
    const ask = async () =>
      (await as(shop.api_key, "POST", "/api/v2/query", question)).body.results[0].metrics[0].currency;
    expect(await ask()).toBe("EUR");
    await change("USD");
    expect(await ask()).toBe("USD");
  });

  test("a merchant has had so many currencies at most", async () => {
    worker.live.push(rowOf({ grain: "day", bucket: 20_500, seen: { who: [1] } }));
    const currencies = Array.from({ length: CURRENCY_PERIODS_MAX }, (_, from) => {
      return { from, currency: from % 2 === 0 ? "EUR" : "USD" };
    });
    await worker.db
      .prepare("UPDATE merchants SET currencies = ?, currency = 'USD' WHERE number = 1")
      .bind(JSON.stringify(currencies))
      .run();
    expect(await change("CHF")).toMatchObject({
      status: 409,
      body: { error: { code: "conflict", field: "currency" } },
    });
  });
});
