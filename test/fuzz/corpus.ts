// What the fuzzer knows before it begins: the files of targets, and the inputs that are kept of earlier runs.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Input } from "./target.ts";

/** In test/fuzz/targets. */
export const FILES = [
  "format.ts",
  "query.ts",
  "address.ts",
  "opinion.ts",
  "import.ts",
  "archive.ts",
  "text.ts",
] as const;

export const CORPUS_PATH = join(import.meta.dirname, "corpus.json");

const KEPT = JSON.parse(readFileSync(CORPUS_PATH, "utf8")) as Readonly<Record<string, readonly Input[]>>;

/** The inputs of a target that are kept, none for a new one. */
export function corpusOf(target: string): readonly Input[] {
  return KEPT[target] ?? [];
}
