// A file's bytes taken apart into lines, whatever ends them: "\n", "\r\n" or "\r" alone, mixed in one file, a last line
// without an end. A byte order mark is no text. Nothing here knows what a line means; records of a CSV are put together
// from lines in csv-record.ts.

import { isUtf8 } from "node:buffer";

export interface TextLine {
  readonly text: string;
  /** What ended it; empty at the end of the file. */
  readonly end: "\n" | "\r\n" | "\r" | "";
  /** From 1. */
  readonly number: number;
  /** False where its bytes are none of UTF-8: some of its letters are lost. */
  readonly isUtf8: boolean;
  /** Whether it was longer than LINE_LENGTH_MAX, and was cut there. */
  readonly isCut: boolean;
}

/** Longer lines are no rows: the collector takes 640 KiB a request. What is not text at all shows here too. */
export const LINE_LENGTH_MAX = 1_000_000;

/** Lines of a file that comes in pieces. */
export async function* toLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TextLine> {
  const splitter = new LineSplitter();
  let decode: ((chunk: Uint8Array) => string) | undefined;
  let head = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (decode === undefined) {
      head = Buffer.concat([head, chunk]);
      if (head.length < 3) continue; // too little to see a byte order mark
      decode = decoderOf(head, splitter);
      yield* splitter.split(decode(head));
    } else yield* splitter.split(decode(chunk));
  }
  if (decode === undefined) yield* splitter.split(decoderOf(head, splitter)(head));
  yield* splitter.rest();
}

/**
 * UTF-16 is decoded as a whole. Anything else stays bytes, one a character, so that each line can be tried as UTF-8.
 */
function decoderOf(head: Buffer, splitter: LineSplitter): (chunk: Uint8Array) => string {
  const label =
    head[0] === 0xff && head[1] === 0xfe ? "utf-16le" : head[0] === 0xfe && head[1] === 0xff ? "utf-16be" : "";
  if (label !== "") {
    const decoder = new TextDecoder(label);
    return (chunk) => decoder.decode(chunk, { stream: true });
  }
  splitter.bytes = true;
  let skip = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0;
  return (chunk) => {
    const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1", skip);
    skip = 0;
    return text;
  };
}

class LineSplitter {
  /** Its own: where the search goes on is a state of the expression, and several files may be read at once. */
  readonly #lineEnd = /\r\n|\n|\r/g;
  /** Whether a character stands for a byte. */
  bytes = false;
  #open = "";
  #isCut = false;
  #number = 0;

  *split(piece: string): Generator<TextLine> {
    const text = this.#open + piece;
    let start = 0;
    this.#lineEnd.lastIndex = this.#open.endsWith("\r") ? this.#open.length - 1 : this.#open.length;
    for (let match = this.#lineEnd.exec(text); match !== null; match = this.#lineEnd.exec(text)) {
      const end = match[0] as "\n" | "\r\n" | "\r";
      if (end === "\r" && match.index === text.length - 1) break; // "\n" may come with the next piece
      yield this.#line(text.slice(start, match.index), end);
      start = match.index + end.length;
    }
    this.#open = text.slice(start);
    if (this.#open.length <= LINE_LENGTH_MAX) return;
    this.#isCut = true;
    this.#open = this.#open.slice(0, LINE_LENGTH_MAX) + (this.#open.endsWith("\r") ? "\r" : "");
  }

  *rest(): Generator<TextLine> {
    const end = this.#open.endsWith("\r") ? "\r" : "";
    const text = end === "" ? this.#open : this.#open.slice(0, -1);
    if (text !== "" || end !== "") yield this.#line(text, end);
  }

  #line(text: string, end: TextLine["end"]): TextLine {
    const isCut = this.#isCut || text.length > LINE_LENGTH_MAX;
    const kept = isCut ? text.slice(0, LINE_LENGTH_MAX) : text;
    this.#isCut = false;
    this.#number += 1;
    const bytes = this.bytes ? Buffer.from(kept, "latin1") : undefined;
    return {
      text: bytes === undefined ? kept : bytes.toString("utf8"),
      end,
      number: this.#number,
      isUtf8: bytes === undefined || isCut || isUtf8(bytes),
      isCut,
    };
  }
}
