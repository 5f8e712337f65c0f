// The other half of the seeds, in a file of its own so that it runs beside the first.

import { test } from "vitest";
import { ONLY_SEED, runSeeds, SEEDS } from "./seeds.ts";

test.skipIf(ONLY_SEED !== undefined)(
  `[SIM-2] [SEA-6] the laws hold for the even seeds up to ${SEEDS}`,
  { timeout: 24 * 3_600_000 },
  () => runSeeds(2, 2),
);
