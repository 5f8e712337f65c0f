// Admin requests of operators: billable operations, the state of partitions, and dead letters. A redrive of dead
// letters is done by the background Worker, with the code of their queues.

import type { Context } from "hono";
import { parseDeadLetterKey } from "../../core/archive/object-key.ts";
import { allPartitions } from "../../core/counting/placement.ts";
import { ADMIN_FAN_OUT, ADMIN_PAGE_MAX } from "../../core/limits.ts";
import { sumMeters } from "../../core/meter.ts";
import type { PartitionStatus } from "../../durable-objects/rpc.ts";
import { listDeadLetters } from "../../storage/dead-letter.ts";
import { listSpread } from "../../storage/directory/settings.ts";
import { askEach as askLedgers } from "../../storage/ledger/ledgers.ts";
import { readTold } from "../../storage/ledger/partition-status.ts";
import type { Deps } from "./deps.ts";
import { CURSOR, type Field, wholeNumber } from "./field.ts";
import { type Checked, problem } from "./problem.ts";
import { bodyOf, parametersOf, type Reply } from "./request.ts";

export const PARTITION_PAGE = { limit: wholeNumber(1, ADMIN_PAGE_MAX), after: wholeNumber(0, Number.MAX_SAFE_INTEGER) };
export const DEAD_LETTER_PAGE = { after: CURSOR };
const LETTER_KEY: Field<string, false> = {
  required: false,
  expected: "the key of a dead letter, as GET /api/v1/dead-letters lists it",
  schema: { type: "string" },
  parse: (value) => (typeof value === "string" && parseDeadLetterKey(value) !== undefined ? value : undefined),
};
export const REDRIVE = { key: LETTER_KEY, after: CURSOR };

/**
 * GET /api/v1/meter: the billable operations of this isolate, and of one isolate of the background Worker, each since
 * its start. Those of the collector are at its own /v1/meter.
 */
export async function getMeter(_: Context, deps: Deps): Promise<Checked<Reply>> {
  return { ok: true, value: { body: sumMeters([deps.meter, await deps.background.meter()]) } };
}

/** GET /api/v1/partitions?limit&after: the state of partitions. `after` is how many of them to skip. */
export async function getPartitions(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const page = parametersOf(c, PARTITION_PAGE);
  if (!page.ok) return page;
  const { limit = ADMIN_PAGE_MAX, after = 0 } = page.value;
  const all = deps.development ? await findPartitions(deps) : await listTold(deps);
  const statuses = await askEach(all.slice(after, after + limit), (name) => deps.partition(name).status());
  const next = after + limit < all.length ? String(after + limit) : null;
  return { ok: true, value: { body: { partitions: statuses.map(shown), next } } };
}

/** GET /api/v1/dead-letters?after */
export async function getDeadLetters(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const page = parametersOf(c, DEAD_LETTER_PAGE);
  if (!page.ok) return page;
  const { letters, cursor } = await listDeadLetters(deps.bucket, page.value.after);
  const shownLetters = letters.map(({ storedAt, ...letter }) => ({ ...letter, stored_at: storedAt }));
  return { ok: true, value: { body: { dead_letters: shownLetters, next: cursor ?? null } } };
}

/**
 * POST /api/v1/dead-letters/redrive {"key"} | {"after"?}: handles one letter again, or a page of all letters. The
 * answer has the result of each.
 */
export async function postRedrive(c: Context, deps: Deps): Promise<Checked<Reply>> {
  const body = await bodyOf(c, REDRIVE);
  if (!body.ok) return body;
  const { redriven, cursor } = await deps.background.redrive(body.value);
  if (body.value.key !== undefined && redriven.length === 0)
    return problem("not_found", "There is no dead letter with this key (any more).", "key");
  return { ok: true, value: { body: { redriven, next: cursor ?? null } } };
}

/** The names of partitions that have reported. To ask a partition that has nothing would create it, near the asker. */
async function listTold({ ledgers }: Pick<Deps, "ledgers">): Promise<readonly string[]> {
  return (await askLedgers(ledgers, readTold)).flat().sort();
}

/** The partitions of the pool, followed by those of merchants that have their own. */
export async function findPartitions({
  directory,
  placement,
}: Pick<Deps, "directory" | "placement">): Promise<readonly string[]> {
  return allPartitions(await listSpread(directory), placement);
}

async function askEach<T>(names: readonly string[], ask: (name: string) => Promise<T>): Promise<readonly T[]> {
  const answers: T[] = [];
  for (let start = 0; start < names.length; start += ADMIN_FAN_OUT) {
    answers.push(...(await Promise.all(names.slice(start, start + ADMIN_FAN_OUT).map(ask))));
  }
  return answers;
}

function shown(status: PartitionStatus) {
  return {
    partition: status.partition,
    next_position: status.nextPosition,
    checkpoint_position: status.checkpointPosition,
    bundled_position: status.bundledPosition,
    unconfirmed_bundles: status.unconfirmedBundles,
    archived_position: status.archivedPosition,
    unarchived_since: status.unarchivedSince === null ? null : new Date(status.unarchivedSince).toISOString(),
    failing: status.failing,
    unpublished_rollups: status.unpublishedRollups,
    held_bytes: status.heldBytes,
    merchants: status.merchants,
    slowed_at: status.slowedAt === null ? null : new Date(status.slowedAt).toISOString(),
    hot_at: status.hotAt === null ? null : new Date(status.hotAt).toISOString(),
  };
}
