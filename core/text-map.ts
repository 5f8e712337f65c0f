// A map whose keys are texts that strangers choose, such as order numbers and names of events. The engine hashes texts
// with a seed of its own, so nobody can choose texts whose hashes collide. Texts that are whole numbers are an
// exception: their hash is made of the number alone, so anybody can. In workerd 10,000 multiples of 65,536 took 95
// times as long as other texts, and twice as many took four times that. So a text that begins with a digit is stored
// behind a mark, which makes it a text like any other.

const MARK = "\u0001";
const FIRST_DIGIT = 48;
const LAST_DIGIT = 57;

/** Keeps its texts in the order in which they came, as a Map does. */
export class TextMap<V> {
  readonly #values = new Map<string, V>();

  get size(): number {
    return this.#values.size;
  }

  get(text: string): V | undefined {
    return this.#values.get(marked(text));
  }

  set(text: string, value: V): void {
    this.#values.set(marked(text), value);
  }

  delete(text: string): boolean {
    return this.#values.delete(marked(text));
  }

  values(): Iterable<V> {
    return this.#values.values();
  }

  *keys(): Generator<string> {
    for (const key of this.#values.keys()) yield unmarked(key);
  }

  *[Symbol.iterator](): Generator<readonly [string, V]> {
    for (const [key, value] of this.#values) yield [unmarked(key), value];
  }
}

function marked(text: string): string {
  const first = text.charCodeAt(0);
  return (first >= FIRST_DIGIT && first <= LAST_DIGIT) || text.startsWith(MARK) ? MARK + text : text;
}

function unmarked(key: string): string {
  return key.startsWith(MARK) ? key.slice(MARK.length) : key;
}
