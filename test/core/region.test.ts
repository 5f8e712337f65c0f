// The setting REGIONS, and names of partitions in regions.

import { expect, test } from "vitest";
import { allPartitions, partitionsOf } from "../../core/counting/placement.ts";
import { inRegion, namesOf, nearest, parseRegions, regionOf } from "../../core/region.ts";

const TEXT = "2026-12-01T00:00:00Z EU=weur AS=apac NA=enam *=enam";

test("[REG-1] a visitor's continent names the region of the partitions, from an instant on", () => {
  const regions = parseRegions(TEXT);
  const from = Date.UTC(2026, 11, 1);
  expect(nearest(regions, "EU")).toEqual({ region: "weur", from });
  expect(nearest(regions, "AF")).toEqual({ region: "enam", from });
  expect(nearest(regions, "")).toEqual({ region: "enam", from });
  expect(namesOf(regions)).toEqual(["weur", "apac", "enam"]);
  expect(nearest(parseRegions(""), "EU")).toBeUndefined();
  expect(namesOf(undefined)).toEqual([]);
});

test("[REG-1] a partition's name has its region, and questions ask in all of them", () => {
  for (const name of ["pool-0", "pool-12", "merchant-7-3"]) {
    expect(regionOf(name)).toBe("");
    expect(inRegion(name, "")).toBe(name);
    expect(regionOf(inRegion(name, "weur"))).toBe("weur");
  }
  const placement = { poolSize: 1, regions: ["weur", "apac"] };
  const spread = [{ from: 0, partitions: 1 }];
  const names = ["pool-0", "merchant-7-0", "pool-0-weur", "merchant-7-0-weur", "pool-0-apac", "merchant-7-0-apac"];
  expect(partitionsOf({ merchant: 7, spread }, placement)).toEqual(names);
  expect(allPartitions([{ merchant: 7, spread }], placement)).toEqual(names);
});

test.each([
  ["EU=weur *=enam", "instant"],
  ["2026-12-01 *=enam", "instant"],
  ["2026-13-01T00:00:00Z *=enam", "instant"],
  ["2026-12-01T00:00:00Z EU=weur", "everybody else"],
  ["2026-12-01T00:00:00Z XX=weur *=enam", "continents"],
  ["2026-12-01T00:00:00Z EU=mars *=enam", "regions"],
  ["2026-12-01T00:00:00Z EU *=enam", "regions"],
])("[REG-2] a setting that is none says what it should be: %s", (text, word) => {
  expect(() => parseRegions(text)).toThrow(word);
});
