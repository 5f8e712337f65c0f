// Encrypts bytes that leave our hands: AES-256-GCM under a key of one purpose (secret.ts). Sealed bytes are a nonce, a
// tag and the ciphertext. Opening them fails if a byte or the name was changed.

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { assert } from "../core/outcome.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Seals bytes. They can only be opened under the same `name`. */
export function seal(bytes: Uint8Array, key: Uint8Array, name = ""): Uint8Array<ArrayBuffer> {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(new TextEncoder().encode(name));
  const sealed = [cipher.update(bytes), cipher.final()];
  return new Uint8Array(Buffer.concat([nonce, cipher.getAuthTag(), ...sealed]));
}

/** Throws on bytes that were not sealed with this key and name. */
function unseal(bytes: Uint8Array, key: Uint8Array, name = ""): Uint8Array {
  assert(bytes.length > NONCE_BYTES + TAG_BYTES, "what is sealed is complete");
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_BYTES));
  decipher.setAAD(new TextEncoder().encode(name));
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
}

/**
 * The inverse of `seal`, with the first of several keys that opens the bytes. If none does, it throws the error of the
 * last one.
 */
export function unsealByAny(bytes: Uint8Array, keys: readonly Uint8Array[], name = ""): Uint8Array {
  let failure: unknown = new Error("there is no key to open it with");
  for (const key of keys) {
    try {
      return unseal(bytes, key, name);
    } catch (error) {
      failure = error; // the next key may be the right one
    }
  }
  throw failure;
}
