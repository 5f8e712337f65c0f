// The cron's step for old blocks. It moves blocks that are older than the deployment's setting to month files, some at
// a time, and deletes files that nobody needs (storage/ledger/age.ts). A run that dies, or ends its turn, leaves the
// rest to the next one. Without the setting nothing moves, with one exception: a file that has something erased is
// written again without it, whatever the setting is.

import { BLOCKS_MOVED_ONCE, MONTHS_MOVED_BYTES, MONTHS_MOVED_TOGETHER, MONTHS_TURN_MS } from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import { DAY_MS } from "../core/time.ts";
import type { Archive } from "../storage/archive/bucket.ts";
import { listOld, lookAtFiles, moveMonths, type OldMonth } from "../storage/ledger/age.ts";
import { type Ledger, type Ledgers, visitEach } from "../storage/ledger/ledgers.ts";
import type { MonthPlace } from "../storage/ledger/month-file.ts";

export interface AgeDeps extends Archive {
  readonly ledgers: Ledgers;
  /** For how many Days blocks stay in the ledger; undefined: for ever. */
  readonly monthsAfterDays: number | undefined;
  /** UTC ms. */
  readonly now: () => number;
  readonly log: Log;
}

/** Moves what is due, in every ledger. */
export async function ageBlocks(deps: AgeDeps): Promise<void> {
  const until = deps.now() + MONTHS_TURN_MS;
  await visitEach(deps.ledgers, (ledger) => ageLedger(ledger, until, deps), deps.log);
}

async function ageLedger(ledger: Ledger, until: number, deps: AgeDeps): Promise<void> {
  const { monthsAfterDays, now, ledgers, log } = deps;
  const stale = await lookAtFiles(ledger, now(), deps);
  for (let start = 0; start < stale.length; start += MONTHS_MOVED_TOGETHER)
    await moveMonths(ledger, { months: stale.slice(start, start + MONTHS_MOVED_TOGETHER), now: now() }, deps);
  if (monthsAfterDays === undefined) return;
  const before = Math.floor(now() / DAY_MS) - monthsAfterDays;
  const rowsMax = Math.ceil(BLOCKS_MOVED_ONCE / ledgers.all.length);
  let files = 0;
  for (const months of groupsOf(await listOld(ledger, { before, rowsMax }))) {
    if (now() > until) break;
    files += await moveMonths(ledger, { months, now: now() }, deps);
  }
  if (files > 0) log({ event: "months_moved", ledger: ledgers.all.indexOf(ledger), files });
}

/** The months to move together. Each group fits memory and a statement. */
export function groupsOf(months: readonly OldMonth[]): readonly (readonly MonthPlace[])[] {
  const groups: OldMonth[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const month of months) {
    bytes += month.bytes;
    if (bytes > MONTHS_MOVED_BYTES || groups.at(-1)?.length === MONTHS_MOVED_TOGETHER) {
      groups.push([]);
      bytes = month.bytes;
    }
    groups.at(-1)?.push(month);
  }
  return groups;
}
