// present: who of a merchant's visitors is there, straight from the partition's state, in one call: nothing is read
// from the log, the archive or D1. A visitor who is there on two sides of midnight is there once.

import { type Present, type PresentRequest, presentOf, presentTogether } from "../core/counting/present.ts";
import { findDay, type Partition } from "./state.ts";

export function present(partition: Partition, { merchant, days, since }: PresentRequest): Present {
  const all = days.flatMap((day) => {
    const state = findDay(partition, merchant, day);
    return state === undefined ? [] : [presentOf(state, since)];
  });
  return presentTogether(all);
}
