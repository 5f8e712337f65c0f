// The language and the theme that somebody has chosen. They are kept with the account of whoever is signed in, and in a
// cookie as well, so that the sign-in and the pages of share links come in them too.

import { boot } from "./boot.ts";
import { ofShop } from "./get.ts";
import { type Failure, request } from "./numbers.ts";

export const THEMES = ["", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

/** The theme that was chosen; "" for that of the system. */
export function chosenTheme(): Theme {
  const chosen = document.documentElement.dataset["theme"];
  return THEMES.find((one) => one === chosen) ?? "";
}

/** Takes effect at once, and in the documents to come. */
export async function chooseTheme(theme: Theme): Promise<Failure | undefined> {
  if (theme === "") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  write(boot.language, theme);
  return await keepPreference({ theme: theme || null });
}

/** The page comes again in the language, at the same address. */
export async function chooseLanguage(language: string): Promise<Failure | undefined> {
  write(language, chosenTheme());
  return await keepAndReload({ language });
}

/** What documents are made by: the page comes again with it. */
export async function keepAndReload(change: object): Promise<Failure | undefined> {
  const failure = await keepPreference(change);
  if (failure === undefined) location.reload();
  return failure;
}

/** Keeps a choice with the account; why it was not kept. Whoever has only a share link has none. */
export async function keepPreference(change: object): Promise<Failure | undefined> {
  if (boot.email === undefined) return undefined;
  const reply = await request("PATCH", "/api/v1/preferences", { headers: ofShop(), body: change });
  return "failure" in reply ? reply.failure : undefined;
}

function write(language: string, theme: Theme): void {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser yet
  document.cookie = `footfall-look=${language}.${theme}; Path=/; Max-Age=31536000; SameSite=Lax`;
}
