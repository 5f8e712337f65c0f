// Before any test: the tracker's scripts, which the collector imports, and the dashboard's, which the query Worker
// imports; and a word when a browser to try them in is missing.

import { stop } from "esbuild";
import { CHROMIUM, FIREFOX } from "../../scripts/browsers.ts";
import { buildDashboard } from "../../scripts/build-dashboard.ts";
import { buildTracker } from "../../scripts/build-tracker.ts";

export default async function setup(): Promise<void> {
  await Promise.all([buildTracker(), buildDashboard()]);
  await stop();
  if (CHROMIUM === undefined) console.log("browser tests are skipped: no Chromium in PATH, and CHROME_BIN names none");
  if (FIREFOX === undefined) console.log("nothing is run in Firefox: none in PATH, and FIREFOX_BIN names none");
}
