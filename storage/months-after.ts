// The setting MONTH_FILES_AFTER_DAYS: after how many Days closed Days leave the ledgers for month files in R2
// (queues/age.ts). Small deployments leave it empty.

import { MONTHS_AFTER_DAYS_MIN } from "../core/limits.ts";

/** The setting as a Worker has it: MONTH_FILES_AFTER_DAYS, empty for never. Throws where it is none. */
export function monthsAfterDaysOf(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  const days = Number(text);
  if (!Number.isInteger(days) || days < MONTHS_AFTER_DAYS_MIN)
    throw new Error(
      `MONTH_FILES_AFTER_DAYS is "${text}": it is a whole number of Days from ${MONTHS_AFTER_DAYS_MIN} on, such as 92, or empty`,
    );
  return days;
}
