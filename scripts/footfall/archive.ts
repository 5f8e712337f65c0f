// footfall archive days | seal | files: the archive's Days. Which are open, closed, sealed or waiting for
// late events; sealing closed ones now instead of within minutes; and the names of the files to read with
// DuckDB or to copy with rclone.

import type { Command } from "commander";
import { Problem } from "../problem.ts";
import { toFigure, toTable } from "../table.ts";
import { askAdmin, askList, type Connection, connect } from "./connection.ts";
import { localPaths, toScript } from "./duckdb.ts";
import { show } from "./merchant.ts";

interface Range {
  readonly from: string;
  readonly to: string;
}

/** A (Day, partition) as the API lists it; an open one has no more than its state. */
export interface ArchiveDay {
  readonly date: string;
  readonly partition: string;
  readonly state: string;
  readonly rows?: number;
  readonly differences?: number;
  readonly error?: string;
}

/** The files of a (Day, partition) as the API lists them. */
interface DayFiles {
  readonly manifest: string | null;
  readonly sealed: readonly { readonly key: string }[];
  readonly bundles: readonly { readonly key: string }[];
}

export function addArchive(program: Command): void {
  const archive = program.command("archive").description("the archived events, Day by Day");
  withRange(archive.command("days").description("what is open, closed, sealed, late or in doubt")).action(
    async (range: Range, command: Command) => {
      await show(command, (connection) => askDays(connection, range), toDaysText);
    },
  );
  withRange(
    archive.command("seal").description("seal closed Days, and count late events, now instead of within minutes"),
  ).action(async (range: Range, command: Command) => {
    await show(
      command,
      (connection) => askAdmin(connection, "POST", "/api/v1/archive/seal", range),
      (answer) => toSealText(answer as Sealing, range),
    );
  });
  withRange(
    archive.command("files").description("keys of the files that hold every event once, or of bundles not sealed yet"),
  )
    .option("--duckdb", "print a script for DuckDB that makes views of them")
    .option("--at <where>", "with --duckdb: where the files are, a folder or such as r2://footfall-archive", ".")
    .option("--merchant <number>", "with --duckdb: of one merchant, by its number in the column merchant", Number)
    .action(printFiles);
}

function withRange(command: Command): Command {
  return command
    .requiredOption("--from <date>", "first Day, such as 2026-11-01")
    .requiredOption("--to <date>", "last Day");
}

async function askDays(connection: Connection, { from, to }: Range): Promise<readonly ArchiveDay[]> {
  return (await askList(connection, `/api/v1/archive/days?from=${from}&to=${to}`)) as readonly ArchiveDay[];
}

/** What asking for a seal has found: (Day, partition)s with anything archived, and those that had anything to do. */
interface Sealing {
  readonly found: number;
  readonly sent: number;
}

/** What is done now, and where it can be seen. */
export function toSealText({ found, sent }: Sealing, { from, to }: Range): string {
  const days = (count: number) => `${toFigure(count)} ${count === 1 ? "Day" : "Days"} of one partition`;
  if (found === 0) return `nothing is archived from ${from} to ${to}`;
  const rest = found - sent;
  const others = rest > 0 ? `; ${days(rest)} had nothing to do` : "";
  if (sent === 0) return `${days(found)} found, all of them sealed and without late events: nothing to do`;
  return [
    `${days(sent)} on the way to be sealed, or counted again with what came late${others}`,
    `how far they are: footfall archive days --from ${from} --to ${to}`,
  ].join("\n");
}

/** The Days as a table. */
function toDaysText(answer: unknown): string {
  const rows = (answer as readonly ArchiveDay[]).map(({ date, partition, state, rows, differences, error }) => {
    return [date, partition, state, rows, differences, error];
  });
  if (rows.length === 0) return "(nothing is archived of these Days)";
  return toTable(["date", "partition", "state", "rows", "differences", "error"], rows);
}

function keysOf({ manifest, sealed, bundles }: DayFiles): readonly string[] {
  return [...(manifest === null ? [] : [manifest]), ...[...sealed, ...bundles].map(({ key }) => key)];
}

interface FilesOptions extends Range {
  readonly duckdb?: boolean;
  readonly at: string;
  readonly merchant?: number;
}

/**
 * One key a line, as `rclone copy --files-from -` reads them; with --json a list of all that the API
 * says, with --duckdb a script.
 */
async function printFiles(range: FilesOptions, command: Command): Promise<void> {
  const connection = await connect(command);
  if (range.duckdb === true) return printScript(connection, range);
  const isJson = command.optsWithGlobals<{ json?: boolean }>().json === true;
  const all: unknown[] = [];
  for (const { date, partition } of await askDays(connection, range)) {
    const path = `/api/v1/archive/files?date=${date}&partition=${partition}`;
    const files = (await askAdmin(connection, "GET", path)) as DayFiles;
    if (!isJson && keysOf(files).length > 0) console.log(keysOf(files).join("\n"));
    all.push(files);
  }
  if (isJson) console.log(JSON.stringify(all, null, 2));
}

/** The same files as views of DuckDB. */
async function printScript(connection: Connection, range: FilesOptions): Promise<void> {
  const found: { readonly key: string; readonly date: string; readonly partition: string }[] = [];
  for (const { date, partition } of await askDays(connection, range)) {
    const path = `/api/v1/archive/files?date=${date}&partition=${partition}`;
    const { sealed, bundles } = (await askAdmin(connection, "GET", path)) as DayFiles;
    for (const { key } of [...sealed, ...bundles]) found.push({ key, date, partition });
  }
  if (found.length === 0) throw new Problem(`nothing is archived from ${range.from} to ${range.to}`);
  const isLocal = connection.trackingId !== undefined && range.at === ".";
  const keys = found.map(({ key }) => key);
  const local = isLocal ? await localPaths(connection.stateDir, keys) : undefined;
  const pathOf = (key: string) => local?.get(key) ?? (range.at === "." ? key : `${range.at.replace(/\/$/, "")}/${key}`);
  const files = found.map(({ key, date, partition }) => ({ path: pathOf(key), date, partition }));
  console.log(toScript({ files, merchant: range.merchant }));
}
