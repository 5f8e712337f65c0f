// SIGKILL in the middle of the load, again and again, on the real runtime: every acknowledged event is counted once and
// archived once. KILLS=50 kills more often.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { startRuntime } from "../../scripts/runtime.ts";
import { queryArchive } from "../support/duckdb.ts";
import { seededRandom } from "../support/random.ts";
import { Client, FAST, ledgersFor, type Merchant, SECRETS, until, untilArchived } from "../support/services.ts";
import { startVictim, type Victim } from "../support/victim-process.ts";

const KILLS = Number(process.env["KILLS"] ?? 4);
const CLIENTS = 12;

const stateDir = mkdtempSync(join(tmpdir(), "footfall-kill-"));
let victim: Victim | undefined;
afterAll(async () => {
  await victim?.kill();
  rmSync(stateDir, { recursive: true, force: true });
});

test(`[L1] [L2] every acknowledged event is counted once through ${KILLS} kills`, { timeout: 600_000 }, async () => {
  const random = seededRandom(20261121);
  const load: Load = {
    sent: new Set(),
    acknowledged: new Set(),
    pending: [],
    running: true,
    client: undefined,
    count: 0,
  };
  let merchant: Merchant | undefined;
  let loops: Promise<void>[] = [];
  for (let kills = 0; kills < KILLS; kills++) {
    victim = await startVictim(stateDir);
    load.client = victim.client;
    merchant ??= await load.client.createMerchant();
    if (loops.length === 0)
      loops = Array.from({ length: CLIENTS }, (_, index) => sendForever(load, merchant as Merchant, index));
    const acknowledgedBefore = load.acknowledged.size;
    const seen = await countOf(load.client, merchant);
    expect(seen).toBeGreaterThanOrEqual(acknowledgedBefore);
    expect(seen).toBeLessThanOrEqual(load.sent.size);
    await new Promise((settle) => setTimeout(settle, random.integer(300, 2_000)));
    load.client = undefined;
    await victim.kill();
  }
  const runtime = await startRuntime({
    stateDir,
    secrets: SECRETS,
    vars: FAST,
    ledgers: ledgersFor(FAST),
    queueWaitSeconds: 0,
  });
  try {
    load.client = new Client(runtime);
    load.running = false;
    await Promise.all(loops); // each client resends until it has heard of all of its events
    const [client, shop] = [load.client, merchant as Merchant];
    expect(load.acknowledged).toEqual(load.sent);
    await until(
      () => countOf(client, shop),
      (count) => count === load.sent.size,
    );
    await untilArchived(client);
    const rows = await queryArchive(runtime, "SELECT event_id FROM events");
    const archived = rows.map((row) => String(row["event_id"]));
    expect(archived.length).toBe(load.sent.size);
    expect(new Set(archived)).toEqual(load.sent);
    console.log(`kill: ${KILLS} kills survived, ${load.sent.size} events acknowledged, counted and archived once`);
  } finally {
    await runtime.stop();
  }
});

interface Load {
  readonly sent: Set<string>;
  readonly acknowledged: Set<string>;
  readonly pending: string[];
  running: boolean;
  /** Undefined while everything is down. */
  client: Client | undefined;
  count: number;
}

/** Sends one to twenty events at a time; what is not acknowledged goes out again with the same ids. */
async function sendForever(load: Load, merchant: Merchant, index: number): Promise<void> {
  const random = seededRandom(index);
  let batch: string[] = [];
  while (load.running || batch.length > 0) {
    if (batch.length === 0) {
      batch = Array.from({ length: random.pick([1, 1, 5, 20]) }, () => `event ${index} ${load.count++}`);
      for (const id of batch) load.sent.add(id);
    }
    const { client } = load;
    const events = batch.map((id) => ({ id, url: "https://shop.example/", visitor_id: `visitor ${index}` }));
    try {
      if (client === undefined) throw new Error("down");
      const { status, body } = await client.send({ tracking_id: merchant.tracking_id, events });
      const turnedAway = new Set(body.rejected.map((rejection) => rejection.index));
      if (status !== 202) throw new Error(String(status));
      batch.forEach((id, at) => {
        if (!turnedAway.has(at)) load.acknowledged.add(id);
      });
      batch = batch.filter((id) => !load.acknowledged.has(id));
    } catch {
      await new Promise((settle) => setTimeout(settle, 20)); // killed under our hands: the same ids again
    }
  }
}

async function countOf(client: Client, merchant: Merchant): Promise<number> {
  const { results } = await client.ask(merchant, { metrics: ["events"], date_range: "all" });
  return results[0]?.metrics[0] as number;
}
