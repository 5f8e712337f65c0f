// SIGKILL in the middle of a rebuild, and again, on the real runtime: whatever the kill left behind, the job ends with
// the right numbers, and its undo gives back every row as it was.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Runtime, startRuntime } from "../../scripts/runtime.ts";
import { seededRandom } from "../support/random.ts";
import {
  Client,
  databasesOf,
  FAST,
  ledgersFor,
  NEVER_CLOSED,
  SECRETS,
  until,
  untilArchived,
} from "../support/services.ts";
import { startVictim, type Victim } from "../support/victim-process.ts";

const KILLS = Number(process.env["KILLS"] ?? 4);
const MERCHANTS = 4;
const FROM = "2026-10-01";
const TO = "2026-10-20";

const stateDir = mkdtempSync(join(tmpdir(), "footfall-replay-kill-"));
let victim: Victim | undefined;
afterAll(async () => {
  await victim?.kill();
  rmSync(stateDir, { recursive: true, force: true });
});

type Rows = readonly Readonly<Record<string, unknown>>[];

interface Job {
  readonly id: string;
  readonly state: string;
  readonly parts: { readonly all: number; readonly done: number };
  readonly differences: number;
  readonly replaced: number;
}

test(`[RPL-9] a rebuild killed ${KILLS} times ends as if it had not been, and so does an undo that lost its messages`, async () => {
  const random = seededRandom(7);
  const { right, wrong } = await prepare();
  let job: Job | undefined;
  const progress: number[] = [];
  for (let kills = 0; kills < KILLS; kills++) {
    victim = await startVictim(stateDir, NEVER_CLOSED);
    const { client } = victim;
    if (job === undefined) job = (await client.admin("POST", "/api/v1/replays", rebuild())) as Job;
    else await nudge(client, job.id);
    await new Promise((settle) => setTimeout(settle, random.integer(100, 400)));
    progress.push(((await client.admin("GET", `/api/v1/replays/${job.id}`)) as Job).parts.done);
    await victim.kill();
  }
  await withRuntime(async (runtime, client) => {
    const { id } = job as Job;
    const rebuilt = await end(runtime, client, id);
    expect(rebuilt).toMatchObject({ state: "done", replaced: wrong.length });
    expect((await dump(runtime)).map(withoutVersion)).toEqual(right.map(withoutVersion));
    const { differences } = await end(
      runtime,
      client,
      ((await client.admin("POST", "/api/v1/replays", verify())) as Job).id,
    );
    expect(differences).toBe(0);
    await client.admin("POST", `/api/v1/replays/${id}/undo`);
  });
  // That runtime has ended with the undo's messages in its memory.
  await withRuntime(async (runtime, undoing) => {
    expect(await end(runtime, undoing, (job as Job).id)).toMatchObject({ state: "undone" });
    expect(await dump(runtime)).toEqual(wrong);
  });
  console.log(`replay: ${wrong.length} rows rebuilt and undone through ${KILLS} kills, at ${progress} parts`);
}, 180_000);

const rebuild = () => ({ kind: "rebuild", from: FROM, to: TO });
const verify = () => ({ ...rebuild(), kind: "verify" });

/** Counts some Days of several merchants, then changes every row of them by hand. */
async function prepare(): Promise<{ right: Rows; wrong: Rows }> {
  return withRuntime(async (runtime, client) => {
    const merchants: string[] = [];
    for (let index = 0; index < MERCHANTS; index++) {
      const { id, tracking_id } = await client.createMerchant();
      merchants.push(id);
      const events = Array.from({ length: 1_000 }, (_, count) => ({
        url: `https://shop.example/${count % 11}`,
        visitor_id: `visitor ${count % 90}`,
        timestamp: Date.UTC(2026, 9, 1) + count * 1_700_000,
      }));
      await client.send({ tracking_id, events });
    }
    await untilArchived(client);
    await until(
      async () =>
        (await client.admin("GET", "/api/v1/partitions")) as { partitions: { unpublished_rollups: number }[] },
      ({ partitions }) => partitions.every((partition) => partition.unpublished_rollups === 0),
    );
    // New settings begin with a checkpoint: without one a restart would publish everything again, and undo our
    // mischief.
    for (const id of merchants) await client.admin("PATCH", `/api/v1/merchants/${id}`, { name: "checkpointed" });
    const right = await dump(runtime);
    const { execAll } = await databasesOf(runtime);
    for (const table of ["hourly", "daily"])
      await execAll(`UPDATE ${table} SET pageviews = pageviews + 1, by_page = NULL`);
    return { right, wrong: await dump(runtime) };
  });
}

async function withRuntime<T>(work: (runtime: Runtime, client: Client) => Promise<T>): Promise<T> {
  const runtime = await startRuntime({
    stateDir,
    ledgers: ledgersFor(FAST),
    secrets: SECRETS,
    vars: { ...FAST, ...NEVER_CLOSED },
    queueWaitSeconds: 0,
    log: () => {},
  });
  try {
    return await work(runtime, new Client(runtime));
  } finally {
    await runtime.stop();
  }
}

/** Waits for a job's end, as the cron would after the time in which nothing can be under way any more. */
async function end(runtime: Runtime, client: Client, id: string): Promise<Job> {
  await (await databasesOf(runtime)).execAll("UPDATE replay_parts SET sent_at = 1");
  await runtime.fireCrons();
  return until(
    async () => (await client.admin("GET", `/api/v1/replays/${id}`)) as Job,
    ({ state }) => state !== "running" && state !== "undoing",
  );
}

/** Sends the waiting parts on their way again at once. */
async function nudge(client: Client, id: string): Promise<void> {
  const { state } = (await client.admin("GET", `/api/v1/replays/${id}`)) as Job;
  if (state !== "running") return;
  await client.admin("POST", `/api/v1/replays/${id}/pause`);
  await client.admin("POST", `/api/v1/replays/${id}/resume`);
}

async function dump(runtime: Runtime): Promise<Rows> {
  const { rowsOfAll } = await databasesOf(runtime);
  const tables = ["hourly", "daily"].map((table) =>
    rowsOfAll<Rows[number]>(`SELECT * FROM ${table} ORDER BY merchant, bucket, "partition"`),
  );
  return (await Promise.all(tables)).flat();
}

function withoutVersion({ version: _, ...row }: Rows[number]): object {
  return row;
}
