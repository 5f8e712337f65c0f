// Asks the partitions of a merchant: what they have not published, or not archived. A partition that is being moved or has
// just reset itself answers the second time; reading twice is harmless.

import type { LiveRequest } from "../../core/counting/live.ts";
import { partitionsOf } from "../../core/counting/placement.ts";
import type { RollupRow } from "../../core/counting/rollup-row.ts";
import { causeOf } from "../../core/outcome.ts";
import type { Merchant } from "../../storage/merchants.ts";
import type { Deps } from "./deps.ts";
import type { PartitionStub } from "./env.ts";

/** Whose partitions are asked. */
type Asked = Pick<Merchant, "number" | "spread">;

/** What partitions have not published of a merchant's rollups. */
export async function readLive(
  merchant: Asked,
  read: Omit<LiveRequest, "merchant">,
  deps: Deps,
): Promise<readonly RollupRow[]> {
  const ask = (partition: PartitionStub) => partition.live({ merchant: merchant.number, ...read });
  const replies = await askPartitions(merchant, deps, ask);
  return replies.flatMap(({ rows }) => rows);
}

/** Asks each of them, and once more where that fails. */
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
