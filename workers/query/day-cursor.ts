// Where a page of Days in the archive begins: after the last (Day, partition) of the page before. The caller sends the
// text that it got with that page, such as "2026-11-21/pool-3". Any other text is refused.

import { isPartitionName } from "../../core/counting/ledger-placement.ts";
import { dateOf, parseDate } from "../../core/time.ts";

export interface DayCursor {
  readonly day: number;
  readonly partition: string;
}

export function encodeDayCursor({ day, partition }: DayCursor): string {
  return `${dateOf(day)}/${partition}`;
}

/** The inverse of `encodeDayCursor`. Undefined for any other text. */
export function parseDayCursor(text: string): DayCursor | undefined {
  const [date = "", partition = "", ...rest] = text.split("/", 3);
  const day = parseDate(date);
  return day === undefined || rest.length > 0 || !isPartitionName(partition) ? undefined : { day, partition };
}
