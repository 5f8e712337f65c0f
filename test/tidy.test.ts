// Style as a test, for what neither the compiler nor the linter sees: purity of core, the one direction of
// imports, opening comments, names that say nothing, left-over marks, tests without a rule, rules without a test, links
// that lead nowhere, lines of prose that are too long.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const SOURCES = ["core", "storage", "durable-objects", "queues", "workers", "scripts", "bench", "test"];

interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const files: readonly SourceFile[] = SOURCES.flatMap((folder) => walk(join(ROOT, folder)))
  .filter((path) => /\.tsx?$/.test(path) && !path.endsWith(".d.ts"))
  .map((path) => ({ path: relative(ROOT, path), text: readFileSync(path, "utf8") }));
const product = files.filter(({ path }) => !path.startsWith("test/"));
const documents: readonly SourceFile[] = [...readdirSync(ROOT), ...walk(join(ROOT, "docs"))]
  .filter((path) => path.endsWith(".md"))
  .map((path) => relative(ROOT, resolve(ROOT, path)))
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));

function walk(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? walk(join(folder, entry.name)) : [join(folder, entry.name)],
  );
}

function offenders(among: readonly SourceFile[], offends: (file: SourceFile) => boolean): readonly string[] {
  return among.filter(offends).map(({ path }) => path);
}

test("[TDY-1] core has no clock, no randomness, no async and no platform", () => {
  const impure =
    /\bDate\.now\b|\bnew Date\(\)|Math\.random|\basync\b|\bawait\b|\bPromise\b|"node:|"cloudflare:|\bconsole\./;
  expect(offenders(files, ({ path, text }) => path.startsWith("core/") && impure.test(withoutComments(text)))).toEqual(
    [],
  );
});

/** A folder may import from itself and from these. Hosts meet only where a Worker is wired, and as types. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  storage: ["core"],
  "durable-objects": ["core", "storage"],
  queues: ["core", "storage"],
  "workers/collector": ["core", "storage"],
  "workers/query": ["core", "storage"],
  "workers/background": ["core", "storage"],
};

test("[TDY-2] imports point in one direction", () => {
  const wrong: string[] = [];
  for (const { path, text } of product) {
    const folder = Object.keys(MAY_IMPORT).find((name) => path.startsWith(`${name}/`));
    if (folder === undefined) continue;
    for (const [, only, target = ""] of text.matchAll(/^(?:import|export) (type )?[^;]*?from "(\.[^"]+)";/gms)) {
      const to = relative(ROOT, join(ROOT, path, "..", target));
      const allowed = [folder, ...(MAY_IMPORT[folder] as readonly string[])].some((name) => to.startsWith(`${name}/`));
      const isWiring = /^workers\/\w+\/index\.ts$/.test(path);
      if (!allowed && !isWiring && only === undefined) wrong.push(`${path} → ${to}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("[TDY-3] every file opens by saying what it is for", () => {
  expect(offenders(files, ({ text }) => !/^(#!.*\n)?\/\/ \S/.test(text) && !text.startsWith("#!"))).toEqual([]);
});

test("[TDY-4] no file is named after nothing, and none is an index of others", () => {
  const empty = /(^|\/)(utils?|helpers?|common|misc|manager)(\.ts|\/)/;
  expect(offenders(product, ({ path }) => empty.test(path))).toEqual([]);
  expect(offenders(product, ({ path }) => /index\.ts$/.test(path) && !/^workers\/\w+\/index\.ts$/.test(path))).toEqual(
    [],
  );
});

test("[TDY-5] nothing is left for later, nothing is swallowed, and one file writes to the console", () => {
  const mark = new RegExp(
    ["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"].map((word) => `\\b${word}\\b`).join("|"),
  );
  expect(offenders(files, ({ text }) => mark.test(text))).toEqual([]);
  expect(offenders(files, ({ text }) => /catch\s*(\([^)]*\))?\s*\{\s*\}/.test(text))).toEqual([]);
  const deployed = files.filter(({ path }) => Object.keys(MAY_IMPORT).some((folder) => path.startsWith(`${folder}/`)));
  const writes = offenders(deployed, ({ text }) => /\bconsole\s*\./.test(withoutComments(text)));
  expect(writes).toEqual(["storage/log.ts"]);
});

test("[TDY-6] a secret is never compared with ===", () => {
  const comparison =
    /[!=]==?\s*[\w.]*(ADMIN_TOKEN|adminToken|TRACKING_SECRET)|(ADMIN_TOKEN|adminToken|TRACKING_SECRET)\s*[!=]==?\s*(?!undefined)/;
  expect(
    offenders(
      product.filter(({ path }) => !path.startsWith("scripts/")),
      ({ text }) => comparison.test(text),
    ),
  ).toEqual([]);
});

test("[COST-2] nobody but the metered D1 and R2 adds rows or operations of them to a meter", () => {
  const adding = /\b(d1_rows_read|d1_rows_written|r2_class_a|r2_class_b)\s*\+=/;
  const shipped = product.filter(({ path }) => !path.startsWith("bench/") && path !== "storage/metered.ts");
  expect(offenders(shipped, ({ text }) => adding.test(text))).toEqual([]);
});

/** Names that gave a word of the glossary another meaning, the files that they stood in, and what is said now. */
const OTHER_MEANINGS: readonly (readonly [name: RegExp, folder: string, now: string])[] = [
  [/\bplace\??: string\b|\bPLACES\b|\bFIXED_PLACE\b/, "core/query/", "path"],
  [/\bplaceOf\b/, "core/query/", "fieldOf"],
  [/\bplaceOf\b/, "core/counting/earned.ts", "insertionIndex"],
  [/\bplaceOf\b/, "core/counting/takings.ts", "insertionIndex"],
  [/\b[pP]lace\b/, "workers/query/sessions.ts", "sender"],
  [/\bparsePlace\b|\binterface Place\b/, "workers/query/erasures.ts", "cursor"],
  [/\bLogLine\b|\bencodeLogLine\b/, "", "LogEntry"],
  [/\bcsvLine\b/, "", "csvRow"],
  [/\bcutDay\b/, "", "partialDay"],
  [/\bcutReferrer\b|\bfunction cut</, "core/", "split"],
];

