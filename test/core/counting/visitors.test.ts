// Visitors who rest: whatever is packed when, numbers and stored bytes say the same.

import fc from "fast-check";
import { expect, test } from "vitest";
import { ByteReader, ByteWriter } from "../../../core/bytes.ts";
import { countEvent, type DayState, decodeDay, emptyDay, encodeDay, WHOLE_DAY } from "../../../core/counting/day.ts";
import { ALL_DIMENSIONS } from "../../../core/counting/rollup.ts";
import { toRollupRow } from "../../../core/counting/rollup-row.ts";
import { opine } from "../../../core/enrichment/opinion.ts";
import { NO_RULES_IN_FORCE } from "../../../core/rules.ts";
import { DAY_MS, HOUR_MS } from "../../../core/time.ts";
import { eventOf, settingsOf, TUESDAY } from "../../support/events.ts";

const DAY = Math.floor(TUESDAY / DAY_MS);

const anyStep = fc.record({
  visitor: fc.integer({ min: 1, max: 4 }),
  minute: fc.integer({ min: 0, max: 239 }),
  page: fc.integer({ min: 0, max: 3 }),
  /** Everybody last seen before this minute rests, before the event. */
  restBefore: fc.integer({ min: 0, max: 240 }),
  stored: fc.boolean(),
});

test("[VIS-10] visitors who rest, and Days that were stored and read again, count as if nothing had happened", () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 40 }), (steps) => {
      const plain = emptyDay(1, DAY);
      let rested = emptyDay(1, DAY);
      steps.forEach(({ visitor, minute, page, restBefore, stored }, position) => {
        const event = eventOf({
          id: `${position}`,
          visitor: `00000000000000a${visitor}`,
          timestamp: TUESDAY + minute * 60_000,
          url: `https://shop.example/${page}`,
        });
        rested.visitors.rest(TUESDAY + restBefore * 60_000);
        if (stored) rested = restored(rested);
        for (const state of [plain, rested]) count(state, event, position);
      });
      rested.visitors.rest(TUESDAY + DAY_MS);
      expect(rowsOf(rested)).toEqual(rowsOf(plain));
      expect(rested.visitors.size).toBe(plain.visitors.size);
    }),
  );
});

function count(state: DayState, event: ReturnType<typeof eventOf>, position: number): void {
  countEvent(state, { event, opinion: opine(event, NO_RULES_IN_FORCE), settings: settingsOf(), position });
}

function restored(state: DayState): DayState {
  const writer = new ByteWriter();
  encodeDay(state, writer);
  return decodeDay(new ByteReader(writer.finish()));
}

function rowsOf(state: DayState) {
  const hours = Array.from({ length: 4 }, (_, hour) => (TUESDAY + hour * HOUR_MS - DAY * DAY_MS) / 900_000);
  return [WHOLE_DAY, ...hours].map((slot) =>
    toRollupRow(state, { slot, partition: "pool-0", version: 1, dimensions: ALL_DIMENSIONS }),
  );
}
