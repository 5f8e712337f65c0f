// How often a question asks its ledger: once, with two statements, whatever its range is and wherever its Days lie.

import { beforeAll, expect, test } from "vitest";
import { SEAL_AFTER_MS } from "../../../core/limits.ts";
import type { Metered } from "../../../core/meter.ts";
import { DAY_MS, dateOf } from "../../../core/time.ts";
import { groupsOf } from "../../../queues/age.ts";
import { listOld, moveMonths } from "../../../storage/ledger/age.ts";
import { noteOverflow, settleOverflow } from "../../../storage/ledger/overflow-note.ts";
import { packDay } from "../../../storage/ledger/pack.ts";
import { writeRollups } from "../../../storage/ledger/rollup-write.ts";
import { memoryArchive } from "../../support/memory-bucket.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../../support/query-worker.ts";
import { rowOf } from "../../support/rollup-rows.ts";

const TODAY = Math.floor(Date.now() / DAY_MS);
const DAYS = 380;
const FIRST_OPEN = Math.floor((Date.now() - SEAL_AFTER_MS) / DAY_MS) + 1;
const PARTITION = "pool-1";

let worker: QueryWorker;
let shop: { readonly id: string; readonly api_key: string };
let number = 0;

/** A shop of thirteen months: closed Days in blocks, the others in rows. */
beforeAll(async () => {
  worker = startQueryWorker();
  const body = { name: "Shop", time_zone: "UTC", currency: "EUR" };
  shop = (await worker.ask("POST", "/api/v1/merchants", { token: ADMIN_TOKEN, body })).body;
  number = Number.parseInt((shop as unknown as { tracking_id: string }).tracking_id.slice(0, 8), 16);
  const ledger = worker.ledgers.ofMerchant(number);
  for (let day = TODAY - DAYS + 1; day <= TODAY; day++) {
    const seen = { who: [day % 7, 99], pageviews: 3, events: 3 };
    const by = { page: { "/": { who: [99], pageviews: 3 } }, source: { Direct: { who: [99] } } };
    const own = { merchant: number, partition: PARTITION };
    await writeRollups(ledger, [
      { ...rowOf({ bucket: day, seen, by }), ...own },
      ...[9, 10].map((hour) => ({
        ...rowOf({ grain: "hour", bucket: day * DAY_MS + hour * 3_600_000, day, seen, by }),
        ...own,
      })),
    ]);
    if (day < FIRST_OPEN) await packDay(ledger, { day, partition: PARTITION });
  }
}, 120_000);

async function asked(path: string, body: object) {
  const meter = async () => (await worker.ask("GET", "/api/v1/meter", { token: ADMIN_TOKEN })).body as Metered;
  const before = await meter();
  const reply = await worker.ask("POST", path, { token: shop.api_key, body: { site_id: shop.id, ...body } });
  const after = await meter();
  expect(reply.status, JSON.stringify(reply.body)).toBe(200);
  return {
    meta: reply.body.meta,
    results: reply.body.results,
    answers: reply.body.answers as Readonly<Record<string, { readonly results: unknown }>>,
    statements: after.ledger_statements - before.ledger_statements,
    roundTrips: after.ledger_round_trips - before.ledger_round_trips,
  };
}

const QUESTIONS: readonly object[] = [
  { metrics: ["visitors", "pageviews"] },
  { metrics: ["pageviews"], dimensions: ["time"] },
  { metrics: ["visitors"], dimensions: ["event:page"] },
  { metrics: ["visitors"], filters: [["is", "visit:source", ["Direct"]]] },
];

test.each(["day", "7d", "30d", "91d", "12mo", [dateOf(TODAY - 60), dateOf(TODAY - 30)]])(
  "[QRY-32] %s takes two statements in one round trip, the first time and every other",
  async (date_range) => {
    for (const question of QUESTIONS)
      for (let time = 0; time < 2; time++) {
        const { statements, roundTrips, meta } = await asked("/api/v2/query", { date_range, ...question });
        expect([statements, roundTrips, meta.sources.from], JSON.stringify(question)).toEqual([2, 1, "rollups"]);
      }
  },
);

test("[QRY-32] a comparison takes as many again, and `all` one round trip for its first Day", async () => {
  const [question] = QUESTIONS as [object];
  const include = { comparisons: { mode: "previous_period" } };
  expect(await asked("/api/v2/query", { date_range: "7d", ...question, include })).toMatchObject({
    statements: 4,
    roundTrips: 2,
  });
  expect(await asked("/api/v2/query", { date_range: "all", ...question })).toMatchObject({
    statements: 3,
    roundTrips: 2,
  });
});

test("[BAT-3] questions of a batch that read the same are one round trip", async () => {
  const questions = {
    a: { metrics: ["visitors"], dimensions: ["event:page"] },
    b: { metrics: ["pageviews"], dimensions: ["event:page"], order_by: [["pageviews", "asc"]] },
  };
  expect(await asked("/api/v2/batch", { date_range: "30d", questions })).toMatchObject({
    statements: 2,
    roundTrips: 1,
  });
});

test("[QRY-32] [BLK-11] [BLK-12] where old Days lie in month files they are read after the one look, in a batch as well, and remembered", async () => {
  const date_range = "12mo";
  const questions = Object.fromEntries(QUESTIONS.map((question, at) => [`q${at}`, question]));
  const alone = async () => {
    const found: unknown[] = [];
    for (const question of QUESTIONS) {
      const { statements, roundTrips, results } = await asked("/api/v2/query", { date_range, ...question });
      expect([statements, roundTrips]).toEqual([2, 1]);
      found.push(results);
    }
    return found;
  };
  const together = async () => {
    const { answers } = await asked("/api/v2/batch", { date_range, questions });
    return Object.keys(questions).map((name) => answers[name]?.results);
  };
  const getsOf = async (work: () => Promise<unknown>) => {
    const before = worker.counted.gets;
    expect(await work()).toEqual(inLedger);
    return worker.counted.gets - before;
  };
  const inLedger = await alone();
  const ledger = worker.ledgers.ofMerchant(number);
  const months = await listOld(ledger, { before: TODAY - 92, rowsMax: 1_000 });
  const bucket = memoryArchive(worker.objects);
  let files = 0;
  for (const some of groupsOf(months)) files += await moveMonths(ledger, { months: some, now: Date.now() }, { bucket });
  expect(files).toBeGreaterThan(8);
  const gets = await getsOf(together);
  expect(gets).toBeGreaterThanOrEqual(files - 1); // the first file may be of Days before the range
  // What a move has not changed is known by the isolate from then on.
  expect(await getsOf(alone)).toBe(0);
  expect(await getsOf(together)).toBe(0);
});

test("[OVF-8] what was delivered while a question was answered counts as waiting for that question", async () => {
  const since = Date.now() - 60_000;
  const note = { id: "message", merchants: [number], since };
  await noteOverflow(worker.ledgers, note);
  const asOf = async () =>
    Date.parse((await asked("/api/v2/query", { metrics: ["pageviews"], date_range: "7d" })).meta.as_of);
  expect(await asOf()).toBe(since);
  await settleOverflow(worker.ledgers, { ...note, now: Date.now() });
  expect(await asOf()).toBe(since);
  await settleOverflow(worker.ledgers, { ...note, id: "other", now: Date.now() - 3_600_000 });
  await worker.ledgers
    .ofMerchant(number)
    .prepare("UPDATE overflow_notes SET done_at = ? WHERE id = 'message'")
    .bind(Date.now() - 6_000)
    .run();
  expect(await asOf()).toBeGreaterThan(since);
});
