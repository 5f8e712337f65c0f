// `npm run build:tracker`: makes the scripts that pages load, from workers/collector/tracker/, as one module of
// texts that the collector's Worker imports. Whoever bundles Workers runs it first: `wrangler deploy` by [build]
// in wrangler.toml, the local runtime and the tests by calling `buildTracker`. Nothing it writes is checked in,
// except with --keep: that stores today's scripts beside the source, so that pages which name them by their hash
// are served them for ever.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { minify } from "terser";
import { Problem, runMain } from "./problem.ts";

/** The builds: /t.js has everything, /p.js page views alone. */
export const TRACKER_NAMES = ["t", "p"] as const;
export type TrackerName = (typeof TRACKER_NAMES)[number];

/** What a build may weigh, gzipped, in bytes. */
export const TRACKER_BYTES_MAX: Readonly<Record<TrackerName, number>> = { t: 2_300, p: 1_500 };

export interface TrackerScript {
  readonly name: TrackerName;
  /** Such as "t.8f3a52c07d1be946.js": for ever these bytes. */
  readonly file: string;
  /** For the `integrity` attribute. */
  readonly integrity: string;
  readonly text: string;
}

const FOLDER = resolve(import.meta.dirname, "../workers/collector/tracker");
const KEPT = join(FOLDER, "kept");

/** Builds both scripts and writes the module that the collector serves them from. */
export async function buildTracker(): Promise<readonly TrackerScript[]> {
  const scripts = await Promise.all(TRACKER_NAMES.map(async (name) => toScript(name, await compile(name))));
  const served = [...scripts, ...(await readKept())].map(({ name, file, text }) => ({ name, file, text }));
  await replace(
    join(FOLDER, ".build/scripts.js"),
    `// Written by scripts/build-tracker.ts.\nexport const SCRIPTS = ${JSON.stringify(served, null, 1)};\n`,
  );
  return scripts;
}

/** A script by its text: file name and integrity are both the SHA-384 of its bytes. */
export function toScript(name: TrackerName, text: string): TrackerScript {
  const digest = createHash("sha384").update(text).digest();
  const file = `${name}.${digest.toString("hex").slice(0, 16)}.js`;
  return { name, file, integrity: `sha384-${digest.toString("base64")}`, text };
}

/** esbuild bundles; terser then folds functions that are called once into their callers, which esbuild does not. */
async function compile(name: TrackerName): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(FOLDER, `${name}.ts`)],
    bundle: true,
    write: false,
    format: "iife",
    target: "es2021",
    minifySyntax: true,
    tsconfigRaw: "{}",
  });
  const { code } = await minify(outputFiles[0]?.text ?? "", {
    ecma: 2020,
    toplevel: true,
    compress: { passes: 4, pure_getters: true, unsafe: true, unsafe_arrows: true },
  });
  if (code === undefined) throw new Error(`nothing was made of tracker/${name}.ts`);
  return `${code}\n`;
}

/** Writes a file that others may be reading: whole, and only when it is another one. */
export async function replace(path: string, text: string): Promise<void> {
  if (existsSync(path) && (await readFile(path, "utf8")) === text) return;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.${process.pid}`, text);
  await rename(`${path}.${process.pid}`, path);
}

/** Scripts of earlier versions, which pages may still name. */
export async function readKept(folder = KEPT): Promise<readonly TrackerScript[]> {
  const files = existsSync(folder) ? await readdir(folder) : [];
  return await Promise.all(
    files.map(async (file) => {
      const script = toScript(file.slice(0, 1) as TrackerName, await readFile(join(folder, file), "utf8"));
      if (script.file !== file)
        throw new Problem(`${join(folder, file)} was changed: its bytes are those of ${script.file}`);
      return script;
    }),
  );
}

if (process.argv[1] === import.meta.filename) {
  await runMain(async () => {
    for (const { name, file, text } of await buildTracker()) {
      const bytes = gzipSync(text, { level: 9 }).length;
      console.log(`/${name}.js  ${bytes} B gzipped  ${file}`);
      if (process.argv.includes("--keep")) {
        await mkdir(KEPT, { recursive: true });
        await writeFile(join(KEPT, file), text);
      }
    }
  });
}
