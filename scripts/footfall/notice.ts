// footfall report: who is told what of a merchant, where and how: reports by the week or month, and alarms. A webhook's
// secret is shown once, when it is made.

import { type Command, Option } from "commander";
import { LANGUAGES } from "../../core/notice/language.ts";
import { CHANNELS, TARGET_METRICS, TOPICS } from "../../core/notice/subscription.ts";
import { Problem } from "../problem.ts";
import { toAnswerTable } from "../table.ts";
import { askAdmin, askList, type Connection } from "./connection.ts";
import { pathOf, show } from "./merchant.ts";

interface Settings {
  readonly topics?: readonly string[];
  readonly language?: string;
  readonly quiet?: string;
  readonly goal?: string;
}

interface Change {
  readonly state?: string;
  readonly pause?: string;
}

export function addNotices(program: Command): void {
  const report = program
    .command("report")
    .description("reports by the week or month, and alarms: by mail, webhook or chat");
  settings(
    report
      .command("add <target> [merchant]")
      .description("send to an address of mail, or an https address")
      .addOption(new Option("--channel <channel>", "how (default: by the target)").choices(CHANNELS)),
  ).action(
    async (target: string, id: string | undefined, options: Settings & { channel?: string }, command: Command) => {
      const channel = options.channel ?? (/^https?:/.test(target) ? "webhook" : "email");
      const body = { channel, target, ...toFields({ topics: ["weekly"], ...options }) };
      await show(
        command,
        (connection) => askAdmin(connection, "POST", pathTo(connection, id), body),
        (answer) => toAddedText(answer as Added),
      );
    },
  );
  report
    .command("list [merchant]")
    .description("who is told what")
    .action(async (id: string | undefined, _, command: Command) => {
      await show(command, (connection) => askList(connection, pathTo(connection, id)));
    });
  report
    .command("show <merchant> <subscription>")
    .description("one of them, with what became of its latest messages")
    .action(async (id: string, name: string, _, command: Command) => {
      await show(command, (connection) => askAdmin(connection, "GET", pathTo(connection, id, name)));
    });
  settings(
    report
      .command("change <merchant> <subscription>")
      .description("change what it is about, or switch it off and on")
      .addOption(new Option("--state <state>", "on or off").choices(["on", "off"]))
      .option("--pause <until>", "send nothing until then, such as 2027-01-07T00:00:00+01:00; none ends a pause"),
  ).action(async (id: string, name: string, options: Settings & Change, command: Command) => {
    const { state, pause } = options;
    const body = {
      ...toFields(options),
      ...(state !== undefined && { state }),
      ...(pause !== undefined && { paused_until: pause === "none" ? null : pause }),
    };
    await show(command, (connection) => askAdmin(connection, "PATCH", pathTo(connection, id, name), body));
  });
  report
    .command("remove <merchant> <subscription>")
    .description("tell it nothing any more")
    .action(async (id: string, name: string, _, command: Command) => {
      await show(command, (connection) => askAdmin(connection, "DELETE", pathTo(connection, id, name)));
    });
  for (const [verb, says] of [
    ["test", "send a test message"],
    ["rotate", "give a webhook another secret; the former one signs too for 24 hours"],
  ] as const) {
    report
      .command(`${verb} <merchant> <subscription>`)
      .description(says)
      .action(async (id: string, name: string, _, command: Command) => {
        await show(command, (connection) => askAdmin(connection, "POST", `${pathTo(connection, id, name)}/${verb}`));
      });
  }
  report
    .command("preview [merchant]")
    .description("what a report of the latest whole week or month says")
    .addOption(new Option("--topic <topic>", "which").choices(["weekly", "monthly"]).default("weekly"))
    .addOption(new Option("--channel <channel>", "in which form").choices(CHANNELS).default("email"))
    .addOption(new Option("--language <language>", "in which language").choices(LANGUAGES))
    .action(async (id: string | undefined, body: object, command: Command) => {
      await show(
        command,
        (connection) => askAdmin(connection, "POST", `${pathTo(connection, id)}/preview`, body),
        (answer) => toPreviewText(answer as Preview),
      );
    });
  report
    .command("alarms [merchant]")
    .description("what alarms would have told over the last 30 days, with the numbers that explain it")
    .addOption(new Option("--language <language>", "in which language").choices(LANGUAGES).default("en"))
    .action(async (id: string | undefined, { language }: { language: string }, command: Command) => {
      await show(
        command,
        (connection) => askAdmin(connection, "GET", `${pathOf(connection, id)}/alarms?language=${language}`),
        (answer) => toAlarmsText(answer as Alarms),
      );
    });
}

