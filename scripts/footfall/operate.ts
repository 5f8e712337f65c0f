// footfall meter | partitions | dead-letters: what an operator looks at. The answers are the API's own.

import type { Command } from "commander";
import { type Metered, sumMeters } from "../../core/meter.ts";
import { askAdmin, askCollector, askList } from "./connection.ts";
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
  program
    .command("dead-letters")
    .description("bundles that could not be archived")
    .command("list")
    .description("those that wait in R2")
    .action(list("/api/v1/dead-letters"));
}
