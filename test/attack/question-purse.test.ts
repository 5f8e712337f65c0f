// One dear question is refused at its budget of steps. Who holds a link or a key asks many, one after the other or all
// at once: each would take its second of an isolate, and nobody else be answered for minutes. What all questions of an
// asker take is bounded too.

import { expect, test } from "vitest";
import { encodeLogged } from "../../core/archive/bundle.ts";
import { partitionsOf } from "../../core/counting/placement.ts";
import {
  ASKER_STEPS_MAX,
  ASKER_STEPS_PER_SECOND,
  LINK_STEPS_SHARE,
  MERCHANT_STEPS_MAX,
  PURSES_KEPT_MAX,
  QUESTION_STEPS_MAX,
  SAVED_FILTERS_STEPS_MAX,
} from "../../core/limits.ts";
import { isStoppedByPurse, openBudget, openBudgets, spend } from "../../core/query/budget.ts";
import { parseFilters } from "../../core/query/filter.ts";
import { DAY_MS, dayAt } from "../../core/time.ts";
import { PurseMemory } from "../../workers/query/purse-memory.ts";
import { eventOf } from "../support/events.ts";
import { ADMIN_TOKEN, startQueryWorker } from "../support/query-worker.ts";

const NOW = Date.UTC(2027, 0, 10);
const ASKED_AT_ONCE = 12;
const SLOW = (index: number) => `(${"a?".repeat(150)})*b${index}`;

test("[LIM-8] twelve dear questions at once by a link: two are counted, the others hear 429; other askers are answered", async () => {
  const limit = async () => ({ success: true });
  const worker = startQueryWorker({ LIMIT_KEY: { limit }, LIMIT_SIGN_IN: { limit }, KEY_REQUESTS_MAX: "300" });
  const admin = async (path: string, body: object) =>
    (await worker.ask("POST", `/api/v1/merchants${path}`, { token: ADMIN_TOKEN, body })).body;
  const { id } = await admin("", { name: "Shop", time_zone: "UTC", currency: "EUR" });
  const link = (await admin(`/${id}/shares`, { name: "link" })).token as string;
  const { api_key: key } = await admin(`/${id}/keys`, { name: "own" });
  const day = dayAt("UTC", Date.now());
  const rows = Array.from({ length: 200 }, (_, position) => {
    const url = `https://shop.example/${"a".repeat(1_900)}${position}`;
    const event = eventOf({ id: `${position}`, url, timestamp: day * DAY_MS + position });
    return { position, row: encodeLogged({ day, late: false, event }) };
  });
  worker.recent.set(partitionsOf({ merchant: 1 }, { poolSize: 4, regions: [] })[0] as string, rows);
  const dear = [["matches", "event:page", Array.from({ length: 2 }, (_, at) => SLOW(at))]];
  const ask = (token: string, filters: readonly unknown[]) =>
    worker.ask("POST", "/api/v2/query", {
      token,
      body: { site_id: id, metrics: ["visitors"], date_range: "day", filters },
    });
  const answers = await Promise.all(Array.from({ length: ASKED_AT_ONCE }, () => ask(link, dear)));
  const refused = answers.filter(({ status }) => status === 429);
  // The purse holds two of the dearest questions, and fills while they are counted.
  expect(answers.filter(({ status }) => status === 400).length).toBeGreaterThan(0);
  expect(refused.length).toBeGreaterThan(ASKED_AT_ONCE / 2);
  for (const { body, headers } of refused)
    expect([body.code, body.error, headers.get("retry-after")]).toEqual([
      "rate_limited",
      expect.stringContaining("took too many steps"),
      "10",
    ]);
  expect((await ask(key, [["is", "event:page", ["/"]]])).status).toBe(200);
});

test("[LIM-8] a purse pays for every question of its asker, fills by the second, and holds no more than it did", () => {
  const purses = new PurseMemory();
  const of = (asker: string, now: number) =>
    openBudgets(QUESTION_STEPS_MAX, purses.of({ asker, merchant: 1 }, now)).own;
  const [first, second] = [of("a", NOW), of("a", NOW)];
  expect([spend(first, QUESTION_STEPS_MAX, "#/x"), spend(second, QUESTION_STEPS_MAX, "#/y")]).toEqual([true, true]);
  const third = of("a", NOW);
  expect([spend(third, 1, "#/z"), third.ranOutAt, isStoppedByPurse(third)]).toEqual([false, "#/z", true]);
  const later = of("a", NOW + 1_000);
  expect(spend(later, ASKER_STEPS_PER_SECOND - 1, "#/x")).toBe(true);
  expect(spend(later, 1, "#/x")).toBe(false);
  const [purse] = purses.of({ asker: "a", merchant: 1 }, NOW + DAY_MS);
  expect(purse?.left).toBe(ASKER_STEPS_MAX);
});

