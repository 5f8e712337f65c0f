// footfall rules: what is counted and how, of one merchant or (--global) of all. `set` takes a file of JSON, "-" for
// the standard input; docs/rules.md has examples.

import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { messageOf, Problem } from "../problem.ts";
import { toAnswerTable } from "../table.ts";
import { askAdmin, askList, type Connection, merchantOf } from "./connection.ts";
import { show } from "./merchant.ts";

interface Scope {
  readonly merchant?: string;
  readonly global?: boolean;
}

interface Change extends Scope {
  readonly note?: string;
  readonly ifVersion?: string;
}

export function addRules(program: Command): void {
  const rules = program
    .command("rules")
    .description("what is counted and how: bots, exclusions, pages, channels, goals");
  withScope(rules.command("show [version]").description("the rules decided last, or an earlier version")).action(
    async (version: string | undefined, scope: Scope, command: Command) => {
      const suffix = version === undefined ? "" : `/versions/${encodeURIComponent(version)}`;
      await show(command, (connection) => askAdmin(connection, "GET", pathOf(connection, scope) + suffix), toText);
    },
  );
  withScope(rules.command("set <file>").description("change the rules from now on; answers from when they hold"))
    .option("--note <text>", "why")
    .option("--if-version <n>", "only if the rules are still at this version")
    .action(async (file: string, change: Change, command: Command) => {
      const body = {
        rules: readRules(file),
        ...(change.note === undefined ? {} : { note: change.note }),
        ...(change.ifVersion === undefined ? {} : { if_version: change.ifVersion }),
      };
      await show(command, (connection) => askAdmin(connection, "PUT", pathOf(connection, change), body), toText);
    });
  withScope(rules.command("versions").description("what was decided, the newest first")).action(
    async (scope: Scope, command: Command) => {
      await show(command, (connection) => askList(connection, `${pathOf(connection, scope)}/versions`));
    },
  );
}

function withScope(command: Command): Command {
  return command
    .option("--merchant <id>", "whose (default: the local demo's)")
    .option("--global", "the rules that hold for all merchants");
}

function pathOf(connection: Connection, { merchant, global }: Scope): string {
  if (global === true) return "/api/v1/rules";
  const id = merchantOf(connection, merchant, "name it with --merchant, or --global for all");
  return `/api/v1/merchants/${encodeURIComponent(id)}/rules`;
}

/** Rules in a file; "-" is the standard input. */
export function readRules(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file === "-" ? 0 : file, "utf8"));
  } catch (error) {
    throw new Problem(`${file} cannot be read as JSON: ${messageOf(error)}`);
  }
}

/** Rules are a tree: they are printed as the JSON that `set` takes, after what is said about them. */
function toText(answer: unknown): string {
  const { rules, timeline: _, warnings = [], ...about } = answer as Record<string, unknown>;
  const warned = (warnings as readonly string[]).map((warning) => `\nWarning: ${warning}`).join("");
  return `${toAnswerTable(about)}\n${JSON.stringify(rules, null, 2)}${warned}`;
}
