// Passwords at rest: scrypt with a salt of each address's own, written with its parameters so that they can
// be raised later. By node:crypto, which the platform has natively; WebCrypto's PBKDF2 ends there at a sixth
// of the rounds that it needs.

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
 * Those of the members of one address whose password this is. They share a salt (saltOf), so it is derived once however
 * many they are; where there are none it is derived as well. So nobody learns from the time it takes who has a
 * password, or at how many shops.
 */
export function matching<Holder extends { readonly password: string | null }>(
  password: string,
  holders: readonly Holder[],
): readonly Holder[] {
  const derived = new Map<string, Uint8Array>();
  const isRight = (stored: string) => {
    const { form, salt, cost, hash } = parse(stored);
    const own = derived.get(form) ?? derive(password, salt, cost);
    derived.set(form, own);
    return timingSafeEqual(own, hash);
  };
  const right = holders.filter((holder) => holder.password !== null && isRight(holder.password));
  if (derived.size === 0) isRight(NOBODYS);
  return right;
}

/** The salt that another password of an address is to be stored with: the one it has at another shop, if any. */
export function saltOf(holders: readonly { readonly password: string | null }[], random: Uint8Array): Uint8Array {
  const stored = holders.find(({ password }) => password !== null)?.password;
  return typeof stored === "string" ? parse(stored).salt : random;
}

function parse(stored: string) {
  const [kind, N, r, p, salt, hash] = stored.split("$");
  if (kind !== "scrypt" || salt === undefined || hash === undefined)
    throw new Error("a password is stored in no known form");
  return {
    /** All but the hash: equal forms give equal hashes of a password. */
    form: stored.slice(0, stored.lastIndexOf("$")),
    salt: Buffer.from(salt, "base64"),
    cost: { N: Number(N), r: Number(r), p: Number(p) },
    hash: Buffer.from(hash, "base64"),
  };
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
