// footfall proof verify: whether a proof that somebody kept still holds. Its own sums are added up, and each of its
// Days is compared with what the API proves now: the checksum of the merchant's rows in each sealed file, how many rows
// these are, and what was counted. A Day that was open then, or sealed anew since, is said to be so.

import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { sealName } from "../../core/archive/object-key.ts";
import type { Day, ProofAnswer } from "../../workers/query/dashboard/pages/trust/proof.ts";
import { Problem } from "../problem.ts";
import { toTable } from "../table.ts";
import { askAdmin, connect, merchantOf } from "./connection.ts";

export function addProof(program: Command): void {
  program
    .command("proof")
    .description("what proves a merchant's numbers")
    .command("verify <file>")
    .description(
      "compare a proof that the dashboard saved with what is proven now, such as: proof verify november.json",
    )
    .option("--site <merchant id>", "(default: the local demo)")
    .action(async (file: string, options: { readonly site?: string }, command: Command) => {
      const connection = await connect(command);
      const merchant = merchantOf(connection, options.site, "name the merchant by its id with --site");
      const kept = parseProof(await readFile(file, "utf8"), file);
      const [from, to] = [kept.days[0]?.date, kept.days.at(-1)?.date];
      const path = `/api/v1/merchants/${encodeURIComponent(merchant)}/proof?from=${from}&to=${to}`;
      const now = (await askAdmin(connection, "GET", path)) as ProofAnswer;
      const verdicts = verify(kept, now);
      const { json = false } = command.optsWithGlobals<{ readonly json?: boolean }>();
      console.log(json ? JSON.stringify({ days: verdicts }, null, 1) : toTable(["day", "", "why"], rowsOf(verdicts)));
      if (verdicts.some(({ state }) => state === "differs"))
        throw new Problem("what is proven now is not what was kept");
    });
}

/**
 * "holds": the same rows, counted the same. "newer": the Day was sealed again since, or was not sealed when it was
 * kept. "differs": the same sealed files have other rows, or the kept file does not add up.
 */
export interface Verdict {
  readonly date: string;
  readonly state: "holds" | "newer" | "differs";
  readonly why: string;
}

/** The proof in a text that was kept; a problem where it is none. */
export function parseProof(text: string, file: string): ProofAnswer {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw new Problem(`${file} is no JSON: give the file that "Keep as a file" on the page Trust saved`);
  }
  const { days } = (read ?? {}) as { readonly days?: unknown };
  const isProof =
    Array.isArray(days) && days.length > 0 && days.every((day) => typeof day?.date === "string" && "seals" in day);
  if (!isProof)
    throw new Problem(`${file} holds no proof: give the file that "Keep as a file" on the page Trust saved`);
  return read as ProofAnswer;
}

/** What has become of each Day of a kept proof. */
export function verify(kept: ProofAnswer, now: ProofAnswer): readonly Verdict[] {
  return kept.days.map((day) => {
    const found = now.days.find(({ date }) => date === day.date);
    return { date: day.date, ...verdictOf(day, { found, kept, now }) };
  });
}

interface Beside {
  readonly found: Day | undefined;
  readonly kept: ProofAnswer;
  readonly now: ProofAnswer;
}

function verdictOf(day: Day, { found, kept, now }: Beside): Omit<Verdict, "date"> {
  const dropped = Object.values(day.dropped).reduce((sum, count) => sum + count, 0);
  const sum = day.counted + day.outside_visits + dropped;
  if (sum !== day.received)
    return { state: "differs", why: `the kept file does not add up: ${sum} of ${day.received} events` };
  if (found === undefined) return { state: "differs", why: "the API tells nothing of this Day" };
  if (day.seals.length === 0)
    return { state: "newer", why: found.seals.length === 0 ? "not sealed yet" : "was not sealed when it was kept" };
  for (const seal of day.seals) {
    const same = found.seals.find(({ manifest }) => sealName(manifest) === sealName(seal.manifest));
    if (same === undefined) return { state: "newer", why: sealedAgain(day, found) };
    if (same.checksum !== seal.checksum || same.rows !== seal.rows)
      return { state: "differs", why: `${seal.manifest} has other rows: checksum ${same.checksum ?? "none"}` };
  }
  const isSame = found.counted === day.counted && found.received === day.received;
  if (isSame) return { state: "holds", why: `${day.counted} events counted, by the same rows` };
  const rules =
    kept.rules === now.rules ? "by the same rules" : `by version ${now.rules} of the rules, not ${kept.rules}`;
  return { state: "newer", why: `the same rows, counted ${rules}: ${found.counted} and not ${day.counted}` };
}

function sealedAgain(day: Day, found: Day): string {
  const more = found.received - day.received;
  return more === 0 ? "sealed again since" : `sealed again since, with ${more} more events`;
}

function rowsOf(verdicts: readonly Verdict[]): (readonly string[])[] {
  return verdicts.map(({ date, state, why }) => [date, state, why]);
}
