// The language and the theme that somebody has chosen in this browser. They are in a cookie, so that the document comes
// in them.

import { boot } from "./boot.ts";

export const THEMES = ["", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

/** The theme that was chosen; "" for that of the system. */
export function chosenTheme(): Theme {
  const chosen = document.documentElement.dataset["theme"];
  return THEMES.find((one) => one === chosen) ?? "";
}

/** Takes effect at once, and in the documents to come. */
export function chooseTheme(theme: Theme): void {
  if (theme === "") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  write(boot.language, theme);
}

/** The page comes again in the language, at the same address. */
export function chooseLanguage(language: string): void {
  write(language, chosenTheme());
  location.reload();
}

function write(language: string, theme: Theme): void {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser yet
  document.cookie = `footfall-look=${language}.${theme}; Path=/; Max-Age=31536000; SameSite=Lax`;
}
