// An answer over closed Days is remembered, also by a cache that all isolates of a place share. Somebody may hope to
// see by it what is not theirs, what was erased, or numbers of before a change; or to make others wait. Each is tried
// with the code that makes the change in production, and with two isolates: one that has the answer and one that finds
// it in the shared cache.

import { expect, test } from "vitest";
import { CHANGE_TAKES_MS, SEAL_AFTER_MS } from "../../core/limits.ts";
import { zeroMeter } from "../../core/meter.ts";
import { parseQuestion } from "../../core/query/question.ts";
import { NO_RULES } from "../../core/rules.ts";
import { DAY_MS, dateOf } from "../../core/time.ts";
import { noteChange, noteLateChange } from "../../durable-objects/change.ts";
import { erase } from "../../durable-objects/erase.ts";
import { live } from "../../durable-objects/live.ts";
import { recentEvents } from "../../durable-objects/recent.ts";
import { announce } from "../../queues/recount.ts";
import { findMerchant, type Merchant } from "../../storage/directory/merchants.ts";
import { RateMemory } from "../../storage/directory/rate-memory.ts";
import { readSettings } from "../../storage/directory/settings.ts";
import { driveErasure } from "../../storage/erasure-drive.ts";
import { createErasure } from "../../storage/ledger/erasure.ts";
import { packDay } from "../../storage/ledger/pack.ts";
import { writeRollups } from "../../storage/ledger/rollup-write.ts";
import { AnswerMemory, type SharedAnswers } from "../../workers/query/answer-memory.ts";
import { BucketMemory } from "../../workers/query/bucket-memory.ts";
import type { Deps } from "../../workers/query/deps.ts";
import { execute } from "../../workers/query/execute.ts";
import { ScanMemory } from "../../workers/query/scan-memory.ts";
import { RollupTurn, TurnMemory } from "../../workers/query/turn.ts";
import { settingsOf, TUESDAY } from "../support/events.ts";
import { TestPartition } from "../support/partition.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../support/query-worker.ts";
import { valueFrom } from "../support/questions.ts";
import { ReplayedWorld } from "../support/replayed-world.ts";
import { rowOf } from "../support/rollup-rows.ts";
import { putSettings } from "../support/sealed-world.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const ERASED = "00000000000000bb";

/** A cache as the platform has it, which keeps for ever what it is given. */
class Place implements SharedAnswers {
  readonly kept = new Map<string, Response>();

  async match(request: RequestInfo | URL): Promise<Response | undefined> {
    return this.kept.get(String(request))?.clone() as Response | undefined;
  }

  async put(request: RequestInfo | URL, response: Response): Promise<void> {
    this.kept.set(String(request), response);
  }
}

/** A shop whose Days are sealed, asked by two isolates of one place. */
class Shop {
  readonly world = new ReplayedWorld([settingsOf("UTC", { merchant: 1 })]);
  readonly place = new Place();
  readonly #isolates = [0, 1].map(() => ({ answers: new AnswerMemory(), buckets: new BucketMemory() }));
  /** How often the ledger was asked. */
  statements = 0;

  static async open(): Promise<Shop> {
    const shop = new Shop();
    const { world } = shop;
    for (let day = 0; day < 4; day++)
      await world.send([
        { id: `a${day}`, url: "https://shop.example/cart", timestamp: TUESDAY - day * DAY_MS },
        { id: `b${day}`, visitor: ERASED, timestamp: TUESDAY - day * DAY_MS - 1 },
      ]);
    await world.settle();
    await world.sealAt(DAY * DAY_MS + SEAL_AFTER_MS, 5);
    world.it.now += DAY_MS;
    await world.seal(); // what came late is counted
    world.it.now += CHANGE_TAKES_MS;
    return shop;
  }

