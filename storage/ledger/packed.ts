// Whether a Day is packed, as statements ask it that must not write rows of one that is. By itself, because partitions
// ask it too: their script stays small without what reads blocks.

import { BLOCK_DAYS } from "../../core/limits.ts";

/** What a statement calls the merchant, Day and partition. */
interface NamedDay {
  readonly merchant: string;
  readonly day: string;
  readonly partition: string;
}

/** Whether the block of a Day has it. A parameter may be bound as a fraction: hence the casts. */
export function isPacked({ merchant, day, partition }: NamedDay): string {
  const number = `CAST(${day} AS INTEGER)`;
  return `EXISTS (SELECT 1 FROM blocks AS packed WHERE packed.merchant = ${merchant}
    AND packed.first_day = ${number} - ${number} % ${BLOCK_DAYS} AND packed."partition" = ${partition}
    AND packed.events ->> (${number} % ${BLOCK_DAYS}) IS NOT NULL)`;
}

/** The same of a row's values in the order of `ROLLUP_KEY` and `ROLLUP_REPLACED`, as the first parameters. */
export const IS_ROW_PACKED = isPacked({ merchant: "?1", day: "?4", partition: "?3" });
