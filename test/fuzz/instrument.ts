// The code under test with a counter in every block: which parts of it an input reaches, how often, and with how many
// steps. esbuild makes one script of a file of targets and all that it imports, libraries included; acorn finds the
// places where control may go two ways; the counters are put into the text there. A loop that goes on beyond all
// measure is ended, so that an input which never comes to an end is a finding too.

import { createRequire } from "node:module";
import { compileFunction } from "node:vm";
import { type Node, parse } from "acorn";
import { build } from "esbuild";
import type { Target } from "./target.ts";

export interface Instrumented {
  readonly targets: readonly Target[];
  /** How often each block was run since somebody set it to zero. */
  readonly counters: Uint32Array;
  /** The texts in the code: field names, keywords, names of events. */
  readonly words: readonly string[];
}

/** No input comes near it: the dearest takes about a hundredth. */
const LOOP_MAX = 20_000_000;

/** Loads a file that exports `targets`. A loop is ended after so many rounds. */
export async function instrument(path: string, loopMax = LOOP_MAX): Promise<Instrumented> {
  const bundled = await build({
    entryPoints: [path],
    bundle: true,
    write: false,
    platform: "node",
    format: "cjs",
    target: "node24",
    logLevel: "error",
    keepNames: false,
  });
  const source = bundled.outputFiles[0]?.text ?? "";
  const { text, count, words } = withCounters(source, loopMax);
  const counters = new Uint32Array(count);
  const tooLong = () => {
    throw new Error("a loop does not end");
  };
  const module: { exports: { targets?: readonly Target[] } } = { exports: {} };
  const load = compileFunction(text, ["module", "exports", "require", COUNTERS, TOO_LONG], {
    filename: `${path}.instrumented.js`,
  }) as (...given: readonly unknown[]) => void;
  load(module, module.exports, createRequire(import.meta.url), counters, tooLong);
  const { targets } = module.exports;
  if (targets === undefined) throw new Error(`${path} exports no targets`);
  return { targets, counters, words };
}

const COUNTERS = "__footfallCounters";
const TOO_LONG = "__footfallTooLong";

type Tree = Node & Readonly<Record<string, unknown>>;

interface Edit {
  readonly at: number;
  readonly text: string;
  /** What ends a node goes before what begins the next one. */
  readonly isEnd: boolean;
}

/** The text of a script with its counters. */
export function withCounters(
  source: string,
  loopMax = LOOP_MAX,
): {
  readonly text: string;
  readonly count: number;
  readonly words: readonly string[];
} {
  const edits: Edit[] = [];
  const words = new Set<string>();
  let count = 0;
  const counter = () => `${COUNTERS}[${count++}]++`;
  const begin = (at: number, text: string) => edits.push({ at, text, isEnd: false });
  const end = (at: number, text: string) => edits.push({ at, text, isEnd: true });

  const statement = (node: Tree, isLoop = false) => {
    const count = isLoop ? `if(${counter()}>${loopMax})${TOO_LONG}();` : `${counter()};`;
    if (node.type === "BlockStatement") {
      begin(node.start + 1, count);
      visit(node);
      return;
    }
    begin(node.start, `{${count}`);
    visit(node);
    end(node.end, "}");
  };
  const expression = (node: Tree) => {
    begin(node.start, `(${counter()},`);
    visit(node);
    end(node.end, ")");
  };
  const branch = (parent: Tree, key: string, child: Tree) => {
    const kind = kindOf(parent, key, child);
    if (kind === "statement" || kind === "loop") statement(child, kind === "loop");
    else if (kind === "expression") expression(child);
    else {
      if (kind === "case") begin(child.start, `${counter()};`);
      visit(child);
    }
  };
  function visit(node: Tree): void {
    if (node.type === "Literal" && typeof node["value"] === "string") addWord(words, node["value"]);
    if (node.type === "TemplateElement") addWord(words, (node["value"] as { readonly cooked?: string }).cooked ?? "");
    if (node.type === "Property" || node.type === "MemberExpression") addName(words, node);
    for (const [key, value] of Object.entries(node)) {
      if (Array.isArray(value)) for (const item of value) if (isTree(item)) branch(node, key, item);
      if (isTree(value)) branch(node, key, value);
    }
  }
  visit(parse(source, { ecmaVersion: "latest", sourceType: "script" }) as unknown as Tree);
  return { text: applied(source, edits), count, words: [...words] };
}

const LOOPS: ReadonlySet<string> = new Set([
  "ForStatement",
  "ForInStatement",
  "ForOfStatement",
  "WhileStatement",
  "DoWhileStatement",
]);
const FUNCTIONS: ReadonlySet<string> = new Set([
  "FunctionDeclaration",
  "FunctionExpression",
  "ArrowFunctionExpression",
]);

/** What of a node is a branch by itself; the rest of it is looked through. */
function kindOf(parent: Tree, key: string, child: Tree): "statement" | "loop" | "expression" | "case" | undefined {
  const { type } = parent;
  if (type === "IfStatement" && key !== "test") return "statement";
  if (LOOPS.has(type) && key === "body") return "loop";
  if (type === "ConditionalExpression" && key !== "test") return "expression";
  if (type === "LogicalExpression" && key === "right") return "expression";
  if (FUNCTIONS.has(type) && key === "body") return child.type === "BlockStatement" ? "statement" : "expression";
  if (type === "CatchClause" && key === "body") return "statement";
  const isFirst = type === "SwitchCase" && child === (parent["consequent"] as readonly Tree[])[0];
  return isFirst && key === "consequent" ? "case" : undefined;
}

function isTree(value: unknown): value is Tree {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}

/** Words are what an input can say: neither sentences nor single letters. */
function addWord(words: Set<string>, text: string): void {
  if (text.length >= 2 && text.length <= 40 && !/\s\S+\s/.test(text)) words.add(text);
}

function addName(words: Set<string>, { key, property, computed }: Tree): void {
  const name = (key ?? property) as Tree | undefined;
  if (computed !== true && name?.type === "Identifier") addWord(words, name["name"] as string);
}

function applied(source: string, edits: readonly Edit[]): string {
  const sorted = edits
    .map((edit, order) => ({ ...edit, order }))
    .sort((a, b) => a.at - b.at || Number(b.isEnd) - Number(a.isEnd) || a.order - b.order);
  const parts: string[] = [];
  let from = 0;
  for (const { at, text } of sorted) {
    parts.push(source.slice(from, at), text);
    from = at;
  }
  return parts.join("") + source.slice(from);
}
