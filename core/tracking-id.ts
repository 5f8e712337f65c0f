// The tracking ID: a UUID of version 8 (RFC 9562, 5.8) whose bits hold the merchant number, the stream number and a
// truncated HMAC-SHA-256 tag, so that the collector checks it with no I/O and a forged or mistyped one costs nothing.
//
//   bytes  0-3  merchant number      4-5  stream number      6-15  74 bits of tag around the version and variant bits
//   for example 0000002a-0001-8d3f-9c1e-5b7a90f4e2d1: merchant 42, stream 1
//
// The HMAC itself is an argument: core has no crypto and no secret. Other clients' spellings are read as well: upper
// case, no hyphens, and GA4's "G-" before either.

import { hex32 } from "./hash.ts";

/** HMAC-SHA-256 of a text under one deployment secret; at least 10 bytes are used. */
export type Sign = (message: string) => Uint8Array;

export interface TrackingId {
  readonly merchant: number;
  readonly stream: number;
}

/** A merchant's number has 32 bits, and a stream's has 16; 0 is nobody. */
export const MERCHANT_NUMBER_MAX = 0xffff_ffff;
export const STREAM_NUMBER_MAX = 0xffff;

/** The tracking ID of a merchant's stream, in its canonical spelling. */
export function encodeTrackingId({ merchant, stream }: TrackingId, sign: Sign): string {
  const head = hex32(merchant) + hex32(stream).slice(4);
  const tag = sign(`tracking-id:${head}`);
  const byte = (index: number) => tag[index] as number;
  const bytes = [(byte(0) & 0x0f) | 0x80, byte(1), (byte(2) & 0x3f) | 0x80];
  for (let index = 3; index < 10; index++) bytes.push(byte(index));
  const hex = head + bytes.map((value) => value.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Whether a text has the form of a tracking ID, in any accepted spelling. It does not check the tag. */
export function isTrackingIdShaped(text: string): boolean {
  return /^[0-9a-f]{12}8[0-9a-f]{3}[89ab][0-9a-f]{15}$/.test(compact(text));
}

/**
 * The merchant and stream of a tracking ID. Undefined if no secret of `signs` made it. During a rotation two secrets
 * are valid. The comparison takes the same time wherever the texts differ.
 */
export function verifyTrackingId(text: string, signs: readonly Sign[]): TrackingId | undefined {
  if (!isTrackingIdShaped(text)) return undefined;
  const hex = compact(text);
  const id = { merchant: Number.parseInt(hex.slice(0, 8), 16), stream: Number.parseInt(hex.slice(8, 12), 16) };
  let valid = false;
  for (const sign of signs) valid = sameText(compact(encodeTrackingId(id, sign)), hex) || valid;
  return valid && id.merchant > 0 ? id : undefined;
}

function compact(text: string): string {
  return text.toLowerCase().replace(/^g-/, "").replaceAll("-", "");
}

function sameText(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let index = 0; index < a.length; index++) difference |= a.charCodeAt(index) ^ b.charCodeAt(index);
  return difference === 0;
}
