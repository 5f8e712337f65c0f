// The key of hashes that live as long as a request or a job: the duplicate windows of replays, exports and moved Days.

import { randomBytes } from "node:crypto";
import { type HashKey, toHashKey } from "../core/keyed-hash.ts";

let key: HashKey | undefined;

/** The isolate's own, made when it is first asked for: workers may not draw random bytes while they start. */
export function isolateHashKey(): HashKey {
  key ??= toHashKey(randomBytes(16).toString("hex"));
  return key;
}
