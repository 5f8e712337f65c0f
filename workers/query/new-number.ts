// Numbers for what the admin API creates, such as a merchant. A number is claimed outside of D1 before its row is
// written, so a restored database cannot give it away twice. No number is given while the directory is behind because
// it was restored to an earlier instant (storage/directory/epoch.ts).

import { raiseEpoch } from "../../storage/directory/epoch.ts";
import { claimNumber, type Numbered } from "../../storage/directory/number-claim.ts";
import type { Deps } from "./deps.ts";
import { type Checked, problem } from "./problem.ts";

/** A number that was never given: above all claims, and above the highest number in the database. */
export async function newNumber(
  numbered: Numbered,
  readKnown: () => Promise<number>,
  deps: Pick<Deps, "directory" | "bucket">,
): Promise<Checked<number>> {
  const behind = await refusedBehind(deps);
  if (behind !== undefined) return behind;
  const number = await claimNumber(numbered, await readKnown(), deps);
  if (number !== "full") return { ok: true, value: number };
  return problem("conflict", `All ${numbered.max} numbers are given: ${numbered.kind}.`);
}

/**
 * Why nothing that has a number may be created now. If it may, this raises the epoch, so that a later restore to an
 * earlier instant is noticed.
 */
export async function refusedBehind(
  deps: Pick<Deps, "directory" | "bucket">,
): Promise<ReturnType<typeof problem> | undefined> {
  return (await raiseEpoch(deps)) ? undefined : problem("conflict", BEHIND);
}

const BEHIND =
  "The directory was restored to an earlier instant and does not know all that was made since. " +
  "Run `footfall recover directory` first (docs/operate.md); until then nothing is made that gets a number.";
