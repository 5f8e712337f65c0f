// How a new input is made from known ones: a few small changes to one or two fields, by chance that a seed fixes. Texts
// are cut, doubled, spliced with others and given words of the format; JSON is changed by its structure, so that what
// comes out is still JSON; query strings by their pairs; files by their lines; bytes by their bits.

import type { Random } from "../support/random.ts";
import { type FieldKind, type Input, lengthOf, type Target } from "./target.ts";

export interface Mutating {
  readonly random: Random;
  readonly words: readonly string[];
  /** Any known input, to take something from. */
  readonly other: () => Input;
}

/** A changed copy, not longer than the target takes. */
export function mutate(input: Input, { fields, lengthMax }: Target, mutating: Mutating): Input {
  const { random } = mutating;
  const names = Object.keys(fields);
  const changed: Record<string, string> = { ...input };
  const times = random.chance(0.25) ? 2 : 1;
  for (let time = 0; time < times; time++) {
    const name = random.pick(names);
    const room = lengthMax - (lengthOf(changed) - (changed[name] ?? "").length);
    const field = { name, kind: fields[name] as FieldKind };
    changed[name] = mutateField(changed[name] ?? "", field, mutating).slice(0, Math.max(0, room));
  }
  return changed;
}

interface Field {
  readonly name: string;
  readonly kind: FieldKind;
}

function mutateField(text: string, { name, kind }: Field, mutating: Mutating): string {
  const { random } = mutating;
  const other = () => mutating.other()[name] ?? "";
  let changed = text;
  const rounds = 1 + Math.floor(-Math.log2(1 - random.next()));
  if (kind === "json" && random.chance(0.85)) {
    const value = parsed(changed);
    if (value !== undefined) return mutateJson(value, rounds, { ...mutating, other });
  }
  for (let round = 0; round < rounds; round++) {
    if (kind === "query" && random.chance(0.7)) changed = mutateParts(changed, "&", { ...mutating, other });
    else if (kind === "lines" && random.chance(0.4)) changed = mutateParts(changed, "\n", { ...mutating, other });
    else if (kind === "bytes") changed = mutateBytes(changed, random, other);
    else changed = mutateText(changed, { ...mutating, other });
  }
  return changed;
}

/** The same, with the texts of one field. */
interface Changing {
  readonly random: Random;
  readonly words: readonly string[];
  readonly other: () => string;
}

/** Characters that mean something to somebody's parser. */
const SPECIAL = [
  ..."\0\t\n\r \"'\\/%&=#?:;,.+-*@!$^()[]{}|<>~_0189azAZ\u007f\u0085\u00a0\u00ad\u00df\u0130\u0131\u017f\u03c3\u1e9e",
  ..."\u200b\u200d\u2028\u202e\u212a\u3002\uff0e\ufb01\ufeff\ufffd\u{1f468}\u0301",
  "\ud800",
  "\udc00",
];
const PIECES = [
  ...[
    "%00",
    "%2F",
    "%25",
    "%E2%82%AC",
    "%ff",
    "%C3%A4",
    "%",
    "%u0041",
    "&amp;",
    "../",
    "//",
    "://",
    "xn--",
    "::",
    "[::1]",
  ],
  ...["__proto__", "constructor", "toString", "null", "undefined", "NaN", "Infinity", "-0", "1e400", "1e-400", "0x10"],
  ...["9007199254740993", "2147483648", "4294967296", "99999999999999999999", "0.1", "-1", "1.5", "true", "false"],
  ...[
    "2026-02-30",
    "2026-11-21T12:00:00Z",
    "1999-12-31",
    "www.",
    "\r\n",
    '""',
    "\\u0000",
    "e\u0301",
    "(none)",
    "(other)",
  ],
];