  /** The pages of its Days, as one isolate says; `"fresh"` is one that remembers nothing and shares nothing. */
  async ask(isolate: 0 | 1 | "fresh", asked: object = {}): Promise<unknown> {
    const { world } = this;
    const memory = isolate === "fresh" ? { buckets: new BucketMemory(), answers: undefined } : this.#isolates[isolate];
    const now = () => world.it.now;
    const later: Promise<void>[] = [];
    const { ledgers } = world.databases;
    const own = ledgers.all[0] as (typeof ledgers.all)[number];
    const counting = {
      ...own,
      prepare: (text: string) => own.prepare(text),
      batch: (statements: D1PreparedStatement[]) => {
        this.statements += statements.length;
        return own.batch(statements);
      },
    };
    const answers = memory?.answers;
    const deps = {
      ...world.replayDeps(),
      ledgers: { ...ledgers, ofMerchant: () => counting },
      rates: new RateMemory(),
      buckets: memory?.buckets,
      answers: answers && { answers, sharedAnswers: this.place, answersKeptMs: 3_600_000, now },
      later: (_: string, work: Promise<void>) => void later.push(work),
      meter: zeroMeter(),
      scans: new ScanMemory(),
      turns: new TurnMemory(),
      rollupTurn: new RollupTurn({ turns: new TurnMemory(), now: () => Date.now() }),
      partition: () => ({
        live: async (request: Parameters<typeof live>[1]) => live(world.it.partition, request),
        recentEvents: async (request: Parameters<typeof recentEvents>[1]) => recentEvents(world.it.partition, request),
      }),
    } as unknown as Deps;
    const merchant = (await findMerchant(world.d1, "mer_1")) as Merchant;
    const body = { metrics: ["visitors", "pageviews"], dimensions: ["event:page"], ...asked };
    const range = { site_id: "x", date_range: [dateOf(DAY - 3), dateOf(DAY)] };
    const answered = await execute(valueFrom(parseQuestion({ ...range, ...body })), merchant, deps);
    await Promise.all(later);
    if ("places" in answered || !answered.ok) throw new Error("no answer");
    return answered.value.results;
  }

  /** Both isolates have the answer, and the place has it too. */
  async remember(): Promise<unknown> {
    const answer = await this.ask(0);
    const before = this.statements;
    expect([await this.ask(0), await this.ask(1), this.statements - before]).toEqual([answer, answer, 0]);
    return answer;
  }

  /** All say what an isolate says that remembers nothing, and go on to say it when answers are remembered again. */
  async check(old: unknown, { isOther = true }: { readonly isOther?: boolean } = {}): Promise<void> {
    for (const wait of [0, CHANGE_TAKES_MS + 100, 1]) {
      this.world.it.now += wait;
      const fresh = await this.ask("fresh");
      if (isOther) expect(fresh).not.toEqual(old);
      for (const isolate of [0, 1, 0, 1] as const) expect(await this.ask(isolate)).toEqual(fresh);
    }
  }
}

test("[RMA-2] a late event is in the answer from its acknowledgement on, while it is archived, and after it was counted", async () => {
  const shop = await Shop.open();
  const old = await shop.remember();
  await shop.world.send([{ id: "late", visitor: "00000000000000cc", timestamp: TUESDAY }]);
  await shop.check(old);
  await shop.world.settle(); // the archive has it, no rollup
  await shop.check(old);
  shop.world.it.now += DAY_MS;
  await shop.world.seal();
  await shop.check(old);
});

test("[RMA-2] an answer that was being read while a late event came is not found after it", async () => {
  const shop = await Shop.open();
  const { it } = shop.world;
  const partition = it.partition;
  // The question has heard the partition; then the event comes, is archived, and only then the ledger is read.
  const before = live(partition, { merchant: 1, grain: "day", from: DAY - 3, to: DAY + 1, dimensions: ["page"] });
  await shop.world.send([{ id: "late", visitor: "00000000000000cc", timestamp: TUESDAY }]);
  await shop.world.settle();
  it.now += CHANGE_TAKES_MS;
  const after = live(partition, { merchant: 1, grain: "day", from: DAY - 3, to: DAY + 1, dimensions: ["page"] });
  expect([after.late, before.late]).toEqual([[], []]); // both would be remembered, under names of their own
  expect(after.changedAt).not.toBe(before.changedAt);
});

test("[RMA-2] [RMA-3] rules applied to the past, and their undo, leave no answer of before", async () => {
  const shop = await Shop.open();
  const { world } = shop;
  let old = await shop.remember();
  await world.decide(1, { ...NO_RULES, bots: { drop: ["*Chrome*"], admit: [] } });
  const range = { fromDay: DAY - 3, toDay: DAY + 1, merchants: [1] };
  const job = await world.run({ kind: "rebuild", ...range, rules: "current" });
  await shop.check(old);
  old = await shop.remember();
  await world.change(job.id, "undo");
  await world.work();
  await shop.check(old);
});

