// What the fuzzer runs: a target takes an input, asks the code about it and throws where an answer is wrong. Targets
// know nothing of how inputs are made (mutate.ts), how coverage is measured (instrument.ts) or what is kept
// (explore.ts): the same functions run in the normal tests on what was found once (kept.test.ts).

/** An input by the names of its fields. Bytes are texts as well, a character for each (latin1). */
export type Input = Readonly<Record<string, string>>;

/** How a field is changed: as a text, as JSON by its structure, as a query string by its pairs, as lines, as bytes. */
export type FieldKind = "text" | "json" | "query" | "lines" | "bytes";

export interface Target {
  /** Such as "format-native". */
  readonly name: string;
  readonly fields: Readonly<Record<string, FieldKind>>;
  /** Words of the format that chance would not find. The texts in the code itself are words anyway. */
  readonly words: readonly string[];
  /** Where it starts from, beside the corpus that is kept: `root` is the repository. */
  readonly seeds: (root: string) => readonly Input[];
  /** The longest input that is tried, in UTF-16 units of all its fields. Real bounds are in core/limits.ts. */
  readonly lengthMax: number;
  /** What an input may cost, in blocks of code that are run: so many for any, and so many more for each character. */
  readonly steps: { readonly fixed: number; readonly perCharacter: number };
  /** Throws where an answer is wrong. */
  readonly run: (input: Input) => void | Promise<void>;
}

/** An answer that is wrong. Any other exception is a finding as well: nothing else may be thrown. */
export class WrongAnswer extends Error {}

/** States what must hold of an answer. */
export function expectThat(holds: boolean, what: string): asserts holds {
  if (!holds) throw new WrongAnswer(what);
}

/** Two values that must be the same, compared as JSON writes them. */
export function expectSame(found: unknown, wanted: unknown, what: string): void {
  if (Object.is(found, wanted)) return;
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (a !== b) throw new WrongAnswer(`${what}: ${shorten(a)} is not ${shorten(b)}`);
}

function shorten(text: string | undefined): string {
  return String(text).slice(0, 200);
}

/** The length of an input: of all its fields together. */
export function lengthOf(input: Input): number {
  let length = 0;
  for (const name of Object.keys(input)) length += (input[name] as string).length;
  return length;
}

/** Bytes of a text of latin1. */
export function toBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/** The inverse of `toBytes`. */
export function fromBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

/** A JSON value, or undefined for what is none. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // a SyntaxError: the input is no JSON, and what reads JSON itself is asked elsewhere
  }
}
