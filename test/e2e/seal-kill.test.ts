// SIGKILL while Days are being sealed, again and again, on the real runtime, with late events coming in meanwhile
// and readers looking on: whatever the kills left behind, every Day ends sealed with the numbers it had, and
// nobody ever sees one fall.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Runtime, startRuntime } from "../../scripts/runtime.ts";
import { seededRandom } from "../support/random.ts";
import {
  Client,
  FAST,
  ledgersFor,
  listDays,
  type Merchant,
  NEVER_CLOSED,
  SECRETS,
  until,
  untilArchived,
  untilCleaned,
  untilSealed,
} from "../support/services.ts";
import { startVictim, type Victim } from "../support/victim-process.ts";

const KILLS = Number(process.env["KILLS"] ?? 4);
const ZONES = ["UTC", "Asia/Kolkata", "America/New_York", "Europe/Vienna"];
const RANGE = { from: "2026-09-30", to: "2026-10-10" };
const DAYS = 8;
const EVENTS = 2_000;
const LATE_EVENTS = 100;

const stateDir = mkdtempSync(join(tmpdir(), "footfall-seal-kill-"));
let victim: Victim | undefined;
afterAll(async () => {
  await victim?.kill();
  rmSync(stateDir, { recursive: true, force: true });
});

test(`[SEA-15] sealing killed ${KILLS} times: every Day ends sealed, and readers never see a number fall`, {
  timeout: 300_000,
}, async () => {
  const random = seededRandom(11);
  const { merchants, late } = await countLive();
  const right = await withRuntime({}, (_, client) => Promise.all(merchants.map((one) => everything(client, one))));
  const readers = new Readers(merchants, right, late);
  const sealed: number[] = [];
  let sent = 0;
  for (let kills = 0; kills < KILLS; kills++) {
    victim = await startVictim(stateDir);
    const { client } = victim;
    sent += await sendLate(client, late, kills);
    await client.admin("POST", "/api/v1/archive/seal", RANGE);
    const stopReading = readers.start(client);
    await new Promise((settle) => setTimeout(settle, random.integer(200, 1_500)));
    sealed.push((await listDays(client, RANGE)).filter(({ state }) => state === "sealed").length);
    await victim.kill();
    await stopReading();
  }
  await withRuntime({ SEAL_GRACE_MS: "0" }, async (runtime, client) => {
    await untilArchived(client);
    const stopReading = readers.start(client);
    const days = await untilSealed(client, RANGE);
    await stopReading();
    expect(days.reduce((sum, { differences }) => sum + differences, 0)).toBe(0);
    expect(await Promise.all(merchants.map((one) => everything(client, one)))).toEqual(right);
    expect(await eventsOf(client, late)).toBe(sent);
    expect(await verify(client)).toMatchObject({ state: "done", differences: 0, in_doubt: 0 });
    await untilCleaned(runtime);
    expect(await Promise.all(merchants.map((one) => everything(client, one)))).toEqual(right);
    const events = merchants.length * EVENTS + sent;
    expect(await verify(client)).toMatchObject({ state: "done", differences: 0, in_doubt: 0, events });
    console.log(
      `seal: ${days.length} Days of ${events} events, ${KILLS} kills at ${sealed} sealed, ${readers.answers} answers`,
    );
  });
});

/** Who asks the same questions all the time, and compares with what was heard before. */
class Readers {
  answers = 0;
  readonly #merchants: readonly Merchant[];
  readonly #right: readonly unknown[];
  readonly #late: Merchant;
  readonly #heard = new Map<string, number>();
  #wrong: unknown;

  constructor(merchants: readonly Merchant[], right: readonly unknown[], late: Merchant) {
    this.#merchants = merchants;
    this.#right = right;
    this.#late = late;
  }

