// Events that are made to take long: each of these took a partition 20 to 140 times as long as an ordinary event, and
// 20,000 events a second of one merchant were taken whatever they cost. One address sends 2,000 of them a second.

import { expect, test } from "vitest";
import { compose } from "../../core/enrichment/compose.ts";
import { spellHost } from "../../core/enrichment/hostname.ts";
import { opine } from "../../core/enrichment/opinion.ts";
import type { Event } from "../../core/event.ts";
import { MARKS_IN_ROW_MAX, MERCHANT_EVENTS_PER_WINDOW_MAX, QUERY_PARAMETERS_MAX } from "../../core/limits.ts";
import { NO_RULES, NO_RULES_IN_FORCE, type Rules } from "../../core/rules.ts";
import { admit, weightOf } from "../../durable-objects/admission.ts";
import { eventOf, settingsOf } from "../support/events.ts";
import { TestPartition } from "../support/partition.ts";

const SHOP = "https://shop.example/";
const times = (text: string, length: number) => text.repeat(Math.ceil(length / text.length)).slice(0, length);

/** Each event has another agent and address, so that nothing is remembered of the one before. */
const DEAR: readonly (readonly [what: string, make: (at: number) => Partial<Event>])[] = [
  ["accents out of their order", (at) => ({ url: SHOP + at + times("\u0316\u0301\u0323", 2_000) })],
  ["the same in a campaign", (at) => ({ url: `${SHOP}?utm_campaign=${at}${times("\u0316\u0301", 1_900)}` })],
  ["the same in a referrer's host", (at) => ({ referrer: `https://${at}${times("\u0316\u0301", 1_900)}.example/` })],
  ["a host of a thousand labels", (at) => ({ referrer: `https://${at}${times("a.", 1_900)}example/` })],
  ["a thousand parameters", (at) => ({ url: `${SHOP}?${at}${times("a&", 2_000)}` })],
  ["nothing but the marks between parameters", (at) => ({ url: `${SHOP}?${at}${times("&", 2_000)}` })],
  ["an agent of fifty systems", (at) => ({ userAgent: at + times("Android 1;", 500) })],
  ["an agent of fifty versions", (at) => ({ userAgent: at + times("Chrome/1 ", 500) })],
];

/** At most so many ordinary events. The worst took 140, and take 15 now. */
const TIMES_MAX = 45;
const COUNT = 150;

test("[BCK-6] no event takes much longer than an ordinary one", () => {
  const ordinary = cpuOf((at) => ({ url: `${SHOP}cart?utm_source=news`, userAgent: `${AGENT} Build/${at}` }));
  for (const [what, make] of DEAR) expect(cpuOf(make) / ordinary, what).toBeLessThan(TIMES_MAX);
});

const AGENT = "Mozilla/5.0 (Linux; Android 13; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/112.0 Mobile";
let made = 0;

/** Processor time of an event, in ms: the least of three tries. */
function cpuOf(make: (at: number) => Partial<Event>): number {
  const tries = [1, 2, 3].map(() => {
    const events = Array.from({ length: COUNT }, () => eventOf(make(++made)));
    const before = process.cpuUsage();
    for (const event of events) opine(event, NO_RULES_IN_FORCE);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000 / COUNT;
  });
  return Math.min(...tries);
}

test("[SPL-1] of accents in a row the first thirty are read, and what comes out is spelt as it is", () => {
  for (const mark of ["\u0301", "\u0316\u0301", "\u0344", "\u0f77"]) {
    const composed = compose(`/a${mark.repeat(500)}b${mark.repeat(10)}`);
    expect(composed.match(/\p{M}+/gu)?.every((run) => [...run].length <= MARKS_IN_ROW_MAX)).toBe(true);
    expect(compose(composed)).toBe(composed);
    expect(composed).toContain("b");
  }
  expect(compose("e\u0301")).toBe("\u00e9");
});

test("[SPL-2] a host of more than 253 characters is none, in ASCII as well", () => {
  const longest = `${times("a.", 252)}a`;
  expect(spellHost(longest)).toBe(longest);
  expect(spellHost(`${longest}.`)).toBe(longest);
  expect(spellHost(`a${longest}`)).toBe("");
});

test("[RUL-8] kept parameters and campaigns are looked for among the first 200", () => {
  const rules = { own: { ...NO_RULES, paths: { ...NO_RULES.paths, keep_query: ["q"] } }, global: NO_RULES };
  const behind = (count: number) => opine(eventOf({ url: `${SHOP}?${"a&".repeat(count)}q=1` }), rules).page;
  expect(behind(QUERY_PARAMETERS_MAX - 1)).toBe("/?q=1");
  expect(behind(QUERY_PARAMETERS_MAX)).toBe("/");
});

test("[BCK-6] an event counts as several for its merchant's share: by its length, and by what rules compare with it", () => {
  const usual = eventOf({ url: `${SHOP}cart`, userAgent: AGENT });
  expect(weightOf(usual, 0)).toBe(1);
  expect(weightOf(usual, 1_000)).toBe(1);
  expect(weightOf({ ...usual, props: "x".repeat(5_000) }, 0)).toBe(6);
  expect(weightOf({ ...usual, url: SHOP + "a".repeat(2_000) }, 34_500)).toBeGreaterThan(150);
});

test("[BCK-6] a merchant whose rules are made to be slow is turned away sooner, and its neighbour is not", async () => {
  const it = new TestPartition();
  const match = (at: number) => `*${"a".repeat(220)}b${at}*`;
  const paths = {
    ...NO_RULES.paths,
    replace: Array.from({ length: 100 }, (_, at) => ({ match: match(at), page: "/" })),
  };
  const rules: Rules = { ...NO_RULES, paths };
  it.settings.set(1, settingsOf("UTC", { rules: [{ version: 1, rules, from: 0 }] }));
  it.settings.set(2, settingsOf("UTC", { merchant: 2 }));
  await it.send([
    { merchant: 1, id: "a" },
    { merchant: 2, id: "b" },
  ]);
  const arrivals = (merchant: number, count: number) =>
    Array.from({ length: count }, () => ({
      event: eventOf({ merchant, url: SHOP + "a".repeat(2_000) }),
      address: "",
      floating: false,
    }));
  it.now += 10_000;
  let taken = 0;
  while (taken < MERCHANT_EVENTS_PER_WINDOW_MAX && admit(it.partition, arrivals(1, 20))) taken += 20;
  expect(taken).toBeLessThan(400);
  expect(taken).toBeGreaterThan(20);
  expect(admit(it.partition, arrivals(2, 1_000))).toBe(true);
});
