// The one compression of bundles and of Parquet pages. It is gzip. zstd would be a third faster, but workerd's zstd
// encoder throws "Unexpected end of file" on any input that compresses to more than about 40 KB, in production too
// (cloudflare/workerd#6769, open; seen here with workerd 1.20261023.1 and 40,960 random bytes). Measured with 1,300
// events: a bundle takes 49.6 B an event (zstd 50.5), and a Parquet object 44.6 (zstd 41.6).

import { gunzipSync, gzipSync } from "node:zlib";

/** workerd reads its limit in whole buffers and refuses a result that ends just below it. Node does not. */
const LIMIT_SLACK_BYTES = 64 * 1024;

/**
 * How hard it tries, as levels of zlib: "small" for bytes that stay, "fast" for bytes that are on their way or will be
 * written again within days. For a bundle of 1,300 events: 42 B and 3.3 µs an event, or 47 B and 1.5 µs, which is still
 * a message of one unit (64 KB).
 */
const LEVELS = { small: 6, fast: 3 } as const;
export type Effort = keyof typeof LEVELS;

/**
 * zlib fills buffers of 16 KB. A small input needs no larger buffer than itself: for a tiny page the buffer takes 15 of
 * 25 µs.
 */
const CHUNK_BYTES_MIN = 256;
const CHUNK_BYTES_MAX = 16_384;

/** The same bytes give the same result on the same platform, because the header has no time and no name. */
export function compress(bytes: Uint8Array, effort: Effort = "small"): Uint8Array<ArrayBuffer> {
  const chunkSize = Math.min(CHUNK_BYTES_MAX, Math.max(CHUNK_BYTES_MIN, bytes.length));
  // A copy: a Buffer may be a window on a pool that others share.
  return new Uint8Array(gzipSync(bytes, { level: LEVELS[effort], chunkSize }));
}

/** Throws on anything that is not whole gzip, and on a result that is (well) above `bytesMax`. */
export function decompress(bytes: Uint8Array, bytesMax: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(gunzipSync(bytes, { maxOutputLength: bytesMax + LIMIT_SLACK_BYTES }));
}
