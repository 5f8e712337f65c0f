// Regular expressions of filters ("matches"): the common part of RE2's syntax. Like RE2 it never goes back in a text. A
// pattern becomes a list of instructions. A text is read once; at each character, every instruction that can be reached
// is looked at once. So a match costs at most the length times the number of instructions, whatever the pattern. There
// are no back references and no look-around. Those make matching slow, and RE2 has none either.

import { REGEX_INSTRUCTIONS_MAX, REGEX_LENGTH_MAX, REGEX_REPEAT_MAX } from "../limits.ts";
import { accepted, type Outcome } from "../outcome.ts";
import { type Budget, CHARACTERS_PER_STEP, spendJudging } from "./budget.ts";
import { invalid } from "./refusal.ts";

type Assertion = "start" | "end" | "word" | "not word";
type Instruction =
  | { readonly kind: "one"; readonly set: CharacterSet; readonly next: number }
  | { readonly kind: "split"; first: number; second: number }
  | { readonly kind: "assert"; readonly what: Assertion; readonly next: number }
  | { readonly kind: "match" };

export interface Regex {
  readonly program: readonly Instruction[];
  readonly start: number;
}

interface CharacterSet {
  readonly negated: boolean;
  /** Code points, both ends included. */
  readonly ranges: readonly (readonly [from: number, to: number])[];
  /** Whether upper and lower case are the same. */
  readonly folded: boolean;
}

type Node =
  | { readonly kind: "set"; readonly set: CharacterSet }
  | { readonly kind: "assert"; readonly what: Assertion }
  | { readonly kind: "sequence"; readonly of: readonly Node[] }
  | { readonly kind: "choice"; readonly of: readonly Node[] }
  | { readonly kind: "repeat"; readonly of: Node; readonly min: number; readonly max: number };

/** Reads a pattern. The refusal says what is wrong with it. */
export function parseRegex(pattern: string): Outcome<Regex> {
  if (pattern.length > REGEX_LENGTH_MAX)
    return invalid(`The regular expression is longer than ${REGEX_LENGTH_MAX} characters.`);
  try {
    const node = new Parser(pattern).parse();
    const program: Instruction[] = [{ kind: "match" }];
    const start = emit(program, node, 0);
    return accepted({ program, start });
  } catch (error) {
    if (error instanceof PatternProblem) return invalid(`The regular expression is not valid: ${error.message}.`);
    throw error;
  }
}

/**
 * Whether a text contains a match anywhere. When the budget is empty it finds nothing, and the caller must check the
 * budget.
 */
export function finds({ program, start }: Regex, text: string, budget: Budget, path = ""): boolean {
  if (!spendJudging(budget, text.length + Math.ceil(program.length / CHARACTERS_PER_STEP), path)) return false;
  const characters = [...text];
  /** By instruction: the character (from 1) at which it was last looked at. */
  const lookedAt = new Uint32Array(program.length);
  let open = [start];
  for (let at = 0; at <= characters.length; at++) {
    let steps = 0;
    const before = characters[at - 1]?.codePointAt(0);
    const here = characters[at]?.codePointAt(0);
    const reached = [start];
    while (open.length > 0) {
      const index = open.pop() as number;
      if (lookedAt[index] === at + 1) continue;
      lookedAt[index] = at + 1;
      const step = program[index] as Instruction;
      steps += step.kind === "one" ? stepsOf(step.set) : 2;
      if (step.kind === "match") return true;
      if (step.kind === "split") open.push(step.first, step.second);
      else if (step.kind === "assert") {
        if (holds(step.what, before, here)) open.push(step.next);
      } else if (here !== undefined && includes(step.set, here)) reached.push(step.next);
    }
    open = reached;
    if (!spendJudging(budget, steps, path)) return false;
  }
  return false;
}

/** The cost of one instruction: itself, and the ranges that the character is compared with. */
function stepsOf({ ranges, folded }: CharacterSet): number {
  return 2 + (ranges.length >> 1) + (folded ? 10 : 0);
}

/** What is wrong with a pattern. The parser throws it and catches it. */
class PatternProblem extends Error {}

