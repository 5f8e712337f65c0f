// Remembers in an isolate, for each question, the result of each sealed (Day, partition) that was counted. A result is
// a text, in the form in which parts of jobs are written (core/query/count.ts). So a question reads and counts only the
// Days whose present version is not remembered. A version names everything that the text was made from: the sealed
// files, how often late events came, which erasures are running, and the settings with their rules. Days that are not
// sealed are always read.

import { SCAN_KEPT_BYTES, SCAN_KEPT_DAY_BYTES } from "../../core/limits.ts";

interface Kept {
  readonly version: string;
  readonly text: string;
}

export class ScanMemory {
  /** The first one is the one unused for longest. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  /**
   * What was remembered under a name in this version. A text of another version is forgotten, since that version will
   * not come back.
   */
  find(name: string, version: string): string | undefined {
    const kept = this.#kept.get(name);
    if (kept === undefined) return undefined;
    this.#forget(name, kept);
    if (kept.version !== version) return undefined;
    this.#keep(name, kept);
    return kept.text;
  }

  remember(name: string, kept: Kept): void {
    const known = this.#kept.get(name);
    if (known !== undefined) this.#forget(name, known);
    if (bytesOf(name, kept) > SCAN_KEPT_DAY_BYTES) return;
    this.#keep(name, kept);
    for (const [oldest, its] of this.#kept) {
      if (this.#bytes <= SCAN_KEPT_BYTES) return;
      this.#forget(oldest, its);
    }
  }

  #keep(name: string, kept: Kept): void {
    this.#kept.set(name, kept);
    this.#bytes += bytesOf(name, kept);
  }

  #forget(name: string, kept: Kept): void {
    this.#kept.delete(name);
    this.#bytes -= bytesOf(name, kept);
  }
}

/** The bytes of an entry: two for each UTF-16 unit of its texts, and what the entry itself takes. */
function bytesOf(name: string, { version, text }: Kept): number {
  return 200 + 2 * (name.length + version.length + text.length);
}
