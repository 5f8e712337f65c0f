// Hashes texts that senders choose, for tables that senders must not be able to fill unevenly (L7). The hash is
// SipHash-1-3 (Aumasson and Bernstein, 2012) over the UTF-16 units of a text, with a secret key of 128 bits. Without
// the key nobody can find texts with the same hash. For hash.ts anybody can. Its paper describes the algorithm; this
// file does the arithmetic, 32 bits at a time, because JavaScript's 64-bit integers are thirty times as slow.

/** A secret key of 128 bits. */
export type HashKey = Uint32Array;

/** The key that 32 hex digits stand for. */
export function toHashKey(hex: string): HashKey {
  return Uint32Array.from({ length: 4 }, (_, at) => Number.parseInt(hex.slice(at * 8, at * 8 + 8), 16));
}

/** The hash of a text: 64 bits as two unsigned words, the high one first. The next call overwrites the result. */
export function keyedHash(text: string, key: HashKey): readonly [high: number, low: number] {
  const [k0h, k0l, k1h, k1l] = key as unknown as readonly [number, number, number, number];
  // High and low word of v0 to v3, as the description calls them.
  let v0h = k0h ^ 0x736f6d65;
  let v0l = k0l ^ 0x70736575;
  let v1h = k1h ^ 0x646f7261;
  let v1l = k1l ^ 0x6e646f6d;
  let v2h = k0h ^ 0x6c796765;
  let v2l = k0l ^ 0x6e657261;
  let v3h = k1h ^ 0x74656462;
  let v3l = k1l ^ 0x79746573;
  const { length } = text;
  const last = length >>> 2; // the block that ends with the length in bytes
  for (let block = 0; block <= last + FINAL_ROUNDS; block++) {
    const at = block << 2;
    const low = unitAt(text, at) | (unitAt(text, at + 1) << 16);
    const high =
      block === last ? unitAt(text, at + 2) | (length << 25) : unitAt(text, at + 2) | (unitAt(text, at + 3) << 16);
    if (block <= last) {
      v3h ^= high;
      v3l ^= low;
    } else if (block === last + 1) v2l ^= 0xff;
    let sum = (v0l >>> 0) + (v1l >>> 0); // v0 += v1
    v0h = (v0h + v1h + (sum > WORD_MAX ? 1 : 0)) | 0;
    v0l = sum | 0;
    sum = (v2l >>> 0) + (v3l >>> 0); // v2 += v3
    v2h = (v2h + v3h + (sum > WORD_MAX ? 1 : 0)) | 0;
    v2l = sum | 0;
    let turned = ((v1h << 13) | (v1l >>> 19)) ^ v0h; // v1 = rotl(v1, 13) ^ v0
    v1l = ((v1l << 13) | (v1h >>> 19)) ^ v0l;
    v1h = turned;
    turned = ((v3h << 16) | (v3l >>> 16)) ^ v2h; // v3 = rotl(v3, 16) ^ v2
    v3l = ((v3l << 16) | (v3h >>> 16)) ^ v2l;
    v3h = turned;
    turned = v0h; // v0 = rotl(v0, 32)
    v0h = v0l;
    v0l = turned;
    sum = (v2l >>> 0) + (v1l >>> 0); // v2 += v1
    v2h = (v2h + v1h + (sum > WORD_MAX ? 1 : 0)) | 0;
    v2l = sum | 0;
    sum = (v0l >>> 0) + (v3l >>> 0); // v0 += v3
    v0h = (v0h + v3h + (sum > WORD_MAX ? 1 : 0)) | 0;
    v0l = sum | 0;
    turned = ((v1h << 17) | (v1l >>> 15)) ^ v2h; // v1 = rotl(v1, 17) ^ v2
    v1l = ((v1l << 17) | (v1h >>> 15)) ^ v2l;
    v1h = turned;
    turned = ((v3h << 21) | (v3l >>> 11)) ^ v0h; // v3 = rotl(v3, 21) ^ v0
    v3l = ((v3l << 21) | (v3h >>> 11)) ^ v0l;
    v3h = turned;
    turned = v2h; // v2 = rotl(v2, 32)
    v2h = v2l;
    v2l = turned;
    if (block <= last) {
      v0h ^= high;
      v0l ^= low;
    }
  }
  result[0] = (v0h ^ v1h ^ v2h ^ v3h) >>> 0;
  result[1] = (v0l ^ v1l ^ v2l ^ v3l) >>> 0;
  return result;
}

const FINAL_ROUNDS = 3;
const WORD_MAX = 0xffff_ffff;
const result: [number, number] = [0, 0];

/** A unit of the text, 0 beyond its end. */
function unitAt(text: string, at: number): number {
  return at < text.length ? text.charCodeAt(at) : 0;
}
