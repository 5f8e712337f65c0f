// A Day of one partition was counted at once, up to 20,000 events in a second, in which its isolate answered nobody:
// six questions through a link of a part made neighbours wait for up to 18 s. Now counting gives way after each slice,
// and guests count one at a time.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { encodeLogged } from "../../core/archive/bundle.ts";
import { columnsOf } from "../../core/archive/event-columns.ts";
import { partitionsOf } from "../../core/counting/placement.ts";
import { finish } from "../../core/gradual.ts";
import {
  SLICE_EVENTS,
  SLICE_ROLLUPS,
  SLICE_STEPS,
  TURN_LEASE_MS,
  TURN_OWN_MS,
  TURN_WAIT_MS_MAX,
} from "../../core/limits.ts";
import { openBudgets } from "../../core/query/budget.ts";
import { type Counting, countPlanOf } from "../../core/query/count.ts";
import { planQuestion } from "../../core/query/plan.ts";
import { parseQuestion } from "../../core/query/question.ts";
import { resolveRange } from "../../core/query/range.ts";
import { DAY_MS, dateOf, dayAt } from "../../core/time.ts";
import { writeRollups } from "../../storage/ledger/rollup-write.ts";
import { memoryOf } from "../../workers/query/deps.ts";
import { TOO_MANY_GUESTS } from "../../workers/query/limit.ts";
import { PurseMemory } from "../../workers/query/purse-memory.ts";
import { Reading } from "../../workers/query/reading.ts";
import { inTurn, RollupTurn, Turn, TurnMemory } from "../../workers/query/turn.ts";
import { eventOf, settingsOf } from "../support/events.ts";
import { ADMIN_TOKEN, startQueryWorker } from "../support/query-worker.ts";
import { rowOf } from "../support/rollup-rows.ts";

const TODAY = dayAt("UTC", Date.now());
const NOW = TODAY * DAY_MS + DAY_MS / 2;
const EVENTS = 4_000;
const PAGES = [["contains", "event:page", ["/blog/"]]];

const event = (at: number) =>
  eventOf({
    id: String(at),
    url: `https://shop.example/blog/${at}`,
    visitor: `visitor ${at % 500}`,
    timestamp: TODAY * DAY_MS + at,
  });
const rows = Array.from({ length: EVENTS }, (_, position) => ({
  partition: "pool-0",
  position,
  event: event(position),
}));

/** What counts a question by page and source, through a link or not, and how many slices it takes. */
function counted(fixed: readonly unknown[], filters: readonly unknown[] = []) {
  const budgets = openBudgets();
  const body = { site_id: "m", metrics: ["visitors"], date_range: "day", dimensions: ["event:page", "visit:source"] };
  const question = taken(parseQuestion({ ...body, filters }, fixed, budgets));
  const zones = [{ zone: "UTC", from: 0 }] as never;
  const range = taken(resolveRange(question.dateRange, { zones, now: NOW, firstDay: undefined }));
  const plan = countPlanOf([taken(planQuestion(question, range, zones))]);
  const counting: Counting = plan.open({ settings: settingsOf(), global: [] }, "whole");
  const work = counting.add({ day: TODAY, partitions: [columnsOf(rows)] });
  let slices = 0;
  while (work.next().done !== true) slices += 1;
  return { slices, text: counting.encode(), plan, steps: budgets.own.steps - budgets.own.left };
}

function taken<T>(outcome: { readonly ok: true; readonly value: T } | { readonly ok: false }): T {
  if (!outcome.ok) throw new Error("it was refused");
  return outcome.value;
}

test("[LIM-12] counting gives way after so many events, and comes to the same", () => {
  const { slices, text, plan } = counted([]);
  expect(slices).toBeGreaterThanOrEqual(EVENTS / SLICE_EVENTS);
  const atOnce = plan.open({ settings: settingsOf(), global: [] }, "whole");
  expect(finish(atOnce.add({ day: TODAY, partitions: [columnsOf(rows)] }))).toBeUndefined();
  expect(atOnce.encode()).toBe(text);
  // Through a link events are seen twice: all of them, and those that it admits.
  expect(counted(PAGES).slices).toBeGreaterThanOrEqual((2 * EVENTS) / SLICE_EVENTS);
});

