// footfall meter | partitions | alerts | operator | audit | dead-letters: what an operator looks at and puts right. The
// answers are the API's own.

import type { Command } from "commander";
import { type Metered, sumMeters } from "../../core/meter.ts";
import type { Redriven } from "../../core/redrive.ts";
import { toAnswerTable } from "../table.ts";
import { askAdmin, askCollector, askList, type Connection } from "./connection.ts";
import { show } from "./merchant.ts";

export function addOperations(program: Command): void {
  program
    .command("meter")
    .description("billable operations of all three Workers since they started")
    .action(async (_, command: Command) => {
      await show(command, async (connection) => {
        const query = (await askAdmin(connection, "GET", "/api/v1/meter")) as Metered;
        return sumMeters([query, (await askCollector(connection, "/v1/meter")) as Metered]);
      });
    });
  program
    .command("partitions")
    .description("where each partition stands")
    .option("--all", "those that never held an event, too")
    .action(async ({ all = false }: { all?: boolean }, command: Command) => {
      const ask = (connection: Connection) => askList(connection, "/api/v1/partitions");
      await show(command, ask, (answer) => toPartitionsText(answer as readonly PartitionRow[], all));
    });
  program
    .command("alerts")
    .description("what is wrong, by the cron's last look (docs/runbook.md)")
    .action(async (_, command: Command) => {
      const ask = (connection: Connection) => askAdmin(connection, "GET", "/api/v1/alerts");
      await show(command, ask, (answer) => toAlertsText(answer as Alerts));
    });
  program
    .command("audit")
    .description("what was administered, newest first")
    .option("--limit <count>", "at most so many entries", Number, 50)
    .action(async ({ limit }: { limit: number }, command: Command) => {
      await show(command, async (connection) => {
        const page = (await askAdmin(connection, "GET", `/api/v1/audit?limit=${limit}`)) as { audit: readonly Act[] };
        return page.audit.map(({ details, ...act }) => ({ ...act, details: JSON.stringify(details) }));
      });
    });
  const operators = program.command("operator").description("people and programs that run the deployment");
  operators
    .command("create")
    .description("name one; prints the token, once")
    .requiredOption("--name <name>", "who it is, such as anna or prometheus")
    .option("--scope <scope>", "what it may: metrics, read, operate or owner (docs/operate.md)", "read")
    .action(async ({ name, scope, expires }: NewOperator, command: Command) => {
      const body = { name, scope, ...(expires === undefined ? {} : { expires_at: expires }) };
      await show(command, (connection) => askAdmin(connection, "POST", "/api/v1/operators", body));
    });
  operators
    .command("list")
    .description("who there is")
    .action(async (_, command: Command) => {
      await show(command, async (connection) => {
        const { operators: all } = (await askAdmin(connection, "GET", "/api/v1/operators")) as { operators: object[] };
        return all;
      });
    });
  operators
    .command("revoke <operator id>")
    .description("end a token at once")
    .action(async (id: string, _, command: Command) => {
      await show(command, (connection) => askAdmin(connection, "DELETE", `/api/v1/operators/${id}`));
    });
  const letters = program.command("dead-letters").description("messages that a queue could not handle");
  letters
    .command("list")
    .description("those that wait in R2")
    .action(async (_, command: Command) => {
      await show(command, (connection) => askList(connection, "/api/v1/dead-letters"));
    });
  letters
    .command("redrive [key]")
    .description("handle one of them again, or all; what succeeds leaves R2")
    .action(async (key: string | undefined, _, command: Command) => {
      await show(command, (connection) => redrive(connection, key));
    });
}

interface NewOperator {
  readonly name: string;
  readonly scope: string;
  readonly expires?: string;
}

/** What GET /api/v1/alerts answers. */
interface Alerts {
  readonly checked_at: string | null;
  readonly alerts: readonly { readonly name: string; readonly says: string; readonly since: string }[];
}

function toAlertsText({ checked_at, alerts }: Alerts): string {
  if (checked_at === null) return "The cron has not looked yet: ask again in five minutes.";
  if (alerts.length === 0) return `Nothing is wrong, as of ${checked_at}.`;
  return `${toAnswerTable(alerts)}\n\nas of ${checked_at}; docs/runbook.md says what to do`;
}

/** An entry of the audit log as the API lists it. */
interface Act {
  readonly details: object;
}

/** A partition as the API lists it. */
export interface PartitionRow {
  readonly partition: string;
  /** 1 until its first event. */
  readonly next_position: number;
}

/** A table of the partitions; without `all` of those that ever held an event, and how many are left out. */
export function toPartitionsText(partitions: readonly PartitionRow[], all: boolean): string {
  const shown = partitions.filter(({ next_position }) => all || next_position > 1);
  const hidden = partitions.length - shown.length;
  const note = `${hidden} without an event; --all shows them`;
  return hidden === 0 ? toAnswerTable(shown) : `${toAnswerTable(shown)}\n\n${note}`;
}

/**
 * One letter, or page after page of all that lay there, with a line after each page, because many may take minutes:
 * those that fail stay behind and are not tried twice.
 */
async function redrive(connection: Connection, key: string | undefined): Promise<unknown> {
  const outcomes: Redriven[] = [];
  let body: object = key === undefined ? {} : { key };
  for (;;) {
    const page = (await askAdmin(connection, "POST", "/api/v1/dead-letters/redrive", body)) as RedrivePage;
    outcomes.push(...page.redriven);
    if (page.next === null) return outcomes;
    const failed = outcomes.filter(({ outcome }) => outcome === "failed").length;
    console.error(`${outcomes.length} letters handled, ${failed} of them failed; going on`);
    body = { after: page.next };
  }
}

interface RedrivePage {
  readonly redriven: readonly Redriven[];
  readonly next: string | null;
}
