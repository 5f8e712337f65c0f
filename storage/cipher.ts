// Bytes that leave our hands, sealed: AES-256-GCM under a key of one purpose (secret.ts). What is sealed is nonce, tag
// and ciphertext, so whoever changed a byte of it, or gives it out under another name, is found out when it is opened.

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { assert } from "../core/outcome.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** `name` is what it has to be opened under. */
export function seal(bytes: Uint8Array, key: Uint8Array, name = ""): Uint8Array<ArrayBuffer> {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(new TextEncoder().encode(name));
  const sealed = [cipher.update(bytes), cipher.final()];
  return new Uint8Array(Buffer.concat([nonce, cipher.getAuthTag(), ...sealed]));
}

/** The inverse of `seal`. Throws on anything that was not sealed so. */
export function unseal(bytes: Uint8Array, key: Uint8Array, name = ""): Uint8Array {
  assert(bytes.length > NONCE_BYTES + TAG_BYTES, "what is sealed is complete");
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_BYTES));
  decipher.setAAD(new TextEncoder().encode(name));
  decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
  return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
}
