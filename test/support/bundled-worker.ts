// A small Worker of the tests' own, bundled and run in workerd: for code that has to be tried with its
// engine and its libraries.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare, type V4WorkerOptions } from "miniflare";
import { SHARED_OPTIONS } from "../../scripts/runtime.ts";

export interface BundledWorker {
  readonly address: URL;
  /** Named "bundled" there. */
  readonly runtime: Miniflare;
  readonly stop: () => Promise<void>;
}

/** Starts a Worker of test/support, by its file's name, or of another folder, by its path; with what it binds. */
export async function startBundled(
  file: string,
  compatibilityFlags: string[] = [],
  bound: Partial<V4WorkerOptions> = {},
): Promise<BundledWorker> {
  const outdir = mkdtempSync(join(tmpdir(), "footfall-worker-"));
  const path = join(outdir, "index.mjs");
  await build({
    entryPoints: [resolve(import.meta.dirname, file)],
    outfile: path,
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["node:*", "cloudflare:*"],
    logLevel: "error",
  });
  const modules = [{ type: "ESModule" as const, path }];
  const named = { ...bound, name: "bundled", compatibilityDate: "2026-10-20", compatibilityFlags };
  const runtime = new Miniflare(
    convertV4MiniflareOptions({ ...SHARED_OPTIONS, workers: [{ ...named, modules, modulesRoot: outdir }] }),
  );
  const address = await runtime.ready;
  const stop = async () => {
    await runtime.dispose();
    rmSync(outdir, { recursive: true });
  };
  return { address, runtime, stop };
}
