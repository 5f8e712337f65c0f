// footfall merchant | stream | key: the admin endpoints under /api/v1/merchants. Keys are shown once, when they are
// made.

import type { Command } from "commander";
import { Problem } from "../problem.ts";
import { toAnswerTable } from "../table.ts";
import { askAdmin, askList, type Connection, connect, merchantOf } from "./connection.ts";

const MERCHANTS = "/api/v1/merchants";

interface Settings {
  readonly name?: string;
  readonly timeZone?: string;
  readonly currency?: string;
  readonly retention?: string;
  /** The hostname of the merchant's first stream. */
  readonly hostname?: string;
}

interface NewKey {
  readonly name: string;
  readonly scope: string;
  readonly expires?: string;
}

export function addMerchant(program: Command): void {
  const merchant = program.command("merchant").description("tenants: who counts");
  withSettings(merchant.command("create").description("make a merchant with its first stream and key"))
    .requiredOption("--name <name>", "what people call it")
    .option("--hostname <hostname>", "a hostname of the merchant; hits and questions may name it")
    .action(async (settings: Settings, command: Command) => {
      const body = { time_zone: "UTC", currency: "EUR", ...toBody(settings) };
      await show(command, (connection) => askAdmin(connection, "POST", MERCHANTS, body));
    });
  merchant
    .command("list")
    .description("all merchants")
    .action(async (_, command: Command) => await show(command, (connection) => askList(connection, MERCHANTS)));
  merchant
    .command("show [merchant]")
    .description("one merchant (default: the local demo)")
    .action(async (id: string | undefined, _, command: Command) => {
      await show(command, (connection) => askAdmin(connection, "GET", pathOf(connection, id)));
    });
  withSettings(merchant.command("update [merchant]").description("change what is given (default: the local demo's)"))
    .option("--name <name>", "what people call it")
    .option("--retention <days>", "how long events are kept: 30, 60, 90, 180, 365, 400, 730, 1095 or forever")
    .action(async (id: string | undefined, settings: Settings, command: Command) => {
      const body = toBody(settings);
      if (Object.keys(body).length === 0)
        throw new Problem("nothing to change: give --name, --time-zone, --currency, …");
      await show(command, (connection) => askAdmin(connection, "PATCH", pathOf(connection, id), body));
    });
  addSpread(merchant);
}

interface Spread {
  readonly partitions?: number;
  readonly soon?: true;
}

/** merchant spread: how many partitions of its own a hot merchant has. */
function addSpread(merchant: Command): void {
  merchant
    .command("spread [merchant]")
    .description("over how many partitions a hot merchant is spread; with --partitions, change that")
    .option("--partitions <count>", "so many of its own; 0 for the pool that small merchants share", Number)
    .option("--soon", "in half an hour, and not from the merchant's next Day on: visitors of that Day may be two")
    .action(async (id: string | undefined, { partitions, soon }: Spread, command: Command) => {
      const body = { partitions, ...(soon && { from: "soon" }) };
      const [method, asked] = partitions === undefined ? (["GET", undefined] as const) : (["POST", body] as const);
      const ask = (connection: Connection) => askAdmin(connection, method, `${pathOf(connection, id)}/spread`, asked);
      await show(command, ask, (answer) => spreadText(answer as ShownSpread));
    });
}

interface ShownSpread {
  readonly partitions: number;
  readonly timeline: readonly { readonly from: string; readonly partitions: number }[];
}

function spreadText({ partitions, timeline }: ShownSpread): string {
  const where = (count: number) => (count === 0 ? "in the pool that small merchants share" : `${count} of its own`);
  const changes = timeline.map((period) => `from ${period.from}: ${where(period.partitions)}`);
  return [`partitions: ${where(partitions)}`, ...changes].join("\n");
}

