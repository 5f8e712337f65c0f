// What stands around each of the settings: the menu of them all, and the heading of the one that is shown.

import type { ComponentChildren } from "preact";
import { Frame } from "../../frame.tsx";
import { addressOfPage, go, goToPage, page } from "../../store.ts";
import { t as common, speak } from "../../text.ts";
import { isAllowed } from "./act.tsx";
import texts from "./text.ts";

const { t } = speak(texts);

/** The settings and who may read them: sections of the page Settings, and the pages under it. */
export const MENU = [
  { name: "install", least: "viewer" },
  { name: "shop", least: "viewer" },
  { name: "people", least: "owner" },
  { name: "keys", least: "admin" },
  { name: "shares", least: "admin" },
  { name: "archive", least: "admin" },
] as const;
export type MenuName = (typeof MENU)[number]["name"];

/** What one of the settings is called. */
export function nameOf(name: MenuName): string {
  return name === "archive" ? common("pageArchive") : t(`s_${name}`);
}

function addressOf(name: MenuName): string {
  return name === "archive" ? addressOfPage(name) : `${addressOfPage("settings")}&at=${name}`;
}

/** Shows one of them. With a modifier key it opens a tab, as any link. */
function open(event: MouseEvent, name: MenuName): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  if (name === "archive") goToPage(name);
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
          {children}
        </div>
      </div>
    </Frame>
  );
}
