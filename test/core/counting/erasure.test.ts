// Which Days a retention has ended for, to the Day: one too many would delete a merchant's events too early.

import { expect, test } from "vitest";
import { isExpired } from "../../../core/counting/erasure.ts";
import { settingsOf } from "../../support/events.ts";

const TODAY = 20_500;

test.each([
  [30, TODAY - 31, true],
  [30, TODAY - 30, false],
  [30, TODAY - 29, false],
  [365, TODAY - 366, true],
  [365, TODAY - 365, false],
  [undefined, TODAY - 10_000, false],
])("[ERS-6] with a retention of %j days, Day %i of today's 20500 is over: %j", (retentionDays, day, isOver) => {
  const settings = settingsOf("UTC", { merchant: 1, ...(retentionDays !== undefined && { retentionDays }) });
  expect(isExpired(settings, day, TODAY)).toBe(isOver);
});
