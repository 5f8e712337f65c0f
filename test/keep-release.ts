// `npm run release:keep`: keeps what a release is for the tests of the next one (docs/upgrade.md): its Workers as they
// are deployed, its migrations, and one message of each kind that may still wait in a queue. Run on the commit that
// becomes a release; the release that was kept before gives way, since one may be skipped by nobody.

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { runMain } from "../scripts/problem.ts";
import { bundleWorkers, WORKERS } from "../scripts/runtime.ts";
import { KEPT_RELEASE, MIGRATION_FOLDERS } from "./support/release.ts";
import { waitingMessages } from "./support/waiting-message.ts";

const ROOT = resolve(import.meta.dirname, "..");

await runMain(async () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  const bundles = await bundleWorkers();
  rmSync(KEPT_RELEASE, { recursive: true, force: true });
  for (const folder of MIGRATION_FOLDERS) cpSync(join(ROOT, folder), join(KEPT_RELEASE, folder), { recursive: true });
  mkdirSync(KEPT_RELEASE, { recursive: true });
  for (const worker of WORKERS) {
    // Where lines were in the sources is two thirds of it, and nothing that runs.
    const script = bundles[worker].text.replace(/\n\/\/# sourceMappingURL=.*/, "");
    writeFileSync(join(KEPT_RELEASE, `${worker}.js.br`), brotliCompressSync(script));
  }
  const messages = waitingMessages();
  writeFileSync(join(KEPT_RELEASE, "release.json"), `${JSON.stringify({ version, messages }, null, 2)}\n`);
  console.log(`kept release ${version} in ${KEPT_RELEASE}${process.env["RELEASE"] === undefined ? ": commit it" : ""}`);
});
