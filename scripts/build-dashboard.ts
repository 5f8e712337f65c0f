// `npm run build:dashboard`: makes the dashboard's scripts and style, from workers/query/dashboard/, as one
// module of texts that the query Worker imports. Whoever bundles Workers runs it first: `wrangler deploy` by
// [build] in wrangler.toml, the local runtime and the tests by calling `buildDashboard`. Each language is a build
// of its own, so that a page loads one script and not its texts after it. The pages under pages/ and the parts under
// parts/ are scripts that are loaded when they are opened.

import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
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

/** What the dashboard may load at first, and for each further page, gzipped, in bytes. */
export const DASHBOARD_BYTES_MAX = { script: 30_000, style: 10_000, page: 15_000 } as const;

export interface DashboardFile {
  /** Such as "/assets/main-K2J7QW3B.js": for ever these bytes. */
  readonly path: string;
  readonly type: string;
  readonly text: string;
}

/** What is loaded in one language, by paths. */
export interface DashboardLanguage {
  /** What those call it who speak it. */
  readonly name: string;
  readonly script: string;
  readonly style: string;
  readonly direction: "ltr" | "rtl";
  /** By the name of a page: its script, and what that imports beyond what is loaded already. */
  readonly pages: Readonly<Record<string, readonly string[]>>;
  /** The same of the parts of pages. */
  readonly parts: Readonly<Record<string, readonly string[]>>;
}

export interface Dashboard {
  readonly files: readonly DashboardFile[];
  readonly languages: Readonly<Record<string, DashboardLanguage>>;
  /** What it was made of: files, from the root of the repository. */
  readonly inputs: readonly string[];
}

/** The languages that there are texts of, such as "de". */
export const LANGUAGE_CODES: readonly string[] = readdirSync(join(FOLDER, "text"))
  .map((file) => file.slice(0, -".ts".length))
  .sort();

/** The pages that are loaded when they are opened, such as "now". */
export const PAGE_NAMES: readonly string[] = foldersIn("pages");

/** The parts of pages that are loaded when they are first shown, such as "calendar". */
export const PART_NAMES: readonly string[] = foldersIn("parts");

function foldersIn(folder: string): readonly string[] {
  const entries = readdirSync(join(FOLDER, folder), { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
}

/** Builds every language and writes the module that the query Worker serves them from. */
export async function buildDashboard(): Promise<Dashboard> {
  const builds = await Promise.all(LANGUAGE_CODES.map(async (code) => [code, await compile(code)] as const));
  const files = new Map(builds.flatMap(([, made]) => made.files.map((file) => [file.path, file] as const)));
  const languages = Object.fromEntries(builds.map(([code, { page }]) => [code, page]));
  const inputs = [...new Set(builds.flatMap(([, made]) => made.inputs))];
  const dashboard: Dashboard = { files: [...files.values()], languages, inputs };
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
    plugins: [speaking(code), sharing],
    logLevel: "warning",
  });
  const files: readonly DashboardFile[] = outputFiles.map(({ path, text }) => {
    return { path: path.slice(FOLDER.length), type: TYPES[path.split(".").at(-1) ?? ""] ?? "", text };
  });
  const madeOf = (source: string) => {
    const [path] = Object.entries(metafile.outputs).find(([, { entryPoint }]) => entryPoint === source) ?? [];
    if (path === undefined) throw new Error(`esbuild made nothing of ${source}`);
    return path;
  };
  const importsOf = (path: string): readonly string[] =>
    (metafile.outputs[path]?.imports ?? []).filter(({ kind }) => kind === "import-statement").map((one) => one.path);
  // All that the entry has is shared with the pages (below), so it imports one script and has nothing of its own.
  const [script, ...others] = importsOf(madeOf("main.tsx"));
  if (script === undefined || others.length > 0 || importsOf(script).length > 0)
    throw new Error(`the entry is to be one script, and imports ${[script, ...others].join(", ")}`);
  const loadedBy = (source: string): readonly string[] => {
    const loaded = new Set([madeOf(source)]);
    for (const path of loaded) for (const next of importsOf(path)) if (next !== script) loaded.add(next);
    return [...loaded].map((path) => `/${path}`);
  };
  const page: DashboardLanguage = {
    name: new Intl.DisplayNames(code, { type: "language" }).of(code) ?? code,
    script: `/${script}`,
    style: `/${madeOf("style.css")}`,
    direction: RIGHT_TO_LEFT.includes(code) ? "rtl" : "ltr",
    pages: Object.fromEntries(PAGE_NAMES.map((name) => [name, loadedBy(`pages/${name}/page.tsx`)])),
    parts: Object.fromEntries(PART_NAMES.map((name) => [name, loadedBy(`parts/${name}/part.tsx`)])),
  };
  const inputs = Object.keys(metafile.inputs).map((path) => relative(join(FOLDER, "../../.."), join(FOLDER, path)));
  return { files, page, inputs };
}

/** Lets `import … from "#text"` be the texts of one language, and leaves of a page's texts those of it. */
function speaking(code: string): Plugin {
  return {
    name: "language",
    setup: ({ onResolve, onLoad }) => {
      onResolve({ filter: /^#text$/ }, () => ({ path: join(FOLDER, "text", `${code}.ts`) }));
      onLoad({ filter: /\/(pages|parts)\/[a-z-]+\/text\.ts$/ }, async ({ path }) => {
        const { default: texts } = (await import(path)) as { default: Readonly<Record<string, unknown>> };
        return { contents: `export default ${JSON.stringify({ [code]: texts[code] })};` };
      });
    },
  };
}

/**
 * Makes each page import the entry. Of what an entry and its pages share, esbuild makes a script of its own, which
 * would be one more request before the first number. When a page imports the whole entry, that script is the whole
 * entry. The styles of pages are few bytes, and are put behind the one that all share.
 */
const sharing: Plugin = {
  name: "sharing",
  setup: ({ onLoad }) => {
    onLoad({ filter: /\/(pages\/[a-z-]+\/page|parts\/[a-z-]+\/part)\.tsx$/ }, async ({ path }) => {
      return { contents: `import "../../main.tsx";\n${await readFile(path, "utf8")}`, loader: "tsx" };
    });
    onLoad({ filter: /\/dashboard\/style\.css$/ }, async ({ path }) => {
      const folders = [
        ...PAGE_NAMES.map((name) => join("pages", name)),
        ...PART_NAMES.map((name) => join("parts", name)),
      ];
      const own = folders.map((folder) => join(FOLDER, folder, "style.css")).filter(existsSync);
      const texts = await Promise.all([path, ...own].map((one) => readFile(one, "utf8")));
      return { contents: texts.join("\n"), loader: "css" };
    });
  },
};

if (process.argv[1] === import.meta.filename) {
  await runMain(async () => {
    const { files } = await buildDashboard();
    for (const { path, text } of files) console.log(`${path}  ${gzipSync(text, { level: 9 }).length} B gzipped`);
  });
}