test("[RMA-3] what a rebuild puts right is right in the next answer, with nothing else changed", async () => {
  const shop = await Shop.open();
  const { world } = shop;
  const totals = { metrics: ["pageviews"], dimensions: [] };
  const right = await shop.ask("fresh", totals);
  await world.spoil("UPDATE daily SET pageviews = pageviews + 3");
  const wrong = await shop.ask(0, totals);
  expect(wrong).not.toEqual(right);
  expect(await shop.ask(1, totals)).toEqual(wrong);
  await world.run({ kind: "rebuild", fromDay: DAY - 3, toDay: DAY + 1, merchants: [1] });
  for (const wait of [0, CHANGE_TAKES_MS / 2, CHANGE_TAKES_MS]) {
    world.it.now += wait / 4;
    for (const isolate of [0, 1] as const) expect(await shop.ask(isolate, totals)).toEqual(right);
  }
});

test("[RMA-2] what an erasure has taken is in no answer after it", async () => {
  const shop = await Shop.open();
  const { world } = shop;
  const old = await shop.remember();
  world.it.now += 60_000;
  const { directory, ledgers, now, pace, log, bucket } = world.deps();
  const erasing = { erase: async (request: Parameters<typeof erase>[1]) => erase(world.it.partition, request) };
  const said = {
    id: "ers_1",
    merchant: 1,
    kind: "visitor",
    visitor: ERASED,
    fromDay: DAY - 3,
    toDay: DAY + 1,
  } as const;
  const erasure = await createErasure(world.d1, {
    erasure: { ...said, createdAt: now() },
    partitions: ["pool-0"],
    openDays: [DAY + 3],
  });
  await driveErasure(erasure, { directory, ledgers, now, pace, log, bucket, partition: () => erasing });
  await world.seal();
  await shop.check(old);
  const text = [...shop.place.kept.keys()].join();
  expect(text).not.toContain(ERASED);
});

test("[RMA-2] [RMA-4] other rules, another currency and another zone have answers of their own", async () => {
  const shop = await Shop.open();
  const { world } = shop;
  const known = await readSettings(world.d1, 1);
  if (known === undefined) throw new Error("no shop");
  const revenue = { metrics: ["total_revenue"], dimensions: [] };
  for (const isolate of [0, 0, 1] as const)
    expect(JSON.stringify(await shop.ask(isolate, revenue))).toContain(`"currency":"${known.currency}"`);
  const asks = [() => shop.ask(0, revenue), () => shop.ask(1, revenue)];
  putSettings(world.database, { ...known, version: known.version + 1, currency: "JPY" });
  for (const ask of asks) expect(JSON.stringify(await ask())).toContain('"currency":"JPY"');
  putSettings(world.database, known);
  for (const ask of asks) expect(JSON.stringify(await ask())).toContain(`"currency":"${known.currency}"`);
  // Under other rules the same numbers are said, and by which rules they are.
  await shop.remember();
  const before = shop.statements;
  await world.decide(1, { ...NO_RULES, paths: { ...NO_RULES.paths, replace: [{ match: "/cart", page: "/basket" }] } });
  await shop.check(undefined, { isOther: false });
  expect(shop.statements).toBeGreaterThan(before);
  const zoned = { ...known, version: known.version + 9, zones: [{ from: 0, zone: "Pacific/Kiritimati" }] };
  putSettings(world.database, zoned);
  await shop.check(undefined, { isOther: false });
});

test("[RMA-3] what is written of a partition that questions do not ask any more is told to the one that they ask", async () => {
  const told: (readonly [partition: string, merchants: readonly number[]])[] = [];
  const deps = (poolSize: number) => ({
    poolSize,
    partition: (name: string) => ({
      noteChange: async (merchants: readonly number[]) => void told.push([name, merchants]),
    }),
  });
  const say = async (partition: string, merchants: readonly number[], poolSize: number) => {
    told.length = 0;
    await announce(partition, merchants, deps(poolSize) as never);
    return [...told];
  };
  expect(await say("pool-0", [1], 1)).toEqual([["pool-0", [1]]]);
  // The pool has grown: Days of before are still of the partition that counted them.
  const grown = await say("pool-0", [1, 2, 3, 1], 4_096);
  expect(grown[0]).toEqual(["pool-0", [1, 2, 3]]);
  expect(
    grown
      .slice(1)
      .flatMap(([, merchants]) => merchants)
      .sort(),
  ).toEqual([1, 2, 3]);
  expect(grown.length).toBeGreaterThan(2);
  // A region that is no more, and a shop that has left its own partitions.
  for (const gone of ["pool-0.eu", "merchant-1-3"])
    expect(await say(gone, [1], 1)).toEqual([
      [gone, [1]],
      ["pool-0", [1]],
    ]);
  expect(await say("pool-0", [], 1)).toEqual([]);
});

