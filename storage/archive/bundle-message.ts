// The bytes of one message of the archive queue: a bundle's JSON text in UTF-8, compressed about six to one. The
// partition's drain packs, and the archive's consumer unpacks. JSON escapes lone surrogates, so UTF-8 can hold every
// text. This file does not decide what a bundle contains or where it is stored.

import { type Bundle, decodeBundle } from "../../core/archive/bundle.ts";
import { BUNDLE_TEXT_BYTES_MAX } from "../../core/limits.ts";
import { assert } from "../../core/outcome.ts";
import { compress, decompress } from "./gzip.ts";

/** The message for a text of `encodeBundle`. The sender must check that it fits a queue message. */
export function packBundle(text: string): Uint8Array<ArrayBuffer> {
  return compress(new TextEncoder().encode(text), "fast");
}

/** The inverse of `packBundle` and `encodeBundle`. Throws on anything else, and on a text that would not fit memory. */
export function unpackBundle(body: unknown): Bundle {
  const bytes = bytesOf(body);
  assert(bytes !== undefined, "a bundle message is bytes");
  return decodeBundle(utf8.decode(decompress(bytes, BUNDLE_TEXT_BYTES_MAX)));
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A message's body as bytes. Depending on its version the platform gives an ArrayBuffer or a view of one. */
export function bytesOf(body: unknown): Uint8Array | undefined {
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  if (ArrayBuffer.isView(body)) return new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
  return undefined;
}
