// Keys of the deployment. Each is derived from a secret for one purpose by HKDF-SHA-256 (RFC 5869). Whoever learns one
// key learns nothing of the others, and no key is used for two purposes. This file names all purposes. docs/security.md
// says what each protects and how it is rotated. Only tracking IDs are signed with the secret itself (signing.ts), so
// that those in pages stay valid.

import { createHmac, hkdfSync } from "node:crypto";

/** What a key is for. A purpose is never renamed, because its name is part of the key. */
export type Purpose =
  /** Seals messages of the overflow queue (overflow-message.ts). */
  | "overflow"
  /** Makes visitors of the ids that senders give (visitor-key.ts). */
  | "visitor"
  /** Vouches for a browser from which a member has signed in (workers/query/device.ts). */
  | "device"
  /** Seals backups of the directory (directory/backup.ts). */
  | "backup"
  /** Signs links that end a subscription or agree to it (workers/query/notice-link.ts). */
  | "notice"
  /** Names of keys (keyName). */
  | "name";

const KEY_BYTES = 32;
const derived = new Map<string, Uint8Array>();

/** 32 bytes. An empty secret is a deployment's mistake and throws. */
export function deriveKey(secret: string, purpose: Purpose): Uint8Array {
  if (!secret) throw new Error("a secret of the deployment is not set");
  const known = derived.get(`${purpose} ${secret}`);
  if (known !== undefined) return known;
  const key = new Uint8Array(hkdfSync("sha256", secret, "footfall", `footfall ${purpose} 1`, KEY_BYTES));
  derived.set(`${purpose} ${secret}`, key);
  return key;
}

/** A name that says which secret was used: eight hex digits, from which the secret cannot be found out. */
export function keyName(secret: string): string {
  return hmac(deriveKey(secret, "name"), "name").toString("hex").slice(0, 8);
}

export function hmac(key: Uint8Array, message: string): Buffer {
  return createHmac("sha256", key).update(message).digest();
}
