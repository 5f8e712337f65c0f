// The sealed bytes of an overflow message: nobody without the secret reads an address in them, whoever has it gets back
// exactly what was sealed, and anything that was touched on the way is refused.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Arrival } from "../../core/event.ts";
import { BUNDLE_MESSAGE_BYTES_MAX } from "../../core/limits.ts";
import type { Overflow } from "../../core/overflow.ts";
import { packOverflow, unpackOverflow } from "../../storage/overflow-message.ts";
import { anyEvent } from "../support/archive-fixture.ts";
import { eventOf } from "../support/events.ts";

const ADDRESS = "203.0.113.77";
const arrivals: readonly Arrival[] = [
  { event: eventOf({ url: "https://shop.example/secret-page" }), address: ADDRESS, floating: true },
  { event: eventOf(), address: "2001:db8::77", floating: false },
];

function seal(overflow: Overflow, secret = "secret"): Uint8Array {
  return packOverflow(overflow, secret) as Uint8Array;
}

describe("a sealed overflow message", () => {
  test("[OVF-2] comes back as it was, also by the secret before while a rotation lasts", () => {
    const anyArrival = fc.record({ event: anyEvent, address: fc.string(), floating: fc.boolean() });
    const anyOverflow = fc.record({
      id: fc.string(),
      parts: fc.array(fc.record({ partition: fc.string(), arrivals: fc.array(anyArrival, { maxLength: 3 }) }), {
        maxLength: 3,
      }),
    });
    fc.assert(
      fc.property(anyOverflow, (overflow) => {
        expect(unpackOverflow(seal(overflow, "old"), ["new", "old"])).toEqual(overflow);
      }),
      { numRuns: 100 },
    );
  });

  test("[OVF-2] shows neither addresses nor pages, and no two of the same content are alike", () => {
    const overflow = { id: "m", parts: [{ partition: "pool-7", arrivals }] };
    const [one, two] = [seal(overflow), seal(overflow)];
    for (const text of [ADDRESS, "2001:db8::77", "secret-page", "pool-7"]) {
      expect(Buffer.from(one).includes(text), text).toBe(false);
    }
    expect(Buffer.compare(one, two)).not.toBe(0);
    expect(one.subarray(0, 2)).not.toEqual(new Uint8Array([0x1f, 0x8b])); // no gzip that anybody could open
  });

  test("[OVF-2] is refused when any byte of it was changed, when it is cut, and by another secret", () => {
    const sealed = seal({ id: "m", parts: [{ partition: "pool-7", arrivals }] });
    for (let at = 0; at < sealed.length; at += 7) {
      const touched = sealed.slice();
      touched[at] = (touched[at] as number) ^ 1;
      expect(() => unpackOverflow(touched, ["secret"]), `byte ${at}`).toThrow();
    }
    for (const length of [0, 1, 27, 28, 29, sealed.length - 1]) {
      expect(() => unpackOverflow(sealed.slice(0, length), ["secret"]), `${length} bytes`).toThrow();
    }
    expect(() => unpackOverflow(sealed, ["another"])).toThrow();
  });

  test("[OVF-5] is none where it would be too large for the queue, or as text too large to be opened, however well it packs", () => {
    const many = (count: number, title: string) => ({
      id: "m",
      parts: [
        {
          partition: "pool-7",
          arrivals: Array.from({ length: count }, () => ({ ...arrivals[0], event: eventOf({ title }) }) as Arrival),
        },
      ],
    });
    expect(seal(many(200, "")).length).toBeLessThanOrEqual(BUNDLE_MESSAGE_BYTES_MAX);
    expect(packOverflow(many(4_000, "a".repeat(2_000)), "secret")).toBeUndefined();
  });
});
