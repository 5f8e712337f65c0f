// SipHash-1-3 against values that another implementation gave (siphash 1.2.0 of npm, over the same bytes).

import { expect, test } from "vitest";
import { duplicateKey, IdSet } from "../../core/counting/duplicate.ts";
import { hash32 } from "../../core/hash.ts";
import { keyedHash, toHashKey } from "../../core/keyed-hash.ts";

const KEY = toHashKey("07060504030201000f0e0d0c0b0a0908");

const VECTORS: readonly (readonly [text: string, high: number, low: number])[] = [
  ["", 0xabac0158, 0x050fc4dc],
  ["a", 0x2c9ff5d5, 0x524e4e9f],
  ["ab", 0xeb626195, 0x47d45e8c],
  ["abc", 0x283fd768, 0x4ca85010],
  ["abcd", 0x67875d8c, 0xc70b800b],
  ["order-1000", 0xe3f5fdda, 0xf72aae6d],
  ["019aa3f0-c6a3-7c7a-eed6-303aaf4b4d37", 0xcb2a7ca1, 0x94c7ef4c],
  ["über 👍 ✓", 0x9d282427, 0x8d8e2cab],
  ["x".repeat(200), 0x8e1bb6d6, 0x29be0006],
];
test.each(VECTORS)("[DUP-3] the hash of %j is the published one", (text, high, low) => {
  expect([...keyedHash(text, KEY)]).toEqual([high, low]);
});

test("[DUP-3] ids that were chosen to fall together under a public hash are spread by a keyed one", () => {
  // Found as an attacker finds them: texts whose public hash ends alike.
  const chosen: string[] = [];
  for (let at = 0; chosen.length < 500; at++) if ((hash32(`p${at}`, 0x2545f491) & 0x3ff) === 0) chosen.push(String(at));
  const buckets = new Set(chosen.map((id) => keyedHash(duplicateKey({ id, keyed: 0 }), KEY)[1] & 0x3ff));
  expect(buckets.size).toBeGreaterThan(350); // of 1,024: random ones take about 396
  const ids = new IdSet(KEY);
  for (const id of chosen) expect([ids.has(id), ids.add(id), ids.add(id)]).toEqual([false, true, false]);
  expect(ids.size).toBe(chosen.length);
});