const DIGIT: CharacterSet["ranges"] = [[48, 57]];
const WORD: CharacterSet["ranges"] = [...DIGIT, [65, 90], [95, 95], [97, 122]];
const SPACE: CharacterSet["ranges"] = [
  [9, 13],
  [32, 32],
];
const CLASSES: ReadonlyMap<string, CharacterSet["ranges"]> = new Map([
  ["d", DIGIT],
  ["w", WORD],
  ["s", SPACE],
]);
const CONTROLS: ReadonlyMap<string, number> = new Map([
  ["n", 10],
  ["r", 13],
  ["t", 9],
  ["f", 12],
  ["v", 11],
]);
const LAST_CODE_POINT = 0x10ffff;

class Parser {
  readonly #characters: readonly string[];
  #at = 0;
  #folded = false;

  constructor(pattern: string) {
    this.#characters = [...pattern];
  }

  parse(): Node {
    if (this.#takes("(?i)")) this.#folded = true;
    const node = this.#choice();
    if (this.#at < this.#characters.length) throw new PatternProblem('")" closes nothing');
    return node;
  }

  #choice(): Node {
    const branches = [this.#sequence()];
    while (this.#takes("|")) branches.push(this.#sequence());
    return branches.length === 1 ? (branches[0] as Node) : { kind: "choice", of: branches };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    for (let next = this.#peek(); next !== undefined && next !== "|" && next !== ")"; next = this.#peek())
      parts.push(this.#repeated(this.#atom()));
    return { kind: "sequence", of: parts };
  }

  #repeated(node: Node): Node {
    const [min, max] = this.#count() ?? [1, 1];
    if (min === 1 && max === 1) return node;
    this.#takes("?"); // which match is preferred says nothing about whether there is one
    if (this.#count() !== undefined) throw new PatternProblem("a repetition is repeated");
    return { kind: "repeat", of: node, min, max };
  }

  #count(): readonly [min: number, max: number] | undefined {
    if (this.#takes("*")) return [0, Number.POSITIVE_INFINITY];
    if (this.#takes("+")) return [1, Number.POSITIVE_INFINITY];
    if (this.#takes("?")) return [0, 1];
    const [whole, min, comma, max] = /^\{(\d{1,5})(,(\d{0,5}))?\}/.exec(this.#rest(20)) ?? [];
    if (whole === undefined) return undefined;
    this.#at += whole.length;
    const least = Number(min);
    const most = comma === undefined ? least : max === "" ? Number.POSITIVE_INFINITY : Number(max);
    const isHuge = least > REGEX_REPEAT_MAX || (most !== Number.POSITIVE_INFINITY && most > REGEX_REPEAT_MAX);
    if (isHuge || most < least) throw new PatternProblem(`"${whole}" is not a count up to ${REGEX_REPEAT_MAX}`);
    return [least, most];
  }

  #atom(): Node {
    const character = this.#next();
    if (character === "(") return this.#group();
    if (character === "[") return { kind: "set", set: this.#set() };
    if (character === "^") return { kind: "assert", what: "start" };
    if (character === "$") return { kind: "assert", what: "end" };
    if (character === ".") return this.#one([[10, 10]], true);
    if (character === "\\") return this.#escaped();
    if (character === "*" || character === "+" || character === "?")
      throw new PatternProblem(`"${character}" repeats nothing`);
    return this.#one([[codeOf(character), codeOf(character)]]);
  }

  #group(): Node {
    if (this.#takes("?") && !this.#takes(":")) throw new PatternProblem('groups are "(…)" or "(?:…)"');
    const node = this.#choice();
    if (!this.#takes(")")) throw new PatternProblem('a ")" is missing');
    return node;
  }

  #escaped(): Node {
    const letter = this.#next();
    if (letter === "b") return { kind: "assert", what: "word" };
    if (letter === "B") return { kind: "assert", what: "not word" };
    if (letter === "A") return { kind: "assert", what: "start" };
    if (letter === "z") return { kind: "assert", what: "end" };
    const ranges = CLASSES.get(letter.toLowerCase());
    if (ranges !== undefined) return this.#one(ranges, letter !== letter.toLowerCase());
    const code = escapeCode(letter);
    return this.#one([[code, code]]);
  }

  #set(): CharacterSet {
    const negated = this.#takes("^");
    const ranges: (readonly [number, number])[] = [];
    for (let isFirst = true; isFirst || this.#peek() !== "]"; isFirst = false) {
      const from = this.#member();
      if (typeof from !== "number") {
        ranges.push(...from);
        continue;
      }
      const isRange = this.#peek() === "-" && this.#characters[this.#at + 1] !== "]";
      if (isRange) this.#at += 1;
      const to = isRange ? this.#member() : from;
      if (typeof to !== "number" || to < from) throw new PatternProblem("a range in brackets goes backwards");
      ranges.push([from, to]);
    }
    this.#at += 1;
    return { negated, ranges, folded: this.#folded };
  }

  /** A character in brackets, or the ranges of a class such as \d. */
  #member(): number | CharacterSet["ranges"] {
    const character = this.#next();
    if (character !== "\\") return codeOf(character);
    const letter = this.#next();
    const ranges = CLASSES.get(letter.toLowerCase());
    if (ranges === undefined) return escapeCode(letter);
    return letter === letter.toLowerCase() ? ranges : complement(ranges);
  }

  #one(ranges: CharacterSet["ranges"], negated = false): Node {
    return { kind: "set", set: { negated, ranges, folded: this.#folded } };
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #next(): string {
    const character = this.#characters[this.#at];
    if (character === undefined) throw new PatternProblem("it ends too early");
    this.#at += 1;
    return character;
  }

  #takes(text: string): boolean {
    if (this.#rest(text.length) !== text) return false;
    this.#at += text.length;
    return true;
  }

  #rest(length: number): string {
    return this.#characters.slice(this.#at, this.#at + length).join("");
  }
}

/** Writes a node's instructions so that they lead to `next`, and returns the index of the first one. */
function emit(program: Instruction[], node: Node, next: number): number {
  if (node.kind === "set") return add(program, { kind: "one", set: node.set, next });
  if (node.kind === "assert") return add(program, { kind: "assert", what: node.what, next });
  if (node.kind === "sequence") return node.of.reduceRight((after, part) => emit(program, part, after), next);
  if (node.kind === "choice") {
    const starts = node.of.map((branch) => emit(program, branch, next));
    return starts.reduceRight((second, first) => add(program, { kind: "split", first, second }));
  }
  let after = next;
  if (node.max === Number.POSITIVE_INFINITY) {
    const loop: Instruction = { kind: "split", first: next, second: next };
    after = add(program, loop);
    loop.first = emit(program, node.of, after);
  } else {
    for (let count = node.min; count < node.max; count++)
      after = add(program, { kind: "split", first: emit(program, node.of, after), second: next });
  }
  for (let count = 0; count < node.min; count++) after = emit(program, node.of, after);
  return after;
}

function add(program: Instruction[], instruction: Instruction): number {
  if (program.length >= REGEX_INSTRUCTIONS_MAX) throw new PatternProblem("it is too large");
  return program.push(instruction) - 1;
}

function holds(what: Assertion, before: number | undefined, here: number | undefined): boolean {
  if (what === "start") return before === undefined;
  if (what === "end") return here === undefined;
  return (isWord(before) !== isWord(here)) === (what === "word");
}

function isWord(code: number | undefined): boolean {
  return code !== undefined && isIn(WORD, code);
}

function includes({ negated, ranges, folded }: CharacterSet, code: number): boolean {
  if (!folded) return isIn(ranges, code) !== negated;
  const character = String.fromCodePoint(code);
  const isFound = isIn(ranges, codeOf(character.toLowerCase())) || isIn(ranges, codeOf(character.toUpperCase()));
  return isFound !== negated;
}

function isIn(ranges: CharacterSet["ranges"], code: number): boolean {
  return ranges.some(([from, to]) => code >= from && code <= to);
}

function complement(ranges: CharacterSet["ranges"]): CharacterSet["ranges"] {
  const gaps: (readonly [number, number])[] = [];
  let from = 0;
  for (const [start, end] of ranges) {
    if (start > from) gaps.push([from, start - 1]);
    from = end + 1;
  }
  return [...gaps, [from, LAST_CODE_POINT]];
}

/** The character that an escape stands for: itself, unless it is a letter or a digit. */
function escapeCode(letter: string): number {
  const control = CONTROLS.get(letter);
  if (control !== undefined) return control;
  if (/[A-Za-z0-9]/.test(letter)) throw new PatternProblem(`"\\${letter}" is not known here`);
  return codeOf(letter);
}

function codeOf(character: string): number {
  return character.codePointAt(0) as number;
}
