// footfall doctor | backup | recover: what is lost, and making it whole again. docs/operate.md says what
// is true after each of them.

import type { Command } from "commander";
import { Problem } from "../problem.ts";
import { toTable } from "../table.ts";
import { copyBucket, recoverBucket, toBucketText, toCopyText } from "./bucket.ts";
import { askAdmin, askList, type Connection } from "./connection.ts";
import { show } from "./merchant.ts";

export function addRecovery(program: Command): void {
  program
    .command("doctor")
    .description("whether each kind of state is whole, and which command mends it; exits with 1 where one is not")
    .action(async (_, command: Command) => {
      const ask = async (connection: Connection) => {
        const answer = (await askAdmin(connection, "GET", "/api/v1/doctor")) as Diagnosis;
        // So that a script, or a job of CI, need not read the table.
        if (!answer.whole) process.exitCode = 1;
        return answer;
      };
      await show(command, ask, toDoctorText);
    });
  const backup = program.command("backup").description("backs the directory up to R2 now; the cron does every hour");
  backup.action(async (_, command: Command) => {
    await show(command, (connection) => askAdmin(connection, "POST", "/api/v1/backups"));
  });
  backup
    .command("list")
    .description("the backups there are, the newest first")
    .action(async (_, command: Command) => {
      await show(command, (connection) => askList(connection, "/api/v1/backups"));
    });
  backup
    .command("bucket")
    .description("copies what is new in the bucket to a folder (docs/operate.md: a large one is copied with rclone)")
    .requiredOption("--to <folder>", "the copy; it is made where there is none")
    .option("--anyway", "also where the bucket has lost most of what the copy has")
    .action(async ({ to, anyway = false }: { to: string; anyway?: boolean }, command: Command) => {
      await show(command, (connection) => copyBucket(connection, { to, anyway }), toCopyText);
    });
  const recover = program.command("recover").description("makes state whole that was lost or restored");
  recover
    .command("directory")
    .description("from the newest backup, or, where Time Travel has restored it, from there on")
    .option("--backup <name>", "go back to this one, whatever the directory has; `footfall backup list` names them")
    .action(async ({ backup }: { backup?: string }, command: Command) => {
      const body = backup === undefined ? {} : { backup };
      await show(command, (connection) => askAdmin(connection, "POST", "/api/v1/recover/directory", body));
    });
  recover
    .command("ledger <number>")
    .description("an empty or restored ledger, from partitions and the archive")
    .action(async (ledger: string, _, command: Command) => {
      await show(command, (connection) => recoverLedger(connection, toLedger(ledger)), toLedgerText);
    });
  recover
    .command("partition <name>")
    .description("one whose storage was lost or put back, from the archive and its ledger")
    .action(async (partition: string, _, command: Command) => {
      await show(command, (connection) => recoverPartition(connection, partition), toPartitionText);
    });
  recover
    .command("bucket")
    .description("after R2 was lost: puts a copy back, and makes numbers, erasures and Days agree with what is there")
    .option("--from <folder>", "a copy, of `backup bucket` or rclone; without it what is in the bucket now is all")
    .option("--copied-at <instant>", "when the copying began that was put back; `backup bucket` has noted it")
    .action(async ({ from, copiedAt }: { from?: string; copiedAt?: string }, command: Command) => {
      await show(command, (connection) => recoverBucket(connection, { from, copiedAt }), toBucketText);
    });
  recover
    .command("erasures")
    .description("asks once more for what was to be erased and no ledger knows")
    .action(async (_, command: Command) => {
      await show(command, (connection) => askAdmin(connection, "POST", "/api/v1/recover/erasures"));
    });
}

/** What the doctor has found. */
export interface Diagnosis {
  readonly whole: boolean;
  readonly findings: readonly {
    readonly state: string;
    readonly whole: boolean;
    readonly says: string;
    readonly command: string | null;
  }[];
}

