// Hashes that are no secrets: of event ids for the duplicate window, of first-party visitor ids as 64 bits, and of
// merchants for the pool's partitions. MurmurHash3 (x86, 32 bit; Appleby, public domain) over UTF-16 units; two seeds
// make 64 bits. Tracking IDs and cookieless visitors need a secret, so hosts compute HMAC-SHA-256 for them.

/** A 32-bit hash of a text, as an unsigned integer. */
export function hash32(text: string, seed: number): number {
  let hash = seed | 0;
  const even = text.length & ~1;
  for (let index = 0; index < even; index += 2) {
    const block = text.charCodeAt(index) | (text.charCodeAt(index + 1) << 16);
    hash = Math.imul(rotate(hash ^ scramble(block), 13), 5) + 0xe6546b64;
  }
  if (even < text.length) hash ^= scramble(text.charCodeAt(even));
  return finish(hash ^ (text.length * 2));
}

/** 64 bits as 16 lower-case hex digits, the shape of every visitor. */
export function hash64Hex(text: string): string {
  return hex32(hash32(text, 0x9747b28c)) + hex32(hash32(text, 0x3c6ef372));
}

/** Eight lower-case hex digits of an unsigned 32-bit integer. */
export function hex32(value: number): string {
  return (value >>> 0).toString(16).padStart(8, "0");
}

function scramble(block: number): number {
  return Math.imul(rotate(Math.imul(block, 0xcc9e2d51), 15), 0x1b873593);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function finish(value: number): number {
  let hash = value ^ (value >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