/** What each subscription may be given. */
function settings(command: Command): Command {
  const topics = new Option("--topics <topic...>", "what it is about (default: weekly)").choices(TOPICS);
  return command
    .addOption(topics)
    .addOption(new Option("--language <language>", "in which language").choices(LANGUAGES))
    .option("--quiet <hours>", "local hours in which nothing is sent, such as 22:00-07:00; none for none")
    .option("--goal <goal>", `what is to be reached, such as orders:100:week; of ${TARGET_METRICS.join(", ")}`);
}

/** Options as fields of the API. */
function toFields({ topics, language, quiet, goal }: Settings): Readonly<Record<string, unknown>> {
  return {
    ...(topics !== undefined && { topics }),
    ...(language !== undefined && { language }),
    ...(quiet !== undefined && { quiet: toQuiet(quiet) }),
    ...(goal !== undefined && { goal: toGoal(goal) }),
  };
}

function toQuiet(text: string): { readonly from: string; readonly to: string } | null {
  if (text === "none") return null;
  const [, from, to] = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(text) ?? [];
  if (from === undefined || to === undefined) throw new Problem("--quiet must be such as 22:00-07:00, or none");
  return { from, to };
}

/** "orders:100:week", or "events:50:day:Sign-up" for one goal. */
function toGoal(text: string): Readonly<Record<string, unknown>> | null {
  if (text === "none") return null;
  const [metric = "", value = "", period = "", ...name] = text.split(":");
  if (!/^\d+(\.\d+)?$/.test(value) || period === "")
    throw new Problem("--goal must be such as orders:100:week, events:50:day:Sign-up, or none");
  return { metric, value: Number(value), period, goal: name.length === 0 ? null : name.join(":") };
}

interface Added extends Readonly<Record<string, unknown>> {
  readonly secret?: string;
  readonly state: string;
}

function toAddedText(added: Added): string {
  const table = toAnswerTable(added);
  if (added.secret !== undefined)
    return `${table}\n\nThe secret is shown this once. It signs each message as Standard Webhooks has it.`;
  if (added.state === "unconfirmed")
    return `${table}\n\nA mail asks the address whether it wants this; until then it gets nothing.`;
  return table;
}

interface Alarms {
  readonly from: string;
  readonly to: string;
  readonly alarms: readonly { readonly since: string; readonly until: string | null; readonly says: string }[];
}

function toAlarmsText({ from, to, alarms }: Alarms): string {
  if (alarms.length === 0) return `Nothing was unusual from ${from} to ${to}.`;
  return alarms.map(({ since, until, says }) => `${since} to ${until ?? "now"}\n  ${says}`).join("\n");
}

interface Preview {
  readonly subject?: string;
  readonly text?: string;
  readonly body?: unknown;
}

function toPreviewText({ subject, text, body }: Preview): string {
  return body === undefined ? `${subject}\n\n${text}` : JSON.stringify(body, undefined, 2);
}

function pathTo(connection: Connection, id: string | undefined, subscription?: string): string {
  const path = `${pathOf(connection, id)}/subscriptions`;
  return subscription === undefined ? path : `${path}/${encodeURIComponent(subscription)}`;
}
