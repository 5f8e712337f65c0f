// The doctor, and what recovering a ledger asks for, on the query Worker in Node. That numbers come back is the drill's
// (test/e2e/drill.test.ts).

import { beforeEach, expect, test } from "vitest";
import { bundleKey, deadLetterKey, manifestKey, sealedFolder } from "../../../core/archive/object-key.ts";
import { RECOVERED_DAYS } from "../../../core/limits.ts";
import { dateOf, dayAt } from "../../../core/time.ts";
import { encodeParquet } from "../../../storage/archive/parquet.ts";
import { nameOf } from "../../../storage/directory/backup.ts";
import { eventOf } from "../../support/events.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../../support/query-worker.ts";

const DAY = dayAt("UTC", Date.now()) - 10;
const PLACE = { date: dateOf(DAY), partition: "pool-0" };

let worker: QueryWorker;

const admin = (method: string, path: string, body?: object) =>
  worker.ask(method, `/api/v1${path}`, { token: ADMIN_TOKEN, body });
const put = (key: string) => worker.objects.set(key, new Uint8Array([1]));
const ledgerOf = () => worker.ledgers.all[0] as D1Database;

/** What is not whole, and what mends it. */
async function wrong() {
  const { findings } = (await admin("GET", "/doctor")).body;
  return (findings as { state: string; whole: boolean; command: string | null }[])
    .filter(({ whole }) => !whole)
    .map(({ state, command }) => [state, command]);
}

async function seal(folder: string): Promise<void> {
  await ledgerOf()
    .prepare(
      `INSERT INTO archive_days (day, "partition", generation, folder, rows, merchants, bytes, duplicates, differences, shown,
       late_marks, attempts, error) VALUES (?, 'pool-0', 1, ?, 1, 1, 1, 0, 0, '[]', 0, 0, '')`,
    )
    .bind(DAY, folder)
    .run();
}

/** With an event at the position of its key and one after it. */
function putBundle(place: { readonly date: string; readonly partition: string; readonly first: number }): void {
  const rows = [0, 1].map((at) => ({ partition: place.partition, position: place.first + at, event: eventOf({}) }));
  worker.objects.set(bundleKey(place), encodeParquet({ ...place, rows }));
}

beforeEach(async () => {
  worker = startQueryWorker();
  put(`backup/directory/${nameOf(Date.now())}.json`);
  await admin("POST", "/merchants", { name: "Shop", time_zone: "UTC", currency: "EUR" });
});

test("[RCV-9] a deployment that is whole; backups that are old or missing; dead letters", async () => {
  const { whole, findings } = (await admin("GET", "/doctor")).body;
  expect(whole).toBe(true);
  expect((findings as { state: string }[]).map(({ state }) => state)).toEqual([
    "bucket",
    "directory",
    "backups",
    "ledger 0",
    "partitions",
    "erasures",
    "dead letters",
  ]);
  worker.objects.clear();
  put(`backup/directory/${nameOf(Date.now() - 3 * 3_600_000)}.json`);
  put(deadLetterKey({ queue: "footfall-archive", digest: "00" }));
  expect(await wrong()).toEqual([
    ["bucket", "footfall recover bucket"], // the merchant's number is claimed no more
    ["backups", "footfall backup"],
    ["dead letters", "footfall dead-letters redrive"],
  ]);
});

test("[RCV-9] a directory of an earlier instant; sealed files that a ledger knows and R2 has not, with others there or without", async () => {
  await worker.directory.prepare("UPDATE deployment SET epoch = 0").run();
  await seal(sealedFolder(PLACE, "1-5-0"));
  expect(await wrong()).toEqual([
    ["bucket", "footfall recover bucket"],
    ["directory", "footfall recover directory"],
  ]);
  put(manifestKey(sealedFolder(PLACE, "2-9-0")));
  expect(await wrong()).toContainEqual(["ledger 0", "footfall recover ledger 0"]);
  put(manifestKey(sealedFolder(PLACE, "1-5-0")));
  expect(await wrong()).toEqual([["directory", "footfall recover directory"]]);
});

test("[RCV-9] of a database that does not answer the doctor says what comes before its recovery where it is gone", async () => {
  await ledgerOf().prepare("DROP TABLE archive_days").run();
  const { findings } = (await admin("GET", "/doctor")).body;
  const [ledger] = findings.filter(({ whole }: { whole: boolean }) => !whole);
  expect(ledger).toMatchObject({ state: "ledger 0", command: "footfall recover ledger 0" });
  expect(ledger.says).toContain("`footfall deploy <name>` first");
});

test("[RCV-9] a partition that has had fewer events than it told of, until it is recovered; one that is none", async () => {
  await ledgerOf().prepare(`UPDATE partition_status SET events = 7 WHERE "partition" = 'pool-2'`).run();
  worker.durable.set("pool-2", 6);
  expect(await wrong()).toEqual([["partitions", "footfall recover partition pool-2"]]);
  const { status, body } = await admin("POST", "/recover/partition", { partition: "pool-2" });
  expect(status).toBe(202);
  expect(body).toMatchObject({ partition: "pool-2", counted: 0, kept: 0, next: null, archived_at: null });
  expect(body.first_position).toBeGreaterThan(7);
  worker.durable.set("pool-2", 7);
  expect(await wrong()).toEqual([]);
  expect((await admin("POST", "/recover/partition", { partition: "pool-9" })).status).toBe(404);
  expect((await admin("POST", "/recover/partition", { partition: "x/../pool-1" })).status).toBe(400);
  expect((await admin("POST", "/recover/partition", { partition: "pool-1", step: "{}" })).status).toBe(400);
});

