// Zones put on past Days against the runtime's own dates: in which Day an event is shown, in which folders a Day's
// events lie, and where one zone ends and the next begins.

import fc from "fast-check";
import { expect, test } from "vitest";
import type { Settings } from "../../core/merchant.ts";
import { hourOf } from "../../core/merchant.ts";
import {
  foldersOf,
  isMovedDay,
  planPastZone,
  shownDay,
  shownDaysOf,
  shownZones,
  withPastZone,
} from "../../core/past-zone.ts";
import { DAY_MS, HOUR_MS } from "../../core/time.ts";
import { settingsOf } from "../support/events.ts";

const FIRST = Date.UTC(2026, 2, 20) / DAY_MS;
const ZONES = ["UTC", "Asia/Kolkata", "America/St_Johns", "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Niue"];

/** To make one takes a hundred times as long as to use it. */
const formats = new Map(
  ZONES.map((timeZone) => [timeZone, new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" })]),
);

function dayIn(zone: string, instant: number): number {
  const date = formats.get(zone)?.format(instant);
  return Date.parse(`${date}T00:00:00Z`) / DAY_MS;
}

test("[ZON-4] every instant has one Day, its folder is among that Day's, and Days that have not moved are their folder", () => {
  const zone = fc.constantFrom(...ZONES);
  const put = fc.record({ zone, from: fc.integer({ min: 0, max: 12 }), days: fc.integer({ min: 1, max: 8 }) });
  fc.assert(
    fc.property(zone, fc.array(put, { minLength: 1, maxLength: 4 }), (base, puts) => {
      let settings: Settings = settingsOf(base);
      for (const one of puts) {
        const days = [FIRST + one.from, FIRST + one.from + one.days] as const;
        const past = planPastZone(settings, { zone: one.zone, days });
        if (past === undefined) continue;
        settings = withPastZone(settings, past);
        // The Days of the zone are its own, from midnight to midnight.
        for (let instant = past.from; instant < past.to; instant += HOUR_MS / 2)
          expect(shownDay(shownZones(settings), instant)).toBe(dayIn(one.zone, instant));
        expect(dayIn(one.zone, past.from)).toBe(days[0]);
        expect(dayIn(one.zone, past.from - 1)).toBe(days[0] - 1);
      }
      const shown = shownZones(settings);
      for (let instant = (FIRST - 3) * DAY_MS; instant < (FIRST + 25) * DAY_MS; instant += HOUR_MS / 2) {
        const [day, folder] = [shownDay(shown, instant), dayIn(base, instant)];
        const folders = isMovedDay(settings, day) ? foldersOf(settings, day) : [day, day + 1];
        expect(folders[0] <= folder && folder < folders[1]).toBe(true);
        const days = shownDaysOf(settings, folder);
        expect(days[0] <= day && day < days[1]).toBe(true);
        expect(folders[1] - folders[0]).toBeLessThanOrEqual(5);
        // An Hour is of one Day, and so is its name.
        expect(shownDay(shown, hourOf(shown, instant))).toBe(day);
      }
    }),
    { numRuns: 15 },
  );
});

test("[ZON-6] a zone that the Days have already is none", () => {
  const settings = settingsOf("Europe/Berlin");
  const days = [FIRST, FIRST + 3] as const;
  expect(planPastZone(settings, { zone: "Europe/Berlin", days })).toBeUndefined();
  const past = planPastZone(settings, { zone: "Asia/Kolkata", days });
  // Berlin goes on at its next full hour: for half an hour Kolkata's next Day has begun.
  expect(past?.days).toEqual([FIRST - 1, FIRST + 4]);
  if (past !== undefined)
    expect(planPastZone(withPastZone(settings, past), { zone: "Asia/Kolkata", days })).toBeUndefined();
});
