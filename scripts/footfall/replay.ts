// footfall replay verify | rebuild | backfill | show | list | pause | resume | cancel | undo: counts history again from
// the archive. Those that start something follow it with a bar until it ends, unless told not to; Ctrl-C stops the
// watching and not the job.

import type { Command } from "commander";
import { Problem } from "../problem.ts";
import { startMeter } from "../progress.ts";
import { type Cell, toCutTable, toFigure, toTable } from "../table.ts";
import { askAdmin, askList, type Connection, connect } from "./connection.ts";
import { show } from "./merchant.ts";
import { readRules } from "./rules.ts";

const REPLAYS = "/api/v1/replays";
const ASK_EVERY_MS = 500;

export interface Job {
  readonly id: string;
  readonly kind: string;
  readonly rules: string;
  readonly state: string;
  readonly from: string;
  readonly to: string;
  readonly time_zone: string | null;
  readonly parts: { readonly all: number; readonly done: number; readonly failed: number; readonly undone: number };
  readonly events: number;
  readonly events_per_second: number;
  readonly buckets: number;
  readonly differences: number;
  readonly in_doubt: number;
  readonly unpublished: number;
  readonly replaced: number;
  readonly totals: readonly {
    readonly merchant: string;
    readonly numbers: readonly { readonly what: string; readonly before: number; readonly after: number }[];
  }[];
  readonly first_differences: readonly {
    readonly merchant: string;
    readonly partition: string;
    readonly grain: string;
    readonly bucket: string;
    readonly in_doubt: boolean;
    readonly mismatches: readonly { readonly what: string; readonly held: Cell; readonly replayed: Cell }[];
  }[];
  readonly failed_parts: readonly { readonly date: string; readonly partition: string; readonly error: string }[];
}

interface Asked {
  readonly from: string;
  readonly to: string;
  readonly merchant?: readonly string[];
  /** "current", or a file of rules; "-" for standard input. */
  readonly rules?: string;
  readonly dimension?: readonly string[];
  /** An IANA time zone. */
  readonly zone?: string;
  readonly wait: boolean;
}

export function addReplay(program: Command): void {
  const replay = program.command("replay").description("count history again from the archive");
  for (const [kind, description] of [
    ["verify", "compare with what is shown; changes nothing"],
    ["rebuild", "write what differs, and keep what it replaces"],
    ["backfill", "write what is missing, and keep what it replaces"],
  ] as const) {
    const asking = replay
      .command(kind)
      .description(description)
      .requiredOption("--from <date>", "first Day, such as 2026-11-01")
      .requiredOption("--to <date>", "last Day")
      .option("--merchant <id...>", "only these merchants")
      .option("--rules <which>", RULES_OPTION[kind])
      .option("--no-wait", "answer at once, with the job")
      .action(async (asked: Asked, command: Command) => {
        const { wait } = asked;
        const body = bodyOf(kind, asked);
        await follow(command, wait, (connection) => askAdmin(connection, "POST", REPLAYS, body));
      });
    if (kind !== "backfill") asking.option("--zone <name>", ZONE_OPTION[kind]);
    if (kind === "backfill") asking.option("--dimension <name...>", "write these breakdowns anew, such as goal");
  }
  replay
    .command("list")
    .description("the latest jobs")
    .action(async (_, command: Command) => await show(command, (connection) => askList(connection, REPLAYS)));
  replay
    .command("show <id>")
    .description("a job, followed until it ends")
    .option("--no-wait", "answer at once")
    .action(async (id: string, { wait }: { wait: boolean }, command: Command) => {
      await follow(command, wait, (connection) => askAdmin(connection, "GET", pathOf(id)));
    });
  for (const [verb, description] of [
    ["pause", "stop after the parts that are being counted"],
    ["resume", "go on, and try parts that failed again"],
    ["cancel", "stop for good; what was rebuilt stays until it is undone, applied rules are undone"],
    ["undo", "put back what a rebuild replaced"],
  ] as const) {
    replay
      .command(`${verb} <id>`)
      .description(description)
      .option("--no-wait", "answer at once")
      .action(async (id: string, { wait }: { wait: boolean }, command: Command) => {
        await follow(command, wait, (connection) => askAdmin(connection, "POST", `${pathOf(id)}/${verb}`));
      });
  }
}

const RULES_OPTION = {
  verify: 'try rules out: "current" for those decided last, or a file of rules ("-": standard input)',
  rebuild: '"current": apply the rules decided last to these Days',
  backfill: '"current": count goals by the rules decided last, and nothing else',
} as const;

const ZONE_OPTION = {
  verify: "try a time zone out on these Days of one merchant",
  rebuild: "put a time zone on these Days of one merchant",
} as const;

