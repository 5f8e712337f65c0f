// What counts as a network address: servers may name their visitor's, and nothing else makes a visitor there.

import { expect, test } from "vitest";
import { isNetworkAddress } from "../../../core/formats/network-address.ts";

const ADDRESSES = [
  "203.0.113.7",
  "0.0.0.0",
  "255.255.255.255",
  "2001:db8::1",
  "::",
  "::1",
  "1::",
  "2001:0DB8:0:0:7:8:9:a",
  "1:2:3:4:5:6:7::",
  "::ffff:203.0.113.7",
  "1:2:3:4:5:6:203.0.113.7",
];
test.each(ADDRESSES)("[SRV-2] %s is an address", (text) => {
  expect(isNetworkAddress(text)).toBe(true);
});

const OTHERS = [
  "",
  "localhost",
  "203.0.113",
  "203.0.113.256",
  "203.0.113.7.1",
  "203.0.113.7:80",
  " 203.0.113.7",
  ":",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7:8::",
  "12345::",
  "g::1",
  "203.0.113.7::",
  "1.2.3.4:1::",
  "::203.0.113.256",
  "203.00.113.7",
  "::203.0.113.07",
  "[::1]",
  ":".repeat(45),
];
test.each(OTHERS)("[SRV-2] %j is none", (text) => {
  expect(isNetworkAddress(text)).toBe(false);
});
