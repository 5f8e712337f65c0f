// What stands around each of the settings: the menu of them all, and the heading of the one that is shown.

import type { ComponentChildren } from "preact";
import { Frame } from "../../frame.tsx";
import { addressOfPage, go, goToPage, page } from "../../store.ts";
import { t as common, type Key, speak } from "../../text.ts";
import { isAllowed } from "./role.ts";
import texts from "./text.ts";

const { t, named } = speak(texts);

interface MenuRow {
  readonly name: string;
  readonly least: "viewer" | "admin" | "owner";
  /** The title of a page of its own; without one it is a section of the page Settings. */
  readonly page?: Key;
}

/** The settings and who may read them: sections of the page Settings, and the pages under it. */
export const MENU = [
  { name: "install", least: "viewer" },
  { name: "shop", least: "viewer" },
  { name: "people", least: "owner" },
  { name: "keys", least: "admin" },
  { name: "shares", least: "admin" },
  { name: "rules", least: "viewer", page: "pageRules" },
  { name: "notices", least: "admin", page: "pageNotices" },
  { name: "imports", least: "admin", page: "pageImports" },
  { name: "archive", least: "admin", page: "pageArchive" },
  { name: "preferences", least: "viewer", page: "pagePreferences" },
  { name: "sessions", least: "viewer" },
] as const satisfies readonly MenuRow[];
export type MenuName = (typeof MENU)[number]["name"];

/** The title of the page that one of the settings is; undefined of a section. */
function titleOf(name: MenuName): Key | undefined {
  return MENU.find((row): row is Extract<(typeof MENU)[number], { page: Key }> => row.name === name && "page" in row)
    ?.page;
}

/** What one of the settings is called. */
function nameOf(name: MenuName): string {
  const title = titleOf(name);
  return title === undefined ? named(`s_${name}`) : common(title);
}

function addressOf(name: MenuName): string {
  return titleOf(name) === undefined ? `${addressOfPage("settings")}&at=${name}` : addressOfPage(name);
}

/** Shows one of them. With a modifier key it opens a tab, as any link. */
function open(event: MouseEvent, name: MenuName): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  if (titleOf(name) !== undefined) goToPage(name);
  else if (page.value === "settings") {
    go({ at: name });
    document.getElementById("section-title")?.focus();
  } else {
    goToPage("settings");
    go({ at: name }, true);
  }
}

interface LayoutProps {
  readonly name: MenuName;
  readonly title: string;
  readonly children: ComponentChildren;
}

/** One of the settings under the menu of all. */
export function Layout({ name, title, children }: LayoutProps) {
  // Everybody ends the own sessions, and has preferences.
  const isOwn = name === "sessions" || name === "preferences";
  const isReadable = !isOwn && MENU.some((row) => row.name === name && row.least === "viewer");
  return (
    <Frame title={title}>
      <div class="settings">
        <nav aria-label={common("pageSettings")}>
          {MENU.filter(({ least }) => isAllowed(least)).map((one) => (
            <a
              key={one.name}
              href={addressOf(one.name)}
              aria-current={one.name === name ? "page" : undefined}
              onClick={(event) => open(event, one.name)}
            >
              {nameOf(one.name)}
            </a>
          ))}
        </nav>
        <div>
          <h2 id="section-title" tabIndex={-1}>
            {nameOf(name)}
          </h2>
          {isReadable && !isAllowed("admin") && <p class="mute">{t("readOnly")}</p>}
          {children}
        </div>
      </div>
    </Frame>
  );
}
