// Date ranges in the merchant's zone, through clock changes and changes of zone.

import { expect, test } from "vitest";
import { changeZone, type ZonePeriod } from "../../../core/merchant.ts";
import { type DateRange, echoRange, parseDateRange, type Range, resolveRange } from "../../../core/query/range.ts";
import { dateOf, dayAt, dayStart, hourAt, parseDate } from "../../../core/time.ts";
import { valueFrom } from "../../support/questions.ts";

const NOW = Date.parse("2021-05-05T12:30:00Z"); // a Wednesday
const UTC: readonly ZonePeriod[] = [{ from: 0, zone: "UTC" }];

function resolve(asked: unknown, zones = UTC, now = NOW, firstDay?: number) {
  return resolveRange(parseDateRange(asked) as DateRange, { zones, now, firstDay });
}

function echoed(asked: unknown, zones = UTC, now = NOW, firstDay?: number): readonly [string, string] | string {
  const range = resolve(asked, zones, now, firstDay);
  return range.ok ? echoRange(range.value, zones) : range.rejection.message;
}

const RANGES: readonly (readonly [asked: unknown, first: string, last: string])[] = [
  ["day", "2021-05-05T00:00:00+00:00", "2021-05-05T23:59:59+00:00"],
  ["today", "2021-05-05T00:00:00+00:00", "2021-05-05T23:59:59+00:00"],
  ["yesterday", "2021-05-04T00:00:00+00:00", "2021-05-04T23:59:59+00:00"],
  ["month_to_date", "2021-05-01T00:00:00+00:00", "2021-05-05T23:59:59+00:00"],
  ["year_to_date", "2021-01-01T00:00:00+00:00", "2021-05-05T23:59:59+00:00"],
  ["2021-03-01", "2021-03-01T00:00:00+00:00", "2021-03-01T23:59:59+00:00"],
  [["2021-03-01"], "2021-03-01T00:00:00+00:00", "2021-03-01T23:59:59+00:00"],
  ["24h", "2021-05-04T13:00:00+00:00", "2021-05-05T12:59:59+00:00"],
  ["7d", "2021-04-28T00:00:00+00:00", "2021-05-04T23:59:59+00:00"],
  ["28d", "2021-04-07T00:00:00+00:00", "2021-05-04T23:59:59+00:00"],
  ["30d", "2021-04-05T00:00:00+00:00", "2021-05-04T23:59:59+00:00"],
  ["91d", "2021-02-03T00:00:00+00:00", "2021-05-04T23:59:59+00:00"],
  ["month", "2021-05-01T00:00:00+00:00", "2021-05-31T23:59:59+00:00"],
  ["6mo", "2020-11-01T00:00:00+00:00", "2021-04-30T23:59:59+00:00"],
  ["12mo", "2020-05-01T00:00:00+00:00", "2021-04-30T23:59:59+00:00"],
  ["year", "2021-01-01T00:00:00+00:00", "2021-12-31T23:59:59+00:00"],
  ["all", "2021-05-05T00:00:00+00:00", "2021-05-05T23:59:59+00:00"],
  [["2021-03-01", "2021-03-02"], "2021-03-01T00:00:00+00:00", "2021-03-02T23:59:59+00:00"],
  [["2021-03-01T10:00:00Z", "2021-03-01T12:00:00Z"], "2021-03-01T10:00:00+00:00", "2021-03-01T11:59:59+00:00"],
  [["2021-03-01T10:00:00Z", "2021-03-01T11:59:59Z"], "2021-03-01T10:00:00+00:00", "2021-03-01T11:59:59+00:00"],
  [["2021-03-01T10:00:00.000Z", "2021-03-01T11:59:59.999Z"], "2021-03-01T10:00:00+00:00", "2021-03-01T11:59:59+00:00"],
];

test.each(RANGES)("[QRY-5] %j on 2021-05-05 at 12:30 UTC is from %s to %s", (asked, first, last) => {
  expect(echoed(asked)).toEqual([first, last]);
});

test.each(RANGES)("[QRY-6] asking for what %j was echoed as is the same range", (asked) => {
  expect(resolve(echoed(asked))).toEqual(resolve(asked));
});

test("[QRY-5] all begins on the first Day with numbers, and today when there is none", () => {
  expect(echoed("all", UTC, NOW, parseDate("2019-02-03"))).toEqual([
    "2019-02-03T00:00:00+00:00",
    "2021-05-05T23:59:59+00:00",
  ]);
});

const IN_ZONES: readonly (readonly [zone: string, asked: unknown, first: string, last: string])[] = [
  ["Asia/Kolkata", "day", "2021-05-05T00:00:00+05:30", "2021-05-05T23:59:59+05:30"],
  ["Pacific/Auckland", "day", "2021-05-06T00:00:00+12:00", "2021-05-06T23:59:59+12:00"],
  ["Europe/Berlin", ["2021-03-28", "2021-03-28"], "2021-03-28T00:00:00+01:00", "2021-03-28T23:59:59+02:00"],
  // Midnight does not exist (Santiago), or happens twice (Havana).
  ["America/Santiago", ["2022-09-11", "2022-09-11"], "2022-09-11T01:00:00-03:00", "2022-09-11T23:59:59-03:00"],
  ["America/Havana", ["2023-11-05", "2023-11-05"], "2023-11-05T00:00:00-04:00", "2023-11-05T23:59:59-05:00"],
];

