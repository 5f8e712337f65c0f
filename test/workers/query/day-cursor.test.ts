// The place at which a page of the archive's Days begins.

import { expect, test } from "vitest";
import { encodeDayCursor, parseDayCursor } from "../../../workers/query/day-cursor.ts";

test("[SEA-11] the next of a page is where the page after it begins", () => {
  const place = { day: 20_778, partition: "pool-3" };
  expect(encodeDayCursor(place)).toBe("2026-11-21/pool-3");
  expect(parseDayCursor("2026-11-21/pool-3")).toEqual(place);
});

test.each([
  "",
  "2026-11-21",
  "2026-11-21/",
  "2026-02-30/pool-3",
  "2026-11-21/pool-3/",
  "2026-11-21/Pool 3",
  "2026-11-21/0",
  "pool-3/2026-11-21",
])("[SEA-11] %j is no such place", (text) => {
  expect(parseDayCursor(text)).toBeUndefined();
});
