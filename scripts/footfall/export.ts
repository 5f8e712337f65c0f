// footfall export: a merchant's raw events, into a file or to standard output. The API gives a few weeks at once; a
// longer range is asked for Day by Day here. NDJSON and CSV become one file; Parquet, which cannot be joined, a file
// for each Day. A file has its name only once it is whole.

import { createWriteStream } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { Readable, pipeline as streamPipeline, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Command, Option } from "commander";
import { dateOf, parseDate } from "../../core/time.ts";
import { Problem } from "../problem.ts";
import { type Connection, connect, merchantOf, openAdmin } from "./connection.ts";

interface ExportOptions {
  readonly from: string;
  readonly to: string;
  readonly format: "ndjson" | "csv" | "parquet";
  readonly out?: string;
  readonly site?: string;
  readonly where: readonly string[];
  readonly filters?: string;
}

const FIELDS = ["name", "visitor", "hostname", "country", "order_id", "stream", "counted"];

export function addExport(program: Command): void {
  program
    .command("export")
    .description("raw events of a merchant, such as: export --from 2026-11-01 --to 2026-11-30 --out november.ndjson")
    .requiredOption("--from <date>", "first Day, such as 2026-11-01")
    .requiredOption("--to <date>", "last Day")
    .addOption(new Option("--format <format>").choices(["ndjson", "csv", "parquet"]).default("ndjson"))
    .option("--where <field=value>", `only some events: ${FIELDS.join(", ")}; may be repeated`, collect, [])
    .option(
      "--filters <json>",
      'only some events, by filters as questions have them: \'[["contains","event:page",["/blog"]]]\'',
    )
    .option("--out <path>", "a file, or a folder for Parquet (default: standard output, except for Parquet)")
    .option("--site <merchant id>", "(default: the local demo)")
    .action(runExport);
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

async function runExport(options: ExportOptions, command: Command): Promise<void> {
  const connection = await connect(command);
  const merchant = merchantOf(connection, options.site, "name the merchant by its id with --site");
  const paths = pathsOf(merchant, options);
  if (options.format === "parquet") await writeFolder(connection, paths, options.out);
  else await writeText(connection, paths, options);
}

/** One request for each Day. */
export function pathsOf(merchant: string, options: Omit<ExportOptions, "out" | "site">): ReadonlyMap<string, string> {
  const [from, to] = [options.from, options.to].map(parseDate);
  if (from === undefined || to === undefined || to < from) throw new Problem("--from and --to must be dates, in order");
  const filters = options.where.map((text) => {
    const [, name = "", value = ""] = /^(\w+)=(.*)$/s.exec(text) ?? [];
    if (!FIELDS.includes(name))
      throw new Problem(`--where is "${text}"; it must be <field>=<value>, the field one of ${FIELDS.join(", ")}`);
    return [name, value] as [string, string];
  });
  if (options.filters !== undefined) filters.push(["filters", options.filters]);
  const days = Array.from({ length: to - from + 1 }, (_, index) => dateOf(from + index));
  return new Map(
    days.map((date) => {
      const parameters = new URLSearchParams([["from", date], ["to", date], ["format", options.format], ...filters]);
      return [date, `/api/v1/merchants/${merchant}/events?${parameters}`];
    }),
  );
}

async function writeFolder(connection: Connection, paths: ReadonlyMap<string, string>, out: string | undefined) {
  if (out === undefined) throw new Problem("Parquet is a file for each Day: name a folder for them with --out");
  await mkdir(out, { recursive: true });
  for (const [date, path] of paths) {
    const file = join(out, `${date}.parquet`);
    const { body } = await openAdmin(connection, path);
    await pipeline(readable(body), createWriteStream(`${file}.part`));
    await rename(`${file}.part`, file);
  }
}

async function writeText(
  connection: Connection,
  paths: ReadonlyMap<string, string>,
  { out, format }: ExportOptions,
): Promise<void> {
  let open: string | null = null;
  // One pipeline for all Days: each more would leave its listeners on the file.
  async function* chunks(): AsyncGenerator<Buffer> {
    let isFirst = true;
    for (const path of paths.values()) {
      const { body, headers } = await openAdmin(connection, path);
      open ??= headers.get("footfall-open-from");
      const day = readable(body);
      yield* isFirst || format !== "csv" ? day : streamPipeline(day, withoutHead(), () => undefined);
      isFirst = false;
    }
  }
  if (out === undefined) await pipeline(chunks, process.stdout, { end: false });
  else {
    await pipeline(chunks, createWriteStream(`${out}.part`));
    await rename(`${out}.part`, out);
  }
  if (open !== null) console.error(`from ${open} on Days are still open: there is what was acknowledged so far`);
}

function readable(body: ReadableStream<Uint8Array> | null): Readable {
  return body === null ? Readable.from([]) : Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]);
}

/** CSV without its first line: that of the first Day stands for all. */
function withoutHead(): Transform {
  let isInHead = true;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      const end = isInHead ? chunk.indexOf("\n") : -1;
      if (!isInHead) return done(null, chunk);
      if (end < 0) return done();
      isInHead = false;
      done(null, chunk.subarray(end + 1));
    },
  });
}
