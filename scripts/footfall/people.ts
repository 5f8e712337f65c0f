// footfall member | invite | share: who else may look at a merchant's numbers or run it. Tokens of invites and links
// are shown once, when they are made.

import type { Command } from "commander";
import { Problem } from "../problem.ts";
import { toAnswerTable } from "../table.ts";
import { askAdmin, askList, type Connection } from "./connection.ts";
import { pathOf, show } from "./merchant.ts";

export function addPeople(program: Command): void {
  const member = program.command("member").description("people of a merchant");
  member
    .command("invite [merchant]")
    .description("make a link of one use; its token is shown this once")
    .requiredOption("--email <address>", "whom")
    .option("--role <role>", "viewer, admin or owner", "viewer")
    .action(async (id: string | undefined, body: object, command: Command) => {
      await show(
        command,
        (connection) => askAdmin(connection, "POST", `${pathOf(connection, id)}/invites`, body),
        (answer, { queryUrl = "" }) => toInviteText(answer as Token, queryUrl),
      );
    });
  member
    .command("role <merchant> <member> <role>")
    .description("give a member another role: viewer, admin or owner")
    .action(async (id: string, name: string, role: string, _, command: Command) => {
      await show(command, (connection) =>
        askAdmin(connection, "PATCH", entryOf(connection, id, "members", name), { role }),
      );
    });
  addListAndEnd(member, { list: "members", verb: "remove", what: "member", says: "a merchant's members" });
  const invite = program.command("invite").description("invites that nobody has taken");
  addListAndEnd(invite, { list: "invites", verb: "revoke", what: "invite", says: "those that can still be taken" });
  const share = program.command("share").description("links that show a merchant's numbers to anybody who has them");
  share
    .command("create [merchant]")
    .description("make a link; its token is shown this once")
    .requiredOption("--name <name>", "what it is for")
    .option("--filters <json>", 'filters for every question, such as [["is","event:page",["/press"]]]', toFilters)
    .option("--expires <instant>", "when it ends, such as 2027-01-31T12:00:00Z (default: never)")
    .action(async (id: string | undefined, { name, filters, expires }: NewShare, command: Command) => {
      const body = {
        name,
        ...(filters !== undefined && { filters }),
        ...(expires !== undefined && { expires_at: expires }),
      };
      await show(
        command,
        (connection) => askAdmin(connection, "POST", `${pathOf(connection, id)}/shares`, body),
        (answer, connection) => toShareText(answer as Token, pathOf(connection, id), connection.queryUrl ?? ""),
      );
    });
  addListAndEnd(share, {
    list: "shares",
    verb: "revoke",
    what: "link",
    says: "a merchant's links, without their tokens",
  });
}

interface Token extends Readonly<Record<string, unknown>> {
  readonly token: string;
}

/** What was made, and how its token is used: whoever gets it has nothing else. */
export function toInviteText(invite: Token, queryUrl: string): string {
  return `${toAnswerTable(invite)}

The token is shown this once and works once. Send them its page, where they choose a password of their own:
  ${queryUrl}/invite#${invite.token}
From then on they sign in at ${queryUrl}/`;
}

/** `path` is the merchant's: its end is what questions name it by. */
export function toShareText(share: Token, path: string, queryUrl: string): string {
  const question = JSON.stringify({
    site_id: path.slice(path.lastIndexOf("/") + 1),
    metrics: ["visitors", "pageviews"],
    date_range: "7d",
  });
  return `${toAnswerTable(share)}

The token is shown this once. Whoever has it sees the numbers at its page:
  ${queryUrl}/share#${share.token}
and asks about this merchant, under the link's filters, and nothing else:
  curl ${queryUrl}/api/v2/query -H 'Authorization: Bearer ${share.token}' -d '${question}'
What the link shows: curl ${queryUrl}/api/v1/shared -H 'Authorization: Bearer ${share.token}'`;
}

interface NewShare {
  readonly name: string;
  readonly filters?: unknown;
  readonly expires?: string;
}

function toFilters(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem('--filters must be JSON, such as [["is","event:page",["/press"]]]');
  }
}

interface Listed {
  readonly list: string;
  readonly verb: string;
  readonly what: string;
  readonly says: string;
}

function addListAndEnd(noun: Command, { list, verb, what, says }: Listed): void {
  noun
    .command("list [merchant]")
    .description(says)
    .action(async (id: string | undefined, _, command: Command) => {
      await show(command, (connection) => askList(connection, `${pathOf(connection, id)}/${list}`));
    });
  noun
    .command(`${verb} <merchant> <${what}>`)
    .description(`end it, named by its id in the list`)
    .action(async (id: string, name: string, _, command: Command) => {
      await show(command, (connection) => askAdmin(connection, "DELETE", entryOf(connection, id, list, name)));
    });
}

function entryOf(connection: Connection, id: string, list: string, name: string): string {
  return `${pathOf(connection, id)}/${list}/${encodeURIComponent(name)}`;
}
