// Tracking IDs: what they hold survives, every spelling is read, and nothing forged or mistyped passes.

import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { encodeTrackingId, isTrackingIdShaped, type Sign, verifyTrackingId } from "../../core/tracking-id.ts";

const signWith =
  (secret: string): Sign =>
  (message) =>
    createHmac("sha256", secret).update(message).digest();
const sign = signWith("secret");

const idArbitrary = fc.record({
  merchant: fc.integer({ min: 1, max: 0xffffffff }),
  stream: fc.integer({ min: 0, max: 0xffff }),
});

test("[TID-1] a tracking ID is a UUID of version 8 that names its merchant and stream", () => {
  fc.assert(
    fc.property(idArbitrary, (id) => {
      const text = encodeTrackingId(id, sign);
      expect(text).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(verifyTrackingId(text, [sign])).toEqual(id);
      for (const spelling of [
        text.toUpperCase(),
        text.replaceAll("-", ""),
        `G-${text}`,
        `G-${text.replaceAll("-", "").toUpperCase()}`,
      ]) {
        expect(verifyTrackingId(spelling, [sign])).toEqual(id);
      }
    }),
  );
});

test("[TID-2] one changed digit is refused", () => {
  fc.assert(
    fc.property(idArbitrary, fc.nat({ max: 35 }), fc.constantFrom(..."0123456789abcdef"), (id, index, digit) => {
      const text = encodeTrackingId(id, sign);
      const changed = text.slice(0, index) + digit + text.slice(index + 1);
      fc.pre(changed !== text && text[index] !== "-");
      expect(verifyTrackingId(changed, [sign])).toBeUndefined();
    }),
    { numRuns: 1_000 },
  );
});

test("[TID-3] during a rotation both secrets are valid, and no other", () => {
  const text = encodeTrackingId({ merchant: 42, stream: 1 }, signWith("old"));
  expect(verifyTrackingId(text, [signWith("new"), signWith("old")])).toEqual({ merchant: 42, stream: 1 });
  expect(verifyTrackingId(text, [signWith("new")])).toBeUndefined();
});

test.each(["", "x", "G-", "null", "0".repeat(32), "g".repeat(32), "00000000-0000-0000-0000-000000000000"])(
  "[TID-4] %j is not a tracking ID",
  (text) => {
    expect(verifyTrackingId(text, [sign])).toBeUndefined();
    expect(isTrackingIdShaped(text)).toBe(false);
  },
);
