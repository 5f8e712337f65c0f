// Makes an id for an event that came without one: a UUID of version 7, as text. The library's own `toString` makes one
// text for each digit, a kilobyte of garbage for an id. So this file makes the text at once from its characters.

import { uuidv7obj } from "uuidv7";

/** A new id, such as "019aa3f0-5311-7d40-8db0-9496a2eef37b". */
export function newEventId(): string {
  const codes = new Array<number>(LENGTH).fill(HYPHEN);
  const { bytes } = uuidv7obj();
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    // There is a hyphen after the fourth, sixth, eighth and tenth byte.
    const place = 2 * at + Math.max(0, Math.min(4, (at >> 1) - 1));
    codes[place] = digit(byte >>> 4);
    codes[place + 1] = digit(byte & 0xf);
  }
  return String.fromCharCode(...codes);
}

const LENGTH = 36;
const HYPHEN = 0x2d;

/** The character code of a hexadecimal digit. */
function digit(value: number): number {
  return value < 10 ? 0x30 + value : 0x57 + value;
}
