// footfall meter | partitions | dead-letters: what an operator looks at and puts right. The answers are the API's own.

import type { Command } from "commander";
import { type Metered, sumMeters } from "../../core/meter.ts";
import { askAdmin, askCollector, askList, type Connection } from "./connection.ts";
import { show } from "./merchant.ts";

export function addOperations(program: Command): void {
  const list = (path: string) => async (_: unknown, command: Command) =>
    await show(command, (connection) => askList(connection, path));
  program
    .command("meter")
    .description("billable operations of both Workers since they started")
    .action(async (_, command: Command) => {
      await show(command, async (connection) => {
        const query = (await askAdmin(connection, "GET", "/api/v1/meter")) as Metered;
        return sumMeters([query, (await askCollector(connection, "/v1/meter")) as Metered]);
      });
    });
  program.command("partitions").description("where each partition stands").action(list("/api/v1/partitions"));
  const letters = program.command("dead-letters").description("messages that a queue could not handle");
  letters.command("list").description("those that wait in R2").action(list("/api/v1/dead-letters"));
  letters
    .command("redrive [key]")
    .description("handle one of them again, or all; what succeeds leaves R2")
    .action(async (key: string | undefined, _, command: Command) => {
      await show(command, (connection) => redrive(connection, key));
    });
}

/** One letter, or page after page of all that lay there: those that fail stay behind and are not tried twice. */
async function redrive(connection: Connection, key: string | undefined): Promise<unknown> {
  const outcomes: unknown[] = [];
  let body: object = key === undefined ? {} : { key };
  for (;;) {
    const page = (await askAdmin(connection, "POST", "/api/v1/dead-letters/redrive", body)) as RedrivePage;
    outcomes.push(...page.redriven);
    if (page.next === null) return outcomes;
    body = { after: page.next };
  }
}

interface RedrivePage {
  readonly redriven: readonly unknown[];
  readonly next: string | null;
}
