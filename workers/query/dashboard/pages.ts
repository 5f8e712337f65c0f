// The pages of a shop, in the order of the navigation. A row here is all that a page needs to be reached: it has an
// address, a key, a place in the navigation, an axe test and a picture. All but the overview are scripts of their own,
// loaded when the page is opened.

import type { ComponentType } from "preact";
import type { Key } from "./text.ts";

type Load = () => Promise<{ readonly default: ComponentType }>;

export interface PageRow {
  /** In the address, "/s/mer_…/now", and the folder under pages/. */
  readonly name: string;
  /** After "g". `h` is taken: it leads to the shops. A page under another has none. */
  readonly key?: string;
  /** The page whose menu it is in; it is not in the navigation then. */
  readonly under?: string;
  /** Of the text that it is called by. It stands in the navigation of every page, so it is one of text/. */
  readonly title: Key;
  /** Whether a share link opens it too. */
  readonly isShared?: true;
  /** Undefined where it is in the entry itself. */
  readonly load?: Load;
}

export const PAGES: readonly PageRow[] = [
  { name: "overview", key: "o", title: "overview", isShared: true },
  { name: "morning", key: "m", title: "pageMorning", load: () => import("./pages/morning/page.tsx") },
  { name: "now", key: "n", title: "pageNow", load: () => import("./pages/now/page.tsx") },
  { name: "sales", key: "s", title: "pageSales", isShared: true, load: () => import("./pages/sales/page.tsx") },
  { name: "goals", key: "f", title: "pageGoals", load: () => import("./pages/goals/page.tsx") },
  { name: "return", key: "r", title: "pageReturn", load: () => import("./pages/return/page.tsx") },
  { name: "trust", key: "t", title: "pageTrust", load: () => import("./pages/trust/page.tsx") },
  { name: "settings", key: "e", title: "pageSettings", load: () => import("./pages/settings/page.tsx") },
  { name: "rules", under: "settings", title: "pageRules", load: () => import("./pages/rules/page.tsx") },
  { name: "notices", under: "settings", title: "pageNotices", load: () => import("./pages/notices/page.tsx") },
  { name: "imports", under: "settings", title: "pageImports", load: () => import("./pages/imports/page.tsx") },
  {
    name: "preferences",
    under: "settings",
    title: "pagePreferences",
    load: () => import("./pages/preferences/page.tsx"),
  },
  { name: "archive", under: "settings", title: "pageArchive", load: () => import("./pages/archive/page.tsx") },
];

/** The pages of no shop, by the first part of their path. */
export const PAGES_OF_NO_SHOP = {
  invite: { title: "title", load: () => import("./pages/invite/page.tsx") },
  operator: { title: "title", load: () => import("./pages/operator/page.tsx") },
  shops: { title: "shops", load: () => import("./pages/shops/page.tsx") },
} as const satisfies Readonly<Record<string, { readonly title: Key; readonly load: Load }>>;