function mutateText(text: string, { random, words, other }: Changing): string {
  const at = random.integer(0, text.length);
  const length = Math.min(text.length - at, random.chance(0.8) ? random.integer(1, 8) : random.integer(1, 200));
  const before = text.slice(0, at);
  const after = text.slice(at);
  const rest = text.slice(at + length);
  switch (random.integer(0, 11)) {
    case 0:
      return before + rest;
    case 1:
      return before + random.pick(SPECIAL) + after;
    case 2:
      return before + random.pick(SPECIAL) + text.slice(at + 1);
    case 3:
      return before + pickWord(random, words) + after;
    case 4:
      return before + pickWord(random, words) + rest;
    case 5:
      return before + text.slice(at, at + length).repeat(random.integer(2, random.chance(0.9) ? 4 : 60)) + rest;
    case 6: {
      const taken = other();
      const from = random.integer(0, taken.length);
      return before + taken.slice(from, from + random.integer(1, 60)) + (random.chance(0.5) ? after : rest);
    }
    case 7: {
      const taken = other();
      return before + taken.slice(random.integer(0, taken.length));
    }
    case 8:
      return before + String.fromCharCode(random.integer(0, random.chance(0.7) ? 127 : 0xffff)) + text.slice(at + 1);
    case 9: {
      const piece = text.slice(at, at + length);
      return before + (random.chance(0.5) ? piece.toUpperCase() : piece.toLowerCase()) + rest;
    }
    case 10:
      return before + encodeURIComponent(text.slice(at, at + length).toWellFormed()) + rest;
    default: {
      const to = random.integer(0, text.length);
      const without = before + rest;
      return without.slice(0, to) + text.slice(at, at + length) + without.slice(to);
    }
  }
}

function pickWord(random: Random, words: readonly string[]): string {
  return words.length > 0 && random.chance(0.7) ? random.pick(words) : random.pick(PIECES);
}

/** Pairs of a query, or lines of a file. */
function mutateParts(text: string, separator: string, changing: Changing): string {
  const { random, words, other } = changing;
  const parts = text.split(separator);
  const at = random.integer(0, parts.length - 1);
  switch (random.integer(0, 5)) {
    case 0:
      parts.splice(at, 1);
      break;
    case 1:
      parts.splice(at, 0, random.pick(other().split(separator)));
      break;
    case 2:
      parts.splice(random.integer(0, parts.length), 0, parts[at] as string);
      break;
    case 3:
      if (separator === "&") parts.splice(at, 0, `${pickWord(random, words)}=${pickWord(random, words)}`);
      else parts.splice(at, 0, pickWord(random, words));
      break;
    default:
      parts[at] = mutateText(parts[at] as string, changing);
  }
  return parts.join(separator);
}

function mutateBytes(text: string, random: Random, other: () => string): string {
  const at = random.integer(0, Math.max(0, text.length - 1));
  const code = text.charCodeAt(at) || 0;
  const before = text.slice(0, at);
  const put = (value: number) => before + String.fromCharCode(value & 0xff) + text.slice(at + 1);
  switch (random.integer(0, 9)) {
    case 0:
      return put(code ^ (1 << random.integer(0, 7)));
    case 1:
      return put(code + random.integer(-16, 16));
    case 2:
      return put(random.integer(0, 255));
    case 3:
      return put(random.pick([0, 1, 0x7f, 0x80, 0xff]));
    case 4:
      return before + text.slice(at + random.integer(1, 16));
    case 5:
      return before + String.fromCharCode(random.integer(0, 255)).repeat(random.integer(1, 9)) + text.slice(at);
    case 6:
      return text.slice(0, at);
    case 7: {
      const taken = other();
      const from = random.integer(0, taken.length);
      const length = random.integer(1, 32);
      return before + taken.slice(from, from + length) + text.slice(at + (random.chance(0.7) ? length : 0));
    }
    case 8: {
      const word = random.pick([0, 1, 0x7fffffff, 0x80000000, 0xffffffff, random.integer(0, 0xffff)]);
      const bytes = [0, 8, 16, 24].map((shift) => (word >>> shift) & 0xff);
      if (random.chance(0.5)) bytes.reverse();
      return before + String.fromCharCode(...bytes) + text.slice(at + 4);
    }
    default: {
      const length = random.integer(1, 16);
      return before + text.slice(at, at + length).repeat(2) + text.slice(at + length);
    }
  }
}

// ── JSON
// ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
/** Stands for a number that JSON can write and a double cannot hold. */
const RAW = "\u0001raw:";

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // a SyntaxError: it is changed as a text then
  }
}

function mutateJson(value: unknown, rounds: number, changing: Changing): string {
  let changed = value;
  for (let round = 0; round < rounds; round++) changed = mutateNode(changed, changing);
  const text = JSON.stringify(changed) ?? "null";
  return text.includes("\\u0001raw:") ? text.replace(/"\\u0001raw:([^"\\]*)"/g, "$1") : text;
}

