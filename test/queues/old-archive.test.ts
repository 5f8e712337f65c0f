// What version 0.1 has archived and counted (test/golden/archive-0.1), under the meanings of today: its files are read
// as they are, a verify says what would change, a rebuild changes it, and an undo takes that back to the unit.

import { beforeEach, expect, test } from "vitest";
import type { ArchivedEvent } from "../../core/archive/file.ts";
import { DAY_MS, dateOf } from "../../core/time.ts";
import { findExport, readExport } from "../../storage/archive/archive-export.ts";
import { packDay } from "../../storage/ledger/pack.ts";
import { settingsOf } from "../support/events.ts";
import { memoryArchive } from "../support/memory-bucket.ts";
import { loadOldArchive, OLD_HITS } from "../support/old-archive.ts";
import { allRows } from "../support/packed.ts";
import { ReplayedWorld } from "../support/replayed-world.ts";

const FIRST = Date.parse("2026-11-10T00:00:00Z") / DAY_MS;
const RANGE = { fromDay: FIRST, toDay: FIRST + 3 };
/** Of whom the partition has counted on since. */
const NEIGHBOUR = 2;

let world: ReplayedWorld;

beforeEach(async () => {
  world = new ReplayedWorld([settingsOf("UTC"), settingsOf("UTC", { merchant: NEIGHBOUR })]);
  loadOldArchive(world);
  world.it.now = Date.parse("2026-11-13T10:00:00Z");
  await world.send(Array.from({ length: 40 }, (_, index) => ({ merchant: NEIGHBOUR, id: `since ${index}` })));
  await world.settle();
});

test("[ANS-2] files of 0.1 are read as they are: sealed ones, bundles, and a late bundle beside a seal", async () => {
  const rows = await readArchive();
  expect(rows.map(({ event }) => event.id).sort()).toEqual(sentIds());
  const spellings = rows.filter(({ event }) => event.url.endsWith("ber-uns")).map(({ event }) => event.url);
  expect(new Set(spellings).size).toBeGreaterThan(1); // as they were archived, whatever they are called today
  const facts = rows.map(({ event }) => [event.keyed, event.sequence, event.visitorKind, event.passive, event.purpose]);
  expect(facts).toEqual(rows.map(() => [0, 0, "", 0, ""]));
});

test("[ANS-2] a verify of Days that 0.1 counted names what the meanings of today would change, and changes nothing", async () => {
  const before = world.dump();
  const job = await world.run({ kind: "verify", ...RANGE, merchants: [1] });
  expect(job).toMatchObject({ state: "done", inDoubt: 0, failed: 0, events: sentIds().length });
  expect(job.differences).toBeGreaterThan(0);
  expect(await world.totals(job.id)).toEqual(TOTALS);
  expect(world.dump()).toEqual(before);
});

test("[ANS-2] a rebuild applies them, and an undo takes them back to the unit", async () => {
  // As the cron does with closed Days that lie in rows.
  for (let day = RANGE.fromDay; day < RANGE.toDay; day++) await packDay(world.d1, { day, partition: "pool-0" });
  const before = world.dump();
  const job = await world.run({ kind: "rebuild", ...RANGE, merchants: [1] });
  expect(job).toMatchObject({ state: "done", failed: 0 });
  expect(job.replaced).toBeGreaterThan(0);
  expect(await world.run({ kind: "verify", ...RANGE })).toMatchObject({ differences: 0, inDoubt: 0, failed: 0 });
  expect(dayNumbers()).toEqual(COUNTED);
  await world.change(job.id, "undo");
  await world.work();
  expect((await world.look(job.id)).state).toBe("undone");
  expect(world.dump()).toEqual(before);
});

const total = (what: string, before: number, after: number) => ({ merchant: 1, what, before, after });

/**
 * Over the three Days. 0.1 made visits of engagement reports, and a visitor of one that came after midnight; it added
 * the money of each load of a thank-you page, and of a cancellation. Money is in ten-thousandths.
 */
const TOTALS = [
  total("events", 26, 26),
  total("orders", 0, 4),
  total("pageviews", 13, 13),
  total("refunds", 0, 2),
  total("revenue EUR", 3_700_000, 1_100_000),
  total("revenue USD", 0, 500_000),
  total("visitors", 19, 18),
  total("visits", 22, 20),
];

/** By Day: visitors, visits, bounces, events, orders, refunds, units in ten-thousandths. */
const COUNTED = [
  ["2026-11-10", 13, 14, 11, 20, 2, 1, 20_000],
  ["2026-11-11", 4, 4, 4, 4, 2, 1, 0],
  ["2026-11-12", 1, 2, 2, 2, 0, 0, 0],
];

function dayNumbers() {
  const columns = ["visitors", "visits", "bounces", "events", "orders", "refunds", "units"];
  const rows = allRows(world.database, "daily").filter(({ merchant }) => merchant === 1);
  return rows.map((row) => [dateOf(Number(row["day"])), ...columns.map((name) => row[name])]);
}

async function readArchive(): Promise<readonly ArchivedEvent[]> {
  const source = {
    archive: { bucket: memoryArchive(world.objects) },
    ledger: world.d1,
  };
  const settings = settingsOf("UTC");
  const places = [0, 1, 2].map((day) => ({ day: FIRST + day, partition: "pool-0" }));
  const found: ArchivedEvent[] = [];
  const read = { settings, places: await findExport(source, { settings, places, recent: new Map() }) };
  for await (const rows of readExport(source, read)) found.push(...rows);
  return found;
}

/** The ids that clients gave; of two events, which gave none, those that 0.1 made. */
function sentIds(): readonly string[] {
  const given = JSON.stringify(OLD_HITS).matchAll(/"(?:id|messageId)":"([ns]-\d+)"/g);
  return [...[...given].map(([, id]) => id as string), "made-24", "made-25"].sort();
}
