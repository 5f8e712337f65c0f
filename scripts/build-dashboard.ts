// `npm run build:dashboard`: makes the dashboard's scripts and style, from workers/query/dashboard/, as one module of texts that the
// query Worker imports. Whoever bundles Workers runs it first: `wrangler deploy` by [build] in wrangler.toml, the local runtime and the
// tests by calling `buildDashboard`. Each language is a build of its own, so that a page loads one script and not its texts after it.

import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build, type Plugin } from "esbuild";
import { replace } from "./build-tracker.ts";
import { runMain } from "./problem.ts";

const FOLDER = resolve(import.meta.dirname, "../workers/query/dashboard");
/** Languages that are written from right to left. */
const RIGHT_TO_LEFT: readonly string[] = ["ar"];
const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
};

/** What a page of the dashboard may load at first, gzipped, in bytes. */
export const DASHBOARD_BYTES_MAX = { script: 30_000, style: 10_000 } as const;

export interface DashboardFile {
  /** Such as "/assets/main-K2J7QW3B.js": for ever these bytes. */
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

export interface Dashboard {
  readonly files: readonly DashboardFile[];
  readonly languages: Readonly<
    Record<string, { readonly script: string; readonly style: string; readonly direction: "ltr" | "rtl" }>
  >;
}

/** The languages that there are texts of, such as "de". */
export const LANGUAGE_CODES: readonly string[] = readdirSync(join(FOLDER, "text"))
  .map((file) => file.slice(0, -".ts".length))
  .sort();

/** Builds every language and writes the module that the query Worker serves them from. */
export async function buildDashboard(): Promise<Dashboard> {
  const builds = await Promise.all(LANGUAGE_CODES.map(async (code) => [code, await compile(code)] as const));
  const files = new Map(builds.flatMap(([, made]) => made.files.map((file) => [file.path, file] as const)));
  const languages = Object.fromEntries(builds.map(([code, { page }]) => [code, page]));
  const dashboard: Dashboard = { files: [...files.values()], languages };
  await replace(
    join(FOLDER, ".build/files.js"),
    `// Written by scripts/build-dashboard.ts.\nexport const FILES = ${JSON.stringify(dashboard.files, null, 1)};\n` +
      `export const LANGUAGES = ${JSON.stringify(languages, null, 1)};\n`,
  );
  return dashboard;
}

async function compile(code: string) {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(FOLDER, "main.tsx"), join(FOLDER, "style.css")],
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    minify: true,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
    absWorkingDir: FOLDER,
    outdir: "assets",
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    legalComments: "none",
    tsconfigRaw: "{}",
    plugins: [speaking(code)],
    logLevel: "warning",
  });
  const files: readonly DashboardFile[] = outputFiles.map(({ path, text }) => {
    return { path: path.slice(FOLDER.length), type: TYPES[path.split(".").at(-1) ?? ""] ?? "", text };
  });
  const madeOf = (source: string) => {
    const [path] = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === source) ?? [];
    if (path === undefined) throw new Error(`esbuild made nothing of ${source}`);
    return `/${path}`;
  };
  const direction = RIGHT_TO_LEFT.includes(code) ? "rtl" : "ltr";
  return { files, page: { script: madeOf("main.tsx"), style: madeOf("style.css"), direction } as const };
}

/** Lets `import … from "#text"` be the texts of one language. */
function speaking(code: string): Plugin {
  return {
    name: "language",
    setup: ({ onResolve }) => onResolve({ filter: /^#text$/ }, () => ({ path: join(FOLDER, "text", `${code}.ts`) })),
  };
}

if (process.argv[1] === import.meta.filename) {
  await runMain(async () => {
    const { files } = await buildDashboard();
    for (const { path, text } of files) console.log(`${path}  ${gzipSync(text, { level: 9 }).length} B gzipped`);
  });
}
