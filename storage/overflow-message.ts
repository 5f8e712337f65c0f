// The bytes of one overflow queue message: the arrivals' text, compressed and sealed (AES-256-GCM) under a key derived
// from the tracking secret. The text names addresses, which are never stored readably, not even in a queue. Either of
// two secrets opens it while a rotation lasts.

import { BUNDLE_MESSAGE_BYTES_MAX, OVERFLOW_TEXT_BYTES_MAX } from "../core/limits.ts";
import { decodeOverflow, encodeOverflow, type Overflow } from "../core/overflow.ts";
import { compress, decompress } from "./archive/gzip.ts";
import { seal, unsealByAny } from "./cipher.ts";
import { deriveKey } from "./secret.ts";

/** The sealed message: nonce, tag, ciphertext. Undefined where a queue would not take it, or nobody open it again. */
export function packOverflow(overflow: Overflow, secret: string): Uint8Array<ArrayBuffer> | undefined {
  const text = new TextEncoder().encode(encodeOverflow(overflow));
  if (text.length > OVERFLOW_TEXT_BYTES_MAX) return undefined;
  const message = seal(compress(text), keyOf(secret));
  return message.length > BUNDLE_MESSAGE_BYTES_MAX ? undefined : message;
}

/** Opens a message with whichever secret sealed it. Throws on anything that none of them did. */
export function unpackOverflow(bytes: Uint8Array, secrets: readonly string[]): Overflow {
  const text = decompress(unsealByAny(bytes, secrets.map(keyOf)), OVERFLOW_TEXT_BYTES_MAX);
  return decodeOverflow(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text));
}

function keyOf(secret: string): Uint8Array {
  return deriveKey(secret, "overflow");
}