/** Goes down into a tree by chance and changes what it meets. */
function mutateNode(node: unknown, changing: Changing): unknown {
  const { random } = changing;
  if (Array.isArray(node) && node.length > 0 && random.chance(0.75)) return mutateInside(node, changing);
  if (isObject(node) && Object.keys(node).length > 0 && random.chance(0.75)) return mutateMember(node, changing);
  if (Array.isArray(node)) return mutateList(node, changing);
  if (isObject(node)) return mutateObject(node, changing);
  if (typeof node === "string" && random.chance(0.6)) return mutateText(node, changing);
  if (typeof node === "number" && random.chance(0.5))
    return random.pick([node + 1, node - 1, -node, node * 1000, node / 1000, node + 0.5, String(node)]);
  return anyValue(changing);
}

function mutateInside(list: readonly unknown[], changing: Changing): unknown[] {
  const at = changing.random.integer(0, list.length - 1);
  const copy = [...list];
  copy[at] = mutateNode(copy[at], changing);
  return copy;
}

function mutateMember(object: Readonly<Record<string, unknown>>, changing: Changing): unknown {
  const entries = Object.entries(object);
  const at = changing.random.integer(0, entries.length - 1);
  const [key, value] = entries[at] as [string, unknown];
  entries[at] = [key, mutateNode(value, changing)];
  return Object.fromEntries(entries);
}

function mutateList(list: readonly unknown[], changing: Changing): unknown {
  const { random } = changing;
  const at = random.integer(0, list.length);
  const item = list[Math.min(at, list.length - 1)];
  switch (random.integer(0, 5)) {
    case 0:
      return list.toSpliced(at, 1);
    case 1:
      return list.toSpliced(at, 0, anyValue(changing));
    case 2:
      return list.toSpliced(at, 0, ...Array(random.chance(0.9) ? 1 : random.integer(2, 60)).fill(item ?? 0));
    case 3:
      return list.toReversed();
    case 4:
      return list.length === 1 ? item : [list];
    default:
      return anyValue(changing);
  }
}

function mutateObject(object: Readonly<Record<string, unknown>>, changing: Changing): unknown {
  const { random, words } = changing;
  const entries = Object.entries(object);
  const at = random.integer(0, entries.length);
  const [key = "", value = 0] = entries[Math.min(at, entries.length - 1)] ?? [];
  switch (random.integer(0, 5)) {
    case 0:
      return Object.fromEntries(entries.toSpliced(at, 1));
    case 1:
      return Object.fromEntries([...entries, [pickWord(random, words), anyValue(changing)]]);
    case 2:
      return Object.fromEntries([...entries, [pickWord(random, words), value]]);
    case 3:
      return Object.fromEntries(entries.toSpliced(at, 1, [mutateText(key, changing), value]));
    case 4:
      return [object];
    default:
      return anyValue(changing);
  }
}

function anyValue(changing: Changing): unknown {
  const { random, words, other } = changing;
  switch (random.integer(0, 8)) {
    case 0:
      return random.pick([
        null,
        true,
        false,
        0,
        1,
        -1,
        1.5,
        1e21,
        -1e-7,
        2 ** 53,
        1e308,
        100,
        86_400_000,
        1_795_262_400_000,
      ]);
    case 1:
      return `${RAW}${random.pick(["1e400", "-1e400", "12345678901234567890", "-0", "-0.0", "1E5", "0.1e-5"])}`;
    case 2:
      return [];
    case 3:
      return {};
    case 4:
      return random.pick(["", " ", "1", "0", "true", "12.5", "EUR", "/", "https://shop.example/", "2026-11-21"]);
    case 5: {
      const taken = parsed(other());
      return taken === undefined ? pickWord(random, words) : pickInside(taken, random);
    }
    case 6:
      return random.pick(SPECIAL).repeat(random.chance(0.9) ? random.integer(1, 5) : random.integer(100, 3_000));
    default:
      return pickWord(random, words);
  }
}

function pickInside(value: unknown, random: Random): unknown {
  let node = value;
  while (typeof node === "object" && node !== null && random.chance(0.7)) {
    const inner: readonly unknown[] = Object.values(node);
    if (inner.length === 0) return node;
    node = random.pick(inner);
  }
  return node;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
