// CIDR blocks: one spelling each, what is refused, and membership against a comparison of bits.

import fc from "fast-check";
import { expect, test } from "vitest";
import { lookUp, parseNetwork, spellAddress, toNetwork } from "../../core/network.ts";

test.each([
  ["203.0.113.7/24", "203.0.113.0/24"],
  ["203.0.113.7", "203.0.113.7/32"],
  ["0.0.0.0/0", "0.0.0.0/0"],
  ["2001:DB8::1/32", "2001:db8::/32"],
  ["2001:db8::1", "2001:db8::1/128"],
  ["::ffff:203.0.113.9/120", "203.0.113.0/24"],
  ["203.0.113.0/33", undefined],
  ["203.0.113.0/08", undefined],
  ["203.0.113/24", undefined],
  ["0xcb.0.113.1/24", undefined],
  ["fe80::1%eth0/64", undefined],
  ["10.0.0.1/24/8", undefined],
  ["shop.example", undefined],
  ["", undefined],
])("[RUL-5] the block %s is spelt %s", (text, expected) => {
  expect(parseNetwork(text)).toBe(expected);
});

test("[RUL-5] an address lies in a block when their first bits are the same", () => {
  const byte = fc.integer({ min: 0, max: 255 });
  const ip = fc.tuple(byte, byte, byte, byte);
  const bitsOf = (bytes: readonly number[]) => bytes.map((one) => one.toString(2).padStart(8, "0")).join("");
  fc.assert(
    fc.property(ip, ip, fc.integer({ min: 0, max: 32 }), fc.boolean(), (address, other, bits, isNear) => {
      const base = isNear ? [...address.slice(0, 3), other[3]] : other;
      const network = toNetwork(parseNetwork(`${base.join(".")}/${bits}`) as string);
      const expected = bitsOf(address).slice(0, bits) === bitsOf(base).slice(0, bits);
      expect(lookUp(address.join("."))([network])).toBe(expected);
      expect(lookUp(`::ffff:${address.join(".")}`)([network])).toBe(expected);
    }),
  );
});

test("[RUL-5] IPv6 is not IPv4, and what is no address lies nowhere", () => {
  const everything = [toNetwork("0.0.0.0/0"), toNetwork("2001:db8::/32")];
  expect(lookUp("2001:db8:7::1")(everything)).toBe(true);
  expect(lookUp("2001:db9::1")(everything)).toBe(false);
  for (const address of ["", "unknown", "1.2.3", "1".repeat(1_000)]) expect(lookUp(address)(everything)).toBe(false);
});

test.each([
  ["203.0.113.7", "203.0.113.7"],
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["::FFFF:cb00:7107", "203.0.113.7"],
  ["0:0:0:0:0:ffff:203.0.113.7", "203.0.113.7"],
  ["2001:0DB8:0:0:0:0:0:1", "2001:db8::1"],
  ["2001:db8::1", "2001:db8::1"],
  ["::1", "::1"],
  ["fe80::1%eth0", "fe80::1%eth0"],
  ["somebody", "somebody"],
  ["", ""],
])("[SPL-4] the address %s is spelt %s", (text, expected) => {
  expect(spellAddress(text)).toBe(expected);
});
