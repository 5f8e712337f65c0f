// How a person wants the dashboard. It belongs to the person who signs in and not to a shop, so all shops look alike.
// Where nothing is chosen, the browser's settings hold.

import type { Language } from "./notice/language.ts";

export const THEMES = ["light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

/** Null where nothing was chosen. */
export interface Preferences {
  readonly language: Language | null;
  readonly theme: Theme | null;
  /** The name of the page that a shop opens with, as addresses have it, such as "morning". */
  readonly start_page: string | null;
  /** ISO 3166-1 alpha-2, such as "AT": numbers, dates and the first day of a week are written as there. */
  readonly region: string | null;
}

export const NO_PREFERENCES: Preferences = { language: null, theme: null, start_page: null, region: null };
