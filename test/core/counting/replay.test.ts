// A replay reads columns; row by row the same events come to the same rows, the same visits and the same rollups, to
// the byte. So do Hours of which only totals are looked at, and the file that a seal writes of them.

import { describe, expect, test } from "vitest";
import { blockOf, rowsOf, sliceRows } from "../../../core/archive/event-columns.ts";
import type { ArchivedEvent } from "../../../core/archive/file.ts";
import { ByteWriter } from "../../../core/bytes.ts";
import { emptyDay, encodeDay } from "../../../core/counting/day.ts";
import { replayedRows, replayRows } from "../../../core/counting/replay.ts";
import { thinned } from "../../../core/counting/rollup-row.ts";
import type { Event } from "../../../core/event.ts";
import { hash64Hex } from "../../../core/hash.ts";
import { NO_RULES } from "../../../core/rules.ts";
import { DAY_MS, dayStart, HOUR_MS } from "../../../core/time.ts";
import { encodeParquet, ParquetFileWriter } from "../../../storage/archive/parquet.ts";
import { always, CHROME, eventOf, GOOGLEBOT, IPHONE, settingsOf } from "../../support/events.ts";
import { type Random, seededRandom } from "../../support/random.ts";
import { replayRow } from "../../support/row-replay.ts";

const DAY = Math.floor(Date.UTC(2026, 2, 24) / DAY_MS);
const ZONE = "Asia/Kolkata";
const START = dayStart(ZONE, DAY);
const RULES = {
  goals: [
    { name: "Pay", page: "/pay*" },
    { name: "Signup", event: "signup" },
  ],
  bots: { drop: ["*iphone*"], admit: [] },
  paths: { strip_ids: true, keep_query: ["q"], replace: [] },
};
const UNDER = {
  settings: settingsOf(ZONE, {
    rules: [
      ...always({ goals: [{ name: "Any page", page: "*" }] }),
      { version: 2, from: START + 13 * HOUR_MS, rules: { ...NO_RULES, ...RULES } },
      { version: 3, days: [DAY, DAY + 1] as const, withoutImport: 3 },
    ],
  }),
  global: always({ referrers: { drop: ["spam.example"], admit: [] } }),
};
const MATS = '[{"id":"A","name":"Mat","price":12.5,"quantity":2}]';
const MIXED = '[{"id":"A","name":"Mat","price":12.5},{"id":"B","price":0.3333,"quantity":3}]';
const NAMES = ["pageview", "pageview", "pageview", "signup", "engagement", "purchase", "refund", "order cancelled"];

function anyEvent(random: Random, before: readonly Event[]): Event {
  // Told once more, or another story under its id.
  if (before.length > 0 && random.chance(0.15)) {
    const told = random.pick(before);
    const changes: Partial<Event> = random.pick([
      {},
      {},
      { props: '{"plan":"pro"}' },
      { revenue: 2 ** 33 + random.integer(0, 1) },
      { name: "signup", dropped: "duplicate" },
      { dropped: "duplicate" },
      { keyed: 1 - told.keyed },
    ]);
    return { ...told, ...changes };
  }
  const page = random.pick(["/", "/pay", "/pay/12345", "/a?q=1&gclid=2", "/a#/b", ""]);
  return eventOf({
    id: `id ${random.integer(0, 400)}`,
    timestamp: START + random.integer(0, DAY_MS - 1),
    receivedAt: START + random.integer(0, 2 * DAY_MS),
    sequence: random.integer(0, 2),
    visitor: hash64Hex(`visitor ${random.integer(0, 8)}`),
    visitorKind: random.pick(["daily", "known", ""]),
    name: random.pick([...NAMES, "add_to_cart", "web_vitals", "$identify"]),
    url: page === "" ? "" : `https://${random.pick(["shop.example", "till.example"])}${page}`,
    referrer: random.pick(["", "", "https://www.google.com/", "https://spam.example/", "https://www.paypal.com/"]),
    userAgent: random.pick([CHROME, IPHONE, GOOGLEBOT]),
    country: random.pick(["AT", "IN", ""]),
    stream: random.pick([1, 1, 2]),
    revenue: random.pick([0, 0, 10_000, -5_000]),
    currency: random.pick(["", "EUR", "USD"]),
    order: random.pick(["", "", "A1", "A2"]),
    products: random.pick(["", "", MATS, MIXED]),
    keyed: random.pick([0, 0, 1]),
    passive: random.pick([0, 0, 0, 1]),
    purpose: random.pick(["", "", "", "prefetch"]),
    props: random.pick(["", '{"plan":"\ud800"}']),
    engagementMs: random.pick([0, 1_500, 20_000]),
    scroll: random.pick([-1, 0, 40, 100]),
    importNumber: random.pick([0, 0, 0, 3]),
  });
}

function anyRows(random: Random): readonly ArchivedEvent[] {
  const events: Event[] = [];
  for (let left = random.integer(1, 250); left > 0; left--) events.push(anyEvent(random, events));
  return events.map((event, position) => ({ partition: "pool-0", position: 2 * position, event }));
}

describe("[RPL-23] [RPL-1] by seed, columns are counted as their rows are one by one", () => {
  test.each(Array.from({ length: 40 }, (_, seed) => seed))("seed %i", (seed) => {
    const random = seededRandom(seed);
    const rows = anyRows(random);
    const one = { state: emptyDay(1, DAY), partition: "pool-0" };
    const byRow = rows.flatMap((row) => replayRow(one, row, UNDER) ?? []);
    const other = { state: emptyDay(1, DAY), partition: "pool-0" };
    const block = blockOf(rows);
    const kept: ArchivedEvent[] = [];
    for (let start = 0; start < rows.length; ) {
      const end = Math.min(rows.length, start + random.integer(1, rows.length));
      kept.push(...rowsOf(replayRows(other, sliceRows(block, start, end), UNDER)));
      start = end;
    }
    expect(kept).toEqual(byRow);
    expect(replayedRows(other)).toEqual(replayedRows(one));
    const [packed, again] = [one, other].map(({ state }) => {
      const writer = new ByteWriter();
      encodeDay({ ...state, ids: emptyDay(1, DAY).ids }, writer);
      return writer.finish();
    });
    expect(again).toEqual(packed);
    expect(other.state.ids.size).toBe(one.state.ids.size);
    const thin = replayedRows(other, () => true);
    expect(thin).toEqual(replayedRows(one).map(thinned));
  });
});

test("[RPL-23] [ARC-25] a file written of columns has the bytes of one written of their rows", () => {
  const rows = Array.from({ length: 40 }, (_, seed) => anyRows(seededRandom(seed)))
    .flat()
    .map((row, position) => ({ ...row, position }));
  const date = "2026-03-24";
  const writer = new ParquetFileWriter({
    footfall_date: date,
    footfall_partition: "pool-0",
    footfall_first: "0",
    footfall_count: String(rows.length),
  });
  const block = blockOf(rows);
  for (let start = 0; start < rows.length; start += 5_000)
    writer.writeGroup(sliceRows(block, start, Math.min(rows.length, start + 5_000)));
  expect(writer.finish()).toEqual(encodeParquet({ date, partition: "pool-0", first: 0, rows }, "small"));
});
