// Visitors of ids that senders give: HMACs of merchant and id, cut to 64 bits, under a key of the deployment.
// Without the key nobody can make ids that fall together, nor ids that push an estimate of visitors, and nobody can
// tell an id from an export.
//
// The key comes from HASH_SECRET, which is no part of rotating TRACKING_SECRET: another key makes other visitors. When
// it does change, it changes for events from HASH_SECRET_FROM on, by their own time, so that a copy of an event comes
// to the same visitor whenever it is sent, and numbers of the past stay. Events before that have the key of
// HASH_SECRET_PREVIOUS; where there is none, the hash without a key that Footfall used before there were keys.

import { hash64Hex } from "../core/hash.ts";
import type { ArchiveBucket } from "./archive/bucket.ts";
import type { ClaimBucket } from "./directory/number-claim.ts";
import { deriveKey, hmac, keyName } from "./secret.ts";
import type { SigningEnv } from "./signing.ts";

export interface VisitorEnv extends SigningEnv {
  /** TRACKING_SECRET where it is not set. */
  readonly HASH_SECRET?: string;
  readonly HASH_SECRET_PREVIOUS?: string;
  /** An instant such as "2027-01-10T00:00:00Z"; from the beginning where it is not set. */
  readonly HASH_SECRET_FROM?: string;
}

export interface VisitorKeys {
  readonly current: Uint8Array;
  /** Of the current one, as it is stored. */
  readonly name: string;
  /** UTC ms: events before it have the previous key, or none. */
  readonly from: number;
  readonly previous: Uint8Array | undefined;
}

export interface GivenVisitor {
  readonly merchant: number;
  /** As the sender gave it. */
  readonly id: string;
}

export function visitorKeysOf(env: VisitorEnv): VisitorKeys {
  const secret = env.HASH_SECRET || env.TRACKING_SECRET;
  const from = env.HASH_SECRET_FROM ? Date.parse(env.HASH_SECRET_FROM) : 0;
  if (Number.isNaN(from)) throw new Error("HASH_SECRET_FROM is no instant such as 2027-01-10T00:00:00Z");
  const previous = env.HASH_SECRET_PREVIOUS ? deriveKey(env.HASH_SECRET_PREVIOUS, "visitor") : undefined;
  return { current: deriveKey(secret, "visitor"), name: keyName(secret), from, previous };
}

/** Sixteen hex digits, for an event of a time (UTC ms). */
export function visitorOf(keys: VisitorKeys, given: GivenVisitor, timestamp: number): string {
  if (timestamp >= keys.from) return under(keys.current, given);
  return keys.previous === undefined ? unkeyed(given) : under(keys.previous, given);
}

/**
 * Whom an id may have been made into, the current one first: an erasure has to find all of them. A merchant that was
 * made under the current key, which was first seen then (UTC ms), has no others.
 */
export function everyVisitorOf(
  { current, previous, from }: VisitorKeys,
  given: GivenVisitor,
  { createdAt, keySeenAt = Number.POSITIVE_INFINITY }: { readonly createdAt: number; readonly keySeenAt?: number },
): readonly string[] {
  if (createdAt >= keySeenAt && createdAt >= from) return [under(current, given)];
  return [under(current, given), ...(previous === undefined ? [] : [under(previous, given)]), unkeyed(given)];
}

interface KeyNotes {
  readonly bucket: ClaimBucket & Pick<ArchiveBucket, "get">;
}

/**
 * Notes in R2 that a key is in use, by its name and with the first instant: who looks for a visitor of long ago
 * learns which secrets it takes.
 */
export async function noteVisitorKey({ name }: VisitorKeys, now: number, { bucket }: KeyNotes): Promise<void> {
  const seen = JSON.stringify({ purpose: "visitor", name, first_seen: new Date(now).toISOString() });
  await bucket.put(noteOf(name), seen, { onlyIf: { etagDoesNotMatch: "*" } });
}

/** When a key was first seen, UTC ms. */
export async function keySeenAt({ name }: VisitorKeys, { bucket }: KeyNotes): Promise<number | undefined> {
  const note = await bucket.get(noteOf(name));
  if (note === null) return undefined;
  const { first_seen } = JSON.parse(new TextDecoder().decode(await note.arrayBuffer())) as { first_seen: string };
  return Date.parse(first_seen);
}

function noteOf(name: string): string {
  return `keys/visitor/${name}.json`;
}

function under(key: Uint8Array, given: GivenVisitor): string {
  return hmac(key, textOf(given)).toString("hex").slice(0, 16);
}

function unkeyed(given: GivenVisitor): string {
  return hash64Hex(textOf(given));
}

function textOf({ merchant, id }: GivenVisitor): string {
  return `${merchant}:${id}`;
}
