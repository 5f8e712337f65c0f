// Rows that a seal derives: read in place of a Day's own rows as long as nothing that they depend on has changed, and
// then the rows are read again. Whatever is read, a question is answered the same.

import { expect, test } from "vitest";
import { finish } from "../../core/gradual.ts";
import { SEAL_AFTER_MS } from "../../core/limits.ts";
import type { Settings } from "../../core/merchant.ts";
import { countPlanOf } from "../../core/query/count.ts";
import { planQuestion } from "../../core/query/plan.ts";
import { parseQuestion } from "../../core/query/question.ts";
import { resolveRange } from "../../core/query/range.ts";
import { asRead, type Rules } from "../../core/rules.ts";
import { DAY_MS, dateOf } from "../../core/time.ts";
import { erase } from "../../durable-objects/erase.ts";
import { driveErasures } from "../../queues/erasure.ts";
import { findEvents } from "../../storage/archive/merchant-events.ts";
import { createErasure } from "../../storage/ledger/erasure.ts";
import { always, settingsOf, TUESDAY } from "../support/events.ts";
import { valueFrom } from "../support/questions.ts";
import { putSettings, SealedWorld } from "../support/sealed-world.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);
const CLOSED_MS = DAY * DAY_MS + SEAL_AFTER_MS;
const [ANNA, BEN] = ["00000000000000aa", "00000000000000bb"];
const SHOP = settingsOf("UTC", { merchant: 1 });
const QUESTION = {
  site_id: "x",
  date_range: [dateOf(DAY), dateOf(DAY)],
  metrics: ["visitors", "visits", "pageviews", "events"],
  dimensions: ["visit:channel", "event:goal"],
};

/** A closed and sealed Day of a shop, and of a neighbour. */
async function sealedDay(): Promise<SealedWorld> {
  const world = new SealedWorld([SHOP, settingsOf("UTC", { merchant: 2 })]);
  await world.send([
    { id: "a1", visitor: ANNA, url: "https://shop.example/?utm_source=news&utm_medium=email" },
    { id: "a2", visitor: ANNA, timestamp: TUESDAY + 60_000, url: "https://shop.example/pay" },
    { id: "b1", visitor: BEN, url: "https://shop.example/" },
    { id: "other", merchant: 2, visitor: ANNA },
  ]);
  await world.settle();
  await world.sealAt(CLOSED_MS);
  return world;
}

interface Answered {
  readonly groups: unknown;
  /** How many of the rows were derived. */
  readonly derived: number;
}

/** An answer, counted twice: from whatever may be read, and from rows alone. */
async function answer(world: SealedWorld, settings: Settings = SHOP): Promise<Answered> {
  const under = { settings: { ...settings, rules: asRead(settings.rules) }, global: [] };
  const places = [{ day: DAY, partition: "pool-0" }];
  const deps = { ...world.databases, bucket: world.bucket };
  const [any, rows] = await Promise.all(
    [under, undefined].map(async (derived) => {
      const question = valueFrom(parseQuestion(QUESTION));
      const range = valueFrom(resolveRange(question.dateRange, { zones: settings.zones, now: world.it.now }));
      const plan = countPlanOf([valueFrom(planQuestion(question, range, settings.zones))]);
      const counting = plan.open(under, "whole");
      const search = { settings, places, recent: new Map(), columns: plan.columns, together: plan.together, derived };
      const found = await findEvents(search, deps);
      for await (const read of found.days()) expect(finish(counting.add(read))).toBeUndefined();
      return { groups: counting.groups(), derived: found.derivedRows };
    }),
  );
  expect(any?.groups).toEqual(rows?.groups);
  expect(rows?.derived).toBe(0);
  return any as Answered;
}

/** Gives the shop other rules, from the beginning on. */
function decide(world: SealedWorld, rules: Partial<Rules>): Settings {
  const settings = { ...SHOP, version: SHOP.version + 1, rules: always(rules) };
  world.it.settings.set(1, settings);
  putSettings(world.database, settings);
  return settings;
}

