// Names and secrets that Footfall gives out: ids of merchants, keys, members and so on; API keys and other tokens.
// Random bytes are arguments. Only the SHA-256 of a token is stored. A token has 256 random bits, so it needs no slow
// hash and no salt. (Passwords do: password.ts.)

import { createHash } from "node:crypto";

/** How many random bytes each of them needs. */
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

/** "ers_" and 24 characters: names an erasure and its receipt. */
export function erasureId(random: Uint8Array): string {
  return `ers_${base32(random)}`;
}

/** "qry_" and 24 characters: names a large question while it is counted, and its answer. */
export function questionJobId(random: Uint8Array): string {
  return `qry_${base32(random)}`;
}

/** "key_" and 24 characters: names a key in lists and revocations. It is no secret. */
export function keyId(random: Uint8Array): string {
  return `key_${base32(random)}`;
}

/** "mem_" and 24 characters: names a member. */
export function memberId(random: Uint8Array): string {
  return `mem_${base32(random)}`;
}

/** "inc_" and 24 characters: names an incident. */
export function incidentId(random: Uint8Array): string {
  return `inc_${base32(random)}`;
}

/** "opr_" and 24 characters: names an operator. */
export function operatorId(random: Uint8Array): string {
  return `opr_${base32(random)}`;
}

/** "inv_" and 24 characters: names an invite in lists. */
export function inviteId(random: Uint8Array): string {
  return `inv_${base32(random)}`;
}

/** "seg_" and 24 characters: names a segment. */
export function segmentId(random: Uint8Array): string {
  return `seg_${base32(random)}`;
}

/** "viw_" and 24 characters: names a saved view. */
export function viewId(random: Uint8Array): string {
  return `viw_${base32(random)}`;
}

/** "not_" and 24 characters: names a note. */
export function noteId(random: Uint8Array): string {
  return `not_${base32(random)}`;
}

/** "sub_" and 24 characters: names what a merchant asked to be told. */
export function subscriptionId(random: Uint8Array): string {
  return `sub_${base32(random)}`;
}

/** "shr_" and 24 characters: names a share link in lists. */
export function shareId(random: Uint8Array): string {
  return `shr_${base32(random)}`;
}

/** What a token is for: API key, share link, invite, session, operator. */
export type TokenKind = "ffk" | "ffs" | "ffi" | "fft" | "ffo";

/** "ffk_" and 43 characters, from 32 random bytes. Shown once. */
export function apiKey(random: Uint8Array): string {
  return token("ffk", random);
}

/** The kind and 43 characters, from 32 random bytes. */
export function token(kind: TokenKind, random: Uint8Array): string {
  return `${kind}_${btoa(String.fromCharCode(...random))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "")}`;
}

/** Whether a text can be a token of a kind at all. Any other text is refused without asking the database. */
export function isTokenShaped(kind: TokenKind, text: string): boolean {
  return text.startsWith(`${kind}_`) && /^[a-z]{3}_[A-Za-z0-9_-]{43}$/.test(text);
}

export function isMerchantIdShaped(text: string): boolean {
  return /^mer_[a-z2-7]{24}$/.test(text);
}

/** The hash that is stored of a key or token, in hex. */
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
