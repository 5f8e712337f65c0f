// Asks the partitions of a merchant what they have not published or not archived. A partition that is being moved, or
// has just reset itself, answers at the second call. A repeated read is harmless.

import type { LiveRequest } from "../../core/counting/live.ts";
import { partitionsOf } from "../../core/counting/placement.ts";
import type { RollupRow } from "../../core/counting/rollup-row.ts";
import { causeOf } from "../../core/outcome.ts";
import type { Merchant } from "../../storage/directory/merchants.ts";
import { readOverflowSince } from "../../storage/ledger/overflow-note.ts";
import type { SealPlace } from "../../storage/ledger/sealed-day.ts";
import type { Deps } from "./deps.ts";
import type { PartitionStub } from "./env.ts";

/** The merchant whose partitions are asked. */
type Asked = Pick<Merchant, "number" | "spread">;

/**
 * The instant (UTC ms) before which every acknowledged event will be in what is read from now on. It is now, unless
 * something waits in the overflow queue. It is read first of all. A message that is delivered meanwhile is then in its
 * partition when that is read.
 */
export async function readCompleteUntil({ number }: Pick<Merchant, "number">, { ledgers, now }: Deps): Promise<number> {
  const asked = now();
  const since = await readOverflowSince(ledgers.ofMerchant(number), number);
  return Math.min(asked, since ?? asked);
}

/** What only partitions know about a merchant's numbers. */
export interface Live {
  /** Rollups that are not published yet. */
  readonly rows: readonly RollupRow[];
  /** The places of late events that are in no rollup and perhaps not in the archive. */
  readonly late: readonly SealPlace[];
  /**
   * For each partition: when the merchant's numbers in D1 were last changed. Undefined where they may be changing now.
   */
  readonly changed: readonly (readonly [partition: string, at: number | undefined])[];
}

export async function readLive(merchant: Asked, read: Omit<LiveRequest, "merchant">, deps: Deps): Promise<Live> {
  if (deps.together !== undefined) return deps.together.live(read);
  const replies = await askPartitions(merchant, deps, async (stub, partition) => {
    const { rows, bytes, late, changedAt } = await stub.live({ merchant: merchant.number, ...read });
    return { rows, bytes, late: late.map((day) => ({ day, partition })), changed: [partition, changedAt] as const };
  });
  deps.reading?.oweLive(replies.reduce((sum, { bytes }) => sum + bytes, 0));
  return {
    rows: replies.flatMap(({ rows }) => rows),
    late: replies.flatMap(({ late }) => late),
    changed: replies.map(({ changed }) => changed),
  };
}

/** Asks each partition, and once more if that fails. */
export async function askPartitions<T>(
  { number: merchant, spread }: Asked,
  deps: Deps,
  ask: (partition: PartitionStub, name: string) => Promise<T>,
): Promise<readonly T[]> {
  const askTwice = async (name: string): Promise<T> => {
    try {
      return await ask(deps.partition(name), name);
    } catch (error) {
      deps.log({ event: "live_retried", partition: name, error: causeOf(error) });
      return ask(deps.partition(name), name);
    }
  };
  return Promise.all(partitionsOf({ merchant, spread }, deps.placement).map(askTwice));
}
