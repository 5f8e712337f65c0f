// Client hints: what a Chromium browser says of itself in extra headers, because its agent no longer changes. They name
// browsers that call themselves Chrome, the system where the agent does not say it, and phones and tablets that ask for
// desktop pages. Only browsers send them.

import { isObject } from "../formats/field.ts";

export interface Hints {
  /** Names of brands, such as "Google Chrome", without the made-up brand and without the engine. */
  readonly brands: readonly string[];
  /** Such as "Windows", or empty. */
  readonly platform: string;
  readonly mobile: boolean | undefined;
}

const NO_HINTS: Hints = { brands: [], platform: "", mobile: undefined };

/** Reads the `hints` of an event. A text that cannot be read gives no hints. */
export function parseHints(text: string): Hints {
  if (text === "") return NO_HINTS;
  const given = readObject(text);
  const textOf = (name: string) => (typeof given[name] === "string" ? given[name] : "");
  // "Not=A?Brand", "Not(A:Brand", …: a name that changes, so that nobody relies on the order of the list.
  const brands = [...textOf("brands").matchAll(/"([^"\\]{1,64})";\s?v=/g)].map(([, name = ""]) => name);
  const mobile = textOf("mobile");
  return {
    brands: brands.filter((name) => name !== "Chromium" && !/^[ ;(]*Not.*Brand/.test(name)),
    platform: /^"([^"\\]{1,64})"$/.exec(textOf("platform").trim())?.[1] ?? "",
    mobile: mobile === "?1" ? true : mobile === "?0" ? false : undefined,
  };
}

function readObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {}; // a SyntaxError: rows of another origin may hold any text, and a wrong hint is no hint
  }
}
