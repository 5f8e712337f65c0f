// footfall erase visitor|days|merchant|list|show: what is to be forgotten, and the receipts.

import type { Command } from "commander";
import { Problem } from "../problem.ts";
import { toAnswerTable, toCutTable } from "../table.ts";
import { askAdmin, askList, type Connection } from "./connection.ts";
import { pathOf, show } from "./merchant.ts";

export function addErase(program: Command): void {
  const erase = program.command("erase").description("erase events and numbers, with a receipt");
  erase
    .command("visitor <visitor_id>")
    .description("one visitor, by the visitor_id your site or app sends")
    .option("--merchant <id>", "the merchant (default: the local demo)")
    .option("--stored", "the identifier is the one an export shows, 16 hexadecimal digits")
    .option("--from <date>", "only from this Day on")
    .option("--to <date>", "only up to this Day")
    .action(async (visitor: string, { merchant, stored, from, to }: VisitorOptions, command: Command) => {
      const named = stored === true ? { visitor } : { visitor_id: visitor };
      await show(command, (connection) => begin(connection, merchant, { ...named, ...dates(from, to) }));
    });
  erase
    .command("days")
    .description("all of a merchant's Days in a range")
    .option("--merchant <id>", "the merchant (default: the local demo)")
    .requiredOption("--from <date>", "the first Day")
    .requiredOption("--to <date>", "the last Day")
    .action(async ({ merchant, from, to }: VisitorOptions, command: Command) => {
      await show(command, (connection) => begin(connection, merchant, dates(from, to)));
    });
  erase
    .command("merchant <id>")
    .description("a whole merchant, for good")
    .requiredOption("--confirm <id>", "its id once more")
    .action(async (id: string, { confirm }: { confirm: string }, command: Command) => {
      await show(command, (connection) => {
        if (confirm !== id) throw new Problem(`--confirm is ${confirm}, the merchant is ${id}: nothing was erased`);
        return askAdmin(connection, "DELETE", pathOf(connection, id));
      });
    });
  erase
    .command("list")
    .description("all erasures, the newest first")
    .action(async (_, command: Command) => {
      await show(command, (connection) => askList(connection, "/api/v1/erasures"));
    });
  erase
    .command("show <id>")
    .description("how far an erasure is, and what it removed from where")
    .action(async (id: string, _, command: Command) => {
      await show(command, (connection) => askAdmin(connection, "GET", `/api/v1/erasures/${id}`), toReceiptText);
    });
}

interface Receipt extends Readonly<Record<string, unknown>> {
  readonly removed: readonly {
    readonly date: string;
    readonly partition: string;
    readonly at: string;
    readonly rows_before: number;
    readonly rows_after: number;
    readonly new_files: string;
  }[];
}

/** The receipt, and below it what was removed from where. */
export function toReceiptText(answer: unknown): string {
  const { removed, ...facts } = answer as Receipt;
  if (removed.length === 0) return `${toAnswerTable(facts)}\n\nnothing is removed yet`;
  const rows = removed.map(({ date, partition, at, rows_before, rows_after, new_files }) => {
    return [date, partition, at, rows_before - rows_after, rows_after, new_files];
  });
  const head = ["date", "partition", "removed at", "rows removed", "rows left", "the files now"];
  return `${toAnswerTable(facts)}\n\n${toCutTable(head, rows)}`;
}

interface VisitorOptions {
  readonly merchant?: string;
  readonly stored?: boolean;
  readonly from?: string;
  readonly to?: string;
}

function dates(from: string | undefined, to: string | undefined) {
  return { ...(from !== undefined && { from }), ...(to !== undefined && { to }) };
}

async function begin(connection: Connection, merchant: string | undefined, body: object): Promise<unknown> {
  return askAdmin(connection, "POST", `${pathOf(connection, merchant)}/erasures`, body);
}