test("[RCV-8] [RCV-9] erasures that no ledger knows are asked for once more, under their own number and id", async () => {
  const [{ id }] = (await admin("GET", "/merchants")).body.merchants;
  const { body } = await admin("POST", `/merchants/${id}/erasures`, { visitor_id: "anna" });
  const read = async () => (await ledgerOf().prepare("SELECT number, id, visitor FROM erasures").all()).results;
  const before = await read();
  await ledgerOf().prepare("DELETE FROM erasures").run();
  await ledgerOf().prepare("DELETE FROM erasure_parts").run();
  expect(await wrong()).toEqual([["erasures", "footfall recover erasures"]]);
  expect((await admin("POST", "/recover/erasures")).body).toEqual({ erasures: 1 });
  expect(await read()).toEqual(before);
  expect((await admin("GET", `/erasures/${body.id}`)).body.state).toBe("running");
  expect((await admin("POST", "/recover/erasures")).body).toEqual({ erasures: 0 });
  expect(await wrong()).toEqual([]);
});

test("[RCV-9] records of erasures that cannot be read are not taken for whole", async () => {
  put("erasures/ledger-0/0000000001.json");
  expect(await wrong()).toEqual([["erasures", "footfall recover erasures"]]);
});

test("[RCV-7] all closed Days of the archive are noted, page after page, and sealed ones looked at again; open Days are not", async () => {
  const days = RECOVERED_DAYS + 3;
  for (let ago = 1; ago <= days; ago++)
    put(bundleKey({ date: dateOf(DAY + 1 - ago), partition: `pool-${ago % 4}`, first: 1 }));
  put(bundleKey({ date: dateOf(DAY + 10), partition: "pool-0", first: 1 }));
  await seal(sealedFolder(PLACE, "1-5-0"));
  for (let pool = 0; pool < 4; pool++) worker.durable.set(`pool-${pool}`, 5);
  const first = (await admin("POST", "/recover/ledger", { ledger: 0 })).body;
  const nothing = { ledger: 0, new: false, erasures: 0, imported_parts: 0, imports_next: null };
  expect(first).toEqual({ ...nothing, days: RECOVERED_DAYS, next: dateOf(DAY - 2) });
  const second = (await admin("POST", "/recover/ledger", { ledger: 0, from: first.next })).body;
  expect(second).toEqual({ ...nothing, days: 3, next: null });
  const { results } = await ledgerOf()
    .prepare(
      "SELECT count(DISTINCT day) AS days, max(day) AS last, total(late_since IS NOT NULL) AS late FROM archive_days",
    )
    .all();
  expect(results).toEqual([{ days, last: DAY, late: 1 }]);
  const refused = await admin("POST", "/recover/ledger", { ledger: 1 });
  expect([refused.status, refused.body.error.field]).toEqual([400, "ledger"]);
});

test("[RCV-7] a partition that was recovered after the instant that its ledger was restored to is the one that the ledger knows", async () => {
  await ledgerOf().prepare("DELETE FROM partition_status").run();
  worker.durable.set("pool-1", 40);
  worker.recoveredClaims.set("pool-1", "recovered");
  // One that was recovered and lost again: the archive has more than it.
  putBundle({ ...PLACE, partition: "pool-2", first: 40 });
  worker.recoveredClaims.set("pool-2", "older");
  await admin("POST", "/recover/ledger", { ledger: 0 });
  const { results } = await ledgerOf().prepare('SELECT "partition", claim FROM partition_status').all();
  expect(results).toEqual([
    { partition: "pool-1", claim: "recovered" },
    { partition: "pool-2", claim: "forgotten" },
  ]);
});

test("[RCV-7] [RCV-9] a partition whose storage was lost with its ledger is found, whatever it has taken since", async () => {
  // What the archive has ends before position 42.
  putBundle({ ...PLACE, partition: "pool-1", first: 40 });
  put(manifestKey(sealedFolder({ date: dateOf(DAY), partition: "pool-2" }, "1-42-0")));
  putBundle({ ...PLACE, partition: "pool-3", first: 40 });
  // The new ledger knows one of them already, of which nobody has told events.
  await ledgerOf().prepare(`DELETE FROM partition_status WHERE "partition" <> 'pool-1'`).run();
  worker.durable.set("pool-2", 40);
  worker.durable.set("pool-3", 41);
  await admin("POST", "/recover/ledger", { ledger: 0 });
  const { results } = await ledgerOf().prepare('SELECT "partition", claim FROM partition_status').all();
  expect(results).toEqual(["pool-1", "pool-2"].map((partition) => ({ partition, claim: "forgotten" })));
  const { findings } = (await admin("GET", "/doctor")).body;
  expect(findings).toContainEqual(
    expect.objectContaining({ state: "partitions", whole: false, command: "footfall recover partition pool-1" }),
  );
});