test("[TDY-12] a name means what the glossary of docs/spec.md says", () => {
  const wrong = OTHER_MEANINGS.flatMap(([name, folder, now]) =>
    offenders(
      product.filter(({ path }) => path.startsWith(folder)),
      ({ text }) => name.test(withoutComments(text)),
    ).map((path) => `${path}: ${name.source} is now ${now}`),
  );
  expect(wrong).toEqual([]);
});

test("[TDY-7] every rule of docs/spec.md is quoted by a test, and every quoted rule is in it", () => {
  const spec = readFileSync(join(ROOT, "docs/spec.md"), "utf8");
  const numbers = [...spec.matchAll(/^- \*\*([A-Z][A-Z0-9]*-\d+)\*\*/gm)].map(([, id]) => id);
  const stated = new Set(numbers);
  expect(numbers.filter((id, at) => numbers.indexOf(id) !== at)).toEqual([]);
  const quoted = new Set(
    files
      .filter(({ path }) => path.endsWith(".test.ts"))
      .flatMap(({ text }) => [...text.matchAll(/\[([A-Z][A-Z0-9]*-\d+)\]/g)].map(([, id]) => id)),
  );
  expect([...quoted].filter((id) => !stated.has(id))).toEqual([]);
  expect([...stated].filter((id) => !quoted.has(id))).toEqual([]);
});

test("[TDY-11] every function and constant that is exported is named in another file", () => {
  const namedIn = new Map<string, Set<string>>();
  for (const { path, text } of files)
    for (const word of text.match(/[A-Za-z_$][\w$]*/g) ?? [])
      namedIn.set(word, (namedIn.get(word) ?? new Set()).add(path));
  // Tables are exported for drizzle, and the tracker's module is what its users import.
  const open = /\/schema\.ts$|^workers\/collector\/tracker\/module\.ts$/;
  const dead = files
    .filter(({ path }) => !open.test(path))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/^export (?:async )?(?:function\*?|const|class) ([A-Za-z_$][\w$]*)/gm)]
        .map(([, name = ""]) => name)
        .filter((name) => namedIn.get(name)?.size === 1)
        .map((name) => `${path}: ${name}`),
    );
  expect(dead).toEqual([]);
});

