// What an isolate remembers of answers from events: what sealed (Day, partition)s came to for a question, as the text
// that parts of jobs are written in (core/query/count.ts), so that a question reads and counts only the Days that it
// has not in the version they have now. A version names all that the text was made from: the sealed files, how often
// events came late, who is being erased, and the settings, rules included. Days that are not sealed are always read.

import { SCAN_KEPT_BYTES, SCAN_KEPT_DAY_BYTES } from "../../core/limits.ts";

interface Kept {
  readonly version: string;
  readonly text: string;
}

export class ScanMemory {
  /** The one unused for longest is the first. */
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;

  /** What was remembered under a name in this version. Another version is forgotten: it will not come again. */
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

/** Texts at two bytes a UTF-16 unit, and what an entry costs by itself. */
function bytesOf(name: string, { version, text }: Kept): number {
  return 200 + 2 * (name.length + version.length + text.length);
}
