// What the commands that ask for numbers have in common (query.ts, report.ts): range, filters in a few words, segments,
// and answers as a table, as CSV or as JSON. Dimensions may be written without "event:" and "visit:". A name that there
// is not is refused here with those that there are; what remains wrong the API refuses, and the option it means is
// named.

import { type Command, Option } from "commander";
import { ATTRIBUTES } from "../../core/query/attribute.ts";
import { RELATIVE_RANGES } from "../../core/query/range.ts";
import { Problem } from "../problem.ts";
import { type AskOptions, askQuestion, connect, merchantOf } from "./connection.ts";

/** Options of every command that asks. */
export interface AskedOptions {
  readonly site?: string;
  readonly where: readonly string[];
  readonly segment: readonly string[];
  readonly filters?: string;
  readonly csv?: boolean;
}

export interface RangeOption {
  readonly range: string;
}

/** What every question has. */
export interface AskedFields {
  readonly site_id: string;
  readonly filters?: readonly unknown[];
}

export function addQuestionOptions(command: Command): Command {
  return command
    .addOption(listOption("--where <condition>", WHERE))
    .addOption(listOption("--segment <name>", "only a saved segment, by name or id; of several any"))
    .option("--filters <json>", 'as the API takes them: \'[["contains","event:page",["/blog"]]]\'')
    .option("--csv", "as CSV (--json: the whole answer of the API)")
    .option("--site <id>", "merchant, tracking ID or hostname (default: the local demo)");
}

const WHERE =
  "only some: page=/cart, country=AT|DE, source!=Google, page~/blog (contains), props:plan=pro; all must hold";

export function addRangeOption(command: Command, otherwise = "30d"): Command {
  const ranges = `${RELATIVE_RANGES.join(", ")}, or two dates: 2026-01-01,2026-01-31 (day is today; 7d and its like end yesterday)`;
  return command.option("--range <range>", ranges, otherwise);
}

/** An option that may be given several times. */
export function listOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser(collect).default([], "none");
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Asks and prints: `toText` makes the table of an answer. */
export async function askAndPrint<Answer>(
  path: string,
  command: Command,
  { toQuestion, toText }: { toQuestion: (site: string) => AskedFields; toText: (answer: Answer) => string },
): Promise<void> {
  const options = command.optsWithGlobals<AskedOptions & { json?: boolean }>();
  if (options.csv && options.json) throw new Problem("--csv and --json are two forms of one answer; choose one");
  const connection = await connect(command);
  const question = toQuestion(merchantOf(connection, options.site, "name the merchant with --site"));
  const asked: AskOptions = { path, hintOf, ...(options.csv && { accept: "text/csv" }) };
  const answer = await askQuestion(connection, question, asked);
  if (options.csv) process.stdout.write(answer as string);
  else console.log(options.json ? JSON.stringify(answer, null, 2) : toText(answer as Answer));
}

/** "7d" as it is, "2026-01-01,2026-01-31" as two dates. */
export function toRange(text: string): string | readonly string[] {
  return text.includes(",") ? text.split(",").map((date) => date.trim()) : text;
}

/** All filters that a command's options mean; all must hold. */
export function toFilters({ where, segment, filters }: AskedOptions): { readonly filters?: readonly unknown[] } {
  const all = [
    ...where.map(toCondition),
    ...(segment.length > 0 ? [["is", "segment", segment]] : []),
    ...(filters === undefined ? [] : parseFilters(filters)),
  ];
  return all.length === 0 ? {} : { filters: all };
}

const OPERATORS: Readonly<Record<string, string>> = {
  "=": "is",
  "!=": "is_not",
  "~": "contains",
  "!~": "contains_not",
};

/** "country=AT|DE" → ["is", "visit:country", ["AT", "DE"]]. */
export function toCondition(text: string): readonly unknown[] {
  const [, name = "", sign = "", values = ""] = /^([\w:. -]+?)\s*(!=|!~|=|~)\s*(.+)$/s.exec(text) ?? [];
  const operator = OPERATORS[sign];
  if (operator === undefined) {
    throw new Problem(
      `"${text}" is no condition; write <dimension>=<value>, with !=, ~ or !~ for "=", such as page=/cart`,
    );
  }
  return [operator, toDimension(name), values.split("|")];
}

/** What they mean is for the API to say. */
function parseFilters(text: string): readonly unknown[] {
  let filters: unknown;
  try {
    filters = JSON.parse(text);
  } catch {
    throw new Problem(`--filters is no JSON: ${text}`);
  }
  if (!Array.isArray(filters))
    throw new Problem(`--filters must be a list of filters: [["is","event:page",["/cart"]]]`);
  return typeof filters[0] === "string" ? [filters] : filters;
}

const TIMES = ["minute", "hour", "day", "week", "month"];
const DROP_REASON = "event:drop_reason";
/** By which a question may be broken down, or filtered: as the API names them. */
export const DIMENSIONS: readonly string[] = [...ATTRIBUTES.map(({ question }) => question), DROP_REASON];

/**
 * A dimension by its name in the API, or without what stands before the colon: "page", "source", "day", "props:plan".
 */
export function toDimension(name: string): string {
  const known = DIMENSIONS.find((dimension) => dimension === `event:${name}` || dimension === `visit:${name}`);
  if (known !== undefined) return known;
  if (TIMES.includes(name)) return `time:${name}`;
  if (/^props:./.test(name)) return `event:${name}`;
  if (name.includes(":") || name === "time" || name === "segment") return name;
  const names = DIMENSIONS.map((dimension) => dimension.replace(/^\w+:/, ""));
  throw new Problem(
    `there is no dimension "${name}"; there are ${[...new Set([...TIMES, ...names])].join(", ")} and props:<key>`,
  );
}

/** A whole number of at least one, as an option gives it. */
export function toCount(option: string, text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new Problem(`${option} is "${text}"; it must be 1 or more`);
  return count;
}

/** Which option an error of the API is about. */
const HINTS: readonly (readonly [place: RegExp, hint: string])[] = [
  [/#\/date_range/, `--range takes ${RELATIVE_RANGES.join(", ")} or two dates: 2026-01-01,2026-01-31`],
  [/#\/filters|segment/i, "it stands in --where, --segment or --filters"],
  [/#\/dimensions/, "it stands in --dimension"],
  [/#\/metrics/, "it stands in --metrics"],
  [/#\/order_by/, "it stands in --order"],
  [/#\/include\/comparisons/, "it stands in --compare: previous, year, or two dates"],
  [/#\/steps/, "it stands in --step"],
];

export function hintOf(message: string): string | undefined {
  return HINTS.find(([place]) => place.test(message))?.[1];
}
