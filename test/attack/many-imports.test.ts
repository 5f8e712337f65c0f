// Imports are kept with their Days, some 36 KB each, in the database that all merchants share. A key of scope admin
// could begin them without end, and each of a file that begins alike read all before it.

import { expect, test } from "vitest";
import { IMPORTS_A_DAY_MAX, IMPORTS_ALIKE_MAX } from "../../core/limits.ts";
import { createImport, listAlike, listImports } from "../../storage/directory/imports.ts";
import { ADMIN_TOKEN, startQueryWorker } from "../support/query-worker.ts";

const FILE = { name: "history.csv", source: "csv", head: "b".repeat(32), reading: "c".repeat(16) };
const DONE = {
  days: { 20000: 1 },
  firstDay: 20_000,
  lastDay: 20_000,
  events: 1,
  merchant: 1,
  idSuffix: "",
  state: "done",
  place: null,
  tally: {},
  createdAt: 0,
  finishedAt: 0,
  tables: null,
  undone: false,
} as const;
const digestOf = (at: number) => at.toString(16).padStart(32, "0");

async function shopOf(worker: ReturnType<typeof startQueryWorker>, name: string) {
  const asked = { token: ADMIN_TOKEN, body: { name, time_zone: "UTC", currency: "EUR" } };
  const { id } = (await worker.ask("POST", "/api/v1/merchants", asked)).body;
  const body = { name: "admin", scope: "admin" };
  const key = (await worker.ask("POST", `/api/v1/merchants/${id}/keys`, { token: ADMIN_TOKEN, body })).body.api_key;
  const path = `/api/v1/merchants/${id}/imports`;
  return (digest: string) =>
    worker.ask("POST", path, { token: key, body: { ...FILE, digest, days: { "2026-10-05": 1 } } });
}

test("[IMP-24] a merchant begins so many imports a day and no more; one it has begun, and a neighbour's, go on", async () => {
  const worker = startQueryWorker();
  const begin = await shopOf(worker, "Shop");
  const beginOther = await shopOf(worker, "Other");
  for (let at = 0; at < IMPORTS_A_DAY_MAX; at++) expect((await begin(digestOf(at))).status).toBe(201);
  const refused = await begin(digestOf(IMPORTS_A_DAY_MAX));
  expect([refused.status, refused.body.error.message]).toEqual([409, expect.stringContaining("in 24 hours")]);
  expect((await begin(digestOf(0))).status).toBe(200);
  expect((await beginOther(digestOf(0))).status).toBe(201);
});

test("[IMP-24] of imports of files that begin alike the latest ones are read, however many there are", async () => {
  const { directory } = startQueryWorker();
  for (let number = 1; number <= IMPORTS_ALIKE_MAX + 5; number++)
    await createImport(directory, { ...FILE, ...DONE, number, digest: digestOf(number) });
  const alike = await listAlike(directory, { merchant: 1, head: FILE.head });
  expect([alike.length, alike[0]?.number, alike.at(-1)?.number]).toEqual([IMPORTS_ALIKE_MAX, IMPORTS_ALIKE_MAX + 5, 6]);
});

test("[IMP-24] lists of imports have no Days, and know of an import that is undone whether a Day of it is left", async () => {
  const { db, directory } = startQueryWorker();
  for (const number of [1, 2, 3])
    await createImport(directory, { ...FILE, ...DONE, number, digest: digestOf(number), days: { 20000: 1, 20500: 2 } });
  const undo = (id: string, number: number, [from, to]: readonly [number, number], state = "done") =>
    db
      .prepare(`INSERT INTO replay_jobs (id, kind, state, from_day, to_day, merchants, created_at, rules, ledgers, import, epoch,
        fenced) VALUES (?1, 'rebuild', ?2, ?3, ?4, '[1]', 0, 'without_import', '[0]', ?5, 1, 1)`)
      .bind(id, state, from, to, number)
      .run();
  await undo("a", 2, [20_000, 20_001]);
  await undo("b", 3, [20_000, 20_001]);
  await undo("c", 3, [20_500, 20_501]);
  const left = async () =>
    (await listImports(directory, { merchant: 1, before: 10, head: FILE.head, rowsMax: 10 })).map((one) => [
      one.number,
      one.isLeft,
      "days" in one,
    ]);
  expect(await left()).toEqual([
    [3, false, false],
    [2, true, false],
    [1, false, false],
  ]);
  await db.prepare("UPDATE replay_jobs SET state = 'undone' WHERE id = 'c'").run();
  expect((await left())[0]).toEqual([3, true, false]);
});
