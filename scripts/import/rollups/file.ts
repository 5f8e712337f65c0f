// The files of an import of rollups: a zip as Plausible makes it, a folder of its CSVs, or one of them. A file is known
// by its name, "imported_pages_20240101_20241231.csv" or "pages.csv"; any of them may be missing. A zip's files are
// unpacked one at a time, and no further than they may be.

import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { type UnzipFileInfo, unzipSync } from "fflate";
import { IMPORTED_TABLE_NAMES, type ImportedTableName } from "../../../core/imported/table.ts";
import { messageOf, Problem } from "../../problem.ts";
import { type TextLine, toLines } from "../line.ts";

export interface RollupFile {
  readonly name: string;
  readonly table: ImportedTableName;
  readonly lines: () => AsyncIterable<TextLine>;
}

export interface RollupFiles {
  readonly files: readonly RollupFile[];
  /** CSVs that are none of the tables. */
  readonly others: readonly string[];
}

/** Larger ones are refused: a file of a zip is held whole while it is read. */
const ZIP_BYTES_MAX = 1_000_000_000;
const ENTRY_BYTES_MAX = 2_000_000_000;
const ENTRIES_MAX = 1_000;

/** Whether a path is of rollups: a folder, a zip, or a CSV with the name of a table. */
export async function isRollups(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return false; // whoever opens it says so
  return found.isDirectory() || isZip(path) || (/^imported_/i.test(basename(path)) && tableOf(path) !== undefined);
}

/** The tables that a path has. */
export async function openRollups(path: string): Promise<RollupFiles> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return openFolder(path);
    if (isZip(path)) return await openZip(path, found.size);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(`cannot read ${path}: ${messageOf(error)}`);
  }
  return sorted([{ name: basename(path), lines: () => toLines(createReadStream(path)) }], path);
}

function isZip(path: string): boolean {
  return /\.zip$/i.test(path);
}

/** "imported_operating_systems_20240101_20240131.csv" is of the table "systems". */
export function tableOf(name: string): ImportedTableName | undefined {
  const [, said = ""] = /^(?:imported_)?([a-z_]+?)(?:_\d{8}_\d{8})?\.csv$/i.exec(basename(name)) ?? [];
  const table = said.toLowerCase() === "operating_systems" ? "systems" : said.toLowerCase();
  return IMPORTED_TABLE_NAMES.find((known) => known === table);
}

async function openFolder(path: string): Promise<RollupFiles> {
  const names = (await readdir(path)).filter((name) => /\.csv$/i.test(name));
  return sorted(
    names.map((name) => ({ name, lines: () => toLines(createReadStream(join(path, name))) })),
    path,
  );
}

async function openZip(path: string, bytes: number): Promise<RollupFiles> {
  if (bytes > ZIP_BYTES_MAX) throw new Problem(`${path} is larger than 1 GB; unpack it, and import the folder`);
  const zip = new Uint8Array(await readFile(path));
  const entries: UnzipFileInfo[] = [];
  const look = (filter: (entry: UnzipFileInfo) => boolean) => {
    try {
      return unzipSync(zip, { filter });
    } catch (error) {
      throw new Problem(`${path} is no zip that can be read (${messageOf(error)}); unpack it, and import the folder`);
    }
  };
  look((entry) => {
    entries.push(entry);
    return false;
  });
  if (entries.length > ENTRIES_MAX) throw new Problem(`${path} has more than ${ENTRIES_MAX} files`);
  const large = entries.find(({ originalSize }) => originalSize > ENTRY_BYTES_MAX);
  if (large !== undefined) throw new Problem(`${path}: ${large.name} is larger than 2 GB`);
  const names = entries.map(({ name }) => name).filter((name) => /\.csv$/i.test(name) && !name.startsWith("__MACOSX/"));
  return sorted(
    names.map((name) => ({
      name,
      lines: () => toLines(only(() => look((entry) => entry.name === name)[name] ?? new Uint8Array())),
    })),
    path,
  );
}

/** In pieces, as a stream would give it. */
async function* only(unpack: () => Uint8Array): AsyncGenerator<Uint8Array> {
  const bytes = unpack();
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) yield bytes.subarray(start, start + PIECE_BYTES);
}

const PIECE_BYTES = 1 << 20;

function sorted(found: readonly Omit<RollupFile, "table">[], path: string): RollupFiles {
  const files: RollupFile[] = [];
  const others: string[] = [];
  for (const file of found) {
    const table = tableOf(file.name);
    if (table === undefined) others.push(file.name);
    else files.push({ ...file, table });
  }
  const order = ({ table, name }: RollupFile) => `${IMPORTED_TABLE_NAMES.indexOf(table)} ${name}`;
  files.sort((a, b) => (order(a) < order(b) ? -1 : 1));
  if (files.length > 0) return { files, others };
  const wanted = "imported_visitors_….csv, imported_sources_….csv and the like, as Plausible exports them";
  const hint = others.length > 0 ? `; it has ${others.slice(0, 5).join(", ")}` : "";
  throw new Problem(`${path} has none of the files ${wanted}${hint}`);
}
