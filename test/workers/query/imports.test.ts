// Imports as objects of the API: numbers that are given once, one file that is one import, progress, and tenants apart.
// What an undo does to numbers is tried on the real runtime (test/e2e/import.test.ts).

import { beforeEach, expect, test } from "vitest";
import { IMPORTED_PART_DAYS_MAX } from "../../../core/limits.ts";
import { DAY_MS, dateOf } from "../../../core/time.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../../support/query-worker.ts";

interface Shop {
  readonly id: string;
  readonly key: string;
}

let worker: QueryWorker;
let shop: Shop;
let other: Shop;

const FILE = {
  ...{ name: "history.csv", source: "csv", digest: "a".repeat(32), head: "b".repeat(32), reading: "c".repeat(16) },
  days: { "2026-10-05": 30, "2026-10-06": 12 },
};
const as = (key: string, method: string, path: string, body?: unknown) =>
  worker.ask(method, path, { token: key, body });
const imports = (method: string, path = "", body?: unknown, { id, key }: Shop = shop) =>
  as(key, method, `/api/v1/merchants/${id}/imports${path}`, body);

beforeEach(async () => {
  worker = startQueryWorker();
  const make = async (name: string) => {
    const { id } = (await as(ADMIN_TOKEN, "POST", "/api/v1/merchants", { name, time_zone: "UTC", currency: "EUR" }))
      .body;
    const body = { name: "admin", scope: "admin" };
    return { id, key: (await as(ADMIN_TOKEN, "POST", `/api/v1/merchants/${id}/keys`, body)).body.api_key };
  };
  shop = await make("Shop");
  other = await make("Other");
});

test("[IMP-24] a file gets a number, is that import again, and has ids of its own only where it is another file", async () => {
  const made = await imports("POST", "", FILE);
  expect([made.status, made.body]).toMatchObject([
    201,
    { number: 1, state: "running", from: "2026-10-05", to: "2026-10-06", events: 42, id_suffix: "", replays: [] },
  ]);
  expect(await imports("POST", "", FILE)).toMatchObject({ status: 200, body: { number: 1 } });
  const read = await imports("POST", "", { ...FILE, reading: "d".repeat(16) });
  expect([read.status, read.body.error.message]).toEqual([409, expect.stringMatching(/Import 1 .* undo it first/)]);
  // The file has grown: its first rows have the ids that they had.
  const grown = await imports("POST", "", { ...FILE, digest: "e".repeat(32) });
  expect([grown.status, grown.body]).toMatchObject([201, { number: 2, id_suffix: "" }]);
  const listed = (await imports("GET")).body;
  expect(listed.imports.map(({ number }: { number: number }) => number)).toEqual([2, 1]);
  expect((await imports("GET", `?head=${"f".repeat(32)}`)).body.imports).toEqual([]);
  expect((await imports("GET", "/1")).body.days).toEqual([
    { date: "2026-10-05", events: 30 },
    { date: "2026-10-06", events: 12 },
  ]);
});

test("[IMP-24] a number is never given twice, whatever the directory has lost", async () => {
  await imports("POST", "", FILE);
  await worker.directory.prepare("DELETE FROM imports").run();
  expect((await imports("POST", "", FILE)).body.number).toBe(2);
});

test("[IMP-27] progress is noted, and a pause is read in the answer to the next note", async () => {
  await imports("POST", "", FILE);
  const place = { line: 20, chain: "9".repeat(32) };
  const noted = await imports("PATCH", "/1", { place, tally: { rows: 20, accepted: 19 } });
  expect(noted.body).toMatchObject({ state: "running", place, tally: { rows: 20, accepted: 19 } });
  await imports("PATCH", "/1", { state: "paused" });
  expect((await imports("PATCH", "/1", { tally: { rows: 21 } })).body).toMatchObject({ state: "paused", place });
  expect((await imports("PATCH", "/1", { state: "done" })).body).toMatchObject({ finished_at: expect.any(String) });
});

