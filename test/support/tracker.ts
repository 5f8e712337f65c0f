// Before any test: the tracker's scripts, which the collector imports, and the dashboard's, which the query Worker
// imports; and a word when there is no browser to try them in.

import { stop } from "esbuild";
import { buildDashboard } from "../../scripts/build-dashboard.ts";
import { buildTracker } from "../../scripts/build-tracker.ts";
import { CHROMIUM } from "../../scripts/chromium.ts";

export default async function setup(): Promise<void> {
  await Promise.all([buildTracker(), buildDashboard()]);
  await stop();
  if (CHROMIUM === undefined) console.log("browser tests are skipped: no Chromium in PATH, and CHROME_BIN names none");
}
