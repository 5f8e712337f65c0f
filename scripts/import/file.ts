// Reads the file to import, compressed or not, line by line (access log) or record by record (CSV), without ever holding
// it whole. Every line comes with its place, which is what ids and resuming are made of.

import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { parse } from "csv-parse";
import { messageOf, Problem } from "../problem.ts";
import { parseLogLine } from "./access-log.ts";
import { CHAIN_START, chainLine } from "./line-chain.ts";
import type { Place } from "./resume.ts";

export type FileFormat = { readonly kind: "log" } | { readonly kind: "csv"; readonly delimiter: string };

export interface FileLine {
  /** The line itself, or the record's values. */
  readonly values: readonly string[];
  readonly before: Place;
  /** Just after it; `place.line` is its number, from 1. */
  readonly place: Place;
  /** Bytes of the file read so far, compressed ones if it is compressed. */
  readonly bytesRead: number;
}

export interface ImportFile {
  readonly path: string;
  readonly bytes: number;
  readonly compressed: boolean;
}

/** Looks at a file without reading it. */
export async function openFile(path: string): Promise<ImportFile> {
  try {
    const { size } = await stat(path);
    const handle = await open(path);
    const { buffer } = await handle.read(new Uint8Array(2), 0, 2, 0).finally(() => handle.close());
    return { path, bytes: size, compressed: buffer[0] === 0x1f && buffer[1] === 0x8b };
  } catch (error) {
    throw new Problem(`cannot read ${path}: ${messageOf(error)}`);
  }
}

/** Log or CSV, and what separates the columns, by the first line that says something. */
export async function detectFormat(file: ImportFile): Promise<FileFormat> {
  const { stream } = contentOf(file);
  for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === "") continue;
    stream.destroy();
    if (parseLogLine(line) !== undefined) return { kind: "log" };
    const counts = [",", ";", "\t"].map((delimiter) => ({ delimiter, count: line.split(delimiter).length }));
    const [best] = counts.sort((a, b) => b.count - a.count);
    return { kind: "csv", delimiter: best?.delimiter ?? "," };
  }
  throw new Problem(`${file.path} is empty`);
}

/** Every line of the file in order. Errors of the file itself are `Problem`s. */
export async function* readLines(file: ImportFile, format: FileFormat): AsyncGenerator<FileLine> {
  const { stream, bytesRead } = contentOf(file);
  const source = format.kind === "log" ? logLines(stream) : csvRecords(stream, format.delimiter);
  let place: Place = { line: 0, chain: CHAIN_START };
  try {
    for await (const values of source) {
      const before = place;
      const text = format.kind === "log" ? (values[0] ?? "") : JSON.stringify(values);
      place = { line: before.line + 1, chain: chainLine(before.chain, text) };
      yield { values, before, place, bytesRead: bytesRead() };
    }
  } catch (error) {
    throw new Problem(`cannot read ${file.path} after line ${place.line}: ${messageOf(error)}`);
  } finally {
    stream.destroy();
  }
}

function contentOf(file: ImportFile): { readonly stream: Readable; readonly bytesRead: () => number } {
  const raw = createReadStream(file.path);
  const bytesRead = () => raw.bytesRead;
  if (!file.compressed) return { stream: raw, bytesRead };
  // An error of either stream reaches the reader through the unzipped one.
  return { stream: pipeline(raw, createGunzip(), () => undefined), bytesRead };
}

async function* logLines(stream: Readable): AsyncGenerator<readonly string[]> {
  const failed = new Promise<never>((_, fail) => stream.once("error", fail));
  failed.catch(() => undefined);
  const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([lines.next(), failed]);
    if (next.done) return;
    yield [next.value];
  }
}

async function* csvRecords(stream: Readable, delimiter: string): AsyncGenerator<readonly string[]> {
  const options = { delimiter, bom: true, relax_column_count: true, relax_quotes: true, skip_empty_lines: true };
  for await (const record of pipeline(stream, parse(options), () => undefined)) yield record as string[];
}
