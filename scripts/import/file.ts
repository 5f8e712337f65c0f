// Reads the file to import, compressed or not, line by line (logs), record by record (CSV) or row by row (Parquet),
// without ever holding it whole. Every line comes with its place, which is what ids and resuming are made of, and with
// its number, which is what a person looks for.

import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { messageOf, Problem } from "../problem.ts";
import { toRecords } from "./csv-record.ts";
import { detectLine, type FileFormat, isParquet, refuseBytes } from "./detect.ts";
import { type TextLine, toLines } from "./line.ts";
import { CHAIN_START, chainLine } from "./line-chain.ts";
import { parquetRows } from "./parquet-file.ts";
import type { Place } from "./resume.ts";

export interface FileLine {
  /** The line itself, or the record's values. */
  readonly values: readonly string[];
  /**
   * The number of the line where it begins, from 1; a record of a CSV may go on over more, and follow on empty ones.
   */
  readonly number: number;
  /** Why it cannot be read at all. */
  readonly problem: string | undefined;
  readonly before: Place;
  /** Just after it. */
  readonly place: Place;
  /** Bytes of the file read so far, compressed ones if it is compressed. */
  readonly bytesRead: number;
}

export interface ImportFile {
  readonly path: string;
  readonly bytes: number;
  readonly compressed: boolean;
  /** Whether it is a file of Parquet, which has no lines: a row is read as a line of JSON. */
  readonly isParquet: boolean;
}

const HEAD_BYTES = 8;

/** Looks at a file without reading it. */
export async function openFile(path: string): Promise<ImportFile> {
  let head: Uint8Array;
  let bytes: number;
  try {
    bytes = (await stat(path)).size;
    const handle = await open(path);
    const { buffer } = await handle.read(new Uint8Array(HEAD_BYTES), 0, HEAD_BYTES, 0).finally(() => handle.close());
    head = buffer;
  } catch (error) {
    throw new Problem(`cannot read ${path}: ${messageOf(error)}`);
  }
  const why = refuseBytes(head);
  if (why !== undefined) throw new Problem(`${path}: ${why}`);
  return { path, bytes, compressed: head[0] === 0x1f && head[1] === 0x8b, isParquet: isParquet(head) };
}

/** A log may begin with noise, or in the middle of a line; a few lines later it shows what it is. */
const DETECTED_WITHIN_LINES = 20;

/** What kind of log it is, or what separates a CSV's columns, by the first line that says something. */
export async function detectFormat(file: ImportFile): Promise<FileFormat> {
  if (file.isParquet) return { kind: "parquet" };
  let first: FileFormat | undefined;
  for await (const { text, number } of textLines(file)) {
    if (text.trim() === "") continue;
    const detected = detectLine(text);
    if (first === undefined && !detected.ok) throw new Problem(`${file.path}: ${detected.why}`);
    if (detected.ok && detected.format.kind !== "csv") return detected.format;
    if (detected.ok) first ??= detected.format;
    if (number >= DETECTED_WITHIN_LINES) break;
  }
  if (first === undefined) throw new Problem(`${file.path} is empty`);
  return first;
}

/** The first line whose bytes are none of UTF-8, if there is one. */
export async function findForeignLetters(file: ImportFile): Promise<number | undefined> {
  for await (const { isUtf8, number } of textLines(file)) if (!isUtf8) return number;
  return undefined;
}

/** Every line of the file in order. Errors of the file itself are `Problem`s. */
export async function* readLines(file: ImportFile, format: FileFormat): AsyncGenerator<FileLine> {
  const progress: Progress = { bytesRead: () => 0 };
  const source = sourceOf(file, format, progress);
  let place: Place = { line: 0, chain: CHAIN_START };
  for await (const { values, first, problem } of source) {
    const before = place;
    const text = format.kind === "csv" ? JSON.stringify(values) : (values[0] ?? "");
    place = { line: before.line + 1, chain: chainLine(before.chain, text) };
    yield { values, number: first, problem, before, place, bytesRead: progress.bytesRead() };
  }
}

interface Record {
  readonly values: readonly string[];
  readonly first: number;
  readonly problem: string | undefined;
}

function sourceOf(file: ImportFile, format: FileFormat, progress: Progress): AsyncIterable<Record> {
  if (format.kind === "parquet") return parquetLines(file, progress);
  const lines = textLines(file, progress);
  return format.kind === "csv" ? toRecords(lines, format.delimiter) : toLogLines(lines);
}

async function* parquetLines({ path, bytes }: ImportFile, progress: Progress): AsyncGenerator<Record> {
  let number = 0;
  for await (const { text, share } of parquetRows(path)) {
    progress.bytesRead = () => Math.round(bytes * share);
    number += 1;
    yield { values: [text], first: number, problem: undefined };
  }
}

async function* toLogLines(lines: AsyncIterable<TextLine>) {
  for await (const { text, number, isCut } of lines) {
    yield { values: [text], first: number, problem: isCut ? "the line is longer than a request can be" : undefined };
  }
}

/** How far a file was read. */
interface Progress {
  bytesRead: () => number;
}

async function* textLines(file: ImportFile, progress?: Progress): AsyncGenerator<TextLine> {
  const raw = createReadStream(file.path);
  if (progress !== undefined) progress.bytesRead = () => raw.bytesRead;
  // An error of either stream reaches the reader through the unzipped one.
  const stream: Readable = file.compressed ? pipeline(raw, createGunzip(), () => undefined) : raw;
  let number = 0;
  try {
    for await (const line of toLines(stream)) {
      number = line.number;
      yield line;
    }
  } catch (error) {
    throw new Problem(`cannot read ${file.path} after line ${number}: ${messageOf(error)}`);
  } finally {
    stream.destroy();
    raw.destroy();
  }
}
