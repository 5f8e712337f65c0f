// The bytes of one overflow queue message: the arrivals' text, compressed and sealed (AES-256-GCM) under a key derived
// from the tracking secret. The text names addresses, which are never stored readably, not even in a queue. Either of
// two secrets opens it while a rotation lasts.

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { BUNDLE_MESSAGE_BYTES_MAX, OVERFLOW_TEXT_BYTES_MAX } from "../core/limits.ts";
import { assert } from "../core/outcome.ts";
import { decodeOverflow, encodeOverflow, type Overflow } from "../core/overflow.ts";
import { compress, decompress } from "./archive/gzip.ts";
import { deriveKey } from "./secret.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** The sealed message: nonce, tag, ciphertext. Undefined where a queue would not take it, or nobody open it again. */
export function packOverflow(overflow: Overflow, secret: string): Uint8Array<ArrayBuffer> | undefined {
  const text = new TextEncoder().encode(encodeOverflow(overflow));
  if (text.length > OVERFLOW_TEXT_BYTES_MAX) return undefined;
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", keyOf(secret), nonce);
  const sealed = [cipher.update(compress(text)), cipher.final()];
  const message = new Uint8Array(Buffer.concat([nonce, cipher.getAuthTag(), ...sealed]));
  return message.length > BUNDLE_MESSAGE_BYTES_MAX ? undefined : message;
}

/** Opens a message with whichever secret sealed it. Throws on anything that none of them did. */
export function unpackOverflow(bytes: Uint8Array, secrets: readonly string[]): Overflow {
  assert(bytes.length > NONCE_BYTES + TAG_BYTES, "an overflow message is complete");
  let failure: unknown;
  for (const secret of secrets) {
    try {
      const text = decompress(open(bytes, keyOf(secret)), OVERFLOW_TEXT_BYTES_MAX);
      return decodeOverflow(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(text));
    } catch (error) {
      failure = error; // the next secret may be the right one; the last failure is thrown
    }
  }
  throw failure;
}

function open(bytes: Uint8Array, key: Uint8Array): Uint8Array {
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_BYTES));
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
}

function keyOf(secret: string): Uint8Array {
  return deriveKey(secret, "overflow");
}
