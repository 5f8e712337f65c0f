// How the head and the sections of blocks are packed: deflate, without gzip's header and checksum. Those would take 18
// bytes for each of eight byte strings, a fortieth of a small merchant's block. The content is checked when it is read,
// and D1 has checksums of its own.

import { deflateRawSync, inflateRawSync } from "node:zlib";

/** Level 9 takes a third longer and saves one byte in two hundred. */
const LEVEL = 6;

/**
 * Most inputs are small. zlib sets aside 270 KB for a window and tables, whatever it packs. With a window that the
 * bytes fill, 24 KB are enough. To make those is most of the cost of packing a small input.
 */
const SMALL_BYTES = 4_096;
const SMALL = { windowBits: 12, memLevel: 5, chunkSize: 1_024 } as const;

/** workerd reads its limit in whole buffers and refuses a result that ends just below it. Node does not. */
const LIMIT_SLACK_BYTES = 64 * 1024;

export function deflate(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const isSmall = bytes.length <= SMALL_BYTES;
  // A copy: a Buffer may be a window on a pool that others share.
  return new Uint8Array(deflateRawSync(bytes, { level: LEVEL, ...(isSmall && SMALL) }));
}

/** Throws on incomplete input, and on a result that is (well) above `bytesMax`. */
export function inflate(bytes: Uint8Array, bytesMax: number): Uint8Array<ArrayBuffer> {
  const chunkSize = bytes.length <= SMALL_BYTES ? SMALL_BYTES : 4 * SMALL_BYTES;
  return new Uint8Array(inflateRawSync(bytes, { maxOutputLength: bytesMax + LIMIT_SLACK_BYTES, chunkSize }));
}
