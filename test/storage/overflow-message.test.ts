// The sealed bytes of an overflow message: nobody without the secret reads an address in them, whoever has it gets back
// exactly what was sealed, and anything that was touched on the way is refused.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Arrival } from "../../core/event.ts";
import { packOverflow, unpackOverflow } from "../../storage/overflow-message.ts";
import { anyEvent } from "../support/archive-fixture.ts";
import { eventOf } from "../support/events.ts";

const ADDRESS = "203.0.113.77";
const arrivals: readonly Arrival[] = [
  { event: eventOf({ url: "https://shop.example/secret-page" }), address: ADDRESS, floating: true },
  { event: eventOf(), address: "2001:db8::77", floating: false },
];

describe("a sealed overflow message", () => {
  test("[OVF-2] comes back as it was, also by the secret before while a rotation lasts", () => {
    const anyArrival = fc.record({ event: anyEvent, address: fc.string(), floating: fc.boolean() });
    const anyOverflow = fc.record({
      id: fc.string(),
      partition: fc.string(),
      arrivals: fc.array(anyArrival, { maxLength: 5 }),
    });
    fc.assert(
      fc.property(anyOverflow, (overflow) => {
        expect(unpackOverflow(packOverflow(overflow, "old"), ["new", "old"])).toEqual(overflow);
      }),
      { numRuns: 100 },
    );
  });

  test("[OVF-2] shows neither addresses nor pages, and no two of the same content are alike", () => {
    const overflow = { id: "m", partition: "pool-7", arrivals };
    const [one, two] = [packOverflow(overflow, "secret"), packOverflow(overflow, "secret")];
    for (const text of [ADDRESS, "2001:db8::77", "secret-page", "pool-7"]) {
      expect(Buffer.from(one).includes(text), text).toBe(false);
    }
    expect(Buffer.compare(one, two)).not.toBe(0);
    expect(one.subarray(0, 2)).not.toEqual(new Uint8Array([0x1f, 0x8b])); // no gzip that anybody could open
  });

  test("[OVF-2] is refused when any byte of it was changed, when it is cut, and by another secret", () => {
    const sealed = packOverflow({ id: "m", partition: "pool-7", arrivals }, "secret");
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
});
