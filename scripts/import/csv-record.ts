// Records of a CSV file (RFC 4180) put together from its lines: a quoted field may go on over several of them. A quote
// that is never closed would swallow every row after it; here it costs the one row it stands in, and reading goes on
// with the next line. That is why no library reads the records: those that were tried end at such a quote, or lose rows
// without a word.

import type { TextLine } from "./line.ts";

export interface CsvRecord {
  readonly values: readonly string[];
  /** Its first line and its last. */
  readonly first: number;
  readonly last: number;
  /** Why it is none, where its quotes or its length are wrong; `values` is then the line as it stands. */
  readonly problem: string | undefined;
}

/** A field that goes on longer is one whose quote is not closed. */
export const RECORD_LINES_MAX = 200;
const RECORD_LENGTH_MAX = 300_000;

/** Records in order; empty lines are none. */
export async function* toRecords(lines: AsyncIterable<TextLine>, delimiter: string): AsyncGenerator<CsvRecord> {
  const source = new LineSource(lines);
  try {
    yield* recordsOf(source, delimiter);
  } finally {
    await source.close();
  }
}

async function* recordsOf(source: LineSource, delimiter: string): AsyncGenerator<CsvRecord> {
  for (let line = await source.next(); line !== undefined; line = await source.next()) {
    if (line.text === "") continue;
    const ahead: TextLine[] = [];
    const splitter = new RecordSplitter(delimiter);
    let end = line.end;
    let fields = splitter.add(line.text);
    while (fields === "open" && ahead.length < RECORD_LINES_MAX && splitter.length < RECORD_LENGTH_MAX) {
      const next = await source.next();
      if (next === undefined) break;
      ahead.push(next);
      fields = splitter.add(end + next.text);
      end = next.end;
    }
    const { number: first } = line;
    if (typeof fields !== "string" && !line.isCut) {
      yield { values: fields, first, last: first + ahead.length, problem: undefined };
      continue;
    }
    const problem = line.isCut ? "the line is longer than a row can be" : WRONG_QUOTES;
    yield { values: [line.text], first, last: first, problem };
    source.giveBack(ahead);
  }
}

const WRONG_QUOTES =
  'its quotes are wrong: a field that begins with " ends with ", and a " within it is written twice ("")';

/** The fields of a record; "open" where a quoted field has not ended yet, "wrong" where something follows its end. */
export function splitRecord(text: string, delimiter: string): readonly string[] | "open" | "wrong" {
  return new RecordSplitter(delimiter).add(text);
}

/** Takes a record a line at a time and looks at each character once: a record of 200 lines is no 200 records. */
class RecordSplitter {
  readonly #delimiter: string;
  readonly #fields: string[] = [];
  /** What there is of a quoted field that has not ended. */
  #open: string | undefined;
  /** Characters so far. */
  length = 0;

  constructor(delimiter: string) {
    this.#delimiter = delimiter;
  }

  /** More of it, with the end of the line before; only what is "open" goes on. */
  add(text: string): readonly string[] | "open" | "wrong" {
    const delimiter = this.#delimiter;
    this.length += text.length;
    let at = 0;
    for (;;) {
      if (this.#open !== undefined || text[at] === '"') {
        const end = this.#toQuote(text, this.#open === undefined ? at + 1 : at);
        if (end === undefined) return "open";
        if (end < text.length && !text.startsWith(delimiter, end)) return "wrong";
        at = end;
      } else {
        const end = text.indexOf(delimiter, at);
        this.#fields.push(text.slice(at, end === -1 ? text.length : end));
        at = end === -1 ? text.length : end;
      }
      if (at >= text.length) return this.#fields;
      at += delimiter.length;
      if (at === text.length) return [...this.#fields, ""];
    }
  }

  /** Reads a quoted field from within it; the place behind its last quote, or undefined where it does not end. */
  #toQuote(text: string, from: number): number | undefined {
    let value = this.#open ?? "";
    let at = from;
    for (;;) {
      const quote = text.indexOf('"', at);
      if (quote === -1) {
        this.#open = value + text.slice(at);
        return undefined;
      }
      value += text.slice(at, quote);
      at = quote + 1;
      if (text[at] !== '"') break;
      value += '"';
      at += 1;
    }
    this.#fields.push(value);
    this.#open = undefined;
    return at;
  }
}

/** Lines with a way back. */
class LineSource {
  readonly #lines: AsyncIterator<TextLine>;
  #back: TextLine[] = [];

  constructor(lines: AsyncIterable<TextLine>) {
    this.#lines = lines[Symbol.asyncIterator]();
  }

  async next(): Promise<TextLine | undefined> {
    const line = this.#back.shift();
    if (line !== undefined) return line;
    const next = await this.#lines.next();
    return next.done ? undefined : next.value;
  }

  async close(): Promise<void> {
    await this.#lines.return?.();
  }

  giveBack(lines: readonly TextLine[]): void {
    this.#back = [...lines, ...this.#back];
  }
}
