// The sections of a block, each of which can be read alone. A question about one dimension reads the head and one
// section. Dimensions that are asked for together, or share names, are in the same section. The sections are listed in
// the order of the stored bytes.

import type { DimensionName } from "../counting/dimension.ts";
import { ALL_DIMENSIONS } from "../counting/rollup.ts";
import { assert } from "../outcome.ts";

export interface Section {
  readonly name: string;
  /** In the order in which they are stored. New ones go to the end, because a block only says how many it has. */
  readonly dimensions: readonly DimensionName[];
}

/** All sections besides the head, which has the totals. */
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

/** The section that has a dimension, as an index of SECTIONS. */
export function sectionOf(dimension: DimensionName): number {
  return SECTIONS.findIndex(({ dimensions }) => dimensions.includes(dimension));
}

const placed = SECTIONS.flatMap(({ dimensions }) => dimensions);
assert(
  placed.length === ALL_DIMENSIONS.length && ALL_DIMENSIONS.every((name) => placed.includes(name)),
  "every dimension is in one section",
);
