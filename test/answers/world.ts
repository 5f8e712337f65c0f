// The product that the property test of answers asks: partitions on node:sqlite, an archive in memory, D1, seals and
// replays, all of it production code. Requests come through the collector's placing to the partitions' append;
// questions go to the code behind the query API. Nothing fails here (test/simulation is where everything does): what is
// tried is what the numbers are.

import type { RecentRequest } from "../../core/archive/recent.ts";
import type { LiveRequest } from "../../core/counting/live.ts";
import { partitionsOf } from "../../core/counting/placement.ts";
import type { ReplayPart } from "../../core/counting/replay-part.ts";
import { ANSWERS_KEPT_MS, LATE_COALESCE_MS, SEAL_AFTER_MS, SEAL_GRACE_MS } from "../../core/limits.ts";
import type { Settings } from "../../core/merchant.ts";
import { zeroMeter } from "../../core/meter.ts";
import type { Outcome } from "../../core/outcome.ts";
import type { Answer } from "../../core/query/answer.ts";
import type { BatchKind } from "../../core/query/batch.ts";
import { openBudgets } from "../../core/query/budget.ts";
import { parseQuestion } from "../../core/query/question.ts";
import { REPORTS, type ReportName } from "../../core/query/report-count.ts";
import { NO_RULES } from "../../core/rules.ts";
import { DAY_MS, dayAt, dayStart } from "../../core/time.ts";
import { append } from "../../durable-objects/append.ts";
import { noteChange } from "../../durable-objects/change.ts";
import { confirm } from "../../durable-objects/drain.ts";
import { tick } from "../../durable-objects/duties.ts";
import { live, unpublished } from "../../durable-objects/live.ts";
import { recentEvents } from "../../durable-objects/recent.ts";
import { completeness, dropDay } from "../../durable-objects/seal.ts";
import { counted } from "../../durable-objects/spread.ts";
import { statusOf } from "../../durable-objects/status.ts";
import { archiveBody } from "../../queues/archive.ts";
import { replayBody } from "../../queues/replay.ts";
import { makeRuns } from "../../queues/run.ts";
import { driveSeals, type SealDeps, sealDays } from "../../queues/seal.ts";
import { packBundle } from "../../storage/archive/bundle-message.ts";
import { encodeParquet } from "../../storage/archive/parquet.ts";
import { findMerchant, type Merchant } from "../../storage/directory/merchants.ts";
import { RateMemory } from "../../storage/directory/rate-memory.ts";
import { writeRates } from "../../storage/directory/rates.ts";
import { noteArchived } from "../../storage/ledger/places.ts";
import { writeRollups } from "../../storage/ledger/rollup-write.ts";
import type { SealPlace } from "../../storage/ledger/sealed-day.ts";
import { readProgress } from "../../storage/replay.ts";
import { place, SpreadMemory } from "../../workers/collector/place.ts";
import { AnswerMemory } from "../../workers/query/answer-memory.ts";
import { app } from "../../workers/query/app.ts";
import { BucketMemory } from "../../workers/query/bucket-memory.ts";
import type { Deps as QueryDeps } from "../../workers/query/deps.ts";
import { execute } from "../../workers/query/execute.ts";
import { prove } from "../../workers/query/proof.ts";
import { type AskedReplay, startReplay } from "../../workers/query/replay-start.ts";
import { readReport } from "../../workers/query/report.ts";
import { ScanMemory } from "../../workers/query/scan-memory.ts";
import { Together } from "../../workers/query/together.ts";
import { RollupTurn, TurnMemory } from "../../workers/query/turn.ts";
import { makeDatabases } from "../support/databases.ts";
import { batchOf, deliver } from "../support/delivery.ts";
import { settingsOf } from "../support/events.ts";
import { memoryArchive } from "../support/memory-bucket.ts";
import { unpackAll } from "../support/packed.ts";
import { TestPartition } from "../support/partition.ts";
import { putSettings } from "../support/sealed-world.ts";
import { sqliteD1 } from "../support/sqlite.ts";
import { localDate } from "./calendar.ts";
import type { Stored } from "./model.ts";
import { addressOf, CURRENCY, type PublishedRate, type Request, type Story, type Told, toEvent } from "./traffic.ts";