test("[LIM-8] share links have an eighth, and whatever they spend the merchant's own askers have theirs", () => {
  const purses = new PurseMemory();
  for (const asker of ["link 1", "link 2", "link 3"]) {
    const [own] = purses.of({ asker, merchant: 1, isShared: true }, NOW);
    expect(own?.left).toBe(ASKER_STEPS_MAX / LINK_STEPS_SHARE);
    for (const purse of purses.of({ asker, merchant: 1, isShared: true }, NOW)) purse.left -= ASKER_STEPS_MAX;
  }
  const isEmpty = (isShared: boolean) =>
    isStoppedByPurse(
      openBudget(QUESTION_STEPS_MAX, purses.of({ asker: `new ${isShared}`, merchant: 1, isShared }, NOW)),
    );
  expect([isEmpty(true), isEmpty(false)]).toEqual([true, false]);
});

test("[LIM-8] askers of one merchant share a second purse; another merchant's is untouched", () => {
  const purses = new PurseMemory();
  for (const asker of ["a", "b", "c"])
    for (const purse of purses.of({ asker, merchant: 1 }, NOW)) purse.left -= ASKER_STEPS_MAX;
  const emptyOf = (merchant: number) =>
    isStoppedByPurse(openBudget(QUESTION_STEPS_MAX, purses.of({ asker: `new of ${merchant}`, merchant }, NOW)));
  expect(3 * ASKER_STEPS_MAX).toBeGreaterThan(MERCHANT_STEPS_MAX);
  expect([emptyOf(1), emptyOf(2)]).toEqual([true, false]);
});

test("[LIM-8] what a share link fixes is not paid for: how much it hides cannot be told from a purse", () => {
  const purse = { left: 100 };
  const { own, fixed } = openBudgets(QUESTION_STEPS_MAX, [purse]);
  spend(fixed, 50, "#/filters");
  expect(purse.left).toBe(100);
  spend(own, 50, "#/filters/0");
  expect(purse.left).toBe(50);
});

test("[SHR-4] filters that take long to read are not saved, nor read for a link whose segments came to be so", async () => {
  const worker = startQueryWorker();
  const admin = async (method: string, path: string, body?: object) =>
    await worker.ask(method, `/api/v1/merchants${path}`, { token: ADMIN_TOKEN, ...(body && { body }) });
  const { id } = (await admin("POST", "", { name: "Shop", time_zone: "UTC", currency: "EUR" })).body;
  const matching = (count: number, from = 0) => [
    ["matches", "event:page", Array.from({ length: count }, (_, at) => `(.?.?.?){99}${from + at}x$`)],
  ];
  const dear = matching(110);
  const shares = `/${id}/shares`;
  const segments = `/${id}/segments`;
  expect((await admin("POST", shares, { name: "dear", filters: dear })).status).toBe(400);
  expect((await admin("POST", segments, { name: "dear", filters: dear })).status).toBe(400);
  const exported = `/${id}/events?from=2026-11-01&to=2026-11-01&filters=${encodeURIComponent(JSON.stringify(dear))}`;
  expect((await admin("GET", exported)).body.error.message).toContain("too long to read");
  // What one segment may take, several of one link may not.
  const few = Array.from({ length: 4 }, (_, at) => ({ name: `s${at}`, filters: matching(1, 10 * at) }));
  const made = await Promise.all(few.map((segment) => admin("POST", segments, segment)));
  expect(made.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
  const filters = few.map(({ name }) => ["is", "segment", [name]]);
  const link = await admin("POST", shares, { name: "link", filters });
  expect(link.status).toBe(201);
  const ask = () =>
    worker.ask("POST", "/api/v2/query", {
      token: link.body.token,
      body: { site_id: id, metrics: ["visitors"], date_range: ["2026-11-01", "2026-11-01"] },
    });
  expect((await ask()).status).toBe(200);
  for (const { body } of made.slice(1)) await admin("PATCH", `${segments}/${body.id}`, { filters: matching(5, 50) });
  const refused = await ask();
  expect([refused.status, refused.body.error]).toEqual([400, expect.stringContaining("too long to read")]);
  const budgets = openBudgets();
  expect(parseFilters([], dear, { budgets }).ok).toBe(false);
  // One expression more than may be read was read: the rest of the question's steps is still there.
  expect(budgets.fixed.left).toBeGreaterThan(QUESTION_STEPS_MAX - 2 * SAVED_FILTERS_STEPS_MAX);
});

test("[LIM-8] an isolate keeps a bounded number of purses, and those that are used", () => {
  const purses = new PurseMemory();
  const spent = purses.of({ asker: "a", merchant: 0 }, NOW)[0] as { left: number };
  spent.left = 7;
  for (let asker = 0; asker < PURSES_KEPT_MAX; asker++) {
    purses.of({ asker: `other ${asker}`, merchant: 0 }, NOW);
    if (asker % 1_000 === 0) expect(purses.of({ asker: "a", merchant: 0 }, NOW)[0]?.left).toBe(7);
  }
  for (let asker = 0; asker < PURSES_KEPT_MAX; asker++) purses.of({ asker: `more ${asker}`, merchant: 0 }, NOW);
  expect(purses.of({ asker: "a", merchant: 0 }, NOW)[0]?.left).toBe(ASKER_STEPS_MAX);
});
