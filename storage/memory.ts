// What one isolate remembers of the database for a while: so many entries, the oldest forgotten first. An entry that
// has grown old is still there for the moment in which the database does not answer. Nothing in it is the only copy.

interface Remembered<T> {
  readonly value: T;
  /** UTC ms. */
  readonly freshUntil: number;
}

export class Memory<T> {
  readonly #entries = new Map<string, Remembered<T>>();
  readonly #keptMax: number;
  readonly #freshMs: number;

  constructor({ keptMax, freshMs }: { readonly keptMax: number; readonly freshMs: number }) {
    this.#keptMax = keptMax;
    this.#freshMs = freshMs;
  }

  /** What is remembered, and whether it is fresh; undefined when nothing is. */
  find(key: string, now: number): { readonly value: T; readonly isFresh: boolean } | undefined {
    const entry = this.#entries.get(key);
    return entry && { value: entry.value, isFresh: entry.freshUntil > now };
  }

  remember(key: string, value: T, now: number): void {
    this.#entries.delete(key); // an entry that is back goes to the end: the first is always the oldest
    this.#entries.set(key, { value, freshUntil: now + this.#freshMs });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#keptMax && oldest !== undefined) this.#entries.delete(oldest);
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }
}
