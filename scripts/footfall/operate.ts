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
    .command("cost")
    .description("what the month has cost so far at list prices, by line")
    .action(async (_, command: Command) => {
      const ask = (connection: Connection) => askAdmin(connection, "GET", "/api/v1/cost");
      await show(command, ask, (answer) => toCostText(answer as Cost));
    });
  const incidents = program.command("incident").description("what merchants are told, at /status and in answers");
  const tell = async (command: Command, [method, path, body]: readonly ["POST" | "PATCH", string, object]) =>
    await show(command, (connection) => askAdmin(connection, method, path, body));
  incidents
    .command("open")
    .description("tell of something that is wrong")
    .requiredOption("--title <title>", "in a few words")
    .requiredOption("--text <text>", "what is known, and when you will say more")
    .action((options: { title: string; text: string }, command: Command) =>
      tell(command, ["POST", "/api/v1/incidents", { title: options.title, text: options.text }]),
    );
  for (const [name, description, state] of [
    ["update", "say how it goes on", "open"],
    ["close", "say that it is over", "closed"],
  ] as const)
    incidents
      .command(`${name} <id>`)
      .description(description)
      .requiredOption("--text <text>", "what is known now")
      .action((id: string, { text }: { text: string }, command: Command) =>
        tell(command, ["PATCH", `/api/v1/incidents/${encodeURIComponent(id)}`, { text, state }]),
      );
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
    .description("name one; prints the token, once, unless Cloudflare Access says who it is")
    .requiredOption("--name <name>", "who it is, such as anna or prometheus")
    .option("--scope <scope>", "what it may: metrics, read, operate or owner (docs/operate.md)", "read")
    .option("--email <address>", "whom Cloudflare Access vouches for; there is no token then")
    .option("--group <name>", "the same of a group of the identity provider")
    .action(async ({ name, scope, expires, email, group }: NewOperator, command: Command) => {
      const body = { name, scope, expires_at: expires, email, group }; // JSON leaves out what was not given
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
  readonly email?: string;
  readonly group?: string;
}

/** What GET /api/v1/cost answers. */
interface Cost {
  readonly as_of: string | null;
  readonly lines: readonly {
    readonly line: string;
    readonly count: number;
    readonly usd: number;
    readonly basis: string;
  }[];
  readonly total_usd: number;
}

function toCostText({ as_of, lines, total_usd }: Cost): string {
  if (as_of === null) return "The cron has not run yet: ask again in five minutes.";
  const rows = lines.map(({ usd, count, ...rest }) => ({ ...rest, count: Math.round(count), usd: usd.toFixed(2) }));
  return `${toAnswerTable(rows)}\n\n${total_usd.toFixed(2)} USD this month, as of ${as_of}; docs/operate.md says what is not in it`;
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
  readonly failing?: readonly string[];
}

/**
 * A table of the partitions; without `all` of those that ever held an event or fail at something, as one does whose
 * storage was lost, and how many are left out.
 */
export function toPartitionsText(partitions: readonly PartitionRow[], all: boolean): string {
  const shown = partitions.filter(({ next_position, failing = [] }) => all || next_position > 1 || failing.length > 0);
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