/** A table, and below it in full what is wrong. */
function toDoctorText(answer: unknown): string {
  const { findings } = answer as Diagnosis;
  const rows = findings.map(({ state, whole, command }) => [
    state,
    whole ? "whole" : "not whole",
    command ?? undefined,
  ]);
  const wrong = findings.filter(({ whole }) => !whole).map(({ state, says }) => `${state}: ${says}`);
  return [toTable(["state", "", "what mends it"], rows), ...wrong].join("\n\n");
}

interface LedgerPage {
  readonly ledger: number;
  readonly new: boolean;
  readonly days: number;
  readonly erasures: number;
  readonly next: string | null;
  readonly imported_parts: number;
  readonly imports_next: string | null;
}

/** Page after page of the archive's dates, and then of imported rollups. Each may be asked for again. */
async function recoverLedger(connection: Connection, ledger: number): Promise<LedgerPage> {
  let all: LedgerPage | undefined;
  for (;;) {
    const rest = all?.next == null ? all?.imports_next : undefined;
    const where = all?.next != null ? { from: all.next } : rest != null ? { imports_after: rest } : {};
    const page = (await askAdmin(connection, "POST", "/api/v1/recover/ledger", { ledger, ...where })) as LedgerPage;
    all = {
      ...page,
      new: page.new || all?.new === true,
      days: page.days + (all?.days ?? 0),
      erasures: page.erasures + (all?.erasures ?? 0),
      imported_parts: page.imported_parts + (all?.imported_parts ?? 0),
      // Pages of dates say nothing of imports: those of the first page wait until there are no more dates.
      imports_next: "from" in where ? (all?.imports_next ?? null) : page.imports_next,
    };
    if (all.next === null && all.imports_next === null) return all;
    const noted = `${all.days} Days noted, ${all.imported_parts} parts of imports copied`;
    console.error(`${noted}; going on${all.next === null ? "" : ` from ${all.next}`}`);
  }
}

interface PartitionStep {
  readonly partition: string;
  readonly counted: number;
  readonly next: string | null;
}

interface PartitionEnd extends PartitionStep {
  readonly kept: number;
  readonly archived_position: number;
  readonly archived_at: string | null;
  readonly known_position: number;
  readonly first_position: number;
}

/** Step after step. Where one fails the command is run again, and begins anew. */
async function recoverPartition(connection: Connection, partition: string): Promise<PartitionEnd> {
  for (let next: string | null | undefined; ; ) {
    const body = { partition, ...(next != null && { step: next }) };
    const step = (await askAdmin(connection, "POST", "/api/v1/recover/partition", body)) as PartitionStep;
    if (step.next === null) return step as PartitionEnd;
    next = step.next;
    if (step.counted > 0) console.error(`${step.counted} events counted`);
  }
}

function toPartitionText(answer: unknown): string {
  const { partition, counted, kept, archived_position, archived_at, known_position, first_position } =
    answer as PartitionEnd;
  const known = known_position - archived_position;
  return [
    `${partition} counts again: ${counted} events of its open Days from the archive, ${kept} from its own log`,
    archived_at === null
      ? "lost is what it had acknowledged of its open Days: nothing of them was in the archive"
      : `lost is what it had acknowledged and was not in the archive: the last that was is position ${archived_position}, ` +
        `received at ${archived_at}`,
    ...(known > 0 ? [`its ledger knows of positions up to ${known_position}: up to ${known} events more`] : []),
    `it goes on at position ${first_position}; hits that waited come from the overflow queue by themselves`,
  ].join("\n");
}

function toLedgerText(answer: unknown): string {
  const { ledger, new: isNew, days, erasures, imported_parts: parts } = answer as LedgerPage;
  return [
    isNew
      ? `the empty database is ledger ${ledger} from now on`
      : `ledger ${ledger} goes on from where it was restored to`,
    `${days} closed Days are on the way to be counted from the archive, ${erasures} erasures are asked for once more`,
    ...(parts > 0 ? [`imported rollups are back: ${parts} parts of imports were copied from R2`] : []),
    "how far they are: footfall archive days --from … --to …",
  ].join("\n");
}

function toLedger(text: string): number {
  if (!/^\d{1,3}$/.test(text)) throw new Problem(`"${text}" is no number of a ledger: LEDGER_0 has 0, LEDGER_1 has 1`);
  return Number(text);
}