function bodyOf(kind: string, { from, to, merchant, rules, dimension, zone }: Asked): object {
  return {
    kind,
    from,
    to,
    ...(merchant !== undefined && { merchants: merchant }),
    ...(rules !== undefined && { rules: rules === "current" ? rules : readRules(rules) }),
    ...(dimension !== undefined && { dimensions: dimension }),
    ...(zone !== undefined && { time_zone: zone }),
  };
}

/** Asks for a job, shows its progress until it ends, and prints what came out. Parts that failed fail the command. */
async function follow(
  command: Command,
  wait: boolean,
  ask: (connection: Connection) => Promise<unknown>,
): Promise<void> {
  const connection = await connect(command);
  const asked = (await ask(connection)) as Job;
  const job = wait && isActive(asked) ? await watch(connection, asked) : asked;
  const { json } = command.optsWithGlobals<{ json?: boolean }>();
  console.log(json ? JSON.stringify(job, null, 2) : toReport(job));
  if (job.parts.failed > 0) throw new Problem(`${job.parts.failed} parts failed; footfall replay resume ${job.id}`);
}

async function watch(connection: Connection, asked: Job): Promise<Job> {
  const meter = startMeter(`${asked.state === "undoing" ? "undo" : asked.kind} ${asked.id}`, asked.parts.all);
  let job = asked;
  while (isActive(job)) {
    meter.update(job.state === "undoing" ? job.parts.undone : job.parts.done + job.parts.failed);
    await new Promise((settle) => setTimeout(settle, ASK_EVERY_MS));
    job = (await askAdmin(connection, "GET", pathOf(job.id))) as Job;
  }
  meter.update(job.parts.all);
  meter.stop();
  return job;
}

function isActive({ state }: Job): boolean {
  return state === "running" || state === "undoing";
}

/** What came out, the first differences as a table, and the parts that failed. */
export function toReport(job: Job): string {
  const { parts } = job;
  const head: readonly (readonly [string, Cell])[] = [
    ["replay", job.id],
    [
      "what",
      `${job.kind} ${job.from} to ${job.to}${job.time_zone === null ? "" : ` in ${job.time_zone}`}: ${job.state}`,
    ],
    [
      "parts",
      `${toFigure(parts.done + parts.undone)} of ${toFigure(parts.all)}${parts.failed > 0 ? `, ${parts.failed} failed` : ""}`,
    ],
    ["events", `${toFigure(job.events)} (${toFigure(job.events_per_second)}/s)`],
    ["buckets compared", job.buckets],
    ["differences", job.differences],
    ["in doubt", job.in_doubt],
    ...(job.kind !== "verify"
      ? ([
          ["replaced", job.replaced],
          ["left to partitions", job.unpublished],
        ] as const)
      : []),
  ];
  const tables = [toTable(["", ""], head).split("\n").slice(2).join("\n")];
  if (job.totals.length > 0) tables.push(toTotalTable(job));
  if (job.first_differences.length > 0) tables.push(toDifferenceTable(job));
  if (job.failed_parts.length > 0) {
    const failed = job.failed_parts.map(({ date, partition, error }) => [date, partition, error]);
    tables.push(toCutTable(["date", "partition", "failed"], failed));
  }
  const hasUndo = job.kind !== "verify" && !job.rules.startsWith("goals");
  if (hasUndo && job.state === "done" && job.replaced > 0) {
    tables.push(`the numbers from before come back with: footfall replay undo ${job.id}`);
  }
  return tables.join("\n\n");
}

/** Before and after: the numbers that would change. */
function toTotalTable({ totals }: Job): string {
  const rows = totals.flatMap(({ merchant, numbers }) =>
    numbers
      .filter(({ before, after }) => before !== after)
      .map(({ what, before, after }) => [merchant, what, before, after, signed(after - before)]),
  );
  return toCutTable(["merchant", "number", "before", "after", "change"], rows);
}

function signed(change: number): string {
  return change > 0 ? `+${toFigure(change)}` : toFigure(change);
}

function toDifferenceTable({ first_differences, differences }: Job): string {
  const rows = first_differences.flatMap(({ merchant, partition, grain, bucket, in_doubt, mismatches }) =>
    mismatches.map(({ what, held, replayed }) => {
      return [merchant, partition, `${grain} ${bucket}`, in_doubt ? `${what} (in doubt)` : what, held, replayed];
    }),
  );
  const table = toCutTable(["merchant", "partition", "bucket", "what", "shown", "replayed"], rows);
  const rest = differences - first_differences.length;
  return rest > 0 ? `${table}\n(and ${toFigure(rest)} more buckets that differ)` : table;
}

function pathOf(id: string): string {
  return `${REPLAYS}/${encodeURIComponent(id)}`;
}
