// What makes an import idempotent: ids from the file alone, batches with their places, and the place to go on from.

import { expect, test } from "vitest";
import { BATCH_BYTES_MAX, BATCH_EVENTS_MAX, type Batch, Batcher } from "../../scripts/import/batch.ts";
import { CHAIN_START, chainLine, hashVisitor, lineEventId } from "../../scripts/import/line-chain.ts";
import { decodeResume, encodeResume, placeKey, Settlement } from "../../scripts/import/resume.ts";
import { pauseMs, retryAfterMs } from "../../scripts/import/send.ts";

const chains = (lines: readonly string[]) => {
  let chain = CHAIN_START;
  return lines.map((line) => {
    chain = chainLine(chain, line);
    return chain;
  });
};

test("[IMP-8] two equal lines have two ids, and the same ids on every run", () => {
  const ids = chains(["a", "a", "a"]).map(lineEventId);
  expect(new Set(ids).size).toBe(3);
  expect(chains(["a", "a", "a"]).map(lineEventId)).toEqual(ids);
});

test("[IMP-8] ids are pinned: another digest would count every old import again", () => {
  expect(chains(["visitor,unix_s,url", "v1,1389052815,/"]).map(lineEventId)).toEqual([
    "import-6e22ef608ec5b6b65de1636e3b06594f",
    "import-75bc32fe259d11b9393ed6a74ebb5d97",
  ]);
});

test("[IMP-8] a file that has grown keeps the ids it had; a change before a line changes its id", () => {
  expect(chains(["a", "b", "c"]).slice(0, 2)).toEqual(chains(["a", "b"]));
  expect(chains(["x", "b"])[1]).not.toBe(chains(["a", "b"])[1]);
  expect(chains(["a", "b"])[1]).not.toBe(chains(["a\nb"])[0]);
});

test("[IMP-4] a visitor depends on the salt, and on nothing that is not in its text", () => {
  expect(hashVisitor("salt", "d|1.2.3.4|ua")).toBe(hashVisitor("salt", "d|1.2.3.4|ua"));
  expect(hashVisitor("other", "d|1.2.3.4|ua")).not.toBe(hashVisitor("salt", "d|1.2.3.4|ua"));
  expect(hashVisitor("salt", "d|1.2.3.4|ua")).toMatch(/^[0-9a-f]{32}$/);
});

const place = (line: number) => ({ line, chain: `chain-${line}` });

test.each([
  ["in order", [0, 1, 2], [10, 20, 30]],
  ["backwards", [2, 1, 0], [0, 0, 30]],
  ["the middle one last", [0, 2, 1], [10, 10, 30]],
])("[IMP-10] the place never passes an open batch: %s", (_, order, places) => {
  const settlement = new Settlement(place(0));
  const settle = [10, 20, 30].map((line) => settlement.open(place(line)));
  const seen = order.map((index) => {
    settle[index]?.();
    return settlement.place.line;
  });
  expect(seen).toEqual(places);
});

test("[IMP-10] the kept state survives a round trip", () => {
  const state = { salt: "s", places: { [placeKey(DESTINATION, READING)]: place(7) } };
  expect(decodeResume(encodeResume(state))).toEqual(state);
});

const DESTINATION = { collectorUrl: "https://c.example", trackingId: "t" };
const READING = {
  origin: undefined,
  map: new Map([
    ["who", "visitor_id"],
    ["at", "timestamp"],
  ]),
  assets: false,
};

test.each([
  ["collector", { collectorUrl: "https://d.example" }, {}],
  ["stream", { trackingId: "u" }, {}],
  ["hostname", {}, { origin: "https://shop.example" }],
  ["map", {}, { map: new Map([["who", "visitor_id"]]) }],
  ["choice of assets", {}, { assets: true }],
])("[IMP-10] another %s has another place", (_, destination, reading) => {
  const key = placeKey(DESTINATION, READING);
  expect(placeKey({ ...DESTINATION, ...destination }, { ...READING, ...reading })).not.toBe(key);
});

test("[IMP-10] the order of a map's columns makes no other place", () => {
  const map = new Map([...READING.map].reverse());
  expect(placeKey(DESTINATION, { ...READING, map })).toBe(placeKey(DESTINATION, READING));
});

test.each(["", "{", "null", "[]", "{}", '{"salt":"","places":{}}', '{"salt":"s","places":{"d":{"line":"7"}}}'])(
  "[IMP-10] a damaged state %j is no state",
  (text) => {
    expect(decodeResume(text)).toBeUndefined();
  },
);

function batchesOf(sizes: readonly number[]): readonly Batch[] {
  const batcher = new Batcher();
  const batches: (Batch | undefined)[] = sizes.map((size, index) =>
    batcher.add({ line: index + 1, text: "", event: { timestamp: 0, title: "x".repeat(size) } }, place(index)),
  );
  return [...batches, batcher.take(place(sizes.length))].filter((batch) => batch !== undefined);
}

test.each([
  ["none", [], []],
  ["one", [1], [1]],
  ["as many as fit", new Array(BATCH_EVENTS_MAX).fill(1), [BATCH_EVENTS_MAX]],
  ["one more", new Array(BATCH_EVENTS_MAX + 1).fill(1), [BATCH_EVENTS_MAX, 1]],
  ["large ones", [300_000, 300_000, 100_000], [1, 2]],
  ["one that is too large alone", [600_000, 5], [1, 1]],
] as const)("[IMP-9] cuts batches: %s", (_, sizes, expected) => {
  const batches = batchesOf(sizes);
  expect(batches.map(({ events }) => events.length)).toEqual(expected);
  for (const { events, end } of batches) {
    expect(end.line).toBe(events[events.length - 1]?.line);
    const bytes = JSON.stringify(events.map(({ event }) => event)).length;
    expect(events.length === 1 || bytes <= BATCH_BYTES_MAX).toBe(true);
  }
});

test("[IMP-12] pauses double up to half a minute", () => {
  expect([0, 1, 2, 6, 7, 20].map(pauseMs)).toEqual([500, 1000, 2000, 30_000, 30_000, 30_000]);
});

test.each([
  [null, 0],
  ["3", 3000],
  ["99999", 30_000],
  ["Thu, 01 Jan 1970 00:00:07 GMT", 6000],
  ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
  ["soon", 0],
])("[IMP-12] Retry-After %j is a wait of %i ms", (header, wait) => {
  expect(retryAfterMs(header, 1000)).toBe(wait);
});