test("[RMA-3] late events of very many Days are noted in a time that grows with them, and once each", () => {
  const it = new TestPartition();
  let writes = 0;
  const { store } = it.partition.deps;
  const write = store.writeChange.bind(store);
  store.writeChange = (merchant, at) => {
    writes += 1;
    write(merchant, at);
  };
  const begun = process.cpuUsage();
  for (let round = 0; round < 2; round++)
    for (let day = 0; day < 20_000; day++) noteLateChange(it.partition, { merchant: 1, day, position: day + 1 });
  expect(writes).toBe(20_000);
  // A look through all that are noted for each took 200,000,000 steps.
  expect(process.cpuUsage(begun).user / 1_000).toBeLessThan(4_000);
  noteChange(it.partition, [1, 1]);
  expect(writes).toBe(20_001);
});

/** Two shops with five closed Days, asked over HTTP in one isolate that remembers. */
async function twoShops() {
  const worker = startQueryWorker();
  worker.changedAt = 0;
  const today = Math.floor(Date.now() / DAY_MS);
  const shops = [];
  for (const pageviews of [3, 7]) {
    const body = { name: "Shop", time_zone: "UTC", currency: "EUR" };
    const shop = (await worker.ask("POST", "/api/v1/merchants", { token: ADMIN_TOKEN, body })).body;
    const merchant = Number.parseInt(shop.tracking_id.slice(0, 8), 16);
    const ledger = worker.ledgers.ofMerchant(merchant);
    for (let day = today - 9; day < today - 4; day++) {
      const page = { "/a": { who: [1], pageviews }, "/b": { who: [2], pageviews: 1 } };
      const row = rowOf({ bucket: day, seen: { who: [1, 2], pageviews: pageviews + 1 }, by: { page } });
      await writeRollups(ledger, [{ ...row, merchant, partition: "pool-1" }]);
      await packDay(ledger, { day, partition: "pool-1" });
    }
    shops.push(shop as { readonly id: string; readonly api_key: string });
  }
  const asked = {
    metrics: ["pageviews"],
    dimensions: ["event:page"],
    date_range: [dateOf(today - 9), dateOf(today - 5)],
  };
  return { worker, shops: shops as [(typeof shops)[0], (typeof shops)[0]], asked };
}

async function statementsOf<T>(worker: QueryWorker, work: () => Promise<T>): Promise<readonly [T, number]> {
  const read = async () =>
    (await worker.ask("GET", "/api/v1/meter", { token: ADMIN_TOKEN })).body.ledger_statements as number;
  const before = await read();
  const done = await work();
  return [done, (await read()) - before];
}

test("[RMA-4] a key that was revoked, one of another shop, and a link with other filters find no answer of the shop's", async () => {
  const { worker, shops, asked } = await twoShops();
  const [shop, other] = shops;
  const ask = async (token: string, site = shop.id) =>
    worker.ask("POST", "/api/v2/query", { token, body: { site_id: site, ...asked } });
  const first = (await ask(shop.api_key)).body.results;
  expect(first).toEqual([
    { dimensions: ["/a"], metrics: [15] },
    { dimensions: ["/b"], metrics: [5] },
  ]);
  const [second, statements] = await statementsOf(worker, () => ask(shop.api_key));
  expect([second.body.results, statements]).toEqual([first, 0]);

  expect((await ask(other.api_key)).status).not.toBe(200); // of a shop that is not its own
  expect((await ask(other.api_key, other.id)).body.results[0]).toEqual({ dimensions: ["/a"], metrics: [35] });
  const links: string[] = [];
  for (const page of ["/a", "/b"]) {
    const body = { name: page, filters: [["is", "event:page", [page]]] };
    const path = `/api/v1/merchants/${shop.id}/shares`;
    links.push((await worker.ask("POST", path, { token: ADMIN_TOKEN, body })).body.token);
  }
  for (let look = 0; look < 2; look++) {
    expect((await ask(shop.api_key)).body.results).toEqual(first);
    // A link's questions are counted from events, of which there are none here.
    for (const token of links) expect((await ask(token)).body.results).toEqual([]);
  }

  const body = { name: "second", scope: "read" };
  const made = (await worker.ask("POST", `/api/v1/merchants/${shop.id}/keys`, { token: ADMIN_TOKEN, body })).body;
  expect((await ask(made.api_key)).body).toMatchObject({ results: first });
  const path = `/api/v1/merchants/${shop.id}/keys/${made.id}`;
  expect((await worker.ask("DELETE", path, { token: ADMIN_TOKEN })).status).toBeLessThan(300);
  const refused = await ask(made.api_key);
  expect([refused.status, refused.body.results]).toEqual([401, undefined]);
});