test("[LIM-12] and sooner where filters take long", () => {
  const dear = [["matches", "event:page", Array.from({ length: 30 }, (_, at) => `(a?){10}b${at}`)]];
  const { slices, steps } = counted([], dear);
  expect(steps).toBeGreaterThan(30 * SLICE_STEPS);
  // An event may take the last steps of a slice and more.
  expect(slices).toBeGreaterThanOrEqual(0.9 * Math.floor(steps / SLICE_STEPS));
});

function guest(turns: TurnMemory, now = () => Date.now(), isShared = true, asker = "link") {
  const purses = new PurseMemory().of({ asker, merchant: 1, isShared }, NOW);
  return { turns, now, reading: new Reading(purses, { isShared, asker, merchant: 1 }) };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date", "setTimeout"], now: NOW }));
afterEach(() => void vi.useRealTimers());

test("[LIM-12] of questions through links one counts at a time", async () => {
  const turns = new TurnMemory();
  const order: string[] = [];
  const count = (name: string) =>
    inTurn(guest(turns), async () => {
      order.push(`${name} begins`);
      await new Promise((settle) => setTimeout(settle, 1_000));
      order.push(`${name} ends`);
    });
  const all = Promise.all([count("one"), count("two"), count("three")]);
  await vi.advanceTimersByTimeAsync(4_000);
  await all;
  expect(order.slice(0, 2)).toEqual(["one begins", "one ends"]);
  for (const at of [2, 4]) expect(order[at]?.replace("begins", "ends")).toBe(order[at + 1]);
});

test("[LIM-12] who has waited for ten seconds is refused, to come again", async () => {
  const turns = new TurnMemory();
  const held = new Turn(guest(turns));
  expect(turns.seat(held, Date.now())).toBe("going");
  const deps = guest(turns);
  const answer = inTurn(deps, async () => "counted");
  for (let waited = 0; waited <= TURN_WAIT_MS_MAX; waited += 1_000) {
    await vi.advanceTimersByTimeAsync(1_000);
    turns.seat(held, Date.now());
  }
  expect([await answer, deps.reading.refusal]).toEqual([undefined, TOO_MANY_GUESTS]);
});

test("[LIM-12] a seat whose question was given up is free again after a while", () => {
  const turns = new TurnMemory();
  const [gone, next] = [new Turn(guest(turns)), new Turn(guest(turns))];
  expect([turns.seat(gone, NOW), turns.seat(next, NOW + 1), turns.seat(next, NOW + TURN_LEASE_MS)]).toEqual([
    "going",
    "waiting",
    "going",
  ]);
  turns.leave(gone); // has no seat to leave
  expect(turns.seat(gone, NOW + TURN_LEASE_MS)).toBe("waiting");
});

test("[LIM-12] a guest with one question comes before the many of another one", async () => {
  const turns = new TurnMemory();
  const begun: string[] = [];
  const count = (asker: string) =>
    inTurn(guest(turns, undefined, true, asker), async () => {
      begun.push(asker);
      await new Promise((settle) => setTimeout(settle, 300));
    });
  const all = Promise.all([...Array.from({ length: 8 }, () => count("flood")), count("reader")]);
  await vi.advanceTimersByTimeAsync(9 * 400);
  await all;
  expect([begun.length, begun.indexOf("reader")]).toEqual([9, 1]);
});

test("[LIM-12] a guest does not go on while a merchant's own question counts, which waits for no guest", async () => {
  const turns = new TurnMemory();
  const own = new Turn(guest(turns, () => Date.now(), false));
  const through = new Turn(guest(turns));
  expect([await through.begin(), await own.begin()]).toEqual([true, true]);
  const done: string[] = [];
  const counting = own.giveWay().then(() => done.push("own"));
  await vi.advanceTimersByTimeAsync(0);
  await counting;
  const waiting = through.giveWay().then(() => done.push("guest"));
  await vi.advanceTimersByTimeAsync(TURN_OWN_MS - 20);
  expect(done).toEqual(["own"]);
  await vi.advanceTimersByTimeAsync(60);
  await waiting;
  expect(done).toEqual(["own", "guest"]);
});

test("[LIM-12] a neighbour is answered while a large question is counted", async () => {
  vi.useRealTimers();
  const worker = startQueryWorker();
  const admin = async (path: string, body: object) =>
    (await worker.ask("POST", `/api/v1/merchants${path}`, { token: ADMIN_TOKEN, body })).body;
  const shop = await admin("", { name: "Shop", time_zone: "UTC", currency: "EUR" });
  const neighbour = await admin("", { name: "Neighbour", time_zone: "UTC", currency: "EUR" });
  const { token } = await admin(`/${shop.id}/shares`, { name: "part", filters: PAGES });
  const partition = partitionsOf({ merchant: 1 }, { poolSize: 4, regions: [] })[0] as string;
  worker.live.push(rowOf({ bucket: TODAY, partition, seen: { events: EVENTS, visitors: 1, known: 1 } }));
  const recent = rows.map(({ position, event: own }) => ({
    position,
    row: encodeLogged({ day: TODAY, late: false, event: { ...own, merchant: 1 } }),
  }));
  worker.recent.set(partition, recent);
  const answered: string[] = [];
  const ask = async (name: string, by: string, site_id: string) => {
    const body = { site_id, metrics: ["visitors"], date_range: "day" };
    expect((await worker.ask("POST", "/api/v2/query", { token: by, body })).status).toBe(200);
    answered.push(name);
  };
  const large = ask("large", token, shop.id);
  for (let at = 0; at < 2; at++) await ask("neighbour", neighbour.api_key, neighbour.id);
  await large;
  expect(answered).toEqual(["neighbour", "neighbour", "large"]);
});

test("[LIM-12] questions of a batch that add up many rollups pause one after the other, and between them others go on", async () => {
  const order: string[] = [];
  // A neighbour is answered in each pause.
  const turns = new TurnMemory(async (ms) => {
    vi.setSystemTime(Date.now() + ms);
    order.push("others");
  });
  const turn = new RollupTurn({ turns, now: () => Date.now() });
  const question = async (name: string) => {
    for (let piece = 0; piece < 3; piece++) {
      order.push(name);
      await turn.after(SLICE_ROLLUPS);
    }
  };
  await Promise.all(["a", "b", "c"].map(question));
  // Nine pieces, and after the first of each question no two without others between them.
  expect(order.filter((who) => who !== "others")).toHaveLength(9);
  const later = order.slice(3);
  expect(later.filter((who) => who === "others").length).toBeGreaterThanOrEqual(6);
  expect(later.some((who, at) => at > 0 && who !== "others" && later[at - 1] !== "others")).toBe(false);
});

test("[LIM-12] a neighbour is answered while a batch of many breakdowns is answered", async () => {
  vi.useRealTimers();
  const worker = startQueryWorker();
  const admin = async (path: string, body: object) =>
    (await worker.ask("POST", `/api/v1/merchants${path}`, { token: ADMIN_TOKEN, body })).body;
  const { id, api_key: token } = await admin("", { name: "Shop", time_zone: "UTC", currency: "EUR" });
  const days = 60;
  const stored = Array.from({ length: days }, (_, ago) =>
    rowOf({
      bucket: TODAY - 5 - ago,
      partition: "pool-0",
      seen: { visitors: 1 },
      by: { page: { "/": { pageviews: 1 } } },
    }),
  );
  await writeRollups(worker.ledgers.all[0] as never, stored);
  const paused = vi.spyOn(memoryOf(worker.directory).turns, "pause");
  const dates = [dateOf(TODAY - 4 - days), dateOf(TODAY - 5)];
  const questions = Object.fromEntries(
    ["event:page", "visit:source", "visit:country"].map((dimension) => [
      dimension.slice(6),
      { metrics: ["pageviews"], dimensions: [dimension] },
    ]),
  );
  const { status, body } = await worker.ask("POST", "/api/v2/batch", {
    token,
    body: { site_id: id, date_range: dates, questions },
  });
  expect([status, body.error]).toEqual([200, undefined]);
  expect(paused.mock.calls.length).toBeGreaterThanOrEqual(Math.floor((3 * days) / SLICE_ROLLUPS));
});
