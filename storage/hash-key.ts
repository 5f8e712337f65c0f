// The key of hashes that live as long as a request or a job: the duplicate windows of replays, exports and moved Days.

import { randomBytes } from "node:crypto";
import { type HashKey, toHashKey } from "../core/keyed-hash.ts";

let key: HashKey | undefined;
let seed: number | undefined;

/** The isolate's own, made when it is first asked for: workers may not draw random bytes while they start. */
export function isolateHashKey(): HashKey {
  key ??= toHashKey(randomBytes(16).toString("hex"));
  return key;
}

/** A number of the isolate's own, for tables whose keys a merchant may choose (core/pair-codes.ts). */
export function isolateSeed(): number {
  seed ??= randomBytes(4).readInt32LE();
  return seed;
}
