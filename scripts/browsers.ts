// Where the browsers of the browser tests are: the ones that CHROME_BIN and FIREFOX_BIN name, else the first in PATH.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

function inPath(names: readonly string[]): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find(existsSync);
}

/** Undefined where no browser is found: browser tests are then skipped. */
export const CHROMIUM: string | undefined =
  process.env["CHROME_BIN"] || inPath(["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]);

/** Undefined where there is none: the tests that are run in both are then run in Chromium alone. */
export const FIREFOX: string | undefined = process.env["FIREFOX_BIN"] || inPath(["firefox-esr", "firefox"]);
