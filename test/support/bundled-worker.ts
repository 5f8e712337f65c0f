// A small Worker of the tests' own, bundled and run in workerd: for code that has to be tried with its
// engine and its libraries.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { SHARED_OPTIONS } from "../../scripts/runtime.ts";

export interface BundledWorker {
  readonly address: URL;
  readonly stop: () => Promise<void>;
}

/** Starts a Worker of test/support, by its file's name. */
export async function startBundled(file: string, compatibilityFlags: string[] = []): Promise<BundledWorker> {
  const outdir = mkdtempSync(join(tmpdir(), "footfall-worker-"));
  const path = join(outdir, "index.mjs");
  await build({
    entryPoints: [join(import.meta.dirname, file)],
    outfile: path,
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*"],
    logLevel: "error",
  });
  const modules = [{ type: "ESModule" as const, path }];
  const named = { name: "bundled", compatibilityDate: "2026-10-20", compatibilityFlags };
  const runtime = new Miniflare(
    convertV4MiniflareOptions({ ...SHARED_OPTIONS, workers: [{ ...named, modules, modulesRoot: outdir }] }),
  );
  const address = await runtime.ready;
  const stop = async () => {
    await runtime.dispose();
    rmSync(outdir, { recursive: true });
  };
  return { address, stop };
}
