// Patterns as merchants write them. `*` stands for any run of characters. A pattern is compared with a whole text,
// without regard to case. Patterns are no regular expressions, so nobody can write one that makes matching slow: the
// text is read once, and never backwards.

export interface Pattern {
  /** The texts between the asterisks, in lower case; a pattern without an asterisk has one. */
  readonly parts: readonly string[];
}

export function toPattern(text: string): Pattern {
  return { parts: text.toLowerCase().split("*") };
}

/** Whether a pattern matches the whole of a text, which must be in lower case. */
export function matches({ parts }: Pattern, text: string): boolean {
  const first = parts[0] as string;
  if (parts.length === 1) return text === first;
  const last = parts[parts.length - 1] as string;
  const end = text.length - last.length;
  if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  // To take each part at its leftmost index leaves the most room for the parts behind it. So no other choice is tried.
  let from = first.length;
  for (let index = 1; index < parts.length - 1; index++) {
    const part = parts[index] as string;
    const found = text.indexOf(part, from);
    if (found < 0 || found + part.length > end) return false;
    from = found + part.length;
  }
  return true;
}

export function matchesAny(patterns: readonly Pattern[], text: string): boolean {
  return patterns.some((pattern) => matches(pattern, text));
}
