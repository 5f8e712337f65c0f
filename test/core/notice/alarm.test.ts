// The rules about a shop's Hours, over made-up weeks: what is found, what is not, and when somebody is told.

import { describe, expect, test } from "vitest";
import { type Alarms, findAll, NO_ALARMS, nextAlarms } from "../../../core/notice/alarm.ts";
import { findMissingOrder } from "../../../core/notice/first-order.ts";
import { earlierWindows, type HourCount, sinceFirstVisitor } from "../../../core/notice/hour-count.ts";
import { findSilence } from "../../../core/notice/silence.ts";
import { findTraffic } from "../../../core/notice/traffic.ts";
import { DAY_MS, dayAt, HOUR_MS, hourAfter, localTime } from "../../../core/time.ts";

type Given = (day: number, clock: number) => number;

const FIRST_DAY = 20_000;

/** `length` Hours in UTC, from midnight of the first Day on. */
function hoursOf(length: number, visitors: Given, orders: Given = () => 0): readonly HourCount[] {
  return Array.from({ length }, (_, at) => {
    const [day, clock] = [Math.floor(at / 24), at % 24];
    return {
      start: FIRST_DAY * DAY_MS + at * HOUR_MS,
      day: FIRST_DAY + day,
      clock: `${String(clock).padStart(2, "0")}:00`,
      visitors: visitors(day, clock),
      orders: orders(day, clock),
    };
  });
}

/** Ten Days of `usual` visitors an Hour, which vary a little from Day to Day, and then what `last` says. */
const daysThen = (usual: number, hours: number, last: number) =>
  hoursOf(10 * 24 + hours, (day, clock) => (day * 24 + clock >= 240 ? last : usual + (day % 3)));

describe("[NTC-1] a spike or a drop", () => {
  test.each([
    [
      "twice the middle of an hour",
      daysThen(40, 1, 82),
      { kind: "spike", hours: 1, visitors: 82, median: 41, most: 42 },
    ],
    ["less than twice", daysThen(40, 1, 81), undefined],
    ["half of it, for two Hours", daysThen(40, 2, 20), { kind: "drop", hours: 1, visitors: 20, least: 40, days: 10 }],
    ["half of it, for one Hour", daysThen(40, 1, 20), undefined],
    ["of two Hours, where one has too few", daysThen(18, 1, 60), { kind: "spike", hours: 2, visitors: 60 + 18 }],
    ["of a whole Day, of a small shop", daysThen(2, 24, 0), { kind: "drop", hours: 12, visitors: 0 }],
    ["none where a Day has less than 30 visitors", hoursOf(11 * 24, (day) => (day === 10 ? 20 : 1)), undefined],
  ])("is %s", (_, hours, expected) => {
    const found = findTraffic(hours);
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject(expected);
  });

  test("is none that was there before on these Days", () => {
    const before = hoursOf(10 * 24 + 1, (day, clock) => (clock === 0 && (day === 3 || day === 10) ? 100 : 40));
    expect(findTraffic(before)).toBeUndefined();
  });

  test("is none before seven Days are known", () => {
    expect(findTraffic(hoursOf(6 * 24 + 1, (day) => (day === 6 ? 400 : 40)))).toBeUndefined();
    expect(findTraffic(hoursOf(7 * 24 + 1, (day) => (day === 7 ? 400 : 40)))).toMatchObject({ days: 7 });
  });
});

describe("[NTC-2] silence", () => {
  test.each([
    [
      "an Hour of a large shop",
      daysThen(40, 1, 0),
      { since: (FIRST_DAY + 10) * DAY_MS, hours: 1, usual: 40.9, days: 10 },
    ],
    ["four Hours of a shop of two and a half an Hour", daysThen(2, 4, 0), { hours: 4, days: 10 }],
    ["not three of them", daysThen(2, 3, 0), undefined],
  ])("is %s", (_, hours, expected) => {
    const found = findSilence(hours);
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject(expected);
  });

  test("ends with a visitor, and is none where nobody has ever come or three Days are not known", () => {
    expect(findSilence([...daysThen(40, 5, 0), ...daysThen(40, 0, 0).slice(-1)])).toBeUndefined();
    expect(findSilence(hoursOf(100, () => 0))).toBeUndefined();
    expect(findSilence(hoursOf(71, (day, clock) => (day * 24 + clock < 70 ? 40 : 0)))).toBeUndefined();
    expect(findSilence(hoursOf(73, (day) => (day < 3 ? 40 : 0)))).toMatchObject({ hours: 1, usual: 40 });
  });

  test("of a night in which nobody usually comes is none", () => {
    const asleep = hoursOf(10 * 24 + 6, (_, clock) => (clock < 8 ? 0 : 40));
    expect(findSilence(asleep)).toBeUndefined();
  });
});