export function addStream(program: Command): void {
  const stream = program.command("stream").description("a merchant's shops, apps and tills");
  stream
    .command("create [merchant]")
    .description("make a stream; answers its tracking ID")
    .requiredOption("--name <name>", "what people call it")
    .option("--hostname <hostname>", HOSTNAME_HELP)
    .action(async (id: string | undefined, body: object, command: Command) => {
      await show(command, (connection) => askAdmin(connection, "POST", `${pathOf(connection, id)}/streams`, body));
    });
  stream
    .command("list [merchant]")
    .description("a merchant's streams")
    .action(async (id: string | undefined, _, command: Command) => {
      await show(command, (connection) => askList(connection, `${pathOf(connection, id)}/streams`));
    });
  stream
    .command("update <merchant> <stream>")
    .description("change a stream, named by its number in the list")
    .option("--name <name>", "what people call it")
    .option("--hostname <hostname>", HOSTNAME_HELP)
    .option("--no-hostname", "take its hostname away")
    .action(async (id: string, number: string, { name, hostname }: StreamChange, command: Command) => {
      const body = {
        ...(name !== undefined && { name }),
        ...(hostname !== undefined && { hostname: hostname === false ? null : hostname }),
      };
      if (Object.keys(body).length === 0)
        throw new Problem("nothing to change: give --name, --hostname or --no-hostname");
      await show(command, (connection) => askAdmin(connection, "PATCH", streamPathOf(connection, id, number), body));
    });
  stream
    .command("verify <merchant> <stream>")
    .description("prove its hostname by a record of DNS; says what to put where")
    .action(async (id: string, number: string, _, command: Command) => {
      const path = (connection: Connection) => `${streamPathOf(connection, id, number)}/verify`;
      await show(command, (connection) => askAdmin(connection, "POST", path(connection)));
    });
}

interface StreamChange {
  readonly name?: string;
  /** False to take it away. */
  readonly hostname?: string | false;
}

const HOSTNAME_HELP = "a hostname of the merchant; with a merchant's own key it must be proven (stream verify)";

function streamPathOf(connection: Connection, id: string, number: string): string {
  return `${pathOf(connection, id)}/streams/${encodeURIComponent(number)}`;
}

export function addKey(program: Command): void {
  const key = program.command("key").description("a merchant's API keys");
  key
    .command("create [merchant]")
    .description("make a key; it is shown this once")
    .requiredOption("--name <name>", "what it is for")
    .option("--scope <scope>", "read (asks questions), write (sends events) or admin (runs the merchant)", "read")
    .option("--expires <instant>", "when it ends, such as 2027-01-31T12:00:00Z (default: never)")
    .action(async (id: string | undefined, { name, scope, expires }: NewKey, command: Command) => {
      const body = { name, scope, ...(expires !== undefined && { expires_at: expires }) };
      await show(command, (connection) => askAdmin(connection, "POST", `${pathOf(connection, id)}/keys`, body));
    });
  key
    .command("list [merchant]")
    .description("a merchant's keys, without the keys themselves")
    .action(async (id: string | undefined, _, command: Command) => {
      await show(command, (connection) => askList(connection, `${pathOf(connection, id)}/keys`));
    });
  key
    .command("rotate <merchant> <key>")
    .description("give a key a new secret, shown this once; the old one stays good for a grace")
    .option("--grace <seconds>", "how long (default: a day)", Number)
    .action(async (id: string, name: string, { grace }: { grace?: number }, command: Command) => {
      const path = (connection: Connection) => `${pathOf(connection, id)}/keys/${encodeURIComponent(name)}/rotate`;
      const body = grace === undefined ? {} : { grace_seconds: grace };
      await show(command, (connection) => askAdmin(connection, "POST", path(connection), body));
    });
  key
    .command("revoke <merchant> <key>")
    .description("end a key, named by its id in the list")
    .action(async (id: string, name: string, _, command: Command) => {
      const path = (connection: Connection) => `${pathOf(connection, id)}/keys/${encodeURIComponent(name)}`;
      await show(command, (connection) => askAdmin(connection, "DELETE", path(connection)));
    });
}

/** Prints an answer: a table, or what the API said with --json. */
export async function show(
  command: Command,
  ask: (connection: Connection) => Promise<unknown>,
  toText: (answer: unknown, connection: Connection) => string = toAnswerTable,
): Promise<void> {
  const connection = await connect(command);
  const answer = await ask(connection);
  const { json } = command.optsWithGlobals<{ json?: boolean }>();
  if (json) console.log(JSON.stringify(answer ?? null, null, 2));
  else console.log(answer === undefined ? "done" : toText(answer, connection));
}

function withSettings(command: Command): Command {
  return command
    .option("--time-zone <zone>", "IANA name, such as Europe/Vienna (a new merchant's default: UTC)")
    .option("--currency <code>", "ISO 4217, such as EUR (a new merchant's default)");
}

function toBody({ name, timeZone, currency, hostname, retention }: Settings): object {
  return {
    ...(name === undefined ? {} : { name }),
    ...(timeZone === undefined ? {} : { time_zone: timeZone }),
    ...(currency === undefined ? {} : { currency }),
    ...(hostname === undefined ? {} : { hostname }),
    ...(retention === undefined ? {} : { retention_days: retention === "forever" ? null : Number(retention) }),
  };
}

export function pathOf(connection: Connection, id: string | undefined): string {
  const merchant = merchantOf(connection, id, "name the merchant; `merchant list` shows them");
  return `${MERCHANTS}/${encodeURIComponent(merchant)}`;
}
