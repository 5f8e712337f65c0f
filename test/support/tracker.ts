// Before any test: the tracker's scripts, which the collector imports; and a word when there is no browser to try them in.

import { stop } from "esbuild";
import { buildTracker } from "../../scripts/build-tracker.ts";
import { CHROMIUM } from "./chromium.ts";

export default async function setup(): Promise<void> {
  await buildTracker();
  await stop();
  if (CHROMIUM === undefined) console.log("browser tests are skipped: no Chromium in PATH, and CHROME_BIN names none");
}