export const POOL_SIZE = 2;
const ADMIN_TOKEN = "the-admin-token-of-this-test";
/** How often partitions and queues get a turn. */
const TURN_MS = 8 * 3_600_000;
/** Goals of every merchant, from the beginning; the model has them in its own words. */
const GOALS = [
  { name: "Signup", event: "signup" },
  { name: "Paid", page: "/pay" },
  { name: "Blog", page: "/b*" },
];

export interface ExportBody {
  /** Dates, both included. */
  readonly from: string;
  readonly to: string;
  readonly filters: readonly unknown[];
}

export class AnswersWorld {
  now: number;
  /** Everything that came, copies too, in the order in which it did. */
  readonly stored: Stored[] = [];
  readonly log: unknown[] = [];
  readonly #databases = makeDatabases();
  readonly #database = this.#databases.database;
  readonly #d1 = sqliteD1(this.#database);
  readonly #all: readonly Settings[];
  readonly #zones: ReadonlyMap<number, string>;
  readonly #partitions = new Map<string, TestPartition>();
  readonly #delivered = new Map<string, { archived: number; published: number }>();
  readonly #objects = new Map<string, Uint8Array>();
  readonly #seals: { readonly place: SealPlace; readonly at: number }[] = [];
  readonly #parts: ReplayPart[] = [];
  readonly #memory = {
    buckets: new BucketMemory(),
    answers: new AnswerMemory(),
    scans: new ScanMemory(),
    turns: new TurnMemory(),
    rates: new RateMemory(),
    spreads: new SpreadMemory(),
  };
  #turned: number;
  #ids = 0;

  constructor({ merchants, start }: Pick<Story, "merchants" | "start">) {
    this.now = start;
    this.#turned = start;
    this.#zones = new Map(merchants.map(({ merchant, zone }) => [merchant, zone]));
    const all = merchants.map(({ merchant, zone, spread }) => {
      const moves = dayStart(zone, dayAt(zone, start) + 1);
      const periods = {
        pool: [],
        spread: [{ from: 0, partitions: 3 }],
        moves: [{ from: moves, partitions: 2 }],
      }[spread];
      const rules = [{ version: 1, from: 0, rules: { ...NO_RULES, goals: GOALS } }];
      return settingsOf(zone, { merchant, currency: CURRENCY, rules, spread: periods });
    });
    for (const one of all) {
      putSettings(this.#database, one);
      this.#database.prepare("UPDATE merchants SET id = ? WHERE number = ?").run(idOf(one.merchant), one.merchant);
    }
    this.#all = all;
    for (const one of all) for (const name of this.#namesOf(one)) this.#it(name);
  }

  zoneOf(merchant: number): string {
    return this.#zones.get(merchant) as string;
  }

  /** Sends requests at their times; in between the alarms, queues and crons have their turns. */
  async play(requests: readonly Request[]): Promise<void> {
    for (const { at, events } of requests) {
      while (this.#turned + TURN_MS < at) await this.turn(this.#turned + TURN_MS);
      this.#set(at);
      await this.#take(events);
    }
  }

  async publishRates(rates: readonly PublishedRate[]): Promise<void> {
    const days = rates.map(({ date, perEuro }) => ({
      day: Date.parse(`${date}T00:00:00Z`) / DAY_MS,
      perEuro: { USD: perEuro },
    }));
    if (days.length > 0) await writeRates(this.#d1, days);
  }

  /** One turn of everything that waits: alarms, bundles, rollups, seals. */
  async turn(now: number): Promise<void> {
    this.#turned = now;
    this.#set(now);
    for (const { partition } of this.#partitions.values()) await tick(partition);
    await this.#deliver();
    await driveSeals(this.sealDeps());
    await this.#consumeSeals();
  }

  /** Turns until nothing waits any more. */
  async settle(now: number): Promise<void> {
    for (let turn = 0; turn < 4; turn++) await this.turn(now + turn * 2 * LATE_COALESCE_MS);
  }

  /** The answer, or why there is none. */
  async ask(merchant: number, body: object): Promise<Outcome<Answer>> {
    const question = parseQuestion({ site_id: "m", ...body });
    if (!question.ok) return question;
    return execute(question.value, await this.#merchant(merchant), this.#queryDeps()) as Promise<Outcome<Answer>>;
  }

  /** Rows of a report, each with its name in front. */
  async report(merchant: number, kind: ReportName, body: object): Promise<readonly (readonly unknown[])[]> {
    const report = REPORTS[kind]({ site_id: "m", ...body }, []);
    if (!report.ok) throw new Error(report.rejection.message);
    const answer = await readReport(report.value, await this.#merchant(merchant), this.#queryDeps());
    if (!answer.ok) throw new Error(JSON.stringify(answer));
    const { results } = answer.value as { readonly results: readonly Record<string, unknown>[] };
    return results.map((row) => {
      if (kind === "funnel") return [row["name"], row["visitors"]];
      if (kind === "retention") return [row["cohort"], row["visitors"], row["retained"]];
      return [JSON.stringify(row["pages"]), row["visits"]];
    });
  }

  /**
   * What each of some questions and reports is answered, asked alone one after the other or together. Nothing is
   * remembered of scans that were made before.
   */
  async texts(
    merchant: number,
    asked: readonly { readonly kind: BatchKind; readonly body: object }[],
    way: "alone" | "together",
  ): Promise<readonly string[]> {
    const whose = await this.#merchant(merchant);
    const answer = async ({ kind, body }: (typeof asked)[number], deps: QueryDeps) => {
      const sent = { site_id: "m", ...body };
      const question = kind === "query" ? parseQuestion(sent) : REPORTS[kind](sent, []);
      if (!question.ok) return JSON.stringify(question);
      if (!("together" in question.value)) return JSON.stringify(await execute(question.value, whose, deps));
      return JSON.stringify(await readReport(question.value, whose, deps));
    };
    const fresh = () => ({ ...this.#queryDeps(), scans: new ScanMemory() });
    if (way === "together") return new Together(whose, fresh()).each(asked, answer);
    const texts: string[] = [];
    for (const one of asked) texts.push(await answer(one, fresh()));
    return texts;
  }

  /** What proves a merchant's Days. */
  async proof(merchant: number, { from, to }: { readonly from: number; readonly to: number }) {
    const proof = await prove(await this.#merchant(merchant), { from, to, budgets: openBudgets() }, this.#queryDeps());
    if (!proof.ok) throw new Error(proof.rejection.message);
    return proof.value;
  }

  /** Ids of the events that an export of some dates has, as the admin API gives it. */
  async exported(merchant: number, { from, to, filters }: ExportBody): Promise<readonly string[]> {
    const asked = new URLSearchParams({ from, to, ...(filters.length > 0 && { filters: JSON.stringify(filters) }) });
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const bindings = {
      DIRECTORY: this.#databases.directory,
      LEDGER_0: this.#databases.ledgers.all[0],
      BUCKET: memoryArchive(this.#objects),
      PARTITION: { getByName: (name: string) => this.#stubOf(name) },
      POOL_SIZE: String(POOL_SIZE),
      TRACKING_SECRET: "secret",
      RATE_LIMITS: "off",
      ADMIN_TOKEN,
    };
    const later: Promise<unknown>[] = [];
    const context = { waitUntil: (work: Promise<unknown>) => void later.push(work) } as unknown as ExecutionContext;
    const path = `/api/v1/merchants/${idOf(merchant)}/events?${asked}`;
    const response = await app.request(path, { headers }, bindings, context);
    const text = await response.text();
    await Promise.all(later);
    if (!response.ok) throw new Error(`an export is refused: ${response.status} ${text}`);
    const lines = text.split("\n").filter((line) => line !== "");
    return lines.map((line) => (JSON.parse(line) as { readonly event_id: string }).event_id);
  }

  /** Wrong numbers in half of the stored rollups. */
  async spoilRollups(): Promise<void> {
    await unpackAll(this.#database);
    for (const table of ["hourly", "daily"])
      this.#database.exec(`UPDATE ${table} SET pageviews = pageviews + 3, visits = visits + 1 WHERE events % 2 = 0`);
  }

  /** A replay job, to its end. */
  async replay(asked: Partial<AskedReplay> & Pick<AskedReplay, "kind" | "fromDay" | "toDay">) {
    const none = { merchants: undefined, rules: "dated", draft: undefined, dimensions: undefined } as const;
    const deps = {
      ...this.sealDeps(),
      placement: { poolSize: POOL_SIZE, regions: [] },
      random: (bytes: number) => new Uint8Array(bytes).fill(++this.#ids),
      sendParts: async (parts: readonly ReplayPart[]) => void this.#parts.push(...parts),
    };
    const started = await startReplay({ ...none, ...asked }, deps);
    if (!started.ok) throw new Error(JSON.stringify(started));
    for (let part = this.#parts.shift(); part !== undefined; part = this.#parts.shift()) await replayBody(part, deps);
    return readProgress(this.#databases, started.value.id);
  }

  async #take(events: readonly Told[]): Promise<void> {
    const arrivals = events.map((told, sequence) => {
      const event = toEvent(told, { receivedAt: this.now, sequence });
      return { event, address: addressOf(told), floating: false };
    });
    const tolds = new Map(arrivals.map(({ event }, index) => [event.id, { told: events[index] as Told, index }]));
    const fates = await place(arrivals, {
      spreads: this.#memory.spreads,
      poolSize: POOL_SIZE,
      nearby: undefined,
      delivery: {
        append: async (name, slice) => {
          const reply = await append(this.#it(name).partition, slice);
          for (const [at, fate] of reply === "overloaded" ? [] : reply.entries()) {
            if (typeof fate === "object" && "moved" in fate) continue;
            const { told, index } = tolds.get(slice[at]?.event.id ?? "") as { told: Told; index: number };
            const date = localDate(this.zoneOf(told.merchant), told.at);
            const visitor = told.isKnown ? told.person : `${told.person} on ${date}`;
            this.stored.push({ told, partition: name, receivedAt: this.now, sequence: index, visitor });
          }
          return reply;
        },
        overflow: () => Promise.reject(new Error("nothing overflows here")),
        log: (line) => void this.log.push(line),
      },
    });
    if (fates.includes("unavailable") || fates.includes("unknown")) throw new Error(`not taken: ${fates.join()}`);
  }

  /** What partitions have sent arrives: bundles are archived, rollups written. */
  async #deliver(): Promise<void> {
    for (const [name, it] of this.#partitions) {
      const done = this.#delivered.get(name) as { archived: number; published: number };
      for (const { text } of it.sent.slice(done.archived)) {
        await archiveBody(packBundle(text), {
          ...this.sealDeps(),
          encode: encodeParquet,
          confirm: async (_, first) => confirm(it.partition, first),
          takeMissed: () => Promise.reject(new Error("no partition is lost here")),
          sendRuns: async (places) => {
            for (const place of places) await makeRuns(place, this.sealDeps());
          },
          note: async (bundle) => {
            const woken = await noteArchived(this.#d1, { bundle, now: this.now });
            for (const own of woken) this.#seals.push({ place: own, at: this.now + LATE_COALESCE_MS });
          },
        });
      }
      done.archived = it.sent.length;
      await writeRollups(this.#d1, it.published.slice(done.published));
      done.published = it.published.length;
    }
  }

  async #consumeSeals(): Promise<void> {
    for (;;) {
      const index = this.#seals.findIndex(({ at }) => at <= this.now);
      const [next] = index < 0 ? [] : this.#seals.splice(index, 1);
      if (next === undefined) return;
      await sealDays(batchOf("footfall-seal", deliver("seal", next.place)), this.sealDeps());
    }
  }

  sealDeps(): SealDeps {
    return {
      ...this.#databases,
      bucket: memoryArchive(this.#objects),
      partition: (name) => {
        const { partition } = this.#it(name);
        return {
          unpublished: async (day) => unpublished(partition, day),
          live: async (request) => live(partition, request),
          completeness: async (day) => completeness(partition, day),
          dropDay: async (day) => dropDay(partition, day),
          status: async () => statusOf(partition),
          noteChange: async (merchants) => noteChange(partition, merchants),
        };
      },
      poolSize: POOL_SIZE,
      sendSeals: async (places, delaySeconds) => {
        for (const own of places) this.#seals.push({ place: own, at: this.now + delaySeconds * 1_000 });
      },
      now: () => this.now,
      pace: { sealAfterMs: SEAL_AFTER_MS, lateCoalesceMs: LATE_COALESCE_MS, sealGraceMs: SEAL_GRACE_MS },
      meter: zeroMeter(),
      log: (line) => void this.log.push(line),
    };
  }

  #queryDeps(): QueryDeps {
    const deps: Partial<Record<keyof QueryDeps, unknown>> = {
      ...this.#databases,
      partition: (name: string) => this.#stubOf(name),
      placement: { poolSize: POOL_SIZE, regions: [] },
      buckets: this.#memory.buckets,
      answers: {
        answers: this.#memory.answers,
        sharedAnswers: undefined,
        answersKeptMs: ANSWERS_KEPT_MS,
        now: () => this.now,
      },
      scans: this.#memory.scans,
      turns: this.#memory.turns,
      rollupTurn: new RollupTurn({ turns: this.#memory.turns, now: () => Date.now() }),
      rates: this.#memory.rates,
      bucket: memoryArchive(this.#objects),
      meter: zeroMeter(),
      pace: { sealAfterMs: SEAL_AFTER_MS },
      now: () => this.now,
      log: (line: unknown) => void this.log.push(line),
      later: (_: string, work: Promise<void>) => void work,
    };
    return deps as unknown as QueryDeps;
  }

  /** What the query Worker may ask of a partition. */
  #stubOf(name: string) {
    return {
      live: async (request: LiveRequest) => live(this.#it(name).partition, request),
      recentEvents: async (request: RecentRequest) => recentEvents(this.#it(name).partition, request),
    };
  }

  async #merchant(merchant: number): Promise<Merchant> {
    return (await findMerchant(this.#d1, idOf(merchant))) as Merchant;
  }

  #namesOf(settings: Settings): readonly string[] {
    return partitionsOf(settings, { poolSize: POOL_SIZE, regions: [] });
  }

  /** A partition is there once somebody asks it anything. */
  #it(name: string): TestPartition {
    const known = this.#partitions.get(name);
    if (known !== undefined) return known;
    const it = new TestPartition(name, POOL_SIZE);
    it.now = this.now;
    it.counted = async (other, request) => counted(this.#it(other).partition, request);
    for (const one of this.#all) it.settings.set(one.merchant, one);
    this.#partitions.set(name, it);
    this.#delivered.set(name, { archived: 0, published: 0 });
    return it;
  }

  #set(now: number): void {
    this.now = now;
    for (const it of this.#partitions.values()) it.now = now;
  }
}

/** As the admin API names it. */
function idOf(merchant: number): string {
  return `mer_${"a".repeat(23)}${"abcdefg"[merchant]}`;
}
