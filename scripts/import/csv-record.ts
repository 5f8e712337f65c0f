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
    let text = line.text;
    let end = line.end;
    let fields = splitRecord(text, delimiter);
    while (fields === "open" && ahead.length < RECORD_LINES_MAX && text.length < RECORD_LENGTH_MAX) {
      const next = await source.next();
      if (next === undefined) break;
      ahead.push(next);
      text += end + next.text;
      end = next.end;
      // Only a line with a quote can close one.
      if (next.text.includes('"')) fields = splitRecord(text, delimiter);
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
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (text[at] === '"') {
      let value = "";
      for (;;) {
        const quote = text.indexOf('"', at + 1);
        if (quote === -1) return "open";
        value += text.slice(at + 1, quote);
        at = quote + 1;
        if (text[at] !== '"') break;
        value += '"';
      }
      fields.push(value);
      if (at < text.length && !text.startsWith(delimiter, at)) return "wrong";
    } else {
      const end = text.indexOf(delimiter, at);
      fields.push(text.slice(at, end === -1 ? text.length : end));
      at = end === -1 ? text.length : end;
    }
    if (at >= text.length) return fields;
    at += delimiter.length;
    if (at === text.length) return [...fields, ""];
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