test("[TDY-9] every link of a document leads to a file, and to a heading that is there", () => {
  const broken = documents.flatMap(({ path: page, text }) => {
    return [...withoutBlocks(text).matchAll(/\]\((?!https?:|mailto:)([^)\s]*)\)/g)]
      .map(([, target = ""]) => target)
      .filter((target) => !leadsSomewhere(page, target))
      .map((target) => `${page}: ${target}`);
  });
  expect(broken).toEqual([]);
});

/** No line of prose is longer; the formatter holds code to the same width (biome.json). */
const COLUMNS_MAX = 120;

test("[TDY-10] comments, and prose in documents, end at 120 columns", () => {
  const long = [
    ...files.flatMap(({ path, text }) => tooLong(text, isComment).map((at) => `${path}:${at}`)),
    ...documents.flatMap(({ path, text }) => tooLong(withoutBlocks(text), isProse).map((at) => `${path}:${at}`)),
  ];
  expect(long).toEqual([]);
});

const LONG = "word ".repeat(COLUMNS_MAX / 4);

test.each([
  ["a comment of a line", `// ${LONG}`, [1]],
  ["a comment behind code", `const one = 1; // ${LONG}`, [1]],
  ["the second line of a docstring", `/**\n * ${LONG}\n */\nconst one = 1;`, [2]],
  ["an address by itself", `// https://shop.example/${"a".repeat(COLUMNS_MAX)}`, []],
  ["a text of code", `const one = "https://shop.example/; // ${LONG}";`, []],
])("[TDY-10] %s", (_what, text, lines) => {
  expect(tooLong(text, isComment)).toEqual(lines);
});

test.each([
  ["a paragraph", `# One\n\n${LONG}`, [3]],
  ["an entry of a list", `- ${LONG}`, [1]],
  ["a row of a table", `| ${LONG} |`, []],
  ["a rule of docs/spec.md", `- **TDY-10** ${LONG}`, []],
  ["a block of code, and a paragraph after it", `\`\`\`\n${LONG}\n\`\`\`\n${LONG}`, [4]],
])("[TDY-10] %s", (_what, text, lines) => {
  expect(tooLong(withoutBlocks(text), isProse)).toEqual(lines);
});

/** The numbers of the lines that are too long, among those looked at. A line of one word cannot be broken. */
function tooLong(text: string, isLookedAt: (line: string) => boolean): readonly number[] {
  return text.split("\n").flatMap((line, at) => {
    const isOneWord = !/\S\s+\S/.test(line.replace(/^\s*(\/\/|\/?\*+|[-*])\s+/, ""));
    return line.length > COLUMNS_MAX && !isOneWord && isLookedAt(line) ? [at + 1] : [];
  });
}

/** Whether a line is one of a comment, or has one behind its code: that is, behind a mark such as ";" or "{". */
function isComment(line: string): boolean {
  const code = line.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`/g, "");
  return /^\s*(\/\/|\/?\*)/.test(line) || /[;,([{}] +\/\/ /.test(code);
}

function isProse(line: string): boolean {
  return !/^\s*\|/.test(line) && !/^- \*\*[A-Z][A-Z0-9]*-\d+\*\*/.test(line);
}

/** A document with empty lines for its blocks of code. */
function withoutBlocks(text: string): string {
  return text.replace(/^ *```[\s\S]*?^ *```/gm, (block) => block.replace(/[^\n]/g, ""));
}

function leadsSomewhere(page: string, target: string): boolean {
  const [path = "", heading] = target.split("#");
  const file = path === "" ? join(ROOT, page) : join(ROOT, page, "..", path);
  if (!existsSync(file)) return false;
  if (heading === undefined || !file.endsWith(".md")) return true;
  const text = withoutBlocks(readFileSync(file, "utf8"));
  return [...text.matchAll(/^#+ (.*)$/gm)].some(([, title = ""]) => anchorOf(title) === heading);
}

/** What a heading is called in an address, as on GitHub. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "");
}
