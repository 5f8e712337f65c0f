// Days as earlier versions have stored them in checkpoints: a deployment reads what the one before it wrote. Each file
// of test/golden/day is the bytes of one shape, written by the code of its time, and the events they were counted from.

import { Buffer } from "node:buffer";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ByteReader, ByteWriter } from "../../../core/bytes.ts";
import { countEvent, type DayState, decodeDay, emptyDay, encodeDay } from "../../../core/counting/day.ts";
import { duplicateKey } from "../../../core/counting/duplicate.ts";
import { ALL_DIMENSIONS } from "../../../core/counting/rollup.ts";
import { toRollupRow } from "../../../core/counting/rollup-row.ts";
import { opine } from "../../../core/enrichment/opinion.ts";
import type { Event } from "../../../core/event.ts";
import { NO_RULES, type RulesInForce } from "../../../core/rules.ts";
import { DAY_MS } from "../../../core/time.ts";
import { eventOf, settingsOf } from "../../support/events.ts";

const GOLDEN = join(import.meta.dirname, "../../golden/day");
const DAY_START = Date.UTC(2026, 10, 17);
const DAY = DAY_START / DAY_MS;
/** The rules that the events were counted under. */
const RULES: RulesInForce = {
  own: {
    ...NO_RULES,
    goals: [
      { name: "paid", event: "purchase" },
      { name: "front", page: "/" },
    ],
  },
  global: NO_RULES,
};

interface GoldenDay {
  readonly shape: number;
  readonly events: readonly (Partial<Event> & { readonly minute: number })[];
  /** base64 */
  readonly bytes: string;
}

const files = readdirSync(GOLDEN).sort();
const readGolden = (name: string) => JSON.parse(readFileSync(join(GOLDEN, name), "utf8")) as GoldenDay;

/** Those before it lack what makes orders and visits of today: their Days are counted again from the archive. */
const FIRST_SHAPE = 3;

test("[CNT-8] there is a sample of every shape that is read, the present one included", () => {
  const writer = new ByteWriter();
  encodeDay(emptyDay(1, DAY), writer);
  const present = writer.finish()[0] as number;
  expect(files.map((name) => readGolden(name).shape)).toEqual(
    Array.from({ length: present - FIRST_SHAPE + 1 }, (_, at) => FIRST_SHAPE + at),
  );
});

test.each(files)("[CNT-8] the stored Day of %s is read, counts on, and is stored in the present shape", (name) => {
  const { shape, events, bytes } = readGolden(name);
  const stored = Buffer.from(bytes, "base64");
  expect(stored[0]).toBe(shape);
  const counted = emptyDay(1, DAY);
  events.forEach((event, position) => {
    count(counted, event, position);
  });
  const read = decodeDay(new ByteReader(stored));
  expect(rowsOf(read)).toEqual(rowsOf(counted));
  for (const { id = "", keyed = 0 } of events) expect(read.ids.has(duplicateKey({ id, keyed }))).toBe(true);
  // One goes on with a visit, one is new, and what both make of it is stored and read once more.
  for (const state of [read, counted]) {
    count(state, { id: "more", visitor: "00000000000000bb", minute: 620, url: "https://shop.example/thanks" }, 100);
    count(state, { id: "new", visitor: "00000000000000ee", minute: 1_200, url: "https://shop.example/" }, 101);
  }
  const writer = new ByteWriter();
  encodeDay(read, writer);
  expect(rowsOf(decodeDay(new ByteReader(writer.finish())))).toEqual(rowsOf(counted));
});

function count(state: DayState, { minute, ...changes }: GoldenDay["events"][number], position: number): void {
  const event = eventOf({ ...changes, timestamp: DAY_START + minute * 60_000 });
  const opinion = opine(event, RULES);
  const settings = settingsOf();
  countEvent(state, { event: { ...event, dropped: event.dropped || opinion.dropped }, opinion, settings, position });
}

/** Every rollup of a Day as plain data. */
function rowsOf(state: DayState): unknown {
  const slots = [...state.changed].sort(([a], [b]) => a - b);
  return slots.map(([slot, version]) =>
    toRollupRow(state, { slot, partition: "p", version, dimensions: ALL_DIMENSIONS }),
  );
}
