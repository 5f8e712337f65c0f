// How parts of blocks are packed. It is deflate without gzip's header and checksum, which would be 18 bytes
// each of eight parts, a fortieth of a small merchant's block: what a part holds is checked when it is read,
// and D1 keeps its own checksums.

import { deflateRawSync, inflateRawSync } from "node:zlib";

/** As far as it pays: level 9 takes a third longer for one in two hundred. */
const LEVEL = 6;

/**
 * Most parts are small. zlib sets 270 KB aside for a window and tables, whatever it packs; with a window that the bytes
 * fill, 24 KB do, and making those is most of what packing a small part costs.
 */
const SMALL_BYTES = 4_096;
const SMALL = { windowBits: 12, memLevel: 5, chunkSize: 1_024 } as const;

/** workerd reads its limit in whole buffers and refuses a result that ends close below it; Node does not. */
const LIMIT_SLACK_BYTES = 64 * 1024;

export function deflate(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const isSmall = bytes.length <= SMALL_BYTES;
  // A copy: a Buffer may be a window on a pool that others share.
  return new Uint8Array(deflateRawSync(bytes, { level: LEVEL, ...(isSmall && SMALL) }));
}

/** Throws on anything that is not whole, and on a result that is (well) above `bytesMax`. */
export function inflate(bytes: Uint8Array, bytesMax: number): Uint8Array<ArrayBuffer> {
  const chunkSize = bytes.length <= SMALL_BYTES ? SMALL_BYTES : 4 * SMALL_BYTES;
  return new Uint8Array(inflateRawSync(bytes, { maxOutputLength: bytesMax + LIMIT_SLACK_BYTES, chunkSize }));
}