describe("[NTC-3] a missing first order", () => {
  const sold = (today: number) =>
    hoursOf(
      10 * 24 + 12,
      (day, clock) => (day * 24 + clock === 0 ? 1 : 40),
      (day) => (day < 10 ? 1 : today),
    );
  test("is told when every earlier Day had one by now, and usually five", () => {
    expect(findMissingOrder(sold(0))).toEqual({
      ...{ kind: "first_order", day: FIRST_DAY + 10 },
      ...{ hours: 12, usual: 12, least: 12, days: 10 },
    });
    expect(findMissingOrder(sold(0).slice(0, -8))).toBeUndefined(); // four orders by then
    expect(findMissingOrder(sold(1))).toBeUndefined();
    const closedOnce = hoursOf(
      10 * 24 + 12,
      () => 40,
      (day) => (day === 4 || day === 10 ? 0 : 2),
    );
    expect(findMissingOrder(closedOnce)).toBeUndefined();
  });
});

describe("[NTC-4] earlier windows end at the same clock hour", () => {
  const zone = "Europe/Berlin";
  const from = Date.parse("2026-10-20T00:00:00+02:00");
  const hours: HourCount[] = [];
  for (let start = from; start < Date.parse("2026-10-27T04:00:00+01:00"); start = hourAfter(zone, start)) {
    const clock = localTime(zone, start).slice(11, 16);
    hours.push({ start, day: dayAt(zone, start), clock, visitors: Number(clock.slice(0, 2)), orders: 0 });
  }

  test("also where clocks were put back, and a Day has an Hour twice", () => {
    // Up to 02:00 on Tuesday; on Sunday, 25 October, 02:00 was twice, and the second one is meant.
    const upTo = hours.slice(0, -1);
    expect(upTo.at(-1)?.clock).toBe("02:00");
    expect(earlierWindows(upTo, 3, "visitors")).toEqual([3, 3, 3, 3, 3, 1 + 2 + 2, 3]);
  });

  test("what was before the first visitor is no Hour to compare with", () => {
    expect(sinceFirstVisitor(hours)[0]?.clock).toBe("01:00");
    expect(sinceFirstVisitor([])).toEqual([]);
  });
});

describe("[NTC-5] an alarm", () => {
  /** Goes Hour by Hour from the tenth Day on and gives what is told, each with the Hour since then. */
  function tell(hours: readonly HourCount[], times = 1): readonly string[] {
    const told: string[] = [];
    let alarms: Alarms = NO_ALARMS;
    for (let at = 240; at < hours.length; at++)
      for (let time = 0; time < times; time++) {
        const next = nextAlarms(alarms, hours.slice(0, at + 1));
        alarms = next.alarms;
        told.push(
          ...next.changes.map(
            ({ alarm, endedAt }) => `${at - 239} ${alarm.kind} ${endedAt === undefined ? "on" : "off"}`,
          ),
        );
      }
    return told;
  }
  const outage = hoursOf(11 * 24, (day, clock) => (day === 10 && clock < 5 ? 0 : 40));

  test("is told once when it goes on and once when nothing was found for two Hours", () => {
    expect(tell(outage)).toEqual(["1 silence on", "7 silence off"]);
  });

  test("is told once also where each Hour is looked at three times", () => {
    expect(tell(outage, 3)).toEqual(tell(outage));
  });

  test("of an outage is one message, not one for each rule", () => {
    const hours = outage.map((hour) => ({ ...hour, orders: hour.day < FIRST_DAY + 10 ? 1 : 0 }));
    expect(findAll(hours.slice(0, 245)).map(({ kind }) => kind)).toEqual(["silence", "drop", "first_order"]);
    expect(tell(hours.slice(0, 245))).toEqual(["1 silence on"]);
  });
});