test("[SCN-10] a question reads what a seal has derived of its merchant, and a new goal changes nothing of it", async () => {
  const world = await sealedDay();
  expect((await answer(world)).derived).toBe(3);
  const { groups, derived } = await answer(world, decide(world, { goals: [{ name: "Pay", page: "/pay" }] }));
  expect(derived).toBe(3);
  expect(groups).toMatchObject([{ groups: [{ dimensions: ["Email", "Pay"] }] }]);
});

test("[SCN-10] under other rules the rows are read, until a seal has derived them anew", async () => {
  const world = await sealedDay();
  const settings = decide(world, {
    channels: [{ channel: "Friends", source: "news" }],
    goals: [{ name: "Any", page: "*" }],
  });
  const { groups, derived } = await answer(world, settings);
  expect(derived).toBe(0);
  expect(JSON.stringify(groups)).toContain("Friends");
  const later = { ...settings, rules: [{ version: 2, from: TUESDAY + 3 * DAY_MS, rules: settings.rules[0] }] };
  expect((await answer(world, later as unknown as Settings)).derived, "rules of another Day").toBe(3);
});

test("[SCN-10] an event that came late is counted, and the rows are read until it lies among the others", async () => {
  const world = await sealedDay();
  await world.send([{ id: "late", visitor: BEN, timestamp: TUESDAY + 120_000, url: "https://shop.example/pay" }]);
  await world.settle();
  expect((await answer(world)).derived, "a bundle beside the sealed files").toBe(0);
  await world.consume();
  expect((await answer(world)).derived).toBe(4);
});

test("[SCN-10] rows that cannot be derived are sealed all the same, and questions read them", async () => {
  const world = new SealedWorld([SHOP]);
  await world.send([{ id: "a", visitor: "of an old archive" }]);
  await world.settle();
  await world.sealAt(CLOSED_MS);
  expect(await world.row(DAY)).toMatchObject({ generation: 1, error: "" });
  expect(world.log).toMatchObject([{ event: "seal_not_derived", merchant: 1, partition: "pool-0" }]);
  expect((await answer(world)).derived).toBe(0);
});

test("[SCN-10] nothing depends on a file of derived rows: where it is gone the rows are read", async () => {
  const world = await sealedDay();
  const before = await answer(world);
  for (const key of world.keys("sealed/")) if (key.endsWith(".derived")) world.objects.delete(key);
  expect((await answer(world)).groups).toEqual(before.groups);
});

test("[SCN-10] who is erased is in no derived row: the rows are read at once, and their seal derives those that stay", async () => {
  const world = await sealedDay();
  const { directory, ledgers, now, pace, log, bucket } = world.deps();
  const partition = () => ({ erase: async (asked: Parameters<typeof erase>[1]) => erase(world.it.partition, asked) });
  const whole = { id: "ers_1", merchant: 1, kind: "visitor", visitor: ANNA, fromDay: 0, toDay: DAY + 1 } as const;
  await createErasure(world.d1, {
    erasure: { ...whole, createdAt: now() },
    partitions: ["pool-0"],
    openDays: [],
  });
  const settings = decide(world, { goals: [{ name: "Any", page: "*" }] });
  expect((await answer(world, settings)).groups).toMatchObject([{ groups: [{}, {}] }]);
  const drive = () => driveErasures({ directory, ledgers, now, pace, log, bucket, partition });
  await drive();
  const told = await answer(world, settings);
  expect(told.derived).toBe(0);
  expect(told.groups).toMatchObject([{ groups: [{ dimensions: ["Direct", "Any"] }] }]);
  world.it.now += 5 * DAY_MS; // an erasure ends when the Days that were open are closed
  await drive();
  await world.seal();
  await drive();
  expect(await answer(world, settings)).toEqual({ ...told, derived: 1 });
  const texts = world.keys("sealed/").filter((key) => key.endsWith(".derived"));
  expect(texts).toHaveLength(1);
});
