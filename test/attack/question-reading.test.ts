// A question's steps do not tell what reading its events takes, which is most of it: 50 µs an event. Six questions at
// once through a link of a part, over 60,000 events of one Day, made its neighbours wait for 20 to 40 s instead of
// 0.02. So what is read is paid for too.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { encodeLogged } from "../../core/archive/bundle.ts";
import { encodeManifest } from "../../core/archive/manifest.ts";
import { manifestKey, sealedFileKey, sealedFolder } from "../../core/archive/object-key.ts";
import { partitionsOf } from "../../core/counting/placement.ts";
import {
  ASKER_READS_MAX,
  ASKER_READS_PER_SECOND,
  LINK_STEPS_SHARE,
  LIVE_BYTES_OF_READ,
  MANIFEST_MERCHANTS_OF_READ,
  NOW_LOOKED_OF_READ,
  PLACE_READS,
  ROLLUP_READS,
  SCAN_EVENTS_MAX,
} from "../../core/limits.ts";
import { DAY_MS, dateOf, dayAt } from "../../core/time.ts";
import { writeRollups } from "../../storage/ledger/rollup-write.ts";
import { OF_READS, PurseMemory } from "../../workers/query/purse-memory.ts";
import { Reading } from "../../workers/query/reading.ts";
import { eventOf } from "../support/events.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../support/query-worker.ts";
import { rowOf } from "../support/rollup-rows.ts";

const NOW = Date.UTC(2027, 0, 10);
const TODAY = dayAt("UTC", Date.now());
/** Of a Day that takes 5 s to read. */
const EVENTS = SCAN_EVENTS_MAX;
const ASKED = { metrics: ["visitors"], date_range: "day" };
/** As many as one asker may send in 10 s. */
const ALL = 300;

