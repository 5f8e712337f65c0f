// Who sends chooses the ids of visitors. Made for a hash that everybody can compute, a thousand of them
// were counted as nine thousand million visitors. Under a key of the deployment, chosen ids move an
// estimate no more than any others do.

import { expect, test } from "vitest";
import { addVisitor, emptySketch, estimate } from "../../core/counting/sketch.ts";
import { hash64Hex } from "../../core/hash.ts";
import { VALUE_SKETCH_PRECISION } from "../../core/limits.ts";
import { deriveKey, keyName } from "../../storage/secret.ts";
import { everyVisitorOf, keySeenAt, noteVisitorKey, visitorKeysOf, visitorOf } from "../../storage/visitor-key.ts";
import { memoryArchive } from "../support/memory-bucket.ts";

const env = { TRACKING_SECRET: "tracking", HASH_SECRET: "hash" };
const NOW = Date.UTC(2027, 0, 10);
const anna = { merchant: 7, id: "anna" };

test("[VKY-1] ids made for the public hash are, under the key, ids like any others", () => {
  // Ids whose public hash begins with many zeros, which sketches take for rare and so for many.
  const chosen: string[] = [];
  for (let at = 0; chosen.length < 64; at++) if (hash64Hex(`7:${at}`).startsWith("00")) chosen.push(String(at));
  const keyed = chosen.map((id) => visitorOf(visitorKeysOf(env), { merchant: 7, id }, NOW));
  expect(keyed.filter((visitor) => visitor.startsWith("00")).length).toBeLessThan(5);
  expect(new Set(keyed).size).toBe(chosen.length);
  expect(keyed.every((visitor) => /^[0-9a-f]{16}$/.test(visitor))).toBe(true);
});

test("[VKY-1] a thousand ids chosen for the public hash move an estimate no more than a thousand others", () => {
  // Of 200,000 ids, for each register of a small sketch the one that fills it most: what a sender can work out at home.
  const best = new Map<number, { readonly id: string; readonly rest: number }>();
  for (let at = 0; at < 200_000; at++) {
    const high = Number.parseInt(hash64Hex(`7:${at}`).slice(0, 8), 16);
    const register = high >>> (32 - VALUE_SKETCH_PRECISION);
    const rest = (high << VALUE_SKETCH_PRECISION) >>> 0;
    if (rest < (best.get(register)?.rest ?? Number.POSITIVE_INFINITY)) best.set(register, { id: String(at), rest });
  }
  const estimateOf = (visitors: readonly string[]) => {
    const sketch = emptySketch(VALUE_SKETCH_PRECISION);
    for (const visitor of visitors) addVisitor(sketch, visitor);
    return estimate(sketch);
  };
  const ids = [...best.values()].map(({ id }) => id);
  const keys = visitorKeysOf(env);
  const keyed = estimateOf(ids.map((id) => visitorOf(keys, { merchant: 7, id }, NOW)));
  console.log(
    `  ${ids.length} ids: ${estimateOf(ids.map((id) => hash64Hex(`7:${id}`)))} by the public hash, ${keyed} by the key`,
  );
  expect(estimateOf(ids.map((id) => hash64Hex(`7:${id}`)))).toBeGreaterThan(20 * ids.length);
  expect(Math.abs(keyed - ids.length) / ids.length).toBeLessThan(0.15);
});

test("[VKY-1] a visitor depends on the secret, the merchant and the id, and on the tracking secret only where there is no other", () => {
  const of = (secrets: object, given = anna) => visitorOf(visitorKeysOf({ ...env, ...secrets }), given, NOW);
  expect(of({ TRACKING_SECRET: "rotated" })).toBe(of({}));
  const all = [
    of({}),
    of({ HASH_SECRET: "other" }),
    of({}, { merchant: 8, id: "anna" }),
    of({}, { merchant: 7, id: "bert" }),
  ];
  expect(new Set(all).size).toBe(all.length);
  expect(visitorOf(visitorKeysOf({ TRACKING_SECRET: "hash" }), anna, NOW)).toBe(of({}));
});

test("[VKY-2] another key holds from its instant on, by the event's own time; before it the previous one, or none, as before", () => {
  const from = { HASH_SECRET_FROM: "2027-01-10T00:00:00Z" };
  const [upgraded, rotated] = [
    visitorKeysOf({ ...env, ...from }),
    visitorKeysOf({ ...env, ...from, HASH_SECRET: "next", HASH_SECRET_PREVIOUS: "hash" }),
  ];
  expect(visitorOf(upgraded, anna, NOW - 1)).toBe(hash64Hex("7:anna"));
  expect(visitorOf(upgraded, anna, NOW)).toBe(visitorOf(visitorKeysOf(env), anna, NOW));
  expect(visitorOf(rotated, anna, NOW - 1)).toBe(visitorOf(visitorKeysOf(env), anna, NOW));
  expect(visitorOf(rotated, anna, NOW)).not.toBe(visitorOf(visitorKeysOf(env), anna, NOW));
  expect(() => visitorKeysOf({ ...env, HASH_SECRET_FROM: "soon" })).toThrow(/no instant/);
});

test("[VKY-3] an erasure finds whom an id was under every key; a merchant of the current key has no others", async () => {
  const keys = visitorKeysOf({ ...env, HASH_SECRET: "next", HASH_SECRET_PREVIOUS: "hash" });
  const notes = { bucket: memoryArchive() };
  expect(await keySeenAt(keys, notes)).toBe(undefined);
  const previous = visitorOf(visitorKeysOf(env), anna, NOW);
  const all = [visitorOf(keys, anna, NOW), previous, hash64Hex("7:anna")];
  expect(everyVisitorOf(keys, anna, { createdAt: NOW })).toEqual(all);
  await noteVisitorKey(keys, NOW, notes);
  await noteVisitorKey(keys, NOW + 5, notes);
  const seenAt = (await keySeenAt(keys, notes)) as number;
  expect(seenAt).toBe(NOW);
  expect(everyVisitorOf(keys, anna, { createdAt: NOW - 1, keySeenAt: seenAt })).toEqual(all);
  expect(everyVisitorOf(keys, anna, { createdAt: NOW, keySeenAt: seenAt })).toEqual(all.slice(0, 1));
});

test("[VKY-4] keys of one secret for several purposes have nothing in common, and a key's name tells nothing of it", () => {
  const purposes = ["overflow", "visitor", "device", "name"] as const;
  const all = purposes.map((purpose) => Buffer.from(deriveKey("secret", purpose)).toString("hex"));
  expect(new Set(all).size).toBe(purposes.length);
  expect(all.every((key) => key.length === 64)).toBe(true);
  expect(keyName("secret")).toMatch(/^[0-9a-f]{8}$/);
  expect(all.some((key) => key.includes(keyName("secret")))).toBe(false);
  expect(keyName("secret")).not.toBe(keyName("secret2"));
  // As RFC 5869 has it; were it to change, every visitor would be new.
  expect(all[1]?.slice(0, 16)).toBe(PINNED);
  expect(() => deriveKey("", "visitor")).toThrow(/not set/);
});
const PINNED = "99aa12c6f1619832";
