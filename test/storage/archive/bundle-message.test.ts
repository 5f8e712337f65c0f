// The bytes of a queue message: what was packed comes out, and nothing else goes in.

import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBundle, encodeLogged } from "../../../core/archive/bundle.ts";
import { BUNDLE_BYTES } from "../../../core/limits.ts";
import { packBundle, unpackBundle } from "../../../storage/archive/bundle-message.ts";
import { anyBundle, bundleText, traffic } from "../../support/archive-fixture.ts";

const [logged] = traffic({ count: 1 });
if (logged === undefined) throw new Error("traffic is not empty");

describe("a bundle's message", () => {
  const ROW = encodeLogged(logged);
  const NONE: readonly (readonly [what: string, bundle: object])[] = [
    ["a position below zero", { first: -1 }],
    ["a position that is no whole number", { first: 1.5 }],
    ["a row that is none", { rows: [{}] }],
    ["a row without a Day", { rows: [[]] }],
    ["a Day that is a text", { rows: [["20778", 0]] }],
    ["a row that is late in another way", { rows: [[20_778, 2]] }],
    ["a merchant that is a text", { rows: [[20_778, 0, "1"]] }],
    ["an id that is an object", { rows: [[20_778, 0, 1, 1, {}]] }],
    ["a field too many", { rows: [[...ROW, ""]] }],
  ];
  test.each(NONE)("[ARC-23] is refused with %s", (_, changes) => {
    const bundle = { version: 2, partition: "pool-0", first: 1, rows: [ROW] };
    expect(decodeBundle(JSON.stringify(bundle)).events).toHaveLength(1);
    expect(() => decodeBundle(JSON.stringify({ ...bundle, ...changes }))).toThrow("assertion failed");
  });

  test("[ARC-13] unpacks to the bundle that was packed", () => {
    fc.assert(
      fc.property(anyBundle, (bundle) => {
        expect(unpackBundle(packBundle(bundleText(bundle)))).toEqual(bundle);
      }),
    );
  });

  test("[ARC-13] keeps a lone surrogate on its way", () => {
    const bundle = {
      partition: "pool-0",
      first: 0,
      events: [{ ...logged, event: { ...logged.event, title: "\ud800" } }],
    };
    expect(unpackBundle(packBundle(bundleText(bundle)))).toEqual(bundle);
  });

  test("[ARC-13] may arrive as an ArrayBuffer or as a view inside a larger one", () => {
    const bundle = { partition: "pool-0", first: 7, events: [logged] };
    const packed = packBundle(bundleText(bundle));
    const inside = new Uint8Array(packed.length + 20);
    inside.set(packed, 10);
    expect(unpackBundle(packed.buffer)).toEqual(bundle);
    expect(unpackBundle(inside.subarray(10, 10 + packed.length))).toEqual(bundle);
  });

  test.each([
    ["nothing", undefined],
    ["a text", "bundle"],
    ["an object", { version: 1 }],
    ["bytes that are not gzip", new Uint8Array([1, 2, 3])],
    ["gzip of no JSON", packBundle("{")],
    ["JSON of no bundle", packBundle("[]")],
    ["a version of another time", packBundle('{"version":3,"partition":"pool-0","first":0,"rows":[]}')],
    ["rows that are none", packBundle('{"version":2,"partition":"pool-0","first":0,"rows":[5]}')],
    ["half a message", packBundle('{"version":2,"partition":"pool-0","first":0,"rows":[]}').subarray(0, 40)],
    ["a bomb", new Uint8Array(gzipSync(Buffer.alloc(16 * BUNDLE_BYTES)))],
  ])("[ARC-14] %s is refused", (_what, body) => {
    expect(() => unpackBundle(body)).toThrow();
  });
});