// The clock stands: purses fill by the second, and a busy machine takes seconds.
beforeEach(() => void vi.useFakeTimers({ now: Date.now(), toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

/** A shop with two links, one of a part, and one event to read, of a Day that is said to have many. */
async function startShop() {
  const limit = async () => ({ success: true });
  const worker = startQueryWorker({ LIMIT_KEY: { limit }, LIMIT_SIGN_IN: { limit }, KEY_REQUESTS_MAX: "300" });
  const admin = async (path: string, body: object) =>
    (await worker.ask("POST", `/api/v1/merchants${path}`, { token: ADMIN_TOKEN, body })).body;
  const { id, api_key: key } = await admin("", { name: "Shop", time_zone: "UTC", currency: "EUR" });
  const filters = [["contains", "event:page", ["/blog/"]]];
  const part = (await admin(`/${id}/shares`, { name: "part", filters })).token as string;
  const whole = (await admin(`/${id}/shares`, { name: "whole" })).token as string;
  const partition = partitionsOf({ merchant: 1 }, { poolSize: 4, regions: [] })[0] as string;
  worker.live.push(rowOf({ bucket: TODAY, partition, seen: { events: EVENTS, visitors: 1, known: 1 } }));
  const event = eventOf({ id: "1", url: "https://shop.example/blog/a", timestamp: TODAY * DAY_MS });
  worker.recent.set(partition, [{ position: 0, row: encodeLogged({ day: TODAY, late: false, event }) }]);
  const now = (token: string) => worker.ask("GET", `/api/v2/now?site_id=${id}`, { token });
  const ask = (token: string, body: object, path = "/api/v2/query") =>
    worker.ask("POST", path, { token, body: { site_id: id, ...body } });
  /** How many of so many questions, one after the other, are answered before the first 429. */
  const answered = async (token: string, body: object, path?: string) => {
    for (let asked = 0; asked < ALL; asked++) {
      const { status } = await ask(token, body, path);
      if (status === 429) return asked;
      expect(status).toBe(200);
    }
    return ALL;
  };
  return { worker, id, key, part, whole, partition, now, ask, answered };
}

test("[LIM-8] who asks through a link of a part, one question after the other, is refused once its events cost too much", async () => {
  const { worker, id, key, part, whole, ask, answered } = await startShop();
  expect(await answered(part, ASKED)).toBe(ASKER_READS_MAX / LINK_STEPS_SHARE / EVENTS);
  const { status, body, headers } = await ask(part, { ...ASKED, dimensions: ["visit:source"] });
  expect([status, body.code, headers.get("retry-after")]).toEqual([429, "rate_limited", "10"]);
  expect(body.error).toContain("has read too many events");
  // Every kind of question, and what Umami's client reads, draws on it.
  for (const path of ["paths", "retention", "realtime"])
    expect((await ask(part, {}, `/api/v2/${path}`)).status).toBe(429);
  const read = `/api/websites/${id}/stats?startAt=${TODAY * DAY_MS}&endAt=${(TODAY + 1) * DAY_MS - 1}`;
  const umami = await worker.ask("GET", read, { token: part });
  expect([umami.status, umami.body.error.code, umami.headers.get("retry-after")]).toEqual([
    429,
    "too-many-requests",
    "10",
  ]);
  // Neither the shop's other link nor the shop itself is turned away.
  expect((await ask(whole, ASKED)).status).toBe(200);
  expect((await ask(key, { ...ASKED, dimensions: ["event:page", "visit:source"] })).status).toBe(200);
});

test("[LIM-8] who asks all at once is refused as well: what is read is paid for before it is read", async () => {
  const { part, ask } = await startShop();
  const answers = await Promise.all(Array.from({ length: 12 }, () => ask(part, ASKED)));
  const good = answers.filter(({ status }) => status === 200).length;
  expect(good).toBe(ASKER_READS_MAX / LINK_STEPS_SHARE / EVENTS);
  expect(answers.filter(({ status }) => status === 429).length).toBe(12 - good);
});

test("[LIM-8] a key may read eight times as much as a link", async () => {
  const { key, answered } = await startShop();
  const dear = { ...ASKED, dimensions: ["event:page", "visit:source"] };
  // Each looks into the Day's place in the archive, and at what the partition has of it.
  expect(await answered(key, dear)).toBe(Math.floor(ASKER_READS_MAX / (EVENTS + PLACE_READS + 1)));
});

test("[LIM-8] who is there now is paid for, too: by the events that a link of a part reads, and by what a partition goes through", async () => {
  const { worker, key, part, whole, partition, now, answered } = await startShop();
  await answered(part, ASKED);
  const { status, body, headers } = await now(part);
  expect([status, body.code, headers.get("retry-after")]).toEqual([429, "rate_limited", "10"]);
  // Order numbers of strangers fill a Day, and each look goes through all of them.
  const looked = 400_000;
  worker.present.set(partition, { visitors: [], orders: [], looked });
  const answers = [];
  for (let times = 0; times < ALL; times++) answers.push((await now(whole)).status);
  const free = answers.indexOf(429);
  expect(free).toBeGreaterThan(0);
  expect(free).toBeLessThanOrEqual(Math.ceil(ASKER_READS_MAX / LINK_STEPS_SHARE / (looked / NOW_LOOKED_OF_READ)) + 1);
  expect((await now(key)).status).toBe(200);
});

test("[LIM-8] [PRF-3] so is what a proof counts once more", async () => {
  const { worker, id, key, answered } = await startShop();
  const proof = () =>
    worker.ask("GET", `/api/v1/merchants/${id}/proof?from=${dateOf(TODAY)}&to=${dateOf(TODAY)}`, { token: key });
  expect((await proof()).status).toBe(200);
  await answered(key, { ...ASKED, dimensions: ["event:page", "visit:source"] });
  const { status, body, headers } = await proof();
  expect([status, body.error.code, headers.get("retry-after")]).toEqual([429, "rate_limited", "10"]);
});

test("[LIM-8] breakdowns of rollups cost a link as much as the events that take as long, and a key nothing", async () => {
  const { key, whole, worker, ask, answered } = await startShop();
  const days = 400;
  const page = { "/a": { events: 1, visitors: 1, known: 1 } };
  const rows = Array.from({ length: days }, (_, at) => rowOf({ bucket: TODAY - days + at, by: { page } }));
  await writeRollups(worker.ledgers.ofMerchant(1), rows);
  const year = { ...ASKED, date_range: [dateOf(TODAY - days), dateOf(TODAY - 1)], dimensions: ["event:page"] };
  expect(await answered(whole, year)).toBe(Math.floor(ASKER_READS_MAX / LINK_STEPS_SHARE / (days * ROLLUP_READS)));
  expect((await ask(key, year)).status).toBe(200);
});

/** Sealed Days of one event each of the shop. So many merchants are said to be in each, of whom the test writes one. */
async function sealDays(worker: QueryWorker, { days, merchants }: { days: number; merchants: number }) {
  const ledger = worker.ledgers.ofMerchant(1);
  const seen = { events: 1, visitors: 1, known: 1 };
  const rows = Array.from({ length: days }, (_, at) => rowOf({ bucket: TODAY - days + at, partition: "pool-0", seen }));
  await writeRollups(ledger, rows);
  const others = [{ merchant: 2, rows: 1, checksum: "0".repeat(64), settings: 1 }];
  for (const { bucket: day } of rows) {
    await ledger.prepare(`INSERT INTO places (merchant, day, "partition") VALUES (1, ?, 'pool-0')`).bind(day).run();
    const place = { date: dateOf(day), partition: "pool-0" };
    const folder = sealedFolder(place, "1-5-0");
    const file = { key: sealedFileKey(folder, 0), bytes: 9_000, footer: 900, rows: merchants, merchants: others };
    const manifest = { ...place, generation: 1, rows: merchants, duplicates: 0, before: 5, files: [file] };
    worker.objects.set(manifestKey(folder), new TextEncoder().encode(encodeManifest(manifest)));
    await ledger
      .prepare(
        `INSERT INTO archive_days (day, "partition", generation, folder, rows, merchants, bytes, duplicates, differences,
          shown, sealed_at, late_marks, attempts, error) VALUES (?, 'pool-0', 1, ?, ?, ?, 9000, 0, 0, '[]', 1, 0, 0, '')`,
      )
      .bind(day, folder, merchants, merchants)
      .run();
  }
}

test("[LIM-8] a manifest names everybody in the partition, and is paid for before it is read", async () => {
  const { worker, id, part, key, ask } = await startShop();
  const [days, merchants] = [31, 50_000];
  await sealDays(worker, { days, merchants });
  const month = { ...ASKED, date_range: [dateOf(TODAY - days), dateOf(TODAY - 1)] };
  const price = days * (PLACE_READS + merchants / MANIFEST_MERCHANTS_OF_READ);
  // Each asks for other pages, since what sealed Days came to is remembered.
  let asked = 0;
  const next = () => {
    asked += 1;
    return ask(part, { ...month, filters: [["contains", "event:page", [`/${asked}/`]]] });
  };
  let answers = 0;
  while (answers < ALL && (await next()).status === 200) answers += 1;
  // An event of each Day was counted as well.
  expect(answers).toBe(Math.floor(ASKER_READS_MAX / LINK_STEPS_SHARE / (price + days)));
  const before = worker.counted.gets;
  const more = await Promise.all(Array.from({ length: 10 }, next));
  expect(more.map(({ status }) => status)).toEqual(Array(10).fill(429));
  expect(worker.counted.gets).toBe(before);
  // A proof reads them as well, and once more for what it tells of the seals.
  const path = `/api/v1/merchants/${id}/proof?from=${dateOf(TODAY - days)}&to=${dateOf(TODAY - 1)}`;
  let proofs = 0;
  while (proofs < ALL && (await worker.ask("GET", path, { token: key })).status === 200) proofs += 1;
  expect(proofs).toBeLessThanOrEqual(Math.ceil(ASKER_READS_MAX / (2 * price)));
  expect(proofs).toBeGreaterThan(1);
});

test("[LIM-8] what partitions go through for a question is paid for, also where the question is refused", async () => {
  const { worker, part, whole, ask, answered } = await startShop();
  // Somebody floods the shop, and the archive has none of it yet.
  worker.looked = 20_000;
  expect(await answered(part, ASKED)).toBeLessThanOrEqual(1);
  const before = worker.counted.recent;
  for (let times = 0; times < ALL; times++) expect((await ask(part, ASKED)).status).toBe(429);
  expect(worker.counted.recent - before).toBeLessThanOrEqual(1);
  // All at once: from the second time on it is known what it takes.
  const dear = { ...ASKED, dimensions: ["event:page", "visit:source"] };
  expect((await ask(whole, { ...dear, date_range: [dateOf(TODAY - 1), dateOf(TODAY - 1)] })).status).toBe(200);
  const asked = worker.counted.recent;
  await Promise.all(Array.from({ length: ALL }, () => ask(whole, dear)));
  expect(worker.counted.recent - asked).toBeLessThanOrEqual(ASKER_READS_MAX / LINK_STEPS_SHARE / worker.looked);
});

test("[LIM-8] open Days that partitions put together are paid for, by who asks next", async () => {
  const { worker, part, whole, key, answered } = await startShop();
  worker.live.splice(0);
  const total = { metrics: ["visitors"], date_range: "day" };
  const purse = ASKER_READS_MAX / LINK_STEPS_SHARE;
  // A Day that somebody has filled: one look takes half of what a link has.
  worker.bytes = (LIVE_BYTES_OF_READ * purse) / 2;
  expect(await answered(whole, total)).toBe(2);
  // One that takes more than all is shown all the same, and its asker waits after it.
  worker.bytes = 10 * LIVE_BYTES_OF_READ * purse;
  vi.setSystemTime(Date.now() + 3_600_000);
  expect(await answered(part, total)).toBe(1);
  worker.bytes = 0;
  expect(await answered(key, total)).toBe(ALL);
});

test("[LIM-8] two questions of more than half a purse do not both begin, though neither empties it", async () => {
  const { worker, part, whole, partition, ask } = await startShop();
  worker.live.splice(0);
  worker.live.push(rowOf({ bucket: TODAY, partition, seen: { events: 0.6 * EVENTS, visitors: 1, known: 1 } }));
  const answers = await Promise.all(Array.from({ length: 6 }, () => ask(part, ASKED)));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 429, 429, 429, 429, 429]);
  // What is left is enough for less, and another link has its own.
  expect((await ask(part, { ...ASKED, date_range: [dateOf(TODAY - 2), dateOf(TODAY - 1)] })).status).toBe(200);
  expect((await ask(whole, { ...ASKED, dimensions: ["event:page", "visit:source"] })).status).toBe(200);
});

test("[LIM-8] a purse of reading owes what is more than it can hold, and fills by the second", () => {
  const purses = new PurseMemory(OF_READS);
  const of = (asker: string, at: number, isShared = false) =>
    new Reading(purses.of({ asker, merchant: 1, isShared }, at), { isShared, asker, merchant: 1 });
  const isRefused = (asker: string, at: number, isShared = false) => of(asker, at, isShared).refusal !== undefined;
  expect(of("a", NOW).ofEvents(ASKER_READS_MAX + ASKER_READS_PER_SECOND)).toBe(true);
  expect([isRefused("a", NOW), of("a", NOW).ofEvents(1), isRefused("b", NOW)]).toEqual([true, false, false]);
  expect([isRefused("a", NOW + 1_000), isRefused("a", NOW + 1_001)]).toEqual([true, false]);
  expect(of("e", NOW).ofEvents(ASKER_READS_MAX / 4)).toBe(true);
  expect(of("e", NOW).ofEvents(ASKER_READS_MAX)).toBe(false); // not full any more
  expect(of("c", NOW, true).ofRollups(ASKER_READS_MAX)).toBe(true);
  expect([isRefused("c", NOW, true), isRefused("d", NOW)]).toEqual([true, false]);
});
