// The byte codec beneath checkpoint shelves, rollup columns and sketches: varints, zigzag integers, UTF-8 texts. Core
// has no platform types (no TextEncoder, no Buffer), and nobody else uses these shapes, so the codec is written here.

import { COUNT_MAX } from "./limits.ts";
import { assert } from "./outcome.ts";

const WORD_MAX = 0xffff_ffff;

/** Grows as it is written to. `finish()` gives the bytes. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Starts again in the memory that it has. */
  clear(): void {
    this.#length = 0;
  }

  /** The bytes that were written, not copied. The next write may change them. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** An integer from 0 to 2^53 - 1, seven bits a byte, lowest first. */
  unsigned(value: number): void {
    // The text is made only when it is needed: this is the innermost loop of every rollup.
    if (!Number.isSafeInteger(value) || value < 0) assert(false, `unsigned takes a safe integer, not ${value}`);
    this.#reserve(8);
    const bytes = this.#bytes;
    let at = this.#length;
    let rest = value;
    while (rest > WORD_MAX) {
      bytes[at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    while (rest >= 0x80) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.#length = at;
  }

  /** A count or a sum, cut to what the codec holds: see COUNT_MAX. */
  count(value: number): void {
    this.signed(Math.max(-COUNT_MAX, Math.min(COUNT_MAX, value)));
  }

  /** An integer of either sign below 2^52, small magnitudes short. */
  signed(value: number): void {
    this.unsigned(value < 0 ? -value * 2 - 1 : value * 2);
  }

  /** Exactly 32 bits, big-endian. */
  word(value: number): void {
    this.#reserve(4);
    const bytes = this.#bytes;
    const at = this.#length;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
    this.#length = at + 4;
  }

  /** A length-prefixed run of bytes. */
  blob(value: Uint8Array): void {
    this.unsigned(value.length);
    this.append(value);
  }

  /** A run of bytes whose length the reader knows otherwise. */
  append(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** A run of bytes with its length, given as a text with one character for each byte. */
  packed(value: string): void {
    this.unsigned(value.length);
    this.#units(value);
  }

  /** A length-prefixed UTF-8 text. Lone surrogates become U+FFFD, as in every UTF-8 encoder. */
  text(value: string): void {
    const length = utf8Length(value);
    this.unsigned(length);
    if (length === value.length) this.#units(value);
    else for (const character of value) this.#codePoint(character.codePointAt(0) as number);
  }

  /** A copy of the bytes from an index on. More may be written after it. */
  finish(start = 0): Uint8Array {
    return this.#bytes.slice(start, this.#length);
  }

  /** One byte for each unit of a text. No unit is above 255. */
  #units(value: string): void {
    this.#reserve(value.length);
    const bytes = this.#bytes;
    const start = this.#length;
    for (let index = 0; index < value.length; index++) bytes[start + index] = value.charCodeAt(index);
    this.#length = start + value.length;
  }

  #codePoint(point: number): void {
    const code = point >= 0xd800 && point <= 0xdfff ? 0xfffd : point;
    this.#reserve(4);
    if (code < 0x80) {
      this.#bytes[this.#length++] = code;
      return;
    }
    const continuation = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    const lead = continuation === 1 ? 0xc0 : continuation === 2 ? 0xe0 : 0xf0;
    this.#bytes[this.#length++] = lead | (code >>> (6 * continuation));
    for (let left = continuation - 1; left >= 0; left--) {
      this.#bytes[this.#length++] = 0x80 | ((code >>> (6 * left)) & 0x3f);
    }
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}

/**
 * Reads what `ByteWriter` wrote, in the same order. It asserts that no read goes past the end, because all bytes are
 * our own.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#offset >= this.#bytes.length;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.#bytes.length - this.#offset;
  }

  byte(): number {
    const value = this.#bytes[this.#offset++];
    assert(value !== undefined, "read past the end of the bytes");
    return value;
  }

  unsigned(): number {
    const bytes = this.#bytes;
    let value = 0;
    let at = this.#offset;
    // Nearly all are short, and whole numbers of 28 bits are put together faster than others.
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[at++];
      assert(byte !== undefined, "read past the end of the bytes");
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#offset = at;
        return value;
      }
    }
    this.#offset = at;
    for (let scale = 2 ** 28; ; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  signed(): number {
    const value = this.unsigned();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  word(): number {
    return ((this.byte() << 24) | (this.byte() << 16) | (this.byte() << 8) | this.byte()) >>> 0;
  }

  blob(): Uint8Array {
    return this.bytes(this.unsigned());
  }

  /** The next `length` bytes, not copied. */
  bytes(length: number): Uint8Array {
    assert(this.#offset + length <= this.#bytes.length, "a blob ends inside the bytes");
    this.#offset += length;
    return this.#bytes.subarray(this.#offset - length, this.#offset);
  }

  text(): string {
    return decodeUtf8(this.blob());
  }
}

/** How many bytes a text takes in UTF-8. */
export function utf8Length(text: string): number {
  let length = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) length += 1;
    else if (unit < 0x800) length += 2;
    else if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(index + 1))) {
      length += 4;
      index++;
    } else length += 3;
  }
  return length;
}

function decodeUtf8(bytes: Uint8Array): string {
  let text = "";
  for (let index = 0; index < bytes.length; ) {
    const lead = bytes[index++] as number;
    if (lead < 0x80) {
      text += String.fromCharCode(lead);
      continue;
    }
    const continuation = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    let code = lead & (0x3f >>> continuation);
    for (let left = continuation; left > 0; left--) code = (code << 6) | ((bytes[index++] as number) & 0x3f);
    text += String.fromCodePoint(code);
  }
  return text;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}
