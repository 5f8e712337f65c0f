// A large question of a share link is a job of up to 4,000 (Day, partition)s. Three could be under way at once, and
// nothing bounded how many there were in a day: who has a link kept three consumers of the queue busy for good, before
// whose work merchants' own jobs had to wait.

import { beforeEach, expect, test } from "vitest";
import { partitionsOf } from "../../core/counting/placement.ts";
import {
  GUEST_JOB_PATIENCE_MS,
  JOB_PART_PLACES,
  JOB_WAIT_EVERY_MS,
  LINK_JOB_PLACES_MAX,
  SCAN_PLACES_MAX,
} from "../../core/limits.ts";
import { dateOf, dayAt } from "../../core/time.ts";
import { answerParts, driveQuestions } from "../../queues/question.ts";
import { ADMIN_TOKEN, type QueryWorker, startQueryWorker } from "../support/query-worker.ts";

const TODAY = dayAt("UTC", Date.now());
/** More than one request looks up. */
const DAYS = SCAN_PLACES_MAX + 30;
const PARTS = Math.ceil(DAYS / JOB_PART_PLACES);
const ASKED = {
  metrics: ["visitors"],
  date_range: [dateOf(TODAY - DAYS), dateOf(TODAY - 1)],
  dimensions: ["event:page", "visit:source"],
};
const PAGES = [["contains", "event:page", ["/blog/"]]];

let worker: QueryWorker;
let id: string;
let key: string;

beforeEach(async () => {
  worker = startQueryWorker();
  const shop = { name: "Shop", time_zone: "UTC", currency: "EUR" };
  ({ id, api_key: key } = (await worker.ask("POST", "/api/v1/merchants", { token: ADMIN_TOKEN, body: shop })).body);
  const [partition] = partitionsOf({ merchant: 1 }, { poolSize: 4, regions: [] });
  const insert = worker.db.prepare("INSERT INTO places VALUES (?, ?, ?)");
  await worker.db.batch(Array.from({ length: DAYS }, (_, at) => insert.bind(1, TODAY - 1 - at, partition)));
});

async function link(name: string): Promise<string> {
  const body = { name, filters: PAGES };
  return (await worker.ask("POST", `/api/v1/merchants/${id}/shares`, { token: ADMIN_TOKEN, body })).body.token;
}

const ask = (token: string) => worker.ask("POST", "/api/v2/query", { token, body: { site_id: id, ...ASKED } });
const state = async (token: string, job: string) =>
  (await worker.ask("GET", `/api/v2/queries/${job}?site_id=${id}`, { token })).status;

async function deliverAll(): Promise<void> {
  while (worker.questions.length > 0) await worker.deliver();
}

/** How many jobs, each done before the next one is asked for, until the first refusal. */
async function jobsUntilRefused(token: string): Promise<number> {
  for (let jobs = 0; ; jobs++) {
    const { status, body, headers } = await ask(token);
    if (status === 429) {
      expect(body).toMatchObject({ code: "rate_limited", error: expect.stringContaining("Ask for a shorter range") });
      expect(Number(headers.get("retry-after"))).toBeGreaterThan(23 * 3_600);
      return jobs;
    }
    expect(status).toBe(202);
    await deliverAll();
    expect(await state(token, body.id)).toBe(200);
  }
}

test("[JOB-7] one link asks for jobs of so many (Day, partition)s a day, all links of a merchant for twice as many, and the merchant for more", async () => {
  const [one, two, three] = [await link("one"), await link("two"), await link("three")];
  const most = Math.floor(LINK_JOB_PLACES_MAX / DAYS);
  expect(await jobsUntilRefused(one)).toBe(most);
  expect(await jobsUntilRefused(two)).toBe(most);
  expect(await jobsUntilRefused(three)).toBe(Math.floor((2 * LINK_JOB_PLACES_MAX) / DAYS) - 2 * most);
  expect((await ask(key)).status).toBe(202);
});

test("[JOB-7] [JOB-3] of a link's job one part is on the queue at a time, also after one was lost", async () => {
  const { body } = await ask(await link("one"));
  const seen = [];
  for (let part = 0; part < PARTS; part++) {
    seen.push(worker.questions.length);
    if (part === 3) {
      worker.questions.splice(0);
      await driveQuestions({ ...worker.deps(), now: () => Date.now() + 3_600_000 });
      expect(worker.questions).toMatchObject([{ job: body.id, part }]);
    }
    const messages = worker.questions.splice(0).map((own) => messageOf(own));
    await answerParts({ queue: "footfall-question", messages }, worker.deps());
  }
  expect(seen).toEqual(Array.from({ length: PARTS }, () => 1));
  expect(worker.questions).toEqual([]);
});

test("[JOB-7] a link's job stands back while a merchant's own is under way, but not for ever", async () => {
  const token = await link("one");
  const { body: guests } = await ask(token);
  const [part] = worker.questions.splice(0);
  const { body: own } = await ask(key);
  const put = { delays: [] as (number | undefined)[] };
  const deps = {
    ...worker.deps(),
    sendQuestions: async (_: unknown, delaySeconds?: number) => void put.delays.push(delaySeconds),
  };
  const batch = { queue: "footfall-question", messages: [messageOf(part)] };
  await answerParts(batch, deps);
  expect(put.delays).toEqual([10]); // it is to come again, and nothing of it was counted
  expect([...worker.objects.keys()].filter((name) => name.startsWith(`answers/${guests.id}`))).toEqual([]);
  await answerParts(batch, { ...deps, now: () => Date.now() + GUEST_JOB_PATIENCE_MS + 1_000 });
  expect([...worker.objects.keys()].filter((name) => name.startsWith(`answers/${guests.id}`))).toHaveLength(1);
  await deliverAll();
  expect(await state(key, own.id)).toBe(200);
});

function messageOf(body: unknown) {
  return { id: "m", body, attempts: 1, ack: () => {}, retry: () => expect.unreachable("a part has failed") };
}

test("[JOB-4] a hundred who wait for one job look for it as often as one does", async () => {
  const token = await link("part");
  const { body } = await ask(token);
  let looks = 0;
  const prepare = worker.db.prepare.bind(worker.db);
  for (const ledger of worker.ledgers.all)
    ledger.prepare = (text) => {
      if (/FROM question_jobs/i.test(text)) looks += 1;
      return prepare(text);
    };
  const wait = () =>
    worker.ask("GET", `/api/v2/queries/${body.id}?site_id=${id}`, { token, headers: { prefer: "wait=2" } });
  const waiting = 100;
  const answers = await Promise.all(Array.from({ length: waiting }, wait));
  expect(answers.every(({ status }) => status === 202)).toBe(true);
  // Each has looked when it came; then one of them at a time.
  expect(looks).toBeGreaterThan(waiting);
  expect(looks).toBeLessThanOrEqual(waiting + 2_000 / JOB_WAIT_EVERY_MS + 3);
});
