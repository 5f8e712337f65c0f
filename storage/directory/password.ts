// Passwords at rest: scrypt with a salt of each one's own, written with its parameters so that they can be raised later. By
// node:crypto, which the platform has natively; WebCrypto's PBKDF2 ends there at a sixth of the rounds that it needs.

import { scryptSync, timingSafeEqual } from "node:crypto";
import { PASSWORD_COST } from "../../core/limits.ts";

export const SALT_RANDOM_BYTES = 16;
const HASH_BYTES = 32;
/** What scrypt may take: 128 · N · r bytes for the work, and as much again to spare. */
const MEMORY_BYTES_MAX = 64 * 1024 * 1024;

/** "scrypt$16384$8$5$<salt>$<hash>", both in base64. */
export function hashPassword(password: string, salt: Uint8Array): string {
  const { N, r, p } = PASSWORD_COST;
  return `scrypt$${N}$${r}$${p}$${base64(salt)}$${base64(derive(password, salt, PASSWORD_COST))}`;
}

/**
 * Whether a password is the one that was stored. Where none was stored the answer is no and takes the same time, so that
 * nobody learns who has one.
 */
export function verifyPassword(password: string, stored: string | null | undefined): boolean {
  const [kind, N, r, p, salt, hash] = (stored ?? NOBODYS).split("$");
  if (kind !== "scrypt" || salt === undefined || hash === undefined)
    throw new Error("a password is stored in no known form");
  const cost = { N: Number(N), r: Number(r), p: Number(p) };
  const isRight = timingSafeEqual(derive(password, Buffer.from(salt, "base64"), cost), Buffer.from(hash, "base64"));
  return isRight && typeof stored === "string";
}

/** A stored form that no password is known to have. */
const NOBODYS = `scrypt$${PASSWORD_COST.N}$${PASSWORD_COST.r}$${PASSWORD_COST.p}$${base64(new Uint8Array(SALT_RANDOM_BYTES))}$${base64(new Uint8Array(HASH_BYTES))}`;

/** Typed on another keyboard, the same password may come in another Unicode form. */
function derive(password: string, salt: Uint8Array, cost: { N: number; r: number; p: number }): Uint8Array {
  return scryptSync(password.normalize("NFKC"), salt, HASH_BYTES, { ...cost, maxmem: MEMORY_BYTES_MAX });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