test.each(IN_ZONES)("[QRY-5] in %s, %j is from %s to %s", (zone, asked, first, last) => {
  expect(echoed(asked, [{ from: 0, zone }])).toEqual([first, last]);
});

const NOT_WHOLE: readonly (readonly [zone: string, from: string, to: string])[] = [
  ["UTC", "2021-03-01T10:30:00Z", "2021-03-01T12:00:00Z"],
  ["UTC", "2021-03-01T10:00:00Z", "2021-03-01T12:30:00Z"],
  ["Asia/Kolkata", "2021-03-01T10:00:00Z", "2021-03-01T12:00:00Z"],
];

test.each(NOT_WHOLE)("[QRY-7] instants that are no whole hours in %s are refused: %s to %s", (zone, from, to) => {
  expect(echoed([from, to], [{ from: 0, zone }])).toBe(
    `#/date_range: Date range must start and end on whole hours in ${zone}.`,
  );
});

test("[QRY-7] half past in UTC is a whole hour in Kolkata", () => {
  const range = resolve(["2021-03-01T10:30:00Z", "2021-03-01T12:30:00Z"], [{ from: 0, zone: "Asia/Kolkata" }]);
  expect(range).toMatchObject({ ok: true, value: { wholeDays: false } });
});

test("[MER-1] a zone change takes effect at a full hour of the new zone, at least the notice ahead", () => {
  const zones = changeZone({ zones: [{ from: 0, zone: "UTC" }] }, "Asia/Kolkata", NOW);
  expect(zones).toEqual([
    { from: 0, zone: "UTC" },
    { from: Date.parse("2021-05-05T13:30:00Z"), zone: "Asia/Kolkata" },
  ]);
});

test("[MER-1] a zone change that has not begun is replaced, and taken back by asking for the old zone", () => {
  const coming = changeZone({ zones: [{ from: 0, zone: "UTC" }] }, "Asia/Kolkata", NOW);
  expect(changeZone({ zones: coming }, "UTC", NOW - 3_600_000)).toEqual([{ from: 0, zone: "UTC" }]);
  expect(changeZone({ zones: coming }, "Europe/Berlin", NOW - 3_600_000)).toMatchObject([
    { zone: "UTC" },
    { zone: "Europe/Berlin" },
  ]);
});

test("[QRY-8] after a zone change a Day's range holds every Hour of the Day", () => {
  for (const [before, after] of [
    ["Asia/Kolkata", "America/Los_Angeles"],
    ["America/Los_Angeles", "Asia/Kolkata"],
  ] as const) {
    const zones = changeZone({ zones: [{ from: 0, zone: before }] }, after, NOW);
    const change = zones[1]?.from ?? 0;
    for (let instant = change - 48 * 3_600_000; instant < change + 48 * 3_600_000; instant += 900_000) {
      const zone = instant < change ? before : after;
      const date = dateOf(dayAt(zone, instant));
      const range = resolve([date, date], zones) as { readonly value: Range };
      const hour = hourAt(zone, instant);
      expect(hour >= range.value.fromInstant && hour < range.value.toInstant, `${date} holds ${hour}`).toBe(true);
    }
  }
});

test("[QRY-8] a Day that lies on one side of a zone change is that zone's Day, and no longer", () => {
  for (const [before, after] of [
    ["Asia/Kolkata", "America/Los_Angeles"],
    ["America/Los_Angeles", "Asia/Kolkata"],
  ] as const) {
    const zones = changeZone({ zones: [{ from: 0, zone: before }] }, after, NOW);
    const change = zones[1]?.from ?? 0;
    for (const offset of [-3, -2, 2, 3]) {
      const zone = offset < 0 ? before : after;
      const day = dayAt(zone, change) + offset;
      expect(resolve([dateOf(day), dateOf(day)], zones)).toMatchObject({
        value: { fromInstant: dayStart(zone, day), toInstant: dayStart(zone, day + 1), wholeDays: true },
      });
    }
  }
});

test.each([
  ["day", "2021-05-05T00:00:00Z", "2021-05-05T12:59:59Z"],
  ["today", "2021-05-05T00:00:00Z", "2021-05-05T12:59:59Z"],
  ["yesterday", "2021-05-04T00:00:00Z", "2021-05-04T23:59:59Z"],
  ["month", "2021-05-01T00:00:00Z", "2021-05-05T23:59:59Z"],
  ["year", "2021-01-01T00:00:00Z", "2021-05-05T23:59:59Z"],
  ["7d", "2021-04-28T00:00:00Z", "2021-05-04T23:59:59Z"],
  ["24h", "2021-05-04T13:00:00Z", "2021-05-05T12:59:59Z"],
])("[QRY-26] trimmed, %s is %s to %s", (name, from, to) => {
  const dateRange = { ...(parseDateRange(name) as DateRange), isTrimmed: true } as DateRange;
  const range = valueFrom(resolveRange(dateRange, { zones: UTC, now: NOW }));
  expect(echoRange(range, UTC).map((text) => Date.parse(text))).toEqual([from, to].map((text) => Date.parse(text)));
});

test.each([
  "tomorrow",
  "2021-02-30",
  "2021-5-1",
  [],
  ["2021-02-30"],
  ["2021-03-01T10:00:00Z"],
  ["24h"],
  ["a", "b", "c"],
])("[QRY-5] %j is no range", (asked) => {
  expect(parseDateRange(asked)).toBeUndefined();
});
