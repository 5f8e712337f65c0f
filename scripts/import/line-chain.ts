// What makes an import idempotent: the id of a line is a digest of everything in the file up to and including it. It is
// the same on every run, on a file that has grown since, and whether the file is compressed or not; and two equal
// lines, which are two requests, get two ids. The id names the line and not what was made of it: a line that was
// counted stays counted as it was, also when it is sent again with another column map.

import { createHash, createHmac } from "node:crypto";

/** The digest before the first line. */
export const CHAIN_START = "footfall-import-1";

/** The digest after one more line; 32 hex digits of SHA-256. */
export function chainLine(previous: string, line: string): string {
  return createHash("sha256").update(previous).update("\n").update(line).digest("hex").slice(0, 32);
}

/** The event id of the line a digest ends with. */
export function lineEventId(chain: string): string {
  return `import-${chain}`;
}

/** A visitor without the address in it: nobody can undo it without the salt, which never leaves this machine. */
export function hashVisitor(salt: string, visitor: string): string {
  return createHmac("sha256", salt).update(visitor).digest("hex").slice(0, 32);
}
