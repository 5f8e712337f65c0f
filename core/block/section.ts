// The parts of a block that are read alone: which numbers lie together. A question about one dimension reads the
// head and one section; dimensions that are asked for together, or share their names, are in one. The order is
// that of the stored bytes.

import type { DimensionName } from "../counting/dimension.ts";
import { ALL_DIMENSIONS } from "../counting/rollup.ts";
import { assert } from "../outcome.ts";

export interface Section {
  readonly name: string;
  /** In stored order: append only, as a block says how many it has. */
  readonly dimensions: readonly DimensionName[];
}

/** Beside the head, which has the totals. */
export const SECTIONS: readonly Section[] = [
  { name: "page", dimensions: ["page"] },
  { name: "ends", dimensions: ["entry_page", "exit_page"] },
  { name: "source", dimensions: ["source", "channel"] },
  {
    name: "campaign",
    dimensions: ["referrer", "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"],
  },
  { name: "audience", dimensions: ["country", "device", "browser", "os", "language"] },
  { name: "place", dimensions: ["region", "city", "hostname", "name", "stream", "goal"] },
  { name: "product", dimensions: ["product"] },
];

/** The section that has a dimension, by its place among SECTIONS. */
export function sectionOf(dimension: DimensionName): number {
  return SECTIONS.findIndex(({ dimensions }) => dimensions.includes(dimension));
}

const placed = SECTIONS.flatMap(({ dimensions }) => dimensions);
assert(
  placed.length === ALL_DIMENSIONS.length && ALL_DIMENSIONS.every((name) => placed.includes(name)),
  "every dimension is in one section",
);
