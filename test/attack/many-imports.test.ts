// Imports are kept with their Days, some 36 KB each, in the database that all merchants share. A key of scope admin
// could begin them without end, and each of a file that begins alike read all before it.

import { expect, test } from "vitest";
import { IMPORTS_A_DAY_MAX, IMPORTS_ALIKE_MAX } from "../../core/limits.ts";
import { createImport, listAlike } from "../../storage/directory/imports.ts";
import { ADMIN_TOKEN, startQueryWorker } from "../support/query-worker.ts";

const FILE = { name: "history.csv", source: "csv", head: "b".repeat(32), reading: "c".repeat(16) };
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
  const days = { 20000: 1 };
  const more = {
    days,
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
  for (let number = 1; number <= IMPORTS_ALIKE_MAX + 5; number++)
    await createImport(directory, { ...FILE, ...more, number, digest: digestOf(number) });
  const alike = await listAlike(directory, { merchant: 1, head: FILE.head });
  expect([alike.length, alike[0]?.number, alike.at(-1)?.number]).toEqual([IMPORTS_ALIKE_MAX, IMPORTS_ALIKE_MAX + 5, 6]);
});