test("[IMP-26] an import of open Days is not undone: the refusal says from when on", async () => {
  const today = Math.floor(Date.now() / DAY_MS);
  await imports("POST", "", { ...FILE, days: { [dateOf(today)]: 1 } });
  const undo = await imports("POST", "/1/undo");
  expect([undo.status, undo.body.error.message]).toEqual([
    409,
    expect.stringMatching(/closed Days.*try again from 20/),
  ]);
});

test("[IMP-26] an import whose Days lie far apart is undone by a few replays, not one for each", async () => {
  const days = Object.fromEntries(Array.from({ length: 60 }, (_, at) => [dateOf(19_000 + at * 10), 1]));
  await imports("POST", "", { ...FILE, days });
  const undone = await imports("POST", "/1/undo");
  expect([undone.status, undone.body.replays.length]).toEqual([202, 2]); // 591 Days, 400 a replay
});

const ROLLUPS = { ...FILE, tables: { visitors: { rows: 2, counters: ["visitors", "visits"] } } };
const rowsOf = (...dates: readonly string[]) => ({
  ...{ table: "visitors", offset: 0 },
  days: Object.fromEntries(dates.map((date) => [date, [[1, 2, 0, 0, 0]]])),
});

test("[IMR-2] an import of rollups that is done stays done: to pause it would take it out of all answers", async () => {
  await imports("POST", "", ROLLUPS);
  await imports("PUT", "/1/rows", rowsOf("2026-10-05", "2026-10-06"));
  expect((await imports("PATCH", "/1", { state: "done" })).body).toMatchObject({ state: "done" });
  for (const state of ["paused", "running"]) {
    const refused = await imports("PATCH", "/1", { state });
    expect([refused.status, refused.body.error.message]).toEqual([409, expect.stringMatching(/is done.*undo/)]);
  }
  expect((await imports("PATCH", "/1", { state: "done" })).status).toBe(200);
  expect((await imports("GET", "/1")).body.state).toBe("done");
});

test("[IMR-2] a request brings rows of no more Days than one transaction of D1 takes", async () => {
  const dates = Array.from({ length: IMPORTED_PART_DAYS_MAX + 1 }, (_, at) => dateOf(20_000 + at));
  const days = Object.fromEntries(dates.map((date) => [date, 1]));
  const tables = { visitors: { rows: dates.length, counters: ["visitors"] } };
  await imports("POST", "", { ...FILE, days, tables });
  const refused = await imports("PUT", "/1/rows", rowsOf(...dates));
  expect([refused.status, refused.body.error.message]).toEqual([400, expect.stringMatching(/1 to 400 dates/)]);
  expect((await imports("PUT", "/1/rows", rowsOf(...dates.slice(1)))).status).toBe(200);
});

test("[IMP-24] imports are one merchant's own", async () => {
  await imports("POST", "", FILE);
  expect((await imports("GET", "", undefined, other)).body.imports).toEqual([]);
  expect((await imports("GET", "/1", undefined, other)).status).toBe(404);
  for (const verb of ["undo", "redo"]) expect((await imports("POST", `/1/${verb}`, undefined, other)).status).toBe(404);
  expect((await imports("POST", "", FILE, { id: shop.id, key: other.key })).status).toBe(404);
  // Another merchant's numbers begin at 1 as well, and its same file is its own.
  expect(await imports("POST", "", FILE, other)).toMatchObject({ status: 201, body: { number: 1, id_suffix: "" } });
});

test.each([
  ["days", {}],
  ["days", { "2026-02-30": 1 }],
  ["days", { "2026-10-05": -1 }],
  ["digest", "not hexadecimal"],
  ["name", ""],
  // Each question's merchant has them.
  ["tables", { visitors: { rows: 1, counters: ["visitors", "visitors"] } }],
])("[IMP-24] %s as %j make no import", async (field, value) => {
  const refused = await imports("POST", "", { ...FILE, [field]: value });
  expect([refused.status, refused.body.error.field]).toEqual([400, field]);
});
