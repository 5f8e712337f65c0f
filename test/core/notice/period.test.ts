// Periods of reports and when they are due: a simulated quarter with both changes of the clocks' like and a year's end,
// in zones on both sides of the date line.

import { describe, expect, test } from "vitest";
import { afterQuiet, localInstant, nextReportAt, periodBefore, reportDueAt } from "../../../core/notice/period.ts";
import { dateOf, dayAt, isoLocal, localTime, MINUTE_MS, parseDate } from "../../../core/time.ts";

const day = (date: string) => parseDate(date) as number;

describe("[NTC-11] a period", () => {
  test.each([
    ["weekly", "2026-11-29", "2026-11-16", "2026-11-22", "2026-W47"],
    ["weekly", "2026-11-30", "2026-11-23", "2026-11-29", "2026-W48"],
    ["weekly", "2027-01-03", "2026-12-21", "2026-12-27", "2026-W52"],
    ["weekly", "2027-01-04", "2026-12-28", "2027-01-03", "2026-W53"],
    ["weekly", "2027-01-11", "2027-01-04", "2027-01-10", "2027-W01"],
    ["weekly", "2025-01-06", "2024-12-30", "2025-01-05", "2025-W01"],
    ["weekly", "2021-01-04", "2020-12-28", "2021-01-03", "2020-W53"],
    ["monthly", "2026-11-30", "2026-10-01", "2026-10-31", "2026-10"],
    ["monthly", "2027-01-01", "2026-12-01", "2026-12-31", "2026-12"],
    ["monthly", "2028-03-31", "2028-02-01", "2028-02-29", "2028-02"],
  ] as const)("%s on %s is %s to %s, %s", (topic, on, from, to, key) => {
    const period = periodBefore(topic, day(on));
    expect([dateOf(period.from), dateOf(period.to - 1), period.key]).toEqual([from, to, key]);
    expect(period.before.to).toBe(period.from);
  });

  test("is compared with the whole one before, whatever its length", () => {
    const { before } = periodBefore("monthly", day("2026-04-10"));
    expect([dateOf(before.from), dateOf(before.to - 1)]).toEqual(["2026-02-01", "2026-02-28"]);
  });
});

describe("[NTC-12] when a report is due", () => {
  test.each(["Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati", "Asia/Kathmandu", "Australia/Lord_Howe"])(
    "is the morning after the period, once a week and once a month, in %s",
    (zone) => {
      for (const offset of [0, 61, 119]) {
        const schedule = { zone, offset };
        let at = Date.parse("2026-10-15T12:00:00Z");
        const seen: string[] = [];
        // Over the end of summer time, the end of the year, and into the next summer time.
        while (at < Date.parse("2027-04-15T00:00:00Z")) {
          at = nextReportAt(["weekly"], at, schedule) as number;
          expect(new Date(dayAt(zone, at) * 86_400_000).getUTCDay()).toBe(1);
          const expected = `0${7 + Math.floor(offset / 60)}:${String(offset % 60).padStart(2, "0")}:00`;
          expect(localTime(zone, at).slice(11)).toBe(expected);
          seen.push(periodBefore("weekly", dayAt(zone, at)).key);
        }
        expect(new Set(seen).size).toBe(seen.length);
        expect(seen.length).toBe(27);
        expect(seen).toEqual(expect.arrayContaining(["2026-W43", "2026-W44", "2026-W53", "2027-W01", "2027-W13"]));
      }
    },
  );

  test("of both is the nearer one, and of none never", () => {
    const schedule = { zone: "UTC", offset: 0 };
    const now = Date.parse("2026-11-30T08:00:00Z");
    expect(nextReportAt(["weekly", "monthly"], now, schedule)).toBe(Date.parse("2026-12-01T07:00:00Z"));
    expect(nextReportAt(["weekly"], now, schedule)).toBe(Date.parse("2026-12-07T07:00:00Z"));
    expect(nextReportAt([], now, schedule)).toBeNull();
    expect(reportDueAt(day("2026-11-30"), schedule)).toBe(Date.parse("2026-11-30T07:00:00Z"));
  });
});

describe("[NTC-13] local clock times", () => {
  test.each([
    ["2026-03-29", 150, "2026-03-29T03:30:00+02:00"],
    ["2026-03-29", 90, "2026-03-29T01:30:00+01:00"],
    ["2026-10-25", 150, "2026-10-25T02:30:00+02:00"],
    ["2026-10-25", 210, "2026-10-25T03:30:00+01:00"],
  ])("of %s, %i minutes: skipped ones are later, doubled ones the first", (date, minutes, expected) => {
    expect(isoLocal("Europe/Berlin", localInstant("Europe/Berlin", day(date), minutes))).toBe(expected);
  });

  test.each([
    ["2026-11-29T21:59:00+01:00", "2026-11-29T21:59:00+01:00"],
    ["2026-11-29T22:00:00+01:00", "2026-11-30T07:00:00+01:00"],
    ["2026-11-30T06:59:00+01:00", "2026-11-30T07:00:00+01:00"],
    ["2026-11-30T07:00:00+01:00", "2026-11-30T07:00:00+01:00"],
    ["2026-10-24T23:00:00+02:00", "2026-10-25T07:00:00+01:00"],
  ])("quiet hours from 22:00 to 07:00: of %s it is sent at %s", (now, expected) => {
    const quiet = { from: "22:00", to: "07:00" };
    expect(isoLocal("Europe/Berlin", afterQuiet(quiet, "Europe/Berlin", Date.parse(now)))).toBe(expected);
  });

  test("quiet hours within a Day, and none", () => {
    const noon = Date.parse("2026-11-29T12:00:00Z");
    expect(afterQuiet({ from: "11:00", to: "13:00" }, "UTC", noon)).toBe(noon + 60 * MINUTE_MS);
    expect(afterQuiet({ from: "13:00", to: "14:00" }, "UTC", noon)).toBe(noon);
    expect(afterQuiet({ from: "12:00", to: "12:00" }, "UTC", noon)).toBe(noon);
    expect(afterQuiet(null, "UTC", noon)).toBe(noon);
  });
});
