// Before any test: the tracker's scripts, which the collector imports.

import { stop } from "esbuild";
import { buildTracker } from "../../scripts/build-tracker.ts";

export default async function setup(): Promise<void> {
  await buildTracker();
  await stop();
}