  /** Answers how to stop; stopping throws what was seen wrong. Questions that a kill cut short are none. */
  start(client: Client): () => Promise<void> {
    let isRunning = true;
    const read = async (index: number) => {
      while (isRunning && this.#wrong === undefined) {
        try {
          if (index < this.#merchants.length) await this.#readSame(client, index);
          else await this.#readGrowing(client);
          this.answers += 1;
        } catch (error) {
          if (!isRunning) return;
          if (!isOfKill(error)) this.#wrong = error;
          await new Promise((settle) => setTimeout(settle, 20));
        }
      }
    };
    const loops = [...this.#merchants, this.#late].map((_, index) => read(index));
    return async () => {
      isRunning = false;
      await Promise.all(loops);
      if (this.#wrong !== undefined) throw this.#wrong;
    };
  }

  async #readSame(client: Client, index: number): Promise<void> {
    expect(await everything(client, this.#merchants[index] as Merchant)).toEqual(this.#right[index]);
  }

  async #readGrowing(client: Client): Promise<void> {
    const question = { metrics: ["pageviews", "visitors", "events"], date_range: [RANGE.from, RANGE.to] };
    const { results } = await client.ask(this.#late, { ...question, dimensions: ["time:hour"] });
    const seen = new Map(results.map(({ dimensions, metrics }) => [String(dimensions[0]), Number(metrics[2])]));
    for (const [hour, events] of this.#heard) expect(seen.get(hour) ?? 0, hour).toBeGreaterThanOrEqual(events);
    for (const [hour, events] of seen) this.#heard.set(hour, events);
  }
}

function isOfKill(error: unknown): boolean {
  return error instanceof TypeError || (error instanceof Error && /: 50\d /.test(error.message));
}

/** Some Days of several merchants, counted while they are open, archived and published. */
async function countLive(): Promise<{ merchants: readonly Merchant[]; late: Merchant }> {
  return withRuntime(NEVER_CLOSED, async (_, client) => {
    const merchants: Merchant[] = [];
    for (const zone of ZONES) {
      const merchant = await client.createMerchant(zone);
      merchants.push(merchant);
      const events = Array.from({ length: EVENTS }, (_, index) => ({
        id: `live ${index}`,
        url: `https://shop.example/${index % 11}`,
        visitor_id: `visitor ${index % 90}`,
        timestamp: timeOf(index, EVENTS),
      }));
      for (let start = 0; start < EVENTS; start += 1_000)
        await client.send({ tracking_id: merchant.tracking_id, events: events.slice(start, start + 1_000) });
    }
    const late = await client.createMerchant("Asia/Tokyo");
    await untilArchived(client);
    await until(
      async () =>
        (await client.admin("GET", "/api/v1/partitions")) as { partitions: { unpublished_rollups: number }[] },
      ({ partitions }) => partitions.every((partition) => partition.unpublished_rollups === 0),
    );
    return { merchants, late };
  });
}

/** New events of closed Days, and those of the time before once more. Answers how many are new. */
async function sendLate(client: Client, { tracking_id }: Merchant, round: number): Promise<number> {
  const eventsOf = (one: number) =>
    Array.from({ length: LATE_EVENTS }, (_, index) => ({
      id: `late ${one} ${index}`,
      url: "https://shop.example/late",
      visitor_id: `visitor ${index % 9}`,
      timestamp: timeOf(index, LATE_EVENTS),
    }));
  const events = [...eventsOf(round), ...(round > 0 ? eventsOf(round - 1) : [])];
  const { status } = await client.send({ tracking_id, events });
  expect(status).toBe(202);
  return LATE_EVENTS;
}

function timeOf(index: number, count: number): number {
  return Date.UTC(2026, 9, 1) + Math.floor((index * DAYS * 86_400_000) / count);
}

async function withRuntime<T>(
  vars: Record<string, string>,
  work: (runtime: Runtime, client: Client) => Promise<T>,
): Promise<T> {
  const paced = { vars: { ...FAST, ...vars }, queueWaitSeconds: 0, log: () => {} };
  const runtime = await startRuntime({ stateDir, secrets: SECRETS, ledgers: ledgersFor(FAST), ...paced });
  try {
    return await work(runtime, new Client(runtime));
  } finally {
    await runtime.stop();
  }
}

/** A merchant's numbers by Hour and Day, and by page. */
async function everything(client: Client, merchant: Merchant): Promise<unknown> {
  const metrics = ["visitors", "visits", "pageviews", "bounces", "total_duration"];
  const range = { date_range: [RANGE.from, RANGE.to] };
  const [hours, days, pages] = await Promise.all([
    client.ask(merchant, { ...range, metrics, dimensions: ["time:hour"] }),
    client.ask(merchant, { ...range, metrics, dimensions: ["time:day"] }),
    client.ask(merchant, { ...range, metrics: ["visitors", "pageviews"], dimensions: ["event:page"] }),
  ]);
  return [hours.results, days.results, pages.results];
}

async function eventsOf(client: Client, merchant: Merchant): Promise<unknown> {
  const { results } = await client.ask(merchant, { metrics: ["events"], date_range: [RANGE.from, RANGE.to] });
  return results[0]?.metrics[0];
}

async function verify(client: Client): Promise<unknown> {
  const { id } = (await client.admin("POST", "/api/v1/replays", { kind: "verify", ...RANGE })) as { id: string };
  const ask = async () => (await client.admin("GET", `/api/v1/replays/${id}`)) as { state: string };
  return until(ask, ({ state }) => state === "done", 60_000);
}
