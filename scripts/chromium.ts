// Where the browser of the browser tests is: the one that CHROME_BIN names, else the first in PATH.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Undefined where no browser is found: browser tests are then skipped. */
export const CHROMIUM: string | undefined =
  process.env["CHROME_BIN"] ||
  (process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name)))
    .find(existsSync);
