// Rules as a form has them, a line of text for each entry, and back. What the form does not show stays as it was. Pure:
// the tests ask it without a page. Whether an entry is one is for the API to say.

interface Choice<T> {
  readonly drop: readonly T[];
  readonly admit: readonly T[];
}

/** The rules that the form shows; others are carried along. */
export interface Rules {
  readonly bots: Choice<string>;
  readonly referrers: Choice<string>;
  readonly asns: Choice<number>;
  readonly addresses: readonly { readonly name: string; readonly networks: readonly string[] }[];
  readonly hostnames: readonly string[];
  readonly [other: string]: unknown;
}

/** The fields of the form, in its order. A name of two parts is a list of a choice. */
export const RULE_FIELDS = [
  "addresses",
  "hostnames",
  "bots/drop",
  "bots/admit",
  "referrers/drop",
  "referrers/admit",
  "asns/drop",
  "asns/admit",
] as const;
export type RuleField = (typeof RULE_FIELDS)[number];
export type RuleTexts = Readonly<Record<RuleField, string>>;

/** What the form shows of rules. */
export function toTexts({ addresses, hostnames, bots, referrers, asns }: Rules): RuleTexts {
  return {
    addresses: addresses.map(({ name, networks }) => `${name}: ${networks.join(", ")}`).join("\n"),
    hostnames: hostnames.join("\n"),
    "bots/drop": bots.drop.join("\n"),
    "bots/admit": bots.admit.join("\n"),
    "referrers/drop": referrers.drop.join("\n"),
    "referrers/admit": referrers.admit.join("\n"),
    "asns/drop": asns.drop.join("\n"),
    "asns/admit": asns.admit.join("\n"),
  };
}

/** Rules with what the form says in place of what they had there. */
export function withTexts(rules: Rules, texts: RuleTexts): Rules {
  const choice = <T>(name: "bots" | "referrers" | "asns", read: (line: string) => T): Choice<T> => ({
    drop: linesOf(texts[`${name}/drop`]).map(read),
    admit: linesOf(texts[`${name}/admit`]).map(read),
  });
  const same = (line: string) => line;
  return {
    ...rules,
    bots: choice("bots", same),
    referrers: choice("referrers", same),
    // "AS64500" is how such numbers are written; what is none stays text, and is refused with its place.
    asns: choice("asns", (line) => Number(line.replace(/^AS/i, "")) || (line as unknown as number)),
    addresses: linesOf(texts.addresses).map(exclusionOf),
    hostnames: linesOf(texts.hostnames),
  };
}

function linesOf(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** "office: 203.0.113.0/24, 2001:db8::/32". An address has colons too, and no blank after one. */
function exclusionOf(line: string): Rules["addresses"][number] {
  const [, name = line, networks = ""] = /^(.*?):(?:\s+(.*))?$/.exec(line) ?? [];
  return {
    name: name.trim(),
    networks: networks.split(/[\s,]+/).filter((network) => network !== ""),
  };
}

/** The form with one line more, unless it is there. */
export function withLine(texts: RuleTexts, field: RuleField, line: string): RuleTexts {
  const lines = linesOf(texts[field]);
  return lines.includes(line) ? texts : { ...texts, [field]: [...lines, line].join("\n") };
}

/** The field that a refusal is about, "rules/addresses/0/networks/1 must be …"; undefined where the form has none. */
export function fieldOf(message: string): RuleField | undefined {
  return RULE_FIELDS.find((field) => message.startsWith(`rules/${field}`));
}
