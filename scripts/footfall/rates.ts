// footfall rates: exchange rates. `import` reads a file of the European Central Bank here and sends its Days, some at a
// time; `set` and `remove` decide a merchant's own. docs/rules.md says which rate holds when.

import type { Command } from "commander";
import { ADMIN_BYTES_MAX, RATES_SENT_MAX } from "../../core/limits.ts";
import type { PublishedRates } from "../../core/rate.ts";
import { parseRateFile } from "../../core/rate-file.ts";
import { dateOf, parseDate } from "../../core/time.ts";
import { Problem } from "../problem.ts";
import { toAnswerTable } from "../table.ts";
import { askAdmin, askList, type Connection } from "./connection.ts";
import { pathOf, show } from "./merchant.ts";
import { readRateSource } from "./rate-source.ts";

interface Imported {
  readonly added: number;
  readonly changed: number;
  readonly unchanged: number;
}

interface Shown {
  readonly date: string;
  readonly per_euro: Readonly<Record<string, string>>;
}

interface Whose {
  readonly merchant?: string;
  readonly preview?: true;
}

export function addRates(program: Command): void {
  const rates = program.command("rates").description("exchange rates: the deployment's, and a merchant's own");
  rates
    .command("import <source>")
    .description(
      "add the deployment's from the European Central Bank's file: CSV, XML, or zip; a path, an address or -",
    )
    .option("--from <date>", "only Days from this one on")
    .action(async (source: string, { from }: { from?: string }, command: Command) => {
      const days = daysFrom(await readRateSource(source), source, from);
      await show(command, (connection) => sendDays(connection, days));
    });
  rates
    .command("list")
    .description("the deployment's, the newest first; with --merchant, a merchant's own")
    .option("--merchant <id>", "whose")
    .option("--days <count>", "so many Days of the deployment's at most", Number, 10)
    .action(async ({ merchant, days }: Whose & { days: number }, command: Command) => {
      if (merchant !== undefined)
        await show(command, (connection) => askList(connection, `${pathOf(connection, merchant)}/rates`));
      else await show(command, (connection) => listDays(connection, days), toText);
    });
  withMerchant(rates.command("set <currency> <in> <rate>"))
    .description('decide that one <currency> is <rate> of <in>, such as USD EUR 0.92; "deployment" ends that')
    .requiredOption("--from <date>", "the first Day it holds for")
    .action(async (currency: string, other: string, rate: string, own: Whose & { from: string }, command: Command) => {
      await decide(command, own, { currency, in: other, rate, from: own.from });
    });
  withMerchant(rates.command("remove <currency> <in>"))
    .description("take away what was decided from a Day on")
    .requiredOption("--from <date>", "that Day")
    .action(async (currency: string, other: string, own: Whose & { from: string }, command: Command) => {
      await decide(command, own, { currency, in: other, rate: null, from: own.from });
    });
}

function withMerchant(command: Command): Command {
  return command
    .option("--merchant <id>", "whose (default: the local demo's)")
    .option("--preview", "say what it would change, and change nothing");
}

async function decide(command: Command, { merchant, preview }: Whose, rate: object): Promise<void> {
  const body = { rates: [rate], ...(preview === true && { preview }) };
  const ask = (connection: Connection) => askAdmin(connection, "POST", `${pathOf(connection, merchant)}/rates`, body);
  await show(command, ask, (answer) => {
    const { before, ...counts } = answer as { readonly before: readonly object[] };
    return [toAnswerTable(counts), ...(before.length > 0 ? ["", "before:", toAnswerTable(before)] : [])].join("\n");
  });
}

/** The Days of a file. */
function daysFrom(text: string, source: string, from: string | undefined): readonly PublishedRates[] {
  const first = from === undefined ? Number.NEGATIVE_INFINITY : parseDate(from);
  if (first === undefined) throw new Problem(`--from is "${from}"; it must be a date such as 2026-11-20`);
  const read = parseRateFile(text);
  if (!read.ok) throw new Problem(`${source} is no file of rates. ${read.rejection.message}`);
  return read.value.filter(({ day }) => day >= first);
}

/** Interrupted anywhere and run again it ends the same: rates that are known stay as they are. */
async function sendDays(connection: Connection, days: readonly PublishedRates[]): Promise<object> {
  const all = { days: days.length, added: 0, changed: 0, unchanged: 0 };
  for (const rates of piecesOf(days)) {
    const { added, changed, unchanged } = (await askAdmin(connection, "POST", "/api/v1/rates", { rates })) as Imported;
    all.added += added;
    all.changed += changed;
    all.unchanged += unchanged;
  }
  return all;
}

/** As many Days at once as fit a body. */
function* piecesOf(days: readonly PublishedRates[]): Generator<readonly Shown[]> {
  let piece: Shown[] = [];
  let length = 0;
  for (const { day, perEuro } of days) {
    const shown = { date: dateOf(day), per_euro: perEuro };
    const added = JSON.stringify(shown).length + 1;
    if (piece.length >= RATES_SENT_MAX || length + added > ADMIN_BYTES_MAX - 100) {
      yield piece;
      [piece, length] = [[], 0];
    }
    piece.push(shown);
    length += added;
  }
  if (piece.length > 0) yield piece;
}

async function listDays(connection: Connection, days: number): Promise<unknown> {
  if (!Number.isInteger(days) || days < 1 || days > 100)
    throw new Problem("--days must be a whole number from 1 to 100");
  return await askAdmin(connection, "GET", `/api/v1/rates?limit=${days}`);
}

/** A line for each Day: all its currencies in one cell. */
function toText(answer: unknown): string {
  const { rates, fetched_at } = answer as { readonly rates: readonly Shown[]; readonly fetched_at: string | null };
  const rows = rates.map(({ date, per_euro }) => {
    const told = Object.entries(per_euro).map(([currency, rate]) => `${currency} ${rate}`);
    return `${date}  ${told.join("  ")}`;
  });
  const fetched = fetched_at === null ? "the cron has never fetched any" : `the cron fetched last at ${fetched_at}`;
  return [...(rows.length > 0 ? rows : ["no rates"]), "", fetched].join("\n");
}
