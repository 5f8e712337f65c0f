// Keys of the archive and of dead letters: readable back, in order, and never outside their folder.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  bundleKey,
  deadLetterKey,
  parseBundleKey,
  parseDeadLetterKey,
  sealedFolder,
  sealName,
} from "../../../core/archive/object-key.ts";
import { dateOf } from "../../../core/time.ts";

const position = fc.integer({ min: 0, max: 9_999_999_999_999 });
const name = fc.record({
  date: fc.integer({ min: 10_957, max: 100_000 }).map(dateOf),
  partition: fc.constantFrom("pool-0", "pool-255", "merchant-4294967295-31"),
  first: position,
});

describe("keys of archived events", () => {
  test("[ARC-1] an object's key says date, partition and first position", () => {
    const key = "events/date=2026-11-21/partition=pool-3/0000000001001.parquet";
    expect(bundleKey({ date: "2026-11-21", partition: "pool-3", first: 1001 })).toBe(key);
  });

  test("[ARC-1] a key and its name are the same thing", () => {
    fc.assert(
      fc.property(name, (object) => {
        expect(parseBundleKey(bundleKey(object))).toEqual(object);
      }),
    );
  });

  test("[ARC-2] within a folder, the order of keys is the order of positions", () => {
    const key = (first: number) => bundleKey({ date: "2026-11-21", partition: "pool-3", first });
    fc.assert(
      fc.property(position, position, (a, b) => {
        expect(key(a) < key(b)).toBe(a < b);
      }),
    );
  });

  test.each([
    ["a slash", { partition: "pool-3/../../dead-letter" }],
    ["dots", { partition: ".." }],
    ["nothing", { partition: "" }],
    ["a sign of Hive's", { partition: "a=b" }],
    ["a date that is none", { date: "2026-02-30" }],
    ["a negative position", { first: -1 }],
    ["a fraction", { first: 1.5 }],
    ["a position beyond its digits", { first: 10_000_000_000_000 }],
  ])("[ARC-3] a name with %s makes no key", (_what, wrong) => {
    expect(() => bundleKey({ date: "2026-11-21", partition: "pool-3", first: 1, ...wrong })).toThrow("assertion");
  });

  test.each([
    "",
    "events/date=2026-11-21/partition=pool-3/1001.parquet",
    "events/date=2026-13-01/partition=pool-3/0000000001001.parquet",
    "events/date=2026-11-21/partition=pool-3/0000000001001.parquet.tmp",
    "sealed/date=2026-11-21/partition=pool-3/0000000001001.parquet",
    "events/date=2026-11-21/partition=Pool 3/0000000001001.parquet",
  ])("[ARC-1] %j is no key of ours", (key) => {
    expect(parseBundleKey(key)).toBeUndefined();
  });
});

describe("keys of dead letters", () => {
  test("[ARC-20] a dead letter's key says its queue and its content", () => {
    const name = { queue: "footfall-archive", digest: "9f86d081" };
    expect(deadLetterKey(name)).toBe("dead-letter/footfall-archive/9f86d081");
    expect(parseDeadLetterKey(deadLetterKey(name))).toEqual(name);
  });

  test.each([
    "",
    "dead-letter/footfall-archive",
    "events/footfall-archive/9f86",
    "dead-letter/a/b/c",
    "dead-letter/../x",
  ])("[ARC-20] %j is no dead letter", (key) => {
    expect(parseDeadLetterKey(key)).toBeUndefined();
  });
});

test("[PRF-3] [ERS-1] a merchant is told of a seal's folder by Day, partition and generation, and not how far the log was", () => {
  const place = { date: "2026-11-21", partition: "pool-3" };
  const told = "sealed/date=2026-11-21/partition=pool-3/generation=12";
  for (const rest of ["90017-0", "90017-4-9-3"]) expect(sealName(sealedFolder(place, `12-${rest}`))).toBe(told);
  expect([sealName(told), sealName("")]).toEqual([told, ""]);
});
