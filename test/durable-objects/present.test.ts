// Who is there, from a partition's state: what a count of the same events by their visits says, whatever comes late,
// comes twice or crashes between.

import { expect, test } from "vitest";
import { decodeLogged } from "../../core/archive/bundle.ts";
import { columnsOf } from "../../core/archive/event-columns.ts";
import type { Event } from "../../core/event.ts";
import { seeDay } from "../../core/query/seen.ts";
import { dayAt } from "../../core/time.ts";
import { present } from "../../durable-objects/present.ts";
import { settingsOf } from "../support/events.ts";
import { TestPartition } from "../support/partition.ts";
import { seededRandom } from "../support/random.ts";

const MINUTE = 60_000;
const WINDOW = 30 * MINUTE;

test.for([1, 2, 3])("[NOW-1] visitors, pages, sources and orders are those of the events (seed %i)", async (seed) => {
  const random = seededRandom(seed);
  const it = new TestPartition();
  const day = dayAt("Europe/Vienna", it.now);
  const settings = it.settings.get(1) ?? settingsOf();
  const all: { position: number; event: Event }[] = [];
  let looked = 0;
  for (let step = 0; step < 150; step++) {
    it.now += random.integer(1, 4) * MINUTE;
    const who = random.integer(1, 12).toString(16).padStart(16, "0");
    const age = random.chance(0.2) ? random.integer(0, 90) * MINUTE : 0;
    const name = random.pick(["pageview", "pageview", "engagement", "signup", "purchase"]);
    const order = name === "purchase" ? { order: `o${random.integer(1, 9)}`, revenue: 125_000 } : {};
    const page = random.pick(["/a", "/b", "/c"]);
    const id = random.chance(0.1) ? `event ${step - 1}` : `event ${step}`;
    await it.send([{ id, visitor: who, name, url: `https://shop.example${page}`, timestamp: it.now - age, ...order }]);
    if (random.chance(0.05)) it.restart();
    if (!random.chance(0.3)) continue;
    const { store } = it.partition.deps;
    const logged = store.readLog({ first: 1, end: it.partition.next });
    all.splice(0, all.length, ...logged.map((row, at) => ({ position: at + 1, event: decodeLogged(row).event })));
    const rows = all.map((row) => ({ partition: "pool-0", ...row }));
    const { visits } = seeDay({ rows: columnsOf(rows), day }, { settings, global: [] });
    const since = it.now - WINDOW;
    const last = new Map<string, number>();
    const pages = new Map<string, string | undefined>();
    for (const visit of visits)
      for (const { event } of visit.events) {
        last.set(event.visitor, Math.max(event.timestamp, last.get(event.visitor) ?? 0));
        pages.set(event.visitor, visit.exit?.opinion.page);
      }
    const here = [...last].filter(([, at]) => at >= since).sort();
    const found = present(it.partition, { merchant: 1, days: [day], since });
    expect(found.visitors.map(({ visitor, at }) => [visitor, at] as const).sort()).toEqual(here);
    for (const one of found.visitors) expect(one.page).toBe(pages.get(one.visitor));
    const orders = visits.flatMap(({ events }) =>
      events.filter(({ earning }) => earning?.ofOrder && earning.sign > 0).map(({ event }) => event.timestamp),
    );
    expect(found.orders.map(({ at }) => at)).toEqual(orders.sort((a, b) => b - a).slice(0, 10));
    looked += here.length;
  }
  expect(looked).toBeGreaterThan(50);
  expect(present(it.partition, { merchant: 2, days: [day], since: 0 })).toEqual({
    visitors: [],
    orders: [],
    looked: 0,
  });
});
