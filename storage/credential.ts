// Names and secrets that Footfall gives out: merchant ids, key ids and API keys. Random bytes are arguments. Of an API key
// only its SHA-256 is ever stored; a key has 256 random bits, so it needs no slow hash and no salt.

import { createHash } from "node:crypto";

/** Random bytes each needs. */
export const ID_RANDOM_BYTES = 15;
export const API_KEY_RANDOM_BYTES = 32;

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
/** Characters of a key that lists show: the prefix and 24 random bits. */
const HINT_LENGTH = 8;

/** "mer_" and 24 characters, from 15 random bytes. */
export function merchantId(random: Uint8Array): string {
  return `mer_${base32(random)}`;
}

/** "rpl_" and 24 characters: names a replay job. */
export function replayId(random: Uint8Array): string {
  return `rpl_${base32(random)}`;
}

/** "key_" and 24 characters: names a key in lists and revocations; it opens nothing. */
export function keyId(random: Uint8Array): string {
  return `key_${base32(random)}`;
}

/** "ffk_" and 43 characters, from 32 random bytes. Shown once. */
export function apiKey(random: Uint8Array): string {
  return `ffk_${btoa(String.fromCharCode(...random))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "")}`;
}

/** Whether a text can be an API key at all; others are refused without asking the database. */
export function isApiKeyShaped(text: string): boolean {
  return /^ffk_[A-Za-z0-9_-]{43}$/.test(text);
}

export function isMerchantIdShaped(text: string): boolean {
  return /^mer_[a-z2-7]{24}$/.test(text);
}

/** What is stored of a key, in hex. */
export function hashKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

/** The first characters of a key, to tell keys apart in a list. */
export function hintOf(key: string): string {
  return key.slice(0, HINT_LENGTH);
}

/** Five bits a character; the length of the input is a multiple of five bytes. */
function base32(bytes: Uint8Array): string {
  let text = "";
  let rest = 0;
  let bits = 0;
  for (const byte of bytes) {
    rest = (rest << 8) | byte;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += BASE32[(rest >>> (bits - 5)) & 31];
    rest &= (1 << bits) - 1;
  }
  return text;
}
