// A line that another page has for the rules: it waits in the tab until the page Rules is there, which tries it before
// anything is decided.

import { dropText, keepText, parseKept, recallText } from "../../keep.ts";
import type { RuleField } from "./rule-text.ts";

const KEY = "footfall-rules-line";

type Line = readonly [field: RuleField, line: string];

/** Keeps a line for the rules of a shop. */
export function keepLine(merchant: string, line: Line): void {
  keepText(KEY, JSON.stringify([merchant, line]), "tab"); // where it is refused, the line is to be typed
}

/** The line that was kept for a shop, once. */
export function takeLine(merchant: string): Line | undefined {
  const kept = parseKept<readonly [merchant: string, line: Line]>(recallText(KEY, "tab"));
  dropText(KEY, "tab");
  return kept?.[0] === merchant ? kept[1] : undefined;
}
