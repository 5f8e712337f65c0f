// Local time against the runtime's own formatting, through clock changes and odd zones.

import fc from "fast-check";
import { expect, test } from "vitest";
import {
  addMonths,
  dateOf,
  dayAt,
  dayStart,
  hourAfter,
  hourAt,
  isoLocal,
  isTimeZone,
  localTime,
  monthOf,
  parseDate,
  weekOf,
} from "../../core/time.ts";
import { localHour } from "../support/naive.ts";

const ZONES = [
  "UTC",
  "Europe/London",
  "America/New_York",
  "Asia/Kolkata",
  "Asia/Kathmandu",
  "Australia/Lord_Howe",
  "Pacific/Chatham",
  "Pacific/Apia",
  "America/St_Johns",
];
const instantArbitrary = fc.integer({ min: Date.UTC(2000, 0, 1), max: Date.UTC(2030, 0, 1) });

test("[TIME-1] an instant's Day is its local date", () => {
  fc.assert(
    fc.property(fc.constantFrom(...ZONES), instantArbitrary, (zone, instant) => {
      expect(dateOf(dayAt(zone, instant))).toBe(localHour(zone, instant).slice(0, 10));
    }),
    { numRuns: 2_000 },
  );
});

test("[TIME-2] an Hour holds its instant, has one label, and the next one starts where it ends", () => {
  fc.assert(
    fc.property(fc.constantFrom(...ZONES), instantArbitrary, (zone, instant) => {
      const start = hourAt(zone, instant);
      const end = hourAfter(zone, start);
      expect(start <= instant && instant < end && end - start <= 3_600_000).toBe(true);
      expect(hourAt(zone, start)).toBe(start);
      expect(hourAt(zone, end)).toBe(end);
      expect(localHour(zone, start)).toBe(localHour(zone, instant));
    }),
    { numRuns: 2_000 },
  );
});

const CHANGES: readonly (readonly [string, string, number])[] = [
  ["Europe/London", "2026-03-29", 23],
  ["Europe/London", "2026-10-25", 25],
  ["America/New_York", "2026-03-08", 23],
  ["America/New_York", "2026-11-01", 25],
  ["Australia/Lord_Howe", "2026-04-05", 24.5],
  ["Australia/Lord_Howe", "2026-10-04", 23.5],
  ["Asia/Kolkata", "2026-03-29", 24],
];
test.each(CHANGES)("[TIME-3] in %s the Day %s takes %f hours", (zone, date, hours) => {
  const day = parseDate(date) as number;
  expect((dayStart(zone, day + 1) - dayStart(zone, day)) / 3_600_000).toBe(hours);
});

test("[TIME-4] a clock hour that is repeated is two Hours with the same label", () => {
  const first = Date.UTC(2026, 9, 25, 0, 30); // 01:30 BST
  const second = Date.UTC(2026, 9, 25, 1, 30); // 01:30 GMT
  expect(hourAt("Europe/London", first)).not.toBe(hourAt("Europe/London", second));
  expect(localTime("Europe/London", hourAt("Europe/London", first))).toBe("2026-10-25 01:00:00");
  expect(localTime("Europe/London", hourAt("Europe/London", second))).toBe("2026-10-25 01:00:00");
});

test("[TIME-5] weeks start on Monday, months on the first, and month arithmetic stays inside the month", () => {
  const day = (date: string) => parseDate(date) as number;
  expect(dateOf(weekOf(day("2026-11-21")))).toBe("2026-11-16");
  expect(dateOf(weekOf(day("1969-12-29")))).toBe("1969-12-29");
  expect(dateOf(monthOf(day("2026-11-21")))).toBe("2026-11-01");
  expect(dateOf(addMonths(day("2026-03-31"), -1))).toBe("2026-02-28");
  expect(dateOf(addMonths(day("2026-11-21"), -12))).toBe("2025-11-21");
  expect(parseDate("2026-02-30")).toBeUndefined();
  expect(isoLocal("Asia/Kolkata", Date.UTC(2026, 0, 1))).toBe("2026-01-01T05:30:00+05:30");
});

test.each([
  ["Europe/Berlin", true],
  ["UTC", true],
  ["Mars/Olympus", false],
  ["+05:30", false],
  ["", false],
  ["__proto__", false],
])("[TIME-6] %s is a zone: %s", (name, known) => {
  expect(isTimeZone(name)).toBe(known);
});
